"""Feet that stay where they stand: legs bent anew on the rig itself, whose proportions are not the performer's.

What stands is held where it stood in the middle of its time there, flat where heel and toe both stand, and on the
floor where it is near it. The hips follow as far as both legs ask for it or one needs to reach, and the knees go where
the solve had them point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..rotation import normalized, quat_between, quat_multiply, quat_rotate, quat_slerp
from .contacts import caught, long_enough, stretches
from .landmarks import SIDES
from .rolls import about_rad
from .smoothing import fading, filled, smoothed
from .turns import BodyTurns

__all__ = [
    "AUTO",
    "FOOT_MODES",
    "FootMode",
    "Leg",
    "LegPath",
    "held_feet",
    "rest_legs",
    "standing_feet",
    "standing_points",
]

# How quickly a foot is let go and caught again, and how quickly the hips follow the feet.
EASE_S, HIPS_CUTOFF_HZ = 0.15, 1.5
# A leg is never pulled straighter than this share of its length.
REACH_SHARE = 0.998
_REACH_TURNS = 8
# What stands within this share of a leg's length from the floor stands on it; what is higher, on a step or a chair.
FLOOR_WITHIN = 0.14
_UP = np.array([0.0, 0.0, 1.0])
_STILL = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class FootMode:
    """What is held. still: what stands stays where it is; without it feet are only kept on and above the floor.

    enter, leave: the chance of standing at which a point of a foot is caught and let go (hysteresis).
    shortest_s: for less than this it does not count.
    """

    still: bool = True
    enter: float = 0.6
    leave: float = 0.4
    shortest_s: float = 0.1


# What counts as standing where nobody has chosen a mode.
AUTO = FootMode()
# As animators know them; None leaves the feet as they were captured.
FOOT_MODES: dict[str, FootMode | None] = {
    "auto": AUTO,
    "always": FootMode(enter=0.35, leave=0.15, shortest_s=0.0),
    "grounding": FootMode(still=False),
    "never": None,
}


@dataclass(frozen=True)
class Leg:
    """A rig's leg at rest, in the world (3,): its joints, and where its heel and its toe stand on the floor."""

    thigh: np.ndarray
    shin: np.ndarray
    foot: np.ndarray
    heel: np.ndarray
    toe: np.ndarray

    @property
    def length_m(self) -> float:
        return float(np.linalg.norm(self.shin - self.thigh) + np.linalg.norm(self.foot - self.shin))


@dataclass(frozen=True)
class LegPath:
    """A leg's turns from rest (T, 4), in the world."""

    thigh: np.ndarray
    shin: np.ndarray
    foot: np.ndarray


def rest_legs(heads: Mapping[str, np.ndarray], standing_m: Mapping[str, float], forward: np.ndarray) -> dict[str, Leg]:
    """The legs of a rig at rest. heads: bone heads (3,) by role, in the world; forward: (3,) where it faces.

    standing_m: how high ankles and toe joints are above the floor when it stands.
    """
    legs = {}
    for side in SIDES:
        thigh, shin, foot = (heads[f"{side}_{part}"] for part in ("thigh", "shin", "foot"))
        floor = foot - standing_m[f"{side}_foot"] * _UP
        half_m = 0.5 * float(np.linalg.norm(shin - thigh) + np.linalg.norm(foot - shin))
        ahead = heads.get(f"{side}_toe", foot + 0.35 * half_m * forward) - foot
        ahead = ahead - (ahead @ _UP) * _UP
        if ahead @ forward < 0.1 * half_m:  # a toe bone right under the ankle
            ahead = 0.35 * half_m * forward
        legs[side] = Leg(thigh, shin, foot, floor - 0.3 * ahead, floor + ahead)
    return legs


def standing_points(chance: np.ndarray, times_s: np.ndarray, mode: FootMode = AUTO) -> np.ndarray:
    """Which points stand, (T, P) bool. chance: (T, P), as of contacts.CONTACT_POINTS."""
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    return long_enough(caught(chance, mode.enter, mode.leave), max(round(mode.shortest_s / step_s), 1))


def standing_feet(chance: np.ndarray, times_s: np.ndarray, mode: FootMode) -> dict[str, np.ndarray]:
    """`standing_points` by side, of heel and toe (T, 2). chance: (T, P), contacts.FOOT_POINTS first."""
    flags = standing_points(chance, times_s, mode)
    return {side: flags[:, 2 * i : 2 * i + 2] for i, side in enumerate(SIDES)}


def held_feet(
    turned: BodyTurns,
    hips_world: np.ndarray,
    rest_hips: np.ndarray,
    legs: Mapping[str, Leg],
    standing: Mapping[str, np.ndarray],
    times_s: np.ndarray,
    floor_m: float,
    *,
    still: bool = True,
) -> tuple[BodyTurns, np.ndarray]:
    """The body's turns and the way (T, 3) of the hips bone's head with which what stands stays in place.

    hips_world: (T, 3) as it was; rest_hips: (3,) the head at rest; standing: by side (T, 2), of heel and toe;
    floor_m: the floor's height. still: False only keeps the feet on and above the floor.
    """
    paths = {side: LegPath(*(turned.parts[f"{side}_{part}"] for part in ("thigh", "shin", "foot"))) for side in legs}
    paths = {
        side: replace(path, foot=_settled(path.foot, legs[side], standing[side], times_s, still=still))
        for side, path in paths.items()
    }
    hips_to = {side: quat_rotate(turned.hips, leg.thigh - rest_hips) for side, leg in legs.items()}
    ankles = {side: _ankle(hips_world + hips_to[side], leg, paths[side]) for side, leg in legs.items()}
    needed = {
        side: _needed_shift(
            _sole(ankles[side], legs[side], paths[side].foot), leg, standing[side], floor_m, still=still
        )
        for side, leg in legs.items()
    }
    common = _hips_shift(needed, standing, times_s)
    moved = hips_world + common
    held = {side: np.asarray(standing[side].any(axis=1)) for side in legs}
    wanted = {side: ankles[side] + common + _eased(needed[side] - common, held[side], times_s) for side in legs}
    for side, leg in legs.items():
        lowest_m = _sole(wanted[side], leg, paths[side].foot)[..., 2].min(axis=1)
        wanted[side][:, 2] += np.maximum(floor_m - lowest_m, 0.0)
    moved = moved + _reaching({side: moved + hips_to[side] for side in legs}, wanted, legs, paths, times_s)
    parts = dict(turned.parts)
    for side, leg in legs.items():
        bent = _bent(moved + hips_to[side], wanted[side], leg, paths[side])
        parts |= {f"{side}_thigh": bent.thigh, f"{side}_shin": bent.shin, f"{side}_foot": bent.foot}
    return replace(turned, parts=parts), moved


def _ankle(thigh_world: np.ndarray, leg: Leg, path: LegPath) -> np.ndarray:
    return thigh_world + quat_rotate(path.thigh, leg.shin - leg.thigh) + quat_rotate(path.shin, leg.foot - leg.shin)


def _settled(foot_turn: np.ndarray, leg: Leg, standing: np.ndarray, times_s: np.ndarray, *, still: bool) -> np.ndarray:
    """The foot's turn (T, 4), flat where heel and toe both stand, and there (`still`) pointing one way."""
    flat = np.asarray(standing.all(axis=1))
    if not flat.any():
        return foot_turn
    along = quat_rotate(foot_turn, normalized(leg.toe - leg.heel))
    level = normalized(along * [1.0, 1.0, 0.0])
    # A sole that stands on its edge is turned flat about its length; the rest's up is the sole's own.
    swing = quat_between(along, level)
    sole_up = quat_rotate(quat_multiply(swing, foot_turn), _UP)
    flatten = quat_multiply(quat_between(sole_up, np.broadcast_to(_UP, sole_up.shape)), swing)
    heading_rad = np.unwrap(np.arctan2(level[:, 1], level[:, 0]))
    yaw_rad = np.zeros(len(times_s))
    for start, end in stretches(flat) if still else ():
        yaw_rad[start:end] = np.median(heading_rad[start:end]) - heading_rad[start:end]
    upright = quat_multiply(about_rad(np.broadcast_to(_UP, sole_up.shape), yaw_rad), flatten)
    still_turn = np.broadcast_to(_STILL, upright.shape)
    for frames, share in _around(flat, times_s):
        foot_turn = quat_multiply(quat_slerp(still_turn, upright[frames], share), foot_turn)
    return foot_turn


def _around(held: np.ndarray, times_s: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each frame the held one before and the one after it (T,), and how much each counts here (T,), 0..1.

    A held frame counts wholly for itself; away from it its share fades, and goes over to that of the other side.
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


def _sole(ankle: np.ndarray, leg: Leg, foot_turn: np.ndarray) -> np.ndarray:
    """Where heel and toe stand (T, 2, 3)."""
    return np.stack([ankle + quat_rotate(foot_turn, point - leg.foot) for point in (leg.heel, leg.toe)], axis=1)


def _needed_shift(places: np.ndarray, leg: Leg, standing: np.ndarray, floor_m: float, *, still: bool) -> np.ndarray:
    """How far the ankle (T, 3) must go so that the foot stays where it stands; 0 where it does not.

    places: (T, 2, 3) of heel and toe. While both stand the toe is held, and the heel with it, as the foot does not turn
    then; where the weight goes from one to the other, the second stays where it came down.
    """
    needed = np.zeros_like(places[:, 0])
    held_point = np.where(standing[:, 1], 1, 0)
    for first, last in stretches(np.asarray(standing.any(axis=1))):
        changes = np.flatnonzero(np.diff(held_point[first:last])) + first + 1
        for start, end in pairwise([first, *changes, last]):
            at = places[start:end, held_point[start]]
            anchor = at[0] + needed[start - 1] if start > first else at[0]
            needed[start:end, :2] = (anchor - at)[:, :2]
            height_m = np.median(at[:, 2])
            on_floor = height_m - floor_m < FLOOR_WITHIN * leg.length_m
            needed[start:end, 2] = (floor_m if on_floor else height_m) - at[:, 2]
        needed[first:last, :2] -= np.median(needed[first:last, :2], axis=0)
    if not still:
        needed[:, :2] = 0.0
    return needed


def _eased(shift: np.ndarray, held: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Between held stretches the shift (T, 3) goes over from one to the next, by way of none where there is time."""
    if not held.any():
        return np.zeros_like(shift)
    return sum((share[:, None] * shift[frames] for frames, share in _around(held, times_s)), np.zeros_like(shift))


def _hips_shift(
    needed: Mapping[str, np.ndarray], standing: Mapping[str, np.ndarray], times_s: np.ndarray
) -> np.ndarray:
    """What the standing feet have in common the hips (T, 3) do as well, slowly, and go from one to the next between."""
    weight = np.stack([standing[side].any(axis=1).astype(float) for side in needed], axis=1)
    held = weight.sum(axis=1)
    if not held.any():
        return np.zeros((len(times_s), 3))
    common = np.einsum("ts,tsi->ti", weight, np.stack(list(needed.values()), axis=1)) / np.maximum(held, 1.0)[:, None]
    common = filled(common, held > 0, times_s)
    return smoothed(common, times_s, HIPS_CUTOFF_HZ, np.maximum(held, 0.05))


def _reaching(
    thighs: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    legs: Mapping[str, Leg],
    paths: Mapping[str, LegPath],
    times_s: np.ndarray,
) -> np.ndarray:
    """How far the hips (T, 3) must come towards the feet for both legs to reach them, as straight as they were at most.

    The least way into both legs' reach, found by going into one's and the other's in turn; made smooth, and then
    gone once more, so that it is never less than is needed.
    """
    reach_m = {}
    for side, leg in legs.items():
        span = quat_rotate(paths[side].thigh, leg.shin - leg.thigh) + quat_rotate(paths[side].shin, leg.foot - leg.shin)
        reach_m[side] = np.maximum(REACH_SHARE * leg.length_m, np.linalg.norm(span, axis=1))

    def within_reach(shift: np.ndarray) -> np.ndarray:
        for _ in range(_REACH_TURNS):
            for side in legs:
                way = wanted[side] - thighs[side] - shift
                far_m = np.linalg.norm(way, axis=1)
                shift = shift + way * (np.maximum(far_m - reach_m[side], 0.0) / np.maximum(far_m, 1e-9))[:, None]
        return shift

    least = within_reach(np.zeros((len(times_s), 3)))
    return within_reach(smoothed(least, times_s, 2.0 * HIPS_CUTOFF_HZ))


def _bent(thigh_world: np.ndarray, ankle: np.ndarray, leg: Leg, path: LegPath) -> LegPath:
    """The leg bent so that its ankle is there, its knee pointing where it pointed before."""
    upper_m, lower_m = np.linalg.norm(leg.shin - leg.thigh), np.linalg.norm(leg.foot - leg.shin)
    upper = quat_rotate(path.thigh, leg.shin - leg.thigh)
    lower = quat_rotate(path.shin, leg.foot - leg.shin)
    before = normalized(upper + lower)
    way = ankle - thigh_world
    span_m = np.clip(np.linalg.norm(way, axis=1), abs(upper_m - lower_m) + 1e-6, (upper_m + lower_m) * (1 - 1e-9))
    along = normalized(way)
    swing = quat_between(before, along)
    # The knee's side of the line from hip to ankle, swung along with it.
    knee = quat_rotate(swing, upper - np.sum(upper * before, axis=1, keepdims=True) * before)
    aside = normalized(knee - np.sum(knee * along, axis=1, keepdims=True) * along)
    share = (span_m**2 + upper_m**2 - lower_m**2) / (2.0 * span_m * upper_m)
    sine = np.sqrt(np.maximum(1.0 - share**2, 0.0))
    new_upper = upper_m * (share[:, None] * along + sine[:, None] * aside)
    new_lower = span_m[:, None] * along - new_upper
    thigh, shin = (
        quat_multiply(quat_between(normalized(quat_rotate(swing, old)), normalized(new)), quat_multiply(swing, turn))
        for old, new, turn in ((upper, new_upper, path.thigh), (lower, new_lower, path.shin))
    )
    return LegPath(thigh, shin, path.foot)
