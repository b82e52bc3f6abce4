"""Builds the avatars and their rig.json. Run it with Blender 4.2, so that all later ones can open them.

.blender/4.2/bin/python rigs/build_rigs.py [NAME ...] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rigs.figure.bones import role_bones
from rigs.figure.people import PEOPLE, Person
from rigs.figure.scene import build_avatar, save_avatar


def rig_json(person: Person, object_name: str, bones: dict[str, str]) -> dict:
    """The rig.json of an avatar (see README.md beside this script)."""
    return {
        "schema": "atcn.rig/1",
        "name": person.name,
        "avatar": f"{person.name}.blend",
        "object": object_name,
        "licence": "CC0-1.0",
        "author": "the project's own script, rigs/build_rigs.py",
        "rest": {"pose": person.pose, "facing": "-Y", "height_m": person.height_m},
        "bones": bones,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="avatars to build; all of them when none is named")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    options = parser.parse_args()
    for person in PEOPLE:
        if options.names and person.name not in options.names:
            continue
        folder = options.out / person.name
        folder.mkdir(parents=True, exist_ok=True)
        armature, bones = build_avatar(person)
        save_avatar(folder / f"{person.name}.blend")
        text = json.dumps(rig_json(person, armature.name, role_bones(bones)), indent=2)
        (folder / "rig.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The wheels of Blender 4.2 and 4.5 may crash while the interpreter shuts down.
    os._exit(code)
