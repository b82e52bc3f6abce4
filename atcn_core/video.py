"""Reading a video file: what it says about itself, and its upright frames at its own time stamps.

Nothing here knows about people, joints or models.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .errors import VideoError
from .reporter import Reporter

__all__ = ["VideoInfo", "frame_times", "probe", "read_frames", "sound_late_s"]

FALLBACK_FPS = 30.0
MAX_FPS = 1000.0
# A video is called clearly short when less than this part of the time its header promises is there.
SHORT_FRACTION = 0.9
CHOOSE_ANOTHER = "Choose a video file such as .mp4, .mov or .webm."


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header says. Only `image_wh_px` is certain; the rest may be wrong and serves as an estimate.

    image_wh_px:    width and height of the upright picture (rotation metadata applied).
    fps:            nominal frames per second.
    frame_estimate: frames in the whole file; 0 where the header does not say.
    duration_s:     length of the whole file; 0 where the header does not say.
    """

    path: Path
    image_wh_px: tuple[int, int]
    fps: float
    frame_estimate: int
    duration_s: float

    def frames_between(self, start_s: float | None = None, end_s: float | None = None) -> int:
        """About how many frames lie in [start_s, end_s); 0 where the header does not say."""
        if not self.frame_estimate:
            return 0
        start_s = max(start_s or 0.0, 0.0)
        end_s = self.duration_s if end_s is None else min(end_s, self.duration_s)
        return max(round((end_s - start_s) / self.duration_s * self.frame_estimate), 0)


def probe(path: Path | str) -> VideoInfo:
    """Read a video's header. Raises VideoError where there is no video to read."""
    with _opened(Path(path)) as (_, info):
        return info


def read_frames(
    path: Path | str,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    reporter: Reporter | None = None,
) -> Iterator[tuple[float, np.ndarray]]:
    """Every frame of [start_s, end_s) as (time_s, picture), one at a time.

    time_s:  seconds since the file's first frame, strictly increasing, from the file's own time stamps.
    picture: (H, W, 3) uint8 BGR, upright.

    Warns through `reporter` where the file ends long before the end its header promises.
    Raises VideoError where there is no video to read, or no frame in the cut.
    """
    path = Path(path)
    _check_cut(start_s, end_s)
    with _opened(path) as (capture, info):
        frames, time_s = 0, 0.0
        for time_s in _grab_times(capture, info.fps):
            if end_s is not None and time_s >= end_s:
                break
            if start_s is not None and time_s < start_s:
                continue
            decoded, picture = capture.retrieve()
            if not decoded:
                continue
            frames += 1
            yield time_s, picture
    if frames == 0:
        raise _no_frames(path, start_s, time_s)
    _warn_if_short(path, time_s + 1.0 / info.fps, end_s, info, reporter or Reporter())


def frame_times(path: Path | str, *, start_s: float | None = None, end_s: float | None = None) -> np.ndarray:
    """(T,) the times (s) `read_frames` would give, without making the pictures. Raises VideoError like it."""
    _check_cut(start_s, end_s)
    with _opened(Path(path)) as (capture, info):
        times_s = np.array(list(_grab_times(capture, info.fps)))
    low_s, high_s = start_s or 0.0, math.inf if end_s is None else end_s
    return times_s[(times_s >= low_s) & (times_s < high_s)]


def sound_late_s(path: Path | str) -> float:
    """How much later than its first picture a file's sound begins (s), negative where it begins earlier.

    0 where there is no sound, or the file does not say.
    """
    import av  # here, for reading pictures does without it
    from av.error import FFmpegError

    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            firsts = [streams[0] for streams in (container.streams.video, container.streams.audio) if streams]
            starts_s = [float(s.start_time * s.time_base) for s in firsts if s.start_time is not None and s.time_base]
    except FFmpegError:  # whether the pictures can be read, others say
        return 0.0
    return starts_s[1] - starts_s[0] if len(starts_s) == 2 else 0.0


def _grab_times(capture: cv2.VideoCapture, fps: float) -> Iterator[float]:
    """Step through the file; the time of each frame since the first one (s), strictly increasing.

    A stamp that is missing or does not come after the one before is replaced by a step of 1/fps. How many frames
    there are is never asked: containers are often wrong about it.
    """
    first_s = last_s = math.nan
    while capture.grab():
        stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        if math.isnan(last_s):
            first_s = stamp_s if math.isfinite(stamp_s) else 0.0
            time_s = 0.0
        else:
            time_s = stamp_s - first_s
            if not (math.isfinite(time_s) and time_s > last_s):
                time_s = last_s + 1.0 / fps
        last_s = time_s
        yield time_s


@contextmanager
def _opened(path: Path) -> Iterator[tuple[cv2.VideoCapture, VideoInfo]]:
    """The file opened for decoding, with its header. Raises VideoError; always closed again."""
    _check_file(path)
    _silence_decoder()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise _unreadable(path)
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        yield capture, _header(path, capture)
    finally:
        capture.release()


def _header(path: Path, capture: cv2.VideoCapture) -> VideoInfo:
    width_px = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height_px = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    if width_px <= 0 or height_px <= 0:
        raise VideoError(f"{path.name} holds no picture.", hint=CHOOSE_ANOTHER)
    if not frames > 1 and cv2.haveImageReader(str(path)):
        raise VideoError(f"{path.name} is a still picture, not a video.", hint=CHOOSE_ANOTHER)
    if not 0.0 < fps <= MAX_FPS:
        fps = FALLBACK_FPS
    frames = int(frames) if 0 < frames < 1e9 else 0
    return VideoInfo(path, (width_px, height_px), float(fps), frames, frames / fps)


def _silence_decoder() -> None:
    """Keep the decoder's own messages off stderr; what matters of them comes back as VideoError or a warning."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise VideoError(f"{path} is a folder, not a video.", hint=CHOOSE_ANOTHER)
    if not path.is_file():
        raise VideoError(f"There is no file {path}.", hint="Check the path.")
    try:
        with path.open("rb") as handle:
            first = handle.read(1)
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from error
    if not first:
        raise VideoError(f"{path.name} is empty (0 bytes).", hint="Copy or record the video again.")


def _check_cut(start_s: float | None, end_s: float | None) -> None:
    if end_s is not None and end_s <= (start_s or 0.0):
        raise VideoError(
            f"The cut ends at {end_s:g} s, which is not after its start at {start_s or 0.0:g} s.",
            hint="Give an end after the start.",
        )


def _no_frames(path: Path, start_s: float | None, last_s: float) -> VideoError:
    if start_s is not None and last_s > 0.0:
        return VideoError(
            f"{path.name} has its last frame at {last_s:.2f} s, before the start of the cut at {start_s:g} s.",
            hint="Give an earlier start.",
        )
    return VideoError(
        f"{path.name} holds no frame that can be decoded.", hint="The file is damaged: copy or record the video again."
    )


def _warn_if_short(path: Path, found_s: float, end_s: float | None, info: VideoInfo, reporter: Reporter) -> None:
    wanted_s = info.duration_s if end_s is None else min(end_s, info.duration_s)
    if found_s < SHORT_FRACTION * wanted_s:
        reporter.warn(
            f"{path.name} breaks off after {found_s:.1f} s although its header says {info.duration_s:.1f} s: "
            "it is damaged or was not copied whole."
        )


def _unreadable(path: Path) -> VideoError:
    """The error for a file the decoder refuses, as exact as the file's own structure allows."""
    boxes = _mp4_boxes(path)
    if "ftyp" in boxes and "moov" not in boxes:
        return VideoError(
            f"{path.name} is cut off: the index at its end is missing.",
            hint="Copy the file again, or record again and stop the recording before switching off.",
        )
    if "ftyp" in boxes:
        return VideoError(f"{path.name} holds no picture that can be decoded, perhaps only sound.", hint=CHOOSE_ANOTHER)
    return VideoError(f"{path.name} is not a video, holds only sound, or is damaged.", hint=CHOOSE_ANOTHER)


def _mp4_boxes(path: Path) -> set[str]:
    """Names of the top-level boxes of an .mp4 or .mov file; of other files, nothing that matters."""
    names: set[str] = set()
    file_bytes = path.stat().st_size
    with path.open("rb") as handle:
        position = 0
        while position + 8 <= file_bytes and len(names) < 64:
            handle.seek(position)
            header = handle.read(16)
            size = int.from_bytes(header[:4], "big")
            names.add(header[4:8].decode("latin-1"))
            if size == 1:  # a 64-bit size follows the name
                size = int.from_bytes(header[8:16], "big")
            if size < 8:  # 0: reaches to the end of the file
                break
            position += size
    return names
