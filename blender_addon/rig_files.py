"""Brings armatures from files into the open scene: whatever Blender reads, MPFB's skeleton files, Rigify's own rigs."""

from __future__ import annotations

import json
import struct
import tempfile
from pathlib import Path
from typing import Any

import addon_utils
import bpy

from .core import errors
from .hush import silent

__all__ = ["GENERATED", "RIGIFY", "SUFFIXES", "import_armatures"]

RIGIFY = "rigify:"
GENERATED = ":generated"
_GLB_HEADER = struct.Struct("<4sII")
_GLB_CHUNK = struct.Struct("<I4s")
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
    elif path.suffix == ".glb":
        with tempfile.TemporaryDirectory() as folder:
            still = Path(folder) / path.name
            still.write_bytes(_without_animations(path.read_bytes()))
            bpy.ops.import_scene.gltf(filepath=str(still))
    elif path.suffix == ".gltf":
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif path.suffix == ".json":
        _build_mpfb(path)
    else:
        raise ValueError(f"files of the kind {path.suffix or 'without an ending'} hold no armature")


def _without_animations(glb: bytes) -> bytes:
    """A binary glTF file that does not move: no more than its skeleton is wanted, and Blender 4.2 now and then
    crashes over the Actions that its importer makes. Raises ValueError where it is no such file."""
    # By the glTF 2.0 specification: 12 bytes of header, then chunks, the first of which is JSON padded with spaces.
    if len(glb) < _GLB_HEADER.size + _GLB_CHUNK.size or glb[:4] != b"glTF":
        raise ValueError("it is no binary glTF file")
    magic, version, _ = _GLB_HEADER.unpack_from(glb)
    length, kind = _GLB_CHUNK.unpack_from(glb, _GLB_HEADER.size)
    start = _GLB_HEADER.size + _GLB_CHUNK.size
    scene = json.loads(glb[start : start + length])
    scene.pop("animations", None)
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    body = _GLB_CHUNK.pack(len(text), kind) + text + glb[start + length :]
    return _GLB_HEADER.pack(magic, version, _GLB_HEADER.size + len(body)) + body


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
