"""Prints which rigs are recognised, against a file of hand-checked bones; ends with 1 where a role is wrong.

With the bpy module: python -m blender_addon.rig_table --truth tests/data/rig_truth.json --rigify rigs FOLDER
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from .armature import rest_bones
from .core import errors, recognise, recognition, rigmap
from .rig_files import GENERATED, RIGIFY, SUFFIXES, import_armatures

__all__ = ["Row", "Truth", "judge", "load_truth", "main", "table"]

TRUTH_SCHEMA = "atcn.rig-truth/1"
RIGIFY_KINDS = ("human", "basic_human")


@dataclass(frozen=True)
class Truth:
    """What is right for the rigs whose file names fit. bones: role to bone; person False: it must be refused."""

    files: str
    bones: dict[str, str]
    person: bool = True


@dataclass(frozen=True)
class Row:
    """One armature's line. wrong: roles with another bone than the truth's, or none; None: there is no truth."""

    rig: str
    bones: int
    family: str
    complete: bool
    roles: int
    wrong: tuple[str, ...] | None
    seconds: float
    note: str = ""


def load_truth(path: Path) -> list[Truth]:
    """Read a truth file. Raises RigError where it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != TRUTH_SCHEMA:
            raise ValueError(f"its schema is {data['schema']!r}")
        return [Truth(rig["files"], rig.get("bones", {}), rig.get("person", True)) for rig in data["rigs"]]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise errors.RigError(f"{path} is no truth file: {problem}", hint="Choose another file.") from problem


def judge(armature: bpy.types.Object, source: str, truths: list[Truth]) -> Row:
    """Recognise an armature by its bones alone, no rig.json heard, and compare."""
    bones = rest_bones(armature)
    began = time.perf_counter()
    found = recognise.recognise(bones)
    seconds = time.perf_counter() - began
    truth = _truth_of(source, truths)
    doubtful = [f"{f.role}: {f.reason}" for f in found.findings if f.state == recognition.DOUBTFUL]
    note = found.refusal or "; ".join(doubtful)
    wrong = None if truth is None else _wrong(found, truth)
    return Row(_name(source), len(bones), found.family, found.complete, len(found.bones), wrong, seconds, note)


def _name(source: str) -> str:
    return source if source.startswith(RIGIFY) else Path(source).name


def _truth_of(source: str, truths: list[Truth]) -> Truth | None:
    """The truth file's entry, or the rig.json beside an avatar."""
    beside = Path(source).parent / rigmap.RIG_FILE
    if source.endswith(".blend") and beside.is_file():
        return Truth(_name(source), rigmap.load_rig(beside).map.bones)
    return next((truth for truth in truths if fnmatch.fnmatch(_name(source), truth.files)), None)


def _wrong(found: recognition.Recognition, truth: Truth) -> tuple[str, ...]:
    if not truth.person:
        return ("taken for a person",) if found.complete else ()
    return tuple(role for role in rigmap.ROLES if found.bones.get(role) != truth.bones.get(role))


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| rig | bones | recognised as | roles found | wrong | ms | notes |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        family = row.family if row.complete else "not recognised"
        wrong = "?" if row.wrong is None else ", ".join(row.wrong) or "none"
        cells = (
            row.rig,
            row.bones,
            family,
            row.roles if row.complete else 0,
            wrong,
            f"{1000 * row.seconds:.0f}",
            row.note,
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _sources(paths: list[Path], rigify: bool) -> Iterator[str]:
    for path in paths:
        if path.is_dir():
            yield from (str(file) for file in sorted(path.rglob("*")) if _holds_rig(file))
        else:
            yield str(path)
    if rigify:
        for kind in RIGIFY_KINDS:
            yield from (f"{RIGIFY}{kind}", f"{RIGIFY}{kind}{GENERATED}")


def _holds_rig(file: Path) -> bool:
    return (
        file.suffix in SUFFIXES and (file.suffix != ".json" or file.name.startswith("rig.")) and file.name != "rig.json"
    )


def main(arguments: list[str]) -> int:
    """Judge every rig. Returns 1 where a role is wrong or a file cannot be read."""
    parser = argparse.ArgumentParser(prog="rig_table", description="Which rigs are recognised, as a table.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files, or folders searched for rigs")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="the right bones of rigs by file name")
    parser.add_argument("--rigify", action="store_true", help="also Rigify's human metarigs and what it makes of them")
    options = parser.parse_args(arguments)
    truths = load_truth(options.truth) if options.truth else []
    rows, unread = [], []
    for source in _sources(options.paths, options.rigify):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        try:
            rows += [judge(armature, source, truths) for armature in import_armatures(source)]
        except errors.RigError as error:
            unread.append(str(error))
    sys.stdout.write(table(rows) + "\n")
    known = [row for row in rows if row.wrong is not None]
    right = sum(not row.wrong for row in known)
    sys.stdout.write(f"\n{right} of {len(known)} rigs with a truth are right; {len(rows) - len(known)} have none.\n")
    sys.stderr.writelines(f"{line}\n" for line in unread)
    return int(bool(unread) or right < len(known))


if __name__ == "__main__":
    code = 1
    try:
        code = main(sys.argv[1:])
    except errors.AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the bpy module of some versions crashes or hangs when the interpreter ends
