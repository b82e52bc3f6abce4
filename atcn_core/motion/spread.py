"""The body's turns spread over a rig's bones: spine and neck bend along their whole rows, limbs twist along theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..rotation import normalized, quat_between, quat_multiply, quat_rotate, quat_slerp
from ..skeleton import SIDES
from .bone_chains import chains_of
from .bone_tree import BoneTree, RestBone
from .recognition import Chains
from .rig_rest import RigRest
from .rigmap import TRUNK_ROLES, RigMap
from .rolls import about_rad, roll_between_rad
from .turns import BodyTurns

__all__ = ["bone_turns", "chains_around", "trunk_turns"]

# A limb's segment: the role it begins and ends with, and what its roll is counted from; None: the hand's is given.
_SEGMENTS = (("upper_arm", "forearm", "shoulder"), ("forearm", "hand", None), ("thigh", "shin", "hips"))

# Rigify's names for what is below its controls.
_MECHANISM = re.compile(r"(MCH|ORG|DEF|VIS)-|tweak_")


def chains_around(rest: RigRest, rig_map: RigMap) -> Chains:
    """The rows of spine and neck and the twist bones of a rig whose roles are known."""
    heads = [tuple(head) for head in rest.matrices[:, :3, 3]]
    tree = BoneTree(
        [RestBone(name, parent, head, head) for name, parent, head in zip(rest.names, rest.parents, heads, strict=True)]
    )
    chains = chains_of(tree, {role: tree.index(bone) for role, bone in rig_map.bones.items()})
    return replace(chains, spine=_keyed(chains.spine), neck=_keyed(chains.neck))


def _keyed(row: Sequence[str]) -> tuple[str, ...]:
    """A row without the bones that a control rig's own constraints move: keys on those do not show as they are."""
    return tuple(bone for bone in row if not _MECHANISM.match(bone))


def bone_turns(body: BodyTurns, rest: RigRest, rig_map: RigMap, chains: Chains) -> dict[str, np.ndarray]:
    """Turns from rest, in world axes, of every bone that plays a part or shares one: {bone: (T, 4)}."""
    bones = rig_map.bones
    turns = {bones[role]: turn for role, turn in body.parts.items() if role in bones}
    turns |= trunk_turns(body, rig_map, chains)
    neck = [bone for bone in chains.neck if bone not in turns]
    if not neck and "neck" in bones and bones["neck"] not in turns:
        neck = [bones["neck"]]
    step = 1.0 / (len(neck) + 1)
    turns |= _shared(neck, body.chest, body.parts["head"], step, 1.0 - step)
    for side in SIDES:
        for start, end, base in _SEGMENTS:
            turns |= _limb(body, rest, rig_map, chains, (f"{side}_{start}", f"{side}_{end}", base))
    return turns


def trunk_turns(body: BodyTurns, rig_map: RigMap, chains: Chains) -> dict[str, np.ndarray]:
    """Of these the turns of hips, spine and collar bones."""
    bones = rig_map.bones
    trunk = [bones[role] for role in TRUNK_ROLES if role in bones]
    row = [bones["hips"], *chains.spine] if chains.spine else trunk
    collar_bones = {bones[role]: body.parts[role] for role in (f"{side}_shoulder" for side in SIDES) if role in bones}
    return collar_bones | dict.fromkeys(trunk, body.chest) | _shared(row, body.hips, body.chest, 0.0, 1.0)


def _shared(
    row: Sequence[str], start: np.ndarray, end: np.ndarray, first_share: float, last_share: float
) -> dict[str, np.ndarray]:
    """Each bone of a row turned a little further from one turn to another, so that no joint kinks."""
    shares = np.linspace(first_share, last_share, len(row))
    return {bone: quat_slerp(start, end, share) for bone, share in zip(row, shares, strict=True)}


def _limb(
    body: BodyTurns, rest: RigRest, rig_map: RigMap, chains: Chains, segment: tuple[str, str, str | None]
) -> dict[str, np.ndarray]:
    """Turns of a limb's bone and of the twist bones along it.

    Roll rises evenly along the segment; each bone has that of the middle of its stretch. An upper arm or thigh whose
    twist bones lie beside it has all of it, as its elbow or knee needs it.
    """
    start, end, base_role = segment
    main, next_bone = rig_map.bones[start], rig_map.bones[end]
    at, to = rest.head_world(main), rest.head_world(next_bone)
    full, direction = body.parts[start], quat_rotate(body.parts[start], normalized(to - at))
    twist = sorted(chains.twist.get(start, ()), key=lambda bone: _along(rest.head_world(bone), at, to))
    if base_role is None:
        base, roll_rad = full, body.rolls_rad[start]
    elif not twist:
        return {main: full}
    else:
        reference = body.hips if base_role == "hips" else body.parts[f"{start.partition('_')[0]}_{base_role}"]
        base = quat_multiply(quat_between(quat_rotate(reference, normalized(to - at)), direction), reference)
        roll_rad = roll_between_rad(base, full, direction)
    edges = np.clip([0.0, *(_along(rest.head_world(bone), at, to) for bone in twist), 1.0], 0.0, 1.0)
    shares = 0.5 * (edges[1:] + edges[:-1])
    path = [main, *(bone for bone in twist if bone in rest.ancestors(next_bone))]
    if base_role is not None and len(path) == 1:
        shares[0] = 1.0
    turns = {
        bone: full if share == 1.0 else quat_multiply(about_rad(direction, share * roll_rad), base)
        for bone, share in zip([main, *twist], shares, strict=True)
    }
    return turns | _straightened(turns, rest, path, next_bone, direction)


def _along(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """How far along a segment a point lies, 0 at its start and 1 at its end."""
    way = end - start
    return float((point - start) @ way / max(way @ way, 1e-24))


def _straightened(
    turns: dict[str, np.ndarray], rest: RigRest, path: list[str], next_bone: str, direction: np.ndarray
) -> dict[str, np.ndarray]:
    """The path's turns, so swung that the next joint lies in `direction` even if the twist bones are off the line."""
    if len(path) == 1:
        return {}
    heads = [rest.head_world(bone) for bone in (*path, next_bone)]
    reach = [quat_rotate(turns[bone], heads[i + 1] - heads[i]) for i, bone in enumerate(path)]
    swing = quat_between(normalized(np.sum(reach, axis=0)), direction)
    return {bone: quat_multiply(swing, turns[bone]) for bone in path}
