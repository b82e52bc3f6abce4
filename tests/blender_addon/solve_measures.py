"""The table over every rig in reach: whether it is recognised, and how exactly it follows, as Blender evaluates it.

python -m tests.blender_addon.solve_measures [--markdown FILE]   (with the bpy module, from the repository's root)
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from atcn_core.errors import RigError
from atcn_core.motion import retarget
from atcn_core.motion.bvh_person import bvh_person
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.world import WorldMotion
from blender_addon import rigs
from blender_addon.armature import rest_of
from blender_addon.bake import bake
from blender_addon.rig_table import Row, judge, load_truth
from tests.blender_addon.rigs_in_reach import MOCAP, ROOT, brought, sources
from tests.blender_addon.solve_errors import (
    Errors,
    Seen,
    degrees_between,
    end_errors_deg,
    follow,
    heads_at,
    length_errors,
    mirror_errors_deg,
    parity_errors_deg,
    roll_errors_deg,
    seen_at,
    segment_errors_deg,
    trunk_errors_deg,
)
from tests.moving_person import UP, dancing

# Measures that other tests take from here.
__all__ = [
    "degrees_between",
    "follow",
    "heads_at",
    "made",
    "motions",
    "parity_errors_deg",
    "segment_errors_deg",
    "shown_bones",
    "trunk_errors_deg",
]

TRUTH = ROOT / "tests/data/rig_truth.json"
# Held-out takes of each source of motion. CMU's own hand rotations are poor and flip, so its hands are not measured.
TAKES = (
    "cmuasf_03_03",
    "cmufbx_55_01",
    "cmumisc_131_01",
    "cmutxt_jumping_t01",
    "fair1_zombie_01",
    "m2m_dancecharleston_01",
    "m2m_tiredkneeling_01",
)
TAKE_S, EVERY = 2.0, 4
LEAPT = "made, high above the floor"
TIMED_FRAMES = 10_000
ENDS = ("head", "hands", "feet")
COLUMNS = (
    "rig",
    "bones",
    "recognised as",
    "roles",
    "wrong",
    "limbs °",
    "trunk °",
    "head °",
    "hands °",
    "feet °",
    "foot roll °",
    "own motion °",
    "lengths %",
    "mirrored °",
    "10,000 frames s",
)
ABOUT = """# Every rig in reach

Written by `python -m tests.blender_addon.solve_measures --markdown docs/rig_table.md` in a Blender environment; other
people's rigs and motions are measured where they lie beside the repository (`../shared`).

Each rig is recognised from its bones alone and judged against `tests/data/rig_truth.json` (the avatars against their
rig.json): how many roles it has, and which are wrong. It then follows a made motion and {takes} held-out ones, two
seconds of each, and Blender evaluates what was baked (of control rigs the deforming bones): mean / 95th percentile /
worst angle in degrees between the body's direction and the rig's.

* limbs: upper arms, forearms, thighs and shins; trunk: from between the hips to the base of the neck; head: the nose.
* hands: the knuckles, in the made and the hand-keyed motions alone: CMU's hand rotations flip. The worst is one frame
  of a hand-keyed dance, whose wrist is turned by as much as 135 degrees against the forearm and is softly held back.
* feet: the soles, and foot roll: how far they tilt aside, in the made motion high above the floor. Feet on the floor
  are laid level, and how a clip's standing feet show is taken off all its frames: heel and toe are not in one height.
* own motion: the rig's own bones turned at random, their joints taken as a person's and solved back: worst angle.
* lengths: the worst change of a limb's length. mirrored: the mirrored motion's result against the mirrored result.
* 10,000 frames: the solve alone, in processor time on one busy core of the machine that wrote this.

Every rig here has the freedom to follow exactly; what some lack is guessed: without knuckles palms look down at rest,
without a neck the middle of the upper arms stands in. `openpose` has detector points for bones and is rightly refused.
"""


@dataclass(frozen=True)
class Followed:
    """What one rig makes of the motions."""

    errors: dict[str, Errors]
    own_worst_deg: float
    length_worst: float
    mirror_worst_deg: float
    solve_s: float


def motions() -> dict[str, WorldMotion]:
    """By name: the made person, and held-out captured ones at 30 frames a second."""
    danced = dancing(TAKE_S, seed=5).motion()
    found = {"made": danced, LEAPT: replace(danced, joints_world=danced.joints_world + 1.0 * UP)}
    for take in TAKES:
        path = MOCAP / f"{take}.bvh"
        if path.is_file():
            found[take] = _middle(bvh_person(path))
    return found


def _middle(motion: WorldMotion) -> WorldMotion:
    step = max(1, round(1.0 / (30.0 * float(np.median(np.diff(motion.times_s))))))
    wanted = step * round(30.0 * TAKE_S)
    first = max(0, (len(motion.times_s) - wanted) // 2)
    return motion.at(slice(first, first + wanted, step))


def shown_bones(armature: bpy.types.Object, rig_map: RigMap, control_rig: bool) -> dict[str, str]:
    """By role the bones that are looked at: of a control rig those that deform, which only follow."""
    if not control_rig:
        return dict(rig_map.bones)
    plain = {role: bone.replace("_fk", "") for role, bone in rig_map.bones.items()}
    plain |= {"hips": "spine", "neck": "spine.004", "head": "spine.006"}
    deforming = {role: f"DEF-{bone}" for role, bone in plain.items()}
    return {role: bone if bone in armature.data.bones else rig_map.bones[role] for role, bone in deforming.items()}


def followed(source: str, moving: dict[str, WorldMotion]) -> Followed:
    """A rig brought afresh, set going by each motion and looked at."""
    armature, rig_map = made(source)
    bones = shown_bones(armature, rig_map, source.endswith(":generated"))
    rest = rest_of(armature)
    errors_deg: dict[str, list[np.ndarray]] = {}
    worst_length, worst_mirror_deg = 0.0, 0.0
    for name, motion in moving.items():
        frames = range(0, len(motion.times_s), EVERY)
        track = retarget.solve(motion, rest, rig_map)
        bake(armature, track, action_name=name, start_frame=0)
        seen = seen_at(armature, bones, frames)
        for measure, found_deg in _measured(seen, rest, motion, frames, name):
            errors_deg.setdefault(measure, []).append(found_deg.ravel())
        worst_length = max(worst_length, float(length_errors(seen).max()))
        worst_mirror_deg = max(worst_mirror_deg, float(mirror_errors_deg(rest, rig_map, motion).max()))
    own_deg = parity_errors_deg(lambda: made(source), range(0, 40))
    return Followed(
        {measure: Errors.of(np.concatenate(found)) for measure, found in errors_deg.items()},
        max(float(of_pair.max()) for of_pair in own_deg.values()),
        worst_length,
        worst_mirror_deg,
        _solve_s(rest, rig_map),
    )


def made(source: str) -> tuple[bpy.types.Object, RigMap]:
    """One of the `sources` in the present scene and its map, a control rig's limbs on the mapped controls."""
    armature = brought(source)
    rig_map = rigs.recognise_armature(armature).to_rig_map()
    for switch in rig_map.switches:
        if switch.property in armature.pose.bones[switch.bone]:
            armature.pose.bones[switch.bone][switch.property] = switch.value
    return armature, rig_map


def _measured(
    seen: Seen, rest: retarget.RigRest, motion: WorldMotion, frames: range, name: str
) -> Iterator[tuple[str, np.ndarray]]:
    yield "limbs", segment_errors_deg(seen.heads, motion, frames)
    yield "trunk", trunk_errors_deg(seen.heads, motion, frames)
    for role, found_deg in end_errors_deg(seen, rest, motion, frames).items():
        measure = {"hand": "hands", "foot": "feet"}.get(role.rpartition("_")[2], role)
        hands_are_good = name in ("made", LEAPT) or name.startswith("m2m")
        if {"hands": hands_are_good, "feet": name == LEAPT}.get(measure, True):
            yield measure, found_deg
    if name == LEAPT:
        yield "foot roll", roll_errors_deg(seen, rest, motion, frames)


def _solve_s(rest: retarget.RigRest, rig_map: RigMap) -> float:
    motion = dancing(TIMED_FRAMES / 30.0).motion()
    began = time.process_time()
    retarget.solve(motion, rest, rig_map)
    return time.process_time() - began


def line(name: str, row: Row, found: Followed | None) -> tuple[str, ...]:
    """The table's cells for one rig; found: None where it is no person's."""
    wrong = "?" if row.wrong is None else ", ".join(row.wrong) or "none"
    cells = (name, str(row.bones), row.family if row.complete else "refused", str(row.roles if row.complete else 0))
    if found is None:
        return (*cells, wrong, *[""] * (len(COLUMNS) - 5))
    errors = [str(found.errors[measure]) for measure in ("limbs", "trunk", *ENDS, "foot roll")]
    return (
        *(*cells, wrong, *errors),
        f"{found.own_worst_deg:.3f}",
        f"{100.0 * found.length_worst:.3f}",
        f"{found.mirror_worst_deg:.3f}",
        f"{found.solve_s:.2f}",
    )


def lines(names: Iterable[str] = ()) -> Iterator[tuple[str, ...]]:
    """The table's cells, rig by rig. names: only rigs in whose name one of these words is."""
    words, truths, moving = tuple(names), load_truth(TRUTH), motions()
    for name, source in sources().items():
        if words and not any(word in name for word in words):
            continue
        bpy.ops.wm.read_factory_settings(use_empty=True)
        row = judge(brought(source), source, truths)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        yield line(name, row, followed(source, moving) if row.complete else None)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="solve_measures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="WORD", help="only rigs in whose name one of these is")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there as well")
    options = parser.parse_args(arguments)
    table = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    print("\n".join(table))
    for cells in lines(options.names):
        table.append(f"| {' | '.join(cells)} |")
        print(table[-1], flush=True)
    if options.markdown:
        part = options.markdown.with_suffix(".part")
        part.write_text(ABOUT.format(takes=len(motions()) - 2) + "\n" + "\n".join(table) + "\n", encoding="utf-8")
        part.replace(options.markdown)


if __name__ == "__main__":
    code = 1
    try:
        main(sys.argv[1:])
        code = 0
    except RigError as error:
        sys.stderr.write(f"Error: {error}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    # Some wheels of Blender crash while the interpreter shuts down.
    os._exit(code)
