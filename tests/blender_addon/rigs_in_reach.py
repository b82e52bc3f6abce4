"""Every rig that tests can get at: the project's own and the shared ones that nobody here made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from blender_addon import rigs
from blender_addon.core import rigmap
from blender_addon.rig_files import import_armatures

__all__ = ["OTHERS", "OWN", "own_rig", "reads_gltf", "rig_makers"]

ROOT = Path(__file__).parents[2]
OWN = ROOT / "rigs"
OTHERS = ROOT.parent / "shared" / "rigs"

# Detector points as bones: it has no limbs.
_NO_PERSON = {"rig.openpose"}

Made = tuple[bpy.types.Object, rigmap.RigMap]


def reads_gltf() -> bool:
    """Whether this Blender's glTF importer can be trusted: that of the 4.2 wheel crashes the process now and then,
    somewhere else each time, once many files were opened. The later versions answer for the same rigs."""
    return bpy.app.version >= (4, 5)


def rig_makers() -> dict[str, Callable[[], Made]]:
    """By name, how to bring each rig into the present scene together with its bone map."""
    return dict(_makers())


def _makers() -> Iterator[tuple[str, Callable[[], Made]]]:
    for path in sorted(OWN.glob("*/rig.json")):
        yield path.parent.name, lambda path=path: own_rig(path)
    for path in sorted(OTHERS.glob("*/*.glb")) if reads_gltf() else ():
        yield path.stem, lambda path=path: _recognised(path)
    for path in sorted(OTHERS.glob("cc0_makehuman_mpfb/rig.*.json")):
        if path.stem in _NO_PERSON:
            continue
        yield f"mpfb {path.stem.removeprefix('rig.')}", lambda path=path: _recognised(path)


def own_rig(path: Path) -> Made:
    """The avatar and bone map of a rig.json in `rigs/`."""
    rig = rigmap.load_rig(path)
    with bpy.data.libraries.load(str(rig.avatar)) as (_, wanted):
        wanted.objects = [rig.object_name]
    armature = bpy.data.objects[rig.object_name]
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.update()
    return armature, rig.map


def _recognised(path: Path) -> Made:
    armature = import_armatures(str(path))[0]
    bpy.context.view_layer.update()
    return armature, rigs.map_of_armature(armature)
