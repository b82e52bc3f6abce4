"""Films the demo clip: an avatar walks in, turns, waves and squats; its true joints are stored beside the film.

    .blender/4.2/bin/python rigs/render_demo.py [--out tests/data] [--samples 10] [--name mira]

Writes demo.mp4 and demo_truth.npz (schema atcn.truth/1): joint_names (J,) of the capture set, joints_cam (T, J, 3)
metres before the camera, xy_px (T, J, 2), times_s (T,), fps, image_wh_px, focal_px, centre_px, cam_from_world (3, 3)
and place_world (3,) of the camera, licence.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
import numpy as np

from rigs.demo.acting import DURATION_S, act
from rigs.demo.stage import (
    Camera,
    figure_box_px,
    film_of,
    key_poses,
    open_stage,
    render_pictures,
    save_truth,
    true_joints_cam,
)
from rigs.figure.joints import carried_joints, joints_of
from rigs.figure.people import PEOPLE, person_named
from rigs.figure.scene import build_avatar

ROOT = Path(__file__).resolve().parents[1]
FPS = 25
CAMERA = Camera(wh_px=(480, 640), fov_deg=55.0, place_m=(-0.05, -2.85, 1.10), pitch_deg=3.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "data")
    parser.add_argument("--name", default="mira", choices=[p.name for p in PEOPLE if p.pose == "T"])
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--frames", type=int, default=round(DURATION_S * FPS))
    options = parser.parse_args()
    person = person_named(options.name)
    armature, bones = build_avatar(person)
    bone_of_role = {bone.role: bone.name for bone in bones if bone.role}
    scene = bpy.context.scene
    times_s = np.arange(options.frames) / FPS
    joints = joints_of(person)
    key_poses(armature, bone_of_role, [act(float(t), joints) for t in times_s])
    open_stage(scene, CAMERA)
    scene.frame_start, scene.frame_end = 1, options.frames
    carried = carried_joints(person, bone_of_role)
    joints_cam = true_joints_cam(scene, armature, carried, CAMERA, range(1, options.frames + 1))
    options.out.mkdir(parents=True, exist_ok=True)
    licence = f"CC0-1.0; {person.name}, {Path(__file__).name}"
    save_truth(options.out / "demo_truth.npz", joints_cam, CAMERA, times_s, FPS, licence)
    boxes_px = [figure_box_px(scene, joints, CAMERA) for joints in joints_cam]
    with tempfile.TemporaryDirectory(dir=options.out) as folder:
        pictures = render_pictures(scene, Path(folder), boxes_px, options.samples, armature.children)
        film = Path(folder) / "demo.mp4"
        film_of(pictures, film, FPS)
        film.replace(options.out / "demo.mp4")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The wheels of Blender 4.2 and 4.5 may crash while the interpreter shuts down.
    os._exit(code)
