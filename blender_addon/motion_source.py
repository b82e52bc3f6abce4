"""Movements that are there already, in place of a video: a BVH file, an animated armature of the scene."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import bpy
import numpy as np

from . import rigs
from .apply import scene_fps
from .armature import rest_bones, rest_of
from .compat import action_curves
from .core import bone_tree, bvh_person, errors, fingers_of_rig, from_rig, recognise, retarget, rigmap, world

__all__ = ["MotionSource", "animated_range", "check", "kept_frame", "map_of_shown_bones", "motion_of", "rate_of"]


@dataclass(frozen=True)
class MotionSource:
    """Where a movement comes from: a BVH file, or the name of an armature in the scene."""

    bvh: Path | None = None
    armature: str = ""

    @property
    def name(self) -> str:
        """What the movement is called: the file's name, or the armature's."""
        return self.bvh.stem if self.bvh is not None else self.armature


def check(source: MotionSource, target: str, scene: bpy.types.Scene) -> None:
    """Say at once what cannot work. target: the name of the armature the movement is for, "" for an avatar.

    Raises MotionError, RigError.
    """
    if source.bvh is None:
        _moving_armature(source, scene)
        if source.armature == target:
            raise errors.RigError(
                f"{target!r} cannot take its own movement.", hint="Choose another armature as the source or as the rig."
            )
    elif source.bvh == Path():
        raise errors.MotionError("No BVH file is chosen.", hint="Choose a motion file.")
    elif not source.bvh.is_file():
        raise errors.MotionError(f"There is no motion file {source.bvh}.", hint="Choose another file.")


def motion_of(
    source: MotionSource, scene: bpy.types.Scene, start_s: float | None = None, end_s: float | None = None
) -> world.WorldMotion:
    """The movement, or its part from start_s to end_s. The scene is as before. Raises MotionError, RigError."""
    if source.bvh is not None:
        motion = bvh_person.bvh_person(source.bvh)
    else:
        motion = _armature_motion(_moving_armature(source, scene), scene)
    return motion if start_s is None and end_s is None else from_rig.trimmed(motion, start_s, end_s)


def animated_range(armature: bpy.types.Object) -> tuple[int, int] | None:
    """First and last frame of an armature's Action, or of its NLA strips; None where it has neither."""
    animation = armature.animation_data
    if animation is None:
        return None
    spans = [animation.action.frame_range] if action_curves(armature) else []
    if not spans:
        strips = [strip for track in animation.nla_tracks if not track.mute for strip in track.strips]
        spans = [(strip.frame_start, strip.frame_end) for strip in strips if not strip.mute]
    if not spans:
        return None
    return int(np.floor(min(first for first, _ in spans))), int(np.ceil(max(last for _, last in spans)))


def rate_of(motion: world.WorldMotion) -> float:
    """Frames a second, to a hundredth."""
    return round((len(motion.times_s) - 1) / float(motion.times_s[-1] - motion.times_s[0]), 2)


@contextlib.contextmanager
def kept_frame(scene: bpy.types.Scene) -> Iterator[None]:
    """The scene is on its frame again afterwards."""
    frame, subframe = scene.frame_current, scene.frame_subframe
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=subframe)


def _moving_armature(source: MotionSource, scene: bpy.types.Scene) -> bpy.types.Object:
    if not source.armature:
        raise errors.RigError("No armature is chosen to take the movement from.", hint="Choose an animated armature.")
    armature = scene.objects.get(source.armature)
    if armature is None or armature.type != "ARMATURE":
        raise errors.RigError(
            f"There is no armature {source.armature!r} in the scene.", hint="Choose an animated armature."
        )
    if animated_range(armature) is None:
        raise errors.MotionError(
            f"The armature {armature.name!r} does not move: it has no Action.", hint="Choose an animated armature."
        )
    return armature


def _armature_motion(armature: bpy.types.Object, scene: bpy.types.Scene) -> world.WorldMotion:
    rig_map = map_of_shown_bones(armature)
    first, last = animated_range(armature) or (scene.frame_start, scene.frame_end)
    if last <= first:
        raise errors.MotionError(
            f"The Action of {armature.name!r} has only one frame, and so no movement.", hint="Choose another armature."
        )
    names = [bone.name for bone in armature.pose.bones]
    rows = fingers_of_rig.finger_bones(rest_of(armature), rig_map)
    kept = [names.index(bone) for bone in dict.fromkeys((*rig_map.bones.values(), *chain(*rows.values())))]
    frames = range(first, last + 1)
    poses = np.empty((len(frames), len(kept), 4, 4))
    with kept_frame(scene):
        scene.frame_set(first)
        rest = _rest_of_bones(armature, [names[k] for k in kept])
        for i, frame in enumerate(frames):
            scene.frame_set(frame)
            poses[i] = _pose_world(armature)[kept]
    from_rest = poses @ np.linalg.inv(rest.world_from_armature @ rest.matrices)
    times_s = np.arange(len(frames)) / scene_fps(scene)
    moving = from_rig.RigMotion(rest, times_s, poses[..., :3, 3], _rotations(from_rest[..., :3, :3]))
    motion = from_rig.joints_of_rig(moving, rig_map)
    return dataclasses.replace(motion, hands=fingers_of_rig.hands_of_rig(moving, rig_map, rows))


def map_of_shown_bones(armature: bpy.types.Object) -> rigmap.RigMap:
    """The bones to read the pose off: of control rigs those that move the skin, whoever leads them (FK, IK)."""
    rig_map = rigs.map_of_armature(armature)
    if not rig_map.switches:
        return rig_map
    tree = bone_tree.BoneTree(rest_bones(armature))
    deforming = tree.only(i for i, bone in enumerate(tree.bones) if bone.deform)
    # What hangs on what is not as in a body there, which recognition doubts; that it is one is known already.
    shown = {finding.role: finding.bone for finding in recognise.recognise(deforming.bones).findings if finding.bone}
    return rigmap.RigMap(shown) if set(rigmap.REQUIRED_ROLES) <= set(shown) else rig_map


def _pose_world(armature: bpy.types.Object) -> np.ndarray:
    """Evaluated matrices (B, 4, 4) of the pose bones in the world."""
    seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(16 * len(seen.pose.bones), dtype=np.float32)
    seen.pose.bones.foreach_get("matrix", flat)
    # Blender stores matrices by columns.
    matrices = flat.reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
    return np.array(seen.matrix_world, dtype=np.float64) @ matrices


def _rest_of_bones(armature: bpy.types.Object, names: list[str]) -> retarget.RigRest:
    """The rest of some bones, each for itself, where the armature is now."""
    seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    rest = rest_of(armature)
    kept = [rest.names.index(name) for name in names]
    return retarget.RigRest(
        tuple(names),
        (None,) * len(names),
        rest.matrices[kept],
        np.array(seen.matrix_world, dtype=np.float64),
        rest.inherits_turn[kept],
        rest.local_location[kept],
        rest.pose[kept],
    )


def _rotations(matrices: np.ndarray) -> np.ndarray:
    """The turning part (..., 3, 3) of matrices that may also scale: the nearest rotation."""
    left, _, right = np.linalg.svd(matrices)
    return left @ right
