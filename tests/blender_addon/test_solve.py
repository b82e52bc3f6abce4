"""Every rig in reach follows a person, and its own motion, as exactly as its bones allow: judged by Blender."""

import bpy
import numpy as np
import pytest

from atcn_core.motion.rigmap import RigMap
from tests.blender_addon.armatures import a_pose
from tests.blender_addon.rigs_in_reach import rig_makers
from tests.blender_addon.solve_errors import (
    follow,
    heads_at,
    parity_errors_deg,
    segment_errors_deg,
    trunk_errors_deg,
)
from tests.blender_addon.solve_measures import made, shown_bones
from tests.moving_person import dancing

every_rig = pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in rig_makers().items()])


@every_rig
def test_limbs_and_trunk_point_where_the_person_s_do(make):
    motion, frames = dancing(1.0, seed=5).motion(), range(0, 30, 6)
    heads, _ = follow(*make(), motion, frames)
    assert segment_errors_deg(heads, motion, frames).max() < 0.01
    assert trunk_errors_deg(heads, motion, frames).max() < 0.01


@every_rig
def test_a_rig_s_own_motion_solved_back_onto_it_is_that_motion(make):
    errors_deg = parity_errors_deg(make, frames=range(0, 30, 5))
    for pair, of_pair in errors_deg.items():
        assert of_pair.max() < 0.1, pair


def test_a_generated_rigs_deforming_bones_follow_as_exactly():
    armature, rig_map = made("rigify:basic_human:generated")
    motion, frames = dancing(1.0, seed=5).motion(), range(0, 30, 6)
    follow(armature, rig_map, motion, frames)
    heads = heads_at(armature, RigMap(shown_bones(armature, rig_map, control_rig=True)), frames)
    assert segment_errors_deg(heads, motion, frames).max() < 0.01
    assert trunk_errors_deg(heads, motion, frames).max() < 0.01


@pytest.mark.parametrize("local_location", [True, False])
def test_feet_that_hang_on_the_root_stay_on_their_legs(local_location):
    armature, rig_map = a_pose()
    bpy.ops.object.mode_set(mode="EDIT")
    for side in ("L", "R"):
        foot = armature.data.edit_bones[f"foot.{side}"]
        foot.parent = armature.data.edit_bones["root"]
        foot.use_local_location = local_location
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["root"].location = (0.3, 0.2, 0.1)
    armature.pose.bones["root"].rotation_quaternion = (0.9, 0.0, 0.0, 0.43589)
    armature.scale = (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    motion, frames = dancing(1.0, seed=7).motion(), range(0, 30, 6)
    heads, _ = follow(armature, rig_map, motion, frames)
    assert segment_errors_deg(heads, motion, frames).max() < 0.05
    for side in ("left", "right"):
        shin_m = np.linalg.norm(heads[f"{side}_foot"] - heads[f"{side}_shin"], axis=1)
        bones = [armature.data.bones[rig_map.bones[f"{side}_{role}"]] for role in ("shin", "foot")]
        assert np.allclose(shin_m, 0.5 * (bones[1].head_local - bones[0].head_local).length, atol=1e-5)
