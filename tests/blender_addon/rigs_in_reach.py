"""Every rig that tests can get at: the project's own and the shared ones that nobody here made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from blender_addon import rigs
from blender_addon.core import rigmap
from blender_addon.rig_files import RIGIFY, import_armatures

__all__ = ["MOCAP", "OTHERS", "OWN", "brought", "own_rig", "reads_gltf", "rig_makers", "sources"]

ROOT = Path(__file__).parents[2]
OWN = ROOT / "rigs"
OTHERS = ROOT.parent / "shared" / "rigs"
MOCAP = ROOT.parent / "shared" / "mocap"
RIGIFY_KINDS = ("basic_human", "human", "basic_human:generated", "human:generated")
# One take of each naming and skeleton there is.
TAKES = (
    "cmuasf_02_01",
    "cmudaz_martial_04",
    "cmufbx_55_01",
    "cmuiclone_006_01",
    "cmumisc_131_01",
    "cmutxt_jumping_e01",
    "fair1_zombie_01",
    "m2m_reject_01",
)

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


def sources() -> dict[str, str]:
    """By name, every rig in reach as what `import_armatures` takes: also Rigify's and those of motion files."""
    found = {path.parent.name: str(rigmap.load_rig(path).avatar) for path in sorted(OWN.glob("*/rig.json"))}
    gltf = sorted(OTHERS.glob("*/*.glb")) if reads_gltf() else []
    found |= {path.stem: str(path) for path in gltf}
    found |= {_mpfb_name(path): str(path) for path in sorted(OTHERS.glob("cc0_makehuman_mpfb/rig.*.json"))}
    found |= {f"Rigify {kind}": f"{RIGIFY}{kind}" for kind in RIGIFY_KINDS}
    return found | {f"BVH {take}": str(MOCAP / f"{take}.bvh") for take in TAKES if (MOCAP / f"{take}.bvh").is_file()}


def _mpfb_name(path: Path) -> str:
    return f"mpfb {path.stem.removeprefix('rig.')}"


def brought(source: str) -> bpy.types.Object:
    """The armature of one of the `sources`, in the present scene."""
    armature = import_armatures(source)[0]
    bpy.context.view_layer.update()
    return armature


def _makers() -> Iterator[tuple[str, Callable[[], Made]]]:
    for path in sorted(OWN.glob("*/rig.json")):
        yield path.parent.name, lambda path=path: own_rig(path)
    for path in sorted(OTHERS.glob("*/*.glb")) if reads_gltf() else ():
        yield path.stem, lambda path=path: _recognised(path)
    for path in sorted(OTHERS.glob("cc0_makehuman_mpfb/rig.*.json")):
        if path.stem in _NO_PERSON:
            continue
        yield _mpfb_name(path), lambda path=path: _recognised(path)


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
    armature = brought(str(path))
    return armature, rigs.map_of_armature(armature)
