"""Keys on a generated Rigify rig's IK controls put its deform bones where keys on the FK ones have them."""

import bpy
import numpy as np
import pytest

from atcn_core.motion import ik_controls
from atcn_core.motion.retarget import PoseTrack
from atcn_core.rotation import normalized
from blender_addon.apply import posing
from blender_addon.armature import rest_of
from blender_addon.bake import bake, give, key_switches
from blender_addon.compat import curves_in
from blender_addon.core import errors
from blender_addon.result import ResultOptions
from blender_addon.rig_files import import_armatures
from blender_addon.rigs import recognise_armature
from blender_addon.steps import finish
from tests.blender_addon.armatures import degrees_apart, t_pose
from tests.blender_addon.test_apply import filmed
from tests.moving_person import about, dancing

FRAMES = 40
X = np.array([1.0, 0.0, 0.0])
# Deform bones at a limb's start, middle and end.
LIMBS = [("DEF-upper_arm", "DEF-forearm", "DEF-hand"), ("DEF-thigh", "DEF-shin", "DEF-foot")]


@pytest.fixture
def rigify():
    (armature,) = import_armatures("rigify:basic_human:generated")
    return armature


def moving(armature, rig_map, least_bend_deg=2.0):
    """Every limb of the rig in smooth motion by its FK controls, elbows and knees from almost straight to well bent."""
    random = np.random.default_rng(4)
    t = np.arange(FRAMES)[:, None] / 12.0

    def wave(columns, size):
        speed, phase = random.uniform(1, 3, size=(2, 1, columns))
        return size * np.sin(t * speed + 3 * phase)

    def turn(size):
        return normalized(np.concatenate([np.ones((FRAMES, 1)), wave(3, size)], axis=1))

    bones = rig_map.bones
    quats = {bones["hips"]: turn(0.3)}
    for side in ("left", "right"):
        for upper, lower, end in (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")):
            quats[bones[f"{side}_{upper}"]] = turn(0.5)
            bend = np.radians(least_bend_deg + 50.0 * (1.0 + wave(1, 1.0)[:, 0]))
            quats[bones[f"{side}_{lower}"]] = about(X, bend)
            quats[bones[f"{side}_{end}"]] = turn(0.3)
        quats[bones[f"{side}_toe"]] = about(X, wave(1, 0.4)[:, 0])
    return PoseTrack(t[:, 0], quats, bones["hips"], wave(3, 0.4), {})


def evaluated(armature, bones):
    """{bone: (T, 4, 4)} of deform bones, as Blender has them."""
    found = []
    for frame in range(1, FRAMES + 1):
        bpy.context.scene.frame_set(frame)
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([np.array(seen.matrix_world @ seen.pose.bones[bone].matrix) for bone in bones])
    return dict(zip(bones, np.swapaxes(found, 0, 1), strict=True))


def both_ways(armature, track=None):
    """The deform bones by FK and by IK controls, and the IK track."""
    rig_map = recognise_armature(armature).to_rig_map()
    rest = rest_of(armature)
    track = track or moving(armature, rig_map)
    limbs = ik_controls.ik_limbs(rig_map, rest.names)
    deform = [f"{bone}.{side}" for limb in LIMBS for bone in limb for side in "LR"] + ["DEF-toe.L", "DEF-toe.R"]
    ways = []
    ik_track = ik_controls.to_ik(track, rest, limbs)
    for ik, keyed in ((False, track), (True, ik_track)):
        action = bake(armature, keyed, action_name="Way", start_frame=1)
        key_switches(armature, action, ik_controls.switches(rig_map, limbs, track, ik=ik), 1)
        ways.append(evaluated(armature, deform))
    return *ways, ik_track


def require_same(fk, ik):
    for start, middle, end in LIMBS:
        for side in "LR":
            heads = [[way[f"{bone}.{side}"][:, :3, 3] for bone in (start, middle, end)] for way in (fk, ik)]
            assert 1000 * np.linalg.norm(heads[0][2] - heads[1][2], axis=1).max() < 1.0, (end, side)
            for first, second in ((0, 1), (1, 2)):
                by_fk, by_ik = (normalized(way[second] - way[first]) for way in heads)
                assert max(map(degrees_apart, by_fk, by_ik)) < 1.0, (start, side, first)
    for bone in ("DEF-hand", "DEF-foot", "DEF-toe"):
        for side in "LR":
            for axis in range(3):
                by_fk, by_ik = (normalized(way[f"{bone}.{side}"][:, :3, axis]) for way in (fk, ik))
                assert max(map(degrees_apart, by_fk, by_ik)) < 0.5, (bone, side, axis)


def test_hands_feet_elbows_and_knees_end_where_the_fk_controls_have_them(rigify):
    fk, ik, track = both_ways(rigify)
    require_same(fk, ik)
    assert {"hand_ik.L", "foot_ik.R", "upper_arm_ik_target.R", "thigh_ik_target.L"} <= set(track.other_locations)
    assert not [bone for bone in track.quats if "_fk" in bone and "spine" not in bone]


def test_wherever_the_animator_has_put_the_root_and_left_the_helpers(rigify):
    root = rigify.pose.bones["root"]
    root.location = (0.4, -0.2, 0.1)
    root.rotation_quaternion = about(normalized(np.array([0.2, 0.1, 1.0])), 0.7)
    rigify.location = (1.0, 2.0, 0.0)
    rigify.pose.bones["foot_spin_ik.L"].rotation_quaternion = about(X, 0.5)
    rigify.pose.bones["foot_heel_ik.R"].rotation_euler = (0.6, 0.0, 0.0)
    bpy.context.view_layer.update()
    fk, ik, _ = both_ways(rigify)
    require_same(fk, ik)


def test_poles_stand_before_knees_and_behind_elbows_and_never_jump(rigify):
    rig_map = recognise_armature(rigify).to_rig_map()
    fk, _, track = both_ways(rigify, moving(rigify, rig_map, least_bend_deg=0.0))
    for limb, (start, middle, end) in zip(("upper_arm", "thigh"), LIMBS, strict=True):
        heads = [fk[f"{bone}.L"][:, :3, 3] for bone in (start, middle, end)]
        place = track.other_locations[f"{limb}_ik_target.L"] + np.array(
            rigify.data.bones[f"{limb}_ik_target.L"].head_local
        )
        assert (np.linalg.norm(place - heads[1], axis=1) > 0.1).all()
        out = heads[1] - 0.5 * (heads[0] + heads[2])
        bent = np.linalg.norm(out, axis=1) > 0.02
        assert (np.sum((place - heads[1]) * out, axis=1)[bent] > 0).all()
        assert np.linalg.norm(np.diff(place - heads[1], axis=0), axis=1).max() < 0.5


def test_the_whole_way_by_ik_has_feet_and_hands_where_it_has_them_by_fk(rigify):
    rig_map = recognise_armature(rigify).to_rig_map()
    bpy.context.scene.render.fps = 30
    motion = filmed(dancing(1.0, seed=3))
    ways = []
    for ik in (False, True):
        steps = posing(
            rigify, rig_map, motion, fps=30.0, action_name="Dance", start_frame=1, result=ResultOptions(ik=ik)
        )
        action, kept = finish(steps)
        assert kept is None
        moved = {curve.group.name for curve in curves_in(action)}
        assert bool(moved & {"hand_fk.L", "MCH-foot_fk.R"}) != ik
        assert bool(moved & {"hand_ik.L", "foot_ik.R"}) == ik
        give(rigify, action)
        ways.append(evaluated(rigify, ["DEF-foot.L", "DEF-foot.R", "DEF-hand.L", "DEF-hand.R"]))
    for bone in ways[0]:
        apart_m = np.linalg.norm(ways[0][bone][:30, :3, 3] - ways[1][bone][:30, :3, 3], axis=1)
        assert 1000 * apart_m.max() < 1.0


def test_a_limb_without_keys_is_left_to_the_animator(rigify):
    rig_map = recognise_armature(rigify).to_rig_map()
    whole = moving(rigify, rig_map)
    arms = {bone: turns for bone, turns in whole.quats.items() if "arm" in bone or "hand" in bone}
    rest = rest_of(rigify)
    limbs = ik_controls.ik_limbs(rig_map, rest.names)
    track = PoseTrack(whole.times_s, arms, whole.root_bone, whole.root_location, {})
    assert not [bone for bone in ik_controls.to_ik(track, rest, limbs).quats if "foot" in bone or "thigh" in bone]
    for ik in (False, True):
        switched = {switch.bone for switch in ik_controls.switches(rig_map, limbs, track, ik=ik)}
        assert {"upper_arm_parent.L", "upper_arm_parent.R"} <= switched
        assert not [bone for bone in switched if "thigh" in bone]


def test_a_rig_without_ik_controls_is_refused_in_words():
    armature, rig_map = t_pose()
    steps = posing(
        armature, rig_map, filmed(dancing(0.2)), fps=30.0, action_name="x", start_frame=1, result=ResultOptions(ik=True)
    )
    with pytest.raises(errors.RigError, match=r"no IK controls that are known.*choose FK"):
        finish(steps)
    assert not bpy.data.actions
