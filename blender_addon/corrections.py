"""The panel's sliders that correct a capture, and which parts of the body get keys."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import bpy

from . import pose_preview, report
from .core import corrections, errors, parts
from .sub_panel import SubPanel

__all__ = [
    "ATCN_OT_choose_parts",
    "ATCN_OT_reset_corrections",
    "ATCN_PT_corrections",
    "AtcnCorrections",
    "add_arguments",
    "corrections_of_arguments",
    "parts_of_arguments",
]

# The command line's options, by the fields of `Corrections`.
_OPTIONS = {
    "arm_spread_deg": "turn the arms away from the body",
    "leg_spread_deg": "turn the legs apart",
    "foot_angle_deg": "raise the toes over the heels",
    "hip_height_percent": "raise the body by a share of its leg length",
    "lean_deg": "lean all above the hips forward",
}
SLIDERS = ("arm_spread", "leg_spread", "foot_angle", "hip_height", "lean")
_PRESETS = {
    "whole": ("Whole Body", "Key everything"),
    "upper": ("Upper Body", "Key all above the hips; hips, legs and the way through the room stay the animator's own"),
    "arms_and_head": ("Arms and Head", "Key arms, hands and head only"),
    "legs": ("Legs", "Key hips, legs and the way through the room only"),
}


def _slider(label: str, description: str, limit: float, **kind: str) -> bpy.props.FloatProperty:
    return bpy.props.FloatProperty(
        name=label,
        description=description,
        min=-limit,
        max=limit,
        soft_min=-0.5 * limit,
        soft_max=0.5 * limit,
        precision=1,
        update=pose_preview.handle_setting_changed,
        **kind,
    )


def _angle(field: str, label: str, description: str) -> bpy.props.FloatProperty:
    """As everywhere in Blender: shown in degrees, kept in radians."""
    return _slider(label, description, math.radians(corrections.LIMITS[field]), subtype="ANGLE")


class AtcnCorrections(bpy.types.PropertyGroup):
    """How the animator wants the movement changed."""

    arm_spread: _angle("arm_spread_deg", "Arm Spread", "How far the arms are turned away from the body")
    leg_spread: _angle("leg_spread_deg", "Leg Spread", "How far the legs are turned apart; the feet stay level")
    foot_angle: _angle("foot_angle_deg", "Foot Angle", "How far the toes are raised over the heels")
    hip_height: _slider(
        "Hip Height",
        "How much higher the body is, in shares of the length of its legs",
        corrections.LIMITS["hip_height_percent"],
        subtype="PERCENTAGE",
    )
    lean: _angle("lean_deg", "Lean", "How far all above the hips leans forward")
    parts: bpy.props.EnumProperty(
        name="Parts",
        description="The parts of the body that get keys; the others stay as the animator has them",
        items=[(part, label, f"Key this: {label.lower()}") for part, label in parts.PARTS.items()],
        options={"ENUM_FLAG"},
        default=set(parts.PARTS),
        update=pose_preview.handle_setting_changed,
    )

    def to_corrections(self) -> corrections.Corrections:
        """What the sliders say."""
        return corrections.Corrections(
            arm_spread_deg=_degrees(self.arm_spread),
            leg_spread_deg=_degrees(self.leg_spread),
            foot_angle_deg=_degrees(self.foot_angle),
            hip_height_percent=self.hip_height,
            lean_deg=_degrees(self.lean),
        )

    def to_parts(self) -> frozenset[str]:
        """The parts of the body that get keys."""
        return frozenset(self.parts)


def _degrees(angle_rad: float) -> float:
    """A slider's angle without the dust of its single precision, which would lead beyond the limits."""
    return round(math.degrees(angle_rad), 4)


class ATCN_OT_reset_corrections(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Set all corrections back to nothing"""

    bl_idname = "atcn.reset_corrections"
    bl_label = "Reset Corrections"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  read by Blender

    def execute(self, context: bpy.types.Context) -> set[str]:
        for slider in SLIDERS:
            context.scene.atcn.corrections.property_unset(slider)
        return _shown_anew(self)


class ATCN_OT_choose_parts(bpy.types.Operator):  # noqa: N801
    """Choose the parts of the body that get keys"""

    bl_idname = "atcn.choose_parts"
    bl_label = "Choose Parts"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    preset: bpy.props.EnumProperty(name="Parts", items=[(key, *texts) for key, texts in _PRESETS.items()])

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return _PRESETS[properties.preset][1]

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.atcn.corrections.parts = set(parts.PRESETS[self.preset])
        return {"FINISHED"}


def _shown_anew(operator: bpy.types.Operator) -> set[str]:
    """Values set back do not tell of it by themselves."""
    try:
        pose_preview.refresh()
    except errors.AtcnError as error:
        return report.failed(operator, "The pose cannot be shown.", error)
    return {"FINISHED"}


class ATCN_PT_corrections(SubPanel, bpy.types.Panel):  # noqa: N801
    """Sliders, parts of the body and the preview; closed until wanted."""

    bl_idname = "ATCN_PT_corrections"
    bl_label = "Corrections"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings = context.scene.atcn.corrections
        on = pose_preview.is_on()
        row = layout.row()
        row.scale_y = 1.2
        row.operator(pose_preview.ATCN_OT_preview_pose.bl_idname, icon="HIDE_OFF" if on else "HIDE_ON", depress=on)
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(align=True)
        for slider in SLIDERS:
            column.prop(settings, slider, slider=True)
        layout.operator(ATCN_OT_reset_corrections.bl_idname, icon="LOOP_BACK")
        layout.use_property_split = False
        layout.label(text="Parts of the body that get keys")
        names = list(_PRESETS)
        column = layout.column(align=True)
        for pair in (names[:2], names[2:]):
            row = column.row(align=True)
            for preset in pair:
                row.operator(ATCN_OT_choose_parts.bl_idname, text=_PRESETS[preset][0]).preset = preset
        _draw_parts(layout, settings)


def _draw_parts(layout: bpy.types.UILayout, settings: AtcnCorrections) -> None:
    """The toggles, two in a row: pairs of sides stand beside each other."""
    column = layout.column(align=True)
    for pair in (
        ("path", "hips"),
        ("trunk", "head"),
        ("left_arm", "right_arm"),
        ("hands", "fingers"),
        ("left_leg", "right_leg"),
        ("feet",),
    ):
        row = column.row(align=True)
        for part in pair:
            row.prop_enum(settings, "parts", part)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line's options for the same."""
    group = parser.add_argument_group("corrections, over the whole clip")
    for field, words in _OPTIONS.items():
        name, _, unit = field.rpartition("_")
        group.add_argument(
            f"--{name.replace('_', '-')}",
            type=_within(corrections.LIMITS[field]),
            default=0.0,
            dest=field,
            metavar=unit.upper(),
            help=words,
        )
    group.add_argument(
        "--parts",
        nargs="+",
        choices=[*parts.PRESETS, *parts.PARTS],
        default=["whole"],
        metavar="PART",
        help=f"parts of the body that get keys: {' '.join(parts.PRESETS)}, or some of {' '.join(parts.PARTS)}",
    )


def _within(limit: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not abs(value) <= limit:
            raise argparse.ArgumentTypeError(f"{text} is not between -{limit:g} and {limit:g}")
        return value

    return number


def corrections_of_arguments(options: argparse.Namespace) -> corrections.Corrections:
    """What the command line says."""
    return corrections.Corrections(**{field: getattr(options, field) for field in _OPTIONS})


def parts_of_arguments(options: argparse.Namespace) -> frozenset[str]:
    """The parts that the command line names, presets and single ones together."""
    return frozenset().union(*(parts.PRESETS.get(part, {part}) for part in options.parts))
