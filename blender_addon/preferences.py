"""The add-on's preferences: which Python runs the engine, the button that makes one, the rigs folder."""

from __future__ import annotations

import bpy

from . import engine
from .core import EXTENSION_ID, errors
from .operators import ATCN_OT_install_engine

__all__ = ["AtcnPreferences"]


class AtcnPreferences(bpy.types.AddonPreferences):
    """Shown under Preferences > Add-ons."""

    bl_idname = EXTENSION_ID

    engine_python: bpy.props.StringProperty(
        name="Engine Python",
        description="A Python 3.11 or newer that has the engine's packages; empty for the installed engine",
        subtype="FILE_PATH",
    )

    rigs_folder: bpy.props.StringProperty(
        name="Rigs Folder",
        description="Where your own rigs and saved rig maps are, one folder a rig; empty for the add-on's user folder",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        try:
            found = engine.find_engine()
            layout.label(text=f"The engine is ready ({found.origin}): {found.python}", icon="CHECKMARK")
        except errors.EngineError as problem:
            layout.label(text=problem.message, icon="ERROR")
        layout.operator(ATCN_OT_install_engine.bl_idname, icon="IMPORT")
        layout.prop(self, "engine_python")
        layout.prop(self, "rigs_folder")
