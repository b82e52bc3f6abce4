"""Where a result goes and how many keys it has, as Blender plays it and as a saved file holds it."""

import argparse

import bpy
import numpy as np
import pytest

from atcn_core.motion.reduction import EVERY_FRAME, Thinning
from atcn_core.rotation import normalized
from blender_addon import compat, result
from blender_addon.armature import require_armature
from blender_addon.bake import bake, baking, key_switches
from blender_addon.core import errors, retarget, rigmap
from blender_addon.result import NEW, NLA, REPLACE, ResultOptions, place
from blender_addon.steps import finish
from tests.blender_addon.armatures import t_pose

ROOT, ARM, HEAD = "mixamorig:Hips", "mixamorig:LeftArm", "mixamorig:Head"
FRAMES = 60


def track(frames=FRAMES, seed=0):
    """A root on its way and an arm that turns, both smooth."""
    random = np.random.default_rng(seed)
    t = np.arange(frames)[:, None] / 30.0
    waves = [
        np.sin(t * random.uniform(2, 6, size=(1, 3)) + random.uniform(0, 6, size=(1, 3))) @ random.normal(size=(3, 3))
        for _ in range(3)
    ]
    quats = [normalized(np.concatenate([np.full((frames, 1), 2.0), wave], axis=1)) for wave in waves[:2]]
    return retarget.PoseTrack(t[:, 0], {ROOT: quats[0], ARM: quats[1]}, ROOT, 0.5 * waves[2], {})


def put(armature, wanted, mode=NEW, start=1, thinning=EVERY_FRAME, clip_name="Dance", switches=()):
    """Bake and place a track as `session` does."""
    options = ResultOptions(mode, thinning)
    steps = baking(armature, wanted, action_name=clip_name, start_frame=start, thinning=thinning)
    action, kept = finish(steps)
    key_switches(armature, action, switches, start)
    last = start + len(wanted.times_s) - 1
    placed = place(armature, action, clip_name=clip_name, options=options, first_frame=start, last_frame=last)
    return placed, kept


def basis_at(armature, frame):
    """The arm's turn and the root's place as Blender plays them."""
    bpy.context.scene.frame_set(frame)
    turn = armature.pose.bones[ARM].matrix_basis.to_quaternion()
    return np.array(turn), np.array(armature.pose.bones[ROOT].location)


def worst_off(armature, wanted, start=1):
    """Degrees and cm, over all frames."""
    worst_deg = worst_cm = 0.0
    for i in range(len(wanted.times_s)):
        turn, where = basis_at(armature, start + i)
        cosine = min(abs(float(turn @ wanted.quats[ARM][i])), 1.0)
        worst_deg = max(worst_deg, float(np.degrees(2 * np.arccos(cosine))))
        worst_cm = max(worst_cm, 100 * float(np.linalg.norm(where - wanted.root_location[i])))
    return worst_deg, worst_cm


def hand_keys(armature):
    """An animator's own Action: the head and the arm, at frames 1 and 200."""
    for frame, height in ((1, 0.1), (200, 0.3)):
        for bone in (HEAD, ARM):
            armature.pose.bones[bone].rotation_quaternion = (1.0, height, 0.0, 0.0)
            armature.pose.bones[bone].keyframe_insert("rotation_quaternion", frame=frame)
    armature.animation_data.action.name = "Animator's own"
    return armature.animation_data.action


def keys_of(armature, bone, index=0, channel="rotation_quaternion"):
    path = f'pose.bones["{bone}"].{channel}'
    return next(
        [tuple(key.co) for key in curve.keyframe_points]
        for curve in compat.action_curves(armature)
        if (curve.data_path, curve.array_index) == (path, index)
    )


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"])
@pytest.mark.parametrize("thinning", [Thinning(every=6), Thinning(tolerance_deg=0.8, tolerance_cm=0.7)])
def test_fewer_keys_play_as_far_off_as_is_stated_and_no_farther(mode, thinning):
    armature, _ = t_pose()
    armature.pose.bones[ARM].rotation_mode = mode
    wanted = track()
    still = {**wanted.quats, ROOT: np.tile([1.0, 0, 0, 0], (FRAMES, 1))}
    wanted = retarget.PoseTrack(wanted.times_s, still, ROOT, wanted.root_location, {})
    _, kept = put(armature, wanted, thinning=thinning, start=11)
    worst_deg, worst_cm = worst_off(armature, wanted, start=11)
    assert worst_deg == pytest.approx(kept.worst_deg, abs=0.05)  # the cosine of so small an angle in Blender's floats
    assert worst_cm == pytest.approx(kept.worst_cm, abs=1e-3)
    if thinning.tolerance_deg is not None:
        assert kept.worst_deg <= 0.8
        assert kept.worst_cm <= 0.7
    assert kept.keys < kept.frames / 3


def test_all_channels_of_a_turn_are_keyed_on_the_same_frames_and_last_when_blender_works_out_handles():
    armature, _ = t_pose()
    wanted = track()
    _, kept = put(armature, wanted, thinning=Thinning(tolerance_deg=0.5))
    before = worst_off(armature, wanted)
    curves = [
        curve for curve in compat.action_curves(armature) if "rotation" in curve.data_path and ARM in curve.data_path
    ]
    assert len({tuple(key.co[0] for key in curve.keyframe_points) for curve in curves}) == 1
    for curve in compat.action_curves(armature):
        curve.update()
    assert worst_off(armature, wanted) == pytest.approx(before, abs=1e-3)
    assert kept.worst_deg <= 0.5


def test_the_present_actions_other_frames_and_channels_stay():
    armature, _ = t_pose()
    own = hand_keys(armature)
    head = keys_of(armature, HEAD, 1)
    wanted = track()
    placed, _ = put(armature, wanted, REPLACE, start=50)
    assert (placed, armature.animation_data.action, list(bpy.data.actions)) == (own, own, [own])
    assert keys_of(armature, HEAD, 1) == head
    frames = [frame for frame, _ in keys_of(armature, ARM, 1)]
    assert frames == [1, *range(50, 50 + FRAMES), 200]
    assert keys_of(armature, ARM, 1)[0][1] == pytest.approx(0.1)
    assert worst_off(armature, wanted, start=50) == pytest.approx((0.0, 0.0), abs=0.06)
    # once more over a part of it: the keys there give way, the others of the first time stay
    other = track(20, seed=5)
    put(armature, other, REPLACE, start=60, clip_name="Another")
    assert [frame for frame, _ in keys_of(armature, ARM, 1)] == frames
    assert worst_off(armature, other, start=60) == pytest.approx((0.0, 0.0), abs=0.06)
    assert basis_at(armature, 50)[0] @ wanted.quats[ARM][0] == pytest.approx(1.0, abs=1e-5)


def test_what_does_not_move_holds_from_the_clips_first_to_its_last_frame():
    armature, _ = t_pose()
    hand_keys(armature)
    still = np.tile([0.8, 0.6, 0.0, 0.0], (FRAMES, 1))
    wanted = track()
    wanted = retarget.PoseTrack(wanted.times_s, {**wanted.quats, ARM: still}, ROOT, wanted.root_location, {})
    put(armature, wanted, REPLACE, start=50)
    assert worst_off(armature, wanted, start=50) == pytest.approx((0.0, 0.0), abs=0.06)


def test_an_earlier_action_of_the_same_clip_is_replaced_wholly_but_for_what_the_animator_added():
    armature, _ = t_pose()
    first, _ = put(armature, track(100), NEW, start=1)
    armature.pose.bones[HEAD].keyframe_insert("rotation_quaternion", frame=90)
    head = keys_of(armature, HEAD, 1)
    again, _ = put(armature, track(30, seed=2), REPLACE, start=5)
    assert (again, list(bpy.data.actions)) == (first, [first])
    assert [frame for frame, _ in keys_of(armature, ARM, 1)] == list(range(5, 35))
    assert keys_of(armature, HEAD, 1) == head


def test_without_a_present_action_replacing_makes_a_new_one():
    armature, _ = t_pose()
    placed, _ = put(armature, track(), REPLACE)
    assert armature.animation_data.action == placed
    assert worst_off(armature, track()) == pytest.approx((0.0, 0.0), abs=0.06)


def test_a_setting_of_the_rig_goes_back_outside_of_the_clip():
    armature, _ = t_pose()
    armature.pose.bones[ARM]["IK_FK"] = 0.25
    hand_keys(armature)
    put(armature, track(), REPLACE, start=50, switches=[rigmap.SwitchedBone(ARM, "IK_FK", 1.0)])

    def settings():
        found = {}
        for frame in (1, 30, 49, 50, 70, 49 + FRAMES, 50 + FRAMES, 150):
            bpy.context.scene.frame_set(frame)
            found[frame] = armature.pose.bones[ARM]["IK_FK"]
        return found

    inside = {50, 70, 49 + FRAMES}
    assert settings() == {frame: 1.0 if frame in inside else 0.25 for frame in settings()}
    # and where the animator has keyed it
    put(armature, track(), REPLACE, start=50, switches=[rigmap.SwitchedBone(ARM, "IK_FK", 0.0)], clip_name="Another")
    assert settings() == {frame: 0.0 if frame in inside else 0.25 for frame in settings()}


def test_a_strip_goes_on_a_track_of_its_own_and_the_active_action_stays():
    armature, _ = t_pose()
    own = hand_keys(armature)
    wanted = track()
    placed, _ = put(armature, wanted, NLA, start=20)
    animation = armature.animation_data
    assert animation.action == own
    assert not own.use_fake_user
    (nla_track,) = animation.nla_tracks
    (strip,) = nla_track.strips
    assert (strip.action, strip.name, strip.frame_start, strip.frame_end) == (placed, "Dance", 20, 19 + FRAMES)
    animation.action = None
    assert worst_off(armature, wanted, start=20) == pytest.approx((0.0, 0.0), abs=0.06)
    second, _ = put(armature, track(seed=3), NLA, start=200, clip_name="More")
    assert [track.strips[0].action for track in animation.nla_tracks] == [placed, second]
    # the later strip on top leaves the earlier one's frames alone
    assert worst_off(armature, wanted, start=20) == pytest.approx((0.0, 0.0), abs=0.06)
    assert worst_off(armature, track(seed=3), start=200) == pytest.approx((0.0, 0.0), abs=0.06)


@pytest.fixture
def library(tmp_path):
    """A file with an animated armature in a collection."""
    armature, _ = t_pose()
    hand_keys(armature)
    collection = bpy.data.collections.new("Character")
    bpy.context.scene.collection.children.link(collection)
    bpy.context.scene.collection.objects.unlink(armature)
    collection.objects.link(armature)
    path = tmp_path / "character.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return path


def linked(library):
    with bpy.data.libraries.load(str(library), link=True) as (source, wanted):
        wanted.collections = list(source.collections)
    (collection,) = wanted.collections
    bpy.context.scene.collection.children.link(collection)
    return collection


def overridden(library):
    """The library's armature as an editable override."""
    made = linked(library).override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    (armature,) = (thing for thing in made.all_objects if thing.type == "ARMATURE")
    return armature


def test_a_linked_armature_is_refused_in_words(library):
    (armature,) = linked(library).objects
    with pytest.raises(errors.RigError, match=r"linked from another file.*library override"):
        require_armature(armature)


def test_an_override_that_is_not_editable_is_refused_in_words(library):
    made = linked(library).override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    (armature,) = (thing for thing in made.all_objects if thing.type == "ARMATURE")
    with pytest.raises(errors.RigError, match=r"not editable.*editable first"):
        require_armature(armature)


@pytest.mark.parametrize("mode", [NEW, NLA])
def test_an_overridden_armature_plays_the_result_from_a_saved_file_too(library, tmp_path, mode):
    armature = overridden(library)
    wanted, name = track(), armature.name
    require_armature(armature)
    put(armature, wanted, mode, start=3)
    if mode == NLA:
        armature.animation_data.action = None
    assert worst_off(armature, wanted, start=3) == pytest.approx((0.0, 0.0), abs=0.06)
    shot = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(shot))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    (armature,) = (thing for thing in bpy.data.objects if thing.name == name and thing.override_library is not None)
    assert worst_off(armature, wanted, start=3) == pytest.approx((0.0, 0.0), abs=0.06)


def test_keys_of_a_linked_action_cannot_be_replaced_and_the_words_say_so(library):
    armature = overridden(library)
    assert armature.animation_data.action.library is not None
    with pytest.raises(errors.RigError, match=r"linked from another file, so its keys.*New Action"):
        result.require_writable(armature, ResultOptions(REPLACE))
    result.require_writable(armature, ResultOptions(NEW))
    put(armature, track(), NEW)
    put(armature, track(seed=1), REPLACE)
    assert worst_off(armature, track(seed=1)) == pytest.approx((0.0, 0.0), abs=0.06)


def test_nothing_but_the_mode_decides_where_keys_go():
    armature, _ = t_pose()
    first = bake(armature, track(), action_name="Own", start_frame=1)
    second, kept = put(armature, track(), NEW)
    assert (armature.animation_data.action, kept, first.use_fake_user) == (second, None, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ResultOptions()),
        (["--result", "nla", "--every", "5", "--ik"], ResultOptions(NLA, Thinning(every=5), ik=True)),
        (["--tolerance-deg", "2", "--tolerance-cm", "1.5"], ResultOptions(NEW, Thinning(1, 2.0, 1.5))),
    ],
)
def test_a_command_line_says_all_of_it(arguments, expected):
    parser = argparse.ArgumentParser()
    result.add_arguments(parser)
    assert result.options_of_arguments(parser.parse_args(arguments)) == expected


@pytest.mark.parametrize(
    "arguments", [["--every", "0"], ["--tolerance-deg", "nan"], ["--every", "2", "--tolerance-deg", "1"]]
)
def test_a_senseless_command_line_is_refused(arguments, capsys):
    parser = argparse.ArgumentParser()
    result.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(arguments)
    assert arguments[0] in capsys.readouterr().err
