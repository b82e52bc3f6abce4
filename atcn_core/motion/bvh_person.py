"""The person in a BVH file: which joint is which part, which way is up, in what unit; its motion in Blender's world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import MotionError
from .bone_tree import RestBone
from .bvh import END_SUFFIX, BvhMotion, BvhSkeleton, read_bvh_skeleton
from .fingers_of_rig import finger_bones, hands_of_rig
from .from_rig import RigMotion, joints_of_rig
from .recognise import recognise
from .recognition import Recognition
from .rig_rest import RigRest, rest_axes
from .rigmap import RigMap
from .world import WorldMotion

__all__ = ["bvh_person"]


def bvh_person(path: Path) -> WorldMotion:
    """The motion of the person in a BVH file, as the solver takes it, at the file's own frame rate.

    Raises MotionError where the file is missing, broken, holds no person, or only one frame.
    """
    path = Path(path)
    skeleton, motion = read_bvh_skeleton(path)
    if len(motion.positions) < 2:
        raise MotionError(f"{path.name} has only one frame, and so no movement.", hint="Choose another motion file.")
    heads, turns, rig_map = _standing(path, skeleton, motion)
    moving = _in_world(skeleton, motion, heads, turns, rig_map)
    hands = hands_of_rig(moving, rig_map, finger_bones(moving.rest, rig_map))
    return replace(joints_of_rig(moving, rig_map), hands=hands)


def _standing(path: Path, skeleton: BvhSkeleton, motion: BvhMotion) -> tuple[np.ndarray, np.ndarray, RigMap]:
    """A pose in which the skeleton is recognised: heads (J, 3), each joint's turn (J, 3, 3) in it, and the bone map.

    That is the pose without any turn, in most files; some lay all bones along one axis there, and stand in a frame.
    """
    first: Recognition | None = None
    for heads, turns in _poses(skeleton, motion):
        try:
            recognised = recognise(_bones(skeleton, heads))
        except ValueError as problem:
            raise MotionError(f"{path.name} cannot be used: {problem}.", hint="Choose another file.") from problem
        if recognised.complete:
            return heads, turns, recognised.to_rig_map()
        first = first or recognised
    reason = first.problem() if first is not None else ""
    raise MotionError(
        f"No person is recognised in {path.name}.",
        hint=reason.replace("This armature", "Its skeleton") or "Choose another motion file.",
    )


def _poses(skeleton: BvhSkeleton, motion: BvhMotion) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield skeleton.heads, np.broadcast_to(np.eye(3), (len(skeleton.names), 3, 3))
    yield motion.positions[0], motion.rotations[0]
    # Where somebody stands upright the joints reach farthest along one axis.
    reach = np.ptp(motion.positions, axis=1).max(axis=1)
    tallest = int(np.argmax(reach))
    yield motion.positions[tallest], motion.rotations[tallest]


def _bones(skeleton: BvhSkeleton, heads: np.ndarray) -> list[RestBone]:
    """Joints as bones; a joint's tail is the first that hangs on it, and end sites are no bones."""
    bones = []
    for i, name in enumerate(skeleton.names):
        if name.endswith(END_SUFFIX):
            continue
        below = [j for j, parent in enumerate(skeleton.parents) if parent == i]
        parent = skeleton.parents[i]
        tail = heads[below[0]] if below else heads[i]
        bones.append(RestBone(name, skeleton.names[parent] if parent >= 0 else None, tuple(heads[i]), tuple(tail)))
    return bones


def _in_world(
    skeleton: BvhSkeleton, motion: BvhMotion, heads: np.ndarray, turns: np.ndarray, rig_map: RigMap
) -> RigMotion:
    """The motion turned upright, looking along -y at rest."""
    role_heads = {role: heads[skeleton.names.index(bone)] for role, bone in rig_map.bones.items()}
    axes = rest_axes(role_heads, _rest(skeleton, heads, np.eye(4)))
    up, left = _along_axis(axes.up), _along_axis(axes.left)
    if up @ left != 0.0:
        up, left = axes.up, axes.left
    world_from_file = np.stack([left, np.cross(up, left), up])
    placed = np.eye(4)
    placed[:3, :3] = world_from_file
    return RigMotion(
        _rest(skeleton, heads, placed),
        np.arange(len(motion.positions)) / motion.fps,
        motion.positions @ world_from_file.T,
        world_from_file @ (motion.rotations @ np.swapaxes(turns, -1, -2)) @ world_from_file.T,
    )


def _rest(skeleton: BvhSkeleton, heads: np.ndarray, world_from_file: np.ndarray) -> RigRest:
    joints = len(skeleton.names)
    matrices = np.tile(np.eye(4), (joints, 1, 1))
    matrices[:, :3, 3] = heads
    parents = tuple(skeleton.names[parent] if parent >= 0 else None for parent in skeleton.parents)
    yes = np.ones(joints, dtype=bool)
    unposed = np.tile(np.eye(4), (joints, 1, 1))
    return RigRest(skeleton.names, parents, matrices, world_from_file, yes, yes, unposed)


def _along_axis(direction: np.ndarray) -> np.ndarray:
    """The file's own axis nearest to a direction."""
    nearest = int(np.argmax(np.abs(direction)))
    return np.sign(direction[nearest]) * np.eye(3)[nearest]
