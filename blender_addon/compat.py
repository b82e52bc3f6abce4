"""What differs between Blender versions, and the only file that asks for the version."""

from __future__ import annotations

from collections.abc import Callable

import bpy

__all__ = [
    "action_curves",
    "assign_action",
    "curve_count",
    "curve_maker",
    "curves_in",
    "film_fps",
    "free_channel",
    "new_action",
    "own_curve_maker",
    "place_sound",
    "remove_curve",
    "set_strip_slot",
    "strips_of",
]

_SLOTTED_ACTIONS = bpy.app.version >= (4, 4, 0)
_GROUP_NAME_ARGUMENT = bpy.app.version >= (5, 0, 0)

NewCurve = Callable[[str, int, str], "bpy.types.FCurve"]


def new_action(animated: bpy.types.ID, name: str) -> bpy.types.Action:
    """Make a new Action that suits a data-block, which is not changed: `assign_action` gives it to it."""
    action = bpy.data.actions.new(name)
    if _SLOTTED_ACTIONS:
        slot = action.slots.new(id_type=animated.id_type, name=animated.name)
        action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    return action


def curve_maker(action: bpy.types.Action) -> NewCurve:
    """The function (data_path, array_index, group name) that makes an F-curve in an Action of `new_action`."""
    return _curve_maker(action if not _SLOTTED_ACTIONS else action.layers[0].strips[0].channelbag(action.slots[0]))


def own_curve_maker(animated: bpy.types.ID) -> NewCurve:
    """As `curve_maker`, in the Action that a data-block has, whoever made it."""
    animation = animated.animation_data
    action = animation.action
    if not _SLOTTED_ACTIONS:
        return _curve_maker(action)
    if animation.action_slot is None:
        animation.action_slot = action.slots.new(id_type=animated.id_type, name=animated.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return _curve_maker(strip.channelbag(animation.action_slot, ensure=True))


def _curve_maker(holder: bpy.types.Action | bpy.types.ActionChannelbag) -> NewCurve:
    if not _SLOTTED_ACTIONS:
        return lambda path, index, group: holder.fcurves.new(path, index=index, action_group=group)
    if _GROUP_NAME_ARGUMENT:
        return lambda path, index, group: holder.fcurves.new(path, index=index, group_name=group)

    def new_curve(path: str, index: int, group: str) -> bpy.types.FCurve:
        curve = holder.fcurves.new(path, index=index)
        curve.group = holder.groups.get(group) or holder.groups.new(group)
        return curve

    return new_curve


def curve_count(action: bpy.types.Action) -> int:
    """How many F-curves an Action of `new_action` has."""
    return len(_curves_of_new(action))


def curves_in(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """The F-curves of an Action of `new_action`."""
    return list(_curves_of_new(action))


def _curves_of_new(action: bpy.types.Action) -> bpy.types.bpy_prop_collection:
    if not _SLOTTED_ACTIONS:
        return action.fcurves
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def assign_action(animated: bpy.types.ID, action: bpy.types.Action) -> None:
    """Have a data-block moved by an Action of `new_action`."""
    animation = animated.animation_data or animated.animation_data_create()
    animation.action = action
    if _SLOTTED_ACTIONS:
        animation.action_slot = action.slots[0]


def action_curves(animated: bpy.types.ID) -> list[bpy.types.FCurve]:
    """The F-curves that move a data-block through its own Action; empty where it has none."""
    animation = animated.animation_data
    if animation is None or animation.action is None:
        return []
    if not _SLOTTED_ACTIONS:
        return list(animation.action.fcurves)
    if animation.action_slot is None:
        return []
    strips = [strip for layer in animation.action.layers for strip in layer.strips]
    bags = [strip.channelbag(animation.action_slot) for strip in strips]
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def remove_curve(animated: bpy.types.ID, curve: bpy.types.FCurve) -> None:
    """Take one of `action_curves` out of a data-block's own Action."""
    animation = animated.animation_data
    if not _SLOTTED_ACTIONS:
        animation.action.fcurves.remove(curve)
        return
    for layer in animation.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(animation.action_slot)
            if bag is not None and bag.fcurves.find(curve.data_path, index=curve.array_index) == curve:
                bag.fcurves.remove(curve)
                return


def set_strip_slot(strip: bpy.types.NlaStrip) -> None:
    """Have an NLA strip play the one slot of its Action of `new_action`."""
    if _SLOTTED_ACTIONS:
        strip.action_slot = strip.action.slots[0]


def film_fps(image: bpy.types.Image) -> float:
    """The frame rate at which Blender counts the frames of an image that is a film; images do not tell, clips do."""
    film = bpy.data.movieclips.load(bpy.path.abspath(image.filepath))
    fps = float(film.fps)
    bpy.data.movieclips.remove(film)
    return fps


def strips_of(scene: bpy.types.Scene) -> bpy.types.bpy_prop_collection:
    """The sequencer's strips, in a sequencer that is made where there is none."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def place_sound(strip: bpy.types.Strip, late_s: float, left_out: int) -> None:
    """Have a sound strip sound so much later than at its first frame, and leave out that many of its frames.

    late_s: less than a frame. Versions that know no such shift keep to whole frames.
    """
    if hasattr(strip, "sound_offset"):
        strip.sound_offset = late_s
    handle = "left_handle_offset" if hasattr(strip, "left_handle_offset") else "frame_offset_start"
    setattr(strip, handle, left_out)


def free_channel(scene: bpy.types.Scene) -> int:
    """The sequencer's first channel above all of its strips."""
    return 1 + max((strip.channel for strip in strips_of(scene)), default=0)
