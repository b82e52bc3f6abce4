"""How a hand's fingers are bent and spread, told in the axes of its own palm: there left and right hands read alike.

Axes of a palm: towards the thumb's side, along the palm towards the fingers, out of the back of the hand.
"""

from __future__ import annotations

import numpy as np

from ..hands import FINGERS, HAND_21
from ..rotation import normalized

__all__ = ["finger_angles", "finger_axes", "finger_directions", "palm_axes", "to_palm"]

# The three bones of each finger that bend (5, 3, 2): the joints where each begins and ends.
_SEGMENTS = np.array([[(1 + 4 * finger + bone, 2 + 4 * finger + bone) for bone in range(3)] for finger in range(5)])
_WRIST, _INDEX, _PINKY = HAND_21.indices("wrist", "index_mcp", "pinky_mcp")

# Where a finger points that is not bent, and which way it bends, in the palm's axes. The thumb lies beside the palm and
# bends across it: the means of hands found in films.
_AHEAD, _PALMWARD = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
_THUMB_AHEAD, _ACROSS_PALM = normalized(np.array([0.45, 0.82, -0.35])), np.array([-1.0, 0.0, -0.35])


def palm_axes(wrist: np.ndarray, index_knuckle: np.ndarray, other_knuckle: np.ndarray, side: str) -> np.ndarray:
    """The palm's axes as columns (..., 3, 3), from three of its points (..., 3) and the side, "left" or "right".

    For a left hand they are right-handed, for a right hand left-handed: the one is the other in a mirror.
    """
    along = normalized(0.5 * (index_knuckle + other_knuckle) - wrist)
    across = index_knuckle - other_knuckle
    thumbward = normalized(across - np.sum(across * along, axis=-1, keepdims=True) * along)
    back = np.cross(thumbward, along) * (1.0 if side == "left" else -1.0)
    return np.stack([thumbward, along, back], axis=-1)


def to_palm(points: np.ndarray, side: str) -> np.ndarray:
    """A hand's points (..., 21, 3) from any axes into those of its palm, from the wrist."""
    from_wrist = points - points[..., _WRIST : _WRIST + 1, :]
    axes = palm_axes(from_wrist[..., _WRIST, :], from_wrist[..., _INDEX, :], from_wrist[..., _PINKY, :], side)
    return from_wrist @ axes


def finger_directions(points: np.ndarray) -> np.ndarray:
    """Where the bones of the fingers point (..., 5, 3, 3), unit. points: (..., 21, 3)."""
    ends = points[..., _SEGMENTS, :]
    return normalized(ends[..., 1, :] - ends[..., 0, :])


def finger_angles(directions: np.ndarray, finger: str) -> tuple[np.ndarray, np.ndarray]:
    """How far (..., N) a finger's bones are bent and turned aside, each against the one before, the first in the palm.

    directions: (..., N, 3) unit, in the palm's axes.
    """
    axes = np.broadcast_to(_neutral_axes(finger), (*directions.shape[:-2], 3, 3))
    bent, aside = [], []
    for bone in range(directions.shape[-2]):
        away, ahead, folded = np.moveaxis(np.einsum("...ji,...j->...i", axes, directions[..., bone, :]), -1, 0)
        bent.append(np.arctan2(folded, ahead))
        aside.append(np.arcsin(np.clip(away, -1.0, 1.0)))
        axes = _turned(axes, bent[-1], aside[-1])
    return np.stack(bent, axis=-1), np.stack(aside, axis=-1)


def finger_axes(bent_rad: np.ndarray, aside_rad: np.ndarray, finger: str) -> np.ndarray:
    """Axes (..., N, 3, 3) of a finger's bones as columns in those of the palm: aside, along the bone, where it bends.

    The way back from `finger_angles`: the second of them are its directions. Like those of a right palm left-handed.
    """
    axes, found = _neutral_axes(finger), []
    for bone in range(bent_rad.shape[-1]):
        axes = _turned(axes, bent_rad[..., bone], aside_rad[..., bone])
        found.append(axes)
    return np.stack(found, axis=-3)


def _neutral_axes(finger: str) -> np.ndarray:
    """Axes (3, 3) of a finger that is neither bent nor spread."""
    if finger not in FINGERS:
        raise ValueError(f"no finger is called {finger!r}")
    ahead, bends_to = (_THUMB_AHEAD, _ACROSS_PALM) if finger == "thumb" else (_AHEAD, _PALMWARD)
    bends_to = normalized(bends_to - (bends_to @ ahead) * ahead)
    return np.stack([np.cross(bends_to, ahead), ahead, bends_to], axis=-1)


def _turned(axes: np.ndarray, bent_rad: np.ndarray, aside_rad: np.ndarray) -> np.ndarray:
    """Axes (..., 3, 3) bent about the first of them, then turned aside by angles (...)."""
    away, ahead, bends_to = np.moveaxis(axes, -1, 0)
    bent, aside = bent_rad[..., None], aside_rad[..., None]
    folded = np.cos(bent) * ahead + np.sin(bent) * bends_to
    new_bends_to = np.cos(bent) * bends_to - np.sin(bent) * ahead
    new_ahead = np.cos(aside) * folded + np.sin(aside) * away
    new_away = np.cos(aside) * away - np.sin(aside) * folded
    return np.stack([new_away, new_ahead, new_bends_to], axis=-1)
