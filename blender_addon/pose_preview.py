"""The captured pose on the armature before any key is made: shown on the present frame, taken back without a trace.

What the pose was before is kept with the armature object itself while the preview shows, as its custom property:
whatever undo, an autosave or a copy brings back, the pose and the way back from it come together.
"""

from __future__ import annotations

import functools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import bpy
import numpy as np
from bpy.app import handlers, timers
from mathutils import Quaternion

from . import armature as armatures
from . import finishing, report, rigs, runs
from .apply import scene_fps
from .bake import frame_times_s
from .blocks import Held
from .core import corrections, errors, feet, ik_controls, parts, retarget, rigmap, world
from .preview_track import LiveTrack

__all__ = [
    "ATCN_OT_preview_pose",
    "frames_shown",
    "handle_setting_changed",
    "is_on",
    "refresh",
    "register_handlers",
    "settle",
    "switch_off",
    "switch_on",
    "unregister_handlers",
]

KEY = "atcn_pose_before_preview"
# How long the sliders must have been left alone before the whole clip is solved, and how often that is looked after.
QUIET_S, TICK_S = 0.3, 0.1
_CHANNELS = ("location", "rotation_quaternion", "rotation_axis_angle", "rotation_euler", "scale")
_FAILED = "The pose cannot be shown."


@dataclass(frozen=True)
class _Preview:
    """What is shown, and on whom. live: its pose with the present settings; None: to be solved."""

    scene: Held
    armature: Held
    rig_map: rigmap.RigMap
    motion: world.WorldMotion
    pool: ThreadPoolExecutor
    live: LiveTrack | None = None


_preview: _Preview | None = None


def is_on() -> bool:
    """Whether the preview is switched on."""
    return _preview is not None


def frames_shown() -> int:
    """How many frames the clip has that is shown, 0 while the preview is off."""
    return len(_preview.motion.times_s) if _preview is not None else 0


def switch_on(scene: bpy.types.Scene) -> None:
    """Show the last capture's pose on the chosen armature, in this frame and in every one gone to.

    Raises RigError, MotionError where that cannot be; then nothing has changed.
    """
    global _preview
    switch_off()
    armature = scene.atcn.armature if scene.atcn.target == "ARMATURE" else None
    if armature is None or runs.last_capture is None:
        raise errors.RigError(
            "There is no pose or no armature to show it on.", hint="Capture, or apply to an armature."
        )
    armatures.require_armature(armature)
    rig_map = rigs.map_of_armature(armature)
    motion, pool = _ready_motion(scene.atcn), ThreadPoolExecutor(1, thread_name_prefix="atcn")
    _preview = _Preview(Held.of(scene), Held.of(armature), rig_map, motion, pool)
    _show_or_end()


def switch_off() -> None:
    """Take the pose back, bit for bit; where the preview is off, nothing happens."""
    global _preview
    if _preview is not None:
        _preview.pool.shutdown(wait=False, cancel_futures=True)
    _preview = None
    _take_back()


def refresh() -> None:
    """Show the pose anew with the present settings, where the preview is on. Raises as `switch_on` does, then off."""
    global _preview
    if _preview is not None:
        _take_back()
        if _preview.live is not None:
            _preview.live.forget()
        _preview = replace(_preview, live=None)
        _show_or_end()


def _ready_motion(settings: bpy.types.PropertyGroup) -> world.WorldMotion:
    """The last capture in the world, as tall and as smooth as the settings want it. Raises MotionError."""
    return finishing.ready_world(runs.last_capture[1], settings.finish.known_height_m, settings.finish.smooth)


def _show_or_end() -> None:
    try:
        _show()
    except BaseException:
        switch_off()
        raise


def _show() -> None:
    """Put the present frame's pose on the armature, whose own pose is there now. Raises RigError, MotionError."""
    global _preview
    scene, armature = _preview.scene.get(), _preview.armature.get()
    if scene.atcn.armature != armature or armature not in scene.objects.values():
        raise errors.RigError(
            f"{armature.name!r} is no longer the chosen armature.", hint="Switch the preview on again."
        )
    clip_s = _preview.motion.times_s
    keys_s = frame_times_s(clip_s, scene_fps(scene))
    time_s = float(keys_s[np.clip(scene.frame_current - scene.atcn.start_frame, 0, len(keys_s) - 1)])
    if _preview.live is None:
        if runs.last_capture is not None:
            _preview = replace(_preview, motion=_ready_motion(scene.atcn))
        _preview = replace(_preview, live=_solved_live(scene.atcn, armature))
    pose = _preview.live.at(time_s)
    limbs = ik_controls.ik_limbs(_preview.rig_map, armatures.bone_names(armature))
    wanted = ik_controls.switches(_preview.rig_map, limbs, pose, ik=False)
    switches = [switch for switch in wanted if _has(armature, switch)]
    armature[KEY] = json.dumps(_kept(armature, pose, switches))
    for name, quats in pose.quats.items():
        _turn(armature.pose.bones[name], quats[0])
        _place(armature.pose.bones[name], name, pose)
    for switch in switches:
        _set(armature.pose.bones[switch.bone], switch.property, switch.value)
    armature.update_tag()


def _solved_live(settings: bpy.types.PropertyGroup, armature: bpy.types.Object) -> LiveTrack:
    """The pose with the settings as they are now; the whole clip's follows once they are left alone."""
    rest, rig_map = armatures.rest_of(armature), _preview.rig_map
    correction, keyed = settings.corrections.to_corrections(), settings.corrections.to_parts()
    foot_mode = feet.FOOT_MODES[settings.feet]

    def solve(motion: world.WorldMotion) -> retarget.PoseTrack:
        return parts.only(corrections.solve(motion, rest, rig_map, correction, foot_mode), rest, rig_map, keyed)

    live = LiveTrack(_preview.motion, solve)
    if not live.whole:
        timers.register(functools.partial(settle, live), first_interval=QUIET_S)
    return live


def settle(live: LiveTrack) -> float | None:
    """Have the whole clip solved beside, and show it when it is there. Returns when to look again: for a timer."""
    if _preview is None or _preview.live is not live:
        return None
    live.begin_whole(_preview.pool)
    try:
        if not live.take_whole():
            return TICK_S
    except errors.AtcnError as error:
        switch_off()
        runs.status.fail(_FAILED, error.message, error.hint)
        return None
    _take_back()
    _show_again()
    return None


def _turn(bone: bpy.types.PoseBone, quat: np.ndarray) -> None:
    """Turn a bone in the rotation mode it has."""
    turn = Quaternion(quat)
    if bone.rotation_mode == "QUATERNION":
        bone.rotation_quaternion = turn
    elif bone.rotation_mode == "AXIS_ANGLE":
        axis, angle_rad = turn.to_axis_angle()
        bone.rotation_axis_angle = (angle_rad, *axis)
    else:
        bone.rotation_euler = turn.to_euler(bone.rotation_mode, bone.rotation_euler)


def _place(bone: bpy.types.PoseBone, name: str, pose: retarget.PoseTrack) -> None:
    """Put a bone where the keys would: others than those that move are neither shifted nor scaled."""
    location = pose.root_location if name == pose.root_bone else pose.other_locations.get(name)
    if location is not None:
        bone.location = location[0]
    elif name not in pose.unplaced:
        bone.location = (0.0, 0.0, 0.0)
    bone.scale = (1.0, 1.0, 1.0)


def _has(armature: bpy.types.Object, switch: rigmap.SwitchedBone) -> bool:
    bone = armature.pose.bones.get(switch.bone)
    return bone is not None and (switch.property in bone or switch.property in bone.bl_rna.properties)


def _get(bone: bpy.types.PoseBone, name: str) -> bool | int | float:
    return bone[name] if name in bone else getattr(bone, name)


def _set(bone: bpy.types.PoseBone, name: str, value: float) -> None:
    """Give one of the rig's own properties, or one that every bone has, a value of the kind it holds."""
    value = type(_get(bone, name))(value)
    if name in bone:
        bone[name] = value
    else:
        setattr(bone, name, value)


def _kept(armature: bpy.types.Object, pose: retarget.PoseTrack, switches: list[rigmap.SwitchedBone]) -> dict:
    """All that `_show` changes, as it is now."""
    bones = {
        name: {channel: list(getattr(armature.pose.bones[name], channel)) for channel in _CHANNELS}
        for name in pose.quats
    }
    return {
        "bones": bones,
        "switches": [[s.bone, s.property, _get(armature.pose.bones[s.bone], s.property)] for s in switches],
    }


def _take_back() -> None:
    """Give every armature that shows a preview its own pose again; copies that were made of one, too."""
    for thing in bpy.data.objects:
        if KEY in thing:
            kept = json.loads(thing[KEY])
            del thing[KEY]
            if thing.pose is not None:
                _restore(thing, kept)


def _restore(armature: bpy.types.Object, kept: dict) -> None:
    bones = armature.pose.bones
    for name, channels in kept["bones"].items():
        if name in bones:
            for channel, values in channels.items():
                setattr(bones[name], channel, values)
    for name, prop, value in kept["switches"]:
        if name in bones:
            _set(bones[name], prop, value)
    armature.update_tag()


def _show_again() -> None:
    """Show the pose where the preview is on; where it no longer can be, the preview ends, and the panel says why."""
    if _preview is None:
        return
    try:
        _show_or_end()
    except errors.AtcnError as error:
        runs.status.fail(_FAILED, error.message, error.hint)


def handle_setting_changed(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """A slider was moved: for the `update` of properties."""
    _show_anew()


def _show_anew() -> None:
    """As `refresh`, where nobody is there to be told but the panel."""
    try:
        refresh()
    except errors.AtcnError as error:
        runs.status.fail(_FAILED, error.message, error.hint)


@handlers.persistent
def _handle_frame_leaving(scene: bpy.types.Scene, *_: object) -> None:
    """Before another frame is evaluated: what is keyed finds the pose as if there were no preview."""
    if _preview is not None and scene.session_uid == _preview.scene.uid:
        _take_back()


@handlers.persistent
def _handle_frame_reached(scene: bpy.types.Scene, *_: object) -> None:
    if _preview is not None and scene.session_uid == _preview.scene.uid:
        _show_again()


@handlers.persistent
def _handle_before(*_: object) -> None:
    """The file is about to be written, or undo about to compare it with what it remembers: never with our pose."""
    if _preview is not None:
        _take_back()


@handlers.persistent
def _handle_saved(*_: object) -> None:
    _show_again()


@handlers.persistent
def _handle_undone(*_: object) -> None:
    """Undo may bring back a state in which the preview showed, and other settings without telling of them."""
    _take_back()
    _show_anew()


@handlers.persistent
def _handle_end(*_: object) -> None:
    """Another file, or a render: the preview is over. In a file that was saved by a crash its pose is taken back."""
    switch_off()


_HANDLERS = (
    ("frame_change_pre", _handle_frame_leaving),
    ("frame_change_post", _handle_frame_reached),
    ("save_pre", _handle_before),
    ("save_post", _handle_saved),
    ("save_post_fail", _handle_saved),
    ("undo_pre", _handle_before),
    ("undo_post", _handle_undone),
    ("redo_pre", _handle_before),
    ("redo_post", _handle_undone),
    ("load_pre", _handle_end),
    ("load_post", _handle_end),
    ("render_init", _handle_end),
)


def register_handlers() -> None:
    """Have Blender tell of frames, saves, undo, loads and renders."""
    for name, handler in _HANDLERS:
        getattr(handlers, name).append(handler)


def unregister_handlers() -> None:
    """`register_handlers` backwards; a preview that still shows is taken back."""
    switch_off()
    for name, handler in reversed(_HANDLERS):
        getattr(handlers, name).remove(handler)


class ATCN_OT_preview_pose(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Show the last captured movement on the armature, frame by frame with the present corrections, without any keys"""

    bl_idname = "atcn.preview_pose"
    bl_label = "Preview Pose"
    # No undo step: nothing that undo knows of is changed.
    bl_options = {"REGISTER"}  # noqa: RUF012  read by Blender

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.atcn
        if runs.last_capture is None:
            cls.poll_message_set("Nothing was captured yet")
        elif runs.current() is not None:
            cls.poll_message_set("Wait until what is running has ended")
        elif settings.target != "ARMATURE" or settings.armature is None:
            cls.poll_message_set("Choose an armature first")
        else:
            return True
        return is_on()

    def execute(self, context: bpy.types.Context) -> set[str]:
        if is_on():
            switch_off()
            return {"FINISHED"}
        try:
            switch_on(context.scene)
        except errors.AtcnError as error:
            return report.failed(self, _FAILED, error)
        return {"FINISHED"}
