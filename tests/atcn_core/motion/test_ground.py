"""Up and floor, found from people whose camera is known to be tilted and rolled."""

import numpy as np
import pytest

from atcn_core.frames import WORLD_FROM_CAM
from atcn_core.motion.contacts import foot_points, palm_points
from atcn_core.motion.ground import CAMERA_UP_CAM, floor_height_m, levelled_by_feet, up_direction_cam, up_error_rad
from atcn_core.rotation import quat_rotate
from atcn_core.skeleton import CAPTURE
from tests.moving_person import LEFT, UP, about, after, dancing, knee, posed, pressing_up, striding

FORWARD_CAM = np.array([0.0, 0.0, 1.0])
TO_CAM = about(LEFT, np.pi / 2)  # world z up to camera y down


def filmed(person, roll_deg, tilt_deg):
    """The person's joints in the axes of a camera so rolled and tilted, and the true up there."""
    turn = after(about(FORWARD_CAM, np.deg2rad(roll_deg)), about(LEFT, np.deg2rad(tilt_deg)), TO_CAM)
    return quat_rotate(turn, person.joints_world - person.joints_world[:, :1]), quat_rotate(turn, np.array([0, 0, 1.0]))


def degrees_apart(first, second):
    return np.degrees(np.arccos(np.clip(first @ second, -1, 1)))


def walking(seconds=3.0, fps=30.0):
    times_s = np.arange(int(seconds * fps)) / fps
    phase = 2 * np.pi * 0.9 * times_s
    local = {"hips": about(np.array([0, 0, 1.0]), 0.8 * np.sin(0.7 * times_s))}
    for side, shift in (("left", 0.0), ("right", np.pi)):
        local[f"{side}_thigh"] = about(LEFT, -0.35 * np.sin(phase + shift))
        local[f"{side}_shin"] = knee(0.1 + 0.7 * np.maximum(0, np.cos(phase + shift)))
        local[f"{side}_upper_arm"] = about(np.array([0, 1.0, 0]), 1.4 if side == "left" else -1.4)
    return posed(times_s, np.array([0, 0, 0.9]), local)


@pytest.mark.parametrize(("roll_deg", "tilt_deg"), [(0, 0), (26, 22), (-40, 5), (14, -23), (0, 35)])
def test_up_is_found_under_a_rolled_and_tilted_camera(roll_deg, tilt_deg):
    person = walking()
    joints_cam, true_up = filmed(person, roll_deg, tilt_deg)
    up = up_direction_cam(joints_cam, CAPTURE, np.ones(joints_cam.shape[:2]), person.times_s)
    assert np.linalg.norm(up) == pytest.approx(1.0)
    # A walker's axis leans by some degrees; what is left of the camera's own pulls by a tenth or so of the way.
    assert degrees_apart(up, true_up) < 5 + 0.1 * degrees_apart(CAMERA_UP_CAM, true_up)


def test_some_wrong_frames_do_not_tilt_the_world():
    person = walking()
    joints_cam, true_up = filmed(person, 20, 10)
    joints_cam[::6] = quat_rotate(about(FORWARD_CAM, 0.7), joints_cam[::6])
    up = up_direction_cam(joints_cam, CAPTURE, np.ones(joints_cam.shape[:2]), person.times_s)
    assert degrees_apart(up, true_up) < 6


def test_who_never_stands_leaves_the_camera_s_own_up():
    sitting = posed(
        np.arange(60) / 30,
        np.array([0, 0, 0.5]),
        {f"{s}_{role}": turn for s in ("left", "right") for role, turn in
         (("thigh", about(LEFT, -1.5)), ("shin", knee(1.5)))},
    )  # fmt: skip
    lying = posed(np.arange(60) / 30, np.array([0, 0, 0.2]), {"hips": about(LEFT, np.pi / 2)})
    for person in (sitting, lying):
        joints_cam, _ = filmed(person, 0, 0)
        up = up_direction_cam(joints_cam, CAPTURE, np.ones(joints_cam.shape[:2]), person.times_s)
        assert degrees_apart(up, CAMERA_UP_CAM) < 1


def test_little_standing_counts_little():
    person = walking(0.2)
    joints_cam, true_up = filmed(person, 30, 0)
    up = up_direction_cam(joints_cam, CAPTURE, np.ones(joints_cam.shape[:2]), person.times_s)
    assert 5 < degrees_apart(up, CAMERA_UP_CAM) < 25
    assert degrees_apart(up, true_up) > 5


def test_the_floor_is_under_the_feet_whatever_the_jumps():
    rng = np.random.default_rng(0)
    heights = 0.4 + np.abs(rng.normal(scale=0.005, size=(300, 4)))
    heights[100:180] += 0.3
    heights[5] = -2.0
    assert floor_height_m(heights) == pytest.approx(0.4, abs=0.01)
    assert floor_height_m(dancing().joints_world[..., 2]) < 0.3


def walked_on(tilt_deg, turn_deg=0.0, noise_m=0.0):
    """Feet of somebody who walks 3.6 m, in axes whose "up" is wrong by a tilt about some level axis; their standing."""
    person, standing = striding(3.0)
    feet = foot_points(person.joints_world, CAPTURE)
    feet = feet + noise_m * np.random.default_rng(0).normal(size=feet.shape)
    axis = quat_rotate(about(UP, np.deg2rad(turn_deg)), LEFT)
    return feet, standing.astype(float), person.times_s, quat_rotate(about(axis, np.deg2rad(tilt_deg)), UP)


@pytest.mark.parametrize("tilt_deg", [-8.0, 3.0, 12.0])
def test_a_floor_that_was_walked_on_is_level(tilt_deg):
    feet, standing, times_s, wrong = walked_on(tilt_deg, noise_m=0.02)
    up = levelled_by_feet(wrong, feet, standing, times_s)
    assert np.linalg.norm(up) == pytest.approx(1.0)
    assert degrees_apart(up, UP) < 0.5 * abs(tilt_deg) + 0.3


@pytest.mark.parametrize("tilt_deg", [-10.0, 6.0])
def test_a_floor_on_which_hands_and_feet_stand_is_level(tilt_deg):
    person, standing = pressing_up()
    contacts = np.concatenate(
        [foot_points(person.joints_world, CAPTURE), palm_points(person.joints_world, CAPTURE, UP)], axis=1
    )
    wrong = quat_rotate(about(LEFT, np.deg2rad(tilt_deg)), UP)
    level, feet_alone = (
        levelled_by_feet(wrong, contacts[:, :number], standing[:, :number].astype(float), person.times_s, (0.2, 0.2))
        for number in (6, 4)
    )
    assert degrees_apart(level, UP) < 0.1 * abs(tilt_deg)
    assert degrees_apart(feet_alone, UP) > 0.9 * abs(tilt_deg)


def test_the_less_a_person_was_upright_the_more_the_camera_may_look_up_or_down():
    lying, _ = pressing_up()
    for person, surely in ((lying, False), (walking(3.0), True)):
        score = np.ones(person.joints_world.shape[:2])
        side_rad, ahead_rad = up_error_rad(person.joints_world @ WORLD_FROM_CAM, CAPTURE, score, person.times_s)
        assert (ahead_rad < 0.1) == surely
        assert side_rad < 0.1


def test_across_the_way_and_on_one_spot_feet_say_little():
    feet, standing, times_s, wrong = walked_on(6.0, turn_deg=90.0)
    assert degrees_apart(levelled_by_feet(wrong, feet, standing, times_s), wrong) < 1.5
    still = np.tile(feet[:1], (len(feet), 1, 1))
    assert degrees_apart(levelled_by_feet(wrong, still, np.ones(standing.shape), times_s), wrong) < 2.0


def test_a_chair_and_who_never_stands_tilt_nothing():
    feet, standing, times_s, _ = walked_on(0.0)
    feet[40:50] += 0.45 * UP
    assert degrees_apart(levelled_by_feet(UP, feet, standing, times_s), UP) < 1.0
    assert np.array_equal(levelled_by_feet(UP, feet, 0.0 * standing, times_s), UP)
    assert np.array_equal(levelled_by_feet(UP, feet[:1], standing[:1], times_s[:1]), UP)


@pytest.mark.parametrize("heading_deg", [0, 90, 200])
def test_who_does_push_ups_is_not_taken_for_somebody_before_a_camera_on_its_side(heading_deg):
    times_s = np.arange(90) / 30
    # Straight as a board, on hands and toes, the shoulders now 17 and now 30 degrees above the feet.
    pitch_rad = np.deg2rad(90 - 23.5 - 6.5 * np.sin(2 * np.pi * 0.5 * times_s))
    board = posed(
        times_s, np.array([0, 0, 0.4]), {"hips": after(about(UP, np.deg2rad(heading_deg)), about(LEFT, pitch_rad))}
    )
    joints_cam, true_up = filmed(board, 0, 10)
    up = up_direction_cam(joints_cam, CAPTURE, np.ones(joints_cam.shape[:2]), times_s)
    assert degrees_apart(up, true_up) < 15
