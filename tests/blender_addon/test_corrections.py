"""Sliders and parts of the body, from the panel and the command line to the keys."""

import argparse
import math
from dataclasses import replace
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from blender_addon import compat, pose_preview, properties, result, runs, session
from blender_addon import corrections as panel
from blender_addon.core import corrections, errors
from blender_addon.core import parts as body_parts

from .addon import switched_on
from .armatures import degrees_apart, evaluated_heads, t_pose
from .test_panels import Layout
from .test_session import request, waving_motion

__all__ = ["switched_on"]

SIDES = (("Left", 1.0), ("Right", -1.0))


def keyed_bones(armature) -> set[str]:
    return {curve.data_path.split('"')[1] for curve in compat.action_curves(armature)}


def curves(armature) -> dict:
    return {
        (curve.data_path, curve.array_index): [tuple(key.co) for key in curve.keyframe_points]
        for curve in compat.action_curves(armature)
    }


def applied(tmp_path, armature, **settings) -> session.Applied:
    wanted = replace(request(tmp_path, armature=armature.name), **settings)
    return session.apply_capture(wanted, waving_motion(), bpy.context.scene)


def with_own_animation() -> bpy.types.Object:
    """The T-pose with keys of the animator's own on a leg and an arm."""
    armature, _ = t_pose()
    for bone in ("mixamorig:LeftUpLeg", "mixamorig:LeftForeArm"):
        for frame, angle_rad in ((1, 0.0), (15, 0.7), (60, 0.1)):
            armature.pose.bones[bone].rotation_quaternion = (math.cos(angle_rad), math.sin(angle_rad), 0, 0)
            armature.pose.bones[bone].keyframe_insert("rotation_quaternion", frame=frame)
    return armature


def of_bone(armature, bone) -> dict:
    return {place: keys for place, keys in curves(armature).items() if f'"{bone}"' in place[0]}


def test_arm_spread_turns_the_evaluated_arms_outwards_by_as_much(switched_on, tmp_path):
    plain, spread = t_pose()[0], t_pose()[0]
    applied(tmp_path, plain)
    applied(tmp_path, spread, corrections=corrections.Corrections(arm_spread_deg=15.0))
    for frame in (1, 12, 24):
        first, second = evaluated_heads(plain, frame), evaluated_heads(spread, frame)
        for side, sign in SIDES:
            ways = [heads[f"mixamorig:{side}ForeArm"] - heads[f"mixamorig:{side}Arm"] for heads in (first, second)]
            assert degrees_apart(*ways) == pytest.approx(15.0, abs=0.3)
            assert sign * (ways[1] - ways[0])[0] > 0


@pytest.mark.parametrize("mode", result.MODES)
def test_bones_of_other_parts_keep_the_animators_own_keys(switched_on, tmp_path, mode):
    armature = with_own_animation()
    leg = of_bone(armature, "mixamorig:LeftUpLeg")
    own = armature.animation_data.action
    before = curves(armature)
    done = applied(tmp_path, armature, parts=body_parts.PRESETS["upper"], result=result.ResultOptions(mode))
    assert of_bone(armature, "mixamorig:LeftUpLeg") == leg
    if mode == result.NLA:
        assert armature.animation_data.action is own
        assert curves(armature) == before
        return
    assert not any(
        word in bone for bone in keyed_bones(armature) - {"mixamorig:LeftUpLeg"} for word in ("Leg", "Foot", "Hips")
    )
    assert (
        len(of_bone(armature, "mixamorig:LeftForeArm")[('pose.bones["mixamorig:LeftForeArm"].rotation_quaternion', 0)])
        > 20
    )
    if mode == result.NEW:
        assert own.name in bpy.data.actions
        assert armature.animation_data.action is not own
        assert armature.animation_data.action.name == done.action
        armature.animation_data.action = own
        assert curves(armature) == before
    else:
        assert armature.animation_data.action is own


def test_without_own_animation_the_new_action_has_those_parts_alone(switched_on, tmp_path):
    armature, _ = t_pose()
    applied(tmp_path, armature, parts=body_parts.PRESETS["arms_and_head"])
    assert keyed_bones(armature)
    assert all(
        "Arm" in bone or "Hand" in bone or "Shoulder" in bone or "Head" in bone or "Neck" in bone
        for bone in keyed_bones(armature)
    )


def test_applying_parts_again_leaves_the_rest_of_the_first_try(switched_on, tmp_path):
    armature, _ = t_pose()
    applied(tmp_path, armature)
    before = curves(armature)
    more = corrections.Corrections(arm_spread_deg=20.0)
    replaced = result.ResultOptions(result.REPLACE)
    applied(tmp_path, armature, corrections=more, parts=body_parts.PRESETS["arms_and_head"], result=replaced)
    after = curves(armature)
    assert before.keys() == after.keys()
    changed = {place[0].split('"')[1] for place in before if before[place] != after[place]}
    assert "mixamorig:LeftArm" in changed
    assert not any(word in bone for bone in changed for word in ("Leg", "Foot", "Hips", "Spine"))


def test_on_the_spot_the_hips_stay_where_the_animator_has_put_them(switched_on, tmp_path):
    armature, _ = t_pose()
    armature.pose.bones["mixamorig:Hips"].location = (0.0, 0.5, 0.0)
    applied(tmp_path, armature, parts=body_parts.WHOLE - {"path"})
    assert "mixamorig:Hips" in keyed_bones(armature)
    assert not any(place[0].endswith("location") for place in curves(armature))
    bpy.context.scene.frame_set(10)
    assert tuple(armature.pose.bones["mixamorig:Hips"].location) == (0.0, 0.5, 0.0)


def test_no_part_is_refused_and_leaves_the_scene_alone(switched_on, tmp_path):
    armature = with_own_animation()
    before, actions = curves(armature), list(bpy.data.actions)
    with pytest.raises(errors.RigError, match="No part"):
        applied(tmp_path, armature, parts=frozenset())
    assert curves(armature) == before
    assert list(bpy.data.actions) == actions


def test_the_panels_settings_are_the_requests(switched_on):
    settings = bpy.context.scene.atcn.corrections
    untouched = properties.request_of(bpy.context.scene)
    assert untouched.corrections == corrections.NONE
    assert untouched.parts == body_parts.WHOLE
    for slider in ("arm_spread", "leg_spread", "foot_angle", "lean"):
        setattr(settings, slider, math.radians(7.0))
    settings.hip_height = 12.0
    bpy.ops.atcn.choose_parts(preset="legs")
    wanted = properties.request_of(bpy.context.scene)
    assert wanted.corrections == corrections.Corrections(7.0, 7.0, 7.0, 12.0, 7.0)
    assert wanted.parts == body_parts.PRESETS["legs"]
    bpy.ops.atcn.reset_corrections()
    assert properties.request_of(bpy.context.scene).corrections == corrections.NONE
    assert properties.request_of(bpy.context.scene).parts == body_parts.PRESETS["legs"]


@pytest.mark.parametrize("preset", list(body_parts.PRESETS))
def test_every_preset_can_be_chosen_and_says_what_it_does(switched_on, preset):
    bpy.ops.atcn.choose_parts(preset=preset)
    assert set(bpy.context.scene.atcn.corrections.parts) == body_parts.PRESETS[preset]
    assert panel.ATCN_OT_choose_parts.description(bpy.context, SimpleNamespace(preset=preset))


def test_applying_the_last_capture_again_takes_the_sliders_as_they_are_now(switched_on, tmp_path):
    armature, _ = t_pose()
    scene = bpy.context.scene
    scene.atcn.armature, scene.atcn.target = armature, "ARMATURE"
    runs.last_capture = (request(tmp_path, armature=armature.name), waving_motion())
    bpy.ops.atcn.apply_last()
    before = evaluated_heads(armature, 5)
    scene.atcn.corrections.arm_spread = math.radians(15.0)
    bpy.ops.atcn.apply_last()
    after = evaluated_heads(armature, 5)
    ways = [heads["mixamorig:RightForeArm"] - heads["mixamorig:RightArm"] for heads in (before, after)]
    assert degrees_apart(*ways) == pytest.approx(15.0, abs=0.3)


class PartsLayout(Layout):
    """The layout with what this panel uses besides."""

    def prop_enum(self, data, name, value, **settings):
        self._check("prop_enum", settings)
        assert value in data.bl_rna.properties[name].enum_items
        self.drawn.append(("part", value))


def test_the_panel_shows_every_slider_part_and_preset_and_is_closed_at_first(switched_on):
    layout = PartsLayout()
    panel.ATCN_PT_corrections.draw(SimpleNamespace(layout=layout), SimpleNamespace(scene=bpy.context.scene))
    drawn = layout.drawn
    assert {name for kind, name in drawn if kind == "prop"} == set(panel.SLIDERS)
    assert [name for kind, name in drawn if kind == "part"] == list(body_parts.PARTS)
    operators = [name for kind, name in drawn if kind == "operator"]
    assert operators.count("atcn.choose_parts") == len(body_parts.PRESETS)
    assert {"atcn.preview_pose", "atcn.reset_corrections"} <= set(operators)
    assert "DEFAULT_CLOSED" in panel.ATCN_PT_corrections.bl_options
    assert not pose_preview.is_on()


def parsed(*arguments) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    panel.add_arguments(parser)
    return parser.parse_args(arguments)


def test_the_command_line_says_the_same_as_the_panel():
    assert panel.corrections_of_arguments(parsed()) == corrections.NONE
    assert panel.parts_of_arguments(parsed()) == body_parts.WHOLE
    options = parsed(
        "--arm-spread", "15", "--leg-spread", "-5", "--foot-angle", "3.5", "--hip-height", "2", "--lean", "-4",
        "--parts", "arms_and_head", "trunk",
    )  # fmt: skip
    assert panel.corrections_of_arguments(options) == corrections.Corrections(15.0, -5.0, 3.5, 2.0, -4.0)
    assert panel.parts_of_arguments(options) == body_parts.PRESETS["upper"]


@pytest.mark.parametrize("wrong", [("--arm-spread", "91"), ("--lean", "nan"), ("--lean", "far"), ("--parts", "tail")])
def test_wrong_values_on_the_command_line_are_refused_with_their_name(wrong, capsys):
    with pytest.raises(SystemExit):
        parsed(*wrong)
    assert wrong[0] in capsys.readouterr().err


def test_hip_height_raises_the_baked_rig_by_its_share_of_the_leg(switched_on, tmp_path):
    plain, raised = t_pose()[0], t_pose()[0]
    applied(tmp_path, plain)
    applied(tmp_path, raised, corrections=corrections.Corrections(hip_height_percent=10.0))
    first, second = evaluated_heads(plain, 9), evaluated_heads(raised, 9)
    leg_m = 0.93 - 0.51 + np.linalg.norm([0.02, 0.51 - 0.08])
    for bone in ("mixamorig:Head", "mixamorig:LeftFoot", "mixamorig:RightHand"):
        assert np.allclose(second[bone] - first[bone], [0, 0, 0.1 * leg_m], atol=1e-4)
