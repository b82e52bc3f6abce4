"""Where a capture's points are in each frame's own picture, also where the camera turns and zooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D

__all__ = ["NEAREST_M", "View", "view_of"]

# What is nearer to the camera than this is not projected from where it is.
NEAREST_M = 0.1


@dataclass(frozen=True)
class View:
    """A video's camera in each frame.

    first_from_cam: (T, 3, 3) from each frame's `cam` axes into those of the first, which the motion is in.
    focal_px:       (T,). centre_px: (2,).
    """

    first_from_cam: np.ndarray
    focal_px: np.ndarray
    centre_px: np.ndarray

    def framed(self, points_cam: np.ndarray) -> np.ndarray:
        """The motion's points (T, N, 3), each frame's in the axes that the camera has there."""
        return points_cam @ self.first_from_cam

    def pixels(self, framed: np.ndarray) -> np.ndarray:
        """`framed` points in the picture (T, N, 2); what is behind the camera is taken to be just before it."""
        slopes = framed[..., :2] / np.maximum(framed[..., 2:], NEAREST_M)
        return slopes * self.focal_px[:, None, None] + self.centre_px

    def at(self, frame: int) -> View:
        """The view of one frame."""
        return View(self.first_from_cam[frame : frame + 1], self.focal_px[frame : frame + 1], self.centre_px)


def view_of(motion: Motion3D) -> View:
    """A motion's view."""
    path = motion.video_camera.path if motion.video_camera is not None else None
    frames = len(motion.times_s)
    return View(
        np.tile(np.eye(3), (frames, 1, 1)) if path is None else path.first_from_cam,
        motion.camera.focal_px * (np.ones(frames) if path is None else path.zoom),
        np.asarray(motion.camera.centre_px, dtype=np.float64),
    )
