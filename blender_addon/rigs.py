"""The rigs folders, the add-on's and the user's: avatars, saved bone maps, and the bone map of any armature."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import bpy
from mathutils import Matrix

from .armature import bone_names, require_armature, rest_bones
from .core import ROOT, errors, recognise, recognition, rigmap
from .engine import preference, user_folder

__all__ = [
    "append_avatar",
    "find_rig",
    "list_rigs",
    "load_avatar",
    "map_of_armature",
    "recognise_armature",
    "rigs_dir",
    "save_map",
    "show_avatar",
    "user_rigs_dir",
]

logger = logging.getLogger(__name__)


def rigs_dir() -> Path:
    """The add-on's folder with one folder for each rig."""
    return ROOT / "rigs"


def user_rigs_dir() -> Path:
    """The user's own folder with one folder for each rig: the preferences' one, else one beside the user's settings."""
    chosen = preference("rigs_folder")
    return Path(bpy.path.abspath(chosen)) if chosen else user_folder("rigs")


def list_rigs(folder: Path | None = None) -> list[rigmap.Rig]:
    """All rigs that can be read, by folder name; one that cannot is logged and passed over."""
    found = []
    for path in sorted((folder or rigs_dir()).glob(f"*/{rigmap.RIG_FILE}")):
        try:
            found.append(rigmap.load_rig(path))
        except errors.RigError as problem:
            logger.warning("%s", problem)
    return found


def find_rig(name: str, folder: Path | None = None) -> rigmap.Rig:
    """The rig of this name (its folder's, or the one in its rig.json). Raises RigError where it is missing or wrong.

    folder: in place of the add-on's and the user's.
    """
    folders = [folder] if folder is not None else [rigs_dir(), user_rigs_dir()]
    for place in folders:
        if name and (place / name / rigmap.RIG_FILE).is_file():
            return rigmap.load_rig(place / name / rigmap.RIG_FILE)
    known = [rig for place in folders for rig in list_rigs(place)]
    for rig in known:
        if rig.name == name:
            return rig
    names = ", ".join(rig.name for rig in known) or "none"
    raise errors.RigError(f"There is no rig {name!r}.", hint=f"The rigs here are: {names}.")


def map_of_armature(armature: bpy.types.Object) -> rigmap.RigMap:
    """The bone map of an armature in the scene, as `recognise_armature` has it.

    Raises RigError naming the missing and doubtful parts: never a map with holes.
    """
    return recognise_armature(armature).to_rig_map()


def recognise_armature(armature: bpy.types.Object) -> recognition.Recognition:
    """Which bone of an armature plays which part: by the user's own rig.json that fits, else by its names and shape.

    The add-on's own rig.json help where neither tells. Raises RigError where it is no armature, or its own rig.json
    is wrong.
    """
    require_armature(armature)
    names = bone_names(armature)
    own = user_rigs_dir() / _folder_name(armature.name) / rigmap.RIG_FILE
    first = [rigmap.load_rig(own)] if own.is_file() else []
    saved = rigmap.fitting_map(names, [rig.map for rig in (*first, *list_rigs(user_rigs_dir()))])
    recognised = recognise.recognise(rest_bones(armature))
    if saved is None and not recognised.complete:
        saved = rigmap.fitting_map(names, [rig.map for rig in list_rigs()])
    return recognition.by_saved_map(recognised, saved) if saved is not None else recognised


def save_map(armature: bpy.types.Object, bones: dict[str, str]) -> Path:
    """Write the bones (role to bone) as this armature's map into the user's folder. Returns the rig.json.

    Raises RigError where the map has holes or names bones that the armature lacks, OutputError where it cannot be
    written.
    """
    require_armature(armature)
    rig_map = rigmap.RigMap(bones, armature.name)
    rig_map.require(bone_names(armature), armature.name)
    path = _own_path(armature)
    rigmap.save_rig(path, rigmap.Rig(armature.name, rig_map))
    return path


def _own_path(armature: bpy.types.Object) -> Path:
    """Where the armature's map goes: over its earlier one, but not over that of another rig of the same name."""
    name, number = _folder_name(armature.name), 1
    while True:
        path = user_rigs_dir() / (name if number == 1 else f"{name}-{number}") / rigmap.RIG_FILE
        try:
            if not path.is_file() or rigmap.fitting_map(bone_names(armature), [rigmap.load_rig(path).map]):
                return path
        except errors.RigError:
            return path
        number += 1


def _folder_name(name: str) -> str:
    """An object's name as a folder's."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "rig"


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
    if rig.avatar is None:
        raise errors.RigError(f"The rig {rig.name} is a bone map without an avatar.", hint="Choose another avatar.")
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
    # Blender works matrices out in a scene only: until then a scaled or turned armature looks as if it were neither.
    armature.matrix_world = _placed(armature)
    return [armature, *(thing for thing in wanted.objects if thing != armature)]


def _placed(thing: bpy.types.Object) -> Matrix:
    """An object's matrix as it will be in a scene."""
    if thing.parent is None:
        return thing.matrix_basis.copy()
    return _placed(thing.parent) @ thing.matrix_parent_inverse @ thing.matrix_basis


def show_avatar(rig: rigmap.Rig, brought: list[bpy.types.Object], scene: bpy.types.Scene) -> None:
    """Put the objects of `load_avatar` into the scene, in a collection of their own."""
    collection = bpy.data.collections.new(rig.name)
    scene.collection.children.link(collection)
    for thing in brought:
        collection.objects.link(thing)
