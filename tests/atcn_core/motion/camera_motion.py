"""Motions before a camera, made up or of the tests' person."""

import numpy as np

from atcn_core.clip import Motion3D
from atcn_core.frames import Intrinsics
from atcn_core.skeleton import CAPTURE
from tests.moving_person import dancing


def before_camera(joints_cam, fps=30.0, score=None, times_s=None):
    """joints_cam (T, J, 3) in metres, with the hip's way in them, as a capture."""
    root = joints_cam[:, 0].copy()
    frames = len(joints_cam)
    return Motion3D(
        CAPTURE,
        np.arange(frames) / fps if times_s is None else times_s,
        fps,
        (640, 480),
        (joints_cam - root[:, None]).astype(np.float64),
        root,
        np.ones((frames, len(CAPTURE))) if score is None else score,
        Intrinsics.assumed((640, 480)),
    )


def placed(motion):
    """All joints before the camera (T, J, 3)."""
    return motion.joints_cam + motion.root_cam[:, None]


def dancer(seconds=None):
    """The tests' person in camera axes, four metres away."""
    person = dancing()
    world = person.joints_world if seconds is None else person.joints_world[: round(30 * seconds)]
    return before_camera(
        world[..., [0, 2, 1]] * [1.0, -1.0, 1.0] + [0.0, 1.0, 4.0], times_s=person.times_s[: len(world)]
    )
