"""Captures on the avatars that were filmed: the true motion, played, is where it was filmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import Motion3D, save_motion
from atcn_core.frames import Intrinsics
from atcn_core.skeleton import CAPTURE
from rigs import play_films

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def filmed(tmp_path: Path) -> np.ndarray:
    """The demo clip's truth as a capture without errors, in `tmp_path`; its joints (T, J, 3) in the world."""
    with np.load(DATA / "demo_truth.npz") as truth:
        joints_cam, times_s, fps = truth["joints_cam"].astype(np.float64), truth["times_s"], float(truth["fps"])
        wh_px, camera = tuple(int(n) for n in truth["image_wh_px"]), truth["cam_from_world"]
        lens, place_world = Intrinsics(float(truth["focal_px"]), tuple(truth["centre_px"])), truth["place_world"]
    body = (joints_cam - joints_cam[:, :1]).astype(np.float32)
    score = np.ones(body.shape[:2], dtype=np.float32)
    root_cam = joints_cam[:, 0].astype(np.float32)
    motion = Motion3D(CAPTURE, times_s, fps, wh_px, body, root_cam, score, lens)
    save_motion(tmp_path / "000_walk_mira_demo_truth.motion.npz", motion)
    return joints_cam @ camera + place_world


def test_the_demo_s_true_motion_played_on_its_avatar_is_the_demo(
    filmed: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["play_films.py", str(tmp_path)])
    assert play_films.main() == 0
    with np.load(tmp_path / "000_walk_mira_demo_truth.played.npz") as stored:
        played = stored["joints_world"]
    assert played.shape == filmed.shape
    off = played - filmed
    off[..., :2] -= off[..., :2].mean(axis=(0, 1))  # it starts at the world's origin
    limbs = [i for i, joint in enumerate(CAPTURE.joints) if joint.split("_")[-1] not in ("toe", "heel", "nose", "ear")]
    assert np.linalg.norm(off, axis=-1)[:, limbs].mean() < 0.04
    assert played[:, CAPTURE.indices("left_heel", "left_toe", "right_heel", "right_toe"), 2].min() > -0.01


def test_a_folder_without_captures_of_avatars_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["play_films.py", str(tmp_path)])
    assert play_films.main() == 1
    assert "world_report" in capsys.readouterr().err
