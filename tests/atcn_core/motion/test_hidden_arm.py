"""An arm that nobody sees does as the other one where that one carries the body, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from atcn_core.clip import Motion3D
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics
from atcn_core.motion.hidden_arm import with_hidden_arms
from atcn_core.motion.world import to_world
from atcn_core.skeleton import CAPTURE, SIDES
from tests.moving_person import BACK, Person, about, posed, pressing_up

ARM = {side: CAPTURE.indices(*(f"{side}_{joint}" for joint in ("elbow", "wrist", "index", "pinky"))) for side in SIDES}
OTHERS = {"left": "right", "right": "left"}


def guessed(person: Person, standing: np.ndarray, *sides: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints, scores and chances of a capture in which these arms were not seen: they wander by 20 cm."""
    joints, score = person.joints_world.copy(), np.ones(person.joints_world.shape[:2])
    chance = standing.astype(float)
    wave = np.stack([np.sin(rate * person.times_s) for rate in (7.0, 9.0, 11.0)], axis=1)
    for side in sides:
        joints[:, ARM[side]] += 0.2 * wave[:, None] + [0.0, 0.0, 0.15]
        score[:, ARM[side]] = 0.2
        chance[:, 4 + SIDES.index(side)] = 0.1
    return joints, score, chance


@pytest.mark.parametrize("side", SIDES)
def test_the_hidden_arm_of_press_ups_does_as_the_seen_one(side):
    person, standing = pressing_up()
    joints, score, chance = guessed(person, standing, side)
    found, stands = with_hidden_arms(joints, CAPTURE, score, chance, person.times_s)
    assert np.abs(found - person.joints_world)[:, ARM[side]].max() < 0.02
    assert (stands[:, 4 + SIDES.index(side)] > 0.9).all()
    rest = [i for i in range(len(CAPTURE)) if i not in ARM[side]]
    assert np.array_equal(found[:, rest], joints[:, rest])
    assert np.array_equal(
        np.delete(stands, 4 + SIDES.index(side), axis=1), np.delete(chance, 4 + SIDES.index(side), axis=1)
    )


def test_nothing_changes_where_the_arm_is_seen_or_both_are_hidden():
    person, standing = pressing_up()
    for hidden in ((), SIDES):
        joints, score, chance = guessed(person, standing, *hidden)
        found, stands = with_hidden_arms(joints, CAPTURE, score, chance, person.times_s)
        assert np.allclose(found, joints, atol=1e-9)
        assert np.allclose(stands, chance, atol=1e-9)


def test_hands_that_step_in_turn_are_not_taken_for_standing_together():
    person, standing = pressing_up()
    joints, score, chance = guessed(person, standing, "left")
    chance[:, 5] = (person.times_s % 1.2) < 0.6
    found, _ = with_hidden_arms(joints, CAPTURE, score, chance, person.times_s)
    assert found is joints


@pytest.mark.parametrize(
    "hips", [about(BACK, 0.0), about(np.array([1.0, 0.0, 0.0]), -np.pi / 2)], ids=["upright", "on the back"]
)
def test_a_hand_on_a_table_or_of_a_sleeper_says_nothing_of_the_other(hips):
    person = posed(np.arange(90) / 30, np.array([0.0, 0.0, 0.9]), {"hips": hips})
    joints, score, chance = guessed(person, np.ones((90, 6)), "left")
    found, _ = with_hidden_arms(joints, CAPTURE, score, chance, person.times_s)
    assert found is joints


def test_an_arm_that_comes_into_sight_goes_over_without_a_jump():
    person, standing = pressing_up(6.0)
    joints, score, chance = guessed(person, standing, "left")
    seen = person.times_s > 3.0
    joints[:, ARM["left"]] = person.joints_world[:, ARM["left"]] + [0.0, -0.2, 0.1]
    score[seen] = 1.0
    found, _ = with_hidden_arms(joints, CAPTURE, score, chance, person.times_s)
    wrist = found[:, CAPTURE.index("left_wrist")]
    assert np.linalg.norm(np.diff(wrist, axis=0), axis=1).max() < 0.03
    assert np.abs(found[-1] - joints[-1]).max() < 0.005


def test_joint_sets_without_hands_and_single_frames_pass():
    person, standing = pressing_up()
    joints, score, chance = guessed(person, standing, "left")
    for frames, skeleton in (
        (1, CAPTURE),
        (60, replace(CAPTURE, joints=CAPTURE.joints[:10], parents=CAPTURE.parents[:10])),
    ):
        some = joints[:frames, : len(skeleton)]
        found, _ = with_hidden_arms(
            some, skeleton, score[:frames, : len(skeleton)], chance[:frames], person.times_s[:frames]
        )
        assert found is some


def test_a_capture_in_the_world_has_its_hidden_arm_on_the_floor():
    person, standing = pressing_up()
    joints, score, _ = guessed(person, standing, "left")
    joints_cam = joints @ WORLD_FROM_CAM
    root_cam = joints_cam[:, 0] + [0.0, 0.0, 5.0]
    camera = Intrinsics.assumed((640, 480))
    body = (joints_cam - joints_cam[:, :1]).astype(np.float32)
    motion = Motion3D(CAPTURE, person.times_s, 30.0, (640, 480), body, root_cam.astype(np.float32), score, camera)
    world = to_world(motion)
    assert np.ptp(world.points("left_wrist"), axis=0).max() < 0.02
    assert (world.standing_chance()[:, 4] > 0.5).all()
