"""The film's camera, put beside a rig: what it sees of the rig lies where the film shows the performer."""

import dataclasses

import numpy as np
import pytest

from atcn_core.camera_path import CameraPath, VideoCamera
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics, cam_to_px
from atcn_core.motion.footage import RigCamera, camera_for_rig, camera_turns, lens_of, shown_frames
from atcn_core.motion.retarget import solve
from atcn_core.motion.world import to_world, to_world_with_camera
from atcn_core.rotation import quat_to_matrix
from atcn_core.skeleton import CAPTURE
from tests.atcn_core.motion.stick_rig import HEADS, RIG_MAP, posed_world, stick_rest
from tests.atcn_core.motion.test_ground import filmed
from tests.atcn_core.motion.test_world import motion_of
from tests.moving_person import dancing, striding


def film_of(person, roll_deg=12.0, tilt_deg=15.0):
    joints_cam, _ = filmed(person, roll_deg, tilt_deg)
    there = person.joints_world[:, :1] - person.joints_world[:1, :1]
    root_cam = there[:, 0] @ np.diag([0.5, 0.2, 0.5]) + [0.3, 0.2, 5.0]
    return motion_of(joints_cam, root_cam, person.times_s)


@pytest.mark.parametrize("person", [dancing(2.0), striding()[0]])
def test_the_camera_sees_the_world_s_joints_as_the_film_does(person):
    motion = film_of(person)
    _, turn, place = to_world_with_camera(motion)
    seen_px = cam_to_px((to_world(motion).joints_world - place) @ turn, motion.camera)
    filmed_px = cam_to_px(motion.joints_cam + motion.root_cam[:, None], motion.camera)
    assert np.median(np.linalg.norm(seen_px - filmed_px, axis=-1)) < 10  # feet that stand move the path a little
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1.0)


@pytest.mark.parametrize("size", [0.5, 1.0, 1.7])
def test_a_rig_of_any_size_and_place_covers_the_performer(size):
    motion = film_of(dancing(2.0))
    rest = stick_rest(size=size)
    moved = rest.world_from_armature.copy()
    moved[:3, 3] += [3.0, -2.0, 0.7]
    rest = dataclasses.replace(rest, world_from_armature=moved)
    world = to_world(motion)
    camera = camera_for_rig(motion, rest, RIG_MAP)
    places = posed_world(rest, solve(world, rest, RIG_MAP))
    _, turn, place = to_world_with_camera(motion)
    for role in ("hips", "left_shin", "right_foot", "left_forearm", "right_hand"):
        on_rig = (places[RIG_MAP.bones[role]][:, :3, 3] - camera.place_world_m) @ camera.world_from_cam
        captured = (world.joints_world[:, CAPTURE.index(HEADS[role])] - place) @ turn
        apart_px = np.linalg.norm(cam_to_px(on_rig, motion.camera) - cam_to_px(captured, motion.camera), axis=-1)
        assert np.median(apart_px) < 1.0, role


def test_a_camera_turns_in_the_world_as_it_did_before_the_person():
    motion = film_of(dancing(1.0))
    assert camera_turns(motion, RigCamera(np.eye(3), np.zeros(3)), motion.times_s) is None
    angles = np.linspace(0.0, 0.5, len(motion.times_s))
    quats = np.stack([np.cos(angles / 2), 0 * angles, np.sin(angles / 2), 0 * angles], axis=1)
    path = CameraPath(quat_to_matrix(quats), np.linspace(1.0, 2.0, len(angles)))
    motion = dataclasses.replace(motion, video_camera=VideoCamera("turning", "", path))
    placed = RigCamera(WORLD_FROM_CAM, np.zeros(3))
    middle_s = np.array([motion.times_s[0], 0.5 * (motion.times_s[3] + motion.times_s[4]), motion.times_s[-1]])
    found, zoom = camera_turns(motion, placed, middle_s)
    wanted = [angles[0], 0.5 * (angles[3] + angles[4]), angles[-1]]
    ahead_world = quat_to_matrix(found)[:, :, 2]
    # turned about the picture's downward axis: to the right, seen from above
    np.testing.assert_allclose(ahead_world, [[np.sin(a), np.cos(a), 0.0] for a in wanted], atol=1e-6)
    assert zoom[[0, 2]] == pytest.approx([1.0, 2.0])
    assert zoom[1] == pytest.approx(np.sqrt(path.zoom[3] * path.zoom[4]))


@pytest.mark.parametrize("frame_wh_px", [(640, 480), (1920, 1080), (1080, 1920)])
def test_the_lens_shows_the_whole_picture_in_any_frame(frame_wh_px):
    motion = dataclasses.replace(film_of(dancing(0.2)), camera=Intrinsics(500.0, (300.0, 250.0)))
    lens = lens_of(motion, frame_wh_px)
    side_px = 640 if lens.fit == "HORIZONTAL" else 480
    assert lens.fit == ("HORIZONTAL" if frame_wh_px != (1920, 1080) else "VERTICAL")
    assert lens.focal_mm / lens.sensor_mm * side_px == pytest.approx(500.0)
    assert lens.shift_x * side_px == pytest.approx(20.0)
    assert lens.shift_y * side_px == pytest.approx(10.0)


def test_a_time_is_shown_by_its_nearest_frame_and_never_by_one_beyond_the_film():
    assert shown_frames(np.array([0.0, 0.09, 0.11, 0.2, 9.0]), 5.0, 10).tolist() == [1, 1, 2, 2, 10]
    at_60 = shown_frames(np.arange(60) / 60.0, 20.0, 21)
    assert np.abs((at_60 - 1) / 20.0 - np.arange(60) / 60.0).max() <= 0.5 / 20.0 + 1e-9
