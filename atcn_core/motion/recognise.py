"""Decides which bone plays which part on a rig that nobody described: by its family's names, else by its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..skeleton import SIDES
from .body_checks import body_refusal, place_doubts
from .bone_chains import chains_of
from .bone_tree import BoneTree, RestBone
from .by_names import NameMatch, match_family
from .by_shape import ShapeMatch, knuckles, match_shape
from .facing import LOOKS_WELL_SURE, looks_forward
from .families import FAMILIES, Family
from .names import BoneName, parse_name
from .recognition import DOUBTFUL, FOUND, Chains, Finding, Recognition, all_roles
from .rigmap import REQUIRED_ROLES, SwitchedBone

__all__ = ["BY_SHAPE", "recognise"]

BY_SHAPE = "by shape"
_BY_WORDS = "by words"
# So many required roles must a family's names give, and so many of all it gives must the shape bear out.
NAMES_COUNT, NAMES_BORNE_OUT = 8, 0.8
# Where spine and neck are cut into parts is a matter of the family, not of shape.
_CUT_FREELY = {"spine", "chest", "upper_chest", "neck"}


def recognise(bones: Sequence[RestBone]) -> Recognition:
    """Take a rig for a family by its names, or for a person by its shape; where neither holds, say what is open.

    The armature's place, turn and size and the order of its bones do not matter.
    Raises ValueError for bones that make no tree (names twice, unknown parents).
    """
    tree = BoneTree(bones)
    names = [parse_name(bone.name) for bone in bones]
    best = _best_match(tree, names)
    if best is not None and best.required == len(REQUIRED_ROLES):
        return _by_names(tree, names, best)
    shape = match_shape(tree)
    if all(role in shape.bones for role in REQUIRED_ROLES):
        return _by_shape(tree, best, shape)
    return _incomplete(tree, best, shape)


def _best_match(tree: BoneTree, names: list[BoneName]) -> NameMatch | None:
    """The table that gives most: required roles first, a family before loose words, then all roles."""
    matches = [match_family(tree, names, family) for family in FAMILIES]
    loose = next(family for family in FAMILIES if family.name == _BY_WORDS)
    matches += [match_family(tree, names, loose, layer) for layer in ("def", "ctrl")]
    fitting = [match for match in matches if match is not None and match.sure]
    return max(
        fitting, key=lambda match: (match.required, match.family.name != _BY_WORDS, len(match.sure)), default=None
    )


def _by_names(tree: BoneTree, names: list[BoneName], match: NameMatch) -> Recognition:
    bones, doubts = dict(match.bones), dict(match.doubts)
    refusal = body_refusal(tree, bones)
    reasons = dict.fromkeys(bones, "by its name")
    if not refusal:
        doubts |= place_doubts(tree, bones)
        if looks_forward(tree, bones) < -LOOKS_WELL_SURE:
            bones = {_other_side(role): bone for role, bone in bones.items()}
            doubts = {_other_side(role): reason for role, reason in doubts.items()}
            exchanged = "its name says the other side, but feet, knees and elbows show that the rig looks the other way"
            reasons = {role: exchanged if role.startswith(SIDES) else "by its name" for role in bones}
        for side in SIDES:
            for part, bone in knuckles(tree, bones[f"{side}_forearm"], bones[f"{side}_hand"]).items():
                if f"{side}_{part}" not in bones and bone not in bones.values() and not match.family.switches:
                    bones[f"{side}_{part}"], reasons[f"{side}_{part}"] = bone, "by its place"
    findings = [_finding(tree, role, bone, doubts.get(role, ""), reasons[role]) for role, bone in bones.items()]
    whole = not refusal and not match.family.switches
    chains = chains_of(tree, bones) if whole else Chains()
    return Recognition(match.family.name, all_roles(findings), chains, _switches(tree, names, match.family), refusal)


def _by_shape(tree: BoneTree, best: NameMatch | None, shape: ShapeMatch) -> Recognition:
    """The shape's roles; where a family's names say nearly the same, the family's, completed."""
    bones, doubts = dict(shape.bones), dict(shape.doubts)
    reasons = dict.fromkeys(bones, "by its place")
    family = BY_SHAPE
    if best is not None and _borne_out(best, shape):
        family = f"{best.family.name}, completed by shape"
        for role, bone in best.sure.items():
            if bones.get(role, bone) != bone and role not in _CUT_FREELY:
                doubts[role] = f"its name says {tree.names[bone]}, its place {tree.names[bones[role]]}"
            else:
                reasons[role] = "by its name"
                bones[role] = bone
        bones = _each_once(bones, reasons)
        for role, bone in best.bones.items():
            lying = next((real for real, other in bones.items() if other == bone and real != role), None)
            if lying is not None:
                reasons[lying] = f"by its place, though its name says {role}"
    findings = [_finding(tree, role, bone, doubts.get(role, ""), reasons[role]) for role, bone in bones.items()]
    whole = all(role in bones for role in REQUIRED_ROLES)
    return Recognition(family, all_roles(findings), chains_of(tree, bones) if whole else Chains())


def _borne_out(match: NameMatch, shape: ShapeMatch) -> bool:
    alike = [shape.bones.get(role) == bone for role, bone in match.sure.items() if role not in _CUT_FREELY]
    return match.required >= NAMES_COUNT and sum(alike) >= NAMES_BORNE_OUT * len(alike)


def _each_once(bones: Mapping[str, int], reasons: Mapping[str, str]) -> dict[str, int]:
    """Without the roles that shape gave to a bone which its name gives to another."""
    named = {bone for role, bone in bones.items() if reasons[role] == "by its name"}
    return {role: bone for role, bone in bones.items() if reasons[role] == "by its name" or bone not in named}


def _incomplete(tree: BoneTree, best: NameMatch | None, shape: ShapeMatch) -> Recognition:
    """What little there is, for the user to complete."""
    by_names = best is not None and best.required >= sum(role in shape.bones for role in REQUIRED_ROLES)
    if best is not None and by_names:
        bones, doubts, reason, family = best.bones, best.doubts, "by its name", best.family.name
    else:
        bones, doubts, reason, family = shape.bones, shape.doubts, "by its place", BY_SHAPE if shape.bones else ""
    findings = [_finding(tree, role, bone, doubts.get(role, ""), reason) for role, bone in bones.items()]
    return Recognition(family, all_roles(findings), refusal=shape.refusal)


def _finding(tree: BoneTree, role: str, bone: int, doubt: str, reason: str) -> Finding:
    return Finding(role, DOUBTFUL if doubt else FOUND, tree.names[bone], doubt or reason)


def _other_side(role: str) -> str:
    side, _, part = role.partition("_")
    return {"left": f"right_{part}", "right": f"left_{part}"}.get(side, role)


def _switches(tree: BoneTree, names: list[BoneName], family: Family) -> tuple[SwitchedBone, ...]:
    return tuple(
        SwitchedBone(bone, switch.property, switch.value)
        for switch in family.switches
        for bone, name in zip(tree.names, names, strict=True)
        if name.stem == switch.stem and not name.layer
    )
