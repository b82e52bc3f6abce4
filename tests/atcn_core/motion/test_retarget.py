"""The solve against a person whose parts' turns are known, on rigs of any roll, scale and turn."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.errors import RigError
from atcn_core.motion.retarget import RigRest, resample, solve
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized, quat_conjugate, quat_multiply, quat_to_matrix
from atcn_core.skeleton import CAPTURE, COCO_17, H36M_17, SIDES
from tests.atcn_core.motion.stick_rig import HEADS, PARENTS, RIG_MAP, posed_world, stick_rest
from tests.moving_person import BACK, LEFT, UP, about, after, dancing, elbow, knee, kneeling, posed

LIMB_ROLES = [f"{side}_{role}" for side in SIDES for role in ("upper_arm", "forearm", "thigh", "shin")]


def turn_of(rest: RigRest, matrices: dict[str, np.ndarray], role: str) -> np.ndarray:
    """How far a bone has turned from rest in the world (T, 3, 3)."""
    bone = RIG_MAP.bones[role]
    at_rest = rest.world_from_armature[:3, :3] @ rest.matrices[rest.names.index(bone), :3, :3]
    return matrices[bone][:, :3, :3] @ np.linalg.inv(at_rest)


def degrees_apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle of the turn between rotation matrices (T, 3, 3)."""
    cosine = 0.5 * (np.einsum("tij,tij->t", first, second) - 1.0)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def bone_direction(matrices: dict[str, np.ndarray], role: str, following: str) -> np.ndarray:
    heads = [matrices[RIG_MAP.bones[name]][:, :3, 3] for name in (role, following)]
    return normalized(heads[1] - heads[0])


@settings(max_examples=20, deadline=None)
@given(
    roll_seed=st.integers(0, 1000),
    scale=st.sampled_from([0.01, 1.0, 100.0]),
    angles=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    size=st.sampled_from([0.5, 1.0, 1.7]),
    seed=st.integers(0, 1000),
)
def test_limbs_point_where_the_person_s_do_whatever_the_roll_scale_and_turn(roll_seed, scale, angles, size, seed):
    person = dancing(0.5, seed=seed)
    rest = stick_rest(roll_seed, scale, after(about(LEFT, angles[0]), about(UP, angles[1])), size)
    track = solve(person.motion(), rest, RIG_MAP)
    matrices = posed_world(rest, track)
    for role in LIMB_ROLES:
        following = next(child for child, parent in PARENTS.items() if parent == role)
        true = normalized(person.point(HEADS[following]) - person.point(HEADS[role]))
        assert np.allclose(bone_direction(matrices, role, following), true, atol=1e-6), role
        assert np.allclose(track.directions_world[role], true, atol=1e-6), role


@pytest.mark.parametrize("seed", range(6))
def test_bent_limbs_twist_as_the_person_s_do(seed):
    person = dancing(1.0, seed=seed)
    rest = stick_rest(seed)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    for side in SIDES:
        for role, bend in (("upper_arm", "forearm"), ("thigh", "shin")):
            relative = quat_multiply(quat_conjugate(person.turns[f"{side}_{role}"]), person.turns[f"{side}_{bend}"])
            bent = 2 * np.arccos(np.clip(np.abs(relative[:, 0]), 0, 1)) > np.deg2rad(32)
            found = turn_of(rest, matrices, f"{side}_{role}")
            error_deg = degrees_apart(found, quat_to_matrix(person.turns[f"{side}_{role}"]))
            assert bent.any()
            # The plane is steadied a little over time.
            assert error_deg[bent].max() < 0.2, (side, role)


@pytest.mark.parametrize("seed", range(3))
def test_hips_chest_head_and_hands_turn_as_the_person_s_do(seed):
    person = dancing(1.0, seed=seed)
    rest = stick_rest(seed)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    # Hips and chest lean with the trunk as a whole, so part of the spine's bend is shared out between them.
    for role, true, limit_deg in (
        ("hips", "hips", 8),
        ("spine", "chest", 8),
        ("head", "head", 0.1),
        ("left_hand", "left_hand", 0.1),
        ("right_hand", "right_hand", 0.1),
    ):
        error_deg = degrees_apart(turn_of(rest, matrices, role), quat_to_matrix(person.turns[true]))
        assert error_deg.max() < limit_deg, role


@pytest.mark.parametrize(("roll_deg", "side"), [(80, "left"), (-80, "left"), (80, "right"), (-80, "right")])
def test_the_forearm_takes_half_of_the_hand_s_roll(roll_deg, side):
    person = posed(
        np.arange(3) / 30,
        np.array([0, 0, 0.9]),
        {f"{side}_forearm": elbow(side, 1.5), f"{side}_hand": about(LEFT, np.deg2rad(roll_deg))},
    )
    rest = stick_rest(1)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    unrolled = quat_to_matrix(person.turns[f"{side}_forearm"])
    half = quat_to_matrix(after(person.turns[f"{side}_forearm"], about(LEFT, np.deg2rad(roll_deg / 2))))
    found = turn_of(rest, matrices, f"{side}_forearm")
    assert degrees_apart(found, half).max() < 0.1
    assert degrees_apart(found, unrolled).max() == pytest.approx(40, abs=0.1)


def test_a_hanging_arm_s_elbow_and_a_lifted_arm_s_elbow_bend_the_human_way():
    """Straight arms, where the elbow's plane says nothing: the inside of the elbow must face where it can."""
    for side, s in (("left", 1.0), ("right", -1.0)):
        hanging, overhead, ahead = (
            about(BACK, s * np.pi / 2),
            about(BACK, -s * np.pi / 2),
            about(UP, -s * np.pi / 2),
        )
        for turn, wanted in ((hanging, -BACK), (overhead, -s * LEFT), (ahead, normalized(UP - s * LEFT))):
            person = posed(np.arange(3) / 30, np.array([0, 0, 0.9]), {f"{side}_upper_arm": turn})
            rest = stick_rest(2)
            matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
            inside = turn_of(rest, matrices, f"{side}_upper_arm") @ -BACK
            assert (inside @ wanted).min() > np.cos(np.deg2rad(40)), (side, wanted)


def test_a_straight_leg_s_knee_points_where_the_toes_point():
    out = about(UP, 0.6)
    person = posed(np.arange(3) / 30, np.array([0, 0, 0.895]), {"left_thigh": out})
    rest = stick_rest(3)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    kneecap = turn_of(rest, matrices, "left_thigh") @ -BACK
    toes = quat_to_matrix(out) @ -BACK
    assert (kneecap @ toes).min() > np.cos(np.deg2rad(15))


@pytest.mark.parametrize("pitch_deg", [70, 85, 95, 110, 165])
def test_a_low_foot_that_stands_on_its_toes_or_lies_on_its_instep_is_not_laid_level(pitch_deg):
    """Somebody kneels, the feet behind: a steep sole has no level, and one that looks up is not to be laid down."""
    person = kneeling(np.deg2rad(pitch_deg))
    rest = stick_rest(3)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    for side in SIDES:
        wanted = quat_to_matrix(person.turns[f"{side}_foot"])
        assert degrees_apart(turn_of(rest, matrices, f"{side}_foot"), wanted).max() < 12, side


def test_limbs_going_through_straight_never_flip():
    times_s = np.arange(120) / 60
    bend = 0.5 * np.cos(2 * np.pi * times_s)
    rng = np.random.default_rng(0)
    wobble = rng.normal(scale=0.02, size=(4, len(times_s)))
    person = posed(
        times_s,
        np.array([0, 0, 0.9]),
        {
            "left_upper_arm": after(about(BACK, 1.2 + wobble[0]), about(UP, -0.4 + wobble[1])),
            "left_forearm": elbow("left", np.abs(bend)),
            "right_shin": knee(np.maximum(bend, -0.1) + wobble[2]),
        },
    )
    track = solve(person.motion(), stick_rest(4), RIG_MAP)
    for role in ("left_upper_arm", "left_forearm", "right_thigh", "right_shin"):
        steps = np.sum(track.quats[RIG_MAP.bones[role]][1:] * track.quats[RIG_MAP.bones[role]][:-1], axis=1)
        assert np.degrees(2 * np.arccos(np.clip(steps, -1, 1))).max() < 25, role


@pytest.mark.parametrize("bend_deg", [0, 6, 12])
def test_joint_errors_do_not_twist_a_nearly_straight_arm_or_leg(bend_deg):
    """Errors of 8 mm, other ones in each frame, swing a limb's own plane by any angle; the limb must not follow."""
    times_s = np.arange(120) / 30
    bend = np.deg2rad(bend_deg)
    hanging = {"left_upper_arm": about(BACK, 1.3), "left_forearm": elbow("left", bend), "right_shin": knee(bend)}
    person = posed(times_s, np.array([0, 0, 0.9]), hanging)
    motion = person.motion()
    jitter = np.random.default_rng(bend_deg).normal(scale=0.008, size=motion.joints_world.shape)
    rest = stick_rest(5)
    matrices = posed_world(rest, solve(replace(motion, joints_world=motion.joints_world + jitter), rest, RIG_MAP))
    for role in ("left_upper_arm", "right_thigh"):
        turns = turn_of(rest, matrices, role)
        assert degrees_apart(turns[1:], turns[:-1]).max() < 20, role
        assert degrees_apart(turns, quat_to_matrix(person.turns[role])).max() < 45, role


def test_a_head_that_errors_turn_round_and_round_never_jumps():
    angle = np.linspace(0, 2 * np.pi, 181)
    person = posed(np.arange(181) / 60, np.array([0, 0, 0.9]), {"head": about(UP, angle)})
    rest = stick_rest(6)
    head = turn_of(rest, posed_world(rest, solve(person.motion(), rest, RIG_MAP)), "head")
    assert degrees_apart(head[1:], head[:-1]).max() < 8
    believed = degrees_apart(head, head[:1])
    assert np.allclose(believed[:35], np.degrees(angle[:35]), atol=0.1)
    assert 80 < believed.max() < 95


def test_the_hip_path_is_scaled_by_the_legs_and_the_feet_stand_as_at_rest():
    person = posed(np.arange(30) / 30, np.linspace([0, 0, 5.0], [2.0, -1.0, 5.0], 30), {})
    for size in (0.5, 2.0):
        rest = stick_rest(5, size=size, scale=0.01)
        matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
        hips = matrices[RIG_MAP.bones["hips"]][:, :3, 3]
        assert np.allclose(hips[-1] - hips[0], size * np.array([2.0, -1.0, 0.0]), atol=1e-6)
        ankle = matrices[RIG_MAP.bones["left_foot"]][:, 2, 3]
        assert np.allclose(ankle, 0.065 * size, atol=1e-6)


def test_a_rig_that_stands_elsewhere_starts_there():
    person = dancing(0.5)
    rest = stick_rest(6)
    moved = np.array(rest.world_from_armature)
    moved[:3, 3] = (3.0, -2.0, 1.5)
    there = replace(rest, world_from_armature=moved)
    hips = RIG_MAP.bones["hips"]
    here_path = posed_world(rest, solve(person.motion(), rest, RIG_MAP))[hips][:, :3, 3]
    there_path = posed_world(there, solve(person.motion(), there, RIG_MAP))[hips][:, :3, 3]
    assert np.allclose(there_path - here_path, (3.0, -2.0, 1.5), atol=1e-6)


def test_a_rig_whose_rest_lies_far_below_its_object_still_stands_on_the_floor():
    stance = posed(np.arange(10) / 30, np.array([0, 0, 0.895]), {})
    rest = stick_rest(6)
    sunk = rest.matrices.copy()
    sunk[:, 2, 3] -= 5.0
    below = replace(rest, matrices=sunk)
    toe = posed_world(below, solve(stance.motion(), below, RIG_MAP))[RIG_MAP.bones["left_toe"]]
    assert np.all((toe[:, 2, 3] > 0.0) & (toe[:, 2, 3] < 0.1))


def test_controls_above_the_hips_stay_as_they_are_posed():
    """A root bone that was turned and moved: the character is in the same place all the same."""
    person, rest = dancing(0.5, seed=10), stick_rest(10)
    root = np.eye(4)
    root[:3, :3] = quat_to_matrix(about(BACK, 0.4))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = quat_to_matrix(about(UP, 2.5)), (0.3, 1.0, -0.7)
    rooted = RigRest(
        ("root", *rest.names),
        (None, *(parent or "root" for parent in rest.parents)),
        np.concatenate([root[None], rest.matrices]),
        rest.world_from_armature,
        np.append(True, rest.inherits_turn),
        np.append(True, rest.local_location),
        np.concatenate([pose[None], rest.pose]),
    )
    plain = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    found = posed_world(rooted, solve(person.motion(), rooted, RIG_MAP))
    for bone, matrices in plain.items():
        assert np.allclose(found[bone], matrices, atol=1e-6), bone


def test_what_was_not_seen_stays_as_at_rest_on_its_neighbour():
    person = dancing(1.0, seed=7)
    motion = person.motion()
    blind = motion.score.copy()
    blind[:, CAPTURE.indices("left_index", "left_pinky", "left_wrist", "nose", "left_ear", "right_ear")] = 0
    rest = stick_rest(7)
    track = solve(WorldMotion(motion.times_s, CAPTURE, motion.joints_world, blind), rest, RIG_MAP)
    for role in ("left_hand", "head"):
        assert np.allclose(np.abs(track.quats[RIG_MAP.bones[role]][:, 0]), 1.0, atol=1e-6), role
    assert np.abs(track.quats[RIG_MAP.bones["right_hand"]][:, 0]).min() < 0.999


@pytest.mark.parametrize("skeleton", [H36M_17, COCO_17])
def test_joint_sets_without_hands_and_feet_are_solved_too(skeleton):
    person = dancing(0.5, seed=8)
    known = [joint for joint in skeleton.joints if joint in CAPTURE.joints]
    joints = np.stack([person.point(j if j in known else "nose") for j in skeleton.joints], axis=1)
    motion = WorldMotion(person.times_s, skeleton, joints, np.ones(joints.shape[:2]))
    rest = stick_rest(8)
    matrices = posed_world(rest, solve(motion, rest, RIG_MAP))
    for role, following in (("left_upper_arm", "left_forearm"), ("right_shin", "right_foot")):
        true = normalized(person.point(HEADS[following]) - person.point(HEADS[role]))
        assert np.allclose(bone_direction(matrices, role, following), true, atol=1e-6)
    assert all(np.isfinite(quats).all() for quats in solve(motion, rest, RIG_MAP).quats.values())


def test_a_bone_that_does_not_inherit_turns_still_points_right():
    person, rest = dancing(0.5, seed=9), stick_rest(9)
    free = rest.inherits_turn.copy()
    arm = rest.names.index(RIG_MAP.bones["left_upper_arm"])
    free[arm] = False
    track = solve(
        person.motion(),
        replace(rest, inherits_turn=free),
        RIG_MAP,
    )
    at_rest = rest.matrices[arm, :3, :3]
    turned = at_rest @ quat_to_matrix(track.quats[RIG_MAP.bones["left_upper_arm"]]) @ at_rest.T
    true = normalized(person.point("left_elbow") - person.point("left_shoulder"))
    assert np.allclose(turned @ LEFT, true, atol=1e-6)


def test_ten_thousand_frames_take_seconds():
    person = dancing(10_000 / 30)
    start = time.process_time()
    solve(person.motion(), stick_rest(), RIG_MAP)
    assert time.process_time() - start < 2.0


def test_a_missing_bone_is_named():
    bones = {**RIG_MAP.bones, "left_shin": "nowhere"}
    with pytest.raises(RigError, match=r"nowhere \(left_shin\)"):
        solve(dancing(0.2).motion(), stick_rest(), RigMap(bones, "broken"))


def test_a_mirrored_armature_is_refused_in_words():
    rest = stick_rest()
    flipped = rest.world_from_armature @ np.diag([-1.0, 1.0, 1.0, 1.0])
    with pytest.raises(RigError, match="mirrored"):
        solve(
            dancing(0.2).motion(),
            replace(rest, world_from_armature=flipped),
            RIG_MAP,
        )


def test_resampling_at_the_same_times_changes_nothing_and_halfway_lies_between():
    track = solve(dancing(1.0, fps=25).motion(), stick_rest(), RIG_MAP)
    same = resample(track, track.times_s)
    for bone, quats in track.quats.items():
        assert np.allclose(np.abs(np.sum(quats * same.quats[bone], axis=1)), 1.0, atol=1e-9)
    assert np.allclose(same.root_location, track.root_location)
    halfway = resample(track, 0.5 * (track.times_s[1:] + track.times_s[:-1]))
    assert np.allclose(halfway.root_location, 0.5 * (track.root_location[1:] + track.root_location[:-1]))
    for bone, quats in track.quats.items():
        before = np.abs(np.sum(halfway.quats[bone] * quats[:-1], axis=1))
        behind = np.abs(np.sum(halfway.quats[bone] * quats[1:], axis=1))
        assert np.allclose(before, behind, atol=1e-9)


def test_one_frame_is_enough():
    person = posed(np.zeros(1), np.array([0, 0, 0.9]), {})
    track = resample(solve(person.motion(), stick_rest(), RIG_MAP), np.zeros(1))
    assert track.root_location.shape == (1, 3)
