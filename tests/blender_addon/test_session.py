"""What operator and batch share: time, short steps, and a scene that is as it was when something fails."""

import time
from concurrent.futures import wait

import bpy
import numpy as np
import pytest

from blender_addon import armature as armatures
from blender_addon import compat, finishing, rigs, session
from blender_addon.bake import bake, frame_times_s
from blender_addon.core import clip, errors, feet, frames, retarget, skeleton, world
from blender_addon.steps import finish

from .addon import data_names, switched_on
from .armatures import t_pose

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
        raise errors.RigError("The rig is broken.")

    monkeypatch.setattr(session, "place", broken)
    before = data_names()
    with pytest.raises(errors.RigError):
        session.apply_capture(request(tmp_path, avatar=rigs.list_rigs()[0].name), waving_motion(), bpy.context.scene)
    assert data_names() == before


def test_an_armature_renamed_on_the_way_is_told(switched_on, tmp_path):
    with pytest.raises(errors.RigError, match="no object 'Hero'"):
        session.apply_capture(request(tmp_path, armature="Hero"), waving_motion(), bpy.context.scene)


def take(course, count):
    """Take so many steps; what they wait for is waited for, and not counted."""
    while count > 0:
        awaited = next(course)
        if awaited is None:
            count -= 1
        else:
            wait([awaited])


def seconds_of_steps(course):
    """Take all steps: the main thread's processor time for each, and their value."""
    seconds = []
    while True:
        began_s = time.thread_time()
        try:
            awaited = next(course)
        except StopIteration as end:
            return [*seconds, time.thread_time() - began_s], end.value
        seconds.append(time.thread_time() - began_s)
        if awaited is not None:
            wait([awaited])


def animated_hero():
    """An armature in the scene that has an Action of the animator's own."""
    hero, rig_map = t_pose()
    hero.name = "Hero"
    hero.animation_data_create().action = bpy.data.actions.new("Animator's own")
    return hero, rig_map


def curves_of(armature):
    return {
        (curve.data_path, curve.array_index): [tuple(key.co) for key in curve.keyframe_points]
        for curve in compat.action_curves(armature)
    }


def test_the_steps_give_what_the_plain_functions_give(switched_on, tmp_path):
    hero, rig_map = animated_hero()
    scene, motion = bpy.context.scene, waving_motion(2.0)
    wished = request(tmp_path, armature="Hero")
    ready = finishing.ready(motion, wished.height_m, wished.smooth).motion
    track = retarget.solve(world.to_world(ready), armatures.rest_of(hero), rig_map, feet.FOOT_MODES["auto"])
    bake(
        hero, retarget.resample(track, frame_times_s(motion.times_s, scene.render.fps)), action_name="x", start_frame=1
    )
    wanted = curves_of(hero)
    course = session.applying(wished, motion, scene)
    seconds, applied = seconds_of_steps(course)
    assert len(seconds) > len(track.quats)
    assert hero.animation_data.action == bpy.data.actions[applied.action]
    assert wanted
    assert curves_of(hero) == wanted


@pytest.mark.parametrize("rig", ["avatar", "armature"])
@pytest.mark.parametrize("count", [1, 2, 9, 20])
def test_a_cancel_between_any_steps_leaves_all_as_it_was_and_what_the_user_made(switched_on, tmp_path, rig, count):
    hero, _ = animated_hero()
    own, before = hero.animation_data.action, data_names()
    choice = {"armature": "Hero"} if rig == "armature" else {"avatar": rigs.list_rigs()[0].name}
    course = session.applying(request(tmp_path, **choice), waving_motion(), bpy.context.scene)
    take(course, count)
    assert data_names() != before or (rig, count) == ("armature", 1)
    assert hero.animation_data.action == own
    bpy.data.actions.new("dance made by the user")
    course.close()
    assert hero.animation_data.action == own
    assert not own.use_fake_user
    bpy.data.actions.remove(bpy.data.actions["dance made by the user"])
    assert data_names() == before


def test_nothing_is_seen_of_an_avatar_before_it_moves(switched_on, tmp_path):
    scene = bpy.context.scene
    course = session.applying(request(tmp_path, avatar=rigs.list_rigs()[0].name), waving_motion(), scene)
    for _ in course:
        assert not scene.objects
        assert not scene.collection.children
    assert [thing.animation_data.action for thing in scene.objects if thing.type == "ARMATURE"]


def unlink_hero():
    """As deleting in the viewport does where something else still points to the object."""
    bpy.data.objects["Hero"].use_fake_user = True
    bpy.context.scene.collection.objects.unlink(bpy.data.objects["Hero"])


@pytest.mark.parametrize(
    ("disturb", "words"),
    [
        (lambda: bpy.data.objects.remove(bpy.data.objects["Hero"]), "object 'Hero' is no longer there"),
        (unlink_hero, "'Hero' is no longer in the scene"),
        (lambda: bpy.data.actions.remove(bpy.data.actions["dance"]), "action 'dance' is no longer there"),
        (lambda: bpy.data.scenes.remove(bpy.data.scenes["Shot"]), "scene 'Shot' is no longer there"),
        (lambda: setattr(bpy.data.armatures[0].bones["mixamorig:RightToeBase"], "name", "x"), "bone .*RightToeBase"),
        (bpy.ops.wm.read_homefile, "object 'Hero' is no longer there"),
    ],
)
def test_what_the_user_takes_away_on_the_way_is_told_and_nothing_stays(switched_on, tmp_path, disturb, words):
    animated_hero()
    scene = bpy.data.scenes.new("Shot")
    scene.collection.objects.link(bpy.data.objects["Hero"])
    course = session.applying(request(tmp_path, armature="Hero"), waving_motion(), scene)
    take(course, 4)
    if disturb is unlink_hero:
        scene.collection.objects.unlink(bpy.data.objects["Hero"])
    disturb()
    left = {kind: [name for name in names if name != "dance"] for kind, names in data_names().items()}
    with pytest.raises(errors.RigError, match=words):
        finish(course)
    assert data_names() == left


def test_a_renamed_armature_is_still_the_one(switched_on, tmp_path):
    hero, _ = animated_hero()
    course = session.applying(request(tmp_path, armature="Hero"), waving_motion(), bpy.context.scene)
    take(course, 4)
    hero.name = "Heroine"
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Hero", None))
    finish(course)
    assert hero.animation_data.action.name == "dance"


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ"])
def test_no_step_of_a_long_clip_takes_the_main_thread_for_long(switched_on, tmp_path, mode):
    hero, _ = animated_hero()
    assert len(hero.pose.bones) >= 20
    for bone in hero.pose.bones:
        bone.rotation_mode = mode
    scene = bpy.context.scene
    scene.render.fps = 30
    course = session.applying(request(tmp_path, armature="Hero"), waving_motion(2000 / 30), scene)
    seconds, applied = seconds_of_steps(course)
    assert applied.frames == 2000
    assert max(seconds) < 0.1
