"""The pose preview shows what would be keyed, and leaves no trace: everything is compared bit for bit."""

import json
import math
import time
from dataclasses import replace

import bpy
import numpy as np
import pytest
from mathutils import Matrix

import blender_addon
from atcn_core.hands import HandMotion
from atcn_core.motion.world import WorldMotion
from atcn_core.skeleton import CAPTURE
from blender_addon import apply, compat, corrections, finishing, pose_preview, preview_track, rigs, runs, session
from blender_addon.armature import rest_of
from blender_addon.bake import bake
from blender_addon.core import errors, feet, retarget, rigmap
from blender_addon.core import parts as body_parts

from .addon import switched_on
from .armatures import degrees_apart, evaluated_heads, t_pose
from .test_session import request, waving_motion

__all__ = ["switched_on"]

CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
MODES = ("QUATERNION", "XYZ", "AXIS_ANGLE", "ZYX")


@pytest.fixture
def rig(switched_on, tmp_path):
    """An armature in some pose of its own, chosen in the panel, after a capture."""
    armature, _ = t_pose()
    rng = np.random.default_rng(0)
    for i, bone in enumerate(armature.pose.bones):
        bone.rotation_mode = MODES[i % len(MODES)]
        for channel in CHANNELS:
            setattr(
                bone, channel, np.array(getattr(bone, channel)) + rng.normal(0.0, 0.05, len(getattr(bone, channel)))
            )
    scene = bpy.context.scene
    scene.atcn.armature = armature
    scene.atcn.target = "ARMATURE"
    runs.last_capture = (request(tmp_path, armature=armature.name), waving_motion(2.0))
    scene.frame_set(5)
    bpy.context.view_layer.update()
    return armature


def all_of(armature) -> dict:
    """Everything about an armature that a preview could touch, raw."""
    bones = {
        bone.name: [bone.rotation_mode, bone.matrix_basis.copy().freeze(), dict(bone.items())]
        + [tuple(getattr(bone, channel)) for channel in CHANNELS]
        for bone in armature.pose.bones
    }
    animation = armature.animation_data
    return {
        "bones": bones,
        "properties": {k: v.to_dict() if hasattr(v, "to_dict") else v for k, v in armature.items()},
        "matrix": armature.matrix_world.copy().freeze(),
        "action": animation.action if animation else None,
        "selected": [thing.name for thing in bpy.context.selected_objects],
        "active": bpy.context.view_layer.objects.active,
        "mode": armature.mode,
        "frame": bpy.context.scene.frame_current,
        "actions": list(bpy.data.actions),
        "users": armature.users,
    }


def pose_of(armature) -> dict:
    bpy.context.view_layer.update()
    return {bone.name: bone.matrix.copy().freeze() for bone in armature.pose.bones}


def keyed_heads(scene, frames) -> list[dict]:
    """Where the bones are when the same capture is applied, on an armature of the same build."""
    twin, rig_map = t_pose()
    for bone in scene.atcn.armature.pose.bones:  # the knuckles get no keys and stay as they are
        for channel in ("rotation_mode", *CHANNELS):
            setattr(twin.pose.bones[bone.name], channel, getattr(bone, channel))
    wanted = scene.atcn.finish
    motion = finishing.ready(runs.last_capture[1], wanted.known_height_m, wanted.smooth).motion
    settings = scene.atcn.corrections
    how = (settings.to_corrections(), settings.to_parts(), feet.FOOT_MODES[scene.atcn.feet])
    track = apply.pose_track(motion, rest_of(twin), rig_map, apply.scene_fps(scene), *how)
    bake(twin, track, action_name="Truth", start_frame=scene.atcn.start_frame)
    found = [evaluated_heads(twin, frame) for frame in frames]
    action = twin.animation_data.action
    bpy.data.objects.remove(twin)
    bpy.data.actions.remove(action)
    return found


def test_it_shows_what_the_keys_would_show_frame_by_frame_with_the_sliders(rig):
    scene = bpy.context.scene
    scene.atcn.start_frame = 3
    scene.atcn.corrections.arm_spread = math.radians(15)
    scene.atcn.corrections.hip_height = 5.0
    scene.atcn.corrections.foot_angle = math.radians(5)
    frames = (1, 3, 10, 27, 500)
    truth = keyed_heads(scene, frames)
    bpy.ops.atcn.preview_pose()
    for frame, wanted in zip(frames, truth, strict=True):
        found = evaluated_heads(rig, frame)
        assert max(np.linalg.norm(found[bone] - wanted[bone]) for bone in wanted) < 1e-4
    assert rig.animation_data is None or rig.animation_data.action is None


def test_a_slider_moves_the_pose_at_once(rig):
    bpy.ops.atcn.preview_pose()
    before = evaluated_heads(rig, 5)
    bpy.context.scene.atcn.corrections.arm_spread = math.radians(20)
    bpy.context.view_layer.update()
    seen = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    name = "mixamorig:RightForeArm"
    after = np.array(seen.matrix_world @ seen.pose.bones[name].head)
    shoulder = before["mixamorig:RightArm"]
    assert degrees_apart(before[name] - shoulder, after - shoulder) == pytest.approx(20.0, abs=0.5)


def test_switching_off_leaves_everything_bit_for_bit_as_it_was(rig):
    before, shown = all_of(rig), pose_of(rig)
    bpy.ops.atcn.preview_pose()
    assert pose_preview.is_on()
    assert pose_of(rig) != shown
    bpy.context.scene.atcn.corrections.lean = 0.2
    bpy.context.scene.frame_set(20)
    bpy.context.scene.frame_set(5)
    bpy.ops.atcn.preview_pose()
    assert not pose_preview.is_on()
    assert all_of(rig) == before
    assert pose_of(rig) == shown


def test_an_action_goes_on_underneath_and_is_all_there_is_afterwards(rig):
    bone = rig.pose.bones["mixamorig:Hips"]
    for frame, height in ((1, 0.0), (40, 2.0)):
        bone.location = (0.0, height, 0.0)
        bone.keyframe_insert("location", frame=frame)
    scene = bpy.context.scene
    scene.frame_set(30)
    rig.pose.bones["mixamorig:Head"].rotation_euler = (0.1, 0.2, 0.3)
    there, elsewhere = all_of(rig), {}
    scene.frame_set(12)
    elsewhere = all_of(rig)
    scene.frame_set(30)
    curves = [(key.co[:], key.interpolation) for curve in compat.action_curves(rig) for key in curve.keyframe_points]
    bpy.ops.atcn.preview_pose()
    for frame in (31, 2, 12):
        scene.frame_set(frame)
        assert bone.location.y != pytest.approx(elsewhere["bones"][bone.name][4][1], abs=1e-3)
    bpy.ops.atcn.preview_pose()
    assert all_of(rig) == elsewhere
    scene.frame_set(30)
    assert all_of(rig) == there
    assert curves == [
        (key.co[:], key.interpolation) for curve in compat.action_curves(rig) for key in curve.keyframe_points
    ]


def test_a_failure_half_way_leaves_the_pose_as_it_was(rig, monkeypatch):
    before = all_of(rig)
    calls = []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) > 8:
            raise KeyError("a bone")
        place(*arguments)

    place = pose_preview._place
    monkeypatch.setattr(pose_preview, "_place", fail)
    with pytest.raises(KeyError):
        pose_preview.switch_on(bpy.context.scene)
    assert len(calls) > 8
    assert not pose_preview.is_on()
    assert all_of(rig) == before


def test_no_part_at_all_ends_the_preview_and_says_why(rig):
    before = all_of(rig)
    bpy.ops.atcn.preview_pose()
    bpy.context.scene.atcn.corrections.parts = set()
    assert not pose_preview.is_on()
    assert "part" in runs.status.error
    assert all_of(rig) == before


@pytest.mark.parametrize("how", ["removed", "unlinked", "another chosen"])
def test_when_the_armature_is_gone_the_preview_ends_by_itself(rig, how):
    before = all_of(rig)["bones"]
    bpy.ops.atcn.preview_pose()
    if how == "removed":
        bpy.data.objects.remove(rig)
    elif how == "unlinked":
        bpy.context.scene.collection.objects.unlink(rig)
    else:
        bpy.context.scene.atcn.armature = t_pose()[0]
    bpy.context.scene.frame_set(9)
    assert not pose_preview.is_on()
    bpy.context.scene.frame_set(10)
    if how != "removed":
        assert all_of(rig)["bones"] == before


def test_a_copy_made_of_the_shown_armature_gets_the_pose_back_too(rig):
    before = all_of(rig)["bones"]
    bpy.ops.atcn.preview_pose()
    copy = rig.copy()
    bpy.context.scene.collection.objects.link(copy)
    bpy.ops.atcn.preview_pose()
    assert all_of(copy)["bones"] == before
    assert pose_preview.KEY not in copy


def test_the_saved_file_has_the_own_pose_and_the_preview_goes_on(rig, tmp_path):
    before = all_of(rig)
    bpy.ops.atcn.preview_pose()
    shown, path = all_of(rig)["bones"], str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    assert pose_preview.is_on()
    assert all_of(rig)["bones"] == shown
    name = rig.name
    with bpy.data.libraries.load(path) as (_, wanted):
        wanted.objects = [name]
    saved = wanted.objects[0]
    assert pose_preview.KEY not in saved
    assert {n: v[1:2] + v[3:] for n, v in all_of(saved)["bones"].items()} == {
        n: v[1:2] + v[3:] for n, v in before["bones"].items()
    }


def test_a_save_that_fails_still_shows_the_preview_afterwards(rig, tmp_path):
    bpy.ops.atcn.preview_pose()
    shown = all_of(rig)["bones"]
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file" / "no.blend"), copy=True)
    assert pose_preview.is_on()
    assert all_of(rig)["bones"] == shown
    bpy.ops.atcn.preview_pose()
    assert pose_preview.KEY not in rig


def test_another_file_ends_it(rig, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    bpy.ops.atcn.preview_pose()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "one.blend"))
    assert not pose_preview.is_on()
    assert not any(pose_preview.KEY in thing for thing in bpy.data.objects)


def test_a_file_that_was_written_while_it_showed_is_put_right_when_opened(rig, tmp_path):
    """Blender's own autosave calls no handlers."""
    before, name, path = all_of(rig)["bones"], rig.name, str(tmp_path / "autosave.blend")
    bpy.ops.atcn.preview_pose()
    handlers = list(bpy.app.handlers.save_pre)
    bpy.app.handlers.save_pre.clear()
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    bpy.app.handlers.save_pre.extend(handlers)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert pose_preview.KEY not in bpy.data.objects[name]
    assert all_of(bpy.data.objects[name])["bones"] == before


def test_an_override_of_a_linked_rig_is_shown_and_put_back(rig, tmp_path):
    path, name, capture = str(tmp_path / "library.blend"), rig.name, runs.last_capture
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    bpy.data.objects.remove(rig)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = [name]
    scene = bpy.context.scene
    scene.collection.objects.link(wanted.objects[0])
    made = wanted.objects[0].override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True)
    scene.atcn.armature, runs.last_capture = made, capture
    before = all_of(made)
    bpy.ops.atcn.preview_pose()
    assert pose_preview.is_on()
    assert all_of(made)["bones"] != before["bones"]
    scene.frame_set(9)
    scene.frame_set(5)
    bpy.ops.atcn.preview_pose()
    assert all_of(made) == before


def test_applying_ends_it_and_the_keys_are_those_of_no_preview(rig):
    scene = bpy.context.scene
    bpy.ops.atcn.apply_last()
    plain = [evaluated_heads(rig, frame) for frame in (1, 20)]
    bpy.ops.atcn.preview_pose()
    bpy.ops.atcn.apply_last()
    assert not pose_preview.is_on()
    assert pose_preview.KEY not in rig
    for frame, wanted in zip((1, 20), plain, strict=True):
        found = evaluated_heads(rig, frame)
        assert all((found[bone] == wanted[bone]).all() for bone in wanted)
    assert scene.atcn.armature is rig


def test_undo_finds_the_history_without_the_preview(rig):
    """Steps made while it shows hold its pose; going back to them, or before them, gives the rig its own."""
    name = rig.name
    bpy.ops.ed.undo_push(message="start")
    before = {n: v[1:2] + v[3:] for n, v in all_of(rig)["bones"].items()}

    def own_pose():
        return {n: v[1:2] + v[3:] for n, v in all_of(bpy.data.objects[name])["bones"].items()}

    bpy.ops.atcn.preview_pose()
    bpy.context.scene.atcn.corrections.lean = 0.1
    bpy.ops.ed.undo_push(message="slider")
    rig.location.x = 1.0
    bpy.ops.ed.undo_push(message="moved")
    bpy.context.scene.atcn.corrections.lean = 0.2
    bpy.ops.ed.undo_push(message="slider")
    bpy.ops.ed.undo()
    assert pose_preview.is_on()
    assert bpy.context.scene.atcn.corrections.lean == pytest.approx(0.1)
    assert own_pose() != before
    bpy.ops.atcn.preview_pose()
    assert own_pose() == before
    bpy.ops.ed.undo()
    assert own_pose() == before
    bpy.ops.ed.redo()
    bpy.ops.ed.redo()
    assert bpy.context.scene.atcn.corrections.lean == pytest.approx(0.2)
    assert own_pose() == before
    for _ in range(3):
        bpy.ops.ed.undo()
    assert own_pose() == before
    assert bpy.context.scene.atcn.corrections.lean == 0.0


def test_undoing_a_slider_shows_the_pose_without_it(rig):
    name = rig.name
    bpy.ops.atcn.preview_pose()
    bpy.ops.ed.undo_push(message="start")
    plain = all_of(rig)["bones"]["mixamorig:RightArm"]
    bpy.context.scene.atcn.corrections.arm_spread = 0.4
    bpy.ops.ed.undo_push(message="slider")
    spread = all_of(rig)["bones"]["mixamorig:RightArm"]
    assert spread != plain
    bpy.ops.ed.undo()
    assert all_of(bpy.data.objects[name])["bones"]["mixamorig:RightArm"] == plain
    bpy.ops.ed.redo()
    assert all_of(bpy.data.objects[name])["bones"]["mixamorig:RightArm"] == spread


def test_undo_past_a_pose_edit_made_before_the_preview_gives_the_earlier_pose(rig):
    name = rig.name
    bpy.ops.ed.undo_push(message="first pose")
    first = rig.pose.bones["mixamorig:Head"].location.copy()
    rig.pose.bones["mixamorig:Head"].location.x += 1.0
    bpy.ops.ed.undo_push(message="second pose")
    bpy.ops.atcn.preview_pose()
    bpy.ops.ed.undo()
    bpy.ops.atcn.preview_pose()
    assert not pose_preview.is_on()
    assert bpy.data.objects[name].pose.bones["mixamorig:Head"].location == first


def test_the_switch_is_no_undo_step_and_marks_nothing(rig):
    assert "UNDO" not in bpy.types.ATCN_OT_preview_pose.bl_options
    bpy.ops.atcn.preview_pose()
    assert json.loads(rig[pose_preview.KEY])["bones"]
    bpy.ops.atcn.preview_pose()
    assert pose_preview.KEY not in rig


def test_parts_left_out_are_as_the_animator_has_them(rig):
    before = all_of(rig)["bones"]
    bpy.ops.atcn.choose_parts(preset="upper")
    bpy.ops.atcn.preview_pose()
    shown = all_of(rig)["bones"]
    moved = {name for name in before if shown[name] != before[name]}
    assert "mixamorig:LeftForeArm" in moved
    assert not any(word in name for name in moved for word in ("Leg", "Foot", "Toe", "Hips"))


def test_without_a_path_the_hips_turn_where_the_animator_has_put_them(rig):
    place = rig.pose.bones["mixamorig:Hips"].location.copy()
    bpy.context.scene.atcn.corrections.parts = set(body_parts.WHOLE - {"path"})
    bpy.ops.atcn.preview_pose()
    assert rig.pose.bones["mixamorig:Hips"].location == place


def test_a_control_rig_s_switches_are_set_and_set_back(rig, monkeypatch):
    control = rig.pose.bones["mixamorig:LeftHand"]
    control["IK_FK"], control["whole"], control["yes"] = 0.25, 3, False
    known = rigs.map_of_armature(rig)
    switches = [rigmap.SwitchedBone(control.name, name, 1.0) for name in ("IK_FK", "whole", "yes", "not there")]
    monkeypatch.setattr(rigs, "map_of_armature", lambda _: rigmap.RigMap(known.bones, "", tuple(switches)))
    before = all_of(rig)
    bpy.ops.atcn.preview_pose()
    assert [control[name] for name in ("IK_FK", "whole", "yes")] == [1.0, 1, True]
    bpy.ops.atcn.preview_pose()
    assert all_of(rig) == before
    assert type(control["whole"]) is int


def test_without_capture_or_armature_it_cannot_be_switched_on(rig):
    scene = bpy.context.scene
    scene.atcn.target = "AVATAR"
    assert not bpy.ops.atcn.preview_pose.poll()
    with pytest.raises(errors.RigError):
        pose_preview.switch_on(scene)
    scene.atcn.target = "ARMATURE"
    runs.last_capture = None
    assert not bpy.ops.atcn.preview_pose.poll()


@pytest.fixture
def long_clip(rig):
    """A minute, in the middle of which the person is 3 cm higher: only the whole clip tells where the floor is."""
    motion = waving_motion(60.0)
    root_cam = motion.root_cam.copy()
    root_cam[800:1000, 1] -= 0.03
    runs.last_capture = (runs.last_capture[0], replace(motion, root_cam=root_cam))
    return rig


def settled() -> None:
    """Wait for the thread as the timer does."""
    live = pose_preview._preview.live
    while pose_preview.settle(live) is not None:
        time.sleep(0.01)


def test_in_a_long_clip_the_pose_is_there_at_once_and_then_exactly_as_the_keys_would_be(long_clip):
    scene = bpy.context.scene
    scene.atcn.feet = "never"  # else the feet are put on the floor wherever they are
    frames = (1, 200, 720, 1438)
    truth = keyed_heads(scene, frames)

    def off_m() -> list[float]:
        found = [evaluated_heads(long_clip, frame) for frame in frames]
        return [
            max(np.linalg.norm(heads[bone] - wanted[bone]) for bone in wanted)
            for heads, wanted in zip(found, truth, strict=True)
        ]

    bpy.ops.atcn.preview_pose()
    assert not pose_preview._preview.live.whole
    assert 0.01 < max(off_m()) < 0.1
    settled()
    assert pose_preview._preview.live.whole
    assert max(off_m()) < 1e-4
    before = off_m()
    scene.atcn.corrections.arm_spread = 0.2
    assert not pose_preview._preview.live.whole
    settled()
    assert max(off_m()) > max(before) + 0.05


def test_a_solve_that_is_no_longer_wanted_changes_nothing(long_clip):
    bpy.ops.atcn.preview_pose()
    old = pose_preview._preview.live
    bpy.context.scene.atcn.corrections.arm_spread = 0.2
    shown = all_of(long_clip)["bones"]
    assert pose_preview.settle(old) is None
    assert all_of(long_clip)["bones"] == shown
    bpy.ops.atcn.preview_pose()
    assert pose_preview.settle(old) is None
    assert pose_preview.KEY not in long_clip


def test_one_moment_of_a_track_is_what_resampling_makes_of_it(rig):
    _, rig_map = t_pose()
    track = apply.pose_track(waving_motion(0.5), rest_of(rig), rig_map, 30.0)
    for time_s in (-1.0, 0.0, 0.015, 0.2, 0.4666, 9.0):
        wanted, found = retarget.resample(track, np.array([time_s])), preview_track.pose_at(track, time_s)
        assert all(np.abs(found.quats[bone] - wanted.quats[bone]).max() < 1e-12 for bone in wanted.quats)
        assert np.abs(found.root_location - wanted.root_location).max() < 1e-12


def test_another_scene_s_frames_leave_it_alone(rig):
    bpy.ops.atcn.preview_pose()
    shown = all_of(rig)["bones"]
    bpy.data.scenes.new("Other").frame_set(30)
    assert all_of(rig)["bones"] == shown
    assert pose_preview.is_on()


def test_switched_off_with_the_add_on_nothing_is_left(rig):
    before = all_of(rig)
    bpy.ops.atcn.preview_pose()
    blender_addon.unregister()
    try:
        assert {k: v for k, v in all_of(rig).items() if k != "users"} == {
            k: v for k, v in before.items() if k != "users"
        }
        for name, handler in pose_preview._HANDLERS:
            assert handler not in getattr(bpy.app.handlers, name)
    finally:
        blender_addon.register()


def test_sliders_speak_degrees_at_their_very_ends_and_reset(rig):
    settings = bpy.context.scene.atcn.corrections
    for slider in corrections.SLIDERS:
        setattr(settings, slider, 1000.0)
    assert settings.to_corrections().arm_spread_deg == 90.0
    assert settings.to_corrections().hip_height_percent == 50.0
    bpy.ops.atcn.preview_pose()
    moved = all_of(rig)["bones"]
    bpy.ops.atcn.reset_corrections()
    assert settings.to_corrections() == session.corrections.NONE
    assert all_of(rig)["bones"] != moved


def test_an_object_turned_and_scaled_shows_the_same_pose_in_its_place(rig):
    rig.matrix_world = Matrix.Translation((1, 2, 0)) @ Matrix.Rotation(0.5, 4, "Z") @ Matrix.Scale(2.0, 4)
    bpy.context.view_layer.update()
    before = all_of(rig)
    bpy.ops.atcn.preview_pose()
    heads = evaluated_heads(rig, 5)
    assert min(point[2] for point in heads.values()) == pytest.approx(0.04, abs=0.03)
    bpy.ops.atcn.preview_pose()
    assert all_of(rig) == before


def test_a_moment_of_a_motion_with_fingers_has_its_fingers():
    times_s = np.arange(300) / 30.0
    joints = np.zeros((300, len(CAPTURE), 3))
    hands = HandMotion(
        np.zeros((300, 2, 5, 3), np.float32), np.zeros((300, 2, 5, 3), np.float32), np.ones((300, 2), np.float32)
    )
    near = preview_track._around(WorldMotion(times_s, CAPTURE, joints, np.ones(joints.shape[:2]), hands=hands), 5.0)
    assert 1 < len(near.times_s) < 300
    assert near.hands is not None
    assert len(near.hands.score) == len(near.times_s)
