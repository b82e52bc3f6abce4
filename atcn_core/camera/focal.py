"""The focal length that makes a camera's turns agree with the picture: only a camera that turns far enough tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..frames import Intrinsics
from .background import LOOKED_AT_PX, BackgroundTracks
from .solve import fitted_turns

__all__ = ["MeasuredFocal", "focal_by_turning"]

# Fields of view along the longer side that cameras have.
NARROWEST_RAD, WIDEST_RAD = np.deg2rad(12.0), np.deg2rad(115.0)
TRIED = 25
MOST_FRAMES = 48
# Points that were followed from one frame are off by the same amount in many: so much less do they count.
ALIKE = 25.0
POINT_PX = 0.1


@dataclass(frozen=True)
class MeasuredFocal:
    """focal_px: in the first frame; off: its standard error, as a share; miss_px: what is left unexplained, median, in
    px of a picture LOOKED_AT_PX long."""

    focal_px: float
    off: float
    miss_px: float


def focal_by_turning(
    tracks: BackgroundTracks, zoom: np.ndarray, centre_px: tuple[float, float]
) -> MeasuredFocal | None:
    """The focal length (px, first frame) with which turning and zooming explain the background's movement best.

    zoom: (T,) focal length over that of the first frame, as solved with any likely focal length: it hardly depends on
    it. None where the camera hardly turns.
    """
    frames = _telling(tracks)
    if len(frames) < 3:
        return None
    longer_px = max(tracks.image_wh_px)
    focals_px = 0.5 * longer_px / np.tan(0.5 * np.geomspace(NARROWEST_RAD, WIDEST_RAD, TRIED))
    cost = np.array([_cost(tracks, frames, zoom, focal_px, centre_px) for focal_px in focals_px])
    best = int(cost.argmin())
    logs = np.log(focals_px)
    if best in (0, TRIED - 1):
        return MeasuredFocal(float(focals_px[best]), np.inf, float(np.sqrt(cost[best])))
    # The bottom of the parabola through the lowest three.
    curve = np.polyfit(logs[best - 1 : best + 2] - logs[best], cost[best - 1 : best + 2], 2)
    focal_px = float(np.exp(logs[best] - curve[1] / (2.0 * curve[0])))
    lowest = max(float(np.polyval(curve, -curve[1] / (2.0 * curve[0]))), POINT_PX**2)
    points = float(tracks.known[frames].sum()) / ALIKE
    # Half the curve's second derivative: points * curve[0] / lowest is the sum of squares over its variance.
    off = float(np.sqrt(lowest / max(points * curve[0], 1e-12)))
    return MeasuredFocal(focal_px, off, float(np.sqrt(lowest)))


def _telling(tracks: BackgroundTracks) -> np.ndarray:
    """The frames in which the background lies furthest from where it was in their key frame."""
    moved_px = np.linalg.norm(tracks.xy_px - tracks.key_xy_px, axis=2)
    moved_px = np.where(tracks.known & tracks.steady, moved_px, np.nan)
    enough = (tracks.known & tracks.steady).sum(axis=1) >= 12
    far_px = np.zeros(len(tracks.key))
    far_px[enough] = np.nanmedian(moved_px[enough], axis=1) * LOOKED_AT_PX / max(tracks.image_wh_px)
    order = np.argsort(far_px)[::-1][:MOST_FRAMES]
    return order[far_px[order] > 4.0]


def _cost(
    tracks: BackgroundTracks, frames: np.ndarray, zoom: np.ndarray, focal_px: float, centre_px: tuple[float, float]
) -> float:
    """Mean square (px^2, small picture) of what this focal length leaves unexplained, outliers held back."""
    squares, count = 0.0, 0
    for key in np.unique(tracks.key[frames]):
        those = frames[tracks.key[frames] == key]
        _, _, miss, _ = fitted_turns(tracks, those, Intrinsics(focal_px * float(zoom[key]), centre_px))
        kept = miss[tracks.steady[those] & np.isfinite(miss)]
        squares += float(np.minimum(kept, 8.0) @ np.minimum(kept, 8.0))
        count += len(kept)
    return squares / max(count, 1)
