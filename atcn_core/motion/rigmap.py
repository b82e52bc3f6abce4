"""Which bone of a rig plays which part of the body: the roles, reading and writing rig.json, which map fits a rig."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OutputError, RigError

__all__ = [
    "REQUIRED_ROLES",
    "RIG_FILE",
    "RIG_SCHEMA",
    "ROLES",
    "TRUNK_ROLES",
    "Rig",
    "RigMap",
    "SwitchedBone",
    "fitting_map",
    "load_rig",
    "save_rig",
]

RIG_SCHEMA = "atcn.rig/1"
RIG_FILE = "rig.json"
_KEYS = ("schema", "name", "avatar", "object", "licence", "author", "rest", "bones")

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
class SwitchedBone:
    """A custom property of a bone that must have this value for keys on the mapped bones to show."""

    bone: str
    property: str
    value: float


@dataclass(frozen=True)
class RigMap:
    """Bone names by role. Raises RigError where a role is unknown or missing, or a bone plays two parts.

    switches: what must be set for the mapped bones to lead the rig: FK instead of IK on a control rig's limbs.
    """

    bones: dict[str, str]
    name: str = ""
    switches: tuple[SwitchedBone, ...] = ()

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
    """A rig folder's rig.json. avatar: the .blend beside it, or None; object_name: the armature object in it."""

    name: str
    map: RigMap
    avatar: Path | None = None
    object_name: str = ""
    licence: str = ""
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
    unknown = sorted(set(data) - set(_KEYS))
    if unknown:
        raise _wrong(path, f"has unknown keys: {', '.join(unknown)}")
    # A map saved for a rig of the user's own has no avatar.
    needed = ("name", "avatar", "object", "licence") if {"avatar", "object"} & set(data) else ("name",)
    texts = {key: _text(path, data, key) for key in (*needed, *(k for k in ("licence", "author") if k in data))}
    try:
        rig_map = RigMap(_bones(path, data), texts["name"])
    except RigError as problem:
        raise _wrong(path, f'has a wrong "bones": {problem.message}') from problem
    rest = data.get("rest", {})
    if not isinstance(rest, dict):
        raise _wrong(path, 'has a wrong "rest": it must be an object')
    return Rig(
        name=texts["name"],
        map=rig_map,
        avatar=path.parent / texts["avatar"] if "avatar" in texts else None,
        object_name=texts.get("object", ""),
        licence=texts.get("licence", ""),
        author=texts.get("author", ""),
        rest=rest,
    )


def save_rig(path: Path, rig: Rig) -> None:
    """Write a rig.json, under a temporary name first; folders that are missing are made. Raises OutputError."""
    optional = {
        "avatar": rig.avatar.name if rig.avatar is not None else "",
        "object": rig.object_name,
        "licence": rig.licence,
        "author": rig.author,
        "rest": rig.rest,
    }
    data = {"schema": RIG_SCHEMA, "name": rig.name, **{key: value for key, value in optional.items() if value}}
    data["bones"] = {role: rig.map.bones[role] for role in ROLES if role in rig.map.bones}
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OutputError(
            f"The rig map cannot be written to {path}: {problem.strerror or problem}.",
            hint="Choose another rigs folder in the add-on's preferences.",
        ) from problem


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


def fitting_map(bone_names: Iterable[str], known: Iterable[RigMap]) -> RigMap | None:
    """The first known map all of whose bones a rig has, in the rig's own spelling; None where there is none.

    Namespaces and letter case do not matter. A map counts as a whole: one bone's name says nothing by itself
    ("LeftShoulder" is a clavicle in one family and an upper arm in another).
    """
    names = list(bone_names)
    spelling = {_plain(bone): bone for bone in reversed(names)}
    spelling.update({bone: bone for bone in names})
    for rig_map in known:
        found = {role: spelling.get(bone) or spelling.get(_plain(bone)) for role, bone in rig_map.bones.items()}
        bones = {role: bone for role, bone in found.items() if bone}
        if len(set(bones.values())) == len(rig_map.bones):
            return RigMap(bones, rig_map.name)
    return None
