"""How well feet stay where they stand on a rig, as Blender evaluates it, in each of the foot modes.

python -m atcn_core.evaluate.world_report --motion FOLDER --save CLIPS      (with the engine)
python -m tests.blender_addon.feet_measures CLIPS [--rig NAME]              (with the bpy module)
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from atcn_core.clip import load_motion
from atcn_core.motion.feet import FOOT_MODES, standing_feet
from atcn_core.motion.world import to_world
from blender_addon import rigs
from blender_addon.apply import apply_motion, scene_fps
from blender_addon.session import set_scene_rate

SIDES = ("left", "right")
CM = 100.0


@dataclass(frozen=True)
class FeetErrors:
    """slide_cm_s: mean speed along the floor of heels and toes while they are taken to stand, and while they truly do.

    sink_cm: how deep the lower of all four points is below the floor, mean and worst.
    """

    slide_cm_s: float
    true_slide_cm_s: float
    sink_cm: float
    worst_sink_cm: float


def sole_points(armature: bpy.types.Object, rig_map, frames: range) -> dict[str, np.ndarray]:
    """Where heel and toe touch the floor at rest (T, 2, 3), carried by the foot: behind its ankle, at its toe."""
    points = {}
    bones = {side: armature.data.bones[rig_map.bones[f"{side}_foot"]] for side in SIDES}
    for side in SIDES:
        toe = armature.data.bones.get(rig_map.bones.get(f"{side}_toe", ""))
        ankle, toe = bones[side].head_local, toe.head_local if toe else bones[side].tail_local
        points[side] = [Vector((end.x, end.y, 0.0)) for end in (ankle - 0.3 * (toe - ankle), toe)]
    paths: dict[str, list] = {side: [] for side in SIDES}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for side in SIDES:
            pose_bone = seen.pose.bones[bones[side].name]
            carried = seen.matrix_world @ pose_bone.matrix @ bones[side].matrix_local.inverted()
            paths[side].append([carried @ point for point in points[side]])
    return {side: np.array(path) for side, path in paths.items()}


def measure(clip: Path, rig_name: str, mode_name: str) -> FeetErrors:
    """One clip on a rig in one mode."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    motion = load_motion(clip)
    set_scene_rate(scene, motion.fps)
    rig = rigs.find_rig(rig_name)
    armature = rigs.append_avatar(rig, scene)
    for thing in [thing for thing in scene.objects if thing.type == "MESH"]:
        bpy.data.objects.remove(thing)  # bones alone are evaluated much faster
    mode = FOOT_MODES[mode_name]
    apply_motion(armature, rig.map, motion, scene=scene, action_name="A", start_frame=0, foot_mode=mode)
    frames = range(len(motion.times_s))
    paths = sole_points(armature, rig.map, frames)
    taken = standing_feet(to_world(motion).standing_chance(), motion.times_s, mode or FOOT_MODES["auto"])
    with np.load(clip.with_name(clip.name.replace(".motion.", ".truth."))) as truth:
        true = truth["standing"]
    slides: dict[str, list] = {"taken": [], "true": []}
    for number, side in enumerate(SIDES):
        speed_cm_s = CM * scene_fps(scene) * np.linalg.norm(np.diff(paths[side][..., :2], axis=0), axis=2)
        for name, flags in (("taken", taken[side]), ("true", true[:, 2 * number : 2 * number + 2])):
            slides[name].append(speed_cm_s[flags[1:] & flags[:-1]])
    lowest_cm = CM * np.minimum.reduce([path[..., 2].min(axis=1) for path in paths.values()])
    sink_cm = np.maximum(-lowest_cm, 0.0)
    means = [float(np.mean(np.concatenate(slides[name]))) if slides[name] else np.nan for name in ("taken", "true")]
    return FeetErrors(*means, float(sink_cm.mean()), float(sink_cm.max()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, help="the folder that world_report --save wrote")
    parser.add_argument("--rig", default="bruno", help="an avatar of the rigs folder")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th clip")
    arguments = parser.parse_args()
    found: dict[tuple[str, str], list[FeetErrors]] = defaultdict(list)
    for clip in sorted(arguments.clips.glob("*.motion.npz"))[:: arguments.every]:
        kind = clip.name.split("_")[1]
        for mode in FOOT_MODES:
            errors = measure(clip, arguments.rig, mode)
            found[kind, mode].append(errors)
            found["all", mode].append(errors)
    print("| motion | feet | slide cm/s | of truly standing | below the floor cm | at worst |")
    print("|---|---|---|---|---|---|")
    for (kind, mode), errors in sorted(found.items(), key=lambda item: item[0][0] == "all"):
        table = np.array([[e.slide_cm_s, e.true_slide_cm_s, e.sink_cm, e.worst_sink_cm] for e in errors])
        mean = np.nanmean(table, axis=0)
        print(f"| {kind} | {mode} | {mean[0]:.2f} | {mean[1]:.1f} | {mean[2]:.2f} | {np.nanmax(table[:, 3]):.1f} |")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Some wheels of Blender crash while the interpreter shuts down.
    os._exit(0)
