"""A filmed person comes back into the world as they were: upright, on the floor, facing the right way."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.clip import Motion3D
from atcn_core.errors import MotionError
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics
from atcn_core.hands import HandMotion
from atcn_core.motion.world import WorldMotion, to_world, to_world_with_camera, world_from_cam
from atcn_core.rotation import normalized, quat_multiply, quat_rotate
from atcn_core.skeleton import CAPTURE, Skeleton
from tests.atcn_core.motion.test_ground import filmed, walking
from tests.moving_person import BACK, LEFT, UP, about, dancing, posed, pressing_up, striding


def motion_of(joints_cam, root_cam, times_s, skeleton=CAPTURE):
    joints_cam = (joints_cam - joints_cam[:, :1]).astype(np.float32)
    score = np.ones(joints_cam.shape[:2], dtype=np.float32)
    camera = Intrinsics.assumed((640, 480))
    return Motion3D(skeleton, times_s, 30.0, (640, 480), joints_cam, root_cam.astype(np.float32), score, camera)


def test_a_level_camera_gives_the_same_world_back():
    person, _ = striding()
    joints_cam = person.joints_world @ WORLD_FROM_CAM
    back = to_world(motion_of(joints_cam, joints_cam[:, 0] + [0.3, 0.2, 8.0], person.times_s))
    moved = back.joints_world - person.joints_world
    assert np.abs(moved[:, :, :2] - moved[0, 0, :2]).max() < 0.1
    assert np.allclose(back.points("hip")[0, :2], 0, atol=1e-6)
    lowest = back.joints_world[..., 2].min(axis=1)
    assert abs(np.percentile(lowest, 10)) < 0.01


def test_who_faces_the_camera_faces_minus_y_and_stands_on_the_floor():
    person = posed(np.arange(30) / 30, np.array([0, 0, 0.895]), {})
    joints_cam, _ = filmed(person, 25, 20)
    world = to_world(motion_of(joints_cam, np.tile([0.5, 0.1, 3.0], (30, 1)), person.times_s))
    gaze = world.points("nose") - 0.5 * (world.points("left_ear") + world.points("right_ear"))
    assert normalized(gaze)[0] @ [0, -1, 0] > 0.95
    body_axis = normalized(world.points("thorax") - world.points("hip"))[0]
    assert body_axis[2] > np.cos(np.deg2rad(13))
    feet = np.concatenate([world.points("left_heel")[:, 2], world.points("right_toe")[:, 2]])
    assert np.abs(feet).max() < 0.08


@pytest.mark.parametrize("pitch_deg", [-15, 15])
def test_press_ups_before_a_camera_that_looks_up_or_down_happen_on_the_floor(pitch_deg):
    person, standing = pressing_up()
    joints_cam, up_cam = filmed(person, 0, pitch_deg)
    way = person.point("hip") - person.point("hip")[0]
    hip_cam = np.array([0.0, 0.0, 4.0]) + quat_rotate(about(LEFT, np.deg2rad(pitch_deg)), way @ WORLD_FROM_CAM)
    motion = motion_of(joints_cam, hip_cam, person.times_s)
    found, turn, _ = to_world_with_camera(motion)
    assert np.degrees(np.arccos(turn[2] @ up_cam)) < 3.0
    assert (found.standing_chance()[:, standing[0]] > 0.6).all()
    for point in ("left_wrist", "right_wrist", "left_toe"):
        path = found.points(point)
        assert np.ptp(path, axis=0).max() < 0.01
        assert abs(path[0, 2] - person.point(point)[0, 2]) < 0.09


def test_hands_captured_too_low_do_not_lower_the_floor_under_the_feet():
    person, standing = pressing_up()
    joints = person.joints_world.copy()
    joints[:, CAPTURE.index("left_wrist"), 2] -= 0.08
    joints_cam = joints @ WORLD_FROM_CAM
    motion = motion_of(joints_cam, joints_cam[:, 0] + [0.0, 0.0, 5.0], person.times_s)
    found = to_world(motion)
    assert (found.standing_chance()[:, standing[0]] > 0.5).all()
    assert found.points("left_toe")[:, 2] == pytest.approx(person.point("left_toe")[:, 2], abs=0.03)


def test_who_stands_on_hands_alone_has_the_floor_under_them():
    times_s = np.arange(60) / 30
    upside_down = {"hips": about(LEFT, np.pi + 0 * times_s)}
    upside_down |= {"left_upper_arm": about(BACK, -np.pi / 2), "right_upper_arm": about(BACK, np.pi / 2)}
    person = posed(times_s, np.array([0.0, 0.0, 1.03]), upside_down)
    joints_cam = person.joints_world @ WORLD_FROM_CAM
    found = to_world(motion_of(joints_cam, joints_cam[:, 0] + [0.0, 0.0, 5.0], times_s))
    assert (found.standing_chance()[:, 4:] > 0.6).all()
    assert found.points("left_wrist")[:, 2] == pytest.approx(0.05, abs=0.02)


def test_the_turn_into_the_world_keeps_the_camera_s_heading():
    for up in ([0.3, -0.9, -0.2], [0.0, -1.0, 0.0], [0.0, -0.1, -1.0], [0.0, 0.0, 1.0]):
        turn = world_from_cam(normalized(np.array(up, dtype=float)))
        assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(turn) == pytest.approx(1.0)
        assert np.allclose(turn @ normalized(np.array(up, dtype=float)), [0, 0, 1])
        ahead = turn @ [0, 0, 1.0]
        assert abs(ahead[0]) < 1e-9
        assert ahead[1] > -1e-9
    assert np.allclose(world_from_cam(np.array([0, -1.0, 0])), WORLD_FROM_CAM)


def test_a_way_across_the_picture_and_away_from_the_camera_stays_one():
    person, _ = striding()
    turned = quat_rotate(about(UP, 0.6), person.joints_world)
    joints_cam = turned @ WORLD_FROM_CAM
    world = to_world(motion_of(joints_cam, joints_cam[:, 0] + [0.0, 0.0, 7.0], person.times_s))
    way = turned[-1, 0] - turned[0, 0]
    assert np.allclose(world.points("hip")[-1] - world.points("hip")[0], way, atol=0.1)


@settings(max_examples=15, deadline=None)
@given(yaw_deg=st.floats(-180.0, 180.0), pitch_deg=st.floats(-15.0, 25.0), roll_deg=st.floats(-12.0, 12.0))
def test_however_the_camera_stands_the_world_is_the_same(yaw_deg, pitch_deg, roll_deg):
    person, _ = striding()
    middle = person.point("hip").mean(axis=0)
    before_camera = quat_rotate(about(UP, np.deg2rad(yaw_deg)), person.joints_world - middle) @ WORLD_FROM_CAM
    held = quat_multiply(
        about(np.array([0.0, 0.0, 1.0]), np.deg2rad(roll_deg)), about(np.array([1.0, 0.0, 0.0]), np.deg2rad(pitch_deg))
    )
    joints_cam = quat_rotate(held, before_camera) + np.array([0.0, 0.0, 7.0])
    found = to_world(motion_of(joints_cam, joints_cam[:, 0], person.times_s)).joints_world
    apart, true_apart = found - found[:1, :1], person.joints_world - person.joints_world[:1, :1]
    # Up to the heading, which is the camera's.
    flat, true_flat = apart[..., :2].reshape(-1, 2) @ [1, 1j], true_apart[..., :2].reshape(-1, 2) @ [1, 1j]
    heading = np.vdot(flat, true_flat)
    assert np.abs(flat * heading / abs(heading) - true_flat).max() < 0.1
    assert np.abs(found[..., 2] - person.joints_world[..., 2]).max() < 0.1


def test_a_joint_set_without_limbs_is_refused_in_words():
    torso = Skeleton("torso", ("hip", "left_hip"), (None, "hip"))
    with pytest.raises(MotionError, match="left_ankle"):
        to_world(motion_of(np.zeros((2, 2, 3)), np.ones((2, 3)), np.array([0.0, 0.1]), torso))


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="joints_world"):
        WorldMotion(np.arange(2.0), CAPTURE, np.zeros((3, 27, 3)), np.zeros((2, 27)))
    with pytest.raises(ValueError, match="finite"):
        WorldMotion(np.arange(2.0), CAPTURE, np.full((2, 27, 3), np.nan), np.zeros((2, 27)))


def test_a_rotated_copy_has_the_same_shape():
    person = walking(1.0)
    joints_cam, _ = filmed(person, 15, -10)
    world = to_world(motion_of(joints_cam, np.tile([0, 0, 4.0], (30, 1)), person.times_s))
    for a, b in (("left_wrist", "right_toe"), ("nose", "hip")):
        before = np.linalg.norm(person.point(a) - person.point(b), axis=1)
        assert np.allclose(np.linalg.norm(world.points(a) - world.points(b), axis=1), before, atol=1e-5)
    assert np.allclose(quat_rotate(np.array([1.0, 0, 0, 0]), world.points("hip")), world.points("hip"))


def test_some_frames_of_a_motion_are_whole_with_feet_and_fingers():
    frames = 5
    person = dancing(frames / 30.0)
    hands = HandMotion(
        np.zeros((frames, 2, 5, 3), np.float32), np.zeros((frames, 2, 5, 3), np.float32), np.eye(frames, 2, dtype="f4")
    )
    motion = replace(person.motion(), standing=np.arange(6.0 * frames).reshape(frames, 6), hands=hands)
    some = motion.at(slice(1, None, 2))
    assert some.times_s.tolist() == motion.times_s[1::2].tolist()
    assert some.joints_world.shape == (2, len(CAPTURE), 3)
    assert some.standing is not None
    assert some.standing[:, 0].tolist() == [6.0, 18.0]
    assert some.hands is not None
    assert some.hands.score.tolist() == hands.score[1::2].tolist()
    with pytest.raises(ValueError, match="hands have 5 frames, expected 2"):
        replace(some, hands=hands)
