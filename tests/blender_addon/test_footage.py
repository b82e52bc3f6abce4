"""The film's camera beside an avatar: the film's own joints, seen through it, and the film's own time behind it."""

import dataclasses
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view

from blender_addon import compat, footage, rigs, runs, session
from blender_addon.core import camera_path, clip, errors, frames, skeleton

from .addon import ENGINE_PYTHON, ROOT, data_names, needs_engine, switched_on

__all__ = ["switched_on"]

DATA = ROOT / "tests" / "data"
FILM = DATA / "demo.mp4"
# A joint of the rig and the captured one that it plays. Shoulders and faces sit elsewhere on every rig.
PLAYED = {
    f"{side}_{role}": f"{side}_{joint}"
    for side in ("left", "right")
    for role, joint in (("thigh", "hip"), ("shin", "knee"), ("foot", "ankle"), ("forearm", "elbow"), ("hand", "wrist"))
}


def true_motion() -> tuple[clip.Motion3D, np.ndarray]:
    """The demo film's known movement, and where its joints are in the picture (T, J, 2), px."""
    with np.load(DATA / "demo_truth.npz", allow_pickle=False) as truth:
        joints_cam = truth["joints_cam"]
        motion = clip.Motion3D(
            skeleton=skeleton.CAPTURE,
            times_s=truth["times_s"],
            fps=float(truth["fps"]),
            image_wh_px=(int(truth["image_wh_px"][0]), int(truth["image_wh_px"][1])),
            joints_cam=joints_cam - joints_cam[:, :1],
            root_cam=joints_cam[:, 0],
            score=np.ones(joints_cam.shape[:2], np.float32),
            camera=frames.Intrinsics(float(truth["focal_px"]), tuple(truth["centre_px"])),
        )
        return motion, truth["xy_px"]


def applied(motion: clip.Motion3D, avatar: str, start_frame: int = 1) -> tuple[bpy.types.Object, session.Request]:
    scene = bpy.context.scene
    session.set_scene_rate(scene, motion.fps)
    wish = session.Request(video=FILM, rig=session.RigChoice(avatar=avatar), start_frame=start_frame, feet="never")
    return scene.objects[session.apply_capture(wish, motion, scene).armature], wish


def seen_px(camera: bpy.types.Object, armature: bpy.types.Object, wh_px: tuple[int, int]) -> dict[str, np.ndarray]:
    """Where each bone's head is in the picture now, by name."""
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    places = {}
    for bone in posed.pose.bones:
        x, y, _ = world_to_camera_view(bpy.context.scene, camera, posed.matrix_world @ bone.head)
        places[bone.name] = np.array([x * wh_px[0], (1.0 - y) * wh_px[1]])
    return places


@pytest.mark.parametrize("avatar", ["bruno", "gorm", "otto"])
def test_the_avatar_covers_the_performer_in_the_picture(switched_on, avatar):
    motion, true_px = true_motion()
    armature, wish = applied(motion, avatar)
    scene = bpy.context.scene
    added = footage.add_footage(scene, armature, motion, FILM, wish.start_frame, set_size=True)
    bones = rigs.map_of_armature(armature).bones
    apart = {role: [] for role in PLAYED}
    for number in range(0, len(motion.times_s), 10):
        scene.frame_set(wish.start_frame + number)
        places = seen_px(scene.objects[added.camera], armature, motion.image_wh_px)
        for role, joint in PLAYED.items():
            there = true_px[number, skeleton.CAPTURE.index(joint)]
            apart[role].append(np.linalg.norm(places[bones[role]] - there))
    height_px = np.median(np.ptp(true_px[..., 1], axis=1))
    medians = {role: float(np.median(found)) for role, found in apart.items()}
    whole = float(np.median([value for found in apart.values() for value in found]))
    # legs are as the performer's, scaled; the avatars' arms and shoulders have lengths of their own
    assert max(medians[f"{side}_{role}"] for side in ("left", "right") for role in ("thigh", "shin", "foot")) < (
        0.03 * height_px
    )
    assert whole < 0.03 * height_px


def test_a_camera_that_turned_and_zoomed_does_so_again(switched_on):
    motion, _ = true_motion()
    frames_ = len(motion.times_s)
    swing = np.linspace(0.0, 0.35, frames_)
    turns = np.zeros((frames_, 3, 3))
    turns[:, 1, 1] = 1.0
    turns[:, 0, 0] = turns[:, 2, 2] = np.cos(swing)
    turns[:, 0, 2], turns[:, 2, 0] = np.sin(swing), -np.sin(swing)
    path = camera_path.CameraPath(turns, np.linspace(1.0, 1.4, frames_))
    motion = dataclasses.replace(motion, video_camera=camera_path.VideoCamera("turning", "It turns.", path))
    seen_m = (motion.joints_cam + motion.root_cam[:, None]) @ turns
    slopes = seen_m[..., :2] / seen_m[..., 2:]
    true_px = slopes * (motion.camera.focal_px * path.zoom)[:, None, None] + motion.camera.centre_px
    armature, wish = applied(motion, "bruno", start_frame=5)
    scene = bpy.context.scene
    added = footage.add_footage(scene, armature, motion, FILM, wish.start_frame, set_size=True)
    bones = rigs.map_of_armature(armature).bones
    height_px = np.median(np.ptp(true_px[..., 1], axis=1))
    apart = []
    for number in range(0, frames_, 10):
        scene.frame_set(wish.start_frame + number)
        places = seen_px(scene.objects[added.camera], armature, motion.image_wh_px)
        for role in ("left_thigh", "right_thigh", "left_foot", "right_foot"):
            there = true_px[number, skeleton.CAPTURE.index(PLAYED[role])]
            apart.append(np.linalg.norm(places[bones[role]] - there))
    assert np.median(apart) < 0.03 * height_px
    assert np.max(apart) < 0.08 * height_px
    # The film's own keys, where its rate is another one, go on beside the lens's.
    scene.render.fps = round(motion.fps / 2)
    again = scene.objects[footage.add_footage(scene, armature, motion, FILM, 5).camera]
    assert {curve.data_path for curve in compat.action_curves(again.data)} == {"lens", footage._OFFSET}


def shown(camera: bpy.types.Object) -> int:
    """The film's frame, from 0, that Blender shows behind the camera now."""
    scene = bpy.context.scene
    data = camera.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    user = data.background_images[0].image_user
    return min(max(scene.frame_current - user.frame_start + 1, 1), user.frame_duration) + user.frame_offset - 1


@pytest.mark.parametrize("scene_fps", [5, 20, 24, 30, 60])
@pytest.mark.parametrize("start_s", [0.0, 0.5])
def test_each_frame_of_the_scene_shows_the_picture_of_its_time(switched_on, scene_fps, start_s):
    motion, _ = true_motion()
    keep = motion.times_s >= start_s
    motion = clip.Motion3D(
        motion.skeleton,
        motion.times_s[keep],
        motion.fps,
        motion.image_wh_px,
        motion.joints_cam[keep],
        motion.root_cam[keep],
        motion.score[keep],
        motion.camera,
    )
    armature, _ = applied(motion, "bruno", start_frame=11)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = scene_fps, 1.0
    added = footage.add_footage(scene, armature, motion, FILM, 11)
    assert bool(added.notes) == (scene_fps != round(motion.fps))
    camera = scene.objects[added.camera]
    film_fps = compat.film_fps(camera.data.background_images[0].image)
    assert film_fps == pytest.approx(motion.fps, rel=1e-3)
    for number in range(int((motion.times_s[-1] - motion.times_s[0]) * scene_fps)):
        scene.frame_set(11 + number)
        late_s = shown(camera) / film_fps - (motion.times_s[0] + number / scene_fps)
        assert abs(late_s) <= 0.5 / film_fps + 1e-6


def picture_of(image: bpy.types.Image, frame: int) -> float:
    """The brightness (0..255) of the picture that Blender renders for a frame of a film, counted from 1."""
    scene = bpy.data.scenes.new("look")
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.view_settings.view_transform = "Raw"
    mesh = bpy.data.meshes.new("screen")
    mesh.from_pydata([(-2, -2, -1), (2, -2, -1), (2, 2, -1), (-2, 2, -1)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    material = bpy.data.materials.new("screen")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    texture, light = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeEmission")
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    texture.image = image
    image.colorspace_settings.name = "Non-Color"
    user = texture.image_user
    user.frame_start, user.frame_duration, user.frame_offset, user.use_auto_refresh = 1, 1, frame - 1, True
    tree.links.new(texture.outputs[0], light.inputs[0])
    tree.links.new(light.outputs[0], out.inputs[0])
    mesh.materials.append(material)
    eye = bpy.data.objects.new("look", bpy.data.cameras.new("look"))
    scene.camera = eye
    for thing in (eye, bpy.data.objects.new("screen", mesh)):
        scene.collection.objects.link(thing)
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(Path(bpy.app.tempdir) / "look.png")
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        bpy.ops.render.render(write_still=True)
    written = bpy.data.images.load(scene.render.filepath)
    written.colorspace_settings.name = "Non-Color"
    grey = float(np.mean(np.array(written.pixels[:]).reshape(-1, 4)[:, 0]) * 255.0)
    bpy.data.scenes.remove(scene)
    bpy.data.images.remove(written)
    return grey


@needs_engine
@pytest.mark.parametrize(
    ("gaps", "first_s"),
    [
        ((0.2,) * 6, 0.0),
        ((0.05,) * 6, 0.0),
        ((0.05,) * 6, 0.4),
        ((1 / 60,) * 6, 0.0),
        ((0.05, 0.15, 0.05, 0.1, 0.05, 0.05), 0.0),
        ((0.05, 0.15, 0.05, 0.1, 0.05, 0.05), 3.0),
    ],
)
def test_the_picture_that_blender_renders_for_a_time_is_the_film_s_at_that_time(switched_on, tmp_path, gaps, first_s):
    times_s = [float(time_s) for time_s in np.cumsum((0.0, *gaps))]
    film = tmp_path / "greys.mp4"
    program = "import sys; from pathlib import Path; from tests.atcn_core.video_files import write_video\n"
    program += f"write_video(Path(sys.argv[1]), {[first_s + time_s for time_s in times_s]}, ticks_per_s=60000)"
    subprocess.run([ENGINE_PYTHON, "-c", program, film], cwd=ROOT, check=True)
    image = bpy.data.images.load(str(film))
    fps = compat.film_fps(image)
    for number, time_s in enumerate(times_s[:-1]):
        (frame,) = footage.matched.shown_frames(np.array([time_s]), fps, image.frame_duration)
        # the greys are 37 apart; coding and range make them a little darker
        assert picture_of(image, int(frame)) == pytest.approx(20 + number * 37 % 200, abs=6)


def test_what_cannot_be_shown_is_said_and_leaves_nothing(switched_on, tmp_path):
    motion, _ = true_motion()
    armature, _ = applied(motion, "bruno")
    scene = bpy.context.scene
    before, size = data_names(), (scene.render.resolution_x, scene.render.resolution_y)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    for film in (broken, tmp_path / "missing.mp4"):
        with pytest.raises(errors.VideoError):
            footage.add_footage(scene, armature, motion, film, 1, set_size=True)
    assert data_names() == before
    assert (scene.render.resolution_x, scene.render.resolution_y) == size
    assert scene.camera is None


def test_the_button_adds_it_to_the_chosen_armature_once_a_video_was_captured(switched_on):
    assert not bpy.ops.atcn.add_footage.poll()
    motion, _ = true_motion()
    armature, wish = applied(motion, "bruno")
    scene = bpy.context.scene
    scene.atcn.target, scene.atcn.armature = "ARMATURE", armature
    runs.last_capture = (wish, motion)
    size = (scene.render.resolution_x, scene.render.resolution_y)
    assert bpy.ops.atcn.add_footage() == {"FINISHED"}
    assert scene.camera.data.background_images[0].image.filepath.endswith("demo.mp4")
    assert (scene.render.resolution_x, scene.render.resolution_y) == size
    assert bpy.ops.atcn.add_footage(set_size=True) == {"FINISHED"}
    assert (scene.render.resolution_x, scene.render.resolution_y) == motion.image_wh_px
