"""From camera axes into Blender's world: upright, feet on the floor, starting at the origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D
from ..errors import MotionError
from ..rotation import normalized
from ..skeleton import LIMB_12, Skeleton
from .ground import CAMERA_UP_CAM, floor_height_m, up_direction_cam

__all__ = ["WorldMotion", "to_world", "world_from_cam"]

# Points of the foot that touch the floor; where a skeleton has none of them, its ankles stand in.
_FLOOR_JOINTS = ("left_heel", "left_toe", "right_heel", "right_toe")
_ANKLES = ("left_ankle", "right_ankle")
_ANKLE_HEIGHT_M = 0.08


@dataclass(frozen=True)
class WorldMotion:
    """One person's joints in Blender's world over a clip.

    times_s:      (T,)      float64, strictly increasing.
    joints_world: (T, J, 3) float64, metres, z up, floor at z = 0.
    score:        (T, J)    0..1; 0 where a joint was not seen but filled in.
    """

    times_s: np.ndarray
    skeleton: Skeleton
    joints_world: np.ndarray
    score: np.ndarray

    def __post_init__(self) -> None:
        frames, joints = len(self.times_s), len(self.skeleton)
        if self.joints_world.shape != (frames, joints, 3):
            raise ValueError(f"joints_world has shape {self.joints_world.shape}, expected {(frames, joints, 3)}")
        if self.score.shape != (frames, joints):
            raise ValueError(f"score has shape {self.score.shape}, expected {(frames, joints)}")
        if not np.isfinite(self.joints_world).all():
            raise ValueError("joints_world must be finite")

    def points(self, joint: str) -> np.ndarray:
        """One joint's path (T, 3)."""
        return self.joints_world[:, self.skeleton.index(joint)]


def world_from_cam(up_cam: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) into a world whose z is `up_cam` and whose y is the camera's view without its tilt."""
    forward_cam = np.array([0.0, 0.0, 1.0])
    # A camera that looks straight down has no level view; the top of its picture takes that part.
    ahead = forward_cam if abs(up_cam[2]) < 0.99 else CAMERA_UP_CAM * -np.sign(up_cam[2])
    y = normalized(ahead - (ahead @ up_cam) * up_cam)
    return np.stack([np.cross(y, up_cam), y, up_cam])


def to_world(motion: Motion3D | WorldMotion) -> WorldMotion:
    """The motion upright in Blender's world, feet on z = 0, hip over the origin in the first frame.

    Who faces the camera faces -y. What is in the world already stays as it is.
    Raises MotionError where the joint set lacks a limb joint.
    """
    if isinstance(motion, WorldMotion):
        return motion
    missing = sorted(set(LIMB_12) - set(motion.skeleton.joints))
    if missing:
        raise MotionError(
            f"The motion has no {', '.join(missing)}.", hint="Retargeting needs shoulders, elbows, wrists and legs."
        )
    joints_cam = motion.joints_cam.astype(np.float64)
    turn = world_from_cam(up_direction_cam(joints_cam, motion.skeleton, motion.score, motion.times_s))
    joints = (joints_cam + motion.root_cam[:, None].astype(np.float64)) @ turn.T
    floor_joints = [joint for joint in _FLOOR_JOINTS if joint in motion.skeleton.joints]
    heights_m = joints[:, motion.skeleton.indices(*(floor_joints or _ANKLES)), 2]
    floor_m = floor_height_m(heights_m) - (0.0 if floor_joints else _ANKLE_HEIGHT_M)
    hip = joints[0, motion.skeleton.indices("left_hip", "right_hip")].mean(axis=0)
    joints -= np.array([hip[0], hip[1], floor_m])
    return WorldMotion(motion.times_s, motion.skeleton, joints, motion.score.astype(np.float64))
