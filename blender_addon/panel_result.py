"""How the result is written: its settings and the sub-panel that shows them."""

from __future__ import annotations

import bpy

from .core import ik_controls, reduction
from .result import NEW, NLA, REPLACE, ResultOptions
from .sub_panel import SubPanel

__all__ = ["ATCN_PT_result", "AtcnResult", "options_of"]


class AtcnResult(bpy.types.PropertyGroup):
    """The settings of the sub-panel "Result"."""

    mode: bpy.props.EnumProperty(
        name="Write To",
        description="Where the keys go",
        items=[
            (NEW, "New Action", "A new action named after the clip; the present one is kept"),
            (
                REPLACE,
                "Present Action",
                "Within the clip's frames, the present action's keys of the same channels give way; other channels and "
                "frames stay. An action captured from the same clip before is replaced wholly",
            ),
            (NLA, "NLA Strip", "A strip on a new track; the active action is left as it is"),
        ],
    )
    keys: bpy.props.EnumProperty(
        name="Keys",
        description="Which frames get keys",
        items=[
            ("ALL", "Every Frame", "A key on every frame"),
            ("EVERY", "Every n-th Frame", "A key on every n-th frame, and curves between them"),
            ("FIT", "Curve Fit", "As few keys as keep within the tolerances, and curves between them"),
        ],
    )
    every: bpy.props.IntProperty(name="Step", description="A key on every so many frames", default=4, min=2, max=100)
    tolerance_deg: bpy.props.FloatProperty(
        name="Turns (deg)",
        description="How far a bone's own turn may be off, in degrees",
        default=1.0,
        min=0.01,
        soft_max=10.0,
        max=90.0,
    )
    tolerance_cm: bpy.props.FloatProperty(
        name="Path (cm)",
        description="How far the way through the room may be off, in centimetres",
        default=0.5,
        min=0.01,
        soft_max=10.0,
        max=1000.0,
    )
    limbs: bpy.props.EnumProperty(
        name="Limbs",
        description="Which of the rig's controls get keys; its switches are keyed with them",
        items=[
            ("FK", "FK Controls", "Keys on the arms' and legs' FK controls"),
            ("IK", "IK Controls", "Keys on the hands' and feet's IK controls and on the poles"),
        ],
    )


def options_of(settings: AtcnResult, armature: bpy.types.Object | None) -> ResultOptions:
    """What the settings ask for; IK only where the armature has both."""
    if settings.keys == "EVERY":
        thinning = reduction.Thinning(every=settings.every)
    elif settings.keys == "FIT":
        thinning = reduction.Thinning(tolerance_deg=settings.tolerance_deg, tolerance_cm=settings.tolerance_cm)
    else:
        thinning = reduction.EVERY_FRAME
    return ResultOptions(settings.mode, thinning, ik=settings.limbs == "IK" and _has_both(armature))


def _has_both(armature: bpy.types.Object | None) -> bool:
    return armature is not None and ik_controls.has_both(armature.data.bones.keys())


class ATCN_PT_result(SubPanel, bpy.types.Panel):  # noqa: N801  Blender's own naming
    """Where the keys go, how many, and on which controls."""

    bl_idname = "ATCN_PT_result"
    bl_label = "Result"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings = context.scene.atcn
        result = settings.result
        layout.prop(result, "mode")
        layout.prop(result, "keys")
        if result.keys == "EVERY":
            layout.prop(result, "every")
        elif result.keys == "FIT":
            column = layout.column(align=True)
            column.prop(result, "tolerance_deg")
            column.prop(result, "tolerance_cm")
        if settings.target == "ARMATURE" and _has_both(settings.armature):
            layout.prop(result, "limbs")
