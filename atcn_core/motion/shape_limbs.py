"""Finds legs and arms in a mirrored rig by lengths and places alone: which joint is a hip, a knee, an ankle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from .bone_tree import BoneTree
from .symmetry import Mirror

__all__ = ["Body", "Limb", "find_body"]

# All in lengths of the limb (first joint to third). What people and their caricatures have, and how far they stray.
ARM_TO_LEG, ARM_TO_LEG_STRAY = 0.75, 0.6
TRUNK_TO_LEG, TRUNK_TO_LEG_STRAY = 0.65, 0.8
HALVES_STRAY = 0.33
# What a bone left out between two joints costs: twist bones are, elbows are not.
LEFT_OUT = 0.25
# A clavicle is short beside its arm; half an upper arm is not.
ARM_STUB, LEG_STUB = 0.14, 0.06
SHORTEST_IN_RIG = 0.08
# Of a standing person the legs go on where the trunk ends; a four-legged one's stand across it.
STANDING = 0.72
# Cosine of the angle that a thumb is off the other fingers at least.
FAN = 0.97
TRIPLES_KEPT = 6
MOST_LIMBS = 24
ENOUGH = -8.5


Score = Callable[[BoneTree, tuple[int, ...], tuple[int, int, int], float], float]


@dataclass(frozen=True)
class Limb:
    """Three joints of a limb on one side and its twins: bones by number, outwards; path: all bones of that side."""

    joints: tuple[int, int, int]
    twins: tuple[int, int, int]
    path: tuple[int, ...]
    length: float
    score: float


@dataclass(frozen=True)
class Body:
    """Legs, arms and the bone that carries them all. up: (3,) unit, from the hips to the shoulders."""

    legs: Limb
    arms: Limb
    hips: int
    up: np.ndarray
    score: float


def find_body(tree: BoneTree, mirror: Mirror) -> tuple[Body | None, str]:
    """The likeliest body, or None and why there is none."""
    paths = list(_paths(tree, mirror))
    legs = [limb for path in paths for limb in _limbs(tree, mirror, path, _leg_score)]
    arms = [limb for path in paths for limb in _limbs(tree, mirror, path, _arm_score)]
    best, refusal = None, "it has no two pairs of limbs with three joints each"
    for leg in legs:
        for arm in arms:
            if leg.path[0] == arm.path[0]:
                continue
            body, why = _body(tree, leg, arm)
            refusal = why or refusal
            if body is not None and (best is None or body.score > best.score):
                best = body
    if best is not None and best.score < ENOUGH:
        return None, "its limbs have no person's proportions"
    return best, "" if best is not None else refusal


def _paths(tree: BoneTree, mirror: Mirror) -> Iterator[tuple[int, ...]]:
    """From where both sides part out to the farthest end, for each pair of branches; one side of each."""
    longest: dict[int, tuple[float, tuple[int, ...]]] = {}
    for end in range(len(tree)):
        twin = int(mirror.twin[end])
        # A sword in one hand goes on where the body has ended.
        goes_on = any(mirror.twin[child] >= 0 for child in tree.children[end])
        if goes_on or twin < 0 or mirror.distance[end] <= 0:
            continue
        common = tree.common((end, twin))
        line = [end, *tree.above(end)]
        path = tuple(reversed(line[: line.index(common)] if common is not None else line))
        while path and mirror.twin[path[0]] < 0:
            path = path[1:]
        length = _way(tree, path)
        if path and length > longest.get(path[0], (SHORTEST_IN_RIG * tree.size, ()))[0]:
            longest[path[0]] = (length, path)
    chosen = [path for _, path in sorted(longest.values(), reverse=True)[:MOST_LIMBS]]
    yield from chosen
    for path in chosen:
        yield from (path + apart for apart in chosen if _goes_on(tree, path, apart))


def _way(tree: BoneTree, path: tuple[int, ...]) -> float:
    """Length along a row of bones, its last bone's own included."""
    if not path:
        return 0.0
    points = np.vstack([tree.heads[list(path)], tree.tails[path[-1]]])
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _goes_on(tree: BoneTree, path: tuple[int, ...], apart: tuple[int, ...]) -> bool:
    """Whether a branch that hangs elsewhere begins where this one ends, as feet do that hang on no leg."""
    if set(path) & set(apart) or len(path) < 2:
        return False
    away = np.linalg.norm(tree.heads[apart[0]] - tree.tails[path[-1]])
    return bool(away < 0.1 * _way(tree, path))


def _limbs(tree: BoneTree, mirror: Mirror, path: tuple[int, ...], score: Score) -> list[Limb]:
    found = []
    twins = [int(mirror.twin[bone]) for bone in path]
    for places in combinations(range(len(path)), 3):
        first, middle, last = places
        joints, others = (path[first], path[middle], path[last]), (twins[first], twins[middle], twins[last])
        if min(others) < 0:
            continue
        length = float(sum(np.linalg.norm(np.diff(tree.heads[list(joints)], axis=0), axis=1)))
        if length > SHORTEST_IN_RIG * tree.size:
            found.append(Limb(joints, others, path, length, score(tree, path, places, length)))
    return sorted(found, key=lambda limb: -limb.score)[:TRIPLES_KEPT]


def _common_score(tree: BoneTree, path: tuple[int, ...], places: tuple[int, int, int], length: float) -> float:
    """Halves alike, the bones between them in line, nothing long before."""
    first, middle, last = places
    heads = tree.heads[list(path)]
    halves = np.linalg.norm(heads[middle] - heads[first]), np.linalg.norm(heads[last] - heads[middle])
    if min(halves) < 0.2 * length:
        return -99.0
    score = -((np.log(halves[0] / halves[1]) / HALVES_STRAY) ** 2)
    score -= LEFT_OUT * (last - first - 2)
    for start, end in ((first, middle), (middle, last)):
        along = heads[end] - heads[start]
        for between in heads[start + 1 : end]:
            share = np.clip((between - heads[start]) @ along / (along @ along), 0.0, 1.0)
            score -= (np.linalg.norm(between - heads[start] - share * along) / (0.06 * length)) ** 2
    before = float(np.linalg.norm(np.diff(heads[: first + 1], axis=0), axis=1).sum())
    score -= (before / (0.45 * length)) ** 2
    return float(score)


def _begins_with_stub(tree: BoneTree, path: tuple[int, ...], first: int, middle: int, shortest: float) -> bool:
    """Whether the bone that the limb is to begin with is too short for a twist bone's upper half."""
    return first + 1 < middle and bool(
        np.linalg.norm(np.subtract(*tree.heads[list(path[first : first + 2])])) < shortest
    )


def _leg_score(tree: BoneTree, path: tuple[int, ...], places: tuple[int, int, int], length: float) -> float:
    """Straight, and then a foot that turns off."""
    score = _common_score(tree, path, places, length)
    heads = tree.heads[list(path)]
    first, last = places[0], places[2]
    score -= ((1.0 - np.linalg.norm(heads[last] - heads[first]) / length) / 0.08) ** 2
    after = _way(tree, path[last:])
    score -= (max(after / length - 0.6, 0.0) / 0.3) ** 2
    end = tree.heads[path[last + 1]] if last + 1 < len(path) else tree.tails[path[last]]
    foot, leg = end - heads[last], heads[last] - heads[first]
    score -= _begins_with_stub(tree, path, first, places[1], LEG_STUB * length)
    bend = foot @ leg / max(np.linalg.norm(foot) * np.linalg.norm(leg), 1e-12)
    return float(score - 2.0 * max(bend - 0.6, 0.0) / 0.4)


def _arm_score(tree: BoneTree, path: tuple[int, ...], places: tuple[int, int, int], length: float) -> float:
    """A hand of some length, on which fingers branch if they do anywhere."""
    score = _common_score(tree, path, places, length)
    last = places[2]
    after = _way(tree, path[last:])
    score -= _begins_with_stub(tree, path, places[0], places[1], ARM_STUB * length)
    score -= (max(after / length - 0.5, 0.0) / 0.25) ** 2 + (max(0.12 - after / length, 0.0) / 0.06) ** 2
    fans = [_fans(tree, bone, following) for bone, following in pairwise(path[places[0] :])] + [False]
    if any(fans):
        score += 1.5 if fans[last - places[0]] else 0.0
        score -= 1.5 * any(fans[: last - places[0]])
    return float(score)


def _fans(tree: BoneTree, bone: int, following: int) -> bool:
    """Whether other bones than twist bones branch off here beside the one that follows: fingers."""
    ahead = tree.heads[following] - tree.heads[bone]
    for child in tree.children[bone]:
        end = tree.heads[tree.children[child][0]] if tree.children[child] else tree.tails[child]
        aside = end - tree.heads[bone]
        cosine = aside @ ahead / max(np.linalg.norm(aside) * np.linalg.norm(ahead), 1e-12)
        if child != following and cosine < FAN:
            return True
    return False


def _body(tree: BoneTree, legs: Limb, arms: Limb) -> tuple[Body | None, str]:
    """The body that this pair of legs and this pair of arms make, or why they make none."""
    leg, arm = (tree.heads[list(limb.joints)] + tree.heads[list(limb.twins)] for limb in (legs, arms))
    leg, arm = 0.5 * leg, 0.5 * arm
    trunk = arm[0] - leg[0]
    trunk_length, leg_drop = float(np.linalg.norm(trunk)), leg[0] - leg[2]
    hips = tree.common((*legs.joints[:1], *legs.twins[:1], *arms.joints[:1], *arms.twins[:1]))
    if trunk_length < 0.1 * legs.length:
        return None, ""
    if hips is None:
        return None, "no bone carries both its legs and its arms"
    up = trunk / trunk_length
    standing = float(leg_drop @ up / max(np.linalg.norm(leg_drop), 1e-12))
    if standing < STANDING:
        return None, "its trunk does not stand on its legs, as a four-legged one's does not"
    below = float(np.linalg.norm(tree.heads[hips] - leg[0])) / trunk_length
    raised = float((arm[2] - arm[0]) @ up) / arms.length
    beside = 0.5 * float(np.linalg.norm(np.subtract(*tree.heads[[arms.joints[0], arms.twins[0]]]))) / arms.length
    score = legs.score + arms.score + np.log(legs.length / tree.size) + np.log(arms.length / tree.size)
    score -= (np.log(arms.length / legs.length / ARM_TO_LEG) / ARM_TO_LEG_STRAY) ** 2
    score -= (np.log(trunk_length / legs.length / TRUNK_TO_LEG) / TRUNK_TO_LEG_STRAY) ** 2
    # Arms begin beside the trunk, clavicles in its middle.
    score -= (max(0.2 - beside, 0.0) / 0.08) ** 2
    score -= (max(below - 0.25, 0.0) / 0.3) ** 2 + (max(raised - 0.3, 0.0) / 0.3) ** 2
    return Body(legs, arms, hips, up, float(score)), ""
