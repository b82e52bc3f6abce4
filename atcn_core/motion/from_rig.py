"""A skeleton in motion as a person's joints, which the solver takes: of BVH files and animated rigs. No Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import MotionError
from ..skeleton import CAPTURE, SIDES
from .ground import floor_height_m
from .landmarks import BodyAxes, rest_landmarks
from .rig_rest import RigRest, rest_axes
from .rigmap import TRUNK_ROLES, RigMap
from .world import WorldMotion

__all__ = ["RigMotion", "joints_of_rig", "trimmed"]

# The leg, hip to ankle, of the person that the lengths below belong to; others have them in proportion.
_LEG_M = 0.83
# What skeletons are measured in, in metres: metres, inches, centimetres, millimetres, CMU's ASF unit (inches / 0.45);
# and the heights between which a unit may make a person.
_UNITS_M = (1.0, 0.0254, 0.01, 0.001, 0.0254 / 0.45)
_GROWN_M, _SMALLEST_M, _TALLEST_M = 1.7, 0.5, 2.5
# The face around the head's joint: ear beside it and nose before it. What `rest_landmarks` gives are directions.
_EAR_M, _NOSE_M = 0.075, 0.11
_KNUCKLES_M = 0.085
# The sole under the ankle: how far below it lies, and heel and toe behind and before it.
_SOLE_BELOW_M, _HEEL_BEHIND_M, _TOE_AHEAD_M = 0.065, 0.05, 0.165
# The bone that carries each joint; what a bone's head is itself, follows from the bone in any case.
_CARRIERS = {
    **dict.fromkeys(("nose", "left_ear", "right_ear", "head"), "head"),
    **{
        f"{side}_{joint}": f"{side}_{role}"
        for side in SIDES
        for joint, role in (
            *(("shoulder", "upper_arm"), ("elbow", "forearm"), ("wrist", "hand"), ("index", "hand"), ("pinky", "hand")),
            *(("hip", "thigh"), ("knee", "shin"), ("ankle", "foot"), ("heel", "foot"), ("toe", "foot")),
        )
    },
}
_FEET = tuple(f"{side}_{joint}" for side in SIDES for joint in ("heel", "toe"))


@dataclass(frozen=True)
class RigMotion:
    """A skeleton in motion, in Blender's world: z up, in any unit.

    rest:        the skeleton at rest: somebody who stands and looks ahead, palms down or to the thighs.
    times_s:     (T,) float64, strictly increasing.
    heads:       (T, B, 3) float64, the bones' heads, in the order of rest.names.
    turns:       (T, B, 3, 3) float64 rotations, how far each bone has turned from its rest, in world axes.
    """

    rest: RigRest
    times_s: np.ndarray
    heads: np.ndarray
    turns: np.ndarray

    def __post_init__(self) -> None:
        shape = (len(self.times_s), len(self.rest.names))
        if self.heads.shape != (*shape, 3) or self.turns.shape != (*shape, 3, 3):
            raise ValueError(f"heads {self.heads.shape} and turns {self.turns.shape} for {shape}")


def joints_of_rig(moving: RigMotion, rig_map: RigMap) -> WorldMotion:
    """The capture joints (T, 27, 3) of a skeleton in motion, feet on z = 0, hip over the origin in the first frame.

    The unit is guessed from the size of the body. Limb joints are where the bones' heads are; face, knuckles, soles
    and the middle of the back go along with the bone they lie on.
    Raises RigError where bones are missing, MotionError where nothing moves: a single frame.
    """
    if len(moving.times_s) < 2:
        raise MotionError("There is only one frame, and so no movement.", hint="Choose another motion.")
    rig_map.require(moving.rest.names, rig_map.name or "of this motion")
    heads = {role: moving.rest.head_world(bone) for role, bone in rig_map.bones.items()}
    axes = rest_axes(heads, moving.rest)
    at_rest = _lifelike(rest_landmarks(heads, axes).points, heads, axes)
    paths = {joint: _carried(moving, rig_map, role, at_rest[joint]) for joint, role in _CARRIERS.items()}
    paths["hip"] = 0.5 * (paths["left_hip"] + paths["right_hip"])
    paths["thorax"] = (
        _path(moving, rig_map.bones["neck"])
        if "neck" in rig_map.bones
        else 0.5 * (paths["left_shoulder"] + paths["right_shoulder"])
    )
    paths["spine"] = _carried(moving, rig_map, _role_at(at_rest["spine"], heads, axes), at_rest["spine"])
    joints = np.stack([paths[joint] for joint in CAPTURE.joints], axis=1)
    floor_m = floor_height_m(np.stack([paths[joint][:, 2] for joint in _FEET], axis=1))
    joints = _unit_m(_leg_length(heads)) * (joints - np.array([*paths["hip"][0, :2], floor_m]))
    return WorldMotion(moving.times_s, CAPTURE, joints, np.ones(joints.shape[:2]))


def trimmed(motion: WorldMotion, start_s: float | None, end_s: float | None) -> WorldMotion:
    """The part of a motion from `start_s` on and before `end_s`, in seconds from its first frame; None: no bound.

    Raises MotionError where fewer than two frames are left.
    """
    since_s = motion.times_s - motion.times_s[0]
    # a frame that a rounded time means still counts
    kept = (since_s >= (start_s or 0.0) - 1e-6) & (since_s < (np.inf if end_s is None else end_s - 1e-6))
    if kept.sum() < 2:
        raise MotionError(
            f"The motion has no such part: it is {since_s[-1]:.2f} s long.", hint="Correct the start and the end."
        )
    hands = motion.hands.at(kept) if motion.hands is not None else None
    return WorldMotion(
        motion.times_s[kept], motion.skeleton, motion.joints_world[kept], motion.score[kept], hands=hands
    )


def _leg_length(heads: dict[str, np.ndarray]) -> float:
    """Mean length of the legs from hip to ankle, in the unit of the heads (3,) by role."""
    lengths = [
        np.linalg.norm(heads[f"{side}_shin"] - heads[f"{side}_thigh"])
        + np.linalg.norm(heads[f"{side}_foot"] - heads[f"{side}_shin"])
        for side in SIDES
    ]
    return float(np.mean(lengths))


def _unit_m(leg: float) -> float:
    """What a skeleton's lengths count in, in metres: the usual unit that makes the body most human.

    leg: the leg's length in that unit. Where no usual unit gives a possible height, the leg is a grown person's.
    """
    grown = max(leg, 1e-12) * _GROWN_M / _LEG_M
    possible = [unit for unit in _UNITS_M if _SMALLEST_M <= grown * unit <= _TALLEST_M]
    return min(possible, key=lambda unit: abs(np.log(grown * unit / _GROWN_M)), default=_GROWN_M / grown)


def _lifelike(points: dict[str, np.ndarray], heads: dict[str, np.ndarray], axes: BodyAxes) -> dict[str, np.ndarray]:
    """Landmarks at rest with face, hands and soles in the proportions of a body, where they were directions."""
    scale = _leg_length(heads) / _LEG_M
    near = dict(points)
    head = heads["head"]
    near["head"] = head + 0.18 * scale * axes.up
    near["nose"] = head + _NOSE_M * scale * (points["nose"] - head)
    for side in SIDES:
        near[f"{side}_ear"] = head + _EAR_M * scale * (points[f"{side}_ear"] - head)
        wrist, ankle = points[f"{side}_wrist"], points[f"{side}_ankle"]
        if f"{side}_index_knuckle" not in heads or f"{side}_pinky_knuckle" not in heads:
            for finger in ("index", "pinky"):
                near[f"{side}_{finger}"] = wrist + _KNUCKLES_M * scale * (points[f"{side}_{finger}"] - wrist)
        ahead = points[f"{side}_toe"] - ankle
        ahead = ahead / np.linalg.norm(ahead)
        below = ankle - _SOLE_BELOW_M * scale * axes.up
        near[f"{side}_heel"] = below - _HEEL_BEHIND_M * scale * ahead
        near[f"{side}_toe"] = below + _TOE_AHEAD_M * scale * ahead
    return near


def _role_at(point: np.ndarray, heads: dict[str, np.ndarray], axes: BodyAxes) -> str:
    """The trunk's bone that a point (3,) of the back at rest lies on: the highest one that begins below it."""
    below = [role for role in TRUNK_ROLES if role in heads and (point - heads[role]) @ axes.up >= 0.0]
    return below[-1] if below else "hips"


def _path(moving: RigMotion, bone: str) -> np.ndarray:
    return moving.heads[:, moving.rest.names.index(bone)]


def _carried(moving: RigMotion, rig_map: RigMap, role: str, at_rest: np.ndarray) -> np.ndarray:
    """Path (T, 3) of a point that is (3,) at rest and moves along with a role's bone."""
    bone = rig_map.bones[role]
    turn = moving.turns[:, moving.rest.names.index(bone)]
    return _path(moving, bone) + turn @ (at_rest - moving.rest.head_world(bone))
