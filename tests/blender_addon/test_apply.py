"""The whole way onto a rig, judged by Blender's own evaluation of the baked pose."""

import math
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from atcn_core.clip import Motion3D
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics
from atcn_core.motion import retarget
from atcn_core.motion.world import WorldMotion, to_world
from atcn_core.skeleton import CAPTURE, LIMB_12, Skeleton
from blender_addon.apply import apply_motion
from blender_addon.armature import rest_of
from blender_addon.bake import bake
from blender_addon.core import errors
from tests.blender_addon.armatures import a_pose, degrees_apart, evaluated_heads, t_pose
from tests.blender_addon.rigs_in_reach import own_rig
from tests.moving_person import dancing, posed

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
RIGS = sorted((ROOT / "rigs").glob("*/rig.json"))
LIMBS = {
    f"{side}_{role}": (f"{side}_{next_role}", f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for role, next_role, start, end in (
        ("upper_arm", "forearm", "shoulder", "elbow"),
        ("forearm", "hand", "elbow", "wrist"),
        ("thigh", "shin", "hip", "knee"),
        ("shin", "foot", "knee", "ankle"),
    )
}


# From the world into the bones of an armature that was scaled by a hundredth and laid on its back.
FBX_FROM_WORLD = Matrix.Scale(100, 4) @ Matrix.Rotation(-math.pi / 2, 4, "X")


def plain(armature):
    """As it was built."""


def as_fbx(armature):
    """Scaled by a hundredth and lying on its back, as importers leave armatures, with bones that undo it."""
    armature.data.transform(FBX_FROM_WORLD)
    armature.rotation_euler = (math.pi / 2, 0, 0)
    armature.scale = (0.01, 0.01, 0.01)


def placed(armature):
    """Turned, moved and made bigger by an animator."""
    armature.location = (3.0, -2.0, 0.0)
    armature.rotation_euler = (0, 0, 0.8)
    armature.scale = (1.3, 1.3, 1.3)


def eulers(armature):
    """Bones in several Euler orders."""
    for i, bone in enumerate(armature.pose.bones):
        bone.rotation_mode = ("XYZ", "ZXY", "YZX", "QUATERNION", "AXIS_ANGLE")[i % 5]


def filmed(person, fps=30.0):
    """The person as a level camera's motion file would hold it."""
    joints_cam = (person.joints_world - person.joints_world[:, :1]) @ WORLD_FROM_CAM
    root_cam = person.joints_world[:, 0] @ WORLD_FROM_CAM + [0, 0, 4.0]
    score = np.ones(joints_cam.shape[:2], dtype=np.float32)
    camera = Intrinsics.assumed((640, 480))
    return Motion3D(
        CAPTURE, person.times_s, fps, (640, 480), joints_cam.astype(np.float32), root_cam.astype(np.float32), score,
        camera,
    )  # fmt: skip


def direction_errors_deg(armature, rig_map, directions, frames, start_frame=1):
    """Angles between evaluated bone directions (head to next mapped head) and the solved ones."""
    errors_deg = []
    for i in frames:
        heads = evaluated_heads(armature, start_frame + i)
        for role, following in retarget.next_roles(rig_map).items():
            found = heads[rig_map.bones[following]] - heads[rig_map.bones[role]]
            errors_deg.append(degrees_apart(found, directions[role][i]))
    return np.array(errors_deg)


@pytest.mark.parametrize("change", [plain, as_fbx, placed, eulers])
@pytest.mark.parametrize("make", [t_pose, a_pose])
def test_evaluated_bones_follow_the_person(make, change):
    armature, rig_map = make()
    change(armature)
    bpy.context.view_layer.update()
    person = dancing(1.0, seed=3)
    track = retarget.solve(person.motion(), rest_of(armature), rig_map)
    bake(armature, track, action_name="Dance", start_frame=1)
    frames = range(0, 30, 4)
    errors_deg = direction_errors_deg(armature, rig_map, track.directions_world, frames)
    assert errors_deg.mean() < 0.05
    assert errors_deg.max() < 0.3
    for i in frames:
        heads = evaluated_heads(armature, 1 + i)
        for role, (following, start, end) in LIMBS.items():
            found = heads[rig_map.bones[following]] - heads[rig_map.bones[role]]
            assert degrees_apart(found, person.point(end)[i] - person.point(start)[i]) < 0.3, role


@pytest.mark.parametrize("make", [t_pose, a_pose])
@pytest.mark.parametrize("fps", [24, 30])
def test_a_filmed_person_becomes_an_action_of_the_same_length_at_the_scenes_rate(make, fps):
    armature, rig_map = make()
    scene = bpy.context.scene
    scene.render.fps = fps
    scene.frame_set(3)
    motion = filmed(dancing(2.0, fps=25, seed=4))
    action = apply_motion(armature, rig_map, motion, scene=scene, action_name="Dance", start_frame=10)
    assert action.name == "Dance"
    assert armature.animation_data.action == action
    assert scene.frame_current == 3
    length_s = (action.frame_range[1] - action.frame_range[0]) / fps
    assert action.frame_range[0] == 10
    assert abs(length_s - motion.times_s[-1]) <= 0.5 / fps + 1e-6
    track = retarget.resample(
        retarget.solve(to_world(motion), rest_of(armature), rig_map),
        motion.times_s[0] + np.arange(int(action.frame_range[1] - 9)) / fps,
    )
    errors_deg = direction_errors_deg(armature, rig_map, track.directions_world, range(0, 40, 5), start_frame=10)
    assert errors_deg.mean() < 1.0


@pytest.mark.parametrize("path", RIGS, ids=lambda path: path.parent.name)
def test_the_projects_own_rigs_follow_within_a_degree(path):
    armature, rig_map = own_rig(path)
    person = dancing(1.0, seed=5)
    track = retarget.solve(person.motion(), rest_of(armature), rig_map)
    bake(armature, track, action_name="Dance", start_frame=1)
    errors_deg = direction_errors_deg(armature, rig_map, track.directions_world, range(0, 30, 3))
    assert errors_deg.mean() < 1.0
    assert errors_deg.max() < 1.0


@pytest.mark.parametrize("make", [t_pose, a_pose])
def test_a_person_in_a_plain_stance_stands_on_the_floor_where_the_rig_stood(make):
    armature, rig_map = make()
    stance = posed(np.arange(10) / 30, np.array([0.0, 0.0, 0.895]), {})
    apply_motion(armature, rig_map, filmed(stance), scene=bpy.context.scene, action_name="Stand")
    rest_heads = {bone.name: np.array(armature.matrix_world @ bone.head_local) for bone in armature.data.bones}
    heads = evaluated_heads(armature, 5)
    for role in ("left_foot", "right_foot", "left_toe", "hips"):
        bone = rig_map.bones[role]
        assert abs(heads[bone][2] - rest_heads[bone][2]) < 0.02, role
        assert np.abs(heads[bone][:2] - rest_heads[bone][:2]).max() < 0.06, role


def test_twist_bones_in_a_limb_turn_about_it_alone_whatever_they_did_before():
    turns = []
    for spoilt in (False, True):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        armature, rig_map = a_pose()
        twist = armature.pose.bones["forearm_twist.L"]
        if spoilt:
            twist.rotation_quaternion = (0.7, 0.7, 0.0, 0.0)
        apply_motion(armature, rig_map, filmed(dancing(0.5)), scene=bpy.context.scene, action_name="Dance")
        bpy.context.scene.frame_set(5)
        turns.append(twist.matrix_basis.to_quaternion())
        bone, forearm = twist.bone, armature.data.bones["forearm.L"]
        along = bone.matrix_local.to_3x3().inverted() @ (armature.data.bones["hand.L"].head_local - forearm.head_local)
        axis, angle_rad = turns[-1].to_axis_angle()
        assert abs(angle_rad) > 0.01
        assert degrees_apart(along, along.dot(axis) * axis) < 1.0
    assert turns[0].rotation_difference(turns[1]).angle < 1e-5


def test_a_pose_left_on_the_rig_does_not_spoil_the_capture():
    """Importers leave bones shifted and roots turned; animators place rigs by their root control."""
    person = dancing(0.5, seed=7)
    heads = []
    for spoilt in (False, True):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.context.scene.render.fps = 30
        armature, rig_map = a_pose()
        if spoilt:
            armature.pose.bones["root"].rotation_quaternion = (0.0, 0.0, 1.0, 0.0)
            armature.pose.bones["root"].location = (0.5, 1.0, 2.0)
            armature.pose.bones["shin.L"].location = (0.1, 0.2, 0.0)
            armature.pose.bones["upper_arm.R"].scale = (2.0, 2.0, 2.0)
            armature.pose.bones["spine.006"].rotation_quaternion = (0, 1, 0, 0)
        bpy.context.view_layer.update()
        apply_motion(armature, rig_map, filmed(person), scene=bpy.context.scene, action_name="Dance")
        heads.append(evaluated_heads(armature, 9))
    for role, bone in rig_map.bones.items():
        assert np.allclose(heads[0][bone], heads[1][bone], atol=1e-4), role


def saved_rig(tmp_path):
    armature, rig_map = t_pose()
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {armature})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.objects = ["Mixamo"]
    linked = bpy.data.objects["Mixamo"]
    bpy.context.scene.collection.objects.link(linked)
    return linked, rig_map


def test_an_override_of_a_linked_rig_is_animated(tmp_path):
    linked, rig_map = saved_rig(tmp_path)
    override = linked.override_create(remap_local_usages=True)
    bpy.context.scene.render.fps = 30
    motion = filmed(dancing(0.5, seed=6))
    apply_motion(override, rig_map, motion, scene=bpy.context.scene, action_name="Dance")
    track = retarget.solve(to_world(motion), rest_of(override), rig_map)
    assert direction_errors_deg(override, rig_map, track.directions_world, range(0, 10, 3)).max() < 0.5
    assert linked.animation_data is None


def test_a_linked_rig_without_an_override_is_refused_in_words(tmp_path):
    linked, rig_map = saved_rig(tmp_path)
    with pytest.raises(errors.RigError, match="linked"):
        apply_motion(linked, rig_map, filmed(dancing(0.3)), scene=bpy.context.scene, action_name="Dance")


def test_an_armature_without_the_bones_is_refused_and_left_as_it_was():
    armature, _ = t_pose()
    _, other = a_pose()
    with pytest.raises(errors.RigError, match="spine"):
        apply_motion(armature, other, filmed(dancing(0.3)), scene=bpy.context.scene, action_name="Dance")
    assert armature.animation_data is None
    assert len(bpy.data.actions) == 0


MOCAP_LIMBS = {
    "shoulder": "Arm",
    "elbow": "ForeArm",
    "wrist": "Hand",
    "hip": "UpLeg",
    "knee": "Leg",
    "ankle": "Foot",
}


@pytest.mark.parametrize("name", ["cmuasf_02_01", "m2m_jumpingjacks_01", "fair1_dab_01"])
@pytest.mark.parametrize("make", [t_pose, a_pose])
def test_limbs_point_where_real_motion_capture_points_them(make, name):
    path = SHARED / "mocap" / f"{name}.bvh"
    if not path.is_file():
        pytest.skip("the shared motion capture is not here")
    before = set(bpy.data.objects)
    bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01, use_fps_scale=False)
    source = next(iter(set(bpy.data.objects) - before))
    joints = {joint: joint.partition("_")[0].capitalize() + MOCAP_LIMBS[joint.partition("_")[2]] for joint in LIMB_12}
    frames = list(range(1, 61, 6))
    taken = [evaluated_heads(source, frame) for frame in frames]
    places = np.stack([[heads[joints[joint]] for joint in LIMB_12] for heads in taken])
    skeleton = Skeleton("limbs", LIMB_12, (None,) * 12)
    motion = WorldMotion(np.arange(len(frames)) / 10, skeleton, places, np.ones(places.shape[:2]))
    armature, rig_map = make()
    track = retarget.solve(motion, rest_of(armature), rig_map)
    bake(armature, track, action_name=name, start_frame=1)
    for i in range(len(frames)):
        heads = evaluated_heads(armature, 1 + i)
        for role, (following, start, end) in LIMBS.items():
            found = heads[rig_map.bones[following]] - heads[rig_map.bones[role]]
            assert degrees_apart(found, taken[i][joints[end]] - taken[i][joints[start]]) < 1.0, role
