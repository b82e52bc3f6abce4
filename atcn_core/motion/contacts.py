"""What stands on the floor: heel and toe of each foot and the hands, from how slowly they move and how low they are."""

from __future__ import annotations

import numpy as np

from ..skeleton import Skeleton
from .smoothing import fading

__all__ = [
    "CONTACT_POINTS",
    "FOOT_POINTS",
    "HAND_POINTS",
    "bearing",
    "caught",
    "contact_chance",
    "contact_points",
    "foot_points",
    "hand_chance",
    "long_enough",
    "low_enough",
    "lowest_around",
    "palm_points",
    "standing_chance",
    "stands",
    "stretches",
    "velocity_m_s",
]

# What touches the floor, heel and toe of a side next to each other; a wrist stands for its hand.
FOOT_POINTS = ("left_heel", "left_toe", "right_heel", "right_toe")
HAND_POINTS = ("left_wrist", "right_wrist")
CONTACT_POINTS = (*FOOT_POINTS, *HAND_POINTS)
# How high the wrist of a hand that lies on the floor is over the soles of feet that stand there.
WRIST_HEIGHT_M = 0.05
# Over so long a movement is measured to either side: a captured foot that stands trembles.
REACH_S = 0.13
# Where a point certainly stands and certainly does not: its speed, and its height over the lowest around that time.
STANDS_M_S, MOVES_M_S = 0.10, 0.55
LOW_M, HIGH_M = 0.25, 0.50
LOWEST_WITHIN_S = 0.5
# The same of a hand, which is often still and seldom on the floor: its speed, its height over the lowest contact, and
# how much more of the latter for each metre that they are apart, as it is not yet known how level the floor is.
HAND_STANDS_M_S, HAND_MOVES_M_S = 0.25, 0.80
HAND_LOW_M, HAND_HIGH_M, FLOOR_SLOPE = 0.10, 0.20, 0.18
# A hand so near a thigh, a shin or a foot lies on it, and so far from it does not.
ON_LEG_M, OFF_LEG_M = 0.07, 0.14
_LEG = ("hip", "knee", "ankle")


def foot_points(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """FOOT_POINTS of a motion (T, 4, 3); the ankle stands in for what the joint set lacks. joints: (T, J, 3)."""
    known = skeleton.joints
    names = [point if point in known else f"{point.split('_')[0]}_ankle" for point in FOOT_POINTS]
    return joints[:, skeleton.indices(*names)]


def palm_points(joints: np.ndarray, skeleton: Skeleton, up: np.ndarray) -> np.ndarray:
    """Where hands that lie on the floor touch it (T, 2, 3), left and right. joints: (T, J, 3); up: (3,) unit."""
    return joints[:, skeleton.indices(*HAND_POINTS)] - WRIST_HEIGHT_M * up


def contact_points(joints: np.ndarray, skeleton: Skeleton, up: np.ndarray) -> np.ndarray:
    """Where CONTACT_POINTS touch the floor when they stand (T, 6, 3). joints: (T, J, 3); up: (3,) unit."""
    return np.concatenate([foot_points(joints, skeleton), palm_points(joints, skeleton, up)], axis=1)


def contact_chance(
    joints: np.ndarray, skeleton: Skeleton, times_s: np.ndarray, up: np.ndarray, sight: np.ndarray | None = None
) -> np.ndarray:
    """How likely each of CONTACT_POINTS stands on something (T, 6), 0..1.

    joints: (T, J, 3) metres in axes that stand still, with wrists and legs; up: (3,) unit. sight: (T, 3) unit, the line
    of sight, along which a single camera says nothing of the speed; None where the motion is known in all directions.
    """
    on_feet = standing_chance(foot_points(joints, skeleton), times_s, up, sight)
    return np.concatenate([on_feet, hand_chance(joints, skeleton, times_s, up, sight)], axis=1)


def hand_chance(
    joints: np.ndarray, skeleton: Skeleton, times_s: np.ndarray, up: np.ndarray, sight: np.ndarray | None = None
) -> np.ndarray:
    """How likely each of HAND_POINTS stands on something (T, 2), 0..1; all as of `contact_chance`."""
    if len(times_s) < 2:  # nothing is known of movement: nobody stands on his hands
        return np.zeros((len(times_s), len(HAND_POINTS)))
    points = contact_points(joints, skeleton, up)
    feet, palms = np.split(points, [len(FOOT_POINTS)], axis=1)
    slow = fading(_speed_m_s(palms, times_s, sight), HAND_MOVES_M_S, HAND_STANDS_M_S)
    slack_m = _slack_m(palms, feet, up)
    heights_m = palms @ up - _lowest_m(points, times_s, up)[:, None] - slack_m
    low = fading(heights_m, HAND_HIGH_M, HAND_LOW_M)
    free = fading(_from_legs_m(joints, skeleton), ON_LEG_M, OFF_LEG_M)
    return slow * low * free


def standing_chance(
    points: np.ndarray, times_s: np.ndarray, up: np.ndarray, sight: np.ndarray | None = None
) -> np.ndarray:
    """How likely each point of the feet stands on something (T, P), 0..1.

    points: (T, P, 3) metres, else as `contact_chance`.
    """
    if len(times_s) < 2:
        return np.ones(points.shape[:2])
    slow = fading(_speed_m_s(points, times_s, sight), MOVES_M_S, STANDS_M_S)
    return slow * low_enough(points, times_s, up)


def bearing(standing: np.ndarray, heights_m: np.ndarray) -> np.ndarray:
    """On which of CONTACT_POINTS the person is, (T, 6) bool: the floor is under these.

    The feet that stand, or where none does the hands that stand, or else any of the feet. Hands say less of the floor
    than feet do: how far a wrist is over its palm depends on how the hand is put down. Yet feet that are still well
    above hands that stand are held in the air, or on a chair.
    standing: (T, 6) chance 0..1; heights_m: (T, 6).
    """
    feet = np.arange(len(CONTACT_POINTS)) < len(FOOT_POINTS)
    stands = standing > 0.5
    hands_m = np.where(stands & ~feet, heights_m, np.inf).min(axis=1, keepdims=True)
    on_feet = stands & feet & (heights_m < hands_m + LOW_M)
    on_hands = stands & ~feet
    on_any_foot, on_any_hand = (points.any(axis=1, keepdims=True) for points in (on_feet, on_hands))
    return np.where(on_any_foot, on_feet, np.where(on_any_hand, on_hands, feet))


def low_enough(points: np.ndarray, times_s: np.ndarray, up: np.ndarray) -> np.ndarray:
    """How far each point of the feet (T, P) is low enough to stand, 0..1; as high as a thigh it is held in the air.

    points: (T, P, 3) metres in axes that stand still; up: (3,) unit.
    """
    return fading(points @ up - _lowest_m(points, times_s, up)[:, None], HIGH_M, LOW_M)


def _speed_m_s(points: np.ndarray, times_s: np.ndarray, sight: np.ndarray | None) -> np.ndarray:
    """Speeds (T, P) over REACH_S to either side, across the line of sight."""
    velocity = velocity_m_s(points, times_s, max(round(REACH_S / float(np.median(np.diff(times_s)))), 1))
    if sight is not None:
        velocity = velocity - np.einsum("tpi,ti->tp", velocity, sight)[..., None] * sight[:, None]
    return np.linalg.norm(velocity, axis=2)


def velocity_m_s(points: np.ndarray, times_s: np.ndarray, reach: int) -> np.ndarray:
    """Velocities over `reach` frames to either side, fewer at the ends. points: (T, ..., 3), two frames or more."""
    at = np.arange(len(times_s))
    before, after = np.maximum(at - reach, 0), np.minimum(at + reach, len(times_s) - 1)
    apart_s = (times_s[after] - times_s[before]).reshape(-1, *[1] * (points.ndim - 1))
    return (points[after] - points[before]) / apart_s


def _lowest_m(points: np.ndarray, times_s: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Height (T,) of the lowest of the points within LOWEST_WITHIN_S."""
    reach = max(round(LOWEST_WITHIN_S / float(np.median(np.diff(times_s)))), 1)
    return lowest_around((points @ up).min(axis=1), reach)


def _slack_m(palms: np.ndarray, feet: np.ndarray, up: np.ndarray) -> np.ndarray:
    """How much higher (T, 2) than the foot nearest to it a hand may be because the floor may not be level to `up`."""
    way = palms[:, :, None] - feet[:, None]
    level_m = np.linalg.norm(way - (way @ up)[..., None] * up, axis=3)
    return FLOOR_SLOPE * level_m.min(axis=2)


def _from_legs_m(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """How far (T, 2) the wrists are from the nearest thigh, shin or foot, their own side's or the other's."""
    wrists = joints[:, skeleton.indices(*HAND_POINTS)]
    toes = foot_points(joints, skeleton)[:, 1::2]
    limbs = [joints[:, skeleton.indices(*(f"{side}_{joint}" for joint in _LEG))] for side in ("left", "right")]
    legs = [np.concatenate([limb, toes[:, i : i + 1]], axis=1) for i, limb in enumerate(limbs)]
    start = np.concatenate([leg[:, :-1] for leg in legs], axis=1)[:, None]
    along = np.concatenate([np.diff(leg, axis=1) for leg in legs], axis=1)[:, None]
    way = wrists[:, :, None] - start
    share = np.sum(way * along, axis=3) / np.maximum(np.sum(along * along, axis=3), 1e-9)
    return np.linalg.norm(way - np.clip(share, 0.0, 1.0)[..., None] * along, axis=3).min(axis=2)


def lowest_around(heights_m: np.ndarray, reach: int) -> np.ndarray:
    """The lowest of the heights (T,) within `reach` frames to either side of each."""
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


def stands(chance: np.ndarray, times_s: np.ndarray, enter: float, leave: float, shortest_s: float) -> np.ndarray:
    """Which points stand, (T, P) bool: `caught`, and for so long at least. chance: (T, P); times_s: (T,)."""
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    return long_enough(caught(chance, enter, leave), max(round(shortest_s / step_s), 1))


def stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where flags (T,) are up: first frame and the one after the last, of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
