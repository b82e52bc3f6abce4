"""Finds the plane that a rig mirrors itself in, however it stands, and each bone's twin on the other side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..rotation import normalized
from .bone_tree import BoneTree

__all__ = ["Mirror", "find_mirror"]

# How far a bone may be from its twin's mirror image, in sizes of the rig: captured people are a little crooked.
NEAR = 0.045
# Closer to the plane than this a bone is of neither side.
CENTRE = 0.012
MOST_PAIRS = 200
# Planes whose normals and places differ less than this are one.
SAME_NORMAL, SAME_PLACE = 0.02, 0.01


@dataclass(frozen=True)
class Mirror:
    """The plane and what it pairs.

    normal: (3,) unit; distance: (B,) of each head from the plane, positive on the normal's side; twin: (B,), -1: none.
    """

    normal: np.ndarray
    distance: np.ndarray
    twin: np.ndarray


def find_mirror(tree: BoneTree) -> Mirror | None:
    """The plane that the most of the rig lies in twice; None where most of it does not."""
    best, best_score = None, 0.0
    for normal, point in _planes(tree):
        score = _score(tree, normal, point)
        if score > best_score:
            best, best_score = (normal, point), score
    if best is None:
        return None
    for _ in range(2):
        normal, point = best
        mirror = _mirror(tree, normal, point)
        pairs = np.flatnonzero((mirror.twin >= 0) & (mirror.distance > CENTRE * tree.size))
        if not len(pairs):
            return None
        across = tree.heads[pairs] - tree.heads[mirror.twin[pairs]]
        best = normalized(across.sum(axis=0)), 0.5 * np.mean(tree.heads[pairs] + tree.heads[mirror.twin[pairs]], axis=0)
    return _mirror(tree, *best)


def _planes(tree: BoneTree) -> list[tuple[np.ndarray, np.ndarray]]:
    """Planes to try: between siblings that carry alike, widest apart first, and along the armature's own axes.

    A pair lies where all that it carries lies on average: clavicles are too near each other to tell a direction.
    """
    middles = _middles(tree)
    apart = []
    for siblings in [*tree.children, tuple(i for i, parent in enumerate(tree.parents) if parent is None)]:
        for i, j in combinations(siblings, 2):
            carried = sorted((tree.descendants[i], tree.descendants[j]))
            across = middles[i] - middles[j]
            if carried[0] >= 0.6 * carried[1] and np.linalg.norm(across) > CENTRE * tree.size:
                apart.append((carried[1], float(np.linalg.norm(across)), i, j))
    planes = []
    for _, _, i, j in sorted(apart, reverse=True)[:MOST_PAIRS]:
        planes.append((normalized(middles[i] - middles[j]), 0.5 * (middles[i] + middles[j])))
    middle = 0.5 * (tree.heads.min(axis=0) + tree.heads.max(axis=0))
    planes += [(axis, point) for axis in np.eye(3) for point in (middle, np.median(tree.heads, axis=0))]
    return _different(planes, tree)


def _middles(tree: BoneTree) -> np.ndarray:
    """(B, 3) the middle of each bone's head and the heads of all that hang on it."""
    total = tree.heads.copy()
    for i in reversed(tree.downwards):
        parent = tree.parents[i]
        if parent is not None:
            total[parent] += total[i]
    return total / (1.0 + tree.descendants)[:, None]


def _different(planes: list[tuple[np.ndarray, np.ndarray]], tree: BoneTree) -> list[tuple[np.ndarray, np.ndarray]]:
    """One of each bundle of planes that are nearly the same."""
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    middle = tree.heads.mean(axis=0)
    for normal, point in planes:
        for other, at in kept:
            sign = np.sign(normal @ other)
            apart = sign * ((point - middle) @ normal) - (at - middle) @ other
            if np.linalg.norm(sign * normal - other) < SAME_NORMAL and abs(apart) < SAME_PLACE * tree.size:
                break
        else:
            kept.append((normal, point))
    return kept


def _score(tree: BoneTree, normal: np.ndarray, point: np.ndarray) -> float:
    """How much of the rig's width the plane explains, less what it does not."""
    distance = (tree.heads - point) @ normal
    mirrored = tree.heads - 2 * distance[:, None] * normal
    away = _apart(mirrored, tree.heads).min(axis=1)
    wide = np.abs(distance)
    return float(np.sum(np.where(away < NEAR * tree.size, wide, -0.5 * wide)))


def _apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, M) how far each of the first points is from each of the second."""
    middle = second.mean(axis=0)
    a, b = first - middle, second - middle
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0))


def _mirror(tree: BoneTree, normal: np.ndarray, point: np.ndarray) -> Mirror:
    distance = (tree.heads - point) @ normal
    mirrored = tree.heads - 2 * distance[:, None] * normal
    cost = _apart(mirrored, tree.heads) / (NEAR * tree.size)
    tails = tree.tails - 2 * ((tree.tails - point) @ normal)[:, None] * normal
    too_far = cost > 1.0
    cost += 0.5 * np.minimum(_apart(tails, tree.tails) / (NEAR * tree.size), 2.0)
    cost += 0.6 * np.abs(tree.depth[:, None] - tree.depth[None])
    carried = 1.0 + tree.descendants
    cost += 1.5 * np.abs(np.log(carried[:, None] / carried[None]))
    same_side = (np.sign(distance)[:, None] == np.sign(distance)[None]) | np.eye(len(tree), dtype=bool)
    cost[too_far | same_side] = np.inf
    nearest = cost.argmin(axis=1)
    mutual = (nearest[nearest] == np.arange(len(tree))) & np.isfinite(cost.min(axis=1))
    return Mirror(normal, distance, np.where(mutual, nearest, -1))
