"""The avatar's half of the preview: seen in every frame, in its right place, and nothing of it left in the scene."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from atcn_core.clip import Motion3D
from atcn_core.errors import EngineError
from atcn_core.frames import Intrinsics
from atcn_core.skeleton import CAPTURE
from blender_addon.preview import fit_camera, render_frames, render_preview

ROOT = Path(__file__).resolve().parents[2]
FPS = 4
SECONDS = 1.0
WALK_M = 3.0


@pytest.fixture
def walker() -> bpy.types.Object:
    """A bone 1.8 m tall with a red box on it, which glides WALK_M to world +x in SECONDS."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    armature = bpy.data.objects.new("walker", bpy.data.armatures.new("walker"))
    scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.data.edit_bones.new("hips")
    bone.head, bone.tail = (0.0, 0.0, 0.0), (0.0, 0.0, 1.8)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(0.0, 0.0, 0.9), scale=(0.4, 0.3, 1.8))
    box = bpy.context.object
    red = bpy.data.materials.new("red")
    red.diffuse_color = (0.9, 0.02, 0.02, 1.0)
    box.data.materials.append(red)
    box.modifiers.new("skin", "ARMATURE").object = armature
    box.vertex_groups.new(name="hips").add(range(8), 1.0, "REPLACE")
    pose_bone = armature.pose.bones["hips"]
    for frame, x_m in ((1, 0.0), (1 + FPS * SECONDS, WALK_M)):
        pose_bone.location = (x_m, 0.0, 0.0)
        pose_bone.keyframe_insert("location", frame=frame)
    return armature


def _motion() -> Motion3D:
    times_s = 10.0 + np.arange(6) * SECONDS / 5
    frames, joints = len(times_s), len(CAPTURE)
    size_px = (320, 240)
    return Motion3D(
        CAPTURE,
        times_s,
        5.0,
        size_px,
        np.zeros((frames, joints, 3), dtype=np.float32),
        np.ones((frames, 3), dtype=np.float32),
        np.ones((frames, joints), dtype=np.float32),
        Intrinsics.assumed(size_px),
    )


def _red_px(path: Path) -> np.ndarray:
    """(N, 2) x right and y down of the red pixels of a picture, as fractions of its width and height."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    rgb = np.array(image.pixels[:], dtype=np.float32).reshape(height, width, -1)[::-1, :, :3]
    bpy.data.images.remove(image)
    y, x = np.nonzero((rgb[..., 0] > 0.3) & (rgb[..., 0] > 2.0 * rgb[..., 1]))
    return np.stack([x / width, y / height], axis=1)


def _blocks() -> dict[str, int]:
    kinds = ("scenes", "objects", "meshes", "cameras", "materials", "worlds", "collections", "actions", "armatures")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def _state(scene: bpy.types.Scene) -> tuple:
    chosen = bpy.context.view_layer.objects.active
    return (
        scene.frame_current,
        scene.render.engine,
        scene.render.filepath,
        scene.render.resolution_x,
        scene.camera,
        chosen and chosen.name,
        sorted(thing.name for thing in scene.objects),
        bpy.context.scene.name,
    )


def _render(walker, run_job, tmp_path):
    return render_preview(
        bpy.context.scene,
        walker.name,
        walker.animation_data.action,
        _motion(),
        video="clip.mp4",
        keypoints_path="clip.npz",
        out=tmp_path / "film.mp4",
        run_job=run_job,
    )


def test_every_scene_frame_shows_the_whole_figure_where_it_is(walker, tmp_path):
    jobs, seen = [], []

    def run_job(job):
        jobs.append(job)
        seen.extend(_red_px(path) for path in sorted(Path(job.frames_dir).iterdir()))
        return {"preview": job.out}

    before, state = _blocks(), _state(bpy.context.scene)
    assert _render(walker, run_job, tmp_path) == tmp_path / "film.mp4"
    (job,) = jobs
    np.testing.assert_allclose(job.times_s, [10.0, 10.25, 10.5, 10.75, 11.0])
    assert job.fps == FPS
    assert len(seen) == 5
    assert all(len(red) > 200 for red in seen)
    for red in seen:
        assert red.min() > 0.01, "nothing is cut off"
        assert red.max() < 0.99
    middle_x = [float(np.median(red[:, 0])) for red in seen]
    assert np.all(np.diff(middle_x) > 0.05), "world +x is the picture's right"
    assert _blocks() == before
    assert _state(bpy.context.scene) == state
    assert not Path(job.frames_dir).exists()


def test_from_the_side_of_plus_x_who_walks_there_comes_nearer(walker, tmp_path):
    frames = np.array([1, 1 + FPS * SECONDS], dtype=int)
    pictures = render_frames(bpy.context.scene, walker.name, (320, 240), frames, tmp_path, yaw_rad=0.5 * np.pi)
    far, near = (_red_px(path) for path in pictures)
    assert np.ptp(near[:, 1]) > 1.3 * np.ptp(far[:, 1])
    assert abs(np.median(near[:, 0]) - np.median(far[:, 0])) < 0.02


def test_nothing_stays_when_the_engine_fails(walker, tmp_path):
    folders = []

    def run_job(job):
        folders.append(Path(job.frames_dir))
        raise EngineError("The engine is gone.")

    before, state = _blocks(), _state(bpy.context.scene)
    with pytest.raises(EngineError):
        _render(walker, run_job, tmp_path)
    assert _blocks() == before
    assert _state(bpy.context.scene) == state
    assert not folders[0].exists()


def test_an_armature_without_a_skin_is_shown_by_its_bones(walker, tmp_path):
    bpy.data.objects.remove(next(thing for thing in bpy.context.scene.objects if thing.type == "MESH"))
    contrast = []

    def run_job(job):
        image = bpy.data.images.load(str(sorted(Path(job.frames_dir).iterdir())[0]))
        width, height = image.size
        bright = np.array(image.pixels[:], dtype=np.float32).reshape(height, width, -1)[:, :, 0]
        bpy.data.images.remove(image)
        # the upper two thirds hold the sky, and the spindle before it
        sky = bright[-1, 0]
        contrast.append(np.mean(np.abs(bright[height // 2 :] - sky) > 0.05))
        return {}

    before = _blocks()
    _render(walker, run_job, tmp_path)
    assert contrast[0] > 0.002
    assert _blocks() == before


def test_camera_is_as_near_as_it_can_be_and_sees_everything():
    random = np.random.default_rng(7)
    for _ in range(50):
        points = random.normal(size=(30, 3)) * (*random.uniform(1.0, 5.0, 2), 0.3) + random.normal(size=3) * 5.0
        slope_x, slope_y = random.uniform(0.2, 1.0, 2)
        seen = points - fit_camera(points, slope_x, slope_y)
        across = np.abs(seen[:, :2]) / (-seen[:, 2:] * (slope_x, slope_y))
        assert (seen[:, 2] < 0).all()
        assert across.max() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.skipif(sys.platform != "linux", reason="EGL is Linux's")
def test_a_machine_without_graphics_driver_gets_a_sentence_instead_of_an_abort():
    code = (
        "import os, sys, blender_addon.preview as p\n"
        "from atcn_core.errors import OutputError\n"
        "try: p.require_renderer()\n"
        "except OutputError as error: print(error)\n"
        "sys.stdout.flush(); os._exit(0)"
    )
    without = os.environ | {"__EGL_VENDOR_LIBRARY_DIRS": os.devnull, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=without, capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert ended.returncode == 0
    assert "cannot be rendered" in ended.stdout
    assert "libegl1" in ended.stdout
