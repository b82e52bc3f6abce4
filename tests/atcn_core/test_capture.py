"""A real video becomes a motion file of the same length; what cannot is refused in a sentence, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atcn_core.capture import capture, main
from atcn_core.clip import Keypoints2D, load_keypoints, load_motion, save_arrays, save_keypoints
from atcn_core.errors import CancelledError, KeypointsError, MotionError
from atcn_core.frames import cam_to_px
from atcn_core.motion.finish import finished
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE, COCO_17, LIMB_12, MEDIAPIPE_33
from atcn_core.video import frame_times, probe
from atcn_core.worker.protocol import CaptureJob

from .video_files import BAD_FILES, ONE_MAN, SHARED_VIDEOS, bad_file, needs_shared, write_video

MAN = SHARED_VIDEOS / ONE_MAN
UNEVEN = SHARED_VIDEOS / "temugeb" / "temugeb_vfr_drop25.mp4"


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Motion and keypoint file of the man's clip, whole."""
    folder = tmp_path_factory.mktemp("captured")
    paths = capture(
        CaptureJob(str(MAN), str(folder / "motion.npz"), keypoints_out=str(folder / "keypoints.npz")), Reporter()
    )
    assert paths == {"motion": str(folder / "motion.npz"), "keypoints": str(folder / "keypoints.npz")}
    return Path(paths["motion"]), Path(paths["keypoints"])


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence the command line ends with, having failed as expected."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (error,) = [line for line in said.err.splitlines() if line.startswith("Error: ")]
    return error


@needs_shared
def test_the_motion_has_one_frame_for_each_of_the_video(captured: tuple[Path, Path]) -> None:
    motion = load_motion(captured[0])
    np.testing.assert_array_equal(motion.times_s, frame_times(MAN))
    assert motion.skeleton == CAPTURE
    assert motion.fps == pytest.approx(20.0)
    assert motion.image_wh_px == (720, 720)
    assert motion.score[:, CAPTURE.indices(*LIMB_12)].mean() > 0.8
    assert (motion.root_cam[:, 2] > 0).all()


@needs_shared
def test_every_bone_keeps_its_length(captured: tuple[Path, Path]) -> None:
    joints_cam = load_motion(captured[0]).joints_cam
    for parent, child in CAPTURE.bones:
        lengths_m = np.linalg.norm(joints_cam[:, child] - joints_cam[:, parent], axis=1)
        assert np.ptp(lengths_m) < 1e-3


@needs_shared
def test_the_motion_seen_by_its_camera_lies_on_the_keypoints(captured: tuple[Path, Path]) -> None:
    motion, keypoints = load_motion(captured[0]), load_keypoints(captured[1])
    seen_px = cam_to_px(motion.joints_cam + motion.root_cam[:, None], motion.camera)
    miss_px = np.linalg.norm(
        seen_px[:, CAPTURE.indices(*LIMB_12)] - keypoints.xy_px[:, MEDIAPIPE_33.indices(*LIMB_12)], axis=-1
    )
    assert np.median(miss_px) < 0.06 * motion.image_wh_px[1]


@needs_shared
def test_swapped_sides_are_put_right_before_lifting_unless_told_not_to(
    captured: tuple[Path, Path], tmp_path: Path
) -> None:
    motion, found = load_motion(captured[0]), load_keypoints(captured[1])
    swapped = (found.times_s >= 4.0) & (found.times_s < 4.4)
    mirror = list(found.skeleton.mirror)
    xy_px = np.where(swapped[:, None, None], found.xy_px[:, mirror], found.xy_px)
    score = np.where(swapped[:, None], found.score[:, mirror], found.score)
    save_keypoints(tmp_path / "swapped.npz", replace(found, xy_px=xy_px, score=score))
    job = CaptureJob(str(MAN), str(tmp_path / "motion.npz"), keypoints_in=str(tmp_path / "swapped.npz"))

    def off_m() -> float:
        apart_m = np.linalg.norm(load_motion(Path(job.motion_out)).joints_cam - motion.joints_cam, axis=-1)
        return float(apart_m[swapped].mean())

    capture(job, Reporter())
    assert off_m() < 0.005
    capture(replace(job, enhance=False), Reporter())
    assert off_m() > 0.05


@needs_shared
def test_solving_from_the_keypoint_file_gives_the_same_motion(captured: tuple[Path, Path], tmp_path: Path) -> None:
    motion_file, keypoint_file = captured
    stages = set()

    class Stages(Reporter):
        def progress(self, stage: str, current: int, total: int) -> None:
            stages.add(stage)

    out = tmp_path / "again.npz"
    paths = capture(CaptureJob(str(MAN), str(out), keypoints_in=str(keypoint_file)), Stages())
    assert paths == {"motion": str(out), "keypoints": str(keypoint_file)}
    assert stages == {"camera", "lift"}
    first, again = load_motion(motion_file), load_motion(out)
    np.testing.assert_allclose(again.joints_cam, first.joints_cam, atol=1e-5)
    np.testing.assert_allclose(again.root_cam, first.root_cam, atol=1e-4)


@needs_shared
def test_a_keypoint_file_needs_no_video(captured: tuple[Path, Path], tmp_path: Path) -> None:
    capture(CaptureJob("", str(tmp_path / "motion.npz"), keypoints_in=str(captured[1])), Reporter())
    assert len(load_motion(tmp_path / "motion.npz").times_s) == 187


@needs_shared
def test_the_command_line_cuts_detects_once_and_solves_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, keypoint_file = tmp_path / "new folder" / "motion.npz", tmp_path / "keypoints.npz"
    arguments = [str(UNEVEN), "--out", str(out), "--keypoints", str(keypoint_file), "--start", "2", "--end", "4"]
    assert main([*arguments, "--device", "cpu"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    wanted_s = frame_times(UNEVEN, start_s=2.0, end_s=4.0)
    np.testing.assert_array_equal(load_motion(out).times_s, wanted_s)
    np.testing.assert_array_equal(load_keypoints(keypoint_file).times_s, wanted_s)
    out.unlink()
    written_ns = keypoint_file.stat().st_mtime_ns
    assert main([*arguments[:-1], "3"]) == 0  # a narrower cut is taken from the same file
    np.testing.assert_array_equal(load_motion(out).times_s, frame_times(UNEVEN, start_s=2.0, end_s=3.0))
    assert keypoint_file.stat().st_mtime_ns == written_ns
    capsys.readouterr()
    whole = [str(UNEVEN), "--out", str(out), "--keypoints", str(keypoint_file)]
    assert f"has {len(wanted_s)} frames from 2.0" in refused(whole, capsys)


@needs_shared
def test_height_and_smoothing_are_the_files_or_left_for_later(captured: tuple[Path, Path], tmp_path: Path) -> None:
    told: list[str] = []

    class Telling(Reporter):
        def note(self, text: str) -> None:
            told.append(text)

    job = CaptureJob(str(MAN), str(tmp_path / "raw.npz"), keypoints_in=str(captured[1]), start_s=1.0, end_s=3.0)
    job = replace(job, height_m=1.9, smooth=0.5, finish_later=True)
    raw = load_motion(Path(capture(job, Telling())["motion"]))
    assert told == []
    job = replace(job, motion_out=str(tmp_path / "made.npz"), finish_later=False)
    made = load_motion(Path(capture(job, Telling())["motion"]))
    wanted = finished(raw, 1.9, 0.5)
    assert made.video_camera is not None
    assert told == [f"{made.video_camera.note} {wanted.sentence}"]
    np.testing.assert_allclose(made.joints_cam, wanted.motion.joints_cam, atol=1e-5)
    np.testing.assert_allclose(made.root_cam, wanted.motion.root_cam, atol=1e-4)
    assert not np.allclose(raw.root_cam, made.root_cam, atol=0.1)
    with pytest.raises(MotionError, match="height"):
        capture(replace(job, height_m=12.0, keypoints_in="", video="missing.mp4"), Reporter())


@needs_shared
def test_frames_without_a_person_are_filled_in(captured: tuple[Path, Path], tmp_path: Path) -> None:
    keypoints = load_keypoints(captured[1])
    xy_px, score = keypoints.xy_px.copy(), keypoints.score.copy()
    xy_px[60:70], score[60:70] = np.nan, 0.0
    xy_px[:5], score[:5] = np.nan, 0.0
    holed = tmp_path / "holed.npz"
    save_keypoints(holed, replace(keypoints, xy_px=xy_px, score=score))
    capture(CaptureJob(str(MAN), str(tmp_path / "motion.npz"), keypoints_in=str(holed)), Reporter())
    motion = load_motion(tmp_path / "motion.npz")
    assert len(motion.times_s) == 187
    assert (motion.score[60:70] == 0).all()
    step_m = np.linalg.norm(np.diff(motion.root_cam, axis=0), axis=1)
    assert step_m[55:75].max() < 0.3


@pytest.mark.parametrize(("kind", "word"), BAD_FILES.items())
def test_what_is_no_video_is_refused_on_the_command_line(
    kind: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "motion.npz"
    assert word in refused([str(bad_file(kind, tmp_path)), "--out", str(out)], capsys)
    assert not out.parent.exists()


def test_a_video_with_nobody_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "grey.mp4", np.arange(10) / 10)
    out, keypoint_file = tmp_path / "out" / "motion.npz", tmp_path / "out" / "keypoints.npz"
    assert "Nobody" in refused([str(video), "--out", str(out), "--keypoints", str(keypoint_file)], capsys)
    assert not out.parent.exists()


def test_an_output_that_cannot_be_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "grey.mp4", np.arange(10) / 10)
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file" / "motion.npz"):
        assert "Cannot write" in refused([str(video), "--out", str(out)], capsys)


@needs_shared
@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that can limit the size of files")
def test_a_full_disk_leaves_nothing(captured: tuple[Path, Path], tmp_path: Path) -> None:
    limit_blocks = 8  # of 512 bytes: less than a motion file
    command = (
        f"trap '' XFSZ; ulimit -f {limit_blocks}; exec {sys.executable} -m atcn_core.capture {MAN} "
        f"--keypoints {captured[1]} --out {tmp_path / 'motion.npz'}"
    )
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "Cannot write" in done.stderr
    assert list(tmp_path.iterdir()) == []


@needs_shared
def test_wrong_names_are_refused_with_the_right_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = [str(MAN), "--out", str(tmp_path / "motion.npz")]
    assert "mediapipe" in refused([*base, "--detector", "nobody"], capsys)
    assert "no model file" in refused([*base, "--model", str(tmp_path / "missing.task")], capsys)
    assert "device" in refused([*base, "--device", "abacus"], capsys)
    assert "not after its start" in refused([*base, "--start", "3", "--end", "2"], capsys)
    assert "before the start of the cut" in refused([*base, "--start", "60"], capsys)
    assert list(tmp_path.iterdir()) == []


def keypoints_for(video: Path) -> Keypoints2D:
    """Made-up keypoints that fit the video."""
    info, times_s = probe(video), frame_times(video)
    joints = len(COCO_17)
    xy_px = np.random.default_rng(3).uniform(10, 50, (len(times_s), joints, 2)).astype(np.float32)
    return Keypoints2D(COCO_17, times_s, info.fps, info.image_wh_px, xy_px, np.ones((len(times_s), joints), np.float32))


def test_keypoints_of_another_video_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "grey.mp4", np.arange(50) / 25)
    fitting, file, out = keypoints_for(video), tmp_path / "keypoints.npz", tmp_path / "motion.npz"
    arguments = [str(video), "--out", str(out), "--keypoints", str(file)]
    save_keypoints(file, fitting)
    assert main(arguments) == 0
    out.unlink()
    capsys.readouterr()
    cases = {
        "640 x 480": replace(fitting, image_wh_px=(640, 480)),
        "has 30 frames": replace(
            fitting, times_s=fitting.times_s[:30], xy_px=fitting.xy_px[:30], score=fitting.score[:30]
        ),
        "50 in this cut": replace(fitting, times_s=fitting.times_s * 2.0, fps=12.5),
        "0 frames per second": replace(fitting, fps=0.0),
        "no joint that was seen": replace(
            fitting, xy_px=np.full_like(fitting.xy_px, np.nan), score=np.zeros_like(fitting.score)
        ),
    }
    for words, keypoints in cases.items():
        save_keypoints(file, keypoints)
        assert words in refused(arguments, capsys)
    assert not out.exists()


def test_keypoint_files_that_are_none_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "grey.mp4", np.arange(50) / 25)
    file = tmp_path / "keypoints.npz"
    arguments = [str(video), "--out", str(tmp_path / "motion.npz"), "--keypoints", str(file)]
    file.write_text("no keypoints")
    assert "not a readable .npz" in refused(arguments, capsys)
    save_arrays(file, {"schema": np.array("other/1")})
    assert "schema other/1" in refused(arguments, capsys)
    save_keypoints(file, keypoints_for(video))
    file.write_bytes(file.read_bytes()[:-200])
    assert "not a readable .npz" in refused(arguments, capsys)
    with pytest.raises(KeypointsError, match="no file"):
        capture(
            CaptureJob(str(video), str(tmp_path / "motion.npz"), keypoints_in=str(tmp_path / "missing.npz")), Reporter()
        )


def test_a_header_that_lies_about_the_length_does_not_matter(tmp_path: Path) -> None:
    video = write_video(tmp_path / "grey.avi", np.arange(20) / 10)
    assert probe(video).frame_estimate != 20
    file = tmp_path / "keypoints.npz"
    save_keypoints(file, replace(keypoints_for(video), fps=10.0))
    capture(CaptureJob(str(video), str(tmp_path / "motion.npz"), keypoints_in=str(file)), Reporter())
    assert len(load_motion(tmp_path / "motion.npz").times_s) == 20


@needs_shared
@pytest.mark.parametrize("stage", ["detect", "lift"])
def test_a_cancelled_capture_writes_no_motion(stage: str, tmp_path: Path) -> None:
    class Cancelled(Reporter):
        reached = False

        def progress(self, stage_now: str, current: int, total: int) -> None:
            self.reached |= stage_now == stage

        def cancelled(self) -> bool:
            return self.reached

    with pytest.raises(CancelledError):
        capture(CaptureJob(str(MAN), str(tmp_path / "motion.npz"), end_s=1.0), Cancelled())
    assert list(tmp_path.iterdir()) == []


@needs_shared
def test_a_single_frame_is_captured(tmp_path: Path) -> None:
    capture(CaptureJob(str(MAN), str(tmp_path / "motion.npz"), start_s=4.0, end_s=4.01), Reporter())
    assert load_motion(tmp_path / "motion.npz").joints_cam.shape == (1, len(CAPTURE), 3)


def test_as_a_module_it_fails_with_a_sentence_and_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "atcn_core.capture", str(tmp_path / "missing.mp4"), "--out", str(tmp_path / "m.npz")],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: There is no file")
    assert len(done.stderr.splitlines()) == 1
