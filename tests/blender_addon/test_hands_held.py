"""Hands on the floor, as Blender evaluates them: on avatars of several builds, by FK and by IK controls."""

from itertools import pairwise

import bpy
import numpy as np
import pytest

from atcn_core.motion.feet import FOOT_MODES
from atcn_core.skeleton import SIDES
from blender_addon import rigs
from blender_addon.apply import apply_motion
from blender_addon.session import set_scene_rate
from tests.blender_addon.press_ups import on_generated_rig, paths, press_ups_filmed


@pytest.fixture
def press_ups():
    return press_ups_filmed()


@pytest.mark.parametrize("name", ["bruno", "pip", "gorm"])
def test_hands_of_press_ups_stay_on_the_floor_of_every_avatar(name, press_ups):
    scene = bpy.context.scene
    set_scene_rate(scene, press_ups.fps)
    rig = rigs.find_rig(name)
    armature = rigs.append_avatar(rig, scene)
    at_rest = {
        role: armature.matrix_world @ armature.data.bones[bone].head_local for role, bone in rig.map.bones.items()
    }
    ends = [at_rest[f"left_{role}"] for role in ("upper_arm", "forearm", "hand")]
    arm_m = sum((end - start).length for start, end in pairwise(ends))
    hands = [rig.map.bones[f"{side}_hand"] for side in SIDES]
    spread = {}
    for mode in ("never", "auto"):
        action = apply_motion(
            armature, rig.map, press_ups, scene=scene, action_name=mode, start_frame=0, foot_mode=FOOT_MODES[mode]
        )
        moved = paths(armature, hands)
        spread[mode] = max(np.ptp(path, axis=0).max() for path in moved)
        bpy.data.actions.remove(action)
    assert spread["auto"] < 0.002
    assert spread["never"] > 0.01
    for path in moved:
        assert path[:, 2].mean() == pytest.approx(0.08 * arm_m, abs=0.01)


def test_the_ik_controls_of_a_generated_rig_hold_the_hands_as_well(press_ups):
    bones = ["DEF-hand.L", "DEF-hand.R", "DEF-forearm.L", "DEF-foot.L"]
    ways = [paths(armature, bones) for armature in on_generated_rig(press_ups)]
    for by_fk, by_ik in zip(*ways, strict=True):
        assert np.linalg.norm(by_fk - by_ik, axis=1).max() < 0.002
    for path in ways[1][:2]:
        assert np.ptp(path, axis=0).max() < 0.002
        assert 0.02 < path[:, 2].mean() < 0.07
