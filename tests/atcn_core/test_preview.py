"""The preview film: right length, right picture at each time, skeleton where the joints are, nothing half-written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from atcn_core.clip import Keypoints2D, save_keypoints
from atcn_core.errors import CancelledError, OutputError
from atcn_core.preview import compose, draw_skeleton, frames_at
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE, MEDIAPIPE_33
from atcn_core.worker.protocol import PreviewJob

WIDTH_PX, HEIGHT_PX = 160, 120
FRAME_TIMES_S = np.array([0.0, 0.1, 0.2, 0.5, 0.6])
"""A clip of variable frame rate: its third frame stays for 0.3 s."""


def _write_video(path: Path) -> None:
    """Frame i is plain grey of 40 * (i + 1), shown from FRAME_TIMES_S[i] on."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for i, time_s in enumerate(FRAME_TIMES_S):
            frame = av.VideoFrame.from_ndarray(
                np.full((HEIGHT_PX, WIDTH_PX, 3), 40 * (i + 1), dtype=np.uint8), format="bgr24"
            )
            frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _keypoints(score: float) -> Keypoints2D:
    frames = len(FRAME_TIMES_S)
    xy_px = np.full((frames, len(CAPTURE), 2), np.nan, dtype=np.float32)
    scores = np.zeros((frames, len(CAPTURE)), dtype=np.float32)
    for joint, place in (("left_shoulder", (20, 30)), ("left_elbow", (60, 30)), ("right_hip", (20, 90))):
        xy_px[:, CAPTURE.index(joint)] = place
        scores[:, CAPTURE.index(joint)] = score
    return Keypoints2D(CAPTURE, FRAME_TIMES_S, 10.0, (WIDTH_PX, HEIGHT_PX), xy_px, scores)


def _job(folder: Path, *, score: float = 0.0, avatar_wh_px: tuple[int, int] = (100, 240)) -> PreviewJob:
    video, keypoints, frames_dir = folder / "a clip.mp4", folder / "k.npz", folder / "frames"
    _write_video(video)
    save_keypoints(keypoints, _keypoints(score))
    frames_dir.mkdir()
    times_s = [0.0, 0.125, 0.25, 0.375, 0.5, 0.625]
    for i in range(len(times_s)):
        picture = np.full((avatar_wh_px[1], avatar_wh_px[0], 3), (200, 20 * i, 0), dtype=np.uint8)
        cv2.imwrite(str(frames_dir / f"{i:05d}.png"), picture)
    return PreviewJob(str(video), str(keypoints), str(frames_dir), times_s, 8.0, str(folder / "out" / "film.mp4"))


def _read(path: Path) -> tuple[list[np.ndarray], Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)], stream.average_rate


def test_film_has_one_picture_for_each_time_and_the_source_frame_of_that_time(tmp_path):
    job = _job(tmp_path)
    assert compose(job, Reporter()) == {"preview": job.out}
    pictures, rate = _read(Path(job.out))
    assert len(pictures) == len(job.times_s)
    assert rate == 8
    assert pictures[0].shape == (240, 320 + 100, 3)
    left = [picture[120, 200, 1] for picture in pictures]
    np.testing.assert_allclose(left, [40, 80, 120, 120, 160, 200], atol=4)
    right = [picture[120, 370, 1] for picture in pictures]
    np.testing.assert_allclose(right, [0, 20, 40, 60, 80, 100], atol=6)


def test_skeleton_is_drawn_on_the_joints_at_the_film_s_scale(tmp_path):
    job = _job(tmp_path, score=0.9)
    compose(job, Reporter())
    picture = _read(Path(job.out))[0][0].astype(int)
    on_the_bone, beside_it = picture[60, 80], picture[80, 80]
    assert on_the_bone[2] > on_the_bone[0] + 80, "the left arm is warm"
    assert np.ptp(beside_it) < 12, "no line beside the bone"


def test_lines_fade_with_the_score_and_vanish_without_one():
    def drawn(score: float) -> float:
        picture = np.zeros((120, 160, 3), dtype=np.uint8)
        keypoints = _keypoints(score)
        draw_skeleton(picture, CAPTURE.joints, keypoints.xy_px[0], keypoints.score[0])
        return float(picture.max())

    strengths = [drawn(score) for score in (0.0, 0.3, 0.5, 0.9)]
    assert strengths[0] == 0
    assert strengths == sorted(set(strengths))


def test_other_joint_sets_are_drawn_by_name():
    picture = np.zeros((100, 100, 3), dtype=np.uint8)
    xy_px = np.full((len(MEDIAPIPE_33), 2), 50.0)
    xy_px[MEDIAPIPE_33.index("right_ankle")] = (10, 10)
    draw_skeleton(picture, MEDIAPIPE_33.joints, xy_px, np.ones(len(MEDIAPIPE_33)))
    assert picture[30, 30].max() > 0


def test_large_renders_are_brought_down_to_480_px(tmp_path):
    job = _job(tmp_path, avatar_wh_px=(301, 901))
    compose(job, Reporter())
    height_px, width_px, _ = _read(Path(job.out))[0][0].shape
    assert height_px == 480
    assert width_px % 2 == 0


def test_frames_at_looks_only_one_frame_ahead():
    taken: list[float] = []

    def frames():
        for i in range(100):
            taken.append(i / 10)
            yield i / 10, np.full((1, 1), i)

    shown = frames_at(frames(), [-1.0, 0.0, 0.35, 0.4])
    assert [int(picture[0, 0]) for picture in shown] == [0, 0, 3, 4]
    assert taken[-1] <= 0.5


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path):
    job = _job(tmp_path)
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="Cannot write"):
        compose(job, Reporter())


def test_cancelling_leaves_nothing_behind(tmp_path):
    class Impatient(Reporter):
        steps = 0

        def progress(self, stage, current, total):
            self.steps = current

        def cancelled(self):
            return self.steps >= 2

    job = _job(tmp_path)
    with pytest.raises(CancelledError):
        compose(job, Impatient())
    assert list((tmp_path / "out").iterdir()) == []
