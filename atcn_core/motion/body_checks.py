"""Whether bones that names gave roles to can be a person's: what stands on what, how long, on which side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..skeleton import SIDES
from .bone_tree import BoneTree
from .facing import upright

__all__ = ["body_refusal", "place_doubts"]

_LIMBS = (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot"))
# Cosine of how far the legs may lean from where the trunk points; those of four-legged ones stand across it.
STANDING = 0.5
# Both sides' bones and both halves of a limb may differ in length by these factors.
SIDES_DIFFER, HALVES_DIFFER = 1.6, 4.0
NOTHING = 1e-3


def body_refusal(tree: BoneTree, bones: Mapping[str, int]) -> str:
    """Why these bones (role to number, all required roles) are no person's; "" where they may be."""
    hips, shoulders, feet = (
        0.5 * (tree.heads[bones[f"left_{part}"]] + tree.heads[bones[f"right_{part}"]])
        for part in ("thigh", "upper_arm", "foot")
    )
    if np.linalg.norm(shoulders - hips) < NOTHING * tree.size or np.linalg.norm(hips - feet) < NOTHING * tree.size:
        return "its joints lie in one place"
    drop = (hips - feet) / np.linalg.norm(hips - feet)
    if float(drop @ upright(tree, bones)) < STANDING:
        return "its trunk does not stand on its legs, as a four-legged one's does not"
    return ""


def place_doubts(tree: BoneTree, bones: Mapping[str, int]) -> dict[str, str]:
    """Role to what its bone's place says against it."""
    doubts: dict[str, str] = {}
    for parts in _LIMBS:
        lengths = {side: _halves(tree, bones, side, parts) for side in SIDES}
        for side in SIDES:
            for part, length in zip(parts[1:], lengths[side], strict=True):
                if length < NOTHING * tree.size:
                    doubts[f"{side}_{part}"] = "it lies where the joint before it lies"
        if doubts:
            continue
        for i, part in enumerate(parts[1:]):
            pair = lengths["left"][i], lengths["right"][i]
            if max(pair) > SIDES_DIFFER * min(pair):
                doubts |= {f"{side}_{part}": "left and right are of different length" for side in SIDES}
        for side in SIDES:
            if max(lengths[side]) > HALVES_DIFFER * min(lengths[side]):
                doubts[f"{side}_{parts[1]}"] = "the limb's halves are of very different length"
    return doubts | _crossed(tree, bones)


def _halves(tree: BoneTree, bones: Mapping[str, int], side: str, parts: tuple[str, str, str]) -> tuple[float, float]:
    first, middle, last = (tree.heads[bones[f"{side}_{part}"]] for part in parts)
    return float(np.linalg.norm(middle - first)), float(np.linalg.norm(last - middle))


def _crossed(tree: BoneTree, bones: Mapping[str, int]) -> dict[str, str]:
    """Arms whose left and right are not the legs'."""
    legs, arms = (
        tree.heads[bones[f"left_{part}"]] - tree.heads[bones[f"right_{part}"]] for part in ("thigh", "upper_arm")
    )
    if float(legs @ arms) > 0:
        return {}
    return {f"{side}_upper_arm": "arms and legs have left and right exchanged" for side in SIDES}
