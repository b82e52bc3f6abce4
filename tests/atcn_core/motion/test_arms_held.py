"""Hands that stand stay: on rigs of other proportions than the performer, whose every hold is known."""

from dataclasses import replace

import numpy as np
import pytest

from atcn_core.hands import HandMotion
from atcn_core.motion.arms_held import FIST_RAD
from atcn_core.motion.contacts import FOOT_POINTS
from atcn_core.motion.feet import FOOT_MODES
from atcn_core.motion.parts import PRESETS, only
from atcn_core.motion.retarget import PoseTrack, RigRest, solve
from atcn_core.motion.smoothing import smoothed
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized
from atcn_core.skeleton import CAPTURE, SIDES
from tests.atcn_core.motion.stick_rig import RIG_MAP, posed_world
from tests.atcn_core.motion.test_feet import other_legs, soles
from tests.moving_person import BACK, UP, about, elbow, on_feet, posed, pressing_up

AUTO = FOOT_MODES["auto"]
SHAPES = [(1.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.2, 1.1), (1.0, 1.0, 0.8, 0.85), (1.2, 0.9, 1.0, 1.0), (0.8, 0.8, 0.7, 0.7)]


def other_limbs(thigh: float, shin: float, upper_arm: float, forearm: float) -> RigRest:
    """The person's own skeleton, standing, with limbs of other lengths, hands as big as before."""
    rest = other_legs(thigh, shin)
    matrices = rest.matrices.copy()
    for i, name in enumerate(rest.names):
        part = name.split("_", 1)[-1]
        longer_m = 0.29 * (upper_arm - 1) * (part in ("forearm", "hand", "index_knuckle", "pinky_knuckle"))
        longer_m += 0.25 * (forearm - 1) * (part in ("hand", "index_knuckle", "pinky_knuckle"))
        matrices[i, 0, 3] += longer_m * (1 if "left_" in name else -1)
    return replace(rest, matrices=matrices)


def pressing(noise_m: float = 0.05, fps: float = 30.0) -> WorldMotion:
    """Press-ups, the hands of which sway by so much (standard deviation) beside where they truly stay."""
    person, standing = pressing_up(4.0, fps)
    joints = person.joints_world.copy()
    for side in SIDES:
        sway = smoothed(np.random.default_rng(len(side)).normal(size=(len(joints), 3)), person.times_s, 2.0)
        hand = CAPTURE.indices(*(f"{side}_{joint}" for joint in ("wrist", "index", "pinky")))
        joints[:, hand] += noise_m * (sway / sway.std())[:, None]
    return replace(person.motion(), joints_world=joints, standing=standing.astype(float))


def heads(matrices: dict[str, np.ndarray], *roles: str) -> list[np.ndarray]:
    return [matrices[RIG_MAP.bones[role]][:, :3, 3] for role in roles]


def solved(motion: WorldMotion, rest: RigRest, mode: str) -> tuple[PoseTrack, dict[str, np.ndarray]]:
    track = solve(motion, rest, RIG_MAP, FOOT_MODES[mode])
    return track, posed_world(rest, track)


@pytest.mark.parametrize("shape", SHAPES)
def test_hands_and_feet_of_press_ups_stay_on_the_floor_on_any_rig(shape):
    rest = other_limbs(*shape)
    for mode, most_m in (("auto", 0.002), ("always", 0.002), ("never", np.inf)):
        _, moved = solved(pressing(), rest, mode)
        for side in SIDES:
            (wrist,) = heads(moved, f"{side}_hand")
            assert np.ptp(wrist, axis=0).max() < most_m
            if mode == "never":
                assert np.ptp(wrist, axis=0).max() > 0.05
                continue
            assert 0.02 < wrist[:, 2].mean() < 0.06
            toe = soles(moved, rest, side)[:, 1]
            assert np.ptp(toe, axis=0).max() < 0.002
            assert soles(moved, rest, side)[..., 2].min() > -0.002


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_elbows_keep_the_side_they_were_on_and_the_body_rises_and_sinks_as_it_did(shape):
    rest = other_limbs(*shape)
    free, held = (solved(pressing(0.02), rest, mode)[1] for mode in ("never", "auto"))
    for side, out in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow_at, wrist = heads(held, f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand")
        way = normalized(wrist - shoulder)
        aside = elbow_at - shoulder - np.sum((elbow_at - shoulder) * way, axis=1, keepdims=True) * way
        bent = np.linalg.norm(aside, axis=1) > 0.03
        # To the feet and outwards, as the person's.
        assert bent.any()
        assert (normalized(aside[bent]) @ normalized(np.array([0.5 * out, 1.0, 0.0]))).min() > 0.5
    chest = [moved[RIG_MAP.bones["neck"]][:, 2, 3] for moved in (free, held)]
    assert np.corrcoef(*chest)[0, 1] > 0.95
    assert np.ptp(chest[1]) > 0.7 * np.ptp(chest[0])


def test_feet_on_tiptoe_are_not_laid_flat_though_their_heels_keep_still():
    motion = pressing(0.0)
    still = motion.standing.copy()
    still[:, : len(FOOT_POINTS)] = 1.0
    for shape in SHAPES[:3]:
        rest = other_limbs(*shape)
        moved = solved(replace(motion, standing=still), rest, "auto")[1]
        for side in SIDES:
            sole = soles(moved, rest, side)
            assert np.ptp(sole[:, 1], axis=0).max() < 0.002
            assert (sole[:, 0, 2] - sole[:, 1, 2]).min() > 0.08


def test_elbows_of_longer_arms_stay_out_of_the_floor():
    rest = other_limbs(1.0, 1.0, 1.35, 1.35)
    moved = solved(pressing(0.0), rest, "auto")[1]
    for side in SIDES:
        shoulder, elbow_at, wrist = heads(moved, f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand")
        assert elbow_at[:, 2].min() > 0.03
        assert np.ptp(wrist, axis=0).max() < 0.002
        assert np.abs(np.diff(elbow_at, n=2, axis=0)).max() < 0.03
        assert np.ptp(shoulder[:, 2]) > 0.2


def test_hands_that_lie_are_flat_and_point_one_way_whatever_they_showed():
    person, standing = pressing_up()
    motion = replace(person.motion(), standing=standing.astype(float))
    tipped = motion.joints_world.copy()
    for side in SIDES:
        wrist, index, pinky = CAPTURE.indices(*(f"{side}_{joint}" for joint in ("wrist", "index", "pinky")))
        tipped[:, index] += 0.04 * np.sin(5 * motion.times_s)[:, None] * UP
        tipped[:, pinky] -= 0.03 * UP
    _, moved = solved(replace(motion, joints_world=tipped), other_limbs(1, 1, 1, 1), "auto")
    for side in SIDES:
        wrist, index, pinky = heads(moved, *(f"{side}_{role}" for role in ("hand", "index_knuckle", "pinky_knuckle")))
        assert np.ptp(index - wrist, axis=0).max() < 0.002
        assert np.abs(index[:, 2] - pinky[:, 2]).max() < 0.002
        assert 0.01 < index[:, 2].min() < wrist[:, 2].min()


def test_a_hand_that_was_hardly_seen_lies_on_the_floor_and_does_not_stick_in_it():
    motion = pressing(0.0)
    score = motion.score.copy()
    score[:, CAPTURE.indices("left_index", "left_pinky", "right_index", "right_pinky")] = 0.0
    _, moved = solved(replace(motion, score=score), other_limbs(1, 1, 1, 1), "auto")
    for side in SIDES:
        wrist, index = heads(moved, f"{side}_hand", f"{side}_index_knuckle")
        assert index[:, 2].min() > 0.01
        assert (normalized(index - wrist) @ [0.0, -1.0, 0.0]).min() > 0.5


@pytest.mark.parametrize("bent_rad", [0.2, 1.2])
def test_open_fingers_never_point_into_the_floor_but_a_fist_stands_on_its_knuckles(bent_rad):
    motion = pressing(0.0)
    joints, frames = motion.joints_world.copy(), len(motion.times_s)
    for side, out in (("left", 0.03), ("right", -0.03)):
        wrist, index, pinky = CAPTURE.indices(*(f"{side}_{joint}" for joint in ("wrist", "index", "pinky")))
        joints[:, index], joints[:, pinky] = (joints[:, wrist] + [aside, 0.0, -0.085] for aside in (-out, out))
    angles = np.full((frames, 2, 5, 3), bent_rad, dtype=np.float32)
    fingers = HandMotion(angles, np.zeros_like(angles), np.ones((frames, 2), dtype=np.float32))
    _, moved = solved(replace(motion, joints_world=joints, hands=fingers), other_limbs(1, 1, 1, 1), "auto")
    for side in SIDES:
        wrist, index, pinky = heads(moved, *(f"{side}_{role}" for role in ("hand", "index_knuckle", "pinky_knuckle")))
        down = normalized(0.5 * (index + pinky) - wrist)[:, 2]
        assert (down.max() < -0.9) if 3 * bent_rad > FIST_RAD else (down.min() > -0.5)
        assert 0.01 < index[:, 2].min() < 0.03


def test_nothing_jumps_when_a_hand_is_caught_and_let_go():
    motion = pressing(0.02, 60.0)
    now_and_then = motion.standing.copy()
    now_and_then[80:130, len(FOOT_POINTS) :] = 0.0
    motion = replace(motion, standing=now_and_then)
    steps = []
    for mode in ("never", "auto"):
        moved = solved(motion, other_limbs(1.0, 1.0, 1.1, 0.95), mode)[1]
        paths = np.concatenate(heads(moved, "left_forearm", "left_hand", "neck", "hips"), axis=1)
        steps.append(np.abs(np.diff(paths, n=2, axis=0)).max())
    assert steps[1] < 1.5 * steps[0] + 0.004


def test_hands_that_do_not_stand_are_left_as_they_were():
    times_s = np.arange(60) / 30
    waving = {"right_forearm": elbow("right", 1.5 + 0.5 * np.sin(9 * times_s)), "left_upper_arm": about(BACK, 1.4)}
    person = posed(times_s, np.array([0.0, 0.0, 0.895]), waving)
    rest = other_limbs(1.0, 1.0, 1.2, 0.9)
    found = solve(person.motion(), rest, RIG_MAP, AUTO)
    handless = solve(replace(person.motion(), standing=on_feet(np.ones((60, 4)))), rest, RIG_MAP, AUTO)
    for side in SIDES:
        for bone in ("upper_arm", "forearm", "hand"):
            name = RIG_MAP.bones[f"{side}_{bone}"]
            assert np.array_equal(found.quats[name], handless.quats[name])


def test_grounding_keeps_hands_above_the_floor_and_lets_them_slide():
    rest = other_limbs(1.0, 1.0, 1.2, 1.1)
    free, grounded = (solved(pressing(0.03), rest, mode)[1] for mode in ("never", "grounding"))
    for side in SIDES:
        (before,), (after,) = (heads(moved, f"{side}_hand") for moved in (free, grounded))
        assert before[:, 2].min() < -0.02
        assert after[:, 2].min() > 0.01
        assert np.abs(after[:, :2] - before[:, :2]).max() < 0.02


def test_who_stands_on_hands_alone_stands_on_the_floor_in_every_mode():
    times_s = np.arange(45) / 30
    turns = {"hips": about(np.array([1.0, 0.0, 0.0]), np.pi + 0.05 * np.sin(5 * times_s))}
    turns |= {"left_upper_arm": about(BACK, -np.pi / 2), "right_upper_arm": about(BACK, np.pi / 2)}
    person = posed(times_s, np.array([0.0, 0.0, 1.03]), turns)
    standing = np.tile([0.0, 0.0, 0.0, 0.0, 1.0, 1.0], (45, 1))
    motion = replace(person.motion(), standing=standing)
    for shape in SHAPES:
        for mode in ("auto", "never"):
            _, moved = solved(motion, other_limbs(*shape), mode)
            for side in SIDES:
                (wrist,) = heads(moved, f"{side}_hand")
                assert np.abs(wrist[:, 2] - 0.05).max() < 0.08
                assert heads(moved, f"{side}_foot")[0][:, 2].min() > 1.0


def test_a_single_frame_on_hands_and_feet():
    motion = pressing(0.0).at(slice(0, 1))
    _, moved = solved(motion, other_limbs(1.0, 1.0, 0.9, 0.9), "auto")
    assert heads(moved, "left_hand")[0][0, 2] < 0.06


def test_chosen_parts_alone_are_turned_as_in_the_whole():
    rest = other_limbs(1.0, 1.0, 0.85, 0.85)
    whole = solve(pressing(), rest, RIG_MAP, AUTO)
    upper = only(whole, rest, RIG_MAP, PRESETS["upper"])
    assert RIG_MAP.bones["left_forearm"] in upper.quats
    assert RIG_MAP.bones["left_shin"] not in upper.quats
    assert all(np.array_equal(upper.quats[bone], whole.quats[bone]) for bone in upper.quats)
