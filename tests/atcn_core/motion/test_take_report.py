"""The take report's figures against motions of which each is known, and the stretches a person would name."""

import json
from dataclasses import replace

import numpy as np
import pytest

from atcn_core.camera_path import CameraPath, VideoCamera
from atcn_core.clip import Keypoints2D, Motion3D
from atcn_core.errors import MotionError
from atcn_core.frames import Intrinsics, cam_to_px
from atcn_core.motion.take_report import SCHEMA, Soles, from_json, on_rig, take_report, to_json
from atcn_core.motion.take_series import take_series
from atcn_core.motion.take_table import figures
from atcn_core.motion.world import WorldMotion, to_world
from atcn_core.skeleton import CAPTURE
from tests.moving_person import BACK, LEFT, about, after, posed, pressing_up, striding

FPS = 30.0
CAMERA = Intrinsics.assumed((1280, 720))
CAM_FROM_WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def filmed(person) -> tuple[Motion3D, Keypoints2D]:
    """The person before a level camera 5 m away, and their joints exactly where the camera has them."""
    placed = person.joints_world @ CAM_FROM_WORLD.T + [0.0, 0.9, 5.0]
    score = np.ones(placed.shape[:2], dtype=np.float32)
    root = placed[:, 0]
    motion = Motion3D(
        CAPTURE,
        person.times_s,
        FPS,
        (1280, 720),
        (placed - root[:, None]).astype(np.float32),
        root.astype(np.float32),
        score,
        CAMERA,
    )
    xy_px = cam_to_px(placed, CAMERA).astype(np.float32)
    return motion, Keypoints2D(CAPTURE, person.times_s, FPS, (1280, 720), xy_px, score)


def standing_person(frames: int = 90, hip=(0.0, 0.0, 0.895), **turns):
    return posed(np.arange(frames) / FPS, np.broadcast_to(hip, (frames, 3)), turns)


def world_of(person) -> WorldMotion:
    return WorldMotion(person.times_s, CAPTURE, person.joints_world, np.ones(person.joints_world.shape[:2]))


def reasons(motion, keypoints) -> list[str]:
    return [doubt.reason for doubt in take_report(motion, keypoints).doubtful]


def hidden(keypoints: Keypoints2D, first: int, last: int, *joints: str) -> Keypoints2D:
    score = keypoints.score.copy()
    score[first:last, CAPTURE.indices(*joints)] = 0.1
    return replace(keypoints, score=score)


def test_a_still_person_seen_wholly_has_nothing_to_tell():
    person = standing_person()
    motion, keypoints = filmed(person)
    report = take_report(motion, keypoints, world_of(person))
    assert report.found_percent == report.seen_percent == 100.0
    assert report.reprojection_px == pytest.approx(0.0, abs=1e-3)
    assert report.foot_slide_cm_s == pytest.approx(0.0, abs=1e-9)
    assert report.jitter_mm == pytest.approx(0.0, abs=1e-9)
    assert report.way_m == pytest.approx(0.0, abs=1e-9)
    assert report.limb_length_percent == pytest.approx(0.0, abs=1e-4)
    assert report.arm_swing_percent is None
    assert report.doubtful == ()
    assert report.doubtful_percent == 0.0


def test_joints_moved_aside_in_the_picture_are_told_in_pixels_and_shares_of_the_height():
    motion, keypoints = filmed(standing_person())
    off = replace(keypoints, xy_px=keypoints.xy_px + np.array([6.0, 8.0], np.float32))
    report = take_report(motion, off)
    series = take_series(motion, off, to_world(motion))
    assert report.reprojection_px == pytest.approx(10.0, abs=1e-2)
    assert report.reprojection_percent == pytest.approx(1000.0 / series.height_px[0], rel=1e-2)
    # somebody of 1.7 m 5 m away from this lens
    assert series.height_px[0] == pytest.approx(CAMERA.focal_px * 1.7 / 5.0, rel=0.08)


def test_what_is_known_of_the_camera_is_reported():
    motion, keypoints = filmed(standing_person(12))
    assert take_report(motion, keypoints).camera_note == ""
    report = take_report(replace(motion, video_camera=VideoCamera("still", "It stands.")), keypoints)
    assert (report.camera, report.camera_note) == ("still", "It stands.")
    assert from_json(to_json(report)) == report


def test_a_camera_that_turns_and_zooms_is_reckoned_with():
    motion, _ = filmed(standing_person(40, left_upper_arm=about(BACK, np.linspace(0.0, 1.4, 40))))
    angle = np.linspace(0.0, 0.3, 40)
    turned = np.zeros((40, 3, 3))
    turned[:, 0, 0], turned[:, 0, 2], turned[:, 2, 0], turned[:, 2, 2] = (
        np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle),
    )  # fmt: skip
    turned[:, 1, 1] = 1.0
    zoom = np.linspace(1.0, 1.5, 40)
    placed = np.einsum("tji,tnj->tni", turned, motion.joints_cam + motion.root_cam[:, None])
    cameras = [Intrinsics(times * CAMERA.focal_px, CAMERA.centre_px) for times in zoom]
    xy_px = np.stack([cam_to_px(points, camera) for points, camera in zip(placed, cameras, strict=True)])
    keypoints = Keypoints2D(CAPTURE, motion.times_s, FPS, (1280, 720), xy_px.astype(np.float32), motion.score)
    moving = replace(motion, video_camera=VideoCamera("turning", "", CameraPath(turned, zoom)))
    report = take_report(moving, keypoints)
    assert report.reprojection_px == pytest.approx(0.0, abs=1e-2)
    assert report.arm_swing_percent == pytest.approx(100.0, abs=0.1)
    assert take_report(motion, keypoints).reprojection_px > 50.0


def test_the_share_of_frames_and_joints_that_were_seen_is_counted():
    motion, keypoints = filmed(standing_person(100))
    score = keypoints.score.copy()
    score[20:50] = 0.0
    report = take_report(motion, replace(keypoints, score=score))
    assert report.found_percent == pytest.approx(70.0)
    assert report.seen_percent == pytest.approx(70.0)
    (doubt,) = report.doubtful
    assert doubt.reason == "nobody seen"
    assert (doubt.first_s, doubt.last_s) == pytest.approx((20 / FPS, 49 / FPS))
    assert report.doubtful_percent == pytest.approx(100.0 * 29 / 99)


def test_feet_that_slide_sink_and_tremble_are_measured():
    frames = 90
    person = standing_person(frames)
    motion, keypoints = filmed(person)
    sliding = person.joints_world + np.arange(frames)[:, None, None] / FPS * np.array([0.05, 0.0, 0.0])
    sliding[:45, :, 2] -= 0.02
    world = WorldMotion(person.times_s, CAPTURE, sliding, np.ones(sliding.shape[:2]), np.ones((frames, 6)))
    report = take_report(motion, keypoints, world)
    assert report.hand_slide_cm_s == pytest.approx(5.0)
    assert report.foot_slide_cm_s == pytest.approx(5.0)
    floor_cm = 100.0 * float(-person.joints_world[0, CAPTURE.indices("left_heel", "left_toe"), 2].min())
    assert report.deepest_cm == pytest.approx(2.0 + floor_cm)
    assert report.below_floor_cm == pytest.approx(1.0 + max(floor_cm, 0.0), abs=0.02)
    assert report.way_m == pytest.approx(0.05 * (frames - 1) / FPS)
    shaking = person.joints_world.copy()
    shaking[::2, :, 0] += 0.001  # 1 mm to and fro: a second difference of 2 mm a frame^2
    assert take_report(motion, keypoints, replace(world, joints_world=shaking)).jitter_mm == pytest.approx(2.0)


def test_a_rig_s_feet_are_measured_while_the_person_s_stand():
    person = standing_person()
    report = take_report(*filmed(person))
    standing = np.zeros((90, 6))
    standing[:, :2] = 1.0
    world = WorldMotion(person.times_s, CAPTURE, person.joints_world, np.ones((90, 27)), standing)
    # at another rate than the motion's, with a stretch left out in the middle
    times_s = np.arange(145) / 50.0
    times_s = times_s[(times_s < 1.0) | (times_s > 2.0)]
    soles = np.zeros((len(times_s), 4, 3)) + times_s[:, None, None] * [0.0, 0.1, 0.0] + [0.0, 0.0, 0.5]
    soles[:, 2:] *= [1.0, 5.0, 1.0]  # the right foot does not stand: it may go as it likes
    soles[times_s > 2.0] += [7.0, 0.0, 0.0]  # between the stretches is no slide
    soles[0, 1, 2] -= 0.02
    found = on_rig(report, "Bruno", Soles(times_s, soles, 0.5, 0.02), world)
    assert found.rig == "Bruno"
    assert found.rig_foot_slide_cm_s == pytest.approx(10.0)
    assert found.rig_deepest_cm == pytest.approx(2.0)
    assert found.rig_below_floor_cm == pytest.approx(2.0 / len(times_s))
    assert replace(found, rig="", rig_foot_slide_cm_s=None, rig_below_floor_cm=None, rig_deepest_cm=None) == report


def test_hands_that_stand_nowhere_have_no_slide_and_those_of_press_ups_do():
    report = take_report(*filmed(standing_person()))
    assert report.hand_slide_cm_s is None
    assert "hand_slide_cm_s" not in [name for name, _, _ in figures(report)]
    person, standing = pressing_up(3.0, FPS)
    motion, keypoints = filmed(person)
    world = replace(world_of(person), standing=standing.astype(float))
    pressed = take_report(motion, keypoints, world)
    assert pressed.hand_slide_cm_s == pytest.approx(0.0, abs=1e-9)
    assert from_json(to_json(pressed)) == pressed
    older = json.loads(to_json(pressed))
    del older["hand_slide_cm_s"]
    assert from_json(json.dumps(older)) == replace(pressed, hand_slide_cm_s=None)


def test_a_walk_s_way_is_its_length():
    person, _ = striding(3.0, FPS, 1.2)
    motion, keypoints = filmed(person)
    assert take_report(motion, keypoints, world_of(person)).way_m == pytest.approx(1.2 * person.times_s[-1], rel=1e-6)


def test_bones_that_change_length_are_told():
    motion, keypoints = filmed(standing_person())
    joints_cam = motion.joints_cam.copy()
    joints_cam[::2] *= 1.1
    assert take_report(replace(motion, joints_cam=joints_cam), keypoints).limb_length_percent == pytest.approx(
        4.8, abs=0.4
    )


def test_a_swing_that_was_halved_is_told_as_half():
    times_s = np.arange(120) / FPS
    swings = [amount * np.sin(2 * np.pi * times_s) for amount in (0.25, 0.5)]
    half, whole = (
        posed(
            times_s,
            np.broadcast_to([0, 0, 0.895], (120, 3)),
            {f"{side}_upper_arm": about(BACK, s * swing) for side, s in (("left", 1.0), ("right", -1.0))},
        )
        for swing in swings
    )
    assert take_report(filmed(half)[0], filmed(whole)[1]).arm_swing_percent == pytest.approx(50.0, abs=4.0)


def test_hidden_parts_are_named_with_their_side_and_their_time():
    motion, keypoints = filmed(standing_person(120))
    one = hidden(keypoints, 30, 60, "left_index", "left_pinky")
    (doubt,) = take_report(motion, one).doubtful
    assert doubt.reason == "left hand unseen"
    assert (doubt.first_s, doubt.last_s) == pytest.approx((30 / FPS, 59 / FPS))
    assert reasons(motion, hidden(one, 30, 60, "right_index", "right_pinky")) == ["hands unseen"]
    assert reasons(motion, hidden(one, 30, 60, "left_elbow", "left_wrist")) == ["left arm unseen"]
    assert reasons(motion, hidden(keypoints, 30, 34, "left_index", "left_pinky")) == []
    rest = [joint for joint in CAPTURE.joints if "shoulder" not in joint]
    assert reasons(motion, hidden(keypoints, 30, 60, *rest)) == ["body mostly unseen"]


def test_single_frames_now_and_then_are_no_stretch_and_what_flickers_is_one():
    motion, keypoints = filmed(standing_person(120))
    now_and_then = flickering = keypoints
    for frame in range(30, 60, 6):
        now_and_then = hidden(now_and_then, frame, frame + 1, "left_index", "left_pinky")
        flickering = hidden(flickering, frame, frame + 3, "left_index", "left_pinky")
    assert reasons(motion, now_and_then) == []
    (doubt,) = take_report(motion, flickering).doubtful
    assert (doubt.first_s, doubt.last_s) == pytest.approx((30 / FPS, 56 / FPS))


def test_nobody_is_seen_where_the_person_is_lost_for_as_long_as_shows():
    motion, keypoints = filmed(standing_person(120))
    for last, wanted in ((32, []), (45, ["nobody seen"])):
        score = keypoints.score.copy()
        score[30:last] = 0.0
        assert reasons(motion, replace(keypoints, score=score)) == wanted


def test_feet_below_the_picture_are_said_to_be_out_of_it():
    motion, keypoints = filmed(standing_person(60))
    low = replace(motion, root_cam=motion.root_cam + np.array([0.0, 1.2, 0.0], np.float32))
    xy_px = keypoints.xy_px + np.array([0.0, 1.2 * CAMERA.focal_px / 5.0], np.float32)
    feet = [f"{side}_{part}" for side in ("left", "right") for part in ("heel", "toe")]
    assert reasons(low, hidden(replace(keypoints, xy_px=xy_px), 0, 60, *feet)) == ["feet out of the picture"]


def test_swapped_sides_jumps_and_a_poor_fit_are_named_where_they_are():
    crossed = {"right_upper_arm": about(BACK, -0.9), "left_thigh": about(LEFT, -0.6)}
    motion, keypoints = filmed(standing_person(120, **crossed))
    mirror = list(CAPTURE.mirror)
    xy_px = keypoints.xy_px.copy()
    xy_px[60:64] = xy_px[60:64][:, mirror]
    (doubt,) = take_report(motion, replace(keypoints, xy_px=xy_px)).doubtful
    assert doubt.reason == "left and right may be swapped"
    assert doubt.first_s < 60 / FPS < doubt.last_s < 70 / FPS
    poor = keypoints.xy_px.copy()
    poor[30:60] += np.array([0.0, 60.0], np.float32)
    assert "pose beside the picture" in reasons(motion, replace(keypoints, xy_px=poor))
    cut = keypoints.xy_px.copy()
    cut[70:] += np.array([250.0, 0.0], np.float32)
    moved = motion.root_cam.copy()
    moved[70:, 0] += 250.0 * 5.0 / CAMERA.focal_px
    jumped = take_report(replace(motion, root_cam=moved), replace(keypoints, xy_px=cut)).doubtful
    (jump,) = [doubt for doubt in jumped if doubt.reason == "place jumps"]
    assert jump.first_s < 70 / FPS < jump.last_s < 75 / FPS


def test_a_walk_and_a_quick_turn_are_no_doubt():
    person, _ = striding()
    assert reasons(*filmed(person)) == []
    times_s = np.arange(60) / FPS
    pirouette = about(np.array([0.0, 0.0, 1.0]), 2 * np.pi * times_s / 0.6)
    spinning = posed(times_s, np.broadcast_to([0, 0, 0.895], (60, 3)), {"hips": after(pirouette)})
    assert reasons(*filmed(spinning)) == []


def test_a_single_frame_is_reported_too():
    motion, keypoints = filmed(standing_person(1))
    report = take_report(motion, keypoints)
    assert report.jitter_mm is None
    assert report.frames == 1
    assert from_json(to_json(report)) == report


def test_json_comes_back_the_same_and_nothing_else_is_taken_for_it():
    motion, keypoints = filmed(standing_person(60))
    report = take_report(motion, hidden(keypoints, 10, 40, "left_heel", "left_toe"))
    text = to_json(report)
    assert from_json(text) == report
    data = json.loads(text)
    assert data["schema"] == SCHEMA == "atcn.report/1"
    assert data["doubtful"][0].keys() == {"first_s", "last_s", "reason"}
    for wrong in ("{}", "[]", "no", text.replace("report/1", "report/9"), text.replace("way_m", "way")):
        with pytest.raises(MotionError):
            from_json(wrong)


def test_frames_that_do_not_belong_together_are_refused():
    motion, _ = filmed(standing_person(60))
    _, keypoints = filmed(standing_person(50))
    with pytest.raises(ValueError, match="frames"):
        take_report(motion, keypoints)
