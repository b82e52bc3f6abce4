"""The bones beside the roles that a fuller solve can use: the whole spine, twist bones along the limbs, fingers."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ..skeleton import SIDES
from .bone_tree import BoneTree
from .by_shape import finger_rows
from .names import parse_name
from .recognition import Chains

__all__ = ["chains_of"]

_SEGMENTS = (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot"))
_FINGER_WORDS = {
    "thumb": r"thumb|親指",
    "index": r"index|人指",
    "middle": r"mid|中指",
    "ring": r"ring|薬指",
    "pinky": r"pinky|little|小指",
}
FINGERS = tuple(_FINGER_WORDS)
# A twist bone lies this near the line of its limb, in lengths of the segment.
BESIDE_LINE = 0.1
PALM = 0.2


def chains_of(tree: BoneTree, bones: Mapping[str, int]) -> Chains:
    """The chains around roles that are all found. bones: role to number."""
    names = tree.names
    holder = tree.common((bones["left_upper_arm"], bones["right_upper_arm"]))
    spine = tree.path(bones["hips"], holder)[1:] if holder is not None else []
    neck = tree.path(holder, bones["head"])[1:-1] if holder is not None else []
    twist, fingers = {}, {}
    for side in SIDES:
        for start, end in _SEGMENTS:
            found = _twist(tree, bones, f"{side}_{start}", f"{side}_{end}")
            if found:
                twist[f"{side}_{start}"] = tuple(names[bone] for bone in found)
        rows = _named_fingers(tree, bones, side)
        fingers |= {f"{side}_{finger}": tuple(names[bone] for bone in row) for finger, row in rows.items()}
    return Chains(tuple(names[i] for i in spine), tuple(names[i] for i in neck), twist, fingers)


def _twist(tree: BoneTree, bones: Mapping[str, int], start: str, end: str) -> list[int]:
    first, last = bones[start], bones[end]
    between = tree.path(first, last)[1:-1]
    others = [bone for holder in (first, *between) for bone in tree.children[holder]]
    roles = set(bones.values()) | set(between)
    along = tree.heads[last] - tree.heads[first]
    length = float(np.linalg.norm(along))
    found = list(between)
    for bone in others:
        away = tree.heads[bone] - tree.heads[first]
        share = float(away @ along) / max(length * length, 1e-24)
        beside = float(np.linalg.norm(away - share * along))
        named = re.search(r"twist|roll", tree.names[bone], re.IGNORECASE) is not None
        inside = (0.0 if named else 0.1) - 0.02 <= share <= 0.95
        if bone not in roles and not tree.children[bone] and inside and beside < BESIDE_LINE * length:
            found.append(bone)
    return found


def _named_fingers(tree: BoneTree, bones: Mapping[str, int], side: str) -> dict[str, list[int]]:
    """The fingers' rows by name: by their words, else by place where there are five."""
    hand, forearm = bones[f"{side}_hand"], bones[f"{side}_forearm"]
    along = tree.heads[hand] - tree.heads[forearm]
    rows = [row for row in finger_rows(tree, hand, PALM * float(np.linalg.norm(along))) if len(row) > 1]
    named: dict[str, list[int]] = {}
    for row in rows:
        stem = parse_name(tree.names[row[0]]).stem
        finger = next((word for word, pattern in _FINGER_WORDS.items() if re.search(pattern, stem)), None)
        if finger is None or finger in named:
            break
        named[finger] = row if finger != "thumb" else _whole_thumb(tree, hand, row)
    else:
        return named
    thumb = min(rows, key=lambda row: float((tree.heads[row[-1]] - tree.heads[hand]) @ along))
    rows.sort(key=lambda row: float(np.linalg.norm(tree.heads[row[0]] - tree.heads[thumb[0]])))
    rows[0] = _whole_thumb(tree, hand, thumb)
    words = FINGERS if len(rows) == len(FINGERS) else [f"finger{number + 1}" for number in range(len(rows))]
    return dict(zip(words, rows, strict=True))


def _whole_thumb(tree: BoneTree, hand: int, row: list[int]) -> list[int]:
    """A thumb's row with its first bone, which lies within the palm and bends all the same."""
    upper = tree.parents[row[0]]
    return row if upper in (None, hand) or len(tree.children[upper]) > 1 else [upper, *row]
