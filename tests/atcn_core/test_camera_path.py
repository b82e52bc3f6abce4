"""What is known of a camera goes into a motion file and comes back; nonsense is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from atcn_core.camera_path import CameraPath, VideoCamera
from atcn_core.clip import Motion3D, load_motion, save_motion
from atcn_core.frames import Intrinsics
from atcn_core.skeleton import CAPTURE


def motion_of(frames: int) -> Motion3D:
    shape = (frames, len(CAPTURE))
    return Motion3D(
        CAPTURE,
        np.arange(frames) / 30.0,
        30.0,
        (640, 480),
        np.zeros((*shape, 3), np.float32),
        np.ones((frames, 3), np.float32),
        np.ones(shape, np.float32),
        Intrinsics.assumed((640, 480)),
    )


def test_the_camera_comes_back_from_the_file(tmp_path: Path) -> None:
    turns = Rotation.from_rotvec(np.outer(np.arange(5) * 0.1, [0.0, 1.0, 0.0])).as_matrix()
    camera = VideoCamera("turning", "It turns.", CameraPath(turns, np.linspace(1.0, 1.2, 5)))
    save_motion(tmp_path / "m.npz", replace(motion_of(5), video_camera=camera))
    read = load_motion(tmp_path / "m.npz").video_camera
    assert read is not None
    assert read.path is not None
    assert (read.kind, read.note) == ("turning", "It turns.")
    np.testing.assert_array_equal(read.path.first_from_cam, turns)
    np.testing.assert_array_equal(read.path.zoom, camera.path.zoom if camera.path else None)


def test_a_file_without_a_camera_has_none_and_one_without_a_path_too(tmp_path: Path) -> None:
    save_motion(tmp_path / "m.npz", motion_of(3))
    assert load_motion(tmp_path / "m.npz").video_camera is None
    save_motion(tmp_path / "m.npz", replace(motion_of(3), video_camera=VideoCamera("still", "It stands.")))
    assert load_motion(tmp_path / "m.npz").video_camera == VideoCamera("still", "It stands.")


def test_how_far_a_camera_is_turned() -> None:
    path = CameraPath(Rotation.from_rotvec(np.outer([0.0, 0.3, -1.0], [0.0, 1.0, 0.0])).as_matrix(), np.ones(3))
    assert path.turned_rad == pytest.approx([0.0, 0.3, 1.0])
    assert not CameraPath.still(4).turned_rad.any()


def test_paths_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        CameraPath(np.eye(3)[None], np.ones(2))
    with pytest.raises(ValueError, match="above 0"):
        CameraPath(np.tile(np.eye(3), (2, 1, 1)), np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="none of"):
        VideoCamera("flying", "")
    with pytest.raises(ValueError, match="zoom"):
        replace(motion_of(3), video_camera=VideoCamera("turning", "", CameraPath.still(2)))
