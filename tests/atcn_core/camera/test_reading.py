"""Still, turning, going about: each is called by its name, with its evidence, on real films and before a known room."""

from __future__ import annotations

import numpy as np
import pytest

from atcn_core.camera.background import BackgroundWatch
from atcn_core.camera.reading import read_camera
from atcn_core.frames import Intrinsics
from atcn_core.video import probe, read_frames

from ..video_files import SHARED_VIDEOS, needs_shared
from .filmed import SIZE_WH_PX, followed, off_deg, turning

T = np.arange(40) / 20.0
LENS = Intrinsics.assumed(SIZE_WH_PX, np.deg2rad(50.0))
STILL = [
    "tfjs_pose_1.mp4",
    "tfjs_pose_squats.mp4",
    "pose2sim_single/cam02.mp4",
    "pose2sim_multi/cam01.mp4",
    "temugeb/temugeb_cam0_test.mp4",
]


@needs_shared
@pytest.mark.parametrize("name", STILL)
def test_real_films_by_still_cameras_are_called_still(name: str) -> None:
    """Also without knowing where the person is."""
    film = SHARED_VIDEOS / name
    watch, times_s = BackgroundWatch(probe(film).image_wh_px), []
    for time_s, picture in read_frames(film, end_s=1.0):
        watch.see(picture, time_s, None)
        times_s.append(time_s)
    reading = read_camera(watch.tracks, np.array(times_s), probe(film).image_wh_px)
    assert reading.camera.kind == "still"
    assert reading.camera.path is None
    assert reading.camera.note.startswith("The camera stands still: ")
    assert reading.warning == ""


@needs_shared
def test_a_real_film_held_by_hand_is_not_still() -> None:
    film = SHARED_VIDEOS / "formats" / "exoplayer_video_1_rot90_vfr.mp4"
    watch, times_s = BackgroundWatch(probe(film).image_wh_px), []
    for time_s, picture in read_frames(film):
        watch.see(picture, time_s, None)
        times_s.append(time_s)
    assert read_camera(watch.tracks, np.array(times_s), probe(film).image_wh_px).camera.kind == "turning"


def test_a_pan_is_called_turning_and_its_lens_is_measured() -> None:
    turns = turning(12 * T)
    tracks, times_s = followed(turns, LENS)
    reading = read_camera(tracks, times_s, SIZE_WH_PX)
    assert reading.camera.kind == "turning"
    assert reading.camera.path is not None
    assert reading.lens.source == "turning"
    assert reading.lens.camera.focal_px == pytest.approx(LENS.focal_px, rel=0.04)
    assert off_deg(reading.camera.path.first_from_cam, turns) < 0.03 * 12 * T[-1]
    assert "up to 2" in reading.camera.note
    told = read_camera(tracks, times_s, SIZE_WH_PX, mode="still")
    assert told.camera.path is None


def test_a_camera_that_rolls_along_is_called_moving_and_warned_about() -> None:
    place_m = np.stack([0.5 * T, 0 * T, 0 * T], axis=1)
    tracks, times_s = followed(turning(), LENS, place_m=place_m)
    reading = read_camera(tracks, times_s, SIZE_WH_PX)
    assert reading.camera.kind == "moving"
    assert "goes about" in reading.warning
    told = read_camera(tracks, times_s, SIZE_WH_PX, mode="pan")
    assert (told.camera.kind, told.warning) == ("turning", "")


def test_pan_mode_takes_out_also_what_would_pass_for_still() -> None:
    turns = turning(0.15 * np.sin(3 * T))
    tracks, times_s = followed(turns, LENS)
    assert read_camera(tracks, times_s, SIZE_WH_PX).camera.kind == "still"
    reading = read_camera(tracks, times_s, SIZE_WH_PX, mode="pan", fov_deg=50.0)
    assert reading.camera.path is not None
    assert off_deg(reading.camera.path.first_from_cam, turns) < 0.05


def test_without_a_film_nothing_is_claimed() -> None:
    reading = read_camera(None, T, SIZE_WH_PX)
    assert (reading.camera.kind, reading.camera.path) == ("unknown", None)
    assert "no video" in reading.camera.note
