"""Turns about a limb's own length: how much of them there is, and making them."""

from __future__ import annotations

import numpy as np

from ..rotation import quat_conjugate, quat_multiply
from .smoothing import fading

__all__ = ["about_rad", "roll_between_rad"]


def about_rad(axis: np.ndarray, angle_rad: np.ndarray) -> np.ndarray:
    """Turns (T, 4) by angles (T,) about axes (T, 3)."""
    half = 0.5 * angle_rad[:, None]
    return np.concatenate([np.cos(half), np.sin(half) * axis], axis=-1)


def roll_between_rad(start: np.ndarray, end: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """How far (T,) a turn is rolled about an axis (T, 3) against another.

    Roll beyond what a joint can do is noise and fades out, so that it never jumps from one side to the other.
    """
    apart = quat_multiply(end, quat_conjugate(start))
    roll_rad = 2.0 * np.arctan2(np.sum(apart[..., 1:] * axis, axis=-1), apart[..., 0])
    roll_rad = (roll_rad + np.pi) % (2.0 * np.pi) - np.pi
    return roll_rad * fading(np.abs(roll_rad), np.pi, np.deg2rad(130.0))
