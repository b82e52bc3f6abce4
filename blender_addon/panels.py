"""The sidebar tab "Mocap" in the 3D view. Draws; decides nothing."""

from __future__ import annotations

import textwrap

import bpy

from . import engine, panel_camera, panel_finish, rig_roles, runs, source_panel
from .core import errors
from .footage import ATCN_OT_add_footage, can_add
from .operators import ATCN_OT_apply_last, ATCN_OT_cancel, ATCN_OT_capture, ATCN_OT_install_engine

__all__ = ["ATCN_PT_capture"]

PIXELS_PER_LETTER = 7.0
LETTERS_BESIDE = 8
LETTERS_AT_LEAST = 20


class ATCN_PT_capture(bpy.types.Panel):  # noqa: N801  Blender's own naming
    """Everything for a capture, from top to bottom in the order of use."""

    bl_idname = "ATCN_PT_capture"
    bl_label = "Motion Capture"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mocap"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        letters = _letters(context)
        column = layout.column()
        column.enabled = not runs.status.running
        _draw_settings(column, context.scene.atcn)
        if runs.current() is not None:
            _draw_running(layout)
        elif context.scene.atcn.source != "VIDEO":
            _draw_buttons(layout, source_panel.ATCN_OT_transfer.bl_idname)
        elif _draw_engine(layout, letters):
            _draw_buttons(layout, ATCN_OT_capture.bl_idname)
        _draw_outcome(layout, letters)


def _draw_settings(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    source_panel.draw(layout, settings)
    layout.row().prop(settings, "target", expand=True)
    layout.prop(settings, "avatar" if settings.target == "AVATAR" else "armature", text=" ")
    if settings.target == "ARMATURE" and settings.armature is not None:
        rig_roles.draw(layout, settings)
    layout.prop(settings, "feet")
    if settings.source == "VIDEO":
        layout.prop(settings, "fingers")
        panel_camera.draw(layout, settings.camera)
        panel_finish.draw(layout, settings.finish)
    layout.prop(settings, "start_frame")
    layout.prop(settings, "use_range")
    if settings.use_range:
        column = layout.column(align=True)
        column.prop(settings, "start_s")
        column.prop(settings, "end_s")


def _draw_running(layout: bpy.types.UILayout) -> None:
    status = runs.status
    layout.progress(factor=status.fraction, type="BAR", text=status.text)
    row = layout.row()
    row.scale_y = 1.4
    row.operator(ATCN_OT_cancel.bl_idname, icon="CANCEL")


def _draw_engine(layout: bpy.types.UILayout, letters: int) -> bool:
    """The button that makes the engine, where there is none. Returns whether there is one."""
    try:
        engine.find_engine()
    except errors.EngineError as problem:
        box = layout.box()
        box.label(text="No capture engine", icon="ERROR")
        _draw_text(box, problem.message, letters)
        box.use_property_split = False
        if not bpy.app.online_access:
            box.prop(bpy.context.preferences.system, "use_online_access", text="Allow online access")
        row = box.row()
        row.scale_y = 1.4
        row.operator(ATCN_OT_install_engine.bl_idname, icon="IMPORT")
        return False
    return True


def _draw_buttons(layout: bpy.types.UILayout, button: str) -> None:
    column = layout.column()
    column.scale_y = 1.4
    column.operator(button, icon="RENDER_ANIMATION")
    if runs.last_capture is not None:
        layout.operator(ATCN_OT_apply_last.bl_idname, icon="ARMATURE_DATA")
    if can_add():
        layout.operator(ATCN_OT_add_footage.bl_idname, icon="VIEW_CAMERA")


def _letters(context: bpy.types.Context) -> int:
    """About how many letters of text fit into a line of the panel."""
    scale = context.preferences.system.ui_scale or 1.0
    return max(int(context.region.width / scale / PIXELS_PER_LETTER) - LETTERS_BESIDE, LETTERS_AT_LEAST)


def _draw_outcome(layout: bpy.types.UILayout, letters: int) -> None:
    status = runs.status
    if status.running or not status.headline:
        return
    if not status.error:
        layout.label(text=status.headline, icon="CHECKMARK" if status.well else "INFO")
    else:
        box = layout.box()
        box.alert = True
        box.label(text=status.headline, icon="ERROR")
        for paragraph in filter(None, (status.error, status.hint)):
            _draw_text(box, paragraph, letters)
        if status.log:
            box.alert = False
            box.operator("wm.path_open", text="Open the Log", icon="TEXT").filepath = status.log
    if status.note:
        _draw_text(layout, status.note, letters)
    for warning in status.warnings:
        _draw_text(layout, warning, letters)


def _draw_text(layout: bpy.types.UILayout, text: str, letters: int) -> None:
    column = layout.column(align=True)
    for line in textwrap.wrap(text, letters):
        column.label(text=line)
