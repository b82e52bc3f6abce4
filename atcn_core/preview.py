"""The preview film: source frames with the 2D skeleton beside the rendered avatar, encoded as H.264.

Rendering the avatar is not done here; its pictures lie in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from .clip import Keypoints2D, load_keypoints
from .errors import EngineError, OutputError
from .hands import HAND_21
from .reporter import Reporter
from .video import read_frames
from .worker.protocol import PreviewJob

__all__ = ["compose", "draw_hands", "draw_skeleton", "encode", "frames_at", "pixel", "to_height"]

MAX_HEIGHT_PX = 480
# Seen from the figure: its left side warm, its right side cold, the middle white. BGR, as OpenCV draws.
LEFT_BGR, RIGHT_BGR, MIDDLE_BGR = (60, 140, 255), (255, 190, 60), (240, 240, 240)
# A joint below the first score is not drawn; above it, lines are drawn in these steps from faint to solid.
OPACITY_OF_SCORE = ((0.15, 0.25), (0.4, 0.55), (0.7, 1.0))

_SIDE_LINES = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"), ("index", "pinky"),
    ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("heel", "toe"), ("ankle", "toe"),
)  # fmt: skip
LINES = (
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in _SIDE_LINES),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    ("nose", "left_ear"),
    ("nose", "right_ear"),
)


def draw_skeleton(picture: np.ndarray, skeleton_joints: Sequence[str], xy_px: np.ndarray, score: np.ndarray) -> None:
    """Draw one frame's 2D joints into the picture, in place, the fainter the lower their score.

    picture: (H, W, 3) uint8 BGR. xy_px: (J, 2) pixels of this picture. score: (J,) 0..1, 0 where not seen.
    """
    index = {joint: i for i, joint in enumerate(skeleton_joints)}
    lines = [(index[a], index[b], _colour(a, b)) for a, b in LINES if a in index and b in index]
    _draw_lines(picture, lines, xy_px, score, thickness_px=max(1, round(picture.shape[0] / 180)))


def draw_hands(picture: np.ndarray, xy_px: np.ndarray, score: np.ndarray) -> None:
    """Draw one frame's fingers into the picture, in place, as faint as `draw_skeleton`.

    xy_px: (2, 21, 2) pixels of this picture, the left hand first; score: (2,) 0..1, 0 where not found.
    """
    for colour, points_px, one_score in zip((LEFT_BGR, RIGHT_BGR), xy_px, score, strict=True):
        lines = [(a, b, colour) for a, b in HAND_21.bones]
        if one_score > 0:
            _draw_lines(picture, lines, points_px, np.full(len(HAND_21), one_score), thickness_px=1)


def _draw_lines(
    picture: np.ndarray,
    lines: list[tuple[int, int, tuple[int, int, int]]],
    xy_px: np.ndarray,
    score: np.ndarray,
    thickness_px: int,
) -> None:
    limits = [limit for limit, _ in OPACITY_OF_SCORE] + [np.inf]
    for (low, opacity), high in zip(OPACITY_OF_SCORE, limits[1:], strict=True):
        layer = picture.copy() if opacity < 1.0 else picture
        for a, b, colour in lines:
            if low <= min(score[a], score[b]) < high:
                cv2.line(layer, pixel(xy_px[a]), pixel(xy_px[b]), colour, thickness_px, cv2.LINE_AA)
        if layer is not picture:
            cv2.addWeighted(layer, opacity, picture, 1.0 - opacity, 0.0, dst=picture)


def _colour(a: str, b: str) -> tuple[int, int, int]:
    sides = {joint.split("_")[0] for joint in (a, b)} & {"left", "right"}
    if sides == {"left"}:
        return LEFT_BGR
    return RIGHT_BGR if sides == {"right"} else MIDDLE_BGR


def pixel(xy_px: np.ndarray) -> tuple[int, int]:
    """A point (2,) as OpenCV draws it, also where it lies far outside."""
    x, y = np.clip(np.round(xy_px), -10000, 10000)
    return int(x), int(y)


def frames_at(frames: Iterator[tuple[float, np.ndarray]], times_s: Sequence[float]) -> Iterator[np.ndarray]:
    """For each of the rising times the picture a player would show: the last one that begins at or before it.

    frames: (time_s, picture) in order; only two pictures are held at once. Times before the first frame get it too,
    times after the last frame get the last.
    """
    _, picture = next(frames)
    following = next(frames, None)
    for time_s in times_s:
        while following is not None and following[0] <= time_s + 1e-6:
            picture = following[1]
            following = next(frames, None)
        yield picture


def compose(job: PreviewJob, reporter: Reporter) -> dict[str, str]:
    """Write the film of the job. Returns {"preview": path}.

    Raises VideoError, KeypointsError, OutputError, EngineError (no PyAV), CancelledError; nothing half-written stays.
    """
    rendered = sorted(path for path in Path(job.frames_dir).iterdir() if path.is_file())
    if len(rendered) != len(job.times_s) or not rendered:
        raise ValueError(f"{len(rendered)} rendered pictures for {len(job.times_s)} times")
    keypoints = load_keypoints(Path(job.keypoints))
    sources = frames_at(read_frames(job.video), job.times_s)
    pictures = _side_by_side(sources, rendered, job.times_s, keypoints)
    encode(pictures, len(rendered), job.fps, Path(job.out), reporter)
    return {"preview": job.out}


def _side_by_side(
    sources: Iterator[np.ndarray], rendered: list[Path], times_s: Sequence[float], keypoints: Keypoints2D
) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 BGR pictures of one even size: the source with its skeleton, then the avatar."""
    # the keypoints' frame that is on show at each time, as for the pictures
    shown = np.maximum(np.searchsorted(keypoints.times_s, np.asarray(times_s) + 1e-6, side="right") - 1, 0)
    for source, path, frame in zip(sources, rendered, shown, strict=True):
        avatar = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if avatar is None:
            raise OutputError(f"The rendered picture {path.name} cannot be read.", hint="Is the disk full?")
        height_px = min(_even(avatar.shape[0]), MAX_HEIGHT_PX)
        left = to_height(source, height_px)
        scale = np.array([left.shape[1] / keypoints.image_wh_px[0], height_px / keypoints.image_wh_px[1]])
        draw_skeleton(left, keypoints.skeleton.joints, keypoints.xy_px[frame] * scale, keypoints.score[frame])
        if keypoints.hands is not None:
            draw_hands(left, keypoints.hands.xy_px[frame] * scale, keypoints.hands.score[frame])
        yield np.hstack([left, to_height(avatar, height_px)])


def _even(size_px: float) -> int:
    """H.264 with the colours every player knows wants even sizes."""
    return max(2, 2 * round(size_px / 2))


def to_height(picture: np.ndarray, height_px: int) -> np.ndarray:
    """The picture (H, W, 3) scaled to this height, its width even. Always a copy."""
    width_px = _even(picture.shape[1] * height_px / picture.shape[0])
    if picture.shape[:2] == (height_px, width_px):
        return picture.copy()
    shrinks = height_px < picture.shape[0]
    return cv2.resize(
        picture, (width_px, height_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    ).astype(np.uint8)


def encode(
    pictures: Iterator[np.ndarray], total: int, fps: float, out: Path, reporter: Reporter, stage: str = "preview"
) -> None:
    """Encode `total` pictures one by one into a temporary file, then rename it to `out`. stage: progress tells of it.

    pictures: (H, W, 3) uint8 BGR, of one even size. Raises OutputError, EngineError (no PyAV), CancelledError.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError as problem:
        raise EngineError("The engine lacks av, which writes films.", hint="Press Install engine.") from problem
    temporary = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "21", "preset": "veryfast"}
            for done, picture in enumerate(pictures):
                reporter.check_cancelled()
                if done == 0:
                    stream.height, stream.width = picture.shape[:2]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
                reporter.progress(stage, done + 1, total)
            container.mux(stream.encode())
        temporary.replace(out)
    except (OSError, FFmpegError) as problem:
        raise OutputError(
            f"Cannot write {out}: {getattr(problem, 'strerror', None) or problem}.",
            hint="Free some space or choose another folder.",
        ) from problem
    finally:
        if temporary.exists():
            temporary.unlink()
