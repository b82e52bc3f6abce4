"""Somebody who stands still before a turning camera stands still in the calm one's picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from atcn_core.camera.compensate import STILL_WITHIN_RAD, calmed, in_first_axes
from atcn_core.camera_path import CameraPath
from atcn_core.clip import Keypoints2D
from atcn_core.frames import Intrinsics, cam_to_px, px_to_ray
from atcn_core.skeleton import CAPTURE

LENS = Intrinsics(800.0, (500.0, 400.0))
TIMES_S = np.arange(90) / 30.0


def yawed(angles_rad: np.ndarray, zoom: np.ndarray | float = 1.0) -> CameraPath:
    turns = Rotation.from_rotvec(np.outer(angles_rad, [0.0, 1.0, 0.1])).as_matrix()
    return CameraPath(turns, np.ones(len(turns)) * zoom)


def seen(points_first: np.ndarray, path: CameraPath) -> Keypoints2D:
    """Points (T, J, 3) as the turning camera has them in its picture."""
    framed = points_first @ path.first_from_cam
    xy_px = framed[..., :2] / framed[..., 2:] * (LENS.focal_px * path.zoom)[:, None, None] + LENS.centre_px
    score = np.ones(framed.shape[:2], np.float32)
    return Keypoints2D(CAPTURE, TIMES_S, 30.0, (1000, 800), xy_px.astype(np.float32), score)


def standing(place: tuple[float, float, float]) -> np.ndarray:
    body = np.random.default_rng(1).normal(0.0, 0.4, (len(CAPTURE), 3))
    return np.tile(body + place, (len(TIMES_S), 1, 1))


def test_within_reach_the_calm_camera_is_the_first_frame_s() -> None:
    path = yawed(0.3 * np.sin(TIMES_S), 1.0 + 0.1 * TIMES_S)
    points = standing((0.5, 0.0, 4.0))
    calm = calmed(seen(points, path), path, LENS)
    assert calm.first_from_calm is None
    np.testing.assert_allclose(calm.keypoints.xy_px, cam_to_px(points, LENS), atol=0.05)


def test_a_camera_that_turns_far_is_followed_slowly() -> None:
    path = yawed(2.0 * TIMES_S / TIMES_S[-1])
    assert path.turned_rad.max() > STILL_WITHIN_RAD
    middle = Rotation.from_matrix(path.first_from_cam).apply([0.0, 0.0, 4.0])
    points = standing((0.0, 0.0, 0.0)) * 0.5 + middle[:, None]
    calm = calmed(seen(points, path), path, LENS)
    assert calm.first_from_calm is not None
    assert (calm.keypoints.score == 1).all()
    rays = np.concatenate([px_to_ray(calm.keypoints.xy_px, LENS), np.ones((*points.shape[:2], 1))], axis=2)
    there = in_first_axes(rays, calm.first_from_calm)
    np.testing.assert_allclose(
        there / np.linalg.norm(there, axis=2, keepdims=True),
        points / np.linalg.norm(points, axis=2, keepdims=True),
        atol=1e-4,
    )
    # and it never looks far from where the real one does
    apart = Rotation.from_matrix(calm.first_from_calm.transpose(0, 2, 1) @ path.first_from_cam).magnitude()
    assert np.degrees(apart).max() < 40


def test_joints_that_were_not_seen_stay_so_and_behind_there_is_nothing() -> None:
    path = yawed(np.where(TIMES_S < 1.5, 0.0, 0.2))
    keypoints = seen(standing((0.0, 0.0, 4.0)), path)
    keypoints.score[5, 3] = 0.0
    keypoints.xy_px[5, 3] = np.nan
    calm = calmed(keypoints, path, LENS).keypoints
    assert calm.score[5, 3] == 0
    assert np.isnan(calm.xy_px[5, 3]).all()
    # 89 degrees to the side of the picture, turned 12 degrees further: behind the camera
    keypoints.xy_px[60, 4] = [LENS.centre_px[0] + LENS.focal_px * np.tan(np.deg2rad(89.0)), 400.0]
    assert calmed(keypoints, path, LENS).keypoints.score[60, 4] == 0


def test_points_stay_as_they_are_without_turns() -> None:
    points = standing((0.0, 0.0, 3.0))
    assert in_first_axes(points, None) is points


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_clips(frames: int) -> None:
    path = CameraPath(yawed(np.array([0.0, 1.0])).first_from_cam[:frames], np.ones(frames))
    short = Keypoints2D(
        CAPTURE,
        TIMES_S[:frames],
        30.0,
        (1000, 800),
        np.full((frames, len(CAPTURE), 2), 500.0, np.float32),
        np.ones((frames, len(CAPTURE)), np.float32),
    )
    assert np.isfinite(calmed(short, path, LENS).keypoints.xy_px).all()
