"""Where the feet stand: heel and toe each, from how slowly they move and how low they are."""

from __future__ import annotations

import numpy as np

from ..skeleton import Skeleton
from .smoothing import fading

__all__ = ["FOOT_POINTS", "caught", "foot_points", "long_enough", "standing_chance", "stretches"]

# What touches the floor, heel and toe of a side next to each other.
FOOT_POINTS = ("left_heel", "left_toe", "right_heel", "right_toe")
# Over so long a movement is measured to either side: a captured foot that stands trembles.
REACH_S = 0.13
# Where a point certainly stands and certainly does not: its speed, and its height over the lowest around that time.
STANDS_M_S, MOVES_M_S = 0.10, 0.55
LOW_M, HIGH_M = 0.25, 0.50
LOWEST_WITHIN_S = 0.5


def foot_points(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """FOOT_POINTS of a motion (T, 4, 3); the ankle stands in for what the joint set lacks. joints: (T, J, 3)."""
    known = skeleton.joints
    names = [point if point in known else f"{point.split('_')[0]}_ankle" for point in FOOT_POINTS]
    return joints[:, skeleton.indices(*names)]


def standing_chance(
    points: np.ndarray, times_s: np.ndarray, up: np.ndarray, sight: np.ndarray | None = None
) -> np.ndarray:
    """How likely each point stands on something (T, P), 0..1.

    points: (T, P, 3) metres in axes that stand still; up: (3,) unit. sight: (T, 3) unit, the line of sight, along
    which a single camera says nothing of the speed; None where the motion is known in all directions.
    """
    if len(times_s) < 2:
        return np.ones(points.shape[:2])
    step_s = float(np.median(np.diff(times_s)))
    reach = max(round(REACH_S / step_s), 1)
    at = np.arange(len(times_s))
    before, after = np.maximum(at - reach, 0), np.minimum(at + reach, len(times_s) - 1)
    velocity = (points[after] - points[before]) / (times_s[after] - times_s[before])[:, None, None]
    if sight is not None:
        velocity = velocity - np.einsum("tpi,ti->tp", velocity, sight)[..., None] * sight[:, None]
    heights_m = points @ up
    lowest_m = _lowest_around(heights_m.min(axis=1), max(round(LOWEST_WITHIN_S / step_s), 1))
    slow = fading(np.linalg.norm(velocity, axis=2), MOVES_M_S, STANDS_M_S)
    return slow * fading(heights_m - lowest_m[:, None], HIGH_M, LOW_M)


def _lowest_around(heights_m: np.ndarray, reach: int) -> np.ndarray:
    padded = np.pad(heights_m, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)


def caught(chance: np.ndarray, enter: float, leave: float) -> np.ndarray:
    """(T, P) bool by hysteresis: from a chance above `enter`, to both sides as long as it is above `leave`."""
    flags = np.zeros(chance.shape, dtype=bool)
    for point in range(chance.shape[1]):
        for start, end in stretches(chance[:, point] > leave):
            flags[start:end, point] = chance[start:end, point].max() > enter
    return flags


def long_enough(flags: np.ndarray, frames: int) -> np.ndarray:
    """Flags (T, P) without the stretches that are shorter than so many frames."""
    kept = np.zeros_like(flags)
    for point in range(flags.shape[1]):
        for start, end in stretches(flags[:, point]):
            kept[start:end, point] = end - start >= frames
    return kept


def stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where flags (T,) are up: first frame and the one after the last, of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
