"""What differs between Blender versions, and the only file that asks for the version."""

from __future__ import annotations

from collections.abc import Callable

import bpy

__all__ = ["action_curves", "assign_new_action"]

_SLOTTED_ACTIONS = bpy.app.version >= (4, 4, 0)
_GROUP_NAME_ARGUMENT = bpy.app.version >= (5, 0, 0)

NewCurve = Callable[[str, int, str], "bpy.types.FCurve"]


def assign_new_action(animated: bpy.types.ID, name: str) -> tuple[bpy.types.Action, NewCurve]:
    """Make a new Action for a data-block and give it to it.

    Returns the Action and a function (data_path, array_index, group name) that makes an F-curve in it.
    """
    animation = animated.animation_data or animated.animation_data_create()
    action = bpy.data.actions.new(name)
    if not _SLOTTED_ACTIONS:
        animation.action = action
        return action, lambda path, index, group: action.fcurves.new(path, index=index, action_group=group)
    slot = action.slots.new(id_type=animated.id_type, name=animated.name)
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    animation.action = action
    animation.action_slot = slot
    if _GROUP_NAME_ARGUMENT:
        return action, lambda path, index, group: bag.fcurves.new(path, index=index, group_name=group)

    def new_curve(path: str, index: int, group: str) -> bpy.types.FCurve:
        curve = bag.fcurves.new(path, index=index)
        curve.group = bag.groups.get(group) or bag.groups.new(group)
        return curve

    return action, new_curve


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
