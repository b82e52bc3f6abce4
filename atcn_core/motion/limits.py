"""What joints cannot do: turns beyond their range are brought back, softly and without ever jumping across."""

from __future__ import annotations

import numpy as np

from ..rotation import quat_rotate, quat_slerp
from .rolls import about_rad
from .smoothing import fading

__all__ = ["angle_kept_rad", "limited", "not_bent_back"]

# Up to this share of a limit turns are left alone; from this far on they are too near to half a turn to be believed.
FREE_SHARE, HALF_TURN_FROM_RAD = 0.8, np.deg2rad(130.0)
# How far knees and elbows may be bent back: alone up to the first angle, never beyond the second. Beyond the third the
# limb is rather folded than bent back, and goes over to the fold that half a turn is from either side.
STRAIGHT_RAD, BENT_BACK_RAD, FOLDED_FROM_RAD = np.deg2rad([10.0, 15.0, 60.0])


def angle_kept_rad(angle_rad: np.ndarray, limit_rad: float) -> np.ndarray:
    """The angles (...) of 0 and more, softly brought back below a limit."""
    free_rad = FREE_SHARE * limit_rad
    beyond = np.maximum(angle_rad - free_rad, 0.0) / (limit_rad - free_rad)
    return np.minimum(angle_rad, free_rad) + (limit_rad - free_rad) * np.tanh(beyond)


def limited(turn: np.ndarray, base: np.ndarray, limit_rad: float) -> np.ndarray:
    """`turn` (..., 4), brought back to within `limit_rad` of `base`, softly from FREE_SHARE of it on.

    Half a turn away it could be brought back on either side: there it fades out, so that it never jumps across.
    """
    between = np.abs(np.sum(turn * base, axis=-1))
    angle_rad = 2.0 * np.arccos(np.clip(between, 0.0, 1.0))
    kept_rad = angle_kept_rad(angle_rad, limit_rad) * fading(angle_rad, np.pi, HALF_TURN_FROM_RAD)
    return quat_slerp(base, turn, kept_rad / np.maximum(angle_rad, 1e-9))


def not_bent_back(upper: np.ndarray, lower: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Directions (T, 3) of shins or forearms, turned about their hinge out of bends that knees and elbows cannot do.

    upper, lower: (T, 3) unit directions; hinge: (T, 3) unit, across `upper`: the axis the joint bends about.
    What leans aside out of the plane of the bend stays, and so does all that is possible.
    """
    bend_rad = np.arctan2(np.sum(np.cross(upper, lower) * hinge, axis=-1), np.sum(upper * lower, axis=-1))
    back_rad = np.maximum(-bend_rad - STRAIGHT_RAD, 0.0)
    room_rad = BENT_BACK_RAD - STRAIGHT_RAD
    held_rad = -STRAIGHT_RAD - room_rad * np.tanh(back_rad / room_rad)
    folded = fading(-bend_rad, FOLDED_FROM_RAD, np.pi)
    kept_rad = np.where(back_rad > 0.0, held_rad + folded * (np.pi - held_rad), bend_rad)
    return quat_rotate(about_rad(hinge, kept_rad - bend_rad), lower)
