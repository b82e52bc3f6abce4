"""A person's shapes at rest: the bare body by bone role (for the skin weights). No clothes, no meshes."""

from __future__ import annotations

import numpy as np

from .joints import hand_axes
from .person import Limb, Person
from .shapes import Shape, Tube, blend, cut, ellipsoid

__all__ = ["Body"]

Joints = dict[str, np.ndarray]


def _capsule(start: np.ndarray, end: np.ndarray, start_m: float, end_m: float) -> Tube:
    side = (0.0, -1.0, 0.0) if abs((end - start)[1]) < 0.9 * np.linalg.norm(end - start) else (1.0, 0.0, 0.0)
    return Tube(start, end, ((0.0, start_m, start_m), (1.0, end_m, end_m)), side=side, cap_m=0.5 * (start_m + end_m))


def _limb(limb: Limb, joints: Joints, points: tuple[str, str, str], side: tuple[float, float, float]) -> list[Tube]:
    a, b, c = (joints[point] for point in points)
    return [
        Tube(a, b, limb.upper, side=side, cap_m=limb.upper[0][1] * 0.8),
        Tube(b, c, limb.lower, side=side, cap_m=limb.lower[-1][1] * 0.9),
    ]


class Body:
    """The bare body's shapes, each under the role of the bone that carries it.

    The left arm's and leg's shapes are made once; the right ones are their mirror images.
    """

    def __init__(self, person: Person, joints: Joints) -> None:
        self.person, self.joints = person, joints
        s = person.scale
        first, last = person.trunk[0][0], person.trunk[-1][0]
        rows = tuple(((z - first) / (last - first), width, depth, y) for z, width, depth, y in person.trunk)
        low, high = np.array([0.0, 0.0, first]), np.array([0.0, 0.0, last])
        self.trunk = Tube(low, high, rows, cap_m=0.035 * s, power=2.25)
        self.neck = self._neck()
        self.middle = joints["head"] + np.array([0.0, 0.0, person.head.skull_up_m])
        self.skull = ellipsoid(self.middle, person.head.skull_radii_m)
        self.jaw = self._jaw()
        self.nose = self._nose()
        self.left = self._left_side()

    def at_head(self, x: float, y: float, z: float) -> np.ndarray:
        """A point given in the skull's half axes from its middle. Returns (3,) metres."""
        return self.middle + np.array([x, y, z]) * self.person.head.skull_radii_m

    def _neck(self) -> Tube:
        head, s = self.person.head, self.person.scale
        width_m = head.neck * head.skull_radii_m[0]
        if "beard" in head.hair:
            width_m *= 1.08
        start = self.joints["neck"] + s * np.array([0.0, 0.004, -0.05])
        end = self.joints["head"] + s * np.array([0.0, 0.004, 0.03])
        return Tube(
            start, end, ((0.0, 1.12 * width_m, 1.1 * width_m), (0.6, width_m, width_m), (1.0, width_m, width_m))
        )

    def _jaw(self) -> Tube:
        jaw_m = self.person.head.jaw_m
        rows = ((0.0, 2.0 * jaw_m, 1.75 * jaw_m), (0.55, 1.55 * jaw_m, 1.5 * jaw_m), (1.0, 0.9 * jaw_m, 0.9 * jaw_m))
        return Tube(self.at_head(0, -0.22, -0.32), self.at_head(0, -0.66, -1.06), rows, cap_m=0.6 * jaw_m, power=2.2)

    def _nose(self) -> Tube:
        nose_m, k = self.person.head.nose_m, self.person.head.size
        start = self.at_head(0, -0.93, -0.10)
        tip = self.middle + np.array([0.0, -self.person.head.skull_radii_m[1] - nose_m + 0.014 * k, -0.044 * k])
        rows = ((0.0, 0.25 * nose_m, 0.3 * nose_m), (1.0, 0.46 * nose_m, 0.42 * nose_m))
        return Tube(start, tip, rows, cap_m=0.3 * nose_m)

    def ear(self) -> Shape:
        """The left ear."""
        width_m, k = self.person.head.skull_radii_m[0], self.person.head.size
        tilt = np.deg2rad(20.0)
        turn = np.array([[np.cos(tilt), -np.sin(tilt), 0.0], [np.sin(tilt), np.cos(tilt), 0.0], [0.0, 0.0, 1.0]])
        return ellipsoid(
            self.middle + np.array([width_m + 0.004 * k, 0.010 * k, -0.024 * k]),
            k * self.person.head.ears * np.array([0.011, 0.019, 0.031]),
            turn,
        )

    def _left_side(self) -> dict[str, Shape]:
        joints, person = self.joints, self.person
        upper_arm, forearm = _limb(
            person.arm, joints, ("left_shoulder", "left_elbow", "left_wrist"), side=(0.0, -1.0, 0.0)
        )
        thigh, shin = _limb(person.leg, joints, ("left_hip", "left_knee", "left_ankle"), side=(1.0, 0.0, 0.0))
        shoulder_m = person.arm.upper[0][1]
        collar_end = joints["left_shoulder"] + np.array([-0.012 * person.scale, 0.0, 0.0])
        return {
            "shoulder": _capsule(joints["left_collar"], collar_end, 0.9 * shoulder_m, 1.06 * shoulder_m),
            "upper_arm": upper_arm,
            "forearm": forearm,
            "hand": self._palm(),
            "thigh": thigh,
            "shin": shin,
            **self._foot(),
            **self._fingers(),
        }

    def _palm(self) -> Shape:
        size = self.person.hand_m
        axes = hand_axes(self.joints, self.person)
        wrist = self.joints["left_wrist"]
        rows = (
            (0.0, 0.155 * size, 0.110 * size),
            (0.5, 0.215 * size, 0.095 * size, 0.0),
            (1.0, 0.235 * size, 0.072 * size),
        )
        start, end = wrist - 0.06 * size * axes[:, 0], wrist + 0.50 * size * axes[:, 0]
        palm = Tube(start, end, rows, side=tuple(axes[:, 1]), cap_m=0.05 * size, power=2.4)
        thumb_root = _capsule(self.joints["left_thumb_1"], self.joints["left_thumb_2"], 0.095 * size, 0.075 * size)
        return blend(0.11 * size, palm, thumb_root)

    def _fingers(self) -> dict[str, Shape]:
        size = self.person.hand_m
        width = self.person.finger_width
        thickness = {"index": 0.050, "middle": 0.052, "ring": 0.049, "pinky": 0.043, "thumb": 0.060}
        shapes: dict[str, Shape] = {}
        for name in (*self.person.fingers, "thumb"):
            first = 2 if name == "thumb" else 1
            for number in range(first, 4):
                start, end = (self.joints[f"left_{name}_{n}"] for n in (number, number + 1))
                radius_m = width * thickness[name] * size * (1.0 - 0.08 * number)
                shapes[f"{name}_{number}"] = _capsule(start, end, radius_m, 0.92 * radius_m)
        return shapes

    def _foot(self) -> dict[str, Shape]:
        """Foot and toe, as a shoe has them: flat below."""
        half_m, s = self.person.foot[2], self.person.scale
        joints = self.joints
        heel = joints["left_heel"] + s * np.array([0.0, -0.030, 0.016])
        tip = joints["left_tip"] + s * np.array([0.0, 0.028, 0.008])
        share = float((joints["left_ball"][1] - heel[1]) / (tip[1] - heel[1]))
        ball = heel + share * (tip - heel)
        hind = ((0.0, 0.80 * half_m, 0.042 * s), (0.45, 0.80 * half_m, 0.046 * s), (1.0, 1.08 * half_m, 0.036 * s))
        fore = ((0.0, 1.08 * half_m, 0.036 * s), (1.0, 0.82 * half_m, 0.025 * s))
        ankle = joints["left_ankle"]
        instep = Tube(
            ankle + s * np.array([0.0, 0.004, 0.030]),
            heel + s * np.array([0.0, -0.055, 0.004]),
            ((0.0, 0.86 * half_m, 1.02 * half_m), (1.0, 0.80 * half_m, 1.15 * half_m)),
        )
        floor = ((0.0, 0.0, 0.004 * s), (0.0, 0.0, -1.0))
        foot = blend(0.03 * s, Tube(heel, ball, hind, cap_m=0.032 * s), instep)
        return {"foot": cut(foot, *floor), "toe": cut(Tube(ball, tip, fore, cap_m=0.030 * s), *floor)}

    def by_role(self) -> dict[str, Shape]:
        """Every role's shape; the trunk's roles are the trunk between their joints."""
        joints = self.joints
        shapes: dict[str, Shape] = {
            "neck": self.neck,
            "head": blend(0.03 * self.person.head.size, self.skull, self.jaw),
        }
        borders = ["hips", "spine", "chest", "upper_chest"]
        for number, role in enumerate(borders):
            piece: Shape = self.trunk
            if number > 0:
                piece = cut(piece, joints[role], (0.0, 0.0, -1.0))
            if number + 1 < len(borders):
                piece = cut(piece, joints[borders[number + 1]], (0.0, 0.0, 1.0))
            shapes[role] = piece
        for role, shape in self.left.items():
            shapes[f"left_{role}"] = shape
            shapes[f"right_{role}"] = mirror(shape)
        return shapes


def mirror(shape: Shape) -> Shape:
    """The shape's mirror image on the other side of the body."""
    return lambda points: shape(points * np.array([-1.0, 1.0, 1.0]))
