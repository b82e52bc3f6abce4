"""Which way is up and where the floor is, from the motion alone."""

from __future__ import annotations

import numpy as np

from ..rotation import normalized
from ..skeleton import Skeleton
from .contacts import FOOT_POINTS
from .smoothing import fading

__all__ = ["CAMERA_UP_CAM", "floor_height_m", "levelled_by_feet", "up_direction_cam", "up_error_rad"]

CAMERA_UP_CAM = np.array([0.0, -1.0, 0.0])

# How long somebody must be seen standing until the pose says as much about "up" as the camera's own axis does.
STANDING_EVIDENCE_S = 0.2
# A body axis this far from the camera's own up is more likely a person lying down or on hands and feet than a camera on
# its side.
BELIEVED_RAD, DISBELIEVED_RAD = np.deg2rad(30.0), np.deg2rad(50.0)
# How far off the pose's own "up" and the height of a standing foot are, and for how long a foot must stand to count
# once: the longer it is, the less standing on one spot weighs. A shorter clip counts once as a whole.
UP_ERROR_RAD, FOOT_ERROR_M, FOOTING_S = 0.08, 0.06, 2.0
# How cameras are held: hardly ever on their side, but looking down or up. So far off is the camera's own "up".
ROLL_RAD, PITCH_RAD = 0.05, 0.2
# A foot so far off the floor that the others lie on counts a quarter, as on a step or a chair; at first, while the
# floor's slope is not known, much less strictly.
STEPS_M = (1.0, 0.5, 0.3, 0.15, 0.08, 0.08)
# Where one end of a foot is so much above the other it does not touch the floor, and where it may.
TIPTOE_M = (0.14, 0.06)
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
    axis, weight, share = _upright(joints_cam, skeleton, score, times_s)
    if weight.sum() < 1e-6:
        return CAMERA_UP_CAM.copy()
    return normalized(share * _robust_mean(axis, weight) + (1.0 - share) * CAMERA_UP_CAM)


def up_error_rad(
    joints_cam: np.ndarray, skeleton: Skeleton, score: np.ndarray, times_s: np.ndarray
) -> tuple[float, float]:
    """How far off `up_direction_cam` is, given the same: to the camera's side, and ahead of it."""
    share = _upright(joints_cam, skeleton, score, times_s)[2]
    return share * UP_ERROR_RAD + (1.0 - share) * ROLL_RAD, share * UP_ERROR_RAD + (1.0 - share) * PITCH_RAD


def _upright(
    joints_cam: np.ndarray, skeleton: Skeleton, score: np.ndarray, times_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """The body's axis (T, 3), how much it says of "up" (T,), and how much all of it beside the camera's, 0..1."""
    axis, standing = _standing_axis(np.asarray(joints_cam, dtype=np.float64), skeleton)
    axis = normalized(axis)
    legs = skeleton.indices("left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle")
    seen = fading(np.median(score[:, legs], axis=1), 0.05, 0.4)
    believed = fading(_angle_rad(axis, CAMERA_UP_CAM), DISBELIEVED_RAD, BELIEVED_RAD)
    weight = standing * seen * believed
    evidence_s = weight.sum() * (float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0)
    return axis, weight, float(evidence_s / (evidence_s + STANDING_EVIDENCE_S))


def _robust_mean(directions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean direction (3,) of unit vectors (T, 3) in which those far from the rest count little."""
    mean = normalized(np.sum(directions * weight[:, None], axis=0))
    for _ in range(10):
        apart_rad = _angle_rad(directions, mean)
        inlier = weight / (1.0 + (apart_rad / np.deg2rad(6.0)) ** 2)
        mean = normalized(np.sum(directions * inlier[:, None], axis=0))
    return mean


def levelled_by_feet(
    up_cam: np.ndarray,
    contacts_cam: np.ndarray,
    standing: np.ndarray,
    times_s: np.ndarray,
    error_rad: tuple[float, float] = (UP_ERROR_RAD, UP_ERROR_RAD),
) -> np.ndarray:
    """`up_cam`, turned as far as what stood in several places says that the floor is not level to it.

    The plane through the standing feet and hands, steps and chairs left out, weighed against what the pose said.
    up_cam: (3,) unit; contacts_cam: (T, P, 3) metres, heels and toes, then palms; standing: (T, P), 0..1; times_s:
    (T,); error_rad: how far off `up_cam` is to the camera's side and ahead. Returns (3,) unit.
    """
    if len(times_s) < 2:
        return up_cam
    side = normalized(np.cross(up_cam, [0.0, 0.0, 1.0] if abs(up_cam[2]) < 0.9 else [1.0, 0.0, 0.0]))
    axes = np.stack([side, np.cross(up_cam, side), up_cam])
    feet = contacts_cam.reshape(-1, 3) @ axes.T
    footing_s = min(FOOTING_S, float(times_s[-1] - times_s[0]))
    weight = (_once_a_foot(standing, contacts_cam @ up_cam) * np.gradient(times_s)[:, None] / footing_s).ravel()
    if weight.sum() < 1e-6:
        return up_cam
    slope, inlier = np.zeros(2), np.ones_like(weight)
    for step_m in STEPS_M:
        trust = weight * inlier
        apart = feet - np.average(feet, axis=0, weights=trust)
        spread = np.einsum("i,ij,ik->jk", trust, apart[:, :2], apart[:, :2]) / FOOT_ERROR_M**2
        rise = np.einsum("i,ij,i->j", trust, apart[:, :2], apart[:, 2]) / FOOT_ERROR_M**2
        slope = np.linalg.solve(spread + np.diag(1.0 / np.square(error_rad)), rise)
        inlier = 1.0 / (1.0 + ((apart[:, 2] - apart[:, :2] @ slope) / step_m) ** 2) ** 2
    return normalized(np.array([*-slope, 1.0])) @ axes


def _once_a_foot(standing: np.ndarray, heights_m: np.ndarray) -> np.ndarray:
    """`standing` (T, P) as contacts of the floor, heels and toes first.

    Those that stand together count one half each, as they say the same; where one is well above the other, as of feet
    on tiptoe, only the lower touches the floor. heights_m: (T, P).
    """
    counts = standing.copy()
    for foot in range(0, len(FOOT_POINTS), 2):
        above_m = heights_m[:, foot] - heights_m[:, foot + 1]
        both = counts[:, foot : foot + 2]
        both *= fading(np.stack([above_m, -above_m], axis=1), *TIPTOE_M)
        both *= (both.max(axis=1) / np.maximum(both.sum(axis=1), 1e-9))[:, None]
    return counts


def floor_height_m(heights_m: np.ndarray) -> float:
    """Height of the floor under feet at these heights: jumps lie above it, a few wrong frames may lie below.

    heights_m: (T, P), what is on the floor in each frame; infinite what is not.
    """
    return float(np.percentile(heights_m.min(axis=1), FLOOR_PERCENTILE))
