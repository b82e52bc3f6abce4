"""The background's points are kept with a clip, and followed anew where they are not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from atcn_core.camera.background import BackgroundTracks
from atcn_core.camera.watching import camera_of, keep_tracks, kept_tracks, tracks_file
from atcn_core.clip import Keypoints2D
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE
from atcn_core.video import frame_times, probe
from atcn_core.worker.protocol import CaptureJob

from ..video_files import SHARED_VIDEOS, needs_shared

DANCER = SHARED_VIDEOS / "tfjs_pose_1.mp4"


class Stages(Reporter):
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def progress(self, stage: str, current: int, total: int) -> None:
        self.seen.add(stage)


def tracks_of(frames: int) -> BackgroundTracks:
    points = np.random.default_rng(2).uniform(0, 500, (frames, 20, 2)).astype(np.float32)
    return BackgroundTracks((640, 480), np.zeros(frames, int), points, points, np.ones((frames, 20), bool))


def test_points_come_back_for_as_many_frames(tmp_path: Path) -> None:
    file = tracks_file(tmp_path / "keypoints" / "abc.npz")
    assert file is not None
    assert kept_tracks(file, 5) is None
    keep_tracks(file, tracks_of(5))
    found = kept_tracks(file, 5)
    assert found is not None
    np.testing.assert_array_equal(found.xy_px, tracks_of(5).xy_px)
    assert found.image_wh_px == (640, 480)
    assert kept_tracks(file, 6) is None
    assert tracks_file(None) is None
    keep_tracks(None, tracks_of(5))


def test_a_damaged_file_is_not_used_and_goes(tmp_path: Path) -> None:
    file = tmp_path / "background" / "abc.npz"
    keep_tracks(file, tracks_of(5))
    file.write_bytes(file.read_bytes()[:200])
    assert kept_tracks(file, 5) is None
    assert not file.exists()


@needs_shared
def test_a_film_is_looked_at_once(tmp_path: Path) -> None:
    times_s = frame_times(DANCER, end_s=1.0)
    shape = (len(times_s), len(CAPTURE))
    keypoints = Keypoints2D(
        CAPTURE, times_s, 30.0, probe(DANCER).image_wh_px, np.full((*shape, 2), 288, np.float32), np.ones(shape)
    )
    job, kept_in = CaptureJob(str(DANCER), "m.npz", end_s=1.0), tmp_path / "keypoints" / "abc.npz"
    first, again, told = Stages(), Stages(), Stages()
    reading, calm = camera_of(job, keypoints, None, kept_in, first)
    assert reading.camera.kind == "still"
    assert calm.keypoints is keypoints
    assert first.seen == {"camera"}
    assert camera_of(job, keypoints, None, kept_in, again)[0].camera == reading.camera
    assert again.seen == set()
    assert "as told" in camera_of(replace(job, camera="still"), keypoints, None, None, told)[0].camera.note
    assert told.seen == set()
