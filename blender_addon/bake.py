"""Writes keys: a pose track as a new Action, in bulk and a bone at a time. The only writer of keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from . import blocks, compat
from .core import errors, reduction, retarget, rigmap
from .steps import Steps, aside, finish

__all__ = [
    "bake",
    "baking",
    "frame_times_s",
    "give",
    "give_copy",
    "key_every_frame",
    "key_held",
    "key_switches",
    "own_action",
]

_LINEAR, _BEZIER = 1, 2
_ALIGNED = 3
_UNSCALED = Vector((1.0, 1.0, 1.0))
# Turns that are made Euler angles in one step: they are the slow part, as Blender makes each by itself.
_EULERS_A_STEP = 500

# A bone's channels by the name of their property.
_Channels = dict[str, reduction.Channel]


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
    action, _ = finish(baking(armature, track, action_name=action_name, start_frame=start_frame))
    give(armature, action)
    return action


def baking(
    armature: bpy.types.Object,
    track: retarget.PoseTrack,
    *,
    action_name: str,
    start_frame: int,
    thinning: reduction.Thinning = reduction.EVERY_FRAME,
) -> Steps[tuple[bpy.types.Action, reduction.Kept | None]]:
    """As `bake`, in steps of at most a bone, save that the armature gets the Action only by `give`.

    With thinning the keys are fewer, with curves between them, and what was kept comes along.
    Ended early, nothing is left. Raises RigError where the armature, a bone or the Action is deleted on the way.
    """
    frames = start_frame + np.arange(len(track.times_s), dtype=np.float64)
    held_armature = blocks.Held.of(armature)
    with blocks.removed_on_failure() as made:
        action = compat.new_action(armature, action_name)
        held_action = blocks.Held.of(action)
        made.add(held_action.uid)
        planned, keys, kept = {}, {}, None
        if thinning.thins:
            planned = yield from _all_channels(held_armature, track)
            keys, kept = yield from _fewer_keys(planned, thinning)
        curves = 0
        for bone in track.quats:
            yield
            channels = planned[bone] if planned else (yield from _channels(held_armature, track, bone))
            action = held_action.get()
            if compat.curve_count(action) != curves:  # undo went back to when fewer bones were done
                raise errors.RigError(f"The action {action.name!r} was changed while it was made.", hint="Try again.")
            new_curve, pose_bone = compat.curve_maker(action), _pose_bone(held_armature.get(), bone)
            for name, channel in channels.items():
                if keys:
                    _write_curved(new_curve, pose_bone, name, frames, channel.values, keys[bone, name])
                else:
                    _write(new_curve, pose_bone, name, frames, channel.values)
            curves = compat.curve_count(action)
    return action, kept


def give(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Have the armature moved by an Action of `baking`. The one that was there before stays in the file."""
    _keep_present_action(armature)
    compat.assign_action(armature, action)


def give_copy(armature: bpy.types.Object) -> bpy.types.Action:
    """Have the armature moved by a copy of its own Action, which stays in the file. Returns the copy."""
    _keep_present_action(armature)
    copy = armature.animation_data.action.copy()
    copy.use_fake_user = False
    armature.animation_data.action = copy
    return copy


def own_action(armature: bpy.types.Object) -> bpy.types.Action | None:
    """The Action that the armature has; a strip that is being tweaked is left first."""
    animation = armature.animation_data
    if animation is None:
        return None
    if animation.use_tweak_mode:
        animation.use_tweak_mode = False
    return animation.action


def _keep_present_action(armature: bpy.types.Object) -> None:
    """An Action nobody uses is lost when the file is saved: one that loses its only user here is told to stay."""
    present = own_action(armature)
    if present is not None and present.library is None and present.users <= 1:
        present.use_fake_user = True


def key_switches(
    armature: bpy.types.Object, action: bpy.types.Action, switches: Iterable[rigmap.SwitchedBone], frame: int
) -> None:
    """Have the Action itself turn a control rig's limbs to FK or IK: the rig's own setting is not touched."""
    new_curve = compat.curve_maker(action)
    for switch in switches:
        bone = armature.pose.bones.get(switch.bone)
        if bone is not None and (switch.property in bone or switch.property in bone.bl_rna.properties):
            path = _property_path(bone, switch.property)
            new_curve(path, 0, bone.name).keyframe_points.insert(frame, switch.value)


def key_held(animated: bpy.types.ID, path: str, frames: np.ndarray, values: np.ndarray) -> None:
    """A new Action for a data-block of its own, whose keys (N,) each hold a value until the next one."""
    action = compat.new_action(animated, animated.name)
    keys = compat.curve_maker(action)(path, 0, "").keyframe_points
    for frame, value in zip(frames, values, strict=True):
        keys.insert(float(frame), float(value)).interpolation = "CONSTANT"
    compat.assign_action(animated, action)


def key_every_frame(animated: bpy.types.ID, path: str, first_frame: int, values: np.ndarray) -> None:
    """Linear keys (N, D) of a property on frames from the first one on, beside what a data-block's own Action has."""
    if animated.animation_data is None or animated.animation_data.action is None:
        compat.assign_action(animated, compat.new_action(animated, animated.name))
    new_curve = compat.own_curve_maker(animated)
    points = np.stack([first_frame + np.arange(len(values)), np.zeros(len(values))], axis=1).astype(np.float32)
    for index in range(values.shape[1]):
        points[:, 1] = values[:, index]
        keys = new_curve(path, index, "").keyframe_points
        keys.add(len(values))
        keys.foreach_set("co", points.ravel())
        keys.foreach_set("interpolation", np.full(len(values), _LINEAR, dtype=np.intc))


def _property_path(bone: bpy.types.PoseBone, name: str) -> str:
    """The data path of one of the rig's own properties on a bone, or of one that every bone has."""
    own = name in bone
    return f'{bone.path_from_id()}["{bpy.utils.escape_identifier(name)}"]' if own else bone.path_from_id(name)


def _pose_bone(armature: bpy.types.Object, name: str) -> bpy.types.PoseBone:
    found = armature.pose.bones.get(name)
    if found is None:
        raise errors.RigError(f"The bone {name!r} of {armature.name!r} is no longer there.", hint="Try again.")
    return found


def _all_channels(held_armature: blocks.Held, track: retarget.PoseTrack) -> Steps[dict[str, _Channels]]:
    """`_channels` of every bone of a track."""
    found = {}
    for bone in track.quats:
        yield
        found[bone] = yield from _channels(held_armature, track, bone)
    return found


def _fewer_keys(
    planned: dict[str, _Channels], thinning: reduction.Thinning
) -> Steps[tuple[dict[tuple[str, str], reduction.Keys], reduction.Kept]]:
    """Keys for each bone and property, and what they make of the motion."""
    named = {(bone, name): channel for bone, channels in planned.items() for name, channel in channels.items()}
    keys, kept = yield from aside(reduction.thinned, list(named.values()), thinning)
    return dict(zip(named, keys, strict=True)), kept


def _channels(held_armature: blocks.Held, track: retarget.PoseTrack, bone: str) -> Steps[_Channels]:
    """What a bone's keys hold at each frame, by property.

    A bone that was left shifted or scaled (importers do that) would spoil the pose: it is keyed back to rest.
    """
    mode = _pose_bone(held_armature.get(), bone).rotation_mode
    name, values = yield from _rotation_channel(mode, track.quats[bone])
    channels = {name: reduction.Channel(mode, values)}
    armature = held_armature.get()
    pose_bone = _pose_bone(armature, bone)
    location = track.root_location if bone == track.root_bone else track.other_locations.get(bone)
    if location is None and pose_bone.location.length > 1e-6 and bone not in track.unplaced:
        location = np.zeros((len(values), 3))
    if location is not None:
        channels["location"] = reduction.Channel(reduction.PLACE, location, _cm_per_unit(armature, pose_bone))
    if (pose_bone.scale - _UNSCALED).length > 1e-6:
        channels["scale"] = reduction.Channel(reduction.PLACE, np.ones((len(values), 3)))
    return channels


def _cm_per_unit(armature: bpy.types.Object, pose_bone: bpy.types.PoseBone) -> float:
    """Centimetres of the world that one unit of a bone's location is."""
    held = armature.matrix_world @ pose_bone.parent.matrix if pose_bone.parent else armature.matrix_world
    return 100.0 * max(held.to_scale())


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


def _new_curves(
    new_curve: compat.NewCurve, pose_bone: bpy.types.PoseBone, name: str, values: np.ndarray, keys_each: int
) -> Iterator[tuple[int, int, bpy.types.FCurveKeyframePoints]]:
    """An F-curve for each column of values (T, D): the column, its number of keys, and where they go.

    A column that never moves is a single key.
    """
    path = f'pose.bones["{bpy.utils.escape_identifier(pose_bone.name)}"].{name}'
    still = (values == values[0]).all(axis=0)
    for index in range(values.shape[1]):
        count = 1 if still[index] else keys_each
        keys = new_curve(path, index, pose_bone.name).keyframe_points
        keys.add(count)
        yield index, count, keys


def _write(
    new_curve: compat.NewCurve, pose_bone: bpy.types.PoseBone, name: str, frames: np.ndarray, values: np.ndarray
) -> None:
    """Linear keys on all frames (T,), for each column of values (T, D) an F-curve.

    FCurve.update() is left out: half of the time would go into handles, which linear keys neither use nor show.
    Blender works them out when somebody makes the keys Bezier.
    """
    points = np.stack([frames, frames], axis=1).astype(np.float32)
    linear = np.full(len(frames), _LINEAR, dtype=np.intc)
    for index, count, keys in _new_curves(new_curve, pose_bone, name, values, len(frames)):
        points[:, 1] = values[:, index]
        keys.foreach_set("co", points[:count].ravel())
        keys.foreach_set("interpolation", linear[:count])


def _write_curved(
    new_curve: compat.NewCurve,
    pose_bone: bpy.types.PoseBone,
    name: str,
    frames: np.ndarray,
    values: np.ndarray,
    chosen: reduction.Keys,
) -> None:
    """Bezier keys on the chosen frames; with handles at a third of the way they play the cubics of `reduction`."""
    at = frames[chosen.at]
    gaps = np.diff(at) if len(at) > 1 else np.ones(1)
    before, after = np.append(gaps[0], gaps) / 3.0, np.append(gaps, gaps[-1]) / 3.0
    before, after = before[: len(at)], after[: len(at)]
    for index, count, keys in _new_curves(new_curve, pose_bone, name, values, len(at)):
        value, slope = values[chosen.at, index], chosen.slopes[:, index]
        sides = {
            "co": (at, value),
            "handle_left": (at - before, value - slope * before),
            "handle_right": (at + after, value + slope * after),
        }
        if count == 1:
            sides = {side: (x, np.broadcast_to(value, x.shape)) for side, (x, _) in sides.items()}
        for side, points in sides.items():
            keys.foreach_set(side, np.stack(points, axis=1)[:count].astype(np.float32).ravel())
        keys.foreach_set("interpolation", np.full(count, _BEZIER, dtype=np.intc))
        for side in ("handle_left_type", "handle_right_type"):
            keys.foreach_set(side, np.full(count, _ALIGNED, dtype=np.intc))
