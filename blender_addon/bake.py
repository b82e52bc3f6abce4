"""Writes keys: a pose track as a new Action, in bulk and a bone at a time. The only writer of keys."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from . import blocks, compat
from .core import errors, retarget, rigmap
from .steps import Steps, finish

__all__ = ["bake", "baking", "frame_times_s", "give", "key_switches"]

_LINEAR = 1
_UNSCALED = Vector((1.0, 1.0, 1.0))
# Turns that are made Euler angles in one step: they are the slow part, as Blender makes each by itself.
_EULERS_A_STEP = 500


def frame_times_s(times_s: np.ndarray, fps: float) -> np.ndarray:
    """The clip's times (N,) at which the scene has a frame: from its first to the frame nearest to its last."""
    frames = int(np.floor((times_s[-1] - times_s[0]) * fps + 0.5)) + 1
    return times_s[0] + np.arange(frames) / fps


def bake(
    armature: bpy.types.Object, track: retarget.PoseTrack, *, action_name: str, start_frame: int
) -> bpy.types.Action:
    """Write a track, one key a frame from `start_frame` on, as a new Action of the armature.

    Each bone is keyed in the rotation mode it has. The Action that was there before stays in the file.
    """
    action = finish(baking(armature, track, action_name=action_name, start_frame=start_frame))
    give(armature, action)
    return action


def baking(
    armature: bpy.types.Object, track: retarget.PoseTrack, *, action_name: str, start_frame: int
) -> Steps[bpy.types.Action]:
    """As `bake`, in steps of at most a bone, save that the armature gets the Action only by `give`.

    Ended early, nothing is left. Raises RigError where the armature, a bone or the Action is deleted on the way.
    """
    frames = start_frame + np.arange(len(track.times_s), dtype=np.float64)
    held_armature = blocks.Held.of(armature)
    with blocks.removed_on_failure() as made:
        action = compat.new_action(armature, action_name)
        held_action = blocks.Held.of(action)
        made.add(held_action.uid)
        curves = 0
        for bone, quats in track.quats.items():
            yield
            mode = _pose_bone(held_armature.get(), bone).rotation_mode
            channel, values = yield from _rotation_channel(mode, quats)
            pose_bone, action = _pose_bone(held_armature.get(), bone), held_action.get()
            if compat.curve_count(action) != curves:  # undo went back to when fewer bones were done
                raise errors.RigError(f"The action {action.name!r} was changed while it was made.", hint="Try again.")
            new_curve = compat.curve_maker(action)
            _write(new_curve, pose_bone, channel, frames, values)
            location = track.root_location if bone == track.root_bone else track.other_locations.get(bone)
            if location is not None:
                _write(new_curve, pose_bone, "location", frames, location)
            _write_rest_of_pose(new_curve, pose_bone, frames, moves=location is not None)
            curves = compat.curve_count(action)
    return action


def give(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Have the armature moved by an Action of `baking`. The one that was there before stays in the file."""
    _keep_present_action(armature)
    compat.assign_action(armature, action)


def key_switches(
    armature: bpy.types.Object, action: bpy.types.Action, switches: Iterable[rigmap.SwitchedBone], frame: int
) -> None:
    """Have the Action itself turn a control rig's limbs to FK: the rig's own setting is back with another Action."""
    new_curve = compat.curve_maker(action)
    for switch in switches:
        bone = armature.pose.bones.get(switch.bone)
        if bone is not None and switch.property in bone:
            path = f'{bone.path_from_id()}["{bpy.utils.escape_identifier(switch.property)}"]'
            new_curve(path, 0, bone.name).keyframe_points.insert(frame, switch.value)


def _pose_bone(armature: bpy.types.Object, name: str) -> bpy.types.PoseBone:
    found = armature.pose.bones.get(name)
    if found is None:
        raise errors.RigError(f"The bone {name!r} of {armature.name!r} is no longer there.", hint="Try again.")
    return found


def _write_rest_of_pose(
    new_curve: compat.NewCurve, pose_bone: bpy.types.PoseBone, frames: np.ndarray, *, moves: bool
) -> None:
    """A bone that was left shifted or scaled (importers do that) would spoil the pose: key it back to rest."""
    if not moves and pose_bone.location.length > 1e-6:
        _write(new_curve, pose_bone, "location", frames, np.zeros((len(frames), 3)))
    if (pose_bone.scale - _UNSCALED).length > 1e-6:
        _write(new_curve, pose_bone, "scale", frames, np.ones((len(frames), 3)))


def _keep_present_action(armature: bpy.types.Object) -> None:
    """An Action nobody uses is lost when the file is saved: one that loses its only user here is told to stay."""
    animation = armature.animation_data
    if animation is None:
        return
    if animation.use_tweak_mode:
        animation.use_tweak_mode = False
    present = animation.action
    if present is not None and present.library is None and present.users <= 1:
        present.use_fake_user = True


def _rotation_channel(mode: str, quats: np.ndarray) -> Steps[tuple[str, np.ndarray]]:
    """The property that turns a bone in this rotation mode, and its values (T, 3 or 4), without jumps."""
    if mode == "QUATERNION":
        return "rotation_quaternion", quats
    if mode == "AXIS_ANGLE":
        sine = np.linalg.norm(quats[:, 1:], axis=1)
        angle_rad = 2.0 * np.arctan2(sine, quats[:, 0])
        axis = np.where(sine[:, None] > 1e-9, quats[:, 1:] / np.maximum(sine, 1e-9)[:, None], [0.0, 1.0, 0.0])
        return "rotation_axis_angle", np.concatenate([angle_rad[:, None], axis], axis=1)
    euler = Quaternion(quats[0]).to_euler(mode)
    values = np.empty((len(quats), 3))
    for number, quat in enumerate(quats):
        euler = Quaternion(quat).to_euler(mode, euler)
        values[number] = euler[:]
        if number % _EULERS_A_STEP == _EULERS_A_STEP - 1:
            yield
    return "rotation_euler", values


def _write(
    new_curve: compat.NewCurve, pose_bone: bpy.types.PoseBone, channel: str, frames: np.ndarray, values: np.ndarray
) -> None:
    """One F-curve for each column of values (T, D); a column that never moves is a single key.

    FCurve.update() is left out: half of the time would go into handles, which linear keys neither use nor show.
    Blender works them out when somebody makes the keys Bezier.
    """
    path = f'pose.bones["{bpy.utils.escape_identifier(pose_bone.name)}"].{channel}'
    points = np.stack([frames, frames], axis=1).astype(np.float32)
    linear = np.full(len(frames), _LINEAR, dtype=np.intc)
    still = (values == values[0]).all(axis=0)
    for index in range(values.shape[1]):
        points[:, 1] = values[:, index]
        count = 1 if still[index] else len(frames)
        keys = new_curve(path, index, pose_bone.name).keyframe_points
        keys.add(count)
        keys.foreach_set("co", points[:count].ravel())
        keys.foreach_set("interpolation", linear[:count])
