"""A captured motion on an armature: the one function that the operator, batch and scripts all call."""

from __future__ import annotations

import bpy

from . import armature as armatures
from .bake import bake, frame_times_s
from .core import clip, retarget, rigmap, world

__all__ = ["apply_motion", "scene_fps"]


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames a second of a scene."""
    return scene.render.fps / scene.render.fps_base


def apply_motion(
    armature: bpy.types.Object,
    rig_map: rigmap.RigMap,
    motion: clip.Motion3D,
    *,
    scene: bpy.types.Scene,
    action_name: str,
    start_frame: int = 1,
) -> bpy.types.Action:
    """Retarget a motion to an armature and bake it as a new Action at the scene's frame rate.

    A clip of 10 s becomes 10 s of animation. Nothing else in the scene changes: no mode, selection, frame,
    transform, rotation mode or constraint. Raises RigError where the armature lacks bones of the map.
    """
    armatures.require_armature(armature)
    rig_map.require(armatures.bone_names(armature), armature.name)
    track = retarget.solve(world.to_world(motion), armatures.rest_of(armature), rig_map)
    track = retarget.resample(track, frame_times_s(track.times_s, scene_fps(scene)))
    return bake(armature, track, action_name=action_name, start_frame=start_frame)
