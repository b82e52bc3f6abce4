"""Virtual cameras that move: what they see belongs to how they moved, and the command compares leaving it in or out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atcn_core.evaluate.backdrop import Backdrop
from atcn_core.evaluate.camera_report import MOVES, film, main
from atcn_core.evaluate.takes import load_takes
from atcn_core.evaluate.views import make_views
from atcn_core.frames import Intrinsics

from .people import walking, write_positions, write_weights

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"
needs_mocap = pytest.mark.skipif(not MOCAP.is_dir(), reason="the folder of motion is not there")


@pytest.mark.parametrize("moves", [[move] for move in MOVES] + [list(MOVES)])
def test_the_take_is_where_it_was_seen_from_the_moved_camera(moves: list[str], tmp_path: Path) -> None:
    (view,) = make_views(load_takes([write_positions(tmp_path / "p.npz", walking(60))]), 1)
    filmed = film(view, moves)
    back = np.einsum("tij,tkj->tki", filmed.path.first_from_cam, filmed.joints_cam) + filmed.place_m[:, None]
    shown = view.take.shown
    np.testing.assert_allclose(back[:, shown], view.joints_cam[:, shown], atol=1e-9)
    np.testing.assert_allclose(filmed.path.first_from_cam[0], np.eye(3), atol=1e-12)
    assert (np.ptp(filmed.path.zoom) > 0) == ("zoom" in moves)
    assert (np.ptp(filmed.place_m, axis=0).max() > 0) == bool({"hand", "dolly"} & set(moves))
    assert (filmed.path.turned_rad.max() > 1e-6) == bool({"pan", "hand"} & set(moves))


def test_a_point_of_the_room_stays_a_point_of_the_room() -> None:
    """The wall's picture moves as the wall would: a camera that turns sees it by a homography."""
    room, wh_px = Backdrop(0), (120, 90)
    lens = Intrinsics(100.0, (60.0, 45.0))
    angle = 0.1
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    straight = room.picture(wh_px, lens, np.eye(3), np.zeros(3)).astype(float)
    turned = room.picture(wh_px, lens, turn, np.zeros(3)).astype(float)
    # straight ahead for the turned camera lies 10 px to the right for the other
    column = round(60.0 - 0.5 + 100.0 * np.tan(angle))
    assert np.abs(turned[20:70, 59:61].mean(axis=1) - straight[20:70, column - 1 : column + 2].mean(axis=1)).mean() < 10
    assert np.abs(turned[20:70, 59:61].mean(axis=1) - straight[20:70, 59:61].mean(axis=1)).mean() > 15


@needs_mocap
def test_the_command_compares_the_ways_and_says_how_well_it_read_the_camera(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, _ = write_weights(tmp_path)
    words = ["--motion", str(MOCAP / "fair1_zombie_01.bvh"), "--network", str(weights), "--seconds", "2", "--pan"]
    words += ["--way-m", "0.5", "--json", str(tmp_path / "t.json")]
    assert main(words) == 0
    rows = json.loads((tmp_path / "t.json").read_text())
    assert rows[0]["way"] == "camera stands still"
    assert len({tuple(row) for row in rows}) == 1
    (read,) = [row for row in rows if row["called"]]
    assert read["called"] == "1 turning"
    assert read["turns off deg"] < 0.1
    assert capsys.readouterr().out.startswith("| moves | way | root cm |")


def test_takes_that_stay_on_one_spot_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion = write_positions(tmp_path / "p.npz", walking(60))
    weights, _ = write_weights(tmp_path)
    assert main(["--motion", str(motion), "--network", str(weights)]) == 2
    assert "far enough" in capsys.readouterr().err
