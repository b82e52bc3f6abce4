"""The list of an armature's roles in the panel: what was found, missing and doubtful, corrected there and saved."""

from __future__ import annotations

import bpy

from . import report, rigs
from .core import errors, recognition, rigmap

__all__ = ["ATCN_OT_recognise_rig", "ATCN_OT_save_rig_map", "AtcnRole", "draw", "handle_armature_chosen", "refresh"]

ICONS = {recognition.FOUND: "CHECKMARK", recognition.DOUBTFUL: "QUESTION", recognition.MISSING: "BLANK1"}
OPEN_ICON = "ERROR"


class AtcnRole(bpy.types.PropertyGroup):
    """One part of the body; `name` is the role. bone: as the user has it; the rest is what recognition said."""

    bone: bpy.props.StringProperty(name="Bone", description="The bone that plays this part; empty for none")
    found: bpy.props.StringProperty()
    state: bpy.props.StringProperty()
    reason: bpy.props.StringProperty()


def refresh(settings: bpy.types.PropertyGroup) -> None:
    """Recognise the chosen armature anew and fill the list. Raises RigError."""
    settings.roles.clear()
    settings.family = ""
    if settings.armature is None:
        return
    recognised = rigs.recognise_armature(settings.armature)
    settings.family = recognised.family if not recognised.refusal else ""
    for finding in recognised.findings:
        role = settings.roles.add()
        role.name, role.state, role.reason = finding.role, finding.state, finding.reason
        role.bone = role.found = finding.bone
    settings.show_roles = not recognised.complete


def handle_armature_chosen(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Another armature was chosen: show at once what is known of it."""
    try:
        refresh(settings)
    except errors.RigError:  # the capture's button tells of it; a list has nothing to show
        settings.roles.clear()


class ATCN_OT_recognise_rig(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Find out anew which bone of the armature plays which part"""

    bl_idname = "atcn.recognise_rig"
    bl_label = "Recognise Again"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  read by Blender

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_armature(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.atcn
        try:
            refresh(settings)
            problem = rigs.recognise_armature(settings.armature).problem()
        except errors.AtcnError as error:
            return report.failed(self, "The rig was not read.", error)
        if problem:
            self.report({"WARNING"}, problem)
        return {"FINISHED"}


class ATCN_OT_save_rig_map(bpy.types.Operator):  # noqa: N801
    """Save the bones of the list as this rig's map; it is used for every armature that has these bones"""

    bl_idname = "atcn.save_rig_map"
    bl_label = "Save Rig Map"
    bl_options = {"REGISTER"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_armature(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.atcn
        try:
            path = rigs.save_map(settings.armature, {role.name: role.bone for role in settings.roles if _counts(role)})
            refresh(settings)
        except errors.AtcnError as error:
            return report.failed(self, "The rig map was not saved.", error)
        return report.finished(self, f"Saved as {path}.")


def _has_armature(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if context.scene.atcn.armature is None:
        cls.poll_message_set("Choose an armature first")
        return False
    return True


def draw(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """The list, closed as long as nothing is open."""
    roles = settings.roles
    still_open = [role for role in roles if _is_open(role)]
    header = layout.row()
    header.prop(
        settings,
        "show_roles",
        icon="DISCLOSURE_TRI_DOWN" if settings.show_roles else "DISCLOSURE_TRI_RIGHT",
        text=_headline(settings, len(still_open)),
        emboss=False,
    )
    header.label(text="", icon=OPEN_ICON if still_open or not roles else "CHECKMARK")
    if not settings.show_roles:
        return
    column = layout.column(align=True)
    for role in roles:
        row = column.row(align=True)
        row.alert = _is_open(role)
        row.prop_search(role, "bone", settings.armature.data, "bones", text=role.name.replace("_", " ").capitalize())
        row.label(text="", icon=_icon(role))
        if _is_open(role) and role.reason:
            column.label(text=role.reason.capitalize())
    layout.operator(ATCN_OT_recognise_rig.bl_idname, icon="FILE_REFRESH")
    layout.operator(ATCN_OT_save_rig_map.bl_idname, icon="FILE_TICK")


def _headline(settings: bpy.types.PropertyGroup, still_open: int) -> str:
    family = settings.family or "Not recognised"
    return f"{family}: {still_open} bones to name" if still_open else family


def _icon(role: AtcnRole) -> str:
    if _is_open(role):
        return OPEN_ICON
    return "GREASEPENCIL" if role.bone != role.found else ICONS[role.state]


def _counts(role: AtcnRole) -> bool:
    """Whether the bone goes into the map: not one that nobody needs, that is doubtful, and that the user left alone."""
    doubtful = role.bone == role.found and role.state != recognition.FOUND
    return bool(role.bone) and (role.name in rigmap.REQUIRED_ROLES or not doubtful)


def _is_open(role: AtcnRole) -> bool:
    """Whether a needed bone is missing or doubtful and the user has named none."""
    untouched = role.bone == role.found
    return role.name in rigmap.REQUIRED_ROLES and (not role.bone or (untouched and role.state != recognition.FOUND))
