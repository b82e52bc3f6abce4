"""The add-on: everything that touches Blender, and nothing else."""

from __future__ import annotations

import bpy

from . import (
    corrections,
    export_panel,
    footage,
    operators,
    panel_camera,
    panel_finish,
    panel_result,
    panels,
    pose_preview,
    preferences,
    properties,
    report_panel,
    rig_roles,
    runs,
    source_panel,
    take_reports,
)

__all__ = ["register", "unregister"]

CLASSES = (
    rig_roles.AtcnRole,
    corrections.AtcnCorrections,
    panel_result.AtcnResult,
    panel_finish.AtcnFinish,
    panel_camera.AtcnCamera,
    report_panel.AtcnReport,
    properties.AtcnSettings,
    operators.ATCN_OT_capture,
    operators.ATCN_OT_apply_last,
    operators.ATCN_OT_cancel,
    operators.ATCN_OT_install_engine,
    source_panel.ATCN_OT_transfer,
    footage.ATCN_OT_add_footage,
    report_panel.ATCN_OT_look_at_doubt,
    report_panel.ATCN_OT_mark_doubtful,
    report_panel.ATCN_OT_unmark_doubtful,
    export_panel.ATCN_OT_export,
    pose_preview.ATCN_OT_preview_pose,
    corrections.ATCN_OT_reset_corrections,
    corrections.ATCN_OT_choose_parts,
    rig_roles.ATCN_OT_recognise_rig,
    rig_roles.ATCN_OT_save_rig_map,
    preferences.AtcnPreferences,
    panels.ATCN_PT_capture,
    report_panel.ATCN_PT_report,
    corrections.ATCN_PT_corrections,
    panel_result.ATCN_PT_result,
    export_panel.ATCN_PT_export,
)


def register() -> None:
    """Make the add-on known to Blender."""
    properties.refresh_avatars()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.atcn = bpy.props.PointerProperty(type=properties.AtcnSettings)
    bpy.app.handlers.load_pre.append(operators.handle_load_pre)
    pose_preview.register_handlers()


def unregister() -> None:
    """`register` backwards; a worker that still runs is ended."""
    runs.forget()
    take_reports.forget()
    pose_preview.unregister_handlers()
    bpy.app.handlers.load_pre.remove(operators.handle_load_pre)
    del bpy.types.Scene.atcn
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
