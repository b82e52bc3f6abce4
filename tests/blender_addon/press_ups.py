"""Press-ups on rigs, as Blender evaluates them: what the tests of hands and of toes on the floor share."""

from collections.abc import Iterator

import bpy
import numpy as np

from atcn_core.clip import Motion3D
from atcn_core.motion.feet import FOOT_MODES
from blender_addon.apply import posing
from blender_addon.bake import give
from blender_addon.result import ResultOptions
from blender_addon.rig_files import import_armatures
from blender_addon.rigs import recognise_armature
from blender_addon.steps import finish
from tests.blender_addon.test_apply import filmed
from tests.moving_person import pressing_up

FRAMES = range(0, 60, 3)


def press_ups_filmed() -> Motion3D:
    """Two seconds of press-ups as a capture without errors."""
    person, _ = pressing_up(2.0)
    return filmed(person)


def paths(armature: bpy.types.Object, bones: list[str], end: str = "head") -> list[np.ndarray]:
    """Where these bones' heads or tails are (T, 3) at FRAMES, as Blender evaluates them."""
    found = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([seen.matrix_world @ getattr(seen.pose.bones[bone], end) for bone in bones])
    return list(np.swapaxes(np.array(found), 0, 1))


def on_generated_rig(motion: Motion3D) -> Iterator[bpy.types.Object]:
    """A generated Rigify rig with the motion on its FK controls, feet on Auto; then the same with its IK controls."""
    (armature,) = import_armatures("rigify:basic_human:generated")
    rig_map = recognise_armature(armature).to_rig_map()
    for ik in (False, True):
        steps = posing(
            armature,
            rig_map,
            motion,
            fps=30.0,
            action_name="Press-ups",
            start_frame=0,
            foot_mode=FOOT_MODES["auto"],
            result=ResultOptions(ik=ik),
        )
        give(armature, finish(steps)[0])
        yield armature
