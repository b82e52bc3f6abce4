"""Keypoints of a turning, zooming camera as a calm one would have them, and the motion made of them in fixed axes.

The calm camera stands on the same spot. While the real one stays about where it began, the calm one does not turn at
all; where the real one goes further, the calm one turns after it, slowly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation, Slerp

from ..camera_path import CameraPath
from ..clip import Keypoints2D
from ..frames import Intrinsics

__all__ = ["Calm", "calmed", "in_first_axes"]

# Further than this the picture of a camera that does not turn gets too wide to be worked with.
STILL_WITHIN_RAD = np.deg2rad(20.0)
FOLLOWS_WITHIN_S = 0.7
# What lies so far off the calm camera's view is not in its picture.
LEAST_FORWARD = 0.15


@dataclass(frozen=True)
class Calm:
    """keypoints: in the calm camera's picture, that of the clip's first frame and lens.

    first_from_calm: (T, 3, 3) rotation from the calm camera's axes into those of the first frame; None where they are
                     the same throughout.
    """

    keypoints: Keypoints2D
    first_from_calm: np.ndarray | None


def calmed(keypoints: Keypoints2D, path: CameraPath, camera: Intrinsics) -> Calm:
    """keypoints: of the frames of `path`; camera: the lens in the first frame. Joints far behind are not seen."""
    first_from_calm = _calm_turns(path, keypoints.times_s)
    calm_from_cam = path.first_from_cam
    if first_from_calm is not None:
        calm_from_cam = first_from_calm.transpose(0, 2, 1) @ path.first_from_cam
    moved_px, forward = _moved(keypoints.xy_px, calm_from_cam, path.zoom, camera)
    score = np.where(forward > LEAST_FORWARD, keypoints.score, 0.0).astype(np.float32)
    moved_px = np.where((score > 0)[..., None], moved_px, np.nan).astype(np.float32)
    return Calm(replace(keypoints, xy_px=moved_px, score=score), first_from_calm)


def in_first_axes(points_calm: np.ndarray, first_from_calm: np.ndarray | None) -> np.ndarray:
    """Points (T, ..., 3) of the calm camera's axes in those of the first frame."""
    if first_from_calm is None:
        return points_calm
    return np.einsum("tij,t...j->t...i", first_from_calm, points_calm).astype(points_calm.dtype)


def _moved(
    xy_px: np.ndarray, calm_from_cam: np.ndarray, zoom: np.ndarray, camera: Intrinsics
) -> tuple[np.ndarray, np.ndarray]:
    """Points (T, J, 2) px in the calm picture, and how far forward they lie on unit rays (T, J)."""
    centre = np.asarray(camera.centre_px)
    slopes = (np.nan_to_num(xy_px.astype(np.float64)) - centre) / (camera.focal_px * zoom)[:, None, None]
    rays = np.concatenate([slopes, np.ones_like(slopes[..., :1])], axis=-1) @ calm_from_cam.transpose(0, 2, 1)
    forward = rays[..., 2] / np.linalg.norm(rays, axis=-1)
    return rays[..., :2] / np.maximum(rays[..., 2:], 1e-3) * camera.focal_px + centre, forward


def _calm_turns(path: CameraPath, times_s: np.ndarray) -> np.ndarray | None:
    """(T, 3, 3) how the calm camera turns; None where it need not."""
    if len(times_s) < 2 or path.turned_rad.max() <= STILL_WITHIN_RAD:
        return None
    # Even steps of time, quaternions of one sign: then each of their numbers can be smoothed by itself.
    step_s = float(np.median(np.diff(times_s)))
    even_s = times_s[0] + np.arange(int(np.ceil((times_s[-1] - times_s[0]) / step_s)) + 1) * step_s
    between = Slerp(times_s, Rotation.from_matrix(path.first_from_cam))
    quats = between(np.minimum(even_s, times_s[-1])).as_quat()
    signs = np.cumprod(np.where(np.sum(quats[1:] * quats[:-1], axis=1) < 0, -1.0, 1.0))
    quats[1:] *= signs[:, None]
    slow = gaussian_filter1d(quats, FOLLOWS_WITHIN_S / step_s, axis=0, mode="nearest")
    turns = Slerp(even_s, Rotation.from_quat(slow))
    return turns(np.minimum(times_s, even_s[-1])).as_matrix()
