"""Turns of bones in the world into the keys their armature wants: local turns, and places of bones off the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..rotation import matrix_to_quat, quat_conjugate, quat_multiply, quat_rotate, quat_unrolled
from .rig_rest import RigRest

__all__ = ["Posed", "posed", "turn_in"]

_Turns = dict[str, np.ndarray]
_STILL = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class Posed:
    """A rig in motion.

    quats:      {bone: (T, 4)} wxyz, as pose_bone.rotation_quaternion wants them, sign-unrolled.
    locations:  {bone: (T, 3)}, as pose_bone.location wants them, of the root and of bones that are off their chain.
    heads:      {bone: (T, 3)}, armature space.
    """

    quats: dict[str, np.ndarray]
    locations: dict[str, np.ndarray]
    heads: dict[str, np.ndarray]


def posed(
    rest: RigRest,
    turns: Mapping[str, np.ndarray],
    root: str,
    root_head_world: np.ndarray,
    carriers: Mapping[str, str],
) -> Posed:
    """Keys that give bones these turns from rest, in world axes, wherever they hang.

    turns: {bone: (T, 4)}; bones between them keep their rest pose, those above stay as they are posed now.
    root_head_world: (T, 3). carriers: {bone: bone}, whose head each bone's head must stay on as at rest; where that is
    none of its parents (feet that are children of the floor), the bone gets a location.
    """
    frames = len(root_head_world)
    needed = set(turns).union(*(rest.ancestors(bone) for bone in turns))
    armature_turn = matrix_to_quat(turn_in(rest.world_from_armature[:3, :3]))
    unscaled = np.linalg.inv(rest.world_from_armature[:3, :3])
    root_head = (root_head_world - rest.world_from_armature[:3, 3]) @ unscaled.T
    found = Posed({}, {}, {})
    turned: _Turns = {}  # from rest, in the armature's axes: (T, 4) or, above all that moves, (4,)
    for bone in _carriers_first(rest, needed, carriers):
        i, parent = rest.names.index(bone), rest.parents[rest.names.index(bone)]
        at_rest = matrix_to_quat(turn_in(rest.matrices[i, :3, :3]))
        held = turned[parent] if parent is not None and rest.inherits_turn[i] else _STILL
        if bone in turns:
            turned[bone] = quat_multiply(quat_multiply(quat_conjugate(armature_turn), turns[bone]), armature_turn)
        elif parent in found.heads or held.ndim > 1:
            turned[bone] = np.broadcast_to(held, (frames, 4))
        else:
            here = matrix_to_quat(turn_in(rest.pose[i, :3, :3]))
            turned[bone] = quat_multiply(held, _within(quat_conjugate(at_rest), here))
            continue
        local = _within(at_rest, quat_multiply(quat_conjugate(held), turned[bone]))
        found.quats[bone] = quat_unrolled(np.ascontiguousarray(local))
        loose = _head_by_parent(rest, bone, found.heads, turned)
        wanted = root_head if bone == root else _head_by_carrier(rest, bone, carriers, found.heads, turned)
        found.heads[bone] = np.broadcast_to(loose if wanted is None else wanted, (frames, 3))
        if wanted is not None:
            found.locations[bone] = _location(rest, bone, wanted - loose, found.heads, turned)
    return found


def turn_in(matrix: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) nearest to a matrix that may scale as well."""
    into, _, out_of = np.linalg.svd(matrix)
    return into @ out_of


def _within(frame: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """A turn (..., 4) as seen in a frame (4,)."""
    return quat_multiply(quat_multiply(quat_conjugate(frame), turn), frame)


def _carriers_first(rest: RigRest, needed: set[str], carriers: Mapping[str, str]) -> list[str]:
    """The needed bones so ordered that each comes after its parent and its carrier."""
    waiting = [bone for bone in rest.names if bone in needed]
    order: dict[str, None] = {}
    while waiting:
        ready = [
            bone
            for bone in waiting
            if rest.parents[rest.names.index(bone)] in (None, *order) and carriers.get(bone) in (None, *order)
        ]
        if not ready:
            # A bone hangs on what it carries: it is left where its parent has it.
            ready = [bone for bone in waiting if rest.parents[rest.names.index(bone)] in (None, *order)]
        order.update(dict.fromkeys(ready))
        waiting = [bone for bone in waiting if bone not in order]
    return list(order)


def _rest_head(rest: RigRest, bone: str) -> np.ndarray:
    return rest.matrices[rest.names.index(bone), :3, 3]


def _head_by_parent(rest: RigRest, bone: str, heads: dict[str, np.ndarray], turned: _Turns) -> np.ndarray:
    """Where the bone's head (T, 3) or (3,) is without a location of its own, in armature space."""
    parent = rest.parents[rest.names.index(bone)]
    if parent is None or parent not in heads:
        return rest.held_by_parents(bone)[:3, 3]
    return heads[parent] + quat_rotate(turned[parent], _rest_head(rest, bone) - _rest_head(rest, parent))


def _head_by_carrier(
    rest: RigRest,
    bone: str,
    carriers: Mapping[str, str],
    heads: dict[str, np.ndarray],
    turned: _Turns,
) -> np.ndarray | None:
    """Where the bone's head (T, 3) must be to stay on its carrier; None where it does so by itself."""
    carrier = carriers.get(bone)
    if carrier is None or carrier not in heads or carrier in rest.ancestors(bone):
        return None
    return heads[carrier] + quat_rotate(turned[carrier], _rest_head(rest, bone) - _rest_head(rest, carrier))


def _location(rest: RigRest, bone: str, way: np.ndarray, heads: Mapping[str, np.ndarray], turned: _Turns) -> np.ndarray:
    """pose_bone.location (T, 3) that moves a bone's head by `way` in armature space from where its parents hold it.

    It counts in the bone's axes as its parents hold them; in the parent's own where it is not local.
    """
    i, parent = rest.names.index(bone), rest.parents[rest.names.index(bone)]
    at_rest = rest.matrices[i, :3, :3]
    if parent is None:
        axes = at_rest if rest.local_location[i] else np.eye(3)
    elif parent in heads:
        way = quat_rotate(quat_conjugate(turned[parent]), way)
        axes = at_rest if rest.local_location[i] else rest.matrices[rest.names.index(parent), :3, :3]
    else:
        # Parents that no motion moves may be scaled.
        axes = rest.held_by_parents(bone)[:3, :3]
        if not rest.local_location[i]:
            axes = axes @ np.linalg.inv(at_rest) @ rest.matrices[rest.names.index(parent), :3, :3]
    return way @ np.linalg.inv(axes).T
