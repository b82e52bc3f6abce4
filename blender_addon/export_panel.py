"""The export's button and its part of the panel. Thin: the work is in exporting.py."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import exporting, pose_preview
from .core import errors
from .sub_panel import SubPanel

__all__ = ["ATCN_OT_export", "ATCN_PT_export"]


class ATCN_OT_export(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Write the rig, its meshes and its movement to a file for other programs"""

    bl_idname = "atcn.export_animation"
    bl_label = "Export Animation"

    kind: bpy.props.EnumProperty(
        name="File Type",
        description="The format to write",
        items=[(name, kind.label, f"Write a {kind.ending} file") for name, kind in exporting.KINDS.items()],
    )
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _armature(context) is None:
            cls.poll_message_set("Choose an animated armature")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
        self.filepath = str(exporting.with_ending(folder / _armature(context).name, self.kind))
        self.filter_glob = "*" + exporting.KINDS[self.kind].ending
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """The file name follows the file type."""
        named = str(exporting.with_ending(Path(self.filepath), self.kind))
        changed = named != self.filepath
        self.filepath = named
        return changed

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = exporting.with_ending(Path(bpy.path.abspath(self.filepath)), self.kind)
        pose_preview.switch_off()
        try:
            exporting.export_animation(_armature(context), context.scene, path, self.kind)
        except errors.AtcnError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Written to {path}.")
        return {"FINISHED"}


class ATCN_PT_export(SubPanel, bpy.types.Panel):  # noqa: N801
    """Files for other programs."""

    bl_idname = "ATCN_PT_export"
    bl_label = "Export"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator_menu_enum(ATCN_OT_export.bl_idname, "kind", text="Export Animation...", icon="EXPORT")


def _armature(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature that the panel names, if it is in the scene, else the active one."""
    chosen, active = context.scene.atcn.armature, context.view_layer.objects.active
    for candidate in (chosen, active):
        if candidate is not None and candidate.type == "ARMATURE" and candidate.name in context.scene.objects:
            return candidate
    return None
