"""How tall a captured person is, and the motion of one who is known to be taller or shorter."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np

from ..clip import Motion3D
from ..errors import MotionError
from ..skeleton import LIMB_12, Skeleton

__all__ = ["ASSUMED_HEIGHT_M", "HEIGHTS_M", "check_height", "of_height", "stature_m"]

# A person whose height nobody has said.
ASSUMED_HEIGHT_M = 1.70

# Up the body from the sole; what lies below the ankle and above the head joint is a share of the rest.
_UP = (("ankle", "knee"), ("knee", "hip"))
_TRUNK = ("hip", "thorax", "head")
# Without a head joint: the trunk to the shoulders, and what is above it as a share of the whole (Winter 2009).
_SHOULDER_SHARE = 0.818
_ANKLE_SHARE = 0.046
# Nobody who is filmed is smaller or taller.
HEIGHTS_M = (0.4, 3.0)
# Joints that are all at one place have no height to make another of.
_NO_HEIGHT_M = 1e-3


def stature_m(joints: np.ndarray, skeleton: Skeleton) -> float:
    """How tall somebody stands, from the lengths of legs, trunk and neck. joints: (T, J, 3) metres, any axes."""

    def length_m(start: str, end: str) -> float:
        between = joints[:, skeleton.index(end)] - joints[:, skeleton.index(start)]
        return float(np.median(np.linalg.norm(between, axis=1)))

    legs_m = 0.5 * sum(length_m(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in _UP)
    if set(_TRUNK) <= set(skeleton.joints):
        above_m = legs_m + sum(length_m(a, b) for a, b in pairwise(_TRUNK))
        return above_m / (1.0 - _ANKLE_SHARE)
    trunk_m = 0.5 * sum(length_m(f"{side}_hip", f"{side}_shoulder") for side in ("left", "right"))
    return (legs_m + trunk_m) / (_SHOULDER_SHARE - _ANKLE_SHARE)


def check_height(height_m: float) -> None:
    """Raise MotionError for a height that nobody has."""
    low_m, high_m = HEIGHTS_M
    if not low_m <= height_m <= high_m:
        raise MotionError(
            f"The performer's height is {height_m:g} m.", hint=f"Give one between {low_m:g} and {high_m:g} m."
        )


def of_height(motion: Motion3D, height_m: float) -> Motion3D:
    """The motion of a person of this height: body and way through the room grow alike, the picture stays the same.

    Raises MotionError for a height that nobody has, and where the motion lacks limbs to measure.
    """
    missing = sorted(set(LIMB_12) - set(motion.skeleton.joints))
    if missing:
        raise MotionError(f"The motion has no {', '.join(missing)}.", hint="A height needs shoulders, hips and legs.")
    check_height(height_m)
    factor = np.float32(height_m / max(stature_m(motion.joints_cam, motion.skeleton), _NO_HEIGHT_M))
    return dataclasses.replace(motion, joints_cam=motion.joints_cam * factor, root_cam=motion.root_cam * factor)
