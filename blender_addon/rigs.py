"""The rigs folder: which avatars there are, bringing one into the scene, and the bone map of any armature."""

from __future__ import annotations

import logging
from pathlib import Path

import bpy

from .armature import bone_names, require_armature
from .core import ROOT, errors, rigmap

__all__ = ["append_avatar", "find_rig", "list_rigs", "load_avatar", "map_of_armature", "rigs_dir", "show_avatar"]

logger = logging.getLogger(__name__)


def rigs_dir() -> Path:
    """The folder with one folder for each rig."""
    return ROOT / "rigs"


def list_rigs(folder: Path | None = None) -> list[rigmap.Rig]:
    """All rigs that can be read, by folder name; one that cannot is logged and passed over."""
    found = []
    for path in sorted((folder or rigs_dir()).glob("*/rig.json")):
        try:
            found.append(rigmap.load_rig(path))
        except errors.RigError as problem:
            logger.warning("%s", problem)
    return found


def find_rig(name: str, folder: Path | None = None) -> rigmap.Rig:
    """The rig of this name (its folder's, or the one in its rig.json). Raises RigError where it is missing or wrong."""
    folder = folder or rigs_dir()
    if name and (folder / name / "rig.json").is_file():
        return rigmap.load_rig(folder / name / "rig.json")
    known = list_rigs(folder)
    for rig in known:
        if rig.name == name:
            return rig
    names = ", ".join(rig.name for rig in known) or "none"
    raise errors.RigError(f"There is no rig {name!r}.", hint=f"The rigs here are: {names}.")


def map_of_armature(armature: bpy.types.Object) -> rigmap.RigMap:
    """The bone map that fits an armature in the scene. Raises RigError naming the missing parts."""
    require_armature(armature)
    return rigmap.match_rig_map(bone_names(armature), [rig.map for rig in list_rigs()])


def append_avatar(rig: rigmap.Rig, scene: bpy.types.Scene) -> bpy.types.Object:
    """Bring a rig's avatar into the scene, in a collection of its own. Returns its armature. Raises RigError."""
    brought = load_avatar(rig)
    show_avatar(rig, brought, scene)
    return brought[0]


def load_avatar(rig: rigmap.Rig) -> list[bpy.types.Object]:
    """A rig's avatar from its file, in no scene yet: its armature, then what else belongs to it.

    Raises RigError where the avatar's file is missing, unreadable, or has no such armature.
    """
    hint = "Install the add-on again, or correct the rig.json."
    if not rig.avatar.is_file():
        raise errors.RigError(f"The avatar of {rig.name} is missing: {rig.avatar}.", hint=hint)
    try:
        with bpy.data.libraries.load(str(rig.avatar), link=False) as (source, wanted):
            names = list(source.objects)
            if rig.object_name in names:
                wanted.objects = list(names)
    except OSError as problem:
        raise errors.RigError(f"The avatar of {rig.name} cannot be read: {problem}.", hint=hint) from problem
    if rig.object_name not in names:
        raise errors.RigError(f"The avatar of {rig.name} has no object {rig.object_name!r}.", hint=hint)
    armature = wanted.objects[names.index(rig.object_name)]
    return [armature, *(thing for thing in wanted.objects if thing != armature)]


def show_avatar(rig: rigmap.Rig, brought: list[bpy.types.Object], scene: bpy.types.Scene) -> None:
    """Put the objects of `load_avatar` into the scene, in a collection of their own."""
    collection = bpy.data.collections.new(rig.name)
    scene.collection.children.link(collection)
    for thing in brought:
        collection.objects.link(thing)
