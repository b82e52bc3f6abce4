"""What the tests of the add-on's skin share: the add-on switched on in an empty scene, and small rigs and videos."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

import blender_addon
from blender_addon.core import install

ROOT = Path(__file__).resolve().parents[2]
ENGINE_PYTHON = install.engine_python(ROOT / ".venv")
SHARED_VIDEOS = ROOT.parent / "shared" / "videos"

needs_engine = pytest.mark.skipif(not ENGINE_PYTHON.is_file(), reason="the project's own environment is not there")


def short_clip() -> Path:
    """A film with one person in it: the project's own, or one from beside the repository; else the test is skipped."""
    for path in (ROOT / "tests/data/demo.mp4", SHARED_VIDEOS / "tfjs_pose_1.mp4"):
        if path.is_file():
            return path
    pytest.skip("no film of a person is there")


@pytest.fixture
def switched_on() -> Iterator[None]:
    """The add-on registered, in an empty scene; switched off again afterwards."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    blender_addon.register()
    yield
    blender_addon.unregister()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def make_armature(name: str, bones: list[str]) -> bpy.types.Object:
    """An armature in the scene with these bones, one above the other."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for height, bone_name in enumerate(bones):
        bone = armature.data.edit_bones.new(bone_name)
        bone.head, bone.tail = (0.0, 0.0, float(height)), (0.0, 0.0, height + 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def data_names() -> dict[str, list[str]]:
    """Every data-block by kind: what must be the same after a failure."""
    kinds = [kind.identifier for kind in bpy.data.bl_rna.properties if kind.type == "COLLECTION"]
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def children() -> set[int]:
    """This process's living children, where the system tells."""
    listing = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(map(int, listing.read_text().split())) if listing.is_file() else set()
