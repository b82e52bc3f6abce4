"""Keys as Blender plays them back: the right turns, in the bone's own rotation mode, and nothing else touched."""

import bpy
import numpy as np
import pytest

from atcn_core.motion.retarget import PoseTrack
from atcn_core.rotation import quat_multiply
from blender_addon import compat
from blender_addon.bake import bake, baking, frame_times_s
from blender_addon.core import errors
from tests.blender_addon.armatures import t_pose
from tests.moving_person import about

BONE, ROOT = "mixamorig:LeftArm", "mixamorig:Hips"
MODES = ("QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE")


def track(frames=40):
    """A root that travels and an arm that turns more than once round two axes."""
    times_s = np.arange(frames) / 24
    turn = quat_multiply(about(np.array([0, 0, 1.0]), 4.0 * times_s), about(np.array([1.0, 0, 0]), 3.0 * times_s))
    still = np.tile([1.0, 0, 0, 0], (frames, 1))
    way = np.stack([times_s, np.sin(times_s), 0 * times_s], axis=1)
    return PoseTrack(times_s, {ROOT: still, BONE: turn}, ROOT, way, {})


@pytest.mark.parametrize("mode", MODES)
def test_every_rotation_mode_is_kept_and_plays_the_same_turns_without_jumps(mode):
    armature, _ = t_pose()
    armature.pose.bones[BONE].rotation_mode = mode
    wanted = track()
    bake(armature, wanted, action_name="Turn", start_frame=11)
    assert armature.pose.bones[BONE].rotation_mode == mode
    for i in (0, 1, 17, 39):
        bpy.context.scene.frame_set(11 + i)
        basis = armature.pose.bones[BONE].matrix_basis.to_quaternion()
        assert abs(np.dot(basis, wanted.quats[BONE][i])) == pytest.approx(1.0, abs=1e-5)
    channel = {"QUATERNION": "quaternion", "AXIS_ANGLE": "axis_angle"}.get(mode, "euler")
    curves = [c for c in compat.action_curves(armature) if BONE in c.data_path]
    assert {c.data_path.rpartition("rotation_")[2] for c in curves} == {channel}
    if mode != "AXIS_ANGLE":
        values = np.array([[key.co[1] for key in c.keyframe_points] for c in curves if len(c.keyframe_points) > 1])
        assert np.abs(np.diff(values, axis=1)).max() < 1.2


def test_keys_sit_on_whole_frames_and_are_linear_and_still_channels_have_one():
    armature, _ = t_pose()
    bake(armature, track(), action_name="Turn", start_frame=5)
    curves = compat.action_curves(armature)
    moving = [c for c in curves if c.data_path.endswith("location") and c.array_index == 0]
    assert [key.co[0] for key in moving[0].keyframe_points] == list(range(5, 45))
    assert {key.interpolation for c in curves for key in c.keyframe_points} == {"LINEAR"}
    assert {len(c.keyframe_points) for c in curves if ROOT in c.data_path and "rotation" in c.data_path} == {1}
    assert {c.group.name for c in curves} == {ROOT, BONE}


def test_each_bake_is_a_new_action_and_none_is_lost():
    armature, _ = t_pose()
    own = bpy.data.actions.new("Animator's own")
    armature.animation_data_create().action = own
    first = bake(armature, track(), action_name="Capture", start_frame=1)
    second = bake(armature, track(), action_name="Capture", start_frame=1)
    assert first != second
    assert armature.animation_data.action == second
    assert own.use_fake_user
    assert first.use_fake_user
    assert not second.use_fake_user
    assert len(bpy.data.actions) == 3


def test_an_action_in_the_making_is_nobodys_and_goes_when_it_is_given_up():
    armature, _ = t_pose()
    own = bpy.data.actions.new("Animator's own")
    armature.animation_data_create().action = own
    steps = baking(armature, track(), action_name="Capture", start_frame=1)
    next(steps)
    next(steps)
    assert len(bpy.data.actions) == 2
    assert (armature.animation_data.action, own.use_fake_user) == (own, False)
    steps.close()
    assert list(bpy.data.actions) == [own]


def test_an_action_that_was_changed_on_the_way_is_told_instead_of_half_written():
    armature, _ = t_pose()
    steps = baking(armature, track(), action_name="Capture", start_frame=1)
    next(steps)
    next(steps)
    compat.curve_maker(bpy.data.actions["Capture"])("location", 0, "somebody else's")
    with pytest.raises(errors.RigError, match="was changed while"):
        next(steps)
    assert not bpy.data.actions


def test_nothing_else_changes():
    armature, _ = t_pose()
    armature.location = (1, 2, 3)
    armature.rotation_euler = (0, 0, 1)
    bpy.context.scene.frame_set(7)
    before = (armature.matrix_world.copy(), armature.mode, bpy.context.scene.frame_current, len(bpy.data.objects))
    bake(armature, track(), action_name="Turn", start_frame=1)
    assert before == (armature.matrix_world, armature.mode, bpy.context.scene.frame_current, len(bpy.data.objects))
    assert not any(bone.constraints for bone in armature.pose.bones)
    assert {bone.rotation_mode for bone in armature.pose.bones} == {"QUATERNION"}


def test_bones_with_quotes_in_their_names_are_keyed():
    armature, _ = t_pose()
    armature.data.bones[BONE].name = 'the "left" arm'
    quats = track().quats
    odd = PoseTrack(track().times_s, {'the "left" arm': quats[BONE]}, ROOT, track().root_location, {})
    bake(armature, odd, action_name="Turn", start_frame=1)
    bpy.context.scene.frame_set(20)
    basis = armature.pose.bones['the "left" arm'].matrix_basis.to_quaternion()
    assert abs(np.dot(basis, quats[BONE][19])) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("clip_fps", "scene_fps", "seconds"), [(30, 24, 10.0), (25, 30, 3.3), (59.94, 24, 2.0), (30, 30, 1.0)]
)
def test_a_clip_plays_as_long_as_it_lasts(clip_fps, scene_fps, seconds):
    times_s = 5.0 + np.arange(round(seconds * clip_fps)) / clip_fps
    frames = frame_times_s(times_s, scene_fps)
    assert frames[0] == 5.0
    assert np.allclose(np.diff(frames), 1 / scene_fps)
    assert abs(frames[-1] - times_s[-1]) <= 0.5 / scene_fps + 1e-9
    assert len(frame_times_s(times_s[:1], scene_fps)) == 1
