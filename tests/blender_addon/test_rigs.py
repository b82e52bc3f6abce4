"""The rigs folder: every rig in it can be brought in and is recognised; what is wrong is named."""

import json
import shutil

import bpy
import numpy as np
import pytest

from blender_addon import rigs, session
from blender_addon.core import errors

from .addon import data_names, make_armature, switched_on
from .armatures import evaluated_heads
from .test_session import waving_motion

__all__ = ["switched_on"]

NAMES = [path.parent.name for path in sorted(rigs.rigs_dir().glob("*/rig.json"))]


def test_there_are_six_rigs_and_all_of_them_can_be_read():
    assert len(NAMES) >= 6
    assert [rig.avatar.parent.name for rig in rigs.list_rigs()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_avatar_comes_into_the_scene_with_its_body_and_is_recognised_by_its_bones(switched_on, name):
    rig = rigs.find_rig(name)
    scene = bpy.context.scene
    armature = rigs.append_avatar(rig, scene)
    assert armature.name in scene.objects
    assert any(thing.type == "MESH" and thing.find_armature() == armature for thing in scene.objects)
    assert rigs.map_of_armature(armature).bones == rig.map.bones


@pytest.mark.parametrize("name", NAMES)
def test_a_motion_moves_every_avatar_and_it_stands_upright(switched_on, name, tmp_path):
    """Through the add-on's own way, which solves before the avatar is in the scene: turned and scaled ones too."""
    (tmp_path / "film.mp4").write_text("")
    request = session.Request(tmp_path / "film.mp4", session.RigChoice(avatar=name))
    scene = bpy.context.scene
    applied = session.apply_capture(request, waving_motion(1.0), scene)
    armature, rig = scene.objects[applied.armature], rigs.find_rig(name)
    height_m = rig.rest["height_m"]
    wrists = []
    for frame in np.linspace(1, applied.last_frame, 5).astype(int):
        heads = evaluated_heads(armature, int(frame))
        place = {role: np.array(heads[bone]) for role, bone in rig.map.bones.items()}
        up = place["head"] - 0.5 * (place["left_foot"] + place["right_foot"])
        assert 0.3 < up[2] / height_m < 1.0
        assert np.abs(up[:2]).max() < 0.35 * height_m
        assert -0.02 < place["left_foot"][2] / height_m < 0.2
        wrists += [place["left_hand"], place["right_hand"]]
    assert np.ptp(np.stack([wrists[0::2], wrists[1::2]]), axis=1).max() > 0.003 * height_m


@pytest.mark.parametrize("name", NAMES[:1])
def test_a_second_one_of_the_same_avatar_is_told_apart(switched_on, name):
    first, second = (rigs.append_avatar(rigs.find_rig(name), bpy.context.scene) for _ in range(2))
    assert first.name != second.name
    assert rigs.map_of_armature(second).bones == rigs.map_of_armature(first).bones


def test_an_unknown_rig_is_answered_with_the_names_of_the_known():
    with pytest.raises(errors.RigError, match=NAMES[0]):
        rigs.find_rig("nobody")


def test_an_armature_without_the_needed_bones_is_told_which_are_missing(switched_on):
    with pytest.raises(errors.RigError, match="left_forearm"):
        rigs.map_of_armature(make_armature("sticks", ["hips", "spine", "head"]))


def test_what_is_no_armature_is_refused(switched_on):
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    with pytest.raises(errors.RigError, match="no armature"):
        rigs.map_of_armature(lamp)


@pytest.fixture
def broken(tmp_path):
    """A copy of a rig's folder, to break."""
    shutil.copytree(rigs.rigs_dir() / NAMES[0], tmp_path / "broken")
    return tmp_path / "broken"


def rewrite(folder, **changes):
    path = folder / "rig.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_rig_with_a_wrong_key_is_passed_over_in_the_list_and_named_when_asked_for(broken):
    rewrite(broken, bonez={})
    assert rigs.list_rigs(broken.parent) == []
    with pytest.raises(errors.RigError, match=r"rig\.json.*bonez"):
        rigs.find_rig("broken", broken.parent)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"avatar": "none.blend"}, "missing"), ({"avatar": "rig.json"}, "cannot be read"), ({"object": "x"}, "no object")],
)
def test_an_avatar_that_cannot_be_brought_in_leaves_the_scene_as_it_was(switched_on, broken, change, words):
    rewrite(broken, **change)
    rig = rigs.find_rig("broken", broken.parent)
    before = data_names()
    with pytest.raises(errors.RigError, match=words):
        rigs.append_avatar(rig, bpy.context.scene)
    assert data_names() == before
