"""What the movement is taken from, in the panel; and the button for movements that need no capture."""

from __future__ import annotations

import bpy

from . import motion_source, operators, pose_preview, properties, report, runs, session
from .core import errors
from .steps import finish

__all__ = ["ATCN_OT_transfer", "draw"]

_CHOSEN = {"VIDEO": "video", "BVH": "bvh", "ARMATURE": "source_armature"}


def draw(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """The source, and the file or the armature."""
    layout.row().prop(settings, "source", expand=True)
    layout.prop(settings, _CHOSEN[settings.source])


class ATCN_OT_transfer(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Take the movement from the BVH file or the armature and put it on the rig as a new Action"""

    bl_idname = "atcn.transfer"
    bl_label = "Transfer Movement"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  read by Blender

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if runs.current() is not None:
            cls.poll_message_set("A capture is running")
            return False
        if context.scene.atcn.source == "VIDEO":
            cls.poll_message_set("Choose a BVH file or an armature as the source")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        pose_preview.switch_off()
        try:
            runs.status.begin()
            request = properties.request_of(scene)
            session.check(request, scene)
            motion = motion_source.motion_of(request.motion, scene, request.start_s, request.end_s)
            runs.last_capture = (request, motion)
            return report.finished(self, finish(operators.applying_last(scene)))
        except errors.AtcnError as error:
            return report.failed(self, "The movement was not transferred.", error)
