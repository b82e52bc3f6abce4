"""What holding feet and hands in place has in common: limbs of two bones, bent anew so that their ends stay.

A limb's middle joint keeps the side it was on; what was held goes over into what was not without a jump.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..rotation import normalized, quat_between, quat_multiply, quat_rotate, quat_slerp
from .smoothing import fading, smoothed

__all__ = ["BODY_CUTOFF_HZ", "Limb", "LimbPath", "bent", "eased", "end_of", "reaching", "turned_by"]

# How quickly what stood is let go and caught again, and how quickly the body follows what stands.
EASE_S, BODY_CUTOFF_HZ = 0.15, 1.5
# A limb is never pulled straighter than this share of its length.
REACH_SHARE = 0.998
_REACH_TURNS = 8
_STILL = np.array([1.0, 0.0, 0.0, 0.0])
# How much of where a limb bends its pole tells at most, beside its own bend: in lengths of the limb.
POLE_SHARE = 0.05


@dataclass(frozen=True)
class Limb:
    """A rig's leg or arm at rest: its three joints in the world, (3,) each.

    pole: (3,) unit, where its middle joint goes when it is bent, or zeros where that is not known.
    """

    start: np.ndarray
    middle: np.ndarray
    end: np.ndarray
    pole: np.ndarray

    @property
    def length_m(self) -> float:
        return float(np.linalg.norm(self.middle - self.start) + np.linalg.norm(self.end - self.middle))


@dataclass(frozen=True)
class LimbPath:
    """A limb's turns from rest (T, 4), in the world: of its two bones, and of the foot or hand at its end."""

    upper: np.ndarray
    lower: np.ndarray
    end: np.ndarray


def end_of(start_world: np.ndarray, limb: Limb, path: LimbPath) -> np.ndarray:
    """Where the limb's end (T, 3) is, its start being at (T, 3)."""
    return start_world + _span(limb, path)


def _span(limb: Limb, path: LimbPath) -> np.ndarray:
    return quat_rotate(path.upper, limb.middle - limb.start) + quat_rotate(path.lower, limb.end - limb.middle)


def _around(held: np.ndarray, times_s: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each frame the held one before and the one after it (T,), and how much each counts here (T,), 0..1.

    held: (T,) bool, somewhere True. A held frame counts wholly for itself; away from it its share fades, and goes over
    to that of the other side.
    """
    frames = np.flatnonzero(held)
    after = np.searchsorted(frames, np.arange(len(held)))
    has_before, has_after = (after > 0) | held, after < len(frames)
    before = np.where(held, np.arange(len(held)), frames[(after - 1).clip(0)])
    after = frames[after.clip(0, len(frames) - 1)]
    since_s, until_s = times_s - times_s[before], times_s[after] - times_s
    way = np.zeros(len(held))
    both = has_before & has_after & ~held
    way[both] = fading(since_s[both] / (since_s + until_s)[both], 0.0, 1.0)
    way[~has_before] = 1.0
    ease = [fading(np.abs(apart_s), 2.0 * EASE_S, 0.0) for apart_s in (since_s, until_s)]
    return (before, ease[0] * (1.0 - way) * has_before), (after, ease[1] * way * has_after)


def eased(shift: np.ndarray, held: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Between held stretches the shift (T, 3) goes over from one to the next, by way of none where there is time."""
    if not held.any():
        return np.zeros_like(shift)
    return sum((share[:, None] * shift[frames] for frames, share in _around(held, times_s)), np.zeros_like(shift))


def turned_by(turn: np.ndarray, further: np.ndarray, held: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The turn (T, 4), where it is held turned further, and in the same way eased as `eased` does it with a shift.

    further: (T, 4), from the turn to where it is held; held: (T,) bool, somewhere True.
    """
    for frames, share in _around(held, times_s):
        turn = quat_multiply(quat_slerp(np.broadcast_to(_STILL, turn.shape), further[frames], share), turn)
    return turn


def reaching(
    starts: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    limbs: Mapping[str, Limb],
    paths: Mapping[str, LimbPath],
    times_s: np.ndarray,
) -> np.ndarray:
    """How far the body (T, 3) must come for all limbs to reach what their ends are to reach, as straight as they were
    at most.

    starts, wanted: where each limb starts and where its end is to be (T, 3). The least way into each one's reach, found
    by going into one's and the other's in turn; made smooth, and then gone once more, so that it is never less than is
    needed.
    """
    reach_m = {
        side: np.maximum(REACH_SHARE * limb.length_m, np.linalg.norm(_span(limb, paths[side]), axis=1))
        for side, limb in limbs.items()
    }

    def within_reach(shift: np.ndarray) -> np.ndarray:
        for _ in range(_REACH_TURNS):
            for side in limbs:
                way = wanted[side] - starts[side] - shift
                far_m = np.linalg.norm(way, axis=1)
                shift = shift + way * (np.maximum(far_m - reach_m[side], 0.0) / np.maximum(far_m, 1e-9))[:, None]
        return shift

    least = within_reach(np.zeros((len(times_s), 3)))
    return within_reach(smoothed(least, times_s, 2.0 * BODY_CUTOFF_HZ))


def bent(start_world: np.ndarray, end_world: np.ndarray, limb: Limb, path: LimbPath) -> LimbPath:
    """The limb bent so that its end is there (T, 3), or as near as it can be; knee or elbow point where they did."""
    upper_m, lower_m = np.linalg.norm(limb.middle - limb.start), np.linalg.norm(limb.end - limb.middle)
    upper = quat_rotate(path.upper, limb.middle - limb.start)
    lower = quat_rotate(path.lower, limb.end - limb.middle)
    before = normalized(upper + lower)
    way = end_world - start_world
    span_m = np.clip(np.linalg.norm(way, axis=1), abs(upper_m - lower_m) + 1e-6, (upper_m + lower_m) * (1 - 1e-9))
    along = normalized(way)
    swing = quat_between(before, along)
    # The middle joint's side of the line from start to end, swung along with it.
    side = upper - np.sum(upper * before, axis=1, keepdims=True) * before
    # The further a limb's end goes the more its pole tells, if it was nearly straight: its own bend then says little.
    moved_m = np.linalg.norm(way - upper - lower, axis=1, keepdims=True)
    pole_m = np.minimum(POLE_SHARE * limb.length_m, 0.5 * moved_m)
    middle = quat_rotate(swing, side + pole_m * quat_rotate(path.upper, limb.pole))
    aside = normalized(middle - np.sum(middle * along, axis=1, keepdims=True) * along)
    share = (span_m**2 + upper_m**2 - lower_m**2) / (2.0 * span_m * upper_m)
    sine = np.sqrt(np.maximum(1.0 - share**2, 0.0))
    new_upper = upper_m * (share[:, None] * along + sine[:, None] * aside)
    new_lower = span_m[:, None] * along - new_upper
    upper_turn, lower_turn = (
        quat_multiply(quat_between(normalized(quat_rotate(swing, old)), normalized(new)), quat_multiply(swing, turn))
        for old, new, turn in ((upper, new_upper, path.upper), (lower, new_lower, path.lower))
    )
    return LimbPath(upper_turn, lower_turn, path.end)
