"""What operator and batch share: time, and a scene that is as it was when something fails."""

import bpy
import numpy as np
import pytest

from blender_addon import rigs, session
from blender_addon.core import clip, errors, frames, skeleton

from .addon import data_names, switched_on

__all__ = ["switched_on"]


def waving_motion(seconds: float = 1.0, fps: float = 30.0) -> clip.Motion3D:
    """A person of roughly human measures who faces the camera and moves the left hand up and down."""
    joints = skeleton.CAPTURE.joints
    heights = {"ankle": 0.8, "heel": 0.85, "toe": 0.85, "knee": 0.4, "shoulder": -0.5, "elbow": -0.25, "wrist": 0.0}
    heights |= {"index": 0.08, "pinky": 0.08, "ear": -0.68, "nose": -0.66, "head": -0.8, "thorax": -0.5, "spine": -0.25}
    sides = {"shoulder": 0.18, "elbow": 0.2, "wrist": 0.22, "index": 0.21, "pinky": 0.24, "ear": 0.07}
    pose = np.zeros((len(joints), 3), dtype=np.float32)
    for index, joint in enumerate(joints):
        side, _, part = joint.rpartition("_")
        x = {"left": 1.0, "right": -1.0}.get(side, 0.0) * sides.get(part, 0.1 if side else 0.0)
        pose[index] = (x, heights.get(part, 0.0), -0.12 if part in {"toe", "nose"} else 0.0)
    times_s = np.arange(round(seconds * fps)) / fps
    count = len(times_s)
    joints_cam = np.repeat(pose[None], count, axis=0)
    joints_cam[:, joints.index("left_wrist"), 1] -= 0.1 * np.sin(np.arange(count))
    return clip.Motion3D(
        skeleton=skeleton.CAPTURE,
        times_s=times_s,
        fps=fps,
        image_wh_px=(640, 480),
        joints_cam=joints_cam,
        root_cam=np.tile(np.array([0.0, 0.0, 3.0], np.float32), (count, 1)),
        score=np.ones((count, len(joints)), np.float32),
        camera=frames.Intrinsics.assumed((640, 480)),
    )


def request(tmp_path, **rig) -> session.Request:
    return session.Request(video=tmp_path / "dance.mp4", rig=session.RigChoice(**rig))


@pytest.mark.parametrize(
    ("fps", "rate", "base"),
    [
        (30.0, 30, 1.0),
        (30000 / 1001, 30, 1.001),
        (24000 / 1001, 24, 1.001),
        (60000 / 1001, 60, 1.001),
        (25.0, 25, 1.0),
        (20.0, 20, 1.0),
        (59.0, 59, 1.0),
        (5.0, 5, 1.0),
        (29.99, 30, 1.0),
    ],
)
def test_an_empty_scene_takes_the_videos_rate(switched_on, fps, rate, base):
    session.set_scene_rate(bpy.context.scene, fps)
    assert bpy.context.scene.render.fps == rate
    assert bpy.context.scene.render.fps_base == pytest.approx(base)


@pytest.mark.parametrize("fps", [0.4, 7.5, 12.31])
def test_an_odd_rate_is_met_within_two_percent(switched_on, fps):
    session.set_scene_rate(bpy.context.scene, fps)
    render = bpy.context.scene.render
    assert render.fps / render.fps_base == pytest.approx(fps, rel=0.02)


@pytest.mark.parametrize("scene_fps", [12, 24, 60])
def test_a_second_of_film_is_a_second_of_animation_at_any_rate_of_the_scene(switched_on, tmp_path, scene_fps):
    scene = bpy.context.scene
    scene.render.fps = scene_fps
    applied = session.apply_capture(request(tmp_path, avatar=rigs.list_rigs()[0].name), waving_motion(1.0), scene)
    assert abs(applied.frames - scene_fps) <= 1
    first, last = bpy.data.actions[applied.action].frame_range
    assert (applied.first_frame, applied.last_frame) == (first, last)
    assert applied.action == "dance"


def test_a_capture_that_cannot_be_applied_leaves_the_scene_as_it_was(switched_on, tmp_path, monkeypatch):
    def broken(*arguments, **settings):
        bpy.data.actions.new("half an action")
        raise errors.RigError("The rig is broken.")

    monkeypatch.setattr(session, "apply_motion", broken)
    before = data_names()
    with pytest.raises(errors.RigError):
        session.apply_capture(request(tmp_path, avatar=rigs.list_rigs()[0].name), waving_motion(), bpy.context.scene)
    assert data_names() == before


def test_an_armature_renamed_on_the_way_is_told(switched_on, tmp_path):
    with pytest.raises(errors.RigError, match="no object 'Hero'"):
        session.apply_capture(request(tmp_path, armature="Hero"), waving_motion(), bpy.context.scene)
