"""Turns and zoom of a camera that stands on one spot, from points of the background.

Between two such pictures lies the homography K' R K^-1: three angles and the ratio of the focal lengths, fitted to all
points that a frame shares with its key frame at once, outlying ones weighed down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from ..camera_path import CameraPath
from ..frames import Intrinsics
from .background import LOOKED_AT_PX, BackgroundTracks

__all__ = ["SolvedCamera", "solve_camera"]

_PASSES = (4, 8)
# What following a point costs at best, in px of a picture LOOKED_AT_PX long.
_POINT_PX = 0.15
_LEAST_WEIGHT = 6.0


@dataclass(frozen=True)
class SolvedCamera:
    """path: at every frame, filled in where nothing was followed.

    miss_px: (T, P) how far each followed point lies off what turning and zooming alone would do to it, in px of a
             picture LOOKED_AT_PX long; NaN where there is none.
    solved:  (T,) bool, frames whose turn was measured.
    begun:   how often following had to begin anew, so that what went before is not known.
    """

    path: CameraPath
    miss_px: np.ndarray
    solved: np.ndarray
    begun: int


def solve_camera(tracks: BackgroundTracks, camera: Intrinsics, times_s: np.ndarray) -> SolvedCamera:
    """The camera's path, `camera` being its lens in the first frame. times_s: (T,), the tracks' frames."""
    frames = len(tracks.key)
    turns, zoom = np.tile(np.eye(3), (frames, 1, 1)), np.ones(frames)
    miss_px = np.full(tracks.known.shape, np.nan)
    solved = np.zeros(frames, dtype=bool)
    begun, latest = 0, -1
    for key in np.unique(tracks.key[tracks.key >= 0]):
        if tracks.key[key] == key:
            # Nothing joins this stretch to what was before: it is taken to look where the last frame known did.
            begun += key > 0 and latest >= 0
            turns[key], zoom[key] = (turns[latest], zoom[latest]) if latest >= 0 else (np.eye(3), 1.0)
            solved[key] = True
        those = np.flatnonzero((tracks.key == key) & (np.arange(frames) != key))
        lens = Intrinsics(camera.focal_px * float(zoom[key]), camera.centre_px)
        key_from_frame, ratio, miss, sure = fitted_turns(tracks, those, lens)
        turns[those], zoom[those] = turns[key] @ key_from_frame, zoom[key] * ratio
        miss_px[those], solved[those] = miss, sure
        latest = max([latest, int(key), *those[sure].tolist()])
    return SolvedCamera(_filled(turns, zoom, solved, times_s), miss_px, solved, int(begun))


def fitted_turns(
    tracks: BackgroundTracks, frames: np.ndarray, lens: Intrinsics
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frames (F,) of one key frame beside it, whose lens is `lens`.

    Returns key_from_frame (F, 3, 3), ratio of focal lengths (F,), misses (F, P) and which are to be believed (F,).
    """
    known = tracks.known[frames]
    centre = np.asarray(lens.centre_px)
    # In units of the key frame's focal length, the picture's middle at 0.
    start = np.where(known[..., None], (tracks.key_xy_px[frames] - centre) / lens.focal_px, 0.0)
    seen = np.where(known[..., None], (tracks.xy_px[frames] - centre) / lens.focal_px, 0.0)
    rays = np.concatenate([start, np.ones_like(start[..., :1])], axis=-1)
    looked_px = lens.focal_px * LOOKED_AT_PX / max(tracks.image_wh_px)
    frame_from_key, log_ratio = np.tile(np.eye(3), (len(frames), 1, 1)), np.zeros(len(frames))
    weight = tracks.steady[frames].astype(float)
    miss = np.zeros(known.shape)
    for number in range(sum(_PASSES)):
        turned = rays @ frame_from_key.transpose(0, 2, 1)
        slope = turned[..., :2] / np.maximum(turned[..., 2:], 0.05)
        placed = np.exp(log_ratio)[:, None, None] * slope
        off = seen - placed
        miss = np.linalg.norm(off, axis=-1) * looked_px
        if number >= _PASSES[0]:
            weight = _inlier_weight(miss, known)
        step = _step(slope, placed, off, np.exp(log_ratio), weight)
        frame_from_key = Rotation.from_rotvec(step[:, :3]).as_matrix() @ frame_from_key
        log_ratio = (log_ratio + step[:, 3]).clip(-2.0, 2.0)
    believed = (weight.sum(axis=1) >= _LEAST_WEIGHT) & np.isfinite(log_ratio)
    return frame_from_key.transpose(0, 2, 1), np.exp(log_ratio), np.where(known, miss, np.nan), believed


def _step(slope: np.ndarray, placed: np.ndarray, off: np.ndarray, ratio: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The next step (F, 4) of turn (rotation vector) and logarithm of the ratio, by Gauss and Newton."""
    x, y = slope[..., 0], slope[..., 1]
    one = np.ones_like(x)
    # How the slopes change as the point p turns by w: dp = w x p.
    rows_x = np.stack([-x * y, one + x * x, -y], axis=-1) * ratio[:, None, None]
    rows_y = np.stack([-one - y * y, x * y, x], axis=-1) * ratio[:, None, None]
    jacobian = np.stack(
        [np.concatenate([rows_x, placed[..., :1]], -1), np.concatenate([rows_y, placed[..., 1:]], -1)], axis=-2
    )
    weighted = jacobian * weight[..., None, None]
    normal = np.einsum("fpdi,fpdj->fij", weighted, jacobian) + 1e-9 * np.eye(4)
    wanted = np.einsum("fpdi,fpd->fi", weighted, off)
    return np.linalg.solve(normal, wanted[..., None])[..., 0].clip(-0.3, 0.3)


def _inlier_weight(miss: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Geman-McClure weights (F, P) on the scale of each frame's median miss."""
    masked = np.where(known, miss, np.nan)
    masked[~known.any(axis=1)] = 0.0
    scale = np.maximum(2.0 * np.nanmedian(masked, axis=1), 2.0 * _POINT_PX)[:, None]
    return known / (1.0 + (miss / scale) ** 2) ** 2


def _filled(turns: np.ndarray, zoom: np.ndarray, solved: np.ndarray, times_s: np.ndarray) -> CameraPath:
    """The path with frames that were not measured evenly between their neighbours; relative to the first frame."""
    at = np.flatnonzero(solved)
    if not len(at):
        return CameraPath.still(len(zoom))
    if len(at) > 1:
        between = Slerp(times_s[at], Rotation.from_matrix(turns[at]))
        turns = between(np.clip(times_s, times_s[at[0]], times_s[at[-1]])).as_matrix()
    else:
        turns = np.tile(turns[at[0]], (len(zoom), 1, 1))
    zoom = np.exp(np.interp(times_s, times_s[at], np.log(zoom[at])))
    return CameraPath(turns[0].T @ turns, zoom / zoom[0])
