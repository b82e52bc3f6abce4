"""Toes and fingers of press-ups, as Blender evaluates them: the body's own skin, and a generated rig's toes."""

import bpy
import numpy as np
import pytest

from atcn_core.motion.feet import FOOT_MODES
from blender_addon import rigs
from blender_addon.apply import apply_motion, posing
from blender_addon.bake import give
from blender_addon.result import ResultOptions
from blender_addon.rig_files import import_armatures
from blender_addon.rigs import recognise_armature
from blender_addon.session import set_scene_rate
from blender_addon.steps import finish
from tests.blender_addon.test_apply import filmed
from tests.moving_person import pressing_up

FRAMES = range(0, 60, 15)


@pytest.fixture
def press_ups():
    person, _ = pressing_up(2.0)
    return filmed(person)


def lowest_m(meshes) -> float:
    """How high the lowest point of the meshes is over z = 0 in any of the frames, as they are deformed."""
    found = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        for mesh in meshes:
            seen = mesh.evaluated_get(graph)
            found.append(min((seen.matrix_world @ vertex.co).z for vertex in seen.data.vertices))
    return min(found)


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
    (armature,) = import_armatures("rigify:basic_human:generated")
    rig_map = recognise_armature(armature).to_rig_map()
    ways = []
    for ik in (False, True):
        steps = posing(
            armature,
            rig_map,
            press_ups,
            fps=30.0,
            action_name="Press-ups",
            start_frame=0,
            foot_mode=FOOT_MODES["auto"],
            result=ResultOptions(ik=ik),
        )
        give(armature, finish(steps)[0])
        ends = []
        for frame in FRAMES:
            bpy.context.scene.frame_set(frame)
            seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
            toe = seen.pose.bones["DEF-toe.L"]
            ends.append([seen.matrix_world @ end for end in (toe.head, toe.tail)])
        ways.append(np.array(ends))
    assert np.linalg.norm(ways[0] - ways[1], axis=-1).max() < 0.002
    toes = ways[0][:, 1] - ways[0][:, 0]
    at_rest = armature.data.bones["DEF-toe.L"]
    slope = (at_rest.tail_local - at_rest.head_local).normalized().z
    assert toes[:, 2] / np.linalg.norm(toes, axis=1) == pytest.approx(slope, abs=0.1)
    assert ways[0][..., 2].min() > -0.01
