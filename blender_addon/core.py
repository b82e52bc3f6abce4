"""The one door from the add-on to atcn_core's light half; everything here is numpy and the standard library.

As an installed extension the two packages lie side by side inside one package, in development at the top.
"""

from __future__ import annotations

from pathlib import Path

if "." in (__package__ or ""):
    from ..atcn_core import camera_path, clip, egl, errors, files, frames, rotation, skeleton
    from ..atcn_core.motion import (
        bone_tree,
        bvh,
        bvh_person,
        corrections,
        feet,
        fingers_of_rig,
        finish,
        footage,
        from_rig,
        ik_controls,
        parts,
        recognise,
        recognition,
        reduction,
        retarget,
        rigmap,
        stature,
        take_report,
        take_rig,
        take_table,
        world,
    )
    from ..atcn_core.worker import client, environment, install, protocol
else:
    from atcn_core import camera_path, clip, egl, errors, files, frames, rotation, skeleton
    from atcn_core.motion import (
        bone_tree,
        bvh,
        bvh_person,
        corrections,
        feet,
        fingers_of_rig,
        finish,
        footage,
        from_rig,
        ik_controls,
        parts,
        recognise,
        recognition,
        reduction,
        retarget,
        rigmap,
        stature,
        take_report,
        take_rig,
        take_table,
        world,
    )
    from atcn_core.worker import client, environment, install, protocol

__all__ = [
    "EXTENSION_ID",
    "ROOT",
    "bone_tree",
    "bvh",
    "bvh_person",
    "camera_path",
    "client",
    "clip",
    "corrections",
    "egl",
    "environment",
    "errors",
    "feet",
    "files",
    "fingers_of_rig",
    "finish",
    "footage",
    "frames",
    "from_rig",
    "ik_controls",
    "install",
    "parts",
    "protocol",
    "recognise",
    "recognition",
    "reduction",
    "retarget",
    "rigmap",
    "rotation",
    "skeleton",
    "stature",
    "take_report",
    "take_rig",
    "take_table",
    "world",
]

# The folder that holds both packages, the rigs and the constraints file.
ROOT = Path(__file__).resolve().parents[1]
# What Blender calls the extension ("bl_ext.user_default.name"); in development this package's own name.
EXTENSION_ID = (__package__ or "").rpartition(".")[0] or "blender_addon"
