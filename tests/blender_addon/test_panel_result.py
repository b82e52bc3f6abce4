"""The sub-panel "Result": what it shows for which rig, and what its settings ask for."""

from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from atcn_core.motion.reduction import EVERY_FRAME, Thinning
from blender_addon import compat, panel_result, runs, session
from blender_addon.properties import request_of
from blender_addon.result import NEW, NLA, REPLACE, ResultOptions
from blender_addon.rig_files import import_armatures

from .addon import switched_on
from .armatures import t_pose
from .test_panels import Layout
from .test_session import waving_motion

__all__ = ["switched_on"]


def drawn() -> set[str]:
    layout = Layout()
    panel_result.ATCN_PT_result.draw(SimpleNamespace(layout=layout), SimpleNamespace(scene=bpy.context.scene))
    return {name for _, name in layout.drawn}


def settings():
    return bpy.context.scene.atcn


def test_as_it_comes_it_asks_for_what_was_always_done(switched_on):
    assert request_of(bpy.context.scene).result == ResultOptions()
    assert drawn() == {"mode", "keys"}


def test_it_shows_only_what_the_choice_of_keys_needs(switched_on):
    settings().result.keys = "EVERY"
    assert drawn() == {"mode", "keys", "every"}
    settings().result.keys = "FIT"
    assert drawn() == {"mode", "keys", "tolerance_deg", "tolerance_cm"}


def test_fk_or_ik_is_asked_only_for_a_rig_that_has_both(switched_on):
    plain, _ = t_pose()
    (rigify,) = import_armatures("rigify:basic_human:generated")
    settings().target = "ARMATURE"
    settings().result.limbs = "IK"
    settings().armature = plain
    assert "limbs" not in drawn()
    assert not request_of(bpy.context.scene).result.ik
    settings().armature = rigify
    assert "limbs" in drawn()
    assert request_of(bpy.context.scene).result.ik
    settings().target = "AVATAR"
    assert "limbs" not in drawn()
    assert not request_of(bpy.context.scene).result.ik


@pytest.mark.parametrize("mode", [NEW, REPLACE, NLA])
@pytest.mark.parametrize(
    ("keys", "thinning"),
    [("ALL", EVERY_FRAME), ("EVERY", Thinning(every=7)), ("FIT", Thinning(tolerance_deg=2.5, tolerance_cm=0.25))],
)
def test_the_settings_are_what_is_asked_for(switched_on, mode, keys, thinning):
    result = settings().result
    result.mode, result.keys, result.every, result.tolerance_deg, result.tolerance_cm = mode, keys, 7, 2.5, 0.25
    assert request_of(bpy.context.scene).result == ResultOptions(mode, thinning)


def test_applying_the_last_capture_again_goes_by_the_panel_as_it_is_now_and_tells_of_the_keys(switched_on, tmp_path):
    armature, _ = t_pose()
    settings().target, settings().armature = "ARMATURE", armature
    request = session.Request(video=tmp_path / "dance.mp4", rig=session.RigChoice(armature=armature.name))
    runs.last_capture = (request, waving_motion())
    bpy.ops.atcn.apply_last()
    first = armature.animation_data.action
    settings().start_frame, settings().result.mode, settings().result.keys = 20, REPLACE, "FIT"
    bpy.ops.atcn.apply_last()
    assert armature.animation_data.action == first
    assert first.frame_range[0] == 20
    assert "keys, at most" in runs.status.headline
    counts = [len(curve.keyframe_points) for curve in compat.action_curves(armature)]
    assert max(counts) < len(waving_motion().times_s)
    settings().result.mode, settings().start_frame = NLA, 100
    bpy.ops.atcn.apply_last()
    assert armature.animation_data.action == first
    (track,) = armature.animation_data.nla_tracks
    assert np.isclose(track.strips[0].frame_start, 100)
