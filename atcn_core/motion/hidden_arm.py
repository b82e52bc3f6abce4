"""The arm that nobody sees of a person on hands and feet: it does as the other one.

Filmed from aside, who does press-ups hides one arm behind the body. The network guesses at it, and its guess wanders
about beside the floor. While the other hand stands for long, as seen, the hidden one most likely stands as well.
"""

from __future__ import annotations

import numpy as np

from ..rotation import normalized
from ..skeleton import SIDES, Skeleton
from .contacts import FOOT_POINTS, stands, stretches
from .smoothing import fading, running_weight

__all__ = ["with_hidden_arms"]

# Joints of an arm after its shoulder; the first two tell whether it was seen: wholly hidden and wholly seen.
_ARM = ("elbow", "wrist", "index", "pinky")
_SHOWN, HIDDEN_SCORE, SEEN_SCORE = _ARM[:2], 0.35, 0.6
# For so long the other hand must stand; hands that step in turn, as in crawling, are shorter on the floor.
STANDS_S, ENTER, LEAVE = 1.0, 0.6, 0.4
# How far down the chest faces (sine) of one whom the arms may carry, and of one whom they surely do.
FACES_DOWN = (0.5, 0.7)
# How quickly one is believed and no longer believed.
CHANGES_HZ = 1.0


def with_hidden_arms(
    joints_world: np.ndarray, skeleton: Skeleton, score: np.ndarray, standing: np.ndarray, times_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The joints (T, J, 3) and the chance (T, 6) of what stands, with hidden arms as the others are.

    joints_world: (T, J, 3) metres, z up; score: (T, J) 0..1; standing: (T, 6), of contacts.CONTACT_POINTS. What is
    given stays as it is, and so it is returned where no arm is hidden.
    """
    if len(times_s) < 2 or not {f"{side}_{joint}" for side in SIDES for joint in _ARM} <= set(skeleton.joints):
        return joints_world, standing
    shares = _shares(joints_world, skeleton, score, standing, times_s)
    if not shares.any():
        return joints_world, standing
    joints, chance = joints_world.copy(), standing.copy()
    at = {side: joints_world[:, skeleton.index(f"{side}_shoulder")] for side in SIDES}
    across = normalized(at["left"] - at["right"])[:, None]
    for i, (side, other) in enumerate((SIDES, SIDES[::-1])):
        own, twin = (skeleton.indices(*(f"{one}_{joint}" for joint in _ARM)) for one in (side, other))
        way = joints_world[:, twin] - at[other][:, None]
        mirrored = at[side][:, None] + way - 2.0 * np.sum(way * across, axis=-1, keepdims=True) * across
        joints[:, own] += shares[:, i, None, None] * (mirrored - joints_world[:, own])
        hand, others = len(FOOT_POINTS) + i, len(FOOT_POINTS) + 1 - i
        chance[:, hand] = np.maximum(standing[:, hand], shares[:, i] * standing[:, others])
    return joints, chance


def _shares(
    joints_world: np.ndarray, skeleton: Skeleton, score: np.ndarray, standing: np.ndarray, times_s: np.ndarray
) -> np.ndarray:
    """How far the left arm does as the right one, and the right as the left (T, 2), 0..1."""
    others_stand = stands(standing[:, len(FOOT_POINTS) :], times_s, ENTER, LEAVE, STANDS_S)[:, ::-1]
    if not others_stand.any():
        return np.zeros(others_stand.shape)
    seen = np.stack([score[:, skeleton.indices(*(f"{s}_{j}" for j in _SHOWN))].mean(axis=1) for s in SIDES], axis=1)
    hidden = _slowly(fading(seen, SEEN_SCORE, HIDDEN_SCORE), times_s)
    # The other hand must have been seen, but only at some time while it stands: where it is it stays.
    others_seen = np.zeros_like(hidden)
    for i, flags in enumerate(others_stand.T):
        for start, end in stretches(flags):
            others_seen[start:end, i] = 1.0 - hidden[start:end, 1 - i].min()
    share = others_stand * hidden * others_seen * _face_down(joints_world, skeleton)[:, None]
    return _slowly(share, times_s)


def _face_down(joints_world: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """How far (T,) the chest faces the floor, 0..1."""
    hips, shoulders = (joints_world[:, skeleton.indices(*(f"{s}_{j}" for s in SIDES))] for j in ("hip", "shoulder"))
    ahead = normalized(np.cross(shoulders[:, 0] - shoulders[:, 1], shoulders.mean(axis=1) - hips.mean(axis=1)))
    return fading(-ahead[:, 2], *FACES_DOWN)


def _slowly(shares: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    return np.stack([running_weight(share, times_s, CHANGES_HZ) for share in shares.T], axis=1)
