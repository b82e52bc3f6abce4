"""Reads a rig by its shape alone: mirror, limbs, trunk and head by lengths and places. Names only tell sides."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..skeleton import SIDES
from .bone_tree import BoneTree
from .by_names import spread_trunk
from .facing import LOOKS_SURE, LOOKS_WELL_SURE, looks_forward
from .names import parse_name
from .shape_limbs import Body, find_body
from .symmetry import Mirror, find_mirror

__all__ = ["ShapeMatch", "finger_rows", "knuckles", "match_shape"]

# Wider from the mirror plane than this, in sizes of the rig, no bone of the spine lies.
NEAR_CENTRE = 0.03
# Where a head's joint lies above the shoulders, in lengths of the trunk, and how far it may stray.
HEAD_HEIGHT, HEAD_STRAY = 0.28, 0.2
# A skeleton for skinning has at least this many bones; where there are fewer, the flag was not set with care.
FEWEST_DEFORM = 15


@dataclass(frozen=True)
class ShapeMatch:
    """bones: role to bone number; doubts: role to what speaks against it; refusal: why this is no person, or ""."""

    bones: dict[str, int] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    refusal: str = ""


def match_shape(tree: BoneTree) -> ShapeMatch:
    """The roles that the rig's shape gives. Bones that move no skin are left aside where enough others do."""
    deform = [i for i, bone in enumerate(tree.bones) if bone.deform]
    kept = tree.only(deform) if FEWEST_DEFORM <= len(deform) < len(tree) else tree
    found = _matched(kept)
    if kept is tree:
        return found
    bones = {role: tree.index(kept.names[bone]) for role, bone in found.bones.items()}
    return ShapeMatch(bones, found.doubts, found.refusal)


def _matched(tree: BoneTree) -> ShapeMatch:
    if len(tree) < FEWEST_DEFORM:
        return ShapeMatch(refusal=f"it has too few bones ({len(tree)})")
    mirror = find_mirror(tree)
    if mirror is None:
        return ShapeMatch(refusal="its bones have no left and right side")
    body, refusal = find_body(tree, mirror)
    if body is None:
        return ShapeMatch(refusal=refusal)
    bones = _trunk_roles(tree, mirror, body)
    for side, twins in zip(SIDES, (False, True), strict=True):
        bones |= _side_roles(tree, body, side, twins)
    return _sides_told(tree, bones)


def _sides_told(tree: BoneTree, bones: dict[str, int]) -> ShapeMatch:
    """Name the sides so that the rig looks forward; doubt them where neither its shape nor its names tell."""
    looks = looks_forward(tree, bones)
    named = _named_sides(tree, bones)
    if abs(looks) < LOOKS_WELL_SURE and abs(named) == 1:
        contradicted = looks * named < 0 and abs(looks) >= LOOKS_SURE
        doubt = "its name says one side, its shape the other" if contradicted else ""
        exchanged = named < 0
    else:
        doubt = "nothing tells left from right" if abs(looks) < LOOKS_SURE else ""
        exchanged = looks < 0
    if exchanged:
        bones = {_other_side(role): bone for role, bone in bones.items()}
    doubts = {role: doubt for role in bones if role.startswith(SIDES)} if doubt else {}
    return ShapeMatch(bones, doubts)


def _other_side(role: str) -> str:
    side, _, part = role.partition("_")
    return {"left": f"right_{part}", "right": f"left_{part}"}.get(side, role)


def _named_sides(tree: BoneTree, bones: dict[str, int]) -> int:
    """1 where the limbs' names say the same sides as their roles, -1 where the other ones, 0 where they disagree."""
    told = []
    for role, bone in bones.items():
        side = parse_name(tree.names[bone]).side
        if side and role.startswith(SIDES):
            told.append(1 if role.startswith(side) else -1)
    sided = sum(role.startswith(SIDES) for role in bones)
    return int(np.sign(sum(told))) if abs(sum(told)) > 0.8 * sided else 0


def _side_roles(tree: BoneTree, body: Body, side: str, twins: bool) -> dict[str, int]:
    """Roles of one side: that on which the limbs were found, or their twins'."""
    legs, arms = (limb.twins if twins else limb.joints for limb in (body.legs, body.arms))
    bones: dict[str, int] = {}
    bones |= zip(("upper_arm", "forearm", "hand"), arms, strict=True)
    bones |= zip(("thigh", "shin", "foot"), legs, strict=True)
    holder = tree.common((body.arms.joints[0], body.arms.twins[0]))
    between = tree.path(holder, arms[0])[1:-1] if holder is not None else []
    if between:
        bones["shoulder"] = between[0]
    toe = _toe(tree, legs[2], body.legs.length)
    if toe is not None:
        bones["toe"] = toe
    bones |= knuckles(tree, arms[1], arms[2])
    return {f"{side}_{part}": bone for part, bone in bones.items()}


def _toe(tree: BoneTree, foot: int, leg: float) -> int | None:
    """The one bone before the foot that stands for all toes."""
    ahead = [bone for bone in tree.children[foot] if np.linalg.norm(tree.heads[bone] - tree.heads[foot]) > 0.08 * leg]
    if len(ahead) > 2:
        return None
    return max(ahead, key=lambda bone: float(np.linalg.norm(tree.heads[bone] - tree.heads[foot])), default=None)


def knuckles(tree: BoneTree, forearm: int, hand: int) -> dict[str, int]:
    """Knuckles of index and little finger: beside the thumb, which reaches out least, and farthest from it."""
    wrist = tree.heads[hand]
    along = wrist - tree.heads[forearm]
    fingers = [
        (float((tree.heads[row[-1]] - wrist) @ along), row[0])
        for row in finger_rows(tree, hand, 0.2 * float(np.linalg.norm(along)))
        if len(row) > 1
    ]
    if len(fingers) < 4:
        return {}
    thumb = min(fingers)[1]
    others = [bone for _, bone in fingers if bone != thumb]
    others.sort(key=lambda bone: float(np.linalg.norm(tree.heads[bone] - tree.heads[thumb])))
    return {"index_knuckle": others[0], "pinky_knuckle": others[-1]}


def finger_rows(tree: BoneTree, hand: int, palm: float) -> list[list[int]]:
    """The unbranched rows of bones that end on a hand, each from its knuckle; bones within the palm left out.

    palm: how near the wrist a bone that begins a long row is one of the palm's.
    """
    rows = []
    for tip in (bone for bone in tree.below(hand) if not tree.children[bone]):
        row = [tip]
        for upper in tree.above(tip):
            if upper == hand or len(tree.children[upper]) > 1:
                break
            row.insert(0, upper)
        if len(row) > 3 and np.linalg.norm(tree.heads[row[0]] - tree.heads[hand]) < palm:
            row = row[1:]
        rows.append(row)
    return rows


def _trunk_roles(tree: BoneTree, mirror: Mirror, body: Body) -> dict[str, int]:
    holder = tree.common((body.arms.joints[0], body.arms.twins[0]))
    trunk = tree.path(body.hips, holder)[1:] if holder is not None else []
    bones = {"hips": body.hips} | spread_trunk(trunk)
    for start in [*reversed(trunk), body.hips]:
        row = _row_up(tree, mirror, body, start)
        if row:
            at = _head_in(tree, body, row)
            bones |= {"head": row[at]} | ({"neck": row[0]} if at > 0 else {})
            break
    return bones


def _row_up(tree: BoneTree, mirror: Mirror, body: Body, start: int) -> list[int]:
    """The bones in the middle that go on upwards from here without leading to a limb."""
    limbs = {bone for limb in (body.legs, body.arms) for bone in (*limb.joints, *limb.twins)}
    row: list[int] = []
    at = start
    while True:
        centre = [
            bone
            for bone in tree.children[at]
            if abs(mirror.distance[bone]) < NEAR_CENTRE * tree.size and not limbs & {bone, *tree.below(bone)}
        ]
        if not row:
            shoulders = tree.heads[[body.arms.joints[0], body.arms.twins[0]]].mean(axis=0)
            lowest = 0.1 * np.linalg.norm(shoulders - tree.heads[body.hips])
            centre = [bone for bone in centre if _reach(tree, body, bone) - shoulders @ body.up > lowest]
        if not centre:
            return row
        at = max(centre, key=lambda bone: _reach(tree, body, bone))
        row.append(at)


def _reach(tree: BoneTree, body: Body, bone: int) -> float:
    """How high the highest joint from this bone on lies."""
    points = np.vstack([tree.heads[[bone, *tree.below(bone)]], tree.tails[bone]])
    return float((points @ body.up).max())


def _head_in(tree: BoneTree, body: Body, row: list[int]) -> int:
    """Which of the bones up from the shoulders is the head: at a head's height, with a face or nothing on it."""
    shoulders = tree.heads[[body.arms.joints[0], body.arms.twins[0]]].mean(axis=0)
    hips = tree.heads[[body.legs.joints[0], body.legs.twins[0]]].mean(axis=0)
    trunk = float((shoulders - hips) @ body.up)
    ends = _has_end_bones(tree, body)
    scores = []
    for at, bone in enumerate(row):
        height = float((tree.heads[bone] - shoulders) @ body.up) / trunk
        score = -(((height - HEAD_HEIGHT) / HEAD_STRAY) ** 2)
        carried = tree.children[bone]
        score += 1.0 if len(carried) > 1 else 0.0
        score += 0.0 if carried else -1.5 if ends else 0.8
        score += 1.0 if ends and len(carried) == 1 and not tree.children[carried[0]] else 0.0
        score -= 0.3 if at == 0 and len(row) > 1 else 0.0
        scores.append(score)
    return row.index(_lowest_there(tree, row, row[int(np.argmax(scores))]))


def _lowest_there(tree: BoneTree, row: list[int], bone: int) -> int:
    """The first bone of a row that begins where this one does: a head may carry its face by a bone of its own."""
    return next(i for i in row if np.linalg.norm(tree.heads[i] - tree.heads[bone]) < 0.005 * tree.size)


def _has_end_bones(tree: BoneTree, body: Body) -> bool:
    """Whether rows of bones end in one that only marks the end: then there are two beyond the foot."""
    foot = body.legs.joints[2]
    toes = tree.children[foot]
    return len(toes) in (1, 2) and any(
        len(tree.children[toe]) == 1 and not tree.children[tree.children[toe][0]] for toe in toes
    )
