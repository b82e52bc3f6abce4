"""What travels between stages: shapes are checked, files come back as they were, nothing is half-written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import (
    Keypoints2D,
    Motion3D,
    load_keypoints,
    load_motion,
    save_keypoints,
    save_motion,
    to_capture,
)
from atcn_core.errors import AtcnError, KeypointsError, MotionError, OutputError
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics, cam_to_px, px_to_ray
from atcn_core.skeleton import CAPTURE, COCO_17, MEDIAPIPE_33


def keypoints(frames: int = 5) -> Keypoints2D:
    rng = np.random.default_rng(0)
    xy_px = rng.uniform(0, 400, (frames, 33, 2)).astype(np.float32)
    score = rng.uniform(0.1, 1, (frames, 33)).astype(np.float32)
    score[2, 4], xy_px[2, 4] = 0.0, np.nan
    return Keypoints2D(MEDIAPIPE_33, np.arange(frames) / 30.0, 30.0, (640, 480), xy_px, score)


def motion(frames: int = 5) -> Motion3D:
    rng = np.random.default_rng(0)
    joints_cam = rng.normal(size=(frames, 27, 3)).astype(np.float32)
    root_cam = rng.normal(size=(frames, 3)).astype(np.float32)
    score = np.ones((frames, 27), np.float32)
    camera = Intrinsics.assumed((640, 480))
    return Motion3D(CAPTURE, np.arange(frames) / 30.0, 30.0, (640, 480), joints_cam, root_cam, score, camera)


def test_keypoints_come_back_as_they_were(tmp_path: Path) -> None:
    save_keypoints(tmp_path / "k.npz", keypoints())
    again = load_keypoints(tmp_path / "k.npz")
    assert again.skeleton is MEDIAPIPE_33
    assert again.image_wh_px == (640, 480)
    assert np.array_equal(again.xy_px, keypoints().xy_px, equal_nan=True)
    assert np.array_equal(again.score, keypoints().score)


def test_motion_comes_back_as_it_was(tmp_path: Path) -> None:
    save_motion(tmp_path / "m.npz", motion())
    again = load_motion(tmp_path / "m.npz")
    assert again.camera == motion().camera
    assert np.array_equal(again.joints_cam, motion().joints_cam)
    assert np.array_equal(again.root_cam, motion().root_cam)


def test_the_files_hold_their_arrays_by_name_for_other_programs(tmp_path: Path) -> None:
    save_motion(tmp_path / "m.npz", motion())
    with np.load(tmp_path / "m.npz", allow_pickle=False) as stored:
        assert {"schema", "joint_names", "times_s", "joints_cam", "root_cam", "score", "fps", "image_wh_px"} <= set(
            stored.files
        )


@pytest.mark.parametrize(
    "change",
    [
        {"xy_px": np.zeros((5, 32, 2))},
        {"score": np.zeros((4, 33))},
        {"times_s": np.array([0.0, 0.1, 0.1, 0.2, 0.3])},
        {"xy_px": np.full((5, 33, 2), np.nan, np.float32)},
    ],
)
def test_keypoints_of_wrong_form_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match=r"shape|increase|finite"):
        replace(keypoints(), **change)


@pytest.mark.parametrize("change", [{"joints_cam": np.full((5, 27, 3), np.nan)}, {"root_cam": np.zeros((5, 2))}])
def test_motion_of_wrong_form_is_refused(change: dict) -> None:
    with pytest.raises(ValueError, match=r"shape|finite"):
        replace(motion(), **change)


def _written(path: Path, kind: str) -> Path:
    if kind == "text":
        path.write_text("no archive")
    elif kind == "empty":
        path.touch()
    elif kind == "other schema":
        np.savez(path, schema=np.array("something.else/9"))
    elif kind == "truncated":
        save_keypoints(path, keypoints())
        path.write_bytes(path.read_bytes()[:-200])
    elif kind == "array missing":
        np.savez(path, schema=np.array("atcn.keypoints2d/1"), times_s=np.zeros(1))
    return path


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "other schema", "truncated", "array missing"])
def test_a_file_that_is_no_keypoint_file_is_told_in_words(tmp_path: Path, kind: str) -> None:
    with pytest.raises(KeypointsError) as caught:
        load_keypoints(_written(tmp_path / "clip.npz", kind))
    assert "clip.npz" in caught.value.message
    assert caught.value.hint


def test_a_keypoint_file_is_no_motion_file(tmp_path: Path) -> None:
    save_keypoints(tmp_path / "k.npz", keypoints())
    with pytest.raises(MotionError, match="keypoints2d"):
        load_motion(tmp_path / "k.npz")


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        save_motion(tmp_path / "file" / "m.npz", motion())
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_no_half_file() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(AtcnError):
        save_motion(full / "m.npz", motion())


def test_the_capture_set_takes_joints_by_name_and_makes_the_hip() -> None:
    clip = keypoints()
    capture = to_capture(clip)
    for joint in ("nose", "left_wrist", "right_toe"):
        assert np.array_equal(capture.xy_px[:, CAPTURE.index(joint)], clip.xy_px[:, MEDIAPIPE_33.index(joint)])
    hips = clip.xy_px[:, MEDIAPIPE_33.indices("left_hip", "right_hip")]
    assert np.allclose(capture.xy_px[:, CAPTURE.index("hip")], hips.mean(axis=1))
    assert (capture.score[:, CAPTURE.index("spine")] == 0).all()
    assert np.isnan(capture.xy_px[:, CAPTURE.index("spine")]).all()


def test_joints_that_a_set_lacks_are_not_seen() -> None:
    coco = Keypoints2D(
        COCO_17, np.arange(2) / 30.0, 30.0, (64, 48), np.ones((2, 17, 2), np.float32), np.ones((2, 17), np.float32)
    )
    capture = to_capture(coco)
    assert (capture.score[:, CAPTURE.indices("left_toe", "right_index")] == 0).all()


def test_projection_and_rays_are_each_others_inverse() -> None:
    camera = Intrinsics.assumed((1080, 1920))
    points_cam = np.array([[0.3, -0.2, 3.0], [-1.0, 0.5, 6.0]])
    rays = px_to_ray(cam_to_px(points_cam, camera), camera)
    assert np.allclose(rays, points_cam[:, :2] / points_cam[:, 2:])


def test_the_assumed_camera_spans_its_angle_over_the_longer_side() -> None:
    camera = Intrinsics.assumed((1080, 1920), np.deg2rad(60.0))
    assert np.rad2deg(2 * np.arctan(960 / camera.focal_px)) == pytest.approx(60.0)


def test_a_level_camera_looks_along_world_y_with_up_up() -> None:
    assert np.allclose(WORLD_FROM_CAM @ [0, 0, 1], [0, 1, 0])
    assert np.allclose(WORLD_FROM_CAM @ [0, -1, 0], [0, 0, 1])
    assert np.linalg.det(WORLD_FROM_CAM) == pytest.approx(1.0)
