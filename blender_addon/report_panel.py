"""The sub-panel "Take Report", its settings and its buttons. Thin: take_reports.py does the work."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import take_reports
from .core import take_report
from .sub_panel import SubPanel

__all__ = [
    "ATCN_OT_look_at_doubt",
    "ATCN_OT_mark_doubtful",
    "ATCN_OT_unmark_doubtful",
    "ATCN_PT_report",
    "AtcnReport",
]

# So many stretches are listed; the page has them all.
MOST_LINES = 8


class AtcnReport(bpy.types.PropertyGroup):
    """What is reported of a capture, and where the report lies that the scene shows."""

    make: bpy.props.BoolProperty(
        name="Make a Report",
        description="Write a page on each capture: how much was seen, how well it fits, and which frames to look at",
        default=True,
    )
    film: bpy.props.BoolProperty(
        name="With Overlay Film",
        description="Also film the movement laid over the video, for the page to show",
        default=True,
    )
    marks: bpy.props.BoolProperty(
        name="Mark Doubtful Stretches",
        description="Set a marker in the timeline where each stretch begins that should be looked at",
        default=True,
    )
    data: bpy.props.StringProperty(name="Report", options={"HIDDEN"})
    first_frame: bpy.props.IntProperty(name="First Frame", options={"HIDDEN"})


class ATCN_OT_look_at_doubt(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Go to the frame where this stretch begins"""

    bl_idname = "atcn.look_at_doubt"
    bl_label = "Go to the Stretch"
    bl_options = {"INTERNAL"}  # noqa: RUF012  read by Blender

    frame: bpy.props.IntProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.frame_set(self.frame)
        return {"FINISHED"}


class ATCN_OT_mark_doubtful(bpy.types.Operator):  # noqa: N801
    """Set a timeline marker where each doubtful stretch of the take begins; earlier ones of it are replaced"""

    bl_idname = "atcn.mark_doubtful"
    bl_label = "Set Markers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _shown(context.scene) is None:
            cls.poll_message_set("There is no take report")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        take_reports.mark(scene, _shown(scene), _data(scene).stem, scene.atcn.report.first_frame)
        return {"FINISHED"}


class ATCN_OT_unmark_doubtful(bpy.types.Operator):  # noqa: N801
    """Remove all markers of doubtful stretches; those that were renamed stay"""

    bl_idname = "atcn.unmark_doubtful"
    bl_label = "Remove Markers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not take_reports.marks_of(context.scene):
            cls.poll_message_set("There are no such markers")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        take_reports.unmark(context.scene)
        return {"FINISHED"}


class ATCN_PT_report(SubPanel, bpy.types.Panel):  # noqa: N801
    """How the last capture went."""

    bl_idname = "ATCN_PT_report"
    bl_label = "Take Report"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, context.scene
        settings, report = scene.atcn.report, _shown(scene)
        column = layout.column(align=True)
        column.prop(settings, "make")
        below = column.column(align=True)
        below.enabled = settings.make
        below.prop(settings, "film")
        below.prop(settings, "marks")
        if report is not None:
            _draw_report(layout, scene, report)


def _draw_report(layout: bpy.types.UILayout, scene: bpy.types.Scene, report: take_report.TakeReport) -> None:
    data = _data(scene)
    box = layout.box()
    box.label(text=data.stem, icon="FILE_MOVIE")
    column = box.column(align=True)
    for words, value in lines_of(report):
        row = column.split(factor=0.66)
        row.label(text=words)
        row.label(text=value)
    _draw_doubts(box, scene, report)
    if not take_reports.is_kept(data):
        box.label(text="Kept until Blender quits", icon="INFO")
    row = layout.row()
    row.operator("wm.path_open", text="Open Report", icon="URL").filepath = str(data.with_suffix(".html"))
    if take_reports.marks_of(scene):
        row.operator(ATCN_OT_unmark_doubtful.bl_idname, icon="X")
    else:
        row.operator(ATCN_OT_mark_doubtful.bl_idname, icon="MARKER")


def _draw_doubts(layout: bpy.types.UILayout, scene: bpy.types.Scene, report: take_report.TakeReport) -> None:
    count = len(report.doubtful)
    if not count:
        layout.label(text="No doubtful stretches", icon="CHECKMARK")
        return
    stretches = "1 doubtful stretch" if count == 1 else f"{count} doubtful stretches"
    layout.label(text=f"{stretches}, {report.doubtful_percent:.0f} %", icon="ERROR")
    column = layout.column(align=True)
    for doubt in report.doubtful[:MOST_LINES]:
        text = f"{doubt.first_s:.1f} s to {doubt.last_s:.1f} s: {doubt.reason}"
        frame = take_reports.frame_of(scene, report, doubt.first_s, scene.atcn.report.first_frame)
        column.operator(ATCN_OT_look_at_doubt.bl_idname, text=text, emboss=False).frame = frame
    if count > MOST_LINES:
        column.label(text=f"and {count - MOST_LINES} more, in the report")


def lines_of(report: take_report.TakeReport) -> list[tuple[str, str]]:
    """The report in short lines: words and value."""
    lines = [("Found, of the frames", f"{report.found_percent:.0f} %")]
    if report.reprojection_percent is not None:
        lines.append(("Beside the picture", f"{report.reprojection_percent:.1f} %"))
    if report.rig_foot_slide_cm_s is not None:
        lines.append((f"Feet slide on {report.rig}", f"{report.rig_foot_slide_cm_s:.1f} cm/s"))
    if report.rig_below_floor_cm is not None:
        lines.append(("Below the floor", f"{report.rig_below_floor_cm:.1f} cm"))
        lines.append(("Below the floor at worst", f"{report.rig_deepest_cm:.1f} cm"))
    if report.jitter_mm is not None:
        lines.append(("Jitter", f"{report.jitter_mm:.1f} mm"))
    lines.append(("Limb lengths off by", f"{report.limb_length_percent:.1f} %"))
    if report.arm_swing_percent is not None:
        lines.append(("Arm swing kept", f"{report.arm_swing_percent:.0f} %"))
    return lines


def _data(scene: bpy.types.Scene) -> Path:
    return Path(bpy.path.abspath(scene.atcn.report.data))


def _shown(scene: bpy.types.Scene) -> take_report.TakeReport | None:
    """The report that the scene shows, if it is still there."""
    return take_reports.read(_data(scene)) if scene.atcn.report.data else None
