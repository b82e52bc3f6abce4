"""One person through a whole video: every frame at its own time, or a sentence why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.detect import create_detector
from atcn_core.detect.track import track_person
from atcn_core.errors import CancelledError, NoPersonError, VideoError
from atcn_core.reporter import Reporter

from ..video_files import ONE_MAN, SHARED_VIDEOS, needs_shared, write_video


@needs_shared
def test_tracking_gives_one_entry_a_frame_at_the_video_s_times() -> None:
    stages = []

    class Steps(Reporter):
        def progress(self, stage: str, current: int, total: int) -> None:
            stages.append((stage, current, total))

    tracked = track_person(
        SHARED_VIDEOS / ONE_MAN, create_detector("mediapipe", world=True), start_s=1.0, end_s=2.0, reporter=Steps()
    )
    keypoints = tracked.keypoints
    assert keypoints.times_s == pytest.approx(np.arange(20, 40) / 20)
    assert keypoints.fps == pytest.approx(20.0)
    assert keypoints.image_wh_px == (720, 720)
    assert tracked.world_cam is not None
    assert tracked.world_cam.shape == (20, 33, 3)
    detect = [step for step in stages if step[0] == "detect"]
    assert [current for _, current, _ in detect[:20]] == list(range(1, 21))
    assert detect[-1] == ("detect", 20, 20)


def test_a_video_with_nobody_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NoPersonError, match="Nobody"):
        track_person(write_video(tmp_path / "grey.mp4", np.arange(10) / 10), create_detector("mediapipe"))


@needs_shared
def test_a_person_seldom_seen_is_warned_about() -> None:
    warnings = []

    class Listener(Reporter):
        def warn(self, text: str) -> None:
            warnings.append(text)

    name = "intel_one_by_one_person.mp4"
    tracked = track_person(
        SHARED_VIDEOS / name, create_detector("mediapipe"), start_s=88.6, end_s=92.4, reporter=Listener()
    )
    seen = tracked.keypoints.seen
    assert 0 < seen.mean() < 0.5
    assert np.isnan(tracked.keypoints.xy_px[~seen]).all()
    assert (tracked.keypoints.score[~seen] == 0).all()
    assert f"only {seen.sum()} of {len(seen)} frames" in warnings[0]


@needs_shared
def test_tracking_stops_when_cancelled() -> None:
    class SoonCancelled(Reporter):
        steps = 0

        def progress(self, stage: str, current: int, total: int) -> None:
            self.steps = current

        def cancelled(self) -> bool:
            return self.steps >= 3

    with pytest.raises(CancelledError):
        track_person(SHARED_VIDEOS / ONE_MAN, create_detector("mediapipe"), reporter=SoonCancelled())


def test_no_video_no_model(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no file"):
        track_person(tmp_path / "missing.mp4", create_detector("mediapipe"))


def test_every_picture_is_shown_beside_in_order_with_what_was_found_in_it(tmp_path: Path) -> None:
    grey = write_video(tmp_path / "grey.mp4", np.arange(10) / 10)
    shown: list[tuple[float, np.ndarray | None]] = []
    with pytest.raises(NoPersonError):
        track_person(
            grey, create_detector("mediapipe"), beside=lambda _picture, time_s, joints: shown.append((time_s, joints))
        )
    assert [time_s for time_s, _ in shown] == pytest.approx(np.arange(10) / 10)
    assert all(joints is None for _, joints in shown)


def test_what_goes_wrong_beside_ends_the_detecting(tmp_path: Path) -> None:
    grey, shown = write_video(tmp_path / "grey.mp4", np.arange(10) / 10), []

    def beside(_picture: np.ndarray, time_s: float, _joints: np.ndarray | None) -> None:
        shown.append(time_s)
        raise VideoError("It is broken.")

    with pytest.raises(VideoError, match="broken"):
        track_person(grey, create_detector("mediapipe"), beside=beside)
    assert len(shown) == 1
