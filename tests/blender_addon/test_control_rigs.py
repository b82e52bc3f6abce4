"""Generated control rigs: keys on the FK controls are what is seen, whatever the limbs were set to before."""

import bpy
import numpy as np
import pytest

from blender_addon.apply import apply_motion
from blender_addon.compat import action_curves
from blender_addon.rig_files import import_armatures
from blender_addon.rigs import recognise_armature
from tests.blender_addon.armatures import degrees_apart, evaluated_heads
from tests.blender_addon.test_apply import filmed
from tests.moving_person import dancing

# Deform bones, which only follow, and where the person's limb goes between.
LIMBS = {
    ("DEF-upper_arm.L", "DEF-forearm.L"): ("left_shoulder", "left_elbow"),
    ("DEF-forearm.R", "DEF-hand.R"): ("right_elbow", "right_wrist"),
    ("DEF-thigh.R", "DEF-shin.R"): ("right_hip", "right_knee"),
    ("DEF-shin.L", "DEF-foot.L"): ("left_knee", "left_ankle"),
}


@pytest.fixture
def rigify():
    (armature,) = import_armatures("rigify:basic_human:generated")
    return armature


def test_a_generated_rigs_deform_bones_follow_though_its_limbs_stood_on_ik(rigify):
    rig_map = recognise_armature(rigify).to_rig_map()
    settings = {(switch.bone, switch.property) for switch in rig_map.switches}
    assert {bone for bone, _ in settings} >= {
        f"{limb}_parent.{side}" for limb in ("upper_arm", "thigh") for side in "LR"
    }
    before = {(bone, name): rigify.pose.bones[bone][name] for bone, name in settings}
    assert all(before[f"{limb}_parent.{side}", "IK_FK"] == 0.0 for limb in ("upper_arm", "thigh") for side in "LR")
    person = dancing(1.0, seed=3)
    scene = bpy.context.scene
    scene.render.fps = 30
    action = apply_motion(rigify, rig_map, filmed(person), scene=scene, action_name="Dance")
    for frame in range(1, 30, 7):
        heads = evaluated_heads(rigify, frame)
        # The camera's axes are not the room's: the trunk tells how the one is turned into the other.
        turned = _turn(heads, person, frame - 1)
        for (first, second), (start, end) in LIMBS.items():
            wanted = turned @ (person.point(end) - person.point(start))[frame - 1]
            assert degrees_apart(heads[second] - heads[first], wanted) < 4.0, (frame, first)
    paths = {curve.data_path for curve in action_curves(rigify)}
    assert {f'pose.bones["{bone}"]["{name}"]' for bone, name in settings} <= paths
    assert rigify.animation_data.action == action


def _turn(heads, person, i):
    """The rotation that takes the person's hip and shoulder lines onto the rig's."""
    rig = [heads["DEF-thigh.L"] - heads["DEF-thigh.R"], heads["DEF-upper_arm.L"] - heads["DEF-thigh.L"]]
    rig.append(heads["DEF-upper_arm.R"] - heads["DEF-thigh.R"])
    pairs = (("right_hip", "left_hip"), ("left_hip", "left_shoulder"), ("right_hip", "right_shoulder"))
    own = [(person.point(end) - person.point(start))[i] for start, end in pairs]
    u, _, vt = np.linalg.svd(np.array(rig).T @ np.array(own))
    return u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
