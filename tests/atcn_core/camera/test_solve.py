"""Pans, tilts, rolls and zooms before a known room come out to 0.3 degrees and 1 %; the lens from the turns alone."""

from __future__ import annotations

import numpy as np
import pytest

from atcn_core.camera.background import LOST, BackgroundWatch
from atcn_core.camera.focal import focal_by_turning
from atcn_core.camera.solve import solve_camera
from atcn_core.frames import Intrinsics

from .filmed import SIZE_WH_PX, film, followed, off_deg, turning

T = np.arange(40) / 20.0
LENS = Intrinsics.assumed(SIZE_WH_PX)


@pytest.mark.parametrize(
    ("turns", "zoom"),
    [
        (turning(30 * T), np.ones(40)),
        (turning(12 * np.sin(3 * T), 8 * np.sin(2 * T), 6 * np.sin(T)), np.ones(40)),
        (turning(), 1.0 + 0.3 * T),
        (turning(10 * T, 4 * T, 5 * T), 1.0 + 0.2 * np.sin(T)),
    ],
    ids=["pan", "all ways and back", "zoom", "turn and zoom"],
)
def test_turns_and_zoom_are_found(turns: np.ndarray, zoom: np.ndarray) -> None:
    tracks, times_s = followed(turns, LENS, zoom=zoom)
    solved = solve_camera(tracks, LENS, times_s)
    assert off_deg(solved.path.first_from_cam, turns) < 0.3
    assert np.abs(solved.path.zoom / zoom - 1.0).max() < 0.01
    assert solved.begun == 0


def test_a_still_camera_does_not_tremble() -> None:
    tracks, times_s = followed(turning(), LENS)
    solved = solve_camera(tracks, LENS, times_s)
    assert np.degrees(solved.path.turned_rad).max() < 0.05
    assert np.abs(solved.path.zoom - 1.0).max() < 0.001


def test_a_camera_that_comes_back_is_told_by_its_first_picture() -> None:
    """Errors add up from key frame to key frame, and are gone where the first one is in sight again."""
    turns = turning(40 * np.sin(np.pi * T / 2.0))
    tracks, times_s = followed(turns, LENS)
    assert len(np.unique(tracks.key)) > 2
    assert tracks.key.max() > 10
    assert tracks.key[-1] < 5
    assert off_deg(solve_camera(tracks, LENS, times_s).path.first_from_cam, turns) < 0.3


@pytest.mark.parametrize("fov_deg", [40.0, 75.0])
def test_the_lens_follows_from_a_pan(fov_deg: float) -> None:
    lens = Intrinsics.assumed(SIZE_WH_PX, np.deg2rad(fov_deg))
    tracks, times_s = followed(turning(12 * T), lens)
    # solved with a wrong lens, as a capture has it to begin with
    zoom = solve_camera(tracks, LENS, times_s).path.zoom
    measured = focal_by_turning(tracks, zoom, lens.centre_px)
    assert measured is not None
    assert measured.focal_px == pytest.approx(lens.focal_px, rel=0.04)
    assert measured.off < 0.08


def test_a_still_camera_says_nothing_of_its_lens() -> None:
    tracks, _ = followed(turning(frames=10), LENS)
    assert focal_by_turning(tracks, np.ones(10), LENS.centre_px) is None


def test_a_background_that_was_hidden_is_found_again_from_its_looks() -> None:
    turns = turning(16 * T)
    watch, times_s = BackgroundWatch(SIZE_WH_PX), []
    for number, (picture, time_s, person_px) in enumerate(film(turns, LENS)):
        watch.see(np.full_like(picture, 90) if 10 <= number < 20 else picture, time_s, person_px)
        times_s.append(time_s)
    tracks = watch.tracks
    assert (tracks.key[10:20] == LOST).all()
    solved = solve_camera(tracks, LENS, np.array(times_s))
    assert not solved.solved[10:20].any()
    # Found again from the key frame from before: nothing is lost but those frames.
    assert solved.begun == 0
    keep = [0, *range(20, 40)]
    assert off_deg(solved.path.first_from_cam[keep], turns[keep]) < 0.3


def test_the_background_is_seen_between_spread_arms() -> None:
    """A box around the person would cover the whole picture."""
    turns = turning(10 * T)
    joints_px = np.array([[200.0, 30.0], [200.0, 210.0], [5.0, 60.0], [395.0, 60.0]])
    bones = ((0, 1), (0, 2), (0, 3))
    watches = BackgroundWatch(SIZE_WH_PX), BackgroundWatch(SIZE_WH_PX, bones)
    for picture, time_s, _ in film(turns[:6], LENS):
        for watch in watches:
            watch.see(picture, time_s, joints_px)
    boxed, spread = (watch.tracks.known.sum(axis=1) for watch in watches)
    assert boxed.max() < 20
    assert spread.min() > 40
