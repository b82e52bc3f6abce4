"""Which way is up and where the floor is, from the motion alone."""

from __future__ import annotations

import numpy as np

from ..rotation import normalized
from ..skeleton import Skeleton
from .smoothing import fading

__all__ = ["CAMERA_UP_CAM", "floor_height_m", "up_direction_cam"]

CAMERA_UP_CAM = np.array([0.0, -1.0, 0.0])

# How long somebody must be seen standing until the pose says as much about "up" as the camera's own axis does.
STANDING_EVIDENCE_S = 0.2
# A body axis this far from the camera's own up is more likely a person lying down than a camera on its side.
BELIEVED_RAD, DISBELIEVED_RAD = np.deg2rad(50.0), np.deg2rad(80.0)
# The floor lies under the feet in nearly all frames; the few lower ones are errors.
FLOOR_PERCENTILE = 10.0


def _angle_rad(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.arccos(np.clip(np.sum(normalized(first) * normalized(second), axis=-1), -1.0, 1.0))


def _standing_axis(joints_cam: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """From the feet to the shoulders (T, 3), and how much the pose is that of somebody upright (T,), 0..1."""
    hips, knees, ankles = (
        joints_cam[:, skeleton.indices(f"left_{joint}", f"right_{joint}")] for joint in ("hip", "knee", "ankle")
    )
    shoulders = joints_cam[:, skeleton.indices("left_shoulder", "right_shoulder")].mean(axis=1)
    straight = fading(_angle_rad(knees - hips, ankles - knees), np.deg2rad(75.0), np.deg2rad(20.0))
    support = np.maximum(straight, 1e-3)[..., None]
    foot = np.sum(ankles * support, axis=1) / np.sum(support, axis=1)
    hip = hips.mean(axis=1)
    bent_rad = _angle_rad(shoulders - hip, hip - foot)
    return shoulders - foot, straight.max(axis=1) * fading(bent_rad, np.deg2rad(60.0), np.deg2rad(15.0))


def up_direction_cam(joints_cam: np.ndarray, skeleton: Skeleton, score: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The world's up in camera axes: the body axis of the frames in which the person stands upright.

    The less standing there is, the nearer the answer to the camera's own up.
    joints_cam: (T, J, 3) metres; score: (T, J); times_s: (T,). Returns (3,) unit.
    """
    axis, standing = _standing_axis(np.asarray(joints_cam, dtype=np.float64), skeleton)
    axis = normalized(axis)
    legs = skeleton.indices("left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle")
    seen = fading(np.median(score[:, legs], axis=1), 0.05, 0.4)
    believed = fading(_angle_rad(axis, CAMERA_UP_CAM), DISBELIEVED_RAD, BELIEVED_RAD)
    weight = standing * seen * believed
    if weight.sum() < 1e-6:
        return CAMERA_UP_CAM.copy()
    evidence_s = weight.sum() * (float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0)
    share = evidence_s / (evidence_s + STANDING_EVIDENCE_S)
    return normalized(share * _robust_mean(axis, weight) + (1.0 - share) * CAMERA_UP_CAM)


def _robust_mean(directions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean direction (3,) of unit vectors (T, 3) in which those far from the rest count little."""
    mean = normalized(np.sum(directions * weight[:, None], axis=0))
    for _ in range(10):
        apart_rad = _angle_rad(directions, mean)
        inlier = weight / (1.0 + (apart_rad / np.deg2rad(6.0)) ** 2)
        mean = normalized(np.sum(directions * inlier[:, None], axis=0))
    return mean


def floor_height_m(heights_m: np.ndarray) -> float:
    """Height of the floor under feet at these heights: jumps lie above it, a few wrong frames may lie below.

    heights_m: (T, P), the foot points of each frame.
    """
    return float(np.percentile(heights_m.min(axis=1), FLOOR_PERCENTILE))
