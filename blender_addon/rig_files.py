"""Brings armatures from files into the open scene: whatever Blender reads, MPFB's skeleton files, Rigify's own rigs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import addon_utils
import bpy

from .core import errors
from .hush import silent

__all__ = ["GENERATED", "RIGIFY", "SUFFIXES", "import_armatures"]

RIGIFY = "rigify:"
GENERATED = ":generated"
SUFFIXES = (".blend", ".bvh", ".fbx", ".glb", ".gltf", ".json")


def import_armatures(source: str) -> list[bpy.types.Object]:
    """The armatures of a file, or of Rigify: "rigify:human", "rigify:human:generated". Raises RigError."""
    before = set(bpy.context.scene.objects)
    try:
        with silent():
            if source.startswith(RIGIFY):
                _add_rigify(source.removeprefix(RIGIFY))
            else:
                _import_file(Path(source))
    except (RuntimeError, OSError, ValueError, KeyError) as problem:
        raise errors.RigError(f"{source} cannot be read: {problem}", hint="Choose another file.") from problem
    new = [thing for thing in bpy.context.scene.objects if thing not in before and thing.type == "ARMATURE"]
    if not new:
        raise errors.RigError(f"There is no armature in {source}.", hint="Choose another file.")
    return new


def _import_file(path: Path) -> None:
    if path.suffix == ".blend":
        with bpy.data.libraries.load(str(path), link=False) as (source, wanted):
            wanted.objects = list(source.objects)
        for thing in wanted.objects:
            bpy.context.scene.collection.objects.link(thing)
    elif path.suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path))
    elif path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    elif path.suffix in (".glb", ".gltf"):
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif path.suffix == ".json":
        _build_mpfb(path)
    else:
        raise ValueError(f"files of the kind {path.suffix or 'without an ending'} hold no armature")


def _add_rigify(kind: str) -> None:
    addon_utils.enable("rigify", default_set=True)
    getattr(bpy.ops.object, f"armature_{kind.removesuffix(GENERATED)}_metarig_add")()
    if kind.endswith(GENERATED):
        metarig = bpy.context.object
        bpy.ops.pose.rigify_generate()
        bpy.data.objects.remove(metarig)


def _build_mpfb(path: Path) -> None:
    """An armature of one of MPFB's skeleton files: head, tail, roll and parent of each bone, z up, in metres."""
    data = json.loads(path.read_text(encoding="utf-8"))
    bones: dict[str, dict[str, Any]] = data.get("bones", data)
    armature = bpy.data.objects.new(path.stem, bpy.data.armatures.new(path.stem))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    made = armature.data.edit_bones
    for name, bone in bones.items():
        new = made.new(name)
        new.head, new.tail = (bone[end]["default_position"] for end in ("head", "tail"))
        new.roll = bone["roll"]
    for name, bone in bones.items():
        made[name].parent = made.get(bone["parent"])
    bpy.ops.object.mode_set(mode="OBJECT")
