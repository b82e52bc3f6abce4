"""The overlay film: the motion's own joints laid over the video, on the floor that it takes the person to walk on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from .clip import Keypoints2D, Motion3D
from .motion.contacts import CONTACT_POINTS
from .motion.feet import standing_points
from .motion.take_doubts import Doubt
from .motion.take_view import NEAREST_M, view_of
from .motion.world import to_world_with_camera
from .preview import draw_skeleton, encode, frames_at, pixel, to_height
from .reporter import Reporter
from .video import read_frames

__all__ = ["write_overlay"]

MAX_HEIGHT_PX = 480
MAX_FPS = 30.0
# The floor is drawn in tiles of a step's length, so far around the way.
TILE_M, MARGIN_M, MAX_LINES = 0.5, 1.0, 40
FLOOR_BGR, STANDING_BGR, FOUND_BGR, WORDS_BGR = (70, 170, 60), (80, 255, 80), (0, 0, 0), (110, 120, 255)
FLOOR_OPACITY = 0.6


def write_overlay(
    path: Path,
    motion: Motion3D,
    keypoints: Keypoints2D,
    video: str,
    doubts: tuple[Doubt, ...] = (),
    reporter: Reporter | None = None,
) -> None:
    """Write the film (.mp4): as long as the motion, in its own time, at most 30 frames a second and 480 px high.

    Lines are the motion as a rig gets it, seen through the video's camera; dots are the joints as they were found,
    the fainter the less sure; green rings stand on the floor. Doubtful stretches are named.
    Raises VideoError, OutputError, EngineError, CancelledError; nothing half-written stays.
    """
    fps = min(motion.fps, MAX_FPS)
    first_s, last_s = float(motion.times_s[0]), float(motion.times_s[-1])
    times_s = first_s + np.arange(max(round((last_s - first_s) * fps), 0) + 1) / fps
    sources = frames_at(read_frames(video, start_s=first_s, end_s=last_s + 1e-3), times_s.tolist())
    shown = np.maximum(np.searchsorted(motion.times_s, times_s + 1e-6, side="right") - 1, 0)
    said = [[d.reason for d in doubts if d.first_s <= at_s <= d.last_s] for at_s in motion.times_s[shown]]
    words = [[f"{time_s:.2f} s", *reasons] for time_s, reasons in zip(times_s, said, strict=True)]
    pictures = _drawn(sources, words, shown, _Scene(motion), keypoints)
    encode(pictures, len(times_s), fps, path, reporter or Reporter(), stage="overlay")


class _Scene:
    """What is to be drawn of a motion, in pixels of the video's picture."""

    def __init__(self, motion: Motion3D) -> None:
        world, turn, place = to_world_with_camera(motion)
        self.joints = motion.skeleton.joints
        self._view = view_of(motion)
        self.joints_px = self._view.pixels(self._view.framed((world.joints_world - place) @ turn))
        self.standing = standing_points(world.standing_chance(), world.times_s)
        self.contacts = [motion.skeleton.index(point) if point in self.joints else None for point in CONTACT_POINTS]
        self._floor_cam = (_floor_lines(world.joints_world[:, 0]) - place) @ turn

    def floor_px(self, frame: int) -> np.ndarray:
        """The floor's lines (K, 2, 2) as their ends, as far as they lie before the camera."""
        view = self._view.at(frame)
        framed = view.framed(self._floor_cam.reshape(1, -1, 3))
        before = (framed[..., 2] > NEAREST_M).reshape(-1, 2).all(axis=1)
        return view.pixels(framed).reshape(-1, 2, 2)[before]


def _floor_lines(hip_world: np.ndarray) -> np.ndarray:
    """Lines of tiles around the whole way (K, 2, 3), in pieces: what lies behind the camera costs no whole line."""
    low, high = hip_world[:, :2].min(axis=0) - MARGIN_M, hip_world[:, :2].max(axis=0) + MARGIN_M
    tile_m = max(TILE_M, float((high - low).max()) / MAX_LINES)
    low, high = np.floor(low / tile_m) * tile_m, np.ceil(high / tile_m) * tile_m
    x, y = (np.arange(low[axis], high[axis] + 0.5 * tile_m, tile_m) for axis in (0, 1))
    grid = np.stack([*np.meshgrid(x, y, indexing="ij"), np.zeros((len(x), len(y)))], axis=-1)
    along = [np.stack([grid[:-1], grid[1:]], axis=2), np.stack([grid[:, :-1], grid[:, 1:]], axis=2)]
    return np.concatenate([pieces.reshape(-1, 2, 3) for pieces in along])


def _drawn(
    sources: Iterator[np.ndarray], words: list[list[str]], shown: np.ndarray, scene: _Scene, keypoints: Keypoints2D
) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 BGR pictures of one even size."""
    for source, lines, frame in zip(sources, words, shown, strict=True):
        picture = to_height(source, min(2 * (source.shape[0] // 2), MAX_HEIGHT_PX))
        scale = picture.shape[0] / keypoints.image_wh_px[1]
        _draw_floor(picture, scene.floor_px(frame) * scale)
        draw_skeleton(picture, scene.joints, scene.joints_px[frame] * scale, np.ones(len(scene.joints)))
        _draw_found(picture, keypoints, frame, scale)
        _draw_standing(picture, scene, frame, scale)
        _write_words(picture, lines)
        yield picture


def _draw_floor(picture: np.ndarray, lines_px: np.ndarray) -> None:
    layer = picture.copy()
    for start, end in lines_px:
        cv2.line(layer, pixel(start), pixel(end), FLOOR_BGR, 1, cv2.LINE_AA)
    cv2.addWeighted(layer, FLOOR_OPACITY, picture, 1.0 - FLOOR_OPACITY, 0.0, dst=picture)


def _draw_found(picture: np.ndarray, keypoints: Keypoints2D, frame: int, scale: float) -> None:
    radius_px = max(picture.shape[0] // 200, 2)
    for xy_px, score in zip(keypoints.xy_px[frame], keypoints.score[frame], strict=True):
        if score > 0:
            light = round(255 * min(max(float(score), 0.0), 1.0))
            cv2.circle(picture, pixel(xy_px * scale), radius_px, (light, light, light), -1, cv2.LINE_AA)
            cv2.circle(picture, pixel(xy_px * scale), radius_px, FOUND_BGR, 1, cv2.LINE_AA)


def _draw_standing(picture: np.ndarray, scene: _Scene, frame: int, scale: float) -> None:
    for joint, stands in zip(scene.contacts, scene.standing[frame], strict=True):
        if joint is not None and stands:
            centre = pixel(scene.joints_px[frame, joint] * scale)
            cv2.circle(picture, centre, max(picture.shape[0] // 70, 4), STANDING_BGR, 2, cv2.LINE_AA)


def _write_words(picture: np.ndarray, lines: list[str]) -> None:
    """The time, and below it in another colour what is doubtful."""
    size = picture.shape[0] / 800
    for row, words in enumerate(lines):
        (width_px, height_px), below_px = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        bottom_px = round((row + 1) * 1.7 * height_px)
        cv2.rectangle(
            picture, (0, bottom_px - round(1.35 * height_px)), (width_px + 12, bottom_px + below_px), (0,) * 3, -1
        )
        colour = (255, 255, 255) if row == 0 else WORDS_BGR
        cv2.putText(picture, words, (6, bottom_px), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
