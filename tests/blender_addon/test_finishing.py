"""Height and smoothing: in the panel, in the preview, applied again without the engine, and told as they are."""

import dataclasses

import bpy
import numpy as np
import pytest

from blender_addon import batch, engine, finishing, panel_finish, pose_preview, properties, runs, session
from blender_addon.core import errors, finish, world

from .addon import switched_on
from .armatures import evaluated_heads, t_pose
from .test_panels import draw
from .test_session import request, waving_motion

__all__ = ["switched_on"]


@pytest.fixture
def rig(switched_on, tmp_path, monkeypatch):
    """An armature chosen in the panel, after a capture, with no engine any longer."""
    armature, _ = t_pose()
    settings = bpy.context.scene.atcn
    settings.armature, settings.target = armature, "ARMATURE"
    runs.last_capture = (request(tmp_path, armature=armature.name), waving_motion(2.0))
    monkeypatch.setenv(engine.ENGINE_VARIABLE, str(tmp_path / "no engine"))
    return armature


def wrist_steps_m(armature) -> float:
    """How far the left hand goes from frame to frame, in the mean: the capture's trembles by ten centimetres."""
    path = np.array([evaluated_heads(armature, frame)["mixamorig:LeftHand"] for frame in range(5, 40)])
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).mean())


def heads(armature):
    return evaluated_heads(armature, 20)


def test_the_panel_asks_for_both_where_a_video_is_the_source(switched_on):
    settings = bpy.context.scene.atcn
    assert settings.finish.smooth == finish.DEFAULT_STRENGTH
    assert {("prop", "use_height"), ("prop", "height_m"), ("prop", "smooth")} <= set(draw())
    settings.source = "BVH"
    assert ("prop", "smooth") not in draw()


def test_another_smoothing_is_applied_without_the_engine_and_told(rig):
    settings, told, steps_m = bpy.context.scene.atcn, [], []
    for smooth in (0.0, 0.5, 1.0):
        settings.finish.smooth = smooth
        assert bpy.ops.atcn.apply_last() == {"FINISHED"}
        told.append(runs.status.note)
        steps_m.append(wrist_steps_m(rig))
    assert steps_m[0] > steps_m[2]
    assert told[0] == "The performer is taken to be 1.70 m tall."
    assert told[1].startswith("Jitter ")
    assert told[1] != told[2]
    settings.finish.height_m = 1.2
    bpy.ops.atcn.apply_last()
    assert runs.status.note.endswith("The performer is taken to be 1.70 m tall.")
    settings.finish.use_height = True
    bpy.ops.atcn.apply_last()
    assert runs.status.note.endswith("The performer is 1.20 m tall.")
    drawn = " ".join(text for kind, text in draw() if kind == "label")
    assert runs.status.note in drawn


def test_smoothing_starts_from_the_capture_each_time(rig):
    settings = bpy.context.scene.atcn
    found = []
    for smooth in (0.5, 1.0, 0.5):
        settings.finish.smooth = smooth
        bpy.ops.atcn.apply_last()
        found.append(heads(rig))
    assert all((found[0][bone] == found[2][bone]).all() for bone in found[0])
    assert any((found[0][bone] != found[1][bone]).any() for bone in found[0])


def test_a_height_that_nobody_has_cannot_be_set_nor_asked_for(rig, tmp_path):
    settings = bpy.context.scene.atcn.finish
    settings.use_height = True
    for wish, got in ((0.1, 0.4), (17.0, 3.0)):
        settings.height_m = wish
        assert settings.height_m == pytest.approx(got)
    wrong = dataclasses.replace(request(tmp_path, armature=rig.name), height_m=0.2)
    with pytest.raises(errors.MotionError, match=r"height is 0\.2"):
        session.check(wrong, bpy.context.scene)
    with pytest.raises(errors.MotionError):
        session.apply_capture(wrong, waving_motion(1.0), bpy.context.scene)
    assert rig.animation_data is None


@pytest.mark.parametrize("at_once", [True, False])
def test_the_preview_follows_the_slider(rig, monkeypatch, at_once):
    monkeypatch.setattr(panel_finish, "FRAMES_AT_ONCE", 900 if at_once else 10)
    scene = bpy.context.scene
    scene.frame_set(20)
    bpy.ops.atcn.preview_pose()
    before = heads(rig)
    scene.atcn.finish.smooth = 1.0
    waits = bpy.app.timers.is_registered(panel_finish.show_anew)
    assert waits is not at_once
    if waits:
        bpy.app.timers.unregister(panel_finish.show_anew)
        assert all((heads(rig)[bone] == before[bone]).all() for bone in before)
        panel_finish.show_anew()
    shown = heads(rig)
    pose_preview.switch_off()
    bpy.ops.atcn.apply_last()
    keyed = heads(rig)
    assert max(np.abs(shown[bone] - keyed[bone]).max() for bone in keyed) < 1e-4
    assert max(np.abs(shown[bone] - before[bone]).max() for bone in keyed) > 1e-3


def test_a_movement_from_a_file_stays_as_it_is(switched_on):
    motion = world.to_world(waving_motion(1.0))
    assert finishing.ready(motion, 1.2, 1.0).motion is motion
    assert finishing.ready(motion, 1.2, 1.0).note == ""
    assert finishing.ready_world(motion, 1.2, 1.0) is motion


def test_the_same_wishes_cost_nothing_the_second_time(switched_on):
    motion = waving_motion(1.0)
    first = finishing.ready_world(motion, 0.0, 0.5)
    assert finishing.ready_world(motion, 0.0, 0.5) is first
    assert finishing.ready_world(motion, 0.0, 0.6) is not first
    again = finishing.ready_world(motion, 0.0, 0.5)
    assert np.array_equal(again.joints_world, first.joints_world)
    assert finishing.ready_world(waving_motion(1.0), 0.0, 0.5) is not again


def test_the_job_asks_for_the_motion_as_captured(switched_on, tmp_path):
    settings = bpy.context.scene.atcn
    settings.finish.height_m, settings.finish.smooth = 1.75, 0.25
    assert session.capture_job(properties.request_of(bpy.context.scene), tmp_path).height_m == 0.0
    settings.finish.use_height = True
    job = session.capture_job(properties.request_of(bpy.context.scene), tmp_path)
    assert (job.height_m, job.smooth, job.finish_later) == (1.75, 0.25, True)


def test_the_command_line_has_both():
    words = ["--video", "a.mp4", "--rig", "mira", "--out", "x"]
    plain = batch._options(words)
    assert (plain.height, plain.smooth) == (0.0, finish.DEFAULT_STRENGTH)
    some = batch._options([*words, "--height", "1.62", "--smooth", "0"])
    assert (some.height, some.smooth) == (1.62, 0.0)
