"""From a video to motion.npz: detect, put right, lift, bring onto the picture with constant limbs and a root path.

`python -m atcn_core.capture VIDEO --out FILE`.
The order of the stages lives here; what they do lives in their own modules.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .clip import Keypoints2D, Motion3D, load_keypoints, save_keypoints, save_motion, to_capture
from .console import EXIT_CANCELLED, EXIT_FAILED, ConsoleReporter, complain
from .errors import AtcnError, CancelledError, KeypointsError, NoPersonError, OutputError
from .frames import Intrinsics
from .motion.finish import DEFAULT_STRENGTH, check_wishes, finished
from .reporter import Reporter
from .video import VideoInfo, frame_times, probe, sound_late_s
from .worker.protocol import CAMERA_MODES, DEFAULT_NETWORK, CaptureJob

if TYPE_CHECKING:
    from .camera.background import BackgroundTracks
    from .lift.predict import Lifter

__all__ = ["capture", "main", "solve_motion"]

# Without these the body's place and heading cannot be told.
TRUNK_JOINTS = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
# Keypoints may begin and end this much (or this many frames) inside the cut before they are compared frame by frame.
FIT_SLACK_S = 0.1
FIT_SLACK_FRAMES = 1.5
SAME_TIME_S = 0.002


def capture(job: CaptureJob, reporter: Reporter) -> dict[str, str]:
    """Do the job; its files by role: "motion", "keypoints" where such a file was read or written, and "report" (.html)
    and "report_data" (.json) where a report was asked for.

    A keypoint file that is written holds the joints as they were found, also where they are put right before they
    are lifted. The motion has one entry for each frame of the cut, at the video's own time stamps; gaps
    are filled in and have a score of 0, or a low one where the joint was seen shortly before and after.
    Raises AtcnError of the kind that says what is wrong; then no motion file is written.
    """
    check_wishes(job.height_m, job.smooth)
    motion_out = Path(job.motion_out)
    _check_writable(motion_out)
    for beside in filter(None, (job.keypoints_out, job.report_out)):
        _check_writable(Path(beside))
    if job.video or not job.keypoints_in:
        probe(job.video)
    from .camera.lens import check_fov
    from .camera.watching import camera_of
    from .lift.weights import network_file, read_label

    check_fov(job.fov_deg)
    read_label(network_file(job.network))  # missing weights show now, not after minutes of detecting
    kept_in = _kept_in(job)
    paths = {"motion": str(motion_out)}
    background = None
    with ThreadPoolExecutor(1) as aside:
        coming = aside.submit(_load_lifter, job)
        if job.keypoints_in:
            keypoints = _read_keypoints(job)
            paths["keypoints"] = job.keypoints_in
        else:
            keypoints, background = _detect(job, kept_in, coming, reporter)
        if job.fingers:
            keypoints = _with_hands(keypoints, job, kept_in, reporter)
        lifter = coming.result()
    if job.keypoints_out:
        save_keypoints(Path(job.keypoints_out), keypoints)
        paths["keypoints"] = job.keypoints_out
    reporter.check_cancelled()
    found = keypoints
    seen, calm = camera_of(job, found, background, kept_in, reporter)
    keypoints = calm.keypoints
    if job.enhance:
        from .detect.enhance import enhanced

        keypoints = enhanced(keypoints)
    motion = solve_motion(to_capture(keypoints), lifter, reporter, seen.lens.camera, calm.first_from_calm)
    motion = replace(motion, video_camera=seen.camera)
    if job.video:
        motion = replace(motion, sound_late_s=sound_late_s(job.video))
    made = finished(motion, job.height_m, job.smooth)
    if not job.finish_later:
        reporter.note(f"{seen.camera.note} {made.sentence}")
    if job.report_out:
        from .report_page import write_report

        reporter.progress("report", 0, 0)
        page = Path(job.report_out)
        paths |= write_report(page, made.motion, found, job.video, overlay=job.report_film, reporter=reporter)
        reporter.check_cancelled()
    save_motion(motion_out, motion if job.finish_later else made.motion)
    return paths


def solve_motion(
    keypoints: Keypoints2D,
    lifter: Lifter,
    reporter: Reporter,
    camera: Intrinsics,
    first_from_cam: np.ndarray | None = None,
) -> Motion3D:
    """3D motion of one person before a camera of these intrinsics. keypoints: in the capture set.

    first_from_cam: (T, 3, 3), for a camera that turns slowly (camera.compensate): rotation from each frame's axes into
    the first one's, in which the motion is told.
    """
    from .camera.compensate import in_first_axes
    from .lift.fit import fitted_to_picture
    from .motion.fingers_steady import hand_motion

    reporter.progress("lift", 0, 0)
    lifted_cam = lifter.lift(keypoints, camera, reporter, first_from_cam)
    joints_cam, root_cam = fitted_to_picture(lifted_cam, keypoints, camera, reporter=reporter)
    return Motion3D(
        skeleton=keypoints.skeleton,
        times_s=keypoints.times_s,
        fps=keypoints.fps,
        image_wh_px=keypoints.image_wh_px,
        joints_cam=in_first_axes(joints_cam, first_from_cam).astype(np.float32),
        root_cam=in_first_axes(root_cam, first_from_cam).astype(np.float32),
        score=keypoints.score,
        camera=camera,
        hands=hand_motion(keypoints.hands, keypoints.times_s) if keypoints.hands is not None else None,
    )


def _load_lifter(job: CaptureJob) -> Lifter:
    """Torch takes seconds to import, so this is done beside something else."""
    from .lift.predict import Lifter

    return Lifter.named(job.network, job.device)


def _kept_in(job: CaptureJob) -> Path | None:
    """The file of the clip's kept keypoints without hands; None where none is kept."""
    from .detect.cache import cache_file

    return cache_file(job) if job.video and not job.keypoints_in else None


def _detect(
    job: CaptureJob, kept_in: Path | None, coming: Future[Lifter], reporter: Reporter
) -> tuple[Keypoints2D, BackgroundTracks | None]:
    """The keypoints, and the background's points where they were followed on the way.

    coming: what is loaded meanwhile; should that fail, detecting ends.
    """
    from .detect.cache import keep_keypoints, kept_keypoints, with_hands
    from .detect.track import warn_of_gaps

    kept = kept_keypoints(with_hands(kept_in)) if job.fingers else None
    kept = kept_keypoints(kept_in) if kept is None else kept
    if kept is not None:
        reporter.progress("detect", len(kept.times_s), len(kept.times_s))
        warn_of_gaps(kept.seen, reporter)
        return kept, None
    from .camera.background import BackgroundWatch
    from .detect import create_detector
    from .detect.track import track_person

    detector = create_detector(job.detector, model=job.model, reporter=reporter)
    watch = None
    if job.camera != "still":
        watch = BackgroundWatch(probe(job.video).image_wh_px, detector.skeleton.bones)

    def beside(picture: np.ndarray, time_s: float, person_px: np.ndarray | None) -> None:
        if coming.done():
            coming.result()
        if watch is not None:
            watch.see(picture, time_s, person_px)

    tracked = track_person(job.video, detector, start_s=job.start_s, end_s=job.end_s, reporter=reporter, beside=beside)
    keep_keypoints(kept_in, tracked.keypoints)
    return tracked.keypoints, watch.tracks if watch is not None else None


def _with_hands(keypoints: Keypoints2D, job: CaptureJob, kept_in: Path | None, reporter: Reporter) -> Keypoints2D:
    """The keypoints with the hands that the video shows, unless they are there already or no video is named."""
    if keypoints.hands is not None or not job.video:
        return keypoints
    from .detect.cache import keep_keypoints, with_hands
    from .detect.hands import find_hands

    hands = find_hands(job.video, keypoints, reporter)
    if not hands.score.any():
        reporter.warn("No hand was seen well enough to tell its fingers.")
    found = replace(keypoints, hands=hands)
    keep_keypoints(with_hands(kept_in), found)
    return found


def _read_keypoints(job: CaptureJob) -> Keypoints2D:
    """The keypoint file's part of the cut, checked against the video where one is named. Raises KeypointsError."""
    path = Path(job.keypoints_in)
    keypoints = load_keypoints(path)
    missing = [joint for joint in TRUNK_JOINTS if joint not in keypoints.skeleton.joints]
    if missing:
        raise KeypointsError(
            f"{path.name} has no joint called {missing[0]}.", hint="Name the joints as docs/formats.md lists them."
        )
    if not keypoints.fps > 0:
        raise KeypointsError(f"{path.name} says {keypoints.fps:g} frames per second.", hint="Detect the video again.")
    keypoints = _cut(keypoints, path.name, job.start_s, job.end_s)
    if job.video:
        _check_fit(keypoints, path.name, probe(job.video), job.start_s, job.end_s)
    if not keypoints.seen.any():
        raise NoPersonError(f"{path.name} holds no joint that was seen in this cut.", hint="Detect the video again.")
    return keypoints


def _cut(keypoints: Keypoints2D, name: str, start_s: float | None, end_s: float | None) -> Keypoints2D:
    keep = np.ones(len(keypoints.times_s), dtype=bool)
    if start_s is not None:
        keep &= keypoints.times_s >= start_s
    if end_s is not None:
        keep &= keypoints.times_s < end_s
    if not keep.any():
        raise KeypointsError(f"{name} has no frame inside the cut.", hint="Change the cut or detect the video again.")
    return replace(
        keypoints,
        times_s=keypoints.times_s[keep],
        xy_px=keypoints.xy_px[keep],
        score=keypoints.score[keep],
        hands=keypoints.hands.at(keep) if keypoints.hands is not None else None,
    )


def _check_fit(keypoints: Keypoints2D, name: str, info: VideoInfo, start_s: float | None, end_s: float | None) -> None:
    """Raise KeypointsError where the keypoints are not of this cut of this video.

    The header's length decides where it agrees; where it does not, it may be the header that is wrong, and the
    video's frames are counted (decoded, not looked at).
    """
    again = "Give the video's own keypoint file, or another name to detect the video again."
    if keypoints.image_wh_px != info.image_wh_px:
        raise KeypointsError(
            f"{name} was made from a {_size(keypoints.image_wh_px)} picture, {info.path.name} is "
            f"{_size(info.image_wh_px)}.",
            hint=again,
        )
    times_s = keypoints.times_s
    slack_s = max(FIT_SLACK_S, FIT_SLACK_FRAMES / keypoints.fps)
    first_s = max(start_s or 0.0, 0.0)
    last_s = info.duration_s if end_s is None else min(end_s, info.duration_s)
    frames = info.frames_between(start_s, end_s)
    fits = abs(times_s[0] - first_s) <= slack_s and abs(times_s[-1] + 1.0 / keypoints.fps - last_s) <= slack_s
    if fits and abs(len(times_s) - frames) <= 1:
        return
    wanted_s = frame_times(info.path, start_s=start_s, end_s=end_s)
    if len(wanted_s) != len(times_s) or np.abs(wanted_s - times_s).max() > SAME_TIME_S:
        raise KeypointsError(
            f"{name} has {len(times_s)} frames from {times_s[0]:.2f} s to {times_s[-1]:.2f} s, but {info.path.name} "
            f"has {len(wanted_s)} in this cut.",
            hint=again,
        )


def _size(image_wh_px: tuple[int, int]) -> str:
    return f"{image_wh_px[0]} x {image_wh_px[1]}"


def _check_writable(path: Path) -> None:
    """Raise OutputError now for what would fail only after all the work."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        reason = "it is a folder" if path.is_dir() else f"{folder} cannot be written to"
        raise OutputError(f"Cannot write {path}: {reason}.", hint="Choose another file.")


def _job(options: argparse.Namespace) -> CaptureJob:
    there = bool(options.keypoints) and Path(options.keypoints).exists()
    return CaptureJob(
        video=options.video,
        motion_out=options.out,
        keypoints_in=options.keypoints if there else "",
        keypoints_out="" if there else options.keypoints,
        device=options.device,
        detector=options.detector,
        model=options.model,
        network=options.network,
        enhance=not options.as_found,
        cached=not options.again,
        camera=options.camera,
        fov_deg=options.fov,
        start_s=options.start,
        end_s=options.end,
        report_out=options.report,
        report_film=not options.no_overlay,
        height_m=options.height,
        smooth=options.smooth,
        fingers=options.fingers,
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit code: 0, 2 for an expected failure, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m atcn_core.capture", description="Video of a person to 3D motion.")
    parser.add_argument("video", metavar="VIDEO", help="the video file")
    parser.add_argument("--out", required=True, metavar="FILE", help="the motion file (.npz) to write")
    parser.add_argument(
        "--keypoints", default="", metavar="FILE", help="2D keypoints (.npz): read where it exists, else written"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument("--detector", default="mediapipe", help="name of the 2D detector (default: mediapipe)")
    parser.add_argument("--model", default="", metavar="FILE", help="the detector's model, if not its default one")
    parser.add_argument("--network", default=DEFAULT_NETWORK, help="a bundled network, or a weights file")
    parser.add_argument("--as-found", action="store_true", help="lift the 2D joints as they are found or given")
    parser.add_argument(
        "--camera",
        choices=CAMERA_MODES,
        default="auto",
        help="what the film's camera does: auto (as the background shows), still, or pan (turns and zooms on one spot)",
    )
    parser.add_argument(
        "--fov", type=float, default=0.0, metavar="DEG", help="its field of view along the picture's longer side"
    )
    parser.add_argument("--again", action="store_true", help="look at the video anew, also where its joints are kept")
    parser.add_argument(
        "--report", default="", metavar="FILE", help="a page (.html) on the take, a .json and a film beside it"
    )
    parser.add_argument("--no-overlay", action="store_true", help="leave out the report's film")
    parser.add_argument("--fingers", action="store_true", help="also find the fingers, which takes about as long again")
    parser.add_argument("--height", type=float, default=0.0, metavar="M", help="how tall the performer is, in metres")
    parser.add_argument(
        "--smooth", type=float, default=DEFAULT_STRENGTH, metavar="0..1", help="0 leaves every tremble (default: 0.5)"
    )
    parser.add_argument("--start", type=float, default=None, metavar="S", help="begin at this time of the video")
    parser.add_argument("--end", type=float, default=None, metavar="S", help="end before this time of the video")
    try:
        with ConsoleReporter() as reporter:
            options = parser.parse_args(arguments)
            paths = capture(_job(options), reporter)
    except AtcnError as error:
        complain(error)
        return EXIT_CANCELLED if isinstance(error, CancelledError) else EXIT_FAILED
    except KeyboardInterrupt:
        complain(CancelledError("Cancelled."))
        return EXIT_CANCELLED
    sys.stdout.write(f"{paths['motion']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
