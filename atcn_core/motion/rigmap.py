"""Which bone of a rig plays which part of the body: the roles, rig.json, and finding the map that fits a rig."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import RigError

__all__ = ["REQUIRED_ROLES", "RIG_SCHEMA", "ROLES", "TRUNK_ROLES", "Rig", "RigMap", "load_rig", "match_rig_map"]

RIG_SCHEMA = "atcn.rig/1"

TRUNK_ROLES = ("hips", "spine", "chest", "upper_chest")
_SIDE_ROLES = (
    "shoulder",
    "upper_arm",
    "forearm",
    "hand",
    "thigh",
    "shin",
    "foot",
    "toe",
    "index_knuckle",
    "pinky_knuckle",
)
# Every part a bone can play, parents before children along each limb.
ROLES = (*TRUNK_ROLES, "neck", "head", *(f"{side}_{role}" for side in ("left", "right") for role in _SIDE_ROLES))
_OPTIONAL_SIDE_ROLES = {"shoulder", "toe", "index_knuckle", "pinky_knuckle"}
REQUIRED_ROLES = (
    "hips",
    "spine",
    "head",
    *(f"{side}_{role}" for side in ("left", "right") for role in _SIDE_ROLES if role not in _OPTIONAL_SIDE_ROLES),
)


@dataclass(frozen=True)
class RigMap:
    """Bone names by role. Raises RigError where a role is unknown or missing, or a bone plays two parts."""

    bones: dict[str, str]
    name: str = ""

    def __post_init__(self) -> None:
        what = f"The bone map {self.name!r}" if self.name else "The bone map"
        unknown = sorted(set(self.bones) - set(ROLES))
        if unknown:
            raise RigError(f"{what} has unknown roles: {', '.join(unknown)}.", hint=f"Known are: {', '.join(ROLES)}.")
        missing = _missing(self.bones)
        if missing:
            raise RigError(f"{what} lacks {', '.join(missing)}.", hint="Name a bone for each of these roles.")
        twice = sorted({bone for bone in self.bones.values() if list(self.bones.values()).count(bone) > 1})
        if twice:
            raise RigError(f"{what} gives two roles to {', '.join(twice)}.", hint="Each role needs its own bone.")

    def require(self, bone_names: Iterable[str], armature: str) -> None:
        """Raise RigError, naming the bones, where the armature lacks any of the map's."""
        present = set(bone_names)
        absent = [f"{bone} ({role})" for role, bone in self.bones.items() if bone not in present]
        if absent:
            raise RigError(
                f"The armature {armature!r} has no bone {', '.join(absent)}.",
                hint="Choose the rig whose bone names these are, or correct its rig.json.",
            )


@dataclass(frozen=True)
class Rig:
    """A rig folder's rig.json. avatar: the .blend beside it; object_name: the armature object in it."""

    name: str
    map: RigMap
    avatar: Path
    object_name: str
    licence: str
    author: str = ""
    rest: dict[str, Any] = field(default_factory=dict)


def _missing(roles: Iterable[str]) -> list[str]:
    return [role for role in REQUIRED_ROLES if role not in set(roles)]


def load_rig(path: Path) -> Rig:
    """Read a rig.json. Raises RigError with the file and the key that is wrong."""
    path = Path(path)
    if not path.is_file():
        raise RigError(f"There is no file {path}.", hint="A rig folder holds a rig.json and its avatar.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise _wrong(path, f"is not readable JSON: {problem}") from problem
    if not isinstance(data, dict):
        raise _wrong(path, "is not a JSON object")
    if data.get("schema") != RIG_SCHEMA:
        raise _wrong(path, f"has schema {data.get('schema')!r}, not {RIG_SCHEMA!r}")
    unknown = sorted(set(data) - {"schema", "name", "avatar", "object", "licence", "author", "rest", "bones"})
    if unknown:
        raise _wrong(path, f"has unknown keys: {', '.join(unknown)}")
    texts = {key: _text(path, data, key) for key in ("name", "avatar", "object", "licence")}
    try:
        rig_map = RigMap(_bones(path, data), texts["name"])
    except RigError as problem:
        raise _wrong(path, f'has a wrong "bones": {problem.message}') from problem
    rest = data.get("rest", {})
    if not isinstance(rest, dict):
        raise _wrong(path, 'has a wrong "rest": it must be an object')
    author = _text(path, data, "author") if "author" in data else ""
    avatar = path.parent / texts["avatar"]
    return Rig(texts["name"], rig_map, avatar, texts["object"], texts["licence"], author, rest)


def _wrong(path: Path, what: str) -> RigError:
    return RigError(f"{path.parent.name}/{path.name} {what.rstrip('.')}.", hint="Correct the rig.json.")


def _text(path: Path, data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise _wrong(path, f'has a wrong "{key}": it must be a text that is not empty')
    return value


def _bones(path: Path, data: dict[str, Any]) -> dict[str, str]:
    bones = data.get("bones")
    if not isinstance(bones, dict):
        raise _wrong(path, 'has a wrong "bones": it must be an object of role to bone name')
    for role, bone in bones.items():
        if not isinstance(bone, str) or not bone:
            raise _wrong(path, f'has a wrong "bones": {role} must name a bone')
    return dict(bones)


def _plain(bone: str) -> str:
    """A bone name without namespace ("mixamorig:", "mixamorig7:") and letter case."""
    return bone.rpartition(":")[2].lower()


def match_rig_map(bone_names: Sequence[str], known: Sequence[RigMap]) -> RigMap:
    """The known map that fits a rig best, in the rig's own spelling and without the roles it has no bone for.

    Namespaces and letter case do not matter. A map counts as a whole: one bone's name says nothing by itself
    ("LeftShoulder" is a clavicle in one family and an upper arm in another).
    Raises RigError naming the missing roles of the nearest map.
    """
    spelling = {_plain(bone): bone for bone in reversed(bone_names)}
    spelling.update({bone: bone for bone in bone_names})
    found = []
    for rig_map in known:
        hits = {role: spelling.get(bone) or spelling.get(_plain(bone)) for role, bone in rig_map.bones.items()}
        found.append((rig_map, {role: bone for role, bone in hits.items() if bone}))
    fitting = [(rig_map, bones) for rig_map, bones in found if not _missing(bones)]
    if fitting:
        rig_map, bones = max(fitting, key=lambda pair: len(pair[1]))
        return RigMap(bones, rig_map.name)
    if not found:
        raise RigError("No rig is known to compare this armature with.", hint="Add a rig folder with a rig.json.")
    rig_map, bones = max(found, key=lambda pair: len(REQUIRED_ROLES) - len(_missing(pair[1])))
    raise RigError(
        f"This armature fits no known rig; nearest is {rig_map.name or 'a map without a name'},"
        f" without a bone for {', '.join(_missing(bones))}.",
        hint="Write a rig.json with the names of its bones.",
    )
