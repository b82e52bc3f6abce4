"""The tables' measures against errors that are known because they were put in."""

from __future__ import annotations

import numpy as np
import pytest

from atcn_core.evaluate.protocols import action_rows, joint_rows, overall, series_mm, take_rows
from atcn_core.evaluate.views import LiftedView
from atcn_core.skeleton import H36M_17

from .people import walking


def view(name: str, action: str, off_mm: np.ndarray, frames: int = 40, camera: int = 0) -> LiftedView:
    true = 1000.0 * (walking(frames) - walking(frames)[:, :1])
    return LiftedView(name, action, camera, true + off_mm, true)


def test_measures_are_those_of_all_frames_of_all_takes() -> None:
    shift = np.array([3.0, 4.0, 0.0])
    measures = overall([view("a", "a", shift, 30), view("b", "b", 3 * shift, 60)])
    assert measures["P1"] == pytest.approx((30 * 5 + 60 * 15) / 90, abs=0.05)
    assert measures["P2"] == pytest.approx(0.0, abs=0.05)
    assert measures["velocity"] == pytest.approx(0.0, abs=0.005)


def test_jitter_is_told_apart_from_the_movements_own() -> None:
    shaken = np.zeros((40, 17, 3))
    shaken[::2] = [6.0, 0.0, 0.0]
    calm, rough = overall([view("a", "a", np.zeros(3))]), overall([view("a", "a", shaken)])
    assert calm["acceleration"] == 0.0
    assert calm["own jitter"] == calm["true jitter"] == rough["true jitter"]
    assert rough["acceleration"] == pytest.approx(12.0)
    assert rough["velocity"] == pytest.approx(6.0)


def test_every_action_has_its_own_error_and_all_of_them_theirs() -> None:
    lifted = {"net": [view("a1", "walk", np.array([10.0, 0, 0])), view("b1", "jump", np.array([0, 30.0, 0]))]}
    rows = {row["action"]: row for row in action_rows(lifted)}
    assert [rows[action]["net, P1"] for action in ("walk", "jump", "all")] == [10.0, 30.0, 20.0]
    assert rows["all"]["frames"] == 80


def test_the_joint_that_is_wrong_is_the_joint_that_is_named() -> None:
    off = np.zeros((40, 17, 3))
    off[:, H36M_17.index("left_wrist")] = [0.0, 0.0, 25.0]
    rows = {row["joint"]: row["net"] for row in joint_rows({"net": [view("a", "a", off)]})}
    assert rows.pop("left_wrist") == 25.0
    assert set(rows.values()) == {0.0}
    assert "hip" not in rows


def test_the_frame_that_is_wrong_is_the_frame_that_is_named() -> None:
    off = np.zeros((40, 17, 3))
    off[13] = [0.0, 20.0, 0.0]
    views = [view("a", "a", off), view("a", "a", 2 * off, camera=1)]
    assert series_mm(views)["a"][13] == pytest.approx(30.0)
    (row,) = take_rows({"net": views})
    assert row["net, worst"] == "30.0 at 13"
