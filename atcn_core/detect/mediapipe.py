"""MediaPipe's pose landmarker (Tasks API, video mode, one person) as a Detector."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import RunningMode
from mediapipe.tasks.python.vision.pose_landmarker import PoseLandmarker, PoseLandmarkerOptions

from ..errors import ModelError
from ..reporter import Reporter
from ..skeleton import MEDIAPIPE_33
from . import Detection
from .model import ensure_model

__all__ = ["MediapipeDetector", "stderr_hushed"]

# MediaPipe guesses joints outside the picture; such a guess counts no more than this, however sure it is of it.
OUTSIDE_SCORE = 0.1
# "Outside" is further beyond the border than this part of the picture's longer side.
OUTSIDE_MARGIN = 0.02
# MediaPipe smooths its landmarks forwards in time: they trail behind fast motion by a frame or so, and a swap of left
# and right is smeared over several. Its filter opens with the time between frames, so frames said to be this far apart
# pass it as they are (by a third of a percent), while the person is followed as ever. Smoothing both ways comes later.
APART_MS = 1_000_000


class MediapipeDetector:
    """One person followed through a video. The score is MediaPipe's visibility, low for joints outside the picture.

    smoothed: leave MediaPipe's own smoothing on, which trails behind the motion.
    """

    skeleton = MEDIAPIPE_33

    def __init__(
        self, *, model: str = "", world: bool = False, smoothed: bool = False, reporter: Reporter | None = None
    ) -> None:
        self._model = model
        self._smoothed = smoothed
        self._world = world
        self._reporter = reporter or Reporter()
        self._landmarker: PoseLandmarker | None = None
        self._last_ms = -1

    def open(self) -> None:
        """Load the model, made first where it is missing. Raises ModelError."""
        path = ensure_model(self._model, reporter=self._reporter)
        options = PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=path.read_bytes()),  # a path must be ASCII on Windows
            running_mode=RunningMode.VIDEO,
            num_poses=1,
        )
        self.close()
        self._last_ms = -1
        try:
            with stderr_hushed():
                self._landmarker = PoseLandmarker.create_from_options(options)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"MediaPipe refuses the model {path.name}: {str(error).splitlines()[0]}",
                hint="Choose a pose_landmarker .task file, or leave the path empty.",
            ) from error

    def detect(self, picture_bgr: np.ndarray, time_s: float) -> Detection | None:
        """The person in the picture, or None. See Detector."""
        if self._landmarker is None:
            raise RuntimeError("open() comes before detect()")
        first = self._last_ms < 0
        # MediaPipe wants whole, growing milliseconds.
        at_ms = round(time_s * 1000.0) if self._smoothed else self._last_ms + APART_MS
        self._last_ms = max(at_ms, self._last_ms + 1)
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2RGB))
        with stderr_hushed() if first else nullcontext():
            found = self._landmarker.detect_for_video(picture, self._last_ms)
        if not found.pose_landmarks:
            return None
        height_px, width_px = picture_bgr.shape[:2]
        landmarks = found.pose_landmarks[0]
        xy_px = np.array([(mark.x * width_px, mark.y * height_px) for mark in landmarks], dtype=np.float32)
        score = np.array([mark.visibility for mark in landmarks], dtype=np.float32).clip(0.0, 1.0)
        score = np.where(_outside(xy_px, (width_px, height_px)), np.minimum(score, OUTSIDE_SCORE), score)
        world_cam = None
        if self._world:
            world_cam = np.array([(m.x, m.y, m.z) for m in found.pose_world_landmarks[0]], dtype=np.float32)
        return Detection(xy_px, score.astype(np.float32), world_cam)

    def close(self) -> None:
        """Let the model go; a second call does nothing."""
        if self._landmarker is not None:
            self._landmarker.close()
        self._landmarker = None


def _outside(xy_px: np.ndarray, image_wh_px: tuple[int, int]) -> np.ndarray:
    """(J,) bool: clearly beyond the picture's border. xy_px: (J, 2)."""
    margin_px = OUTSIDE_MARGIN * max(image_wh_px)
    return np.any((xy_px < -margin_px) | (xy_px > np.array(image_wh_px) + margin_px), axis=-1)


@contextmanager
def stderr_hushed() -> Iterator[None]:
    """MediaPipe's C++ side greets on file descriptor 2 whatever the log level; send that nowhere for a moment."""
    if sys.stderr is None:  # a process without a console
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
