"""Corrections judged by plain geometry: lengths, angles counted by hand, mirror images, sums; and by a posed rig."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.motion import retarget
from atcn_core.motion.corrections import LIMITS, NONE, Corrections, corrected, corrected_track, solve
from atcn_core.motion.retarget import RigRest
from atcn_core.motion.world import WorldMotion
from atcn_core.skeleton import CAPTURE, SKELETONS, mirrored_name
from tests.atcn_core.motion.stick_rig import HEADS, RIG_MAP, posed_world, stick_rest
from tests.moving_person import BACK, LEFT, UP, about, after, dancing, posed

SIDES = (("left", 1.0), ("right", -1.0))
ON_JOINTS = ("arm_spread_deg", "leg_spread_deg", "lean_deg")
MIRROR = np.array([-1.0, 1.0, 1.0])
some_deg = st.floats(-20.0, 20.0)
on_joints = st.builds(Corrections, arm_spread_deg=some_deg, leg_spread_deg=some_deg, lean_deg=some_deg)


def standing(frames: int = 10) -> WorldMotion:
    """Somebody who stands still, arms hanging a little off the body, elbows and knees a little bent."""
    local = {}
    for side, sign in SIDES:
        local[f"{side}_upper_arm"] = np.tile(about(BACK, sign * 1.3), (frames, 1))
        local[f"{side}_forearm"] = np.tile(about(UP, -sign * 0.2), (frames, 1))
        local[f"{side}_shin"] = np.tile(about(LEFT, 0.1), (frames, 1))
        local[f"{side}_foot"] = np.tile(about(LEFT, -0.1), (frames, 1))
    return posed(np.arange(frames) / 30.0, np.array([0.0, 0.0, 0.895]), local).motion()


def along(motion: WorldMotion, start: str, end: str) -> np.ndarray:
    way = motion.points(end) - motion.points(start)
    return way / np.linalg.norm(way, axis=-1, keepdims=True)


def angle_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    cosine = np.sum(first * second, axis=-1)
    return np.degrees(
        np.arccos(np.clip(cosine / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1), -1, 1))
    )


def lengths_m(motion: WorldMotion) -> np.ndarray:
    return np.stack(
        [np.linalg.norm(motion.joints_world[:, a] - motion.joints_world[:, b], axis=1) for a, b in CAPTURE.bones]
    )


def mirrored(motion: WorldMotion) -> WorldMotion:
    twins = CAPTURE.indices(*(mirrored_name(joint) for joint in CAPTURE.joints))
    return replace(motion, joints_world=motion.joints_world[:, twins] * MIRROR)


def test_no_correction_changes_nothing_bit_for_bit():
    motion, rest = dancing(0.5).motion(), stick_rest(3)
    assert corrected(motion, NONE) is motion
    plain, same = retarget.solve(motion, rest, RIG_MAP), solve(motion, rest, RIG_MAP, Corrections())
    assert all((plain.quats[bone] == same.quats[bone]).all() for bone in plain.quats)
    assert (plain.root_location == same.root_location).all()


@pytest.mark.parametrize("name", list(LIMITS))
def test_each_slider_has_a_limit_and_what_is_no_number_is_refused(name):
    assert {field.name for field in fields(Corrections)} == set(LIMITS)
    Corrections(**{name: LIMITS[name]})
    for wrong in (LIMITS[name] + 0.1, -LIMITS[name] - 0.1, float("nan")):
        with pytest.raises(ValueError, match=name):
            Corrections(**{name: wrong})


@settings(max_examples=20, deadline=None)
@given(correction=on_joints, seed=st.integers(0, 50))
def test_limbs_keep_their_lengths_and_the_hips_their_way(correction, seed):
    motion = dancing(0.5, seed=seed).motion()
    moved = corrected(motion, correction)
    assert np.allclose(lengths_m(moved), lengths_m(motion), atol=1e-12)
    hips = CAPTURE.indices("hip", "left_hip", "right_hip")
    way = moved.joints_world[:, hips] - motion.joints_world[:, hips]
    assert np.allclose(way, way[0, 0], atol=1e-12)
    assert np.allclose(way[..., :2], 0.0, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(correction=on_joints, seed=st.integers(0, 50))
def test_a_mirrored_person_is_corrected_like_the_mirror_image(correction, seed):
    motion = dancing(0.5, seed=seed).motion()
    assert np.allclose(
        corrected(mirrored(motion), correction).joints_world,
        mirrored(corrected(motion, correction)).joints_world,
        atol=1e-12,
    )


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(ON_JOINTS), first=some_deg, second=some_deg)
def test_two_corrections_add_up_and_opposite_ones_cancel(name, first, second):
    motion = dancing(0.5, seed=2).motion()
    twice = corrected(corrected(motion, Corrections(**{name: first})), Corrections(**{name: second}))
    once = corrected(motion, Corrections(**{name: first + second}))
    assert np.allclose(twice.joints_world, once.joints_world, atol=1e-9)


@pytest.mark.parametrize("degrees", [15.0, -8.0])
def test_hanging_arms_go_outwards_by_the_angle_and_nothing_else_moves(degrees):
    motion = standing()
    moved = corrected(motion, Corrections(arm_spread_deg=degrees))
    for side, sign in SIDES:
        before, after_it = (
            along(motion, f"{side}_shoulder", f"{side}_elbow"),
            along(moved, f"{side}_shoulder", f"{side}_elbow"),
        )
        aside_deg = [np.degrees(np.arctan2(sign * way[:, 0], -way[:, 2])) for way in (before, after_it)]
        assert aside_deg[1] - aside_deg[0] == pytest.approx(degrees, abs=1e-6)
        assert angle_deg(before, after_it) == pytest.approx(abs(degrees), abs=0.5)
    still = [
        i for i, joint in enumerate(CAPTURE.joints) if joint.split("_")[-1] not in ("elbow", "wrist", "index", "pinky")
    ]
    assert (moved.joints_world[:, still] == motion.joints_world[:, still]).all()


@pytest.mark.parametrize("degrees", [10.0, -4.0])
def test_legs_go_apart_with_level_feet_that_stay_on_the_floor(degrees):
    motion = standing()
    moved = corrected(motion, Corrections(leg_spread_deg=degrees))
    for side, sign in SIDES:
        before, after_it = along(motion, f"{side}_hip", f"{side}_ankle"), along(moved, f"{side}_hip", f"{side}_ankle")
        assert np.degrees(np.arcsin(sign * after_it[:, 0])) == pytest.approx(degrees, abs=0.1)
        assert angle_deg(before, after_it) == pytest.approx(abs(degrees), abs=0.1)
        assert np.allclose(along(moved, f"{side}_heel", f"{side}_toe"), along(motion, f"{side}_heel", f"{side}_toe"))
        assert np.allclose(moved.points(f"{side}_heel")[:, 2], motion.points(f"{side}_heel")[:, 2])
    assert moved.points("hip")[0, 2] < motion.points("hip")[0, 2] - 0.001


def test_the_knees_of_someone_who_sits_go_apart_too():
    frames = 5
    local = {f"{side}_thigh": np.tile(about(LEFT, -np.pi / 2), (frames, 1)) for side, _ in SIDES}
    local |= {f"{side}_shin": np.tile(about(LEFT, np.pi / 2), (frames, 1)) for side, _ in SIDES}
    motion = posed(np.arange(frames) / 30.0, np.array([0.0, 0.0, 0.5]), local).motion()
    moved = corrected(motion, Corrections(leg_spread_deg=20.0))

    def gap_m(which):
        return which.points("left_knee")[:, 0] - which.points("right_knee")[:, 0]

    assert (gap_m(moved) > gap_m(motion) + 0.1).all()


def test_a_leg_kicked_straight_aside_does_not_jump():
    """There is no plane to spread it in: the spread ends gently instead of turning about."""
    frames = 200
    local = {"left_thigh": after(about(BACK, -np.linspace(0, np.pi * 0.7, frames)), about(LEFT, 0.02))}
    motion = posed(np.arange(frames) / 30.0, np.array([0.0, 0.0, 0.895]), local).motion()
    way = corrected(motion, Corrections(leg_spread_deg=15.0)).points("left_ankle")
    steps_m = np.linalg.norm(np.diff(way, axis=0), axis=1)
    plain_m = np.linalg.norm(np.diff(motion.points("left_ankle"), axis=0), axis=1)
    assert steps_m.max() < 5.0 * plain_m.max()


def test_leaning_turns_all_above_the_hips_forward_and_leaves_the_legs():
    motion = standing()
    moved = corrected(motion, Corrections(lean_deg=10.0))
    trunk = along(moved, "hip", "thorax")
    assert np.degrees(np.arctan2(-trunk[:, 1], trunk[:, 2])) == pytest.approx(10.0, abs=1e-6)  # it faces -y
    above = [j for j in CAPTURE.joints if j.split("_")[-1] not in ("hip", "knee", "ankle", "heel", "toe")]
    for joint in above:
        assert (
            angle_deg(moved.points(joint) - moved.points("hip"), motion.points(joint) - motion.points("hip")).max()
            <= 10.001
        )
    legs = [i for i, joint in enumerate(CAPTURE.joints) if joint not in above]
    assert (moved.joints_world[:, legs] == motion.joints_world[:, legs]).all()
    apart_m = [np.linalg.norm(which.points("nose") - which.points("left_wrist"), axis=1) for which in (motion, moved)]
    assert np.allclose(*apart_m)


@pytest.mark.parametrize("name", ["h36m-17", "coco-17", "body-25", "mediapipe-33"])
def test_any_joint_set_with_limbs_can_be_corrected(name):
    skeleton, person = SKELETONS[name], dancing(0.3)
    stand_in = {"neck": "thorax"}
    joints = np.stack(
        [person.point(stand_in.get(j, j) if stand_in.get(j, j) in CAPTURE.joints else "nose") for j in skeleton.joints],
        1,
    )
    motion = WorldMotion(person.times_s, skeleton, joints, np.ones(joints.shape[:2]))
    moved = corrected(motion, Corrections(arm_spread_deg=10, leg_spread_deg=10, lean_deg=10))
    for side, _ in SIDES:
        for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            first, second = (
                np.linalg.norm(m.points(f"{side}_{end}") - m.points(f"{side}_{start}"), axis=1) for m in (motion, moved)
            )
            assert np.allclose(first, second)


def test_the_solve_follows_the_corrected_joints_exactly():
    motion, rest = dancing(1.0, seed=5).motion(), stick_rest(2)
    correction = Corrections(arm_spread_deg=15.0, leg_spread_deg=10.0, lean_deg=10.0)
    bones, wanted = posed_world(rest, solve(motion, rest, RIG_MAP, correction)), corrected(motion, correction)
    for side, _ in SIDES:
        for start, end in (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot")):
            roles = (f"{side}_{start}", f"{side}_{end}")
            way = bones[RIG_MAP.bones[roles[1]]][:, :3, 3] - bones[RIG_MAP.bones[roles[0]]][:, :3, 3]
            assert angle_deg(way, along(wanted, HEADS[roles[0]], HEADS[roles[1]])).max() < 0.01


def heads_of(rest: RigRest, track: retarget.PoseTrack) -> dict[str, np.ndarray]:
    posed_bones = posed_world(rest, track)
    return {role: posed_bones[RIG_MAP.bones[role]][:, :3, 3] for role in HEADS}


def placed(rest: RigRest) -> RigRest:
    """Turned, moved and three times as big in the world."""
    matrix = np.diag([3.0, 3.0, 3.0, 1.0])
    matrix[:2, :2] = 3.0 * np.array([[0.6, -0.8], [0.8, 0.6]])
    matrix[:3, 3] = (4.0, -1.0, 2.0)
    return replace(rest, world_from_armature=matrix @ rest.world_from_armature)


@pytest.mark.parametrize("rest", [stick_rest(4), placed(stick_rest(4))], ids=["plain", "placed"])
def test_the_hips_rise_straight_up_by_their_share_of_the_leg_and_all_with_them(rest):
    motion = dancing(0.5, seed=6).motion()
    plain = heads_of(rest, retarget.solve(motion, rest, RIG_MAP))
    raised = heads_of(rest, solve(motion, rest, RIG_MAP, Corrections(hip_height_percent=10.0)))
    leg_m = 0.1 * 0.83 * np.linalg.norm(rest.world_from_armature[:3, 0])
    for role in HEADS:
        assert np.allclose(raised[role] - plain[role], [0.0, 0.0, leg_m], atol=1e-6), role


def test_a_foot_that_hangs_on_the_floor_s_bone_rises_with_the_hips():
    rest = stick_rest(5)
    loose = [RIG_MAP.bones[f"{side}_foot"] for side, _ in SIDES]
    rest = replace(
        rest, parents=tuple(None if n in loose else p for n, p in zip(rest.names, rest.parents, strict=True))
    )
    motion = dancing(0.5, seed=6).motion()
    plain = heads_of(rest, retarget.solve(motion, rest, RIG_MAP))
    raised = heads_of(rest, solve(motion, rest, RIG_MAP, Corrections(hip_height_percent=-10.0)))
    for role in HEADS:
        assert np.allclose(raised[role] - plain[role], [0.0, 0.0, -0.083], atol=1e-6), role


@pytest.mark.parametrize("rest", [stick_rest(7), placed(stick_rest(7))], ids=["plain", "placed"])
def test_toes_rise_by_the_foot_angle_about_the_ankle_and_the_track_says_so(rest):
    plain_track = retarget.solve(standing(), rest, RIG_MAP)
    track = corrected_track(plain_track, rest, RIG_MAP, Corrections(foot_angle_deg=12.0))
    plain, pitched = heads_of(rest, plain_track), heads_of(rest, track)
    for side, _ in SIDES:
        before, after_it = (heads[f"{side}_toe"] - heads[f"{side}_foot"] for heads in (plain, pitched))
        assert angle_deg(before, after_it) == pytest.approx(12.0, abs=0.01)
        assert (after_it[:, 2] > before[:, 2]).all()
        assert angle_deg(after_it, track.directions_world[f"{side}_foot"]).max() < 1e-3
    moved = [role for role in HEADS if not role.endswith("toe")]
    assert all((plain[role] == pitched[role]).all() for role in moved)


def test_foot_angles_add_up():
    rest = stick_rest(8)
    track = retarget.solve(dancing(0.3).motion(), rest, RIG_MAP)
    twice = corrected_track(
        corrected_track(track, rest, RIG_MAP, Corrections(foot_angle_deg=9.0)),
        rest,
        RIG_MAP,
        Corrections(foot_angle_deg=-4.0),
    )
    once = corrected_track(track, rest, RIG_MAP, Corrections(foot_angle_deg=5.0))
    for bone in once.quats:
        assert np.allclose(twice.quats[bone], once.quats[bone], atol=1e-12)
