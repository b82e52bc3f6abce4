"""What joints cannot do is brought back; what they can do is left alone; nothing jumps on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from atcn_core.motion.limits import BENT_BACK_RAD, STRAIGHT_RAD, limited, not_bent_back
from atcn_core.motion.retarget import solve
from atcn_core.rotation import matrix_to_quat, normalized, quat_conjugate, quat_multiply, quat_rotate
from atcn_core.skeleton import SIDES
from tests.atcn_core.motion.stick_rig import PARENTS, RIG_MAP, posed_world, stick_rest
from tests.moving_person import BACK, LEFT, STILL, UP, about, dancing, elbow, knee, posed

axes = st.integers(0, 10_000).map(lambda seed: normalized(np.random.default_rng(seed).normal(size=3)))


def angle_rad(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle between turns (..., 4)."""
    return 2.0 * np.arccos(np.clip(np.abs(np.sum(first * second, axis=-1)), 0.0, 1.0))


@settings(max_examples=30, deadline=None)
@given(axis=axes, base_axis=axes, base_rad=st.floats(-3, 3), limit_rad=st.floats(0.4, 1.9))
def test_turns_within_their_range_stay_and_none_goes_beyond_it_or_jumps(axis, base_axis, base_rad, limit_rad):
    asked = np.linspace(0.0, 2.0 * np.pi, 721)
    base = about(base_axis, base_rad)
    turns = quat_multiply(np.broadcast_to(base, (721, 4)), about(axis, asked))
    kept = limited(turns, base, limit_rad)
    from_base = angle_rad(kept, base)
    assert from_base.max() <= limit_rad + 1e-6
    possible = np.minimum(asked, 2.0 * np.pi - asked) < 0.8 * limit_rad
    assert angle_rad(kept, turns)[possible].max() < 1e-5
    assert np.degrees(angle_rad(kept[1:], kept[:-1])).max() < 2.5  # asked for: half a degree at a time


@settings(max_examples=30, deadline=None)
@given(upper=axes, other=axes, aside_rad=st.floats(-0.3, 0.3))
def test_a_joint_bends_its_own_way_only_and_goes_all_the_way_round_without_a_jump(upper, other, aside_rad):
    hinge = normalized(np.cross(upper, other))
    if np.linalg.norm(hinge) < 0.5:
        return
    bend_rad = np.linspace(-np.pi, np.pi, 721)
    turned = quat_rotate(about(hinge, bend_rad), np.broadcast_to(upper, (721, 3)))
    lower = np.cos(aside_rad) * turned + np.sin(aside_rad) * hinge
    kept = not_bent_back(np.broadcast_to(upper, lower.shape), lower, np.broadcast_to(hinge, lower.shape))
    assert np.allclose(np.linalg.norm(kept, axis=1), 1.0)
    assert np.allclose(kept @ hinge, np.sin(aside_rad))
    possible = bend_rad >= -STRAIGHT_RAD
    assert np.allclose(kept[possible], lower[possible], atol=1e-9)
    kept_rad = np.arctan2(np.cross(upper, kept) @ hinge, kept @ upper)
    assert kept_rad.min() > -BENT_BACK_RAD - 1e-9 or kept_rad.min() < -np.pi + 1e-6
    step_deg = np.degrees(np.arccos(np.clip(np.sum(kept[1:] * kept[:-1], axis=1), -1.0, 1.0)))
    assert step_deg.max() < 1.5  # asked for: half a degree at a time


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("back_rad", [0.4, 0.8])
def test_knees_and_elbows_that_errors_bend_back_are_straight_on_the_rig(side, back_rad):
    times_s = np.arange(30) / 30
    arm = about(BACK, (1.0 if side == "left" else -1.0) * 1.2)
    local = {
        f"{side}_upper_arm": arm,
        f"{side}_forearm": elbow(side, -back_rad * np.ones(30)),
        f"{side}_shin": knee(-back_rad * np.ones(30)),
    }
    person, rest = posed(times_s, np.array([0, 0, 0.9]), local), stick_rest(1)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    for upper, lower, end in (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")):
        at = [matrices[RIG_MAP.bones[f"{side}_{role}"]][:, :3, 3] for role in (upper, lower, end)]
        cosine = np.sum(normalized(at[1] - at[0]) * normalized(at[2] - at[1]), axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < np.degrees(BENT_BACK_RAD) + 0.5, lower


def test_a_knee_that_can_be_stays_as_it_is():
    person = posed(np.arange(30) / 30, np.array([0, 0, 0.9]), {"left_shin": knee(np.linspace(-0.15, 2.4, 30))})
    rest = stick_rest(2)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    heads = [matrices[RIG_MAP.bones[f"left_{role}"]][:, :3, 3] for role in ("shin", "foot")]
    true = normalized(person.point("left_ankle") - person.point("left_knee"))
    assert np.allclose(normalized(heads[1] - heads[0]), true, atol=1e-6)


def test_a_chest_that_errors_turn_round_and_round_stays_on_its_hips():
    angle = np.linspace(0, 2 * np.pi, 241)
    person, rest = posed(np.arange(241) / 60, np.array([0, 0, 0.9]), {"chest": about(UP, angle)}), stick_rest(3)
    track = solve(person.motion(), rest, RIG_MAP)
    chest, hips = (world_turns(rest, track, role) for role in ("spine", "hips"))
    assert np.degrees(angle_rad(chest, hips)).max() < 111
    assert np.degrees(angle_rad(chest[1:], chest[:-1])).max() < 8


def world_turns(rest, track, role: str) -> np.ndarray:
    """Turns (T, 4) of a bone of the stick rig from its rest, in the armature's axes."""
    turn = np.broadcast_to(STILL, (len(track.times_s), 4))
    above: str | None = role
    while above is not None:
        i = rest.names.index(RIG_MAP.bones[above])
        at_rest = matrix_quat(rest.matrices[i, :3, :3])
        local = quat_multiply(quat_multiply(at_rest, track.quats[RIG_MAP.bones[above]]), quat_conjugate(at_rest))
        turn = quat_multiply(local, turn)
        above = PARENTS.get(above)
    return turn


def matrix_quat(matrix: np.ndarray) -> np.ndarray:
    return matrix_to_quat(matrix / np.linalg.norm(matrix[:, 0]))


# A bone, and the points whose directions make its turn.
PARTS = {
    "hips": (("left_hip", "right_hip"), ("hip", "thorax"), ("hip", "spine"), ("spine", "thorax")),
    **{f"{side}_thigh": ((f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle")) for side in SIDES},
    **{
        f"{side}_upper_arm": ((f"{side}_shoulder", f"{side}_elbow"), (f"{side}_elbow", f"{side}_wrist"))
        for side in SIDES
    },
}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), noise_m=st.floats(0.0, 0.03), smooth_frames=st.sampled_from([0.0, 1.5, 4.0]))
def test_noise_makes_no_bone_jump_more_than_the_joints_it_is_read_from(seed, noise_m, smooth_frames):
    motion, rest = dancing(1.5, seed=seed).motion(), stick_rest(seed)
    noise = np.random.default_rng(seed).normal(size=motion.joints_world.shape)
    if smooth_frames:
        noise = gaussian_filter1d(noise, smooth_frames, axis=0)
    noisy = replace(motion, joints_world=motion.joints_world + noise_m * noise / noise.std())
    track = solve(noisy, rest, RIG_MAP)
    for quats in track.quats.values():
        assert np.isfinite(quats).all()
        assert np.sum(quats[1:] * quats[:-1], axis=1).min() >= 0.0  # no sign flips
    for role, lines in PARTS.items():
        directions = [normalized(noisy.points(end) - noisy.points(start)) for start, end in lines]
        asked = max(np.degrees(np.arccos(np.clip(np.sum(d[1:] * d[:-1], axis=1), -1, 1))).max() for d in directions)
        turns = world_turns(rest, track, role)
        assert np.degrees(angle_rad(turns[1:], turns[:-1])).max() < 1.5 * asked + 15.0, role


@pytest.mark.parametrize("axis", [LEFT, BACK, UP])
def test_an_impossible_hand_stays_within_reach_of_its_forearm(axis):
    person = posed(
        np.arange(181) / 60, np.array([0, 0, 0.9]), {"left_hand": about(axis, np.linspace(0, 2 * np.pi, 181))}
    )
    rest = stick_rest(4)
    track = solve(person.motion(), rest, RIG_MAP)
    hand, forearm = world_turns(rest, track, "left_hand"), world_turns(rest, track, "left_forearm")
    assert np.degrees(angle_rad(hand, forearm)).max() < 106
    assert np.degrees(angle_rad(hand[1:], hand[:-1])).max() < 25  # it comes back over many frames
