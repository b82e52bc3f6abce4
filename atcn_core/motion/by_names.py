"""Reads a rig by a family's table: the whole table or nothing, and only where the tree bears the names out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ..skeleton import SIDES
from .bone_tree import BoneTree
from .families import Family
from .names import BoneName
from .rigmap import REQUIRED_ROLES

__all__ = ["NameMatch", "match_family", "spread_trunk", "tree_doubts"]

_SPINE_ROW = re.compile(r"spine(\d*)")
# How far from the shin's end a foot that hangs elsewhere may be, in lengths of the shin.
FOOT_NEAR = 0.25

# Each role hangs on the first of these that the rig has.
_CENTRE_HOLDERS = {
    "spine": ("hips",),
    "chest": ("spine",),
    "upper_chest": ("chest", "spine"),
    "neck": ("spine",),
    "head": ("neck", "spine"),
}
_SIDE_HOLDERS = {
    "shoulder": ("spine",),
    "upper_arm": ("shoulder", "spine"),
    "forearm": ("upper_arm",),
    "hand": ("forearm",),
    "index_knuckle": ("hand",),
    "pinky_knuckle": ("hand",),
    "thigh": ("hips",),
    "shin": ("thigh",),
    "foot": ("shin",),
    "toe": ("foot",),
}
HOLDERS = _CENTRE_HOLDERS | {
    f"{side}_{role}": tuple(f"{side}_{upper}" if upper in _SIDE_HOLDERS else upper for upper in uppers)
    for side in SIDES
    for role, uppers in _SIDE_HOLDERS.items()
}


@dataclass(frozen=True)
class NameMatch:
    """A table laid over a rig. bones: role to bone number; doubts: role to what the tree says against it."""

    family: Family
    bones: dict[str, int]
    doubts: dict[str, str] = field(default_factory=dict)

    @property
    def sure(self) -> dict[str, int]:
        """What the tree bears out."""
        return {role: bone for role, bone in self.bones.items() if role not in self.doubts}

    @property
    def required(self) -> int:
        """How many required roles are sure."""
        return sum(role in self.sure for role in REQUIRED_ROLES)


def match_family(tree: BoneTree, names: list[BoneName], family: Family, layer: str | None = None) -> NameMatch | None:
    """Lay a family's table over a rig; None where its markers are missing or a stranger's are there.

    names: of the tree's bones in order; layer: in place of the family's own.
    """
    if not all(any(re.search(marker, name) for name in tree.names) for marker in family.markers):
        return None
    if any(re.search(stranger, name) for stranger in family.strangers for name in tree.names):
        return None
    bones = _laid(tree, names, family, family.layer if layer is None else layer)
    if family.numbered:
        bones |= _numbered(tree, names, bones, family.layer)
    return NameMatch(family, bones, tree_doubts(tree, bones, family.loose))


def _laid(tree: BoneTree, names: list[BoneName], family: Family, layer: str) -> dict[str, int]:
    by_key: dict[tuple[str, str], int] = {}
    for i in sorted(range(len(tree)), key=lambda i: -tree.descendants[i]):
        if names[i].layer == layer:
            by_key.setdefault(names[i].key, i)
    bones: dict[str, int] = {}
    wanted = [(role, "", stems) for role, stems in family.centre.items()]
    wanted += [(role, side, stems) for side in SIDES for role, stems in family.side.items()]
    for role, side, stems in wanted:
        found = (by_key[side, stem] for stem in stems if (side, stem) in by_key)
        bone = next((bone for bone in found if bone not in bones.values()), None)
        if bone is not None:
            bones[f"{side}_{role}" if side else role] = bone
    return bones


def _numbered(tree: BoneTree, names: list[BoneName], bones: dict[str, int], layer: str) -> dict[str, int]:
    """Trunk, neck and head out of one row of numbered bones: where the arms hang, the trunk ends."""
    row = {
        i for i, name in enumerate(names) if name.layer == layer and not name.side and _SPINE_ROW.fullmatch(name.stem)
    }
    arms = [bones[f"{side}_upper_arm"] for side in SIDES if f"{side}_upper_arm" in bones]
    holder = tree.common(arms) if len(arms) == len(SIDES) else None
    if "hips" not in bones or holder not in row or not row:
        return {}
    last = max(row, key=lambda i: tree.depth[i])
    line = tree.path(bones["hips"], last)
    if holder not in line or holder == last:
        return {}
    at = line.index(holder)
    after = line[at + 1 :]
    found = spread_trunk(line[1 : at + 1]) | {"head": after[-1]}
    return found | ({"neck": after[0]} if len(after) > 1 else {})


def spread_trunk(line: list[int]) -> dict[str, int]:
    """The trunk's roles for a row of bones from above the hips up: the first, the middle one and the last."""
    if not line:
        return {}
    if len(line) < 3:
        return dict(zip(("spine", "chest"), line, strict=False))
    return {"spine": line[0], "chest": line[(len(line) - 1) // 2], "upper_chest": line[-1]}


def tree_doubts(tree: BoneTree, bones: dict[str, int], loose: frozenset[str] = frozenset()) -> dict[str, str]:
    """Role to what speaks against its bone by the tree: it does not hang where such a part hangs."""
    doubts = {}
    for role, bone in bones.items():
        holder = next((upper for upper in HOLDERS.get(role, ()) if upper in bones), None)
        if holder is None or role.partition("_")[2] in loose or role in loose:
            continue
        if not tree.hangs_below(bone, bones[holder]) and not _stands_apart(tree, bones, role):
            doubts[role] = f"does not hang on {tree.names[bones[holder]]}"
    arms = [bones[f"{side}_upper_arm"] for side in SIDES if f"{side}_upper_arm" in bones]
    for role in ("neck", "head"):
        if role in bones and any(tree.hangs_below(arm, bones[role]) for arm in arms):
            doubts[role] = "the arms hang on it"
    return doubts


def _stands_apart(tree: BoneTree, bones: dict[str, int], role: str) -> bool:
    """Whether this is a foot that hangs on no leg but lies where one ends: some game rigs move feet on their own."""
    side, _, part = role.partition("_")
    shin = bones.get(f"{side}_shin")
    if part != "foot" or shin is None:
        return False
    away = np.linalg.norm(tree.heads[bones[role]] - tree.tails[shin])
    return bool(away < FOOT_NEAR * np.linalg.norm(tree.tails[shin] - tree.heads[shin]))
