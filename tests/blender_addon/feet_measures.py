"""How well feet and hands stay where they stand on a rig, as Blender evaluates it, in each of the foot modes.

python -m atcn_core.evaluate.world_report --motion FOLDER --save CLIPS      (with the engine)
python -m tests.blender_addon.feet_measures CLIPS [--rig NAME]              (with the bpy module)
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import astuple, dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from atcn_core.clip import load_motion
from atcn_core.motion.arms_held import standing_hands
from atcn_core.motion.feet import FOOT_MODES, standing_feet
from atcn_core.motion.world import to_world
from atcn_core.skeleton import SIDES
from blender_addon import rigs
from blender_addon.apply import apply_motion, scene_fps
from blender_addon.session import set_scene_rate

CM = 100.0


@dataclass(frozen=True)
class FeetErrors:
    """slide_cm_s: mean speed along the floor of heels and toes while they are taken to stand, and while they truly do.

    sink_cm: how deep the lower of all four points is below the floor, mean and worst.
    hands_cm_s: mean speed along the floor of wrists while they are taken to stand; NaN where none does.
    """

    slide_cm_s: float
    true_slide_cm_s: float
    sink_cm: float
    worst_sink_cm: float
    hands_cm_s: float


def sole_points(armature: bpy.types.Object, rig_map, frames: range) -> dict[str, np.ndarray]:
    """Where heel and toe touch the floor at rest (T, 2, 3): behind the ankle, carried by the foot, and under the ball,
    carried by the toes where the rig has them."""
    carried = {}
    for side in SIDES:
        foot = armature.data.bones[rig_map.bones[f"{side}_foot"]]
        toe = armature.data.bones.get(rig_map.bones.get(f"{side}_toe", ""))
        ankle, ball = foot.head_local, toe.head_local if toe else foot.tail_local
        ends = ((foot, ankle - 0.3 * (ball - ankle)), (toe or foot, ball))
        carried[side] = [(bone, Vector((end.x, end.y, 0.0))) for bone, end in ends]
    paths: dict[str, list] = {side: [] for side in SIDES}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for side in SIDES:
            paths[side].append(
                [
                    seen.matrix_world @ seen.pose.bones[bone.name].matrix @ bone.matrix_local.inverted() @ point
                    for bone, point in carried[side]
                ]
            )
    return {side: np.array(path) for side, path in paths.items()}


def wrist_paths(armature: bpy.types.Object, rig_map, frames: range) -> dict[str, np.ndarray]:
    """Where the wrists are (T, 3), by side."""
    paths: dict[str, list] = {side: [] for side in SIDES}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for side in SIDES:
            paths[side].append(seen.matrix_world @ seen.pose.bones[rig_map.bones[f"{side}_hand"]].head)
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
    chance, held = to_world(motion).standing_chance(), mode or FOOT_MODES["auto"]
    taken = standing_feet(chance, motion.times_s, held)
    on_hands = standing_hands(chance, motion.times_s, held)
    wrists = wrist_paths(armature, rig.map, frames) if any(flags.any() for flags in on_hands.values()) else {}
    hands_cm_s = [
        (CM * scene_fps(scene) * np.linalg.norm(np.diff(path[:, :2], axis=0), axis=1))[
            on_hands[side][1:] & on_hands[side][:-1]
        ]
        for side, path in wrists.items()
    ]
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
    hands = float(np.mean(np.concatenate(hands_cm_s))) if hands_cm_s else np.nan
    return FeetErrors(*means, float(sink_cm.mean()), float(sink_cm.max()), hands)


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
    print("| motion | feet | slide cm/s | of truly standing | below the floor cm | at worst | hands slide cm/s |")
    print("|---|---|---|---|---|---|---|")
    for (kind, mode), errors in sorted(found.items(), key=lambda item: item[0][0] == "all"):
        table = np.array([astuple(e) for e in errors])
        means = [float(np.nanmean(column)) if np.isfinite(column).any() else np.nan for column in table.T]
        slide, true, sink, _, hands = means
        said = f"{hands:.2f}" if np.isfinite(hands) else "-"
        worst = np.nanmax(table[:, 3])
        print(f"| {kind} | {mode} | {slide:.2f} | {true:.1f} | {sink:.2f} | {worst:.1f} | {said} |")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Some wheels of Blender crash while the interpreter shuts down.
    os._exit(0)
