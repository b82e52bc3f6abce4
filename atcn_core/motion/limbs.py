"""How each part of the body is turned: orthonormal frames from landmarks, for a person and for a rig at rest alike.

A limb's direction is known wherever its two joints are. Its twist is read off the bend of the elbow or the knee, and
where the limb is nearly straight off the rest of the body, with a smooth change between the two.
"""

from __future__ import annotations

import numpy as np

from ..rotation import frame_from_axes, normalized, quat_between, quat_rotate
from .landmarks import BodyAxes, Landmarks
from .smoothing import fading

__all__ = [
    "arm_hinge",
    "carried_hinge",
    "chest_frame",
    "hand_frame",
    "head_frame",
    "leg_hinge",
    "pelvis_frame",
    "rest_arm_hinge",
    "rest_leg_hinge",
    "spine_directions",
]

# Sine of the bend below which a limb's plane is noise, and above which it is trusted (9 and 30 degrees).
STRAIGHT_SINE, BENT_SINE = 0.15, 0.5

# In the chest's axes (left, up, forward): where the left arm points in the middle of its range, and the axis its
# elbow then bends about. Turned from there by the shortest way, the axis is right for an arm that hangs (forearm to
# the front), points ahead (upwards and in), aside (to the front) and up (over the head), with no jump between.
_ARM_AHEAD = normalized(np.array([1.0, 0.0, 1.0]))
_ARM_TILT_RAD = np.deg2rad(35.0)
_ARM_HINGE = np.cos(_ARM_TILT_RAD) * np.array([0.0, -1.0, 0.0]) + np.sin(_ARM_TILT_RAD) * normalized(
    np.array([-1.0, 0.0, 1.0])
)
# The same for a thigh in the hips' axes: the knee bends about the line from right to left.
_THIGH_AHEAD = normalized(np.array([0.0, -1.0, 1.0]))
_KNEE_HINGE = np.array([1.0, 0.0, 0.0])


def spine_directions(body: Landmarks) -> tuple[np.ndarray, np.ndarray]:
    """Where the lower and the upper spine point (T, 3) each.

    Both follow the trunk (hip to thorax) and are turned out of it by how far the spine joint has left its usual place
    in the clip: its place in the body differs between skeletons, its movement does not.
    """
    trunk = body.between("hip", "thorax")
    frame = frame_from_axes(trunk, body["left_shoulder"] - body["right_shoulder"])
    directions = []
    for start, end in (("hip", "spine"), ("spine", "thorax")):
        in_trunk = np.einsum("...ji,...j->...i", frame, body.between(start, end))
        usual = normalized(np.median(in_trunk, axis=0))
        directions.append(quat_rotate(_swing_in(frame, usual, in_trunk), trunk))
    return directions[0], directions[1]


def _swing_in(frame: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Shortest turn (..., 4) between two directions given in a frame's own axes, as a turn in the world."""
    return quat_between(frame @ start, np.einsum("...ij,...j->...i", frame, end))


def pelvis_frame(body: Landmarks, up: np.ndarray) -> np.ndarray:
    """Columns left, up, forward (..., 3, 3); left is exactly the hip line."""
    rolled = frame_from_axes(body["left_hip"] - body["right_hip"], up)
    return np.stack([rolled[..., 1], rolled[..., 0], -rolled[..., 2]], axis=-1)


def chest_frame(body: Landmarks, up: np.ndarray) -> np.ndarray:
    """Columns left, up, forward (..., 3, 3); up is exactly `up`: one raised arm lifts its shoulder, not the chest."""
    return frame_from_axes(up, body["left_shoulder"] - body["right_shoulder"])


def head_frame(body: Landmarks) -> np.ndarray:
    """Head frame (..., 3, 3) from the line of the ears and the nose."""
    ears = 0.5 * (body["left_ear"] + body["right_ear"])
    return frame_from_axes(body["left_ear"] - body["right_ear"], body["nose"] - ears)


def hand_frame(body: Landmarks, side: str) -> np.ndarray:
    """Hand frame (..., 3, 3): y from the wrist between the knuckles, x along them from index to little finger."""
    index, pinky = body[f"{side}_index"], body[f"{side}_pinky"]
    return frame_from_axes(0.5 * (index + pinky) - body[f"{side}_wrist"], pinky - index)


def carried_hinge(part: str, side: str, trunk_frame: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The bending axis (..., 3) of an "arm" or "leg" that points along `direction`, as the trunk alone suggests it.

    trunk_frame: (..., 3, 3), columns left, up, forward, of the chest or the pelvis.
    """
    ahead, hinge = (_ARM_AHEAD, _ARM_HINGE) if part == "arm" else (_THIGH_AHEAD, _KNEE_HINGE)
    if side == "right":
        # Mirrored left to right; an axis of turning is mirrored the other way round than a direction.
        ahead, hinge = ahead * [-1.0, 1.0, 1.0], hinge * [1.0, -1.0, -1.0]
    swing = quat_between(trunk_frame @ ahead, direction)
    return quat_rotate(swing, trunk_frame @ hinge)


def _across(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The part of the vectors at right angles to a unit direction, made unit."""
    return normalized(vectors - np.sum(vectors * direction, axis=-1, keepdims=True) * direction)


def _hinge(upper: np.ndarray, lower: np.ndarray, prior: np.ndarray, doubt_at: tuple[float, float]) -> np.ndarray:
    """Bending axis from the limb's own plane where it is bent, from `prior` where it is straight.

    doubt_at: cosines between the plane's axis and the prior where trust in the plane ends and where it is full:
    no joint of the body bends that way, so a plane beyond it is noise.
    """
    plane = np.cross(upper, lower)
    sine = np.linalg.norm(plane, axis=-1)
    plane, prior = normalized(plane), _across(prior, upper)
    agreement = np.sum(plane * prior, axis=-1)
    trust = (fading(sine, STRAIGHT_SINE, BENT_SINE) * fading(agreement, *doubt_at))[..., None]
    return normalized(trust * plane + (1.0 - trust) * prior)


def arm_hinge(body: Landmarks, side: str, chest: np.ndarray) -> np.ndarray:
    """Axis (..., 3) about which the elbow bends: upper arm x forearm."""
    upper, lower = body.between(f"{side}_shoulder", f"{side}_elbow"), body.between(f"{side}_elbow", f"{side}_wrist")
    return _hinge(upper, lower, carried_hinge("arm", side, chest, upper), (-0.95, -0.6))


def leg_hinge(body: Landmarks, side: str, pelvis: np.ndarray, sole: np.ndarray, sole_trust: np.ndarray) -> np.ndarray:
    """Axis (..., 3) about which the knee bends, towards the person's left: thigh x shin.

    A straight leg's knee points where its toes point, as far as the foot is known and not stretched along the leg.
    """
    upper, lower = body.between(f"{side}_hip", f"{side}_knee"), body.between(f"{side}_knee", f"{side}_ankle")
    carried = carried_hinge("leg", side, pelvis, upper)
    by_foot = np.cross(sole, lower)
    sine = np.linalg.norm(by_foot, axis=-1)
    by_foot = _across(normalized(by_foot), upper)
    agreement = np.sum(by_foot * carried, axis=-1)
    trust = (0.7 * sole_trust * fading(sine, 0.3, 0.7) * fading(agreement, 0.0, 0.5))[..., None]
    prior = trust * by_foot + (1.0 - trust) * carried
    return _hinge(upper, lower, prior, (-0.5, 0.2))


def rest_arm_hinge(body: Landmarks, side: str, axes: BodyAxes) -> np.ndarray:
    """The same axis (3,) of a rig at rest: its own bend where it has one, else the elbow bends to the front."""
    upper, lower = body.between(f"{side}_shoulder", f"{side}_elbow"), body.between(f"{side}_elbow", f"{side}_wrist")
    chest = np.stack([axes.left, axes.up, axes.forward], axis=-1)
    # The carried axis counts only for a rest pose whose arms point ahead, where "to the front" says nothing.
    prior = np.cross(upper, axes.forward) + 1e-3 * carried_hinge("arm", side, chest, upper)
    return _hinge(upper, lower, prior, (0.0, 0.5))


def rest_leg_hinge(body: Landmarks, side: str, axes: BodyAxes) -> np.ndarray:
    """The same axis (3,) of a rig at rest: its own bend where it has one, else the knee bends to the back."""
    upper, lower = body.between(f"{side}_hip", f"{side}_knee"), body.between(f"{side}_knee", f"{side}_ankle")
    return _hinge(upper, lower, np.cross(axes.forward, upper), (0.0, 0.5))
