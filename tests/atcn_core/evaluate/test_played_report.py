"""Captures played on the avatars that were filmed: what the truth scores, known faults, files that are not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import Motion3D, save_arrays, save_motion
from atcn_core.evaluate.played_report import main
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics
from atcn_core.skeleton import CAPTURE
from tests.moving_person import UP, striding


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two captures of somebody who walks, with their truth: one played exactly so, one 3 cm lower."""
    person, _ = striding()
    joints_cam = person.joints_world @ WORLD_FROM_CAM
    body = (joints_cam - joints_cam[:, :1]).astype(np.float32)
    root_cam = (joints_cam[:, 0] + [0.0, 0.2, 8.0]).astype(np.float32)
    score = np.ones(body.shape[:2], dtype=np.float32)
    motion = Motion3D(CAPTURE, person.times_s, 30.0, (640, 480), body, root_cam, score, Intrinsics.assumed((640, 480)))
    for name, sunk_m in (
        ("000_walk_mira_fair1_zombie_01_150_truth", 0.0),
        ("001_stand_bruno_m2m_reject_01_truth", 0.03),
    ):
        save_motion(tmp_path / f"{name}.motion.npz", motion)
        save_arrays(tmp_path / f"{name}.truth.npz", {"joints_world": person.joints_world})
        save_arrays(tmp_path / f"{name}.played.npz", {"joints_world": person.joints_world - sunk_m * UP})
    save_motion(tmp_path / "002_film_demo_truth.motion.npz", motion)  # of nobody's avatar: not played, not scored
    return tmp_path


def test_what_is_played_is_scored_by_kind_against_what_was_filmed(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = clips / "page.md"
    page.write_text("before\n<!-- figures: played -->\nold\n<!-- end figures -->\nafter\n")
    assert main([str(clips), "--json", str(clips / "t.json"), "--into", str(page)]) == 0
    rows = {row["motion"]: row for row in json.loads((clips / "t.json").read_text())}
    assert [(kind, row["clips"]) for kind, row in rows.items()] == [("walk", 1), ("stand", 1), ("all", 2)]
    assert rows["walk"]["root cm"] == rows["walk"]["height cm"] == rows["walk"]["sink cm"] == 0.0
    assert rows["walk"]["jitter"] == 1.0
    assert rows["stand"]["height cm"] == pytest.approx(3.0)
    assert rows["stand"]["sink cm"] == pytest.approx(3.0, abs=0.2)
    assert "precision" not in rows["all"]
    assert page.read_text().startswith("before\n<!-- figures: played -->\n| motion | clips | root cm |")
    assert "| all | 2 |" in capsys.readouterr().out


def test_what_is_not_there_is_said_in_a_sentence(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = clips / "empty"
    empty.mkdir()
    assert main([str(empty)]) == 2
    assert "rigs/play_films.py" in capsys.readouterr().err
    name = "000_walk_mira_fair1_zombie_01_150_truth"
    save_arrays(clips / f"{name}.played.npz", {"joints_world": np.zeros((5, 27, 3))})
    assert main([str(clips)]) == 2
    assert "not of one clip" in capsys.readouterr().err
    save_arrays(clips / f"{name}.truth.npz", {"standing": np.zeros((90, 4))})
    assert main([str(clips)]) == 2
    assert "world_report --save" in capsys.readouterr().err
