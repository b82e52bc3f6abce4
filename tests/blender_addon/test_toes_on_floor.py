"""Toes and fingers of press-ups, as Blender evaluates them: the body's own skin, and a generated rig's toes."""

import bpy
import numpy as np
import pytest

from atcn_core.motion.feet import FOOT_MODES
from blender_addon import rigs
from blender_addon.apply import apply_motion
from blender_addon.session import set_scene_rate
from tests.blender_addon.armatures import vertices_m
from tests.blender_addon.press_ups import FRAMES, on_generated_rig, paths, press_ups_filmed


def lowest_m(meshes) -> float:
    """How high the lowest point of the meshes is over z = 0 in some of the frames, as they are deformed."""
    found = []
    for frame in FRAMES[::5]:
        bpy.context.scene.frame_set(frame)
        found += [vertices_m(mesh)[:, 2].min() for mesh in meshes]
    return min(found)


@pytest.fixture
def press_ups():
    return press_ups_filmed()


@pytest.mark.parametrize("name", ["bruno", "mira"])
def test_toes_and_fingers_of_press_ups_stay_over_the_floor(name, press_ups):
    scene = bpy.context.scene
    set_scene_rate(scene, press_ups.fps)
    rig = rigs.find_rig(name)
    armature = rigs.append_avatar(rig, scene)
    meshes = [thing for thing in scene.objects if thing.type == "MESH" and thing.find_armature() == armature]
    depth = {}
    for mode in ("never", "auto"):
        action = apply_motion(
            armature, rig.map, press_ups, scene=scene, action_name=mode, start_frame=0, foot_mode=FOOT_MODES[mode]
        )
        depth[mode] = lowest_m(meshes)
        bpy.data.actions.remove(action)
    assert depth["auto"] > -0.015
    assert depth["never"] < -0.04


def test_the_toes_of_a_generated_rig_are_flat_by_fk_and_by_ik(press_ups):
    ways = []
    for armature in on_generated_rig(press_ups):
        ends = [paths(armature, ["DEF-toe.L"], end)[0] for end in ("head", "tail")]
        ways.append(np.stack(ends, axis=1))
        at_rest = armature.data.bones["DEF-toe.L"]
    assert np.linalg.norm(ways[0] - ways[1], axis=-1).max() < 0.002
    toes = ways[0][:, 1] - ways[0][:, 0]
    slope = (at_rest.tail_local - at_rest.head_local).normalized().z
    assert toes[:, 2] / np.linalg.norm(toes, axis=1) == pytest.approx(slope, abs=0.1)
    assert ways[0][..., 2].min() > -0.01
