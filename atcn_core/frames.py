"""The coordinate frames and the conversions between them. Nothing here knows about joints or bones.

px     image pixels, x right, y down, origin at the top left corner of the picture
cam    camera axes, x right, y down, z forward, metres
world  Blender's: x right, y away from the viewer, z up, metres
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["WORLD_FROM_CAM", "Intrinsics", "cam_to_px", "px_to_ray"]

# A level camera that looks along world +y.
WORLD_FROM_CAM = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])

# The field of view along the picture's longer side that is assumed where nothing better is known:
# about that of a phone's main camera in video mode.
ASSUMED_FOV_RAD = np.deg2rad(60.0)


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera with square pixels. focal_px: scalar; centre_px: (x, y)."""

    focal_px: float
    centre_px: tuple[float, float]

    @staticmethod
    def assumed(image_wh_px: tuple[int, int], fov_rad: float = ASSUMED_FOV_RAD) -> Intrinsics:
        """The camera assumed for a picture of this size: `fov_rad` along its longer side, centred."""
        width_px, height_px = image_wh_px
        focal_px = 0.5 * max(width_px, height_px) / np.tan(0.5 * fov_rad)
        return Intrinsics(float(focal_px), (0.5 * width_px, 0.5 * height_px))


def px_to_ray(xy_px: np.ndarray, camera: Intrinsics) -> np.ndarray:
    """Image points as ray slopes. xy_px: (..., 2). Returns (..., 2): x/z and y/z in `cam`."""
    return (xy_px - np.asarray(camera.centre_px)) / camera.focal_px


def cam_to_px(points_cam: np.ndarray, camera: Intrinsics) -> np.ndarray:
    """Pinhole projection. points_cam: (..., 3) metres, z > 0. Returns (..., 2) px."""
    return points_cam[..., :2] / points_cam[..., 2:] * camera.focal_px + np.asarray(camera.centre_px)
