"""A captured motion on an armature: the one way that the operator, batch and scripts all go."""

from __future__ import annotations

import bpy

from . import armature as armatures
from .bake import baking, frame_times_s, give, key_switches
from .blocks import Held
from .core import clip, corrections, feet, ik_controls, parts, reduction, retarget, rigmap, world
from .result import NEW_ACTION, ResultOptions, require_ik_controls
from .steps import Steps, aside, finish

__all__ = ["apply_motion", "pose_track", "posing", "scene_fps"]


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
    foot_mode: feet.FootMode | None = None,
) -> bpy.types.Action:
    """Retarget a motion to an armature and bake it as a new Action at the scene's frame rate.

    A clip of 10 s becomes 10 s of animation. Nothing else in the scene changes: no mode, selection, frame,
    transform, rotation mode or constraint. Raises RigError where the armature lacks bones of the map.
    """
    steps = posing(
        armature,
        rig_map,
        motion,
        fps=scene_fps(scene),
        action_name=action_name,
        start_frame=start_frame,
        foot_mode=foot_mode,
    )
    action, _ = finish(steps)
    give(armature, action)
    return action


def posing(
    armature: bpy.types.Object,
    rig_map: rigmap.RigMap,
    motion: clip.Motion3D,
    *,
    fps: float,
    action_name: str,
    start_frame: int,
    correction: corrections.Corrections = corrections.NONE,
    keyed: frozenset[str] = parts.WHOLE,
    result: ResultOptions = NEW_ACTION,
    foot_mode: feet.FootMode | None = None,
) -> Steps[tuple[bpy.types.Action, reduction.Kept | None]]:
    """As `apply_motion` in short steps, save that the armature gets the Action only by `result.place`.

    foot_mode: how feet that stand are held; correction: the animator's own; keyed: the parts of the body that get
    keys; result: how the keys are written. With fewer keys than frames, what was kept comes along.
    Ended early, nothing is left. Raises RigError also where the armature is deleted on the way.
    """
    armatures.require_armature(armature)
    rig_map.require(armatures.bone_names(armature), armature.name)
    require_ik_controls(armature.name, rig_map, result, armature)
    held, rest = Held.of(armature), armatures.rest_of(armature)
    track = yield from aside(pose_track, motion, rest, rig_map, fps, correction, keyed, foot_mode)
    limbs = ik_controls.ik_limbs(rig_map, rest.names)
    switches = ik_controls.switches(rig_map, limbs, track, ik=result.ik)
    if result.ik:
        track = yield from aside(ik_controls.to_ik, track, rest, limbs)
    action, kept = yield from baking(
        held.get(), track, action_name=action_name, start_frame=start_frame, thinning=result.thinning
    )
    key_switches(held.get(), action, switches, start_frame)
    return action, kept


def pose_track(
    motion: clip.Motion3D | world.WorldMotion,
    rest: retarget.RigRest,
    rig_map: rigmap.RigMap,
    fps: float,
    correction: corrections.Corrections = corrections.NONE,
    keyed: frozenset[str] = parts.WHOLE,
    foot_mode: feet.FootMode | None = None,
) -> retarget.PoseTrack:
    """The rig's pose at each frame of a scene of this rate. Plain numpy: it runs in a thread of its own."""
    track = corrections.solve(world.to_world(motion), rest, rig_map, correction, foot_mode)
    track = parts.only(track, rest, rig_map, keyed)
    return retarget.resample(track, frame_times_s(track.times_s, fps))
