"""Hands as points, bent joint by joint: an own truth for what the solver is told and does. Runs in Blender too."""

from __future__ import annotations

import numpy as np

from atcn_core.hands import FINGERS, HAND_21, FoundHands, HandMotion

__all__ = ["FIST", "FLAT", "POINTING", "SHAPES", "angles", "found", "hand", "moving"]

# How far each finger's three bones are bent against the ones before, in degrees, thumb first.
FLAT = ((0, 0, 0),) * 5
FIST = ((20, 35, 50), (70, 95, 55), (75, 100, 60), (78, 98, 58), (80, 90, 55))
POINTING = ((25, 40, 55), (0, 0, 0), (75, 100, 60), (78, 98, 58), (80, 90, 55))
SHAPES = {"flat": FLAT, "fist": FIST, "pointing": POINTING}

# A left hand palm down, its fingers towards y and its thumb towards x; metres.
_KNUCKLES = np.array(
    [(0.028, 0.025, -0.01), (0.026, 0.09, 0.0), (0.006, 0.093, 0.005), (-0.012, 0.087, 0.004), (-0.028, 0.077, 0.0)]
)
_LENGTHS = np.array([(0.042, 0.033, 0.027), (0.04, 0.025, 0.022), (0.045, 0.028, 0.024), (0.042, 0.027, 0.023)])
_PINKY_LENGTHS = (0.033, 0.02, 0.02)
_PALM_X = 0.5 * (_KNUCKLES[1] + _KNUCKLES[4])


def hand(shape: tuple[tuple[float, ...], ...] = FLAT, side: str = "left", spread_deg: float = 0.0) -> np.ndarray:
    """Points (21, 3) of a hand; a right one is the left one in a mirror (x)."""
    along = _PALM_X / np.linalg.norm(_PALM_X)
    across = np.cross(along, (0.0, 0.0, 1.0))
    points = np.zeros((len(HAND_21), 3))
    for finger in range(5):
        ahead, bends_about = along, -across
        if finger == 0:
            ahead = 0.45 * across + 0.82 * along - 0.35 * np.array((0.0, 0.0, 1.0))
            ahead = ahead / np.linalg.norm(ahead)
            folds_to = -across - 0.35 * np.array((0.0, 0.0, 1.0))
            bends_about = np.cross(ahead, folds_to)
            bends_about = bends_about / np.linalg.norm(bends_about)
        points[1 + 4 * finger] = _KNUCKLES[finger]
        lengths = _PINKY_LENGTHS if finger == 4 else _LENGTHS[finger]
        bent_deg = np.cumsum(shape[finger])
        for bone in range(3):
            direction = turned(ahead, bends_about, bent_deg[bone])
            if finger > 0 and bone == 0 and spread_deg:
                direction = turned(direction, (0.0, 0.0, 1.0), -spread_deg)
            start = points[1 + 4 * finger + bone]
            points[2 + 4 * finger + bone] = start + lengths[bone] * direction
    return points * ((1.0, 1.0, 1.0) if side == "left" else (-1.0, 1.0, 1.0))


def turned(vector: np.ndarray, axis: np.ndarray | tuple[float, ...], angle_deg: float) -> np.ndarray:
    """A vector (3,) turned about a unit axis (3,), after Rodrigues."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    along = np.dot(axis, vector) * np.asarray(axis)
    return along + cosine * (vector - along) + sine * np.cross(axis, vector)


def found(points: list[np.ndarray], score: np.ndarray) -> FoundHands:
    """Both hands as a detector finds them; points: (T, 21, 3) of the left and of the right hand; score: (T, 2)."""
    points_cam = np.stack(points, axis=1).astype(np.float32)
    points_cam[score == 0] = np.nan
    return FoundHands(points_cam[..., :2] * 1000.0, points_cam, score.astype(np.float32))


def angles(shape: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """The bones' bends (5, 3) of a shape, in radians."""
    return np.radians(np.array(shape, dtype=np.float64))


def moving(left: tuple[tuple[float, ...], ...], right: tuple[tuple[float, ...], ...], frames: int = 1) -> HandMotion:
    """Hands that hold a shape each."""
    bent = np.tile(np.stack([angles(left), angles(right)]), (frames, 1, 1, 1)).astype(np.float32)
    assert bent.shape == (frames, 2, len(FINGERS), 3)
    return HandMotion(bent, np.zeros_like(bent), np.ones((frames, 2), dtype=np.float32))
