"""Human3.6M and HumanEva in VideoPose3D's layout, on small made-up files of that form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from atcn_core.errors import MotionError
from atcn_core.skeleton import CAPTURE, COCO_17, H36M_17
from atcn_core.train.bodies import reshape_bodies
from atcn_core.train.datasets import HUMAN36M_SUBJECTS, capture_take, load_human36m, load_humaneva

RNG = np.random.default_rng(3)
SUBJECTS = [subject for part in HUMAN36M_SUBJECTS.values() for subject in part]


def numbered(frames: int, joints: int) -> np.ndarray:
    """Points near the middle of the room that tell frame and joint: x = joint, y = frame, in centimetres; z = 1 m."""
    points = np.ones((frames, joints, 3), dtype=np.float32)
    points[..., 0] = np.arange(joints) / 100
    points[..., 1] = np.arange(frames)[:, None] / 100
    return points


def stored(path: Path, **tables: Any) -> Path:
    np.savez_compressed(path, **tables)
    return path


def h36m_files(folder: Path, layout: str = "h36m", joints_3d: int = 32) -> tuple[Path, Path]:
    actions = {"Walking 1": 6, "WalkDog": 4}
    in_3d = {s: {a: numbered(n, joints_3d) for a, n in actions.items()} for s in SUBJECTS}
    # Videos are a frame longer than the capture.
    in_2d = {
        s: {a: [RNG.uniform(0, 1000, (n + 1, 17, 2)) for _ in range(4)] for a, n in actions.items()} for s in SUBJECTS
    }
    metadata = {"layout_name": layout, "num_joints": 17, "keypoints_symmetry": [[4, 5, 6], [1, 2, 3]]}
    return (
        stored(folder / "data_3d_h36m.npz", positions_3d=in_3d),
        stored(folder / f"data_2d_h36m_{layout}.npz", positions_2d=in_2d, metadata=metadata),
    )


def humaneva_files(folder: Path) -> tuple[Path, Path]:
    parts = [f"{part}/S{n}" for part in ("Train", "Validate") for n in (1, 2, 3)]
    actions = ("Walking 1 chunk0", "Jog 1 chunk2", "Gestures 1 chunk0")
    in_3d = {s: {a: numbered(5, 15) for a in actions} for s in parts}
    in_2d = {s: {a: [numbered(5, 15)[..., :2]] * 3 for a in actions} for s in parts}
    metadata = {"layout_name": "humaneva15", "num_joints": 15, "keypoints_symmetry": [[], []]}
    return (
        stored(folder / "data_3d_humaneva15.npz", positions_3d=in_3d),
        stored(folder / "data_2d_humaneva15_gt.npz", positions_2d=in_2d, metadata=metadata),
    )


def test_human36m_has_the_papers_subjects_and_joints(tmp_path: Path) -> None:
    path_3d, path_2d = h36m_files(tmp_path)
    train, test = (load_human36m(path_3d, path_2d, split=split) for split in ("train", "test"))
    assert {one.subject for one in train} == {"S1", "S5", "S6", "S7", "S8"}
    assert [one.name for one in test] == ["S9 Walking 1", "S9 WalkDog", "S11 Walking 1", "S11 WalkDog"]
    # The published choice: all 32 but 4, 5, 9-11, 16, 20-24 and 28-31.
    kept = [i for i in range(32) if i not in (4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31)]
    assert np.allclose(test[0].joints_world[0, :, 0] * 100, kept)
    assert test[0].fps == 50.0
    assert [points.shape for points in test[0].keypoints_px] == [(6, 17, 2)] * 4
    assert test[0].keypoint_joints == H36M_17.joints


def test_files_already_of_17_joints_and_other_detectors_are_taken(tmp_path: Path) -> None:
    path_3d, path_2d = h36m_files(tmp_path, layout="coco", joints_3d=17)
    one = load_human36m(path_3d, path_2d, split="test")[0]
    assert np.allclose(one.joints_world[0, :, 0] * 100, np.arange(17))
    assert one.keypoint_joints == COCO_17.joints


def test_human36ms_cameras_are_the_published_ones(tmp_path: Path) -> None:
    path_3d, _ = h36m_files(tmp_path)
    one = next(r for r in load_human36m(path_3d, split="test") if r.subject == "S9")
    # The rotation and position of S9's first camera as matrices, from another publication of the calibration.
    rotation = [
        [-0.90334862, 0.42691198, 0.04132109],
        [0.04153061, 0.18295114, -0.98224441],
        [-0.42689165, -0.88559305, -0.18299858],
    ]
    camera = one.cameras[0]
    assert np.allclose(camera.cam_from_world, rotation, atol=1e-6)
    assert np.allclose(camera.position_world, [2.04445852504, 4.93511727985, 1.48122752753], atol=1e-6)
    assert camera.name == "54138969"


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_camera_stands_upright_and_sees_the_middle_of_the_room(tmp_path: Path, split: str) -> None:
    h36m, eva = (
        load_human36m(h36m_files(tmp_path)[0], split=split),
        load_humaneva(humaneva_files(tmp_path)[0], split=split),
    )
    for one in (*h36m, *eva):
        for view in one.views():
            assert view.joints_cam.shape == (len(one.joints_world), 17, 3)
            hip = view.joints_cam[0, 0]
            assert 2.0 < hip[2] < 7.0
            assert np.abs(hip[:2] / hip[2]).max() < 0.35
            # Up in the world is up in the picture, where y points down.
            assert (view.camera.cam_from_world @ [0, 0, 1])[1] < -0.9


def test_the_picture_is_opencvs_and_rays_undo_it(tmp_path: Path) -> None:
    one = load_human36m(h36m_files(tmp_path)[0], split="test")[0]
    points_cam = RNG.uniform([-1, -1, 3], [1, 1, 6], (40, 5, 3))
    for camera in one.cameras:
        assert camera.matrix_px is not None
        expected, _ = cv2.projectPoints(
            points_cam.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), camera.matrix_px, camera.distortion
        )
        xy_px = camera.to_px(points_cam)
        assert np.allclose(xy_px, expected.reshape(40, 5, 2), atol=1e-6)
        assert np.allclose(camera.to_rays(xy_px), points_cam[..., :2] / points_cam[..., 2:], atol=1e-3)


def test_humaneva_has_the_papers_actions_and_lacks_spine_and_nose(tmp_path: Path) -> None:
    train, test = (load_humaneva(*humaneva_files(tmp_path), split=split) for split in ("train", "test"))
    assert {one.subject for one in train} == {"Train/S1", "Train/S2", "Train/S3"}
    assert {one.subject for one in test} == {"Validate/S1", "Validate/S2", "Validate/S3"}
    assert {one.action for one in test} == {"Walking 1 chunk0", "Jog 1 chunk2"}
    one = test[0]
    lacking = [j for j, row in zip(H36M_17.joints, one.joints_world[0], strict=True) if np.isnan(row).any()]
    assert lacking == ["spine", "nose"]
    # Its order: pelvis, thorax, left arm, right arm, left leg, right leg, head.
    for joint, number in (("hip", 0), ("left_wrist", 4), ("right_shoulder", 5), ("right_ankle", 13), ("head", 14)):
        assert one.joints_world[0, H36M_17.index(joint), 0] * 100 == pytest.approx(number)
        assert one.keypoints_px[1][0, one.keypoint_joints.index(joint), 0] * 100 == pytest.approx(number)
    with pytest.raises(MotionError, match="focal length"):
        one.cameras[0].to_px(np.ones((1, 3)))


def test_a_capture_take_marks_what_the_data_set_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    for one, lacking in (
        (load_human36m(h36m_files(tmp_path)[0], split="test")[0], set()),
        (load_humaneva(humaneva_files(tmp_path)[0], split="test")[0], {"spine", "nose"}),
    ):
        take = capture_take(one)
        own = set(H36M_17.joints) - lacking
        assert {j for j, seen in zip(CAPTURE.joints, take.seen, strict=True) if seen} == own
        for joint in own:
            assert np.array_equal(take.joints_world[:, CAPTURE.index(joint)], one.joints_world[:, H36M_17.index(joint)])
        # Bodies can be reshaped: what stands in for a joint does not spoil those that are seen.
        joints = torch.from_numpy(take.joints_world)[None]
        parents = [max(p, 0) for p in CAPTURE.parent_indices]
        own_m = (joints[0, 0] - joints[0, 0, parents]).norm(dim=-1)[None]
        assert torch.allclose(reshape_bodies(joints, own_m)[0, 0], joints[0, 0], atol=1e-5)


def test_gaps_are_told(tmp_path: Path) -> None:
    one = load_human36m(h36m_files(tmp_path)[0], split="test")[0]
    one.joints_world[3, 5] = np.nan
    with pytest.raises(MotionError, match="S9 Walking 1 has gaps"):
        capture_take(one)


class _Mischief:
    """What a file must not get to do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made-by-a-file",)


def test_a_file_that_would_run_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = stored(tmp_path / "data_3d_h36m.npz", positions_3d={"S9": {"Walking": _Mischief()}})
    with pytest.raises(MotionError, match="no readable positions_3d"):
        load_human36m(path, split="test")
    assert not Path("made-by-a-file").exists()


def test_files_of_another_form_are_told_in_words(tmp_path: Path) -> None:
    path_3d, path_2d = h36m_files(tmp_path)
    with pytest.raises(MotionError, match=r"none\.npz has no readable positions_3d"):
        load_human36m(tmp_path / "none.npz", split="test")
    with pytest.raises(MotionError, match="no readable positions_3d"):
        load_human36m(path_2d, split="test")
    only_s9 = stored(tmp_path / "s9.npz", positions_3d={"S9": {"Walking": numbered(3, 32)}})
    with pytest.raises(MotionError, match="lacks subject S11"):
        load_human36m(only_s9, split="test")
    flat = stored(tmp_path / "flat.npz", positions_3d={s: {"Walking": np.zeros((3, 96))} for s in SUBJECTS})
    with pytest.raises(MotionError, match=r"S9 Walking is not \(T, J, 3\)"):
        load_human36m(flat, split="test")
    mpii = {"layout_name": "mpii", "num_joints": 16}
    with pytest.raises(MotionError, match="'mpii'"):
        load_human36m(path_3d, stored(tmp_path / "mpii.npz", positions_2d={}, metadata=mpii), split="test")
    short = {s: {a: [np.zeros((2, 17, 2))] * 4 for a in ("Walking 1", "WalkDog")} for s in SUBJECTS}
    metadata = {"layout_name": "h36m", "num_joints": 17}
    with pytest.raises(MotionError, match="fewer frames"):
        load_human36m(path_3d, stored(tmp_path / "short.npz", positions_2d=short, metadata=metadata), split="test")
