"""The root path against exact projections of a person with known limbs and a known way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.frames import WORLD_FROM_CAM, Intrinsics, cam_to_px
from atcn_core.motion.root import constant_limb_lengths, root_path_cam
from atcn_core.skeleton import CAPTURE, SIDES
from tests.moving_person import dancing

CAMERA = Intrinsics.assumed((1280, 720))


def filmed(seconds=4.0, seed=0, way=None):
    """Joints relative to the hip in camera axes, the hip's true path, and the exact picture of it."""
    person = dancing(seconds, seed=seed)
    joints_cam = person.joints_world @ WORLD_FROM_CAM
    joints_cam = joints_cam - joints_cam[:, :1]
    times_s = person.times_s
    slow = np.stack([0.5 * np.sin(times_s), 0.1 * np.cos(times_s), 4.0 + 0.4 * times_s], axis=1)
    root_cam = slow if way is None else way(times_s)
    return joints_cam, root_cam, cam_to_px(joints_cam + root_cam[:, None], CAMERA), times_s


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_exact_pictures_give_the_exact_path(seed):
    joints_cam, root_cam, xy_px, times_s = filmed(seed=seed)
    found = root_path_cam(joints_cam, xy_px, np.ones(xy_px.shape[:2]), CAMERA, times_s)
    # The way bends slowly; all that smoothing may take of it is a few millimetres.
    assert np.abs(found - root_cam).max() < 0.01


def test_wrong_joints_and_unseen_joints_hardly_matter():
    joints_cam, root_cam, xy_px, times_s = filmed()
    rng = np.random.default_rng(0)
    score = np.ones(xy_px.shape[:2])
    hidden = rng.random(score.shape) < 0.3
    xy_px[hidden] = np.nan
    score[hidden] = 0.0
    xy_px[:, CAPTURE.indices("left_wrist", "left_index", "left_pinky")] += (150.0, -90.0)
    found = root_path_cam(joints_cam, xy_px, score, CAMERA, times_s)
    assert np.abs(found[:, :2] - root_cam[:, :2]).max() < 0.02
    assert np.abs(found[:, 2] - root_cam[:, 2]).max() < 0.1


def test_detector_noise_is_calmed_most_in_depth():
    joints_cam, root_cam, xy_px, times_s = filmed(8.0)
    noisy = xy_px + np.random.default_rng(1).normal(scale=3.0, size=xy_px.shape)
    found = root_path_cam(joints_cam, noisy, np.ones(xy_px.shape[:2]), CAMERA, times_s)
    error = found - root_cam
    assert np.sqrt((error[:, 2] ** 2).mean()) < 0.04
    assert np.sqrt((error[:, :2] ** 2).mean()) < 0.01
    assert np.abs(np.diff(error[:, 2], 2)).max() < 0.005


def test_gaps_are_filled_between_their_ends():
    joints_cam, root_cam, xy_px, times_s = filmed()
    score = np.ones(xy_px.shape[:2])
    xy_px[40:60], score[40:60] = np.nan, 0.0
    found = root_path_cam(joints_cam, xy_px, score, CAMERA, times_s)
    assert np.isfinite(found).all()
    assert np.abs(found - root_cam).max() < 0.06


def test_nothing_seen_gives_a_path_that_stands_still():
    joints_cam, _, xy_px, times_s = filmed(1.0)
    found = root_path_cam(joints_cam, np.full_like(xy_px, np.nan), np.zeros(xy_px.shape[:2]), CAMERA, times_s)
    assert np.isfinite(found).all()
    assert np.ptp(found, axis=0).max() == 0.0
    assert found[0, 2] > 0.0


def test_limbs_get_one_length_and_keep_their_directions():
    joints_cam, *_ = filmed()
    rng = np.random.default_rng(2)
    rubber = joints_cam.copy()
    for parent, child in CAPTURE.bones:
        rubber[:, child] = rubber[:, parent] + (joints_cam[:, child] - joints_cam[:, parent]) * rng.uniform(
            0.8, 1.2, (len(rubber), 1)
        )
    score = np.ones(rubber.shape[:2])
    fixed = constant_limb_lengths(rubber, CAPTURE, score)
    for parent, child in CAPTURE.bones:
        bone, was = fixed[:, child] - fixed[:, parent], rubber[:, child] - rubber[:, parent]
        lengths = np.linalg.norm(bone, axis=1)
        twin = CAPTURE.mirror[child]
        twin_m = np.linalg.norm(fixed[0, twin] - fixed[0, CAPTURE.parent_indices[twin]])
        assert np.ptp(lengths) < 1e-9
        assert lengths[0] == pytest.approx(twin_m)
        cosine = np.sum(bone * was, axis=1) / lengths / np.linalg.norm(was, axis=1)
        assert np.allclose(cosine, 1.0)
    assert np.array_equal(constant_limb_lengths(fixed, CAPTURE, score).round(9), fixed.round(9))


def test_an_unsure_network_s_short_arms_do_not_shorten_the_arms():
    """In two frames of three it folds what it does not know into shorter bones; legs it mostly knows."""
    joints_cam, *_ = filmed()
    unsure = np.arange(len(joints_cam)) % 3 > 0
    short = joints_cam.copy()
    for side in SIDES:
        for chain in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
            start, middle, end = CAPTURE.indices(*(f"{side}_{joint}" for joint in chain))
            share = 1.0 - 0.2 * unsure[:, None]
            short[:, middle] = joints_cam[:, start] + share * (joints_cam[:, middle] - joints_cam[:, start])
            short[:, end] = short[:, middle] + share * (joints_cam[:, end] - joints_cam[:, middle])
    fixed = constant_limb_lengths(short, CAPTURE, np.ones(short.shape[:2]))
    for child, length_m in (("elbow", 0.29), ("wrist", 0.25), ("knee", 0.8 * 0.42), ("ankle", 0.8 * 0.41)):
        at = CAPTURE.index(f"left_{child}")
        found_m = np.linalg.norm(fixed[:, at] - fixed[:, CAPTURE.parent_indices[at]], axis=1)
        assert found_m == pytest.approx(length_m, abs=1e-6), child


def test_limb_lengths_come_from_the_frames_in_which_the_limb_was_seen():
    joints_cam, *_ = filmed()
    wrist, elbow = CAPTURE.indices("left_wrist", "left_elbow")
    score = np.ones(joints_cam.shape[:2])
    wrong = joints_cam.copy()
    wrong[: len(wrong) * 2 // 3, wrist] += 0.4
    score[: len(wrong) * 2 // 3, wrist] = 0.0
    fixed = constant_limb_lengths(wrong, CAPTURE, score)
    assert np.linalg.norm(fixed[0, wrist] - fixed[0, elbow]) == pytest.approx(0.25, abs=1e-3)
