"""Which way a rig at rest looks, by what bodies show: feet point forwards, knees bend forwards, elbows backwards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..rotation import normalized
from ..skeleton import SIDES
from .bone_tree import BoneTree

__all__ = ["LOOKS_SURE", "LOOKS_WELL_SURE", "looks_forward", "upright"]

# What `looks_forward` gives at least where one sign tells, and where several agree.
LOOKS_SURE, LOOKS_WELL_SURE = 0.7, 1.8
FEET, KNEES, ELBOWS, FACE = 2.0, 1.0, 0.7, 0.7
# Bends of this share of the limb, and faces this share of the trunk before the head's joint, count in full.
PLAIN_BEND, PLAIN_FACE = 0.02, 0.05


def upright(tree: BoneTree, bones: Mapping[str, int]) -> np.ndarray:
    """(3,) unit, from between the thighs' heads to between the upper arms'. bones: role to number."""
    return normalized(_middle(tree, bones, "upper_arm") - _middle(tree, bones, "thigh"))


def looks_forward(tree: BoneTree, bones: Mapping[str, int]) -> float:
    """How plainly the rig looks where one with these left and right sides should; negative: they are exchanged.

    bones: role to number, of both sides. About 4 where everything agrees, near 0 where nothing tells.
    """
    up = upright(tree, bones)
    across = sum(_across(tree, bones, part) for part in ("thigh", "upper_arm"))
    left = normalized(across - (across @ up) * up)
    forward = np.cross(left, up)
    trunk = float(np.linalg.norm(_middle(tree, bones, "upper_arm") - _middle(tree, bones, "thigh")))
    feet = float(np.mean([_pointing(tree, bones, side) @ forward for side in SIDES]))
    knees = _bend(tree, bones, ("thigh", "shin", "foot"), forward)
    elbows = _bend(tree, bones, ("upper_arm", "forearm", "hand"), forward)
    told = FEET * float(np.clip(feet / 0.5, -1, 1))
    told += KNEES * float(np.clip(knees / PLAIN_BEND, -1, 1)) - ELBOWS * float(np.clip(elbows / PLAIN_BEND, -1, 1))
    below = tree.below(bones["head"]) if "head" in bones else []
    if below:
        ahead = (tree.heads[below].mean(axis=0) - tree.heads[bones["head"]]) @ forward / max(trunk, 1e-12)
        told += FACE * float(np.clip(ahead / PLAIN_FACE, -1, 1))
    return told


def _middle(tree: BoneTree, bones: Mapping[str, int], part: str) -> np.ndarray:
    return 0.5 * (tree.heads[bones[f"left_{part}"]] + tree.heads[bones[f"right_{part}"]])


def _across(tree: BoneTree, bones: Mapping[str, int], part: str) -> np.ndarray:
    return tree.heads[bones[f"left_{part}"]] - tree.heads[bones[f"right_{part}"]]


def _pointing(tree: BoneTree, bones: Mapping[str, int], side: str) -> np.ndarray:
    """(3,) from the ankle to the foot's farthest point, unit."""
    foot = bones[f"{side}_foot"]
    points = np.vstack([tree.tails[foot], tree.heads[tree.below(foot)]])
    if f"{side}_toe" in bones:
        points = tree.heads[[bones[f"{side}_toe"]]]
    away = points - tree.heads[foot]
    return normalized(away[np.linalg.norm(away, axis=1).argmax()])


def _bend(tree: BoneTree, bones: Mapping[str, int], parts: tuple[str, str, str], forward: np.ndarray) -> float:
    """How far the middle joint lies before the line of the outer ones, in lengths of the limb; mean of both sides."""
    bends = []
    for side in SIDES:
        first, middle, last = (tree.heads[bones[f"{side}_{part}"]] for part in parts)
        along = last - first
        share = (middle - first) @ along / max(along @ along, 1e-24)
        bends.append((middle - first - share * along) @ forward / max(float(np.linalg.norm(along)), 1e-12))
    return float(np.mean(bends))
