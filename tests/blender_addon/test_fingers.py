"""Fingers as Blender shows them: they point in the rig's palm as the person's do in theirs, on avatars and others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from atcn_core.hands import FINGERS
from atcn_core.motion.fingers import finger_rows
from atcn_core.motion.fingers_palm import finger_directions, palm_axes, to_palm
from atcn_core.motion.spread import chains_around
from atcn_core.skeleton import SIDES
from blender_addon import motion_source, properties, session
from blender_addon.apply import apply_motion, pose_track
from blender_addon.armature import rest_of
from blender_addon.batch import _options
from blender_addon.compat import action_curves
from blender_addon.core import parts, rigmap
from blender_addon.rig_files import import_armatures
from blender_addon.rigs import map_of_armature
from tests.atcn_core.motion.hand_shapes import FIST, FLAT, POINTING, SHAPES, hand, moving
from tests.moving_person import dancing

from .addon import switched_on
from .armatures import degrees_apart, evaluated_heads
from .rigs_in_reach import OTHERS, OWN, own_rig, reads_gltf
from .test_panels import Layout

__all__ = ["switched_on"]

FINGERED = ["bruno", "gorm", "mira", "nuri", "otto"]
OTHER_RIGS = ["cc0_makehuman_mpfb/rig.default.json", "cc0_makehuman_mpfb/rig.mixamo.json", "cc0_mesh2motion/human-male"]


def made(name: str) -> tuple[bpy.types.Object, rigmap.RigMap]:
    if (OWN / name / "rig.json").is_file():
        return own_rig(OWN / name / "rig.json")
    if name.startswith("rigify"):
        (armature,) = import_armatures(name)
        return armature, map_of_armature(armature)
    source = next(iter(sorted((OTHERS / name).parent.glob(f"*{Path(name).name}*"))), None)
    if source is None or (source.suffix == ".glb" and not reads_gltf()):
        pytest.skip("the rig is not here, or this Blender cannot read it")
    armature = import_armatures(str(source))[0]
    return armature, map_of_armature(armature)


def danced(hands):
    person = dancing(0.5, seed=4).motion()
    frames = len(person.times_s)
    still = replace(
        hands,
        bent_rad=np.repeat(hands.bent_rad, frames, axis=0),
        aside_rad=np.repeat(hands.aside_rad, frames, axis=0),
        score=np.repeat(hands.score, frames, axis=0),
    )
    return replace(person, hands=still)


def worst_deg(armature, rig_map, shapes) -> float:
    """How far the fingers' bones are off, as Blender evaluates them, each from its head to the next one's."""
    rest = rest_of(armature)
    rows = finger_rows(rest, rig_map, chains_around(rest, rig_map))
    heads = evaluated_heads(armature, 9)
    worst = 0.0
    for side, shape in zip(SIDES, shapes, strict=True):
        # What moves the skin tells where the hand is; a control rig's controls are elsewhere.
        hand_bone = rig_map.bones[f"{side}_hand"].replace("hand_fk", "DEF-hand")
        axes = palm_axes(heads[hand_bone], heads[rows[f"{side}_index"][0]], heads[rows[f"{side}_pinky"][0]], side)
        wanted = finger_directions(to_palm(hand(shape, side), side))
        for number, finger in enumerate(FINGERS):
            row = [bone if f"DEF-{bone}" not in heads else f"DEF-{bone}" for bone in rows[f"{side}_{finger}"]]
            for bone in range(min(len(row) - 1, 3)):
                seen = (heads[row[bone + 1]] - heads[row[bone]]) @ axes
                worst = max(worst, degrees_apart(seen, wanted[number, bone]))
    return worst


@pytest.mark.parametrize("name", [*FINGERED, *OTHER_RIGS, "rigify:human", "rigify:human:generated"])
def test_a_fist_and_a_pointing_hand_are_shown_as_they_are(name):
    armature, rig_map = made(name)
    armature.rotation_euler = (0.3, -0.2, 1.0)
    bpy.context.view_layer.update()
    action = apply_motion(
        armature, rig_map, danced(moving(FIST, POINTING)), scene=bpy.context.scene, action_name="Hands"
    )
    assert armature.animation_data.action == action
    assert worst_deg(armature, rig_map, (FIST, POINTING)) < 0.1
    rest = rest_of(armature)
    rows = finger_rows(rest, rig_map, chains_around(rest, rig_map))
    part_of = parts.part_of_bones(rest, rig_map)
    assert {part_of[bone] for row in rows.values() for bone in row[:3]} == {"fingers"}


def test_flat_hands_are_flat_whatever_the_fingers_did_before():
    armature, rig_map = made("mira")
    for bone in armature.pose.bones:
        if "Hand" in bone.name and bone.name[-1].isdigit():
            bone.rotation_mode = "XYZ"
            bone.rotation_euler = (0.5, 0.2, -0.3)
    apply_motion(armature, rig_map, danced(moving(FLAT, FLAT)), scene=bpy.context.scene, action_name="Hands")
    assert worst_deg(armature, rig_map, (FLAT, FLAT)) < 0.1


def test_fists_close_towards_the_palm_on_both_sides():
    armature, rig_map = made("otto")
    apply_motion(armature, rig_map, danced(moving(FIST, FIST)), scene=bpy.context.scene, action_name="Hands")
    rest = rest_of(armature)
    rows = finger_rows(rest, rig_map, chains_around(rest, rig_map))
    at_rest = {bone: rest.head_world(bone) for bone in rest.names}
    heads = evaluated_heads(armature, 9)
    for side in SIDES:
        wrist = rig_map.bones[f"{side}_hand"]
        for finger in FINGERS[1:]:
            tip = rows[f"{side}_{finger}"][-1]
            assert np.linalg.norm(heads[tip] - heads[wrist]) < 0.8 * np.linalg.norm(at_rest[tip] - at_rest[wrist])


@pytest.mark.parametrize("shape", SHAPES)
def test_hands_change_nothing_but_the_fingers(shape):
    armature, rig_map = made("gorm")
    rest, motion = rest_of(armature), danced(moving(SHAPES[shape], SHAPES[shape]))
    without = pose_track(replace(motion, hands=None), rest, rig_map, 30.0)
    track = pose_track(motion, rest, rig_map, 30.0)
    assert all(np.array_equal(track.quats[bone], quats) for bone, quats in without.quats.items())
    part_of = parts.part_of_bones(rest, rig_map)
    assert {part_of[bone] for bone in set(track.quats) - set(without.quats)} == {"fingers"}


@pytest.mark.parametrize("name", ["mira", "bruno"])
def test_fingers_get_keys_only_where_their_part_does(name):
    armature, rig_map = made(name)
    rest, motion = rest_of(armature), danced(moving(FIST, FIST))
    rows = {bone for row in finger_rows(rest, rig_map, chains_around(rest, rig_map)).values() for bone in row[:3]}
    assert len(rows) == 30
    assert rows <= set(pose_track(motion, rest, rig_map, 30.0).quats)
    arms = pose_track(motion, rest, rig_map, 30.0, keyed=parts.WHOLE - {"fingers"})
    assert not rows & set(arms.quats)
    assert rig_map.bones["left_hand"] in arms.quats
    alone = pose_track(motion, rest, rig_map, 30.0, keyed=frozenset({"fingers"}))
    assert rows <= set(alone.quats)
    assert rig_map.bones["left_hand"] not in alone.quats


def test_an_avatar_without_fingers_is_animated_as_ever():
    armature, rig_map = made("pip")
    apply_motion(armature, rig_map, danced(moving(FIST, FIST)), scene=bpy.context.scene, action_name="Hands")
    paths = {curve.data_path for curve in action_curves(armature)}
    assert not any("hand.l" in path or "handslot" in path for path in paths)


@pytest.mark.parametrize("name", ["mira", "bruno"])
def test_fingers_go_from_an_animated_armature_to_another_rig(name):
    source, source_map = made(name)
    scene = bpy.context.scene
    apply_motion(source, source_map, danced(moving(FIST, POINTING)), scene=scene, action_name="Hands")
    motion = motion_source.motion_of(motion_source.MotionSource(armature=source.name), scene)
    armature, rig_map = made("gorm")
    apply_motion(armature, rig_map, motion, scene=scene, action_name="Taken")
    assert worst_deg(armature, rig_map, (FIST, POINTING)) < 0.2


def test_fingers_that_the_source_does_not_move_get_no_keys():
    source, source_map = made("mira")
    scene = bpy.context.scene
    apply_motion(source, source_map, dancing(0.5, seed=4).motion(), scene=scene, action_name="Body")
    motion = motion_source.motion_of(motion_source.MotionSource(armature=source.name), scene)
    assert motion.hands is None


def test_the_panel_asks_for_fingers_of_videos_only(switched_on):
    settings = bpy.context.scene.atcn
    assert properties.request_of(bpy.context.scene).fingers is False
    settings.fingers = True
    request = properties.request_of(bpy.context.scene)
    assert session.capture_job(request, Path("somewhere")).fingers is True
    from blender_addon.panels import _draw_settings

    for source, shown in (("VIDEO", True), ("BVH", False)):
        settings.source = source
        layout = Layout()
        _draw_settings(layout, settings)
        assert (("prop", "fingers") in layout.drawn) is shown


def test_the_batch_asks_for_fingers():
    arguments = ["--video", "a.mp4", "--rig", "mira", "--out", "a.blend"]
    assert _options(arguments).fingers is False
    assert _options([*arguments, "--fingers"]).fingers is True
