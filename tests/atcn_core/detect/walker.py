"""A made-up person who walks on the spot and waves, as 2D keypoints with every joint's place known."""

from __future__ import annotations

import numpy as np

from atcn_core.clip import Keypoints2D
from atcn_core.skeleton import CAPTURE, Skeleton, mirrored_name

# Metres: sideways (the person's left is positive; shoulders wider than hips), and down from the hips.
_STANDING = {
    "hip": (0.0, 0.0),
    "spine": (0.0, -0.25),
    "thorax": (0.0, -0.5),
    "nose": (0.0, -0.7),
    "head": (0.0, -0.85),
    "left_ear": (0.08, -0.72),
    "left_shoulder": (0.18, -0.5),
    "left_elbow": (0.25, -0.2),
    "left_wrist": (0.28, 0.05),
    "left_index": (0.28, 0.14),
    "left_pinky": (0.25, 0.13),
    "left_hip": (0.1, 0.0),
    "left_knee": (0.11, 0.42),
    "left_ankle": (0.12, 0.84),
    "left_heel": (0.13, 0.9),
    "left_toe": (0.16, 0.92),
}
# How far each part swings, in metres across the picture, and the phase of its side.
_SWING = {
    "knee": 0.12,
    "ankle": 0.3,
    "heel": 0.3,
    "toe": 0.3,
    "elbow": 0.12,
    "wrist": 0.3,
    "index": 0.35,
    "pinky": 0.35,
}

PX_PER_M = 300.0
SIZE_WH_PX = (800, 800)


def walking_px(times_s: np.ndarray, *, turned_rad: float = 0.0, steps_hz: float = 0.9) -> np.ndarray:
    """(T, J, 2) px of the capture joints. turned_rad: 0 seen from the front, pi / 2 in profile, where limbs cross."""
    phase = 2.0 * np.pi * steps_hz * times_s
    places = np.empty((len(times_s), len(CAPTURE), 2))
    for index, joint in enumerate(CAPTURE.joints):
        left = not joint.startswith("right_")
        across, down = _STANDING[joint if joint in _STANDING else mirrored_name(joint)]
        part = joint.split("_")[-1]
        side = (1.0 if left else -1.0) * (-1.0 if part in ("elbow", "wrist", "index", "pinky") else 1.0)
        swing = _SWING.get(part, 0.0) * side * np.sin(phase)
        places[:, index, 0] = across * (1.0 if left else -1.0) * np.cos(turned_rad) + swing * np.sin(turned_rad)
        places[:, index, 1] = down - 0.6 * swing**2 + 0.02 * np.sin(2.0 * phase)
    return 400.0 + PX_PER_M * places


def keypoints_of(xy_px: np.ndarray, times_s: np.ndarray, skeleton: Skeleton = CAPTURE) -> Keypoints2D:
    """All joints surely seen."""
    fps = 1.0 / float(np.median(np.diff(times_s))) if len(times_s) > 1 else 30.0
    score = np.ones(xy_px.shape[:2], dtype=np.float32)
    return Keypoints2D(skeleton, times_s, fps, SIZE_WH_PX, xy_px.astype(np.float32), score)
