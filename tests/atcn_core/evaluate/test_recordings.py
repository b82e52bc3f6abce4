"""Human3.6M and HumanEva by the paper's protocols: who knows the truth scores 0, on the test subjects alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.evaluate.protocols import error_by_action, joint_rows, overall
from atcn_core.evaluate.recordings import human36m_views, humaneva_views
from atcn_core.evaluate.tables import protocol_rows
from atcn_core.evaluate.views import View, answered, lift_views
from atcn_core.frames import px_to_ray
from atcn_core.skeleton import CAPTURE, COCO_17, H36M_17
from atcn_core.train.datasets import HUMAN36M_SUBJECTS, load_human36m, load_humaneva

from .people import small_atcn, walking

SUBJECTS = [subject for part in HUMAN36M_SUBJECTS.values() for subject in part]
EVA_PARTS = [f"{part}/S{n}" for part in ("Train", "Validate") for n in (1, 2, 3)]
EVA_JOINTS = (
    *("hip", "thorax"),
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")),
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle")),
    "head",
)


def h36m_3d(folder: Path, frames: int = 12) -> Path:
    positions = {
        subject: {
            action: walking(frames + extra, seed=n).astype(np.float32)
            for extra, action in enumerate(("Walking 1", "Walking", "SittingDown"))
        }
        for n, subject in enumerate(SUBJECTS)
    }
    np.savez(folder / "data_3d_h36m.npz", positions_3d=positions)  # type: ignore[arg-type]  # a pickled dict
    return folder / "data_3d_h36m.npz"


def h36m_2d(folder: Path, path_3d: Path, joints: tuple[str, ...] = H36M_17.joints, layout: str = "h36m") -> Path:
    """What the cameras' own, distorting lenses show."""
    positions: dict[str, Any] = {subject: {} for subject in SUBJECTS}
    for split in ("train", "test"):
        for one in load_human36m(path_3d, split=split):
            pictures = []
            for view in one.views():
                place = [H36M_17.index(joint) if joint in H36M_17.joints else 0 for joint in joints]
                pictures.append(view.camera.to_px(view.joints_cam[:, place]))
            positions[one.subject][one.action] = pictures
    metadata = {"layout_name": layout, "num_joints": len(joints)}
    path = folder / f"data_2d_h36m_{layout}.npz"
    np.savez(path, positions_2d=positions, metadata=metadata)  # type: ignore[arg-type]  # pickled dicts
    return path


def eva_3d(folder: Path) -> Path:
    columns = H36M_17.indices(*EVA_JOINTS)
    actions = ("Walking 1 chunk0", "Walking 1 chunk1", "Jog 1 chunk0")
    positions = {s: {a: walking(9, seed=n)[:, columns] for a in actions} for n, s in enumerate(EVA_PARTS)}
    np.savez(folder / "data_3d_humaneva15.npz", positions_3d=positions)  # type: ignore[arg-type]  # a pickled dict
    return folder / "data_3d_humaneva15.npz"


def eva_2d(folder: Path, path_3d: Path, focal_px: float) -> Path:
    positions: dict[str, Any] = {part: {} for part in EVA_PARTS}
    columns = H36M_17.indices(*EVA_JOINTS)
    for split in ("train", "test"):
        for one in load_humaneva(path_3d, split=split):
            positions[one.subject][one.action] = [
                focal_px * view.joints_cam[:, columns, :2] / view.joints_cam[:, columns, 2:]
                + np.array(view.camera.image_wh_px) / 2
                for view in one.views()
            ]
    metadata = {"layout_name": "humaneva15", "num_joints": 15}
    path = folder / "data_2d_humaneva15_gt.npz"
    np.savez(path, positions_2d=positions, metadata=metadata)  # type: ignore[arg-type]  # pickled dicts
    return path


def by_its_rays(view: View) -> np.ndarray:
    """What a lifter would answer that only lacks the depth, which it is told: (T, J, 3) m, 0 where it sees nothing."""
    depth = view.joints_cam[..., 2:]
    rays = px_to_ray(view.keypoints.xy_px.astype(np.float64), view.lens)
    return np.nan_to_num(np.concatenate([rays * depth, depth], axis=-1))


@pytest.mark.parametrize("two_d", ["true picture", "file"])
def test_who_reads_the_pictures_rightly_scores_nothing_on_human36m(two_d: str, tmp_path: Path) -> None:
    path_3d = h36m_3d(tmp_path)
    views = human36m_views(path_3d, h36m_2d(tmp_path, path_3d) if two_d == "file" else None)
    assert {view.take.name.split()[0] for view in views} == {"S9", "S11"}
    assert len(views) == 2 * 3 * 4
    assert {view.take.fps for view in views} == {50.0}
    measures = overall([answered(view, by_its_rays(view)) for view in views])
    assert all(measures[name] == pytest.approx(0.0, abs=0.05) for name in ("P1", "P2", "N-MPJPE", "velocity"))
    assert measures["own jitter"] == pytest.approx(measures["true jitter"], abs=0.05)


def test_errors_are_those_in_the_cameras_axes_and_of_their_action(tmp_path: Path) -> None:
    views = human36m_views(h36m_3d(tmp_path))
    off = {"Walking": np.array([0.0, 0.0, 0.01]), "SittingDown": np.array([0.03, 0.0, 0.0])}
    lifted = []
    for view in views:
        poses = view.joints_cam + off[view.take.action]
        poses[:, 0] = view.joints_cam[:, 0]
        lifted.append(answered(view, poses))
    (row, *paper) = protocol_rows("Human3.6M", 1, True, {"net": error_by_action(lifted, 1)})
    # 16 of 17 joints are off; both recordings of walking are one column; the average is that of the actions.
    assert row == {"network": "net", "SitD.": 28.2, "Walk": 9.4, "Avg": 18.8}
    assert paper[-1] == {"network": "paper: ATCN", "SitD.": "41.4", "Walk": "24.9", "Avg": "33.4"}


def test_detectors_of_other_joints_are_seen_with_what_they_have(tmp_path: Path) -> None:
    path_3d = h36m_3d(tmp_path)
    views = human36m_views(path_3d, h36m_2d(tmp_path, path_3d, COCO_17.joints, "coco"))
    seen = {joint for joint, score in zip(CAPTURE.joints, views[0].keypoints.score[0], strict=True) if score}
    assert seen == {joint for joint in COCO_17.joints if joint in CAPTURE.joints}
    lifted = lift_views(small_atcn(), views[:2])
    assert lifted[0].predicted_mm.shape == (len(views[0].joints_cam), 17, 3)
    assert np.isfinite(lifted[0].predicted_mm).all()


def test_only_the_start_is_scored_where_that_is_asked(tmp_path: Path) -> None:
    assert {len(view.joints_cam) for view in human36m_views(h36m_3d(tmp_path), seconds=0.1)} == {5}


def test_humaneva_is_scored_on_the_joints_it_has_without_knowing_the_lens(tmp_path: Path) -> None:
    views = humaneva_views(eva_3d(tmp_path))
    assert {view.take.name.split("/")[0] for view in views} == {"Validate"}
    assert {view.take.action for view in views} == {f"{a} S{n}" for a in ("Walk", "Jog") for n in (1, 2, 3)}
    lifted = [answered(view, by_its_rays(view)) for view in views]
    assert set(lifted[0].joints) == set(EVA_JOINTS)
    assert overall(lifted)["P1"] == pytest.approx(0.0, abs=0.05)
    assert {row["joint"] for row in joint_rows({"net": lifted})} == set(EVA_JOINTS) - {"hip"}
    (row, *_) = protocol_rows("HumanEva", 2, False, {"net": error_by_action(lifted, 2)})
    assert list(row) == ["network", "Walk S1", "Walk S2", "Walk S3", "Jog S1", "Jog S2", "Jog S3", "Avg"]


def test_humanevas_2d_needs_a_focal_length(tmp_path: Path) -> None:
    path_3d = eva_3d(tmp_path)
    path_2d = eva_2d(tmp_path, path_3d, 760.0)
    with pytest.raises(MotionError, match="without its focal length") as caught:
        humaneva_views(path_3d, path_2d)
    assert "--humaneva-focal-px" in caught.value.hint
    right, wrong = (humaneva_views(path_3d, path_2d, focal_px=focal_px) for focal_px in (760.0, 900.0))
    assert overall([answered(view, by_its_rays(view)) for view in right])["P1"] == pytest.approx(0.0, abs=0.05)
    assert float(str(overall([answered(view, by_its_rays(view)) for view in wrong])["P1"])) > 30


def test_gaps_and_empty_recordings_are_told(tmp_path: Path) -> None:
    torn = walking(9)
    torn[4, 3] = np.nan
    path = tmp_path / "data_3d_h36m.npz"
    np.savez(path, positions_3d={s: {"Walking": torn} for s in SUBJECTS})  # type: ignore[arg-type]  # a pickled dict
    with pytest.raises(MotionError, match="S9 Walking has gaps"):
        human36m_views(path)
