"""The background's points of a job's clip: followed beside detecting or in a pass of their own, and kept."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import numpy as np

from ..clip import Keypoints2D, save_arrays
from ..errors import AtcnError
from ..reporter import Reporter
from ..video import read_frames
from ..worker.protocol import CaptureJob
from .background import BackgroundTracks, BackgroundWatch
from .compensate import Calm, calmed
from .reading import CameraReading, read_camera

__all__ = ["camera_of", "keep_tracks", "kept_tracks", "tracks_file", "watch_video"]

logger = logging.getLogger(__name__)

# To be raised whenever the same video would give other points.
SCHEMA = "atcn.background/1"
KEPT_CLIPS = 200
SAME_TIME_S = 0.002


def camera_of(
    job: CaptureJob, keypoints: Keypoints2D, tracks: BackgroundTracks | None, kept_in: Path | None, reporter: Reporter
) -> tuple[CameraReading, Calm]:
    """What the job's camera does, and the keypoints as a calm one would have them.

    keypoints: as found; tracks: the background's points where they were followed beside detecting, else None; kept_in:
    the file of kept keypoints, or None. Raises VideoError, CancelledError.
    """
    if job.video and job.camera != "still":
        file = tracks_file(kept_in)
        kept = kept_tracks(file, len(keypoints.times_s)) if tracks is None else None
        if kept is None:
            kept = tracks or watch_video(job.video, keypoints, job.start_s, job.end_s, reporter)
            keep_tracks(file, kept)
        tracks = kept
    seen = read_camera(
        tracks, keypoints.times_s, keypoints.image_wh_px, video=job.video, mode=job.camera, fov_deg=job.fov_deg
    )
    if seen.warning:
        reporter.warn(seen.warning)
    if seen.camera.path is None:
        return seen, Calm(keypoints, None)
    return seen, calmed(keypoints, seen.camera.path, seen.lens.camera)


def tracks_file(keypoints_file: Path | None) -> Path | None:
    """Where the points are or would be kept, of a clip whose keypoints are kept in `keypoints_file`; None: nowhere."""
    return None if keypoints_file is None else keypoints_file.parent.with_name("background") / keypoints_file.name


def kept_tracks(file: Path | None, frames: int) -> BackgroundTracks | None:
    """The points kept in `tracks_file`'s file for so many frames; None where there are none. A damaged file goes."""
    if file is None or not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if str(arrays["schema"]) != SCHEMA or len(arrays["key"]) != frames:
            return None
        width_px, height_px = arrays["image_wh_px"].tolist()
        tracks = BackgroundTracks(
            (width_px, height_px), arrays["key"], arrays["key_xy_px"], arrays["xy_px"], arrays["steady"]
        )
        file.touch()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        logger.warning("Kept points of the background are not used: %s", problem)
        file.unlink(missing_ok=True)
        return None
    return tracks


def keep_tracks(file: Path | None, tracks: BackgroundTracks) -> None:
    """Keep points for the next time; the longest unused ones go. A disk that is full only costs the next time."""
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(tracks, name) for name in ("key", "key_xy_px", "xy_px", "steady")}
        save_arrays(file, {"schema": np.array(SCHEMA), "image_wh_px": np.array(tracks.image_wh_px), **arrays})
        by_age = sorted(file.parent.glob("*.npz"), key=lambda kept: kept.stat().st_mtime, reverse=True)
        for old in by_age[KEPT_CLIPS:]:
            old.unlink(missing_ok=True)
    except (AtcnError, OSError) as problem:
        logger.warning("The points of the background were not kept: %s", problem)


def watch_video(
    video: Path | str, keypoints: Keypoints2D, start_s: float | None, end_s: float | None, reporter: Reporter
) -> BackgroundTracks:
    """Look at a clip again whose keypoints are there already; one entry for each of their frames.

    Reports stage "camera". Raises VideoError, CancelledError.
    """
    watch, at = BackgroundWatch(keypoints.image_wh_px, keypoints.skeleton.bones), 0
    for time_s, picture in read_frames(video, start_s=start_s, end_s=end_s, reporter=reporter):
        reporter.check_cancelled()
        if at == len(keypoints.times_s) or time_s < keypoints.times_s[at] - SAME_TIME_S:
            continue
        watch.see(picture, time_s, keypoints.xy_px[at])
        at += 1
        reporter.progress("camera", at, len(keypoints.times_s))
    for _ in range(at, len(keypoints.times_s)):
        watch.miss()
    return watch.tracks
