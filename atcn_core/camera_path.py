"""What is known of a video's camera: how it turned and zoomed, and in words, what it does. Used inside Blender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["CAMERA_KINDS", "CameraPath", "VideoCamera", "camera_arrays", "video_camera_of"]

# Stands still; turns or zooms on one spot; goes about; nobody could tell.
CAMERA_KINDS = ("still", "turning", "moving", "unknown")


@dataclass(frozen=True)
class CameraPath:
    """A camera's turns and zoom over a clip; its place stays the same.

    first_from_cam: (T, 3, 3) rotation from each frame's `cam` axes into those of the first frame.
    zoom:           (T,) focal length over that of the first frame.
    """

    first_from_cam: np.ndarray
    zoom: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.zoom)
        if self.first_from_cam.shape != (frames, 3, 3) or self.zoom.shape != (frames,):
            raise ValueError(f"first_from_cam has shape {self.first_from_cam.shape}, zoom {self.zoom.shape}")
        if not (np.isfinite(self.first_from_cam).all() and np.isfinite(self.zoom).all() and (self.zoom > 0).all()):
            raise ValueError("first_from_cam and zoom must be finite, and zoom above 0")

    @staticmethod
    def still(frames: int) -> CameraPath:
        """The path of a camera that does nothing."""
        return CameraPath(np.tile(np.eye(3), (frames, 1, 1)), np.ones(frames))

    @property
    def turned_rad(self) -> np.ndarray:
        """(T,) how far the camera is turned from where it looked in the first frame."""
        trace = np.trace(self.first_from_cam, axis1=1, axis2=2)
        return np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0))


@dataclass(frozen=True)
class VideoCamera:
    """What was found out about a video's camera.

    kind: one of CAMERA_KINDS. note: sentences for the user: what it does, on what evidence, and how wide it sees.
    path: how it turned and zoomed, where the motion was made free of it; None where it is taken to stand still.
    """

    kind: str
    note: str
    path: CameraPath | None = None

    def __post_init__(self) -> None:
        if self.kind not in CAMERA_KINDS:
            raise ValueError(f"{self.kind!r} is none of {CAMERA_KINDS}")


def camera_arrays(camera: VideoCamera | None) -> dict[str, np.ndarray]:
    """A motion file's arrays on its camera: none where nothing is known."""
    if camera is None:
        return {}
    arrays = {"camera_kind": np.array(camera.kind), "camera_note": np.array(camera.note)}
    if camera.path is not None:
        arrays |= {"first_from_cam": camera.path.first_from_cam, "zoom": camera.path.zoom}
    return arrays


def video_camera_of(arrays: Mapping[str, np.ndarray]) -> VideoCamera | None:
    """The camera of a motion file's arrays. Raises KeyError, ValueError where they are wrong."""
    if "camera_kind" not in arrays:
        return None
    path = CameraPath(arrays["first_from_cam"], arrays["zoom"]) if "first_from_cam" in arrays else None
    return VideoCamera(str(arrays["camera_kind"]), str(arrays["camera_note"]), path)
