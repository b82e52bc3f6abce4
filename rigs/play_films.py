"""Plays captures of filmed avatars on the same avatars, and writes where Blender has their joints then.

    python -m atcn_core.evaluate.world_report --films FILMS --save CLIPS
    .blender/4.2/bin/python rigs/play_films.py CLIPS [--feet MODE]
    python -m atcn_core.evaluate.played_report CLIPS

Beside each *.motion.npz of a filmed avatar goes a *.played.npz: `joints_world` (T, 27, 3), the capture set, metres.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
import numpy as np

from atcn_core.clip import load_motion, save_arrays
from atcn_core.errors import AtcnError, MotionError
from atcn_core.motion.feet import FOOT_MODES
from atcn_core.motion.rigmap import load_rig
from blender_addon.apply import apply_motion
from blender_addon.session import set_scene_rate
from rigs.demo.stage import joints_in_world, lone_avatar
from rigs.figure.joints import carried_joints
from rigs.figure.people import PEOPLE, person_named

RIGS = Path(__file__).resolve().parent
_MOTION = ".motion.npz"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="the folder that world_report --films --save wrote")
    parser.add_argument("--feet", choices=list(FOOT_MODES), default="auto", help="what happens to feet that stand")
    options = parser.parse_args()
    try:
        for clip, name in _clips_of_avatars(options.clips):
            joints_world = play(clip, name, options.feet)
            save_arrays(clip.with_name(clip.name.replace(_MOTION, ".played.npz")), {"joints_world": joints_world})
            sys.stdout.write(f"{clip.name}: {len(joints_world)} frames on {name}\n")
            sys.stdout.flush()
    except AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _clips_of_avatars(folder: Path) -> list[tuple[Path, str]]:
    """The captures in which an avatar was filmed, and its name. Raises MotionError."""
    names = {person.name for person in PEOPLE}
    clips = [
        (clip, name) for clip in sorted(folder.glob(f"*{_MOTION}")) for name in clip.name.split("_") if name in names
    ]
    if not clips:
        raise MotionError(
            f"There is no capture of a filmed avatar in {folder}.",
            hint="Write some: python -m atcn_core.evaluate.world_report --films FILMS --save CLIPS.",
        )
    return clips


def play(clip: Path, name: str, feet: str) -> np.ndarray:
    """A capture on an avatar: its joints (T, 27, 3) as Blender has them, metres. Raises AtcnError."""
    rig = load_rig(RIGS / name / "rig.json")
    armature = lone_avatar(rig)
    scene = bpy.context.scene
    for thing in [thing for thing in scene.objects if thing.type == "MESH"]:
        bpy.data.objects.remove(thing)  # bones alone are evaluated much faster
    motion = load_motion(clip)
    set_scene_rate(scene, motion.fps)
    apply_motion(
        armature, rig.map, motion, scene=scene, action_name="played", start_frame=0, foot_mode=FOOT_MODES[feet]
    )
    carried = carried_joints(person_named(name), rig.map.bones)
    return joints_in_world(scene, armature, carried, range(len(motion.times_s)))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The wheels of Blender 4.2 and 4.5 may crash while the interpreter shuts down.
    os._exit(code)
