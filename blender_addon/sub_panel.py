"""What all panels below the main one in the sidebar tab have in common."""

from __future__ import annotations

__all__ = ["SubPanel"]


class SubPanel:
    """A base beside bpy.types.Panel: below the capture's panel, closed until wanted."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mocap"
    bl_parent_id = "ATCN_PT_capture"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  read by Blender
