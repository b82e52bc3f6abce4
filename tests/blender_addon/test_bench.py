"""The benchmark compares like with like, and its table says which limit is not kept."""

from __future__ import annotations

import bpy
import numpy as np

from blender_addon import compat
from blender_addon.bench import Figure, bench_keys, table
from blender_addon.bench_again import as_long_as, seconds_again

from .test_session import waving_motion


def test_both_ways_of_keying_give_the_same_curves():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rates = bench_keys(bones=3, frames=40)
    assert min(rates) > 0.0
    armature = bpy.data.objects["bench"]
    inserted = {(c.data_path, c.array_index): [k.co[1] for k in c.keyframe_points] for c in _curves(armature)}
    armature.animation_data.action = bpy.data.actions["bulk"]
    if hasattr(armature.animation_data, "action_slot"):
        armature.animation_data.action_slot = armature.animation_data.action.slots[0]
    baked = {(c.data_path, c.array_index): [k.co[1] for k in c.keyframe_points] for c in _curves(armature)}
    assert len(baked) == 3 * 4 + 3
    assert baked.keys() == inserted.keys()
    for curve, values in baked.items():
        np.testing.assert_allclose(values, inserted[curve], atol=1e-6)


def _curves(armature: bpy.types.Object) -> list[bpy.types.FCurve]:
    return compat.action_curves(armature)


def test_what_is_asked_for_again_is_each_done_and_timed():
    motion = as_long_as(waving_motion(0.5), 40)
    assert motion.joints_cam.shape[0] == motion.root_cam.shape[0] == len(motion.score) == 40
    assert np.allclose(np.diff(motion.times_s), 1.0 / 30.0)
    costs = seconds_again(motion, "mira")
    assert [cost.wish.split()[1] for cost in costs] == ["foot", "smoothing", "height", "rig"]
    assert all(cost.seconds > 0.0 and cost.processor_s > 0.0 for cost in costs)
    assert len(bpy.data.actions) == 5
    assert len([thing for thing in bpy.data.objects if thing.type == "ARMATURE"]) == 2


def test_the_table_marks_what_is_not_kept():
    lines = table([Figure("ratio", 1.7, "times", "at most 1.5", False), Figure("speed", 1234.0, "a second")])
    first, second = lines.splitlines()
    assert first.endswith("at most 1.5: NOT KEPT")
    assert "1,234 a second" in second
