"""Points of the body by name, of a moving person and of a rig at rest alike, so that one code builds frames of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rotation import normalized
from ..skeleton import SIDES
from .smoothing import fading
from .world import WorldMotion

__all__ = ["BodyAxes", "Landmarks", "motion_landmarks", "rest_landmarks"]

# In a head held level the tip of the nose lies this much below the ears (capture set: 1.5 cm over 10.5 cm).
NOSE_BELOW_EARS_RAD = float(np.arctan2(1.5, 10.5))

# What a joint set may lack, and the joint that stands in for it; the stand-in gets score 0.
_STAND_INS = {
    "nose": "thorax",
    "left_ear": "thorax",
    "right_ear": "thorax",
    **{f"{side}_{joint}": f"{side}_wrist" for side in SIDES for joint in ("index", "pinky")},
    **{f"{side}_{joint}": f"{side}_ankle" for side in SIDES for joint in ("heel", "toe")},
}

# The rig's joints that are points of the body.
_JOINT_ROLES = {
    "shoulder": "upper_arm",
    "elbow": "forearm",
    "wrist": "hand",
    "hip": "thigh",
    "knee": "shin",
    "ankle": "foot",
}


@dataclass(frozen=True)
class BodyAxes:
    """The rest pose's own directions (3,), unit: to its left hand, up, and to where it faces."""

    left: np.ndarray
    up: np.ndarray
    forward: np.ndarray


@dataclass(frozen=True)
class Landmarks:
    """Points (..., 3) by name in the world, and how well each is known (...), 0..1."""

    points: dict[str, np.ndarray]
    score: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.points[name]

    def between(self, start: str, end: str) -> np.ndarray:
        """Unit direction (..., 3) from one point to another."""
        return normalized(self.points[end] - self.points[start])

    def surely(self, *names: str) -> np.ndarray:
        """How far all of these points are known (...), from 0 (hidden) to 1 (seen)."""
        return fading(np.mean([self.score[name] for name in names], axis=0), 0.05, 0.3)


def motion_landmarks(motion: WorldMotion) -> Landmarks:
    """The captured joints as landmarks (T, 3); what the joint set lacks stands on a neighbour with score 0."""
    points = {joint: motion.joints_world[:, i] for i, joint in enumerate(motion.skeleton.joints)}
    score = {joint: motion.score[:, i] for i, joint in enumerate(motion.skeleton.joints)}
    points["hip"] = 0.5 * (points["left_hip"] + points["right_hip"])
    points.setdefault("thorax", 0.5 * (points["left_shoulder"] + points["right_shoulder"]))
    points.setdefault("spine", 0.5 * (points["hip"] + points["thorax"]))
    for joint, stand_in in _STAND_INS.items():
        if joint not in points:
            points[joint], score[joint] = points[stand_in], np.zeros(len(motion.times_s))
    return Landmarks(points, score)


def rest_landmarks(heads: dict[str, np.ndarray], axes: BodyAxes) -> Landmarks:
    """The rig at rest as if it were a person standing there; heads: bone heads (3,) by role, in the world.

    What no bone marks (ears, nose, knuckles, sole) lies where it lies on someone who looks ahead with flat feet
    and palms down.
    """
    points = {f"{side}_{joint}": heads[f"{side}_{role}"] for side in SIDES for joint, role in _JOINT_ROLES.items()}
    points["hip"] = 0.5 * (points["left_hip"] + points["right_hip"])
    shoulders = 0.5 * (points["left_shoulder"] + points["right_shoulder"])
    points["thorax"] = heads.get("neck", shoulders)
    points["spine"] = 0.5 * (points["hip"] + points["thorax"])
    gaze = np.cos(NOSE_BELOW_EARS_RAD) * axes.forward - np.sin(NOSE_BELOW_EARS_RAD) * axes.up
    points["nose"] = heads["head"] + gaze
    for side, sign in (("left", 1.0), ("right", -1.0)):
        points[f"{side}_ear"] = heads["head"] + sign * axes.left
        points |= _rest_hand(heads, axes, side) | _rest_sole(heads, axes, side)
    return Landmarks(points, {name: np.array(1.0) for name in points})


def _rest_hand(heads: dict[str, np.ndarray], axes: BodyAxes, side: str) -> dict[str, np.ndarray]:
    wrist = heads[f"{side}_hand"]
    index, pinky = (heads.get(f"{side}_{finger}_knuckle") for finger in ("index", "pinky"))
    if index is None or pinky is None:
        along = normalized(wrist - heads[f"{side}_forearm"])
        index, pinky = wrist + along + 0.4 * axes.forward, wrist + along - 0.4 * axes.forward
    return {f"{side}_index": index, f"{side}_pinky": pinky}


def _rest_sole(heads: dict[str, np.ndarray], axes: BodyAxes, side: str) -> dict[str, np.ndarray]:
    ankle = heads[f"{side}_foot"]
    ahead = heads.get(f"{side}_toe", ankle + axes.forward) - ankle
    level = ahead - (ahead @ axes.up) * axes.up
    # A toe bone right under the ankle says nothing about where the foot points.
    if np.linalg.norm(level) < 0.3 * np.linalg.norm(ahead) or level @ axes.forward < 0:
        level = axes.forward
    return {f"{side}_heel": ankle, f"{side}_toe": ankle + level}
