"""The fit to the picture, on a person whose joints are known: what it mends, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from atcn_core.clip import Keypoints2D
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics, cam_to_px
from atcn_core.lift import fit
from atcn_core.lift.fit import fitted_to_picture
from atcn_core.motion.root import constant_limb_lengths
from atcn_core.motion.smoothing import smoothed
from atcn_core.skeleton import CAPTURE
from tests.moving_person import dancing

CAMERA = Intrinsics(1000.0, (500.0, 500.0))
EXACT_M = 0.005
HIP = CAPTURE.index("hip")


def joints_before_camera(frames: int = 60, fps: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """The true joints (T, J, 3) in `cam`, 4 m away, and their times."""
    person = dancing(frames / fps, fps)
    joints = person.joints_world @ WORLD_FROM_CAM
    return joints - joints[0, HIP] + np.array([0.3, 0.1, 4.0]), person.times_s


def seen(joints_cam: np.ndarray, times_s: np.ndarray, hidden: tuple[str, ...] = ()) -> Keypoints2D:
    score = np.ones(joints_cam.shape[:2], dtype=np.float32)
    score[:, CAPTURE.indices(*hidden)] = 0.0
    xy_px = cam_to_px(joints_cam, CAMERA).astype(np.float32)
    xy_px[score == 0] = np.nan
    return Keypoints2D(CAPTURE, times_s, 1.0 / float(times_s[1] - times_s[0]), (1000, 1000), xy_px, score)


def as_lifted(joints_cam: np.ndarray, times_s: np.ndarray, error_m: float, seed: int = 0) -> np.ndarray:
    """The joints about the hip with slow errors on every bone, mostly along the line of sight, as a network makes."""
    rng = np.random.default_rng(seed)
    bones = fit._BONES @ joints_cam
    noise = smoothed(rng.normal(size=(len(times_s), bones.shape[1] * 3)), times_s, 1.0).reshape(bones.shape)
    bones = bones + error_m * noise / noise.std() * np.array([0.4, 0.4, 1.0])
    joints = np.zeros_like(joints_cam)
    for bone, (parent, child) in sorted(enumerate(CAPTURE.bones), key=lambda one: CAPTURE.order.index(one[1][1])):
        joints[:, child] = joints[:, parent] + bones[:, bone]
    return joints


def miss_mm(found: np.ndarray, joints_cam: np.ndarray) -> float:
    true = joints_cam - joints_cam[:, HIP : HIP + 1]
    return 1000.0 * float(np.linalg.norm(found - true, axis=2).mean())


def test_an_exact_picture_and_one_set_of_bones_mend_most_of_the_networks_error() -> None:
    true, times_s = joints_before_camera()
    lifted = as_lifted(true, times_s, 0.03)
    found, root = fitted_to_picture(lifted, seen(true, times_s), CAMERA, EXACT_M)
    assert miss_mm(found, true) < 0.6 * miss_mm(lifted, true)
    off_px = np.linalg.norm(cam_to_px(found + root[:, None], CAMERA) - cam_to_px(true, CAMERA), axis=2)
    assert np.median(off_px) < 2.0


def test_a_network_that_hesitates_about_depth_is_stretched_to_the_lengths_an_exact_picture_tells() -> None:
    true, times_s = joints_before_camera(240)
    flat = (true - true[:, :1]) * np.array([1.0, 1.0, 0.75])
    found, _ = fitted_to_picture(flat, seen(true, times_s), CAMERA, EXACT_M)
    assert miss_mm(found, true) < 0.28 * miss_mm(flat, true)


def test_the_better_the_picture_is_said_to_be_the_more_of_the_error_goes() -> None:
    true, times_s = joints_before_camera()
    lifted = as_lifted(true, times_s, 0.03)
    left = [miss_mm(fitted_to_picture(lifted, seen(true, times_s), CAMERA, m)[0], true) for m in (0.005, 0.012, 0.03)]
    assert left[0] < 0.5 * miss_mm(lifted, true)
    assert left == sorted(left)


def test_the_truth_is_left_alone() -> None:
    true, times_s = joints_before_camera()
    found, root = fitted_to_picture(true - true[:, :1], seen(true, times_s), CAMERA)
    assert miss_mm(found, true) < 2.0
    assert np.abs(root - true[:, HIP]).max() < 0.02


def test_bones_are_of_one_length_left_as_right() -> None:
    true, times_s = joints_before_camera()
    found, _ = fitted_to_picture(as_lifted(true, times_s, 0.03), seen(true, times_s), CAMERA)
    lengths_m = np.linalg.norm(fit._BONES @ found, axis=2)
    assert np.ptp(lengths_m, axis=0).max() < 1e-6
    children = [child for _, child in CAPTURE.bones]
    twins = [children.index(CAPTURE.mirror[child]) for child in children]
    assert np.abs(lengths_m - lengths_m[:, twins]).max() < 1e-6


def test_what_nobody_saw_stays_the_networks() -> None:
    true, times_s = joints_before_camera()
    lifted = as_lifted(true, times_s, 0.03)
    blind = seen(true, times_s, hidden=CAPTURE.joints)
    found, root = fitted_to_picture(lifted, blind, CAMERA)
    assert np.isfinite(root).all()
    even = constant_limb_lengths(lifted, CAPTURE, blind.score)
    assert np.linalg.norm(found - even, axis=2).mean() < 0.02


def test_a_hidden_hand_does_not_fly_off() -> None:
    true, times_s = joints_before_camera()
    hidden = ("left_wrist", "left_index", "left_pinky")
    found, _ = fitted_to_picture(as_lifted(true, times_s, 0.03), seen(true, times_s, hidden), CAMERA, EXACT_M)
    hand = CAPTURE.indices(*hidden)
    gap_m = np.linalg.norm((found - true + true[:, :1])[:, hand], axis=2)
    assert gap_m.max() < 0.25


def test_a_joint_that_is_elsewhere_for_a_moment_pulls_nothing_along() -> None:
    true, times_s = joints_before_camera()
    lifted = true - true[:, :1]
    keypoints = seen(true, times_s)
    wrong_px = keypoints.xy_px.copy()
    wrong_px[20:23, CAPTURE.index("left_wrist")] += 120.0  # half a metre
    wrong = Keypoints2D(CAPTURE, times_s, keypoints.fps, keypoints.image_wh_px, wrong_px, keypoints.score)
    found, _ = fitted_to_picture(lifted, wrong, CAMERA)
    assert miss_mm(found[18:25], true[18:25]) < 5.0


def test_a_mirrored_picture_gives_the_mirrored_person() -> None:
    true, times_s = joints_before_camera()
    lifted = as_lifted(true, times_s, 0.03)
    flip = np.array([-1.0, 1.0, 1.0])
    mirror = list(CAPTURE.mirror)
    found, _ = fitted_to_picture(lifted, seen(true, times_s), CAMERA)
    turned, _ = fitted_to_picture(lifted[:, mirror] * flip, seen(true[:, mirror] * flip, times_s), CAMERA)
    assert np.abs(turned - found[:, mirror] * flip).max() < 1e-4


def test_twice_the_frames_are_the_same_motion() -> None:
    true, times_s = joints_before_camera(120, 60.0)
    lifted = as_lifted(true, times_s, 0.03)
    every, _ = fitted_to_picture(lifted, seen(true, times_s), CAMERA)
    other, _ = fitted_to_picture(lifted[::2], seen(true[::2], times_s[::2]), CAMERA)
    assert np.linalg.norm(every[::2] - other, axis=2).mean() < 0.01


def test_a_long_clip_in_pieces_has_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    true, times_s = joints_before_camera(150)
    lifted = as_lifted(true, times_s, 0.03)
    whole, _ = fitted_to_picture(lifted, seen(true, times_s), CAMERA)
    monkeypatch.setattr(fit, "_PIECE", 70)
    monkeypatch.setattr(fit, "_OVERLAP", 30)
    parts, _ = fitted_to_picture(lifted, seen(true, times_s), CAMERA)
    apart_m = np.linalg.norm(parts - whole, axis=2)
    assert apart_m.max() < 0.01
    assert np.abs(np.diff(parts, 2, axis=0)).max() < 1.2 * np.abs(np.diff(whole, 2, axis=0)).max()


@pytest.mark.parametrize("size", [0.0, 1e-3])
def test_a_body_of_hardly_any_size_as_an_untrained_network_has_it_stays_finite(size: float) -> None:
    joints_cam, times_s = joints_before_camera()
    lifted = size * (joints_cam - joints_cam[:, HIP : HIP + 1])
    fitted_cam, root_cam = fitted_to_picture(lifted, seen(joints_cam, times_s), CAMERA)
    assert np.isfinite(fitted_cam).all()
    assert np.isfinite(root_cam).all()


def test_a_single_frame_is_only_placed() -> None:
    true, times_s = joints_before_camera(2)
    lifted = as_lifted(true, times_s, 0.0)[:1]
    keypoints = seen(true, times_s)
    one = Keypoints2D(CAPTURE, times_s[:1], 30.0, (1000, 1000), keypoints.xy_px[:1], keypoints.score[:1])
    found, root = fitted_to_picture(lifted, one, CAMERA)
    assert np.abs(found - lifted).max() < 0.02
    assert np.linalg.norm(root[0] - true[0, HIP]) < 0.1
