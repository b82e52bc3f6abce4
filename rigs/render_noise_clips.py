"""Films mocap on the avatars before many cameras, with their true joints: what the detector is measured on.

    .blender/4.2/bin/python rigs/render_noise_clips.py --out DIR [--only TEXT] [--held-out]

DIR holds the motions that rigs/cut_noise_motions.py cut; beside them go <shot>.mp4 and <shot>_truth.npz (schema
atcn.truth/1, as the demo's, with `hidden` (T, J): something solid lies clearly before the joint). Drawn by Workbench.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
import numpy as np
from mathutils import Vector

from atcn_core.errors import AtcnError, MotionError
from atcn_core.motion.retarget import solve
from atcn_core.motion.rigmap import load_rig
from atcn_core.motion.world import WorldMotion
from atcn_core.skeleton import CAPTURE
from blender_addon.armature import rest_of
from blender_addon.bake import bake
from blender_addon.hush import silent
from rigs.demo.stage import Camera, lone_avatar, open_stage, save_truth, true_joints_cam
from rigs.figure.joints import carried_joints
from rigs.figure.people import person_named
from rigs.noise.shots import FPS, HELD_OUT, SHOTS, Shot

RIGS = Path(__file__).resolve().parent
# Flesh over a joint; what lies nearer to the camera by more than this hides it.
_FLESH_M = 0.14
_CLUTTER = 9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder with the cut motions")
    parser.add_argument("--only", default="", metavar="TEXT", help="only shots with this in their name")
    parser.add_argument("--held-out", action="store_true", help="the films for scoring captures, of held-out takes")
    options = parser.parse_args()
    try:
        for number, shot in enumerate(HELD_OUT if options.held_out else SHOTS):
            if options.only in shot.name:
                started_s = time.monotonic()
                frames = film(shot, options.out, number)
                sys.stdout.write(f"{shot.name}: {frames} frames in {time.monotonic() - started_s:.0f} s\n")
                sys.stdout.flush()
    except AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def film(shot: Shot, folder: Path, number: int) -> int:
    """Make one film and its truth. Returns the number of its frames."""
    joints_world = _motion(folder / f"{shot.name}_motion.npz")
    rig = load_rig(RIGS / shot.person / "rig.json")
    armature = lone_avatar(rig)
    scene, frames = bpy.context.scene, len(joints_world)
    motion = WorldMotion(np.arange(frames) / FPS, CAPTURE, joints_world, np.ones(joints_world.shape[:2]))
    track = solve(motion, rest_of(armature), rig.map)
    bake(armature, track, action_name=shot.name, start_frame=1)
    _stand_as_in_the_take(armature, joints_world, rig.map.bones["hips"])
    camera = _camera(shot)
    open_stage(scene, camera)
    _clutter(scene, np.random.default_rng(number))
    carried = carried_joints(person_named(shot.person), rig.map.bones)
    joints_cam = true_joints_cam(scene, armature, carried, camera, range(1, frames + 1))
    hidden = np.stack([_hidden(scene, joints_cam[row], camera, row + 1) for row in range(frames)])
    licence = f"avatar CC0-1.0 ({shot.person}), motion as its take; {Path(__file__).name}"
    times_s = np.arange(len(joints_cam)) / FPS
    save_truth(folder / f"{shot.name}_truth.npz", joints_cam, camera, times_s, FPS, licence, hidden=hidden)
    part = folder / f"{shot.name}.part.mp4"
    _render(scene, part, frames)
    part.replace(folder / f"{shot.name}.mp4")
    return frames


def _motion(path: Path) -> np.ndarray:
    if not path.is_file():
        raise MotionError(f"There is no {path}.", hint="Cut the motions first: rigs/cut_noise_motions.py.")
    with np.load(path, allow_pickle=False) as stored:
        return stored["joints_world"]


def _stand_as_in_the_take(armature: bpy.types.Object, joints_world: np.ndarray, hips: str) -> None:
    """Baking begins the way at the armature's place: put that where the cut motion begins."""
    bpy.context.scene.frame_set(1)
    at = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[hips].head
    armature.location = (joints_world[0, 0, 0] - at[0], joints_world[0, 0, 1] - at[1], 0.0)
    bpy.context.view_layer.update()


def _camera(shot: Shot) -> Camera:
    rise_m = shot.distance_m * np.tan(np.deg2rad(shot.pitch_deg))
    return Camera(shot.wh_px, shot.fov_deg, (0.0, -shot.distance_m, max(shot.aim_m + rise_m, 0.15)), shot.pitch_deg)


def _clutter(scene: bpy.types.Scene, random: np.random.Generator) -> None:
    """Coloured boxes along the wall, and the flat colours of everything for Workbench."""
    for number in range(_CLUTTER):
        width_m, height_m = random.uniform(0.2, 0.9), random.uniform(0.2, 1.6)
        bpy.ops.mesh.primitive_cube_add(size=1.0, location=(random.uniform(-4.0, 4.0), 2.9, 0.5 * height_m))
        box = bpy.context.object
        box.scale = (width_m, 0.3, height_m)
        paint = bpy.data.materials.new(f"box_{number}")
        paint.diffuse_color = (*random.uniform(0.05, 0.7, 3), 1.0)
        box.data.materials.append(paint)
    for material in ("floor", "wall"):
        surface = bpy.data.materials[material].node_tree.nodes["Principled BSDF"]
        bpy.data.materials[material].diffuse_color = surface.inputs["Base Color"].default_value
    bpy.context.view_layer.update()


def _hidden(scene: bpy.types.Scene, joints_cam: np.ndarray, camera: Camera, frame: int) -> np.ndarray:
    """(J,) bool: something solid lies before the joint. joints_cam: (J, 3) of this frame."""
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    eye = Vector(camera.place_m.tolist())
    found = np.zeros(len(joints_cam), dtype=bool)
    for joint, place_cam in enumerate(joints_cam):
        way = place_cam @ camera.cam_from_world
        far_m = float(np.linalg.norm(way))
        hit, place, *_ = scene.ray_cast(graph, eye, Vector((way / far_m).tolist()), distance=far_m)
        found[joint] = hit and (place - eye).length < far_m - _FLESH_M
    return found


def _render(scene: bpy.types.Scene, path: Path, frames: int) -> None:
    """The scene's frames from 1 on as an H.264 .mp4."""
    render, shading = scene.render, scene.display.shading
    render.engine = "BLENDER_WORKBENCH"
    scene.display.render_aa = "OFF"  # smoothing and shadows cost most of the time
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.show_shadows = shading.show_cavity = False
    scene.frame_start, scene.frame_end, render.fps = 1, frames, FPS
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    film = render.ffmpeg
    film.format, film.codec, film.audio_codec = "MPEG4", "H264", "NONE"
    film.constant_rate_factor, film.ffmpeg_preset, film.gopsize = "MEDIUM", "GOOD", 30
    render.use_file_extension = False
    render.filepath = str(path)
    with silent():
        bpy.ops.render.render(animation=True)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The wheels of Blender 4.2 and 4.5 may crash while the interpreter shuts down.
    os._exit(code)
