"""Cameras of other lenses see what they would see, and the command sets the assumed lens beside the true one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atcn_core.evaluate.lens_report import main, seen_through, towards
from atcn_core.evaluate.takes import load_takes
from atcn_core.evaluate.views import PICTURE_WH_PX, make_views
from atcn_core.frames import cam_to_px
from atcn_core.skeleton import CAPTURE
from atcn_core.train.noise import NoiseOptions

from .people import walking, write_positions, write_weights

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"
needs_mocap = pytest.mark.skipif(not MOCAP.is_dir(), reason="the folder of motion is not there")
HIP = CAPTURE.index("hip")


@pytest.mark.parametrize("fov_deg", [30.0, 60.0, 90.0])
def test_all_of_the_take_is_in_the_picture_where_the_lens_puts_it(fov_deg: float, tmp_path: Path) -> None:
    (take,) = load_takes([write_positions(tmp_path / "p.npz", walking(60))])
    view = seen_through(towards(take), fov_deg, None)
    seen_px = view.keypoints.xy_px[:, take.shown]
    assert 2 * np.degrees(np.arctan(0.5 * PICTURE_WH_PX[0] / view.lens.focal_px)) == pytest.approx(fov_deg)
    assert 0 < seen_px.min() < seen_px.max() < PICTURE_WH_PX[0]
    np.testing.assert_allclose(seen_px, cam_to_px(view.joints_cam[:, take.shown], view.lens), atol=1e-3)


@needs_mocap
def test_a_detector_errs_by_some_percent_of_the_person_through_any_lens() -> None:
    (take,) = load_takes([MOCAP / "fair1_zombie_01.bvh"], 2.0)
    shares = []
    for fov_deg in (30.0, 80.0):
        true, found = (seen_through(towards(take), fov_deg, noise).keypoints for noise in (None, NoiseOptions()))
        off_px = np.linalg.norm((found.xy_px - true.xy_px)[:, take.shown], axis=-1)
        shares.append(float(np.nanmedian(off_px) / np.ptp(true.xy_px[0, take.shown, 1])))
    assert 0.003 < min(shares) <= max(shares) < 0.05


def test_the_camera_is_chosen_that_sees_somebody_come_or_go(tmp_path: Path) -> None:
    (take,) = load_takes([write_positions(tmp_path / "p.npz", walking(60))])
    best = np.ptp(towards(take).joints_cam[:, HIP, 2])
    assert all(best >= np.ptp(view.joints_cam[:, HIP, 2]) - 1e-9 for view in make_views([take], 6))


@needs_mocap
def test_where_the_true_lens_is_the_assumed_one_both_rows_are_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, _ = write_weights(tmp_path)
    words = ["--motion", str(MOCAP / "fair1_zombie_01.bvh"), "--network", str(weights), "--seconds", "6"]
    assert main([*words, "--fov", "60", "40", "--json", str(tmp_path / "t.json")]) == 0
    same, twin, assumed, true = json.loads((tmp_path / "t.json").read_text())
    assert same | {"taken": "true"} == twin
    assert (assumed["taken"], true["taken"]) == ("assumed", "true")
    assert assumed["root cm"] != true["root cm"]
    assert capsys.readouterr().out.startswith("| degrees | taken | root cm |")


def test_what_says_nothing_of_a_lens_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion = write_positions(tmp_path / "p.npz", walking(60))
    weights, _ = write_weights(tmp_path)
    assert main(["--motion", str(motion), "--network", str(weights)]) == 2
    assert "far enough" in capsys.readouterr().err
    assert main(["--motion", str(motion), "--network", str(weights), "--fov", "200"]) == 2
    assert "200 degrees" in capsys.readouterr().err
