"""Hands as they were found made into hands that move: within what joints can do, steady, without gaps."""

from __future__ import annotations

import numpy as np

from ..hands import FINGERS, FoundHands, HandMotion
from ..skeleton import SIDES
from .fingers_palm import finger_angles, finger_directions, to_palm
from .smoothing import fading, filled, running_weight, smoothed

__all__ = ["LIMITS_DEG", "hand_motion", "impossible_rad", "relaxed_hand"]

# How far each bone bends and turns aside, least and most, in degrees; beyond that it goes on by at most _ROOM_DEG.
LIMITS_DEG = {
    "thumb": (((-40, 55), (-45, 45)), ((-10, 65), (-20, 20)), ((-12, 85), (-10, 10))),
    "index": (((-20, 95), (-22, 26)), ((-4, 115), (-10, 10)), ((-8, 85), (-8, 8))),
    "middle": (((-20, 95), (-22, 20)), ((-4, 115), (-10, 10)), ((-8, 85), (-8, 8))),
    "ring": (((-20, 95), (-26, 16)), ((-4, 115), (-10, 10)), ((-8, 85), (-8, 8))),
    "pinky": (((-20, 95), (-36, 16)), ((-4, 115), (-10, 10)), ((-8, 85), (-8, 8))),
}
_ROOM_DEG = 8.0
_LOW, _HIGH = np.moveaxis(np.deg2rad(np.array([LIMITS_DEG[finger] for finger in FINGERS], dtype=np.float64)), -1, 0)
# A bone this much further off than it can be is doubted and then not believed at all; so is a hand whose bones are on
# average.
_DISBELIEVED_DEG, _BROKEN_DEG = (20.0, 70.0), (8.0, 20.0)
# Below the first of these scores a hand is taken to be at ease, above the second it is what was found.
_AT_EASE_BELOW = (0.2, 0.6)
# A hand at ease: what a hand does that is not seen.
_RELAXED_BENT_DEG = {
    "thumb": (5, 12, 15),
    "index": (20, 30, 15),
    "middle": (25, 35, 18),
    "ring": (28, 38, 18),
    "pinky": (30, 35, 18),
}
_RELAXED_ASIDE_DEG = {"thumb": 0, "index": 2, "middle": -2, "ring": -5, "pinky": -10}

# Fingers are found anew in each frame, with a tremble. Waves of these frequencies keep half their height.
BENT_CUTOFF_HZ, ASIDE_CUTOFF_HZ = 5.0, 3.0
# How long a hand that is lost stays as it was, and when it is at ease.
_HELD_S, _AT_EASE_S = 0.25, 0.8
# Fewer frames than these do not make a hand that was seen.
_LEAST_FRAMES, _LEAST_SHARE = 3, 0.02
# A hand found in no more than the first share of the frames around is not believed, from the second on it is.
_ALONE = (0.15, 0.45)
# How far a bone may be from where the frames around have it, in which time these are and how many at least; beyond that
# it is wild.
_STRAY_DEG, _NEAR_S, _LEAST_AROUND = 30.0, 0.15, 4


def relaxed_hand() -> tuple[np.ndarray, np.ndarray]:
    """How far the bones of a hand at ease (5, 3) are bent, and turned aside, in radians."""
    bent = np.array([_RELAXED_BENT_DEG[finger] for finger in FINGERS], dtype=np.float64)
    aside = np.array([(_RELAXED_ASIDE_DEG[finger], 0, 0) for finger in FINGERS], dtype=np.float64)
    return np.deg2rad(bent), np.deg2rad(aside)


def hand_motion(found: FoundHands, times_s: np.ndarray) -> HandMotion:
    """The fingers' movement over a clip. A hand that was hardly ever found has score 0 throughout, and is at ease.

    times_s: (T,).
    """
    frames = len(times_s)
    bent, aside = np.empty((2, frames, 2, len(FINGERS), 3))
    score = np.where(_seen(found.score), found.score, 0.0)
    for which, side in enumerate(SIDES):
        bent[:, which], aside[:, which] = _one_hand(found.points_cam[:, which], score[:, which], side, times_s)
    return HandMotion(bent.astype(np.float32), aside.astype(np.float32), score.astype(np.float32))


def _seen(score: np.ndarray) -> np.ndarray:
    """(2,) whether each hand was found often enough. score: (T, 2)."""
    return (score > 0).sum(axis=0) >= max(_LEAST_FRAMES, _LEAST_SHARE * len(score))


def _one_hand(points: np.ndarray, score: np.ndarray, side: str, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bent and aside (T, 5, 3) of one hand. points: (T, 21, 3), anything where the score (T,) is 0."""
    relaxed = np.stack(relaxed_hand(), axis=-1)
    path = np.broadcast_to(relaxed, (len(times_s), *relaxed.shape)).copy()
    known = score > 0
    if known.any():
        angles = _angles(points[known].astype(np.float64), side)
        beyond_deg = np.rad2deg(_beyond_rad(angles))
        trust = np.zeros(len(times_s))
        whole = fading(beyond_deg.mean(axis=(1, 2)), *_BROKEN_DEG[::-1])
        trust[known] = score[known] * whole * fading(_company(known, times_s), *_ALONE)
        share = _nearness(times_s, known) * _confidence(trust, known, times_s)
        wild = _wild(angles[..., 0], times_s[known])
        for finger, bone in np.ndindex(relaxed.shape[:2]):
            weight = trust.copy()
            weight[known] *= fading(beyond_deg[:, finger, bone], *_DISBELIEVED_DEG[::-1])
            low, high = _LOW[finger, bone], _HIGH[finger, bone]
            doubted = wild[:, finger, bone] | (weight[known] <= 0.0)
            steady = _steady(_kept(angles[:, finger, bone], low, high), weight, known, doubted, times_s)
            # A smooth path swings out a little where it turns.
            path[:, finger, bone] += share[:, None] * (_kept(steady, low, high) - relaxed[finger, bone])
    return path[..., 0], path[..., 1]


def impossible_rad(points: np.ndarray, side: str) -> np.ndarray:
    """(K,) how far the bones of hands (K, 21, 3) are beyond what joints can do, on average."""
    return _beyond_rad(_angles(points, side)).mean(axis=(1, 2))


def _beyond_rad(angles: np.ndarray) -> np.ndarray:
    """(K, 5, 3) how far each bone is beyond what it can do. angles: (K, 5, 3, 2)."""
    return np.maximum(_LOW - angles, angles - _HIGH).max(axis=-1).clip(min=0.0)


def _angles(points: np.ndarray, side: str) -> np.ndarray:
    """How far the bones of hands (K, 21, 3) are bent and aside (K, 5, 3, 2), within half a turn of what is possible."""
    directions = finger_directions(to_palm(points, side))
    both = [np.stack(finger_angles(directions[:, i], finger), axis=-1) for i, finger in enumerate(FINGERS)]
    middle = 0.5 * (_LOW + _HIGH)
    return (np.stack(both, axis=1) - middle + np.pi) % (2.0 * np.pi) - np.pi + middle


def _confidence(trust: np.ndarray, known: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(T,) how far the hand around each frame is believed, rather than to be at ease. trust: (T,)."""
    around = filled(trust[:, None], known, times_s)[:, 0]
    return fading(running_weight(around, times_s), *_AT_EASE_BELOW)


def _steady(
    values: np.ndarray, weight: np.ndarray, known: np.ndarray, doubted: np.ndarray, times_s: np.ndarray
) -> np.ndarray:
    """Angles (T, 2), bent and aside, without tremble.

    values: (K, 2) of the known frames (T,) bool; doubted: (K,) bool, those that are left out, unless all are.
    """
    spread = np.zeros((len(times_s), 2))
    spread[known] = values
    calm = known.copy()
    if not doubted.all():
        calm[known] = ~doubted
    path = filled(spread, calm, times_s)
    trust = np.where(calm, weight, 0.02)
    return np.stack(
        [
            smoothed(path[:, 0], times_s, BENT_CUTOFF_HZ, trust),
            smoothed(path[:, 1], times_s, ASIDE_CUTOFF_HZ, trust),
        ],
        axis=1,
    )


def _wild(bent_rad: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(K, 5, 3) bool: bones far off the median of the frames around them. bent_rad: (K, 5, 3); times_s: (K,)."""
    wild = np.zeros(bent_rad.shape, dtype=bool)
    firsts = np.searchsorted(times_s, times_s - _NEAR_S)
    lasts = np.searchsorted(times_s, times_s + _NEAR_S, side="right")
    for i, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        if last - first >= _LEAST_AROUND:
            usual = np.median(bent_rad[first:last], axis=0)
            wild[i] = np.abs(bent_rad[i] - usual) > np.deg2rad(_STRAY_DEG)
    return wild


def _company(known: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(K,) for each known frame the share of the frames around it that are known too."""
    first = np.searchsorted(times_s, times_s[known] - _NEAR_S)
    last = np.searchsorted(times_s, times_s[known] + _NEAR_S, side="right")
    upto = np.concatenate([[0], np.cumsum(known)])
    return (upto[last] - upto[first]) / (last - first)


def _nearness(times_s: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(T,) 1 where a hand was seen a moment ago or soon will be, fading to 0 in longer gaps."""
    seen_s = times_s[known]
    after = np.searchsorted(seen_s, times_s).clip(0, len(seen_s) - 1)
    before = (after - 1).clip(0)
    away_s = np.minimum(np.abs(times_s - seen_s[after]), np.abs(times_s - seen_s[before]))
    return fading(away_s, _AT_EASE_S, _HELD_S)


def _kept(angle_rad: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Angles as they are within the limits, softly held a little beyond them."""
    inside, room = np.clip(angle_rad, low, high), np.deg2rad(_ROOM_DEG)
    return inside + room * np.tanh((angle_rad - inside) / room)
