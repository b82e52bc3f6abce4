"""One person's 2D keypoints over a whole video: decoding and detecting in one pass, nothing but joints kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clip import Keypoints2D
from ..errors import NoPersonError
from ..reporter import Reporter
from ..skeleton import Skeleton
from ..video import probe, read_frames
from . import Detection, Detector

__all__ = ["Tracked", "track_person", "warn_of_gaps"]

# Below this part of frames with a person in them the user is told how much had to be made up.
SELDOM_SEEN_FRACTION = 0.5


@dataclass(frozen=True)
class Tracked:
    """What a detector found in a video.

    world_cam: (T, J, 3) float32, the detector's own 3D as in Detection, NaN where nobody was seen; None where it was
               not asked for.
    """

    keypoints: Keypoints2D
    world_cam: np.ndarray | None


def track_person(
    video: Path | str,
    detector: Detector,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    reporter: Reporter | None = None,
    beside: Callable[[np.ndarray, float, np.ndarray | None], None] | None = None,
) -> Tracked:
    """Run the detector over [start_s, end_s) of the video, one entry for each frame at the video's own time stamps.

    beside: is shown every frame as well, in order, while the next one is looked at: the picture (H, W, 3) BGR, its time
    (s) and the joints (J, 2) px found in it. It runs in a thread of its own; what it raises ends the detecting.
    Reports stage "detect", warns where the person is seldom seen. Opens and closes the detector.
    Raises VideoError, ModelError, CancelledError, and NoPersonError where nobody is seen in any frame.
    """
    reporter = reporter or Reporter()
    info = probe(video)
    expected = info.frames_between(start_s, end_s)
    times_s: list[float] = []
    found: list[Detection | None] = []
    shown: Future[None] | None = None
    with ThreadPoolExecutor(1) as aside, closing(detector):
        detector.open()
        for time_s, picture in read_frames(video, start_s=start_s, end_s=end_s, reporter=reporter):
            reporter.check_cancelled()
            found.append(detector.detect(picture, time_s))
            if shown is not None:
                shown.result()
            if beside is not None:
                shown = aside.submit(beside, picture, time_s, None if found[-1] is None else found[-1].xy_px)
            times_s.append(time_s)
            reporter.progress("detect", len(found), max(expected, len(found)) if expected else 0)
        if shown is not None:
            shown.result()
    reporter.progress("detect", len(found), len(found))
    seen = np.array([detection is not None for detection in found])
    if not seen.any():
        raise NoPersonError(
            f"Nobody was found in the {len(found)} frames of {info.path.name}.",
            hint="Choose a video, or a part of it, in which a person is clearly visible.",
        )
    warn_of_gaps(seen, reporter)
    xy_px, score = _stacked(found, detector.skeleton)
    fps = nominal_fps(np.array(times_s), info.fps)
    keypoints = Keypoints2D(detector.skeleton, np.array(times_s), fps, info.image_wh_px, xy_px, score)
    return Tracked(keypoints, _stacked_world(found, detector.skeleton))


def nominal_fps(times_s: np.ndarray, otherwise: float) -> float:
    """1 / median frame time; `otherwise` for a single frame. times_s: (T,)."""
    return float(1.0 / np.median(np.diff(times_s))) if len(times_s) > 1 else otherwise


def warn_of_gaps(seen: np.ndarray, reporter: Reporter) -> None:
    """Tell the user where the person is seldom seen. seen: (T,) bool."""
    if seen.mean() < SELDOM_SEEN_FRACTION:
        reporter.warn(
            f"A person was seen in only {seen.sum()} of {len(seen)} frames; the rest of the motion is filled in."
        )


def _stacked(found: list[Detection | None], skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """(T, J, 2) and (T, J): NaN and 0 where nobody was seen."""
    xy_px = np.full((len(found), len(skeleton), 2), np.nan, dtype=np.float32)
    score = np.zeros((len(found), len(skeleton)), dtype=np.float32)
    for frame, detection in enumerate(found):
        if detection is not None:
            xy_px[frame], score[frame] = detection.xy_px, detection.score
    xy_px[score == 0] = np.nan
    return xy_px, score


def _stacked_world(found: list[Detection | None], skeleton: Skeleton) -> np.ndarray | None:
    if all(detection is None or detection.world_cam is None for detection in found):
        return None
    world_cam = np.full((len(found), len(skeleton), 3), np.nan, dtype=np.float32)
    for frame, detection in enumerate(found):
        if detection is not None and detection.world_cam is not None:
            world_cam[frame] = detection.world_cam
    return world_cam
