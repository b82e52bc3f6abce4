"""What stands on the floor, of people whose every step and hold is known."""

import numpy as np
import pytest

from atcn_core.motion.contacts import (
    bearing,
    caught,
    contact_chance,
    foot_points,
    long_enough,
    standing_chance,
    stretches,
)
from atcn_core.rotation import normalized, quat_rotate
from atcn_core.skeleton import CAPTURE, LIMB_12, Skeleton
from tests.moving_person import BACK, LEFT, UP, about, elbow, knee, posed, pressing_up, striding


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("speed_m_s", [0.8, 1.4])
def test_a_walker_s_steps_are_found(fps, speed_m_s):
    person, standing = striding(4.0, fps, speed_m_s)
    chance = standing_chance(foot_points(person.joints_world, CAPTURE), person.times_s, UP)
    found = caught(chance, 0.6, 0.4)
    # The frame at which a foot lands or leaves is a matter of taste.
    sure = long_enough(standing, 3) & np.roll(standing, 2, 0) & np.roll(standing, -2, 0)
    assert found[sure].mean() > 0.85
    assert standing[found].mean() > 0.9


def test_what_comes_along_the_line_of_sight_is_no_movement():
    person, standing = striding()
    points = foot_points(person.joints_world, CAPTURE)
    sight = normalized(points.mean(axis=1) - [0.0, -8.0, 1.0])
    swaying = points + 0.3 * np.sin(9 * person.times_s)[:, None, None] * sight[:, None]
    blind = standing_chance(swaying, person.times_s, UP)
    seeing = standing_chance(swaying, person.times_s, UP, sight)
    middle = np.roll(standing, 4, 0) & standing & np.roll(standing, -4, 0)
    assert seeing[middle].mean() > blind[middle].mean() + 0.3


def test_a_foot_held_up_does_not_stand():
    times_s = np.arange(60) / 30
    person = posed(times_s, np.array([0, 0, 0.895]), {"left_thigh": np.array([0.7071, -0.7071, 0, 0])})
    chance = standing_chance(foot_points(person.joints_world, CAPTURE), times_s, UP)
    assert chance[:, :2].max() < 0.01
    assert chance[:, 2:].min() > 0.99


def test_somebody_in_the_air_stands_on_nothing():
    times_s = np.arange(45) / 30
    flight = np.clip(np.sin(2 * np.pi * (times_s - 0.4)), 0, None)
    person = posed(times_s, np.array([0, 0, 0.895]) + flight[:, None] * UP, {})
    chance = standing_chance(foot_points(person.joints_world, CAPTURE), times_s, UP)
    assert chance[flight > 0.55].max() < 0.05
    assert chance[:8].min() > 0.9


def test_the_floor_is_under_standing_feet_else_hands_else_any_feet():
    chance = np.array([[0.9, 0.2, 0.7, 0.1, 0.9, 0.0], [0.1, 0.2, 0.3, 0.1, 0.9, 0.0], [0.1, 0.2, 0.3, 0.1, 0.0, 0.4]])
    level = np.zeros_like(chance)
    assert bearing(chance, level).astype(int).tolist() == [[1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0], [1, 1, 1, 1, 0, 0]]
    level[:, 0] = 0.8  # the left heel, held still in the air
    assert bearing(chance, level)[0].astype(int).tolist() == [0, 0, 1, 0, 0, 0]
    level[:, 2] = 0.8
    assert bearing(chance, level)[0].astype(int).tolist() == [0, 0, 0, 0, 1, 0]


def test_without_heels_and_toes_the_ankles_count():
    limbs = Skeleton("limbs", LIMB_12, (None,) * 12)
    joints = np.arange(12 * 3.0).reshape(1, 12, 3)
    points = foot_points(joints, limbs)
    assert np.array_equal(points[:, 0], joints[:, LIMB_12.index("left_ankle")])
    assert np.array_equal(points[:, 3], joints[:, LIMB_12.index("right_ankle")])


def test_hysteresis_and_shortest_stretch():
    chance = np.array([0.1, 0.5, 0.7, 0.5, 0.3, 0.5, 0.5, 0.1])[:, None]
    assert caught(chance, 0.6, 0.4)[:, 0].tolist() == [False, True, True, True, False, False, False, False]
    assert stretches(chance[:, 0] > 0.4) == [(1, 4), (5, 7)]
    assert long_enough(chance > 0.4, 3)[:, 0].tolist() == [False, True, True, True, False, False, False, False]


def test_a_single_frame_stands():
    assert standing_chance(np.zeros((1, 4, 3)), np.zeros(1), UP).min() == 1


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("tilt_deg", [-8.0, 0.0, 8.0])
def test_hands_that_bear_stand_even_where_the_floor_seems_to_slope(fps, tilt_deg):
    person, _ = pressing_up(fps=fps)
    up = quat_rotate(about(LEFT, np.deg2rad(tilt_deg)), UP)
    chance = contact_chance(person.joints_world, CAPTURE, person.times_s, up)
    assert chance[:, 4:].min() > 0.9
    assert chance[:, [1, 3]].min() > 0.9


def hands_of(times_s: np.ndarray, hip_m: float, **local: np.ndarray) -> np.ndarray:
    person = posed(times_s, np.array([0.0, 0.0, hip_m]), local)
    return contact_chance(person.joints_world, CAPTURE, times_s, UP)[:, 4:]


def test_hands_that_hang_or_wave_stand_nowhere():
    times_s = np.arange(60) / 30
    hanging = {"left_upper_arm": about(BACK, 1.4), "right_upper_arm": about(BACK, -1.4)}
    assert hands_of(times_s, 0.895, **hanging).max() < 0.01
    waving = hanging | {"right_forearm": elbow("right", 1.5 + 0.5 * np.sin(9 * times_s))}
    assert hands_of(times_s, 0.895, **waving).max() < 0.01


def squatting(left_wrist: np.ndarray) -> np.ndarray:
    """Chance (T,) of the left hand, its wrist there, in a squat: knee (0.1, -0.40, 0.44), ankle (0.1, -0.20, 0.08)."""
    times_s = np.arange(60) / 30
    bent = {"thigh": about(LEFT, -1.9), "shin": knee(2.4), "foot": about(LEFT, -0.5)}
    local = {f"{side}_{part}": turn for side in ("left", "right") for part, turn in bent.items()}
    joints = posed(times_s, np.array([0.0, 0.0, 0.3]), local).joints_world.copy()
    joints[:, CAPTURE.index("left_wrist")] = left_wrist
    return contact_chance(joints, CAPTURE, times_s, UP)[:, 4]


def test_a_squatting_person_s_hand_stands_on_the_floor_and_not_on_knee_or_shin_nor_when_it_moves():
    times_s = np.arange(60) / 30
    assert squatting(np.array([0.35, -0.3, 0.05])).min() > 0.9
    assert squatting(np.array([0.35, -0.3, 0.40])).max() < 0.01
    assert squatting(np.array([0.14, -0.25, 0.14])).max() < 0.1
    # As of somebody who ties a shoe.
    assert squatting(np.array([0.12, -0.35, 0.08])).max() < 0.1
    swinging = np.array([0.4, -0.3, 0.08]) + 0.15 * np.sin(10 * times_s)[:, None] * LEFT
    assert squatting(swinging).mean() < 0.4


def test_a_single_frame_stands_on_its_feet_alone():
    person, _ = pressing_up(0.04)
    chance = contact_chance(person.joints_world[:1], CAPTURE, person.times_s[:1], UP)
    assert chance.tolist() == [[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]]
