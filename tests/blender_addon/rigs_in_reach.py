"""Every rig that tests can get at: the project's own and the shared ones that nobody here made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from blender_addon import rigs
from blender_addon.core import rigmap

__all__ = ["OTHERS", "OWN", "rig_makers"]

ROOT = Path(__file__).parents[2]
OWN = ROOT / "rigs"
OTHERS = ROOT.parent / "shared" / "rigs"

# Detector points as bones: it has no limbs.
_NO_PERSON = {"rig.openpose"}

Made = tuple[bpy.types.Object, rigmap.RigMap]


def rig_makers() -> dict[str, Callable[[], Made]]:
    """By name, how to bring each rig into the present scene together with its bone map."""
    return dict(_makers())


def _makers() -> Iterator[tuple[str, Callable[[], Made]]]:
    for path in sorted(OWN.glob("*/rig.json")):
        yield path.parent.name, lambda path=path: _own(path)
    for path in sorted(OTHERS.glob("*/*.glb")):
        yield path.stem, lambda path=path: _recognised(_imported(path))
    for path in sorted(OTHERS.glob("cc0_makehuman_mpfb/rig.*.json")):
        if path.stem in _NO_PERSON:
            continue
        yield f"mpfb {path.stem.removeprefix('rig.')}", lambda path=path: _recognised(_from_json(path))


def _own(path: Path) -> Made:
    rig = rigmap.load_rig(path)
    with bpy.data.libraries.load(str(rig.avatar)) as (_, wanted):
        wanted.objects = [rig.object_name]
    armature = bpy.data.objects[rig.object_name]
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.update()
    return armature, rig.map


def _recognised(armature: bpy.types.Object) -> Made:
    bpy.context.view_layer.update()
    return armature, rigs.map_of_armature(armature)


def _imported(path: Path) -> bpy.types.Object:
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=str(path))
    return next(thing for thing in set(bpy.data.objects) - before if thing.type == "ARMATURE")


def _from_json(path: Path) -> bpy.types.Object:
    """An MPFB skeleton: default head, tail and roll of each bone, in Blender's axes."""
    bones = json.loads(path.read_text())
    bones = bones.get("bones", bones)
    data = bpy.data.armatures.new(path.stem)
    armature = bpy.data.objects.new(path.stem, data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, bone in bones.items():
        edit = data.edit_bones.new(name)
        edit.head = bone["head"]["default_position"]
        edit.tail = bone["tail"]["default_position"]
        edit.roll = bone["roll"]
    for name, bone in bones.items():
        edit = data.edit_bones[name]
        edit.parent = data.edit_bones.get(bone["parent"]) if bone["parent"] else None
        edit.use_inherit_rotation = bone.get("use_inherit_rotation", True)
        edit.use_local_location = bone.get("use_local_location", True)
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature
