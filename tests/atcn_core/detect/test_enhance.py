"""Enhanced keypoints lie nearer to the truth than found ones, and leave alone what was right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.clip import Keypoints2D
from atcn_core.detect.enhance import EnhanceOptions, enhanced, outliers
from atcn_core.detect.mediapipe import MediapipeDetector
from atcn_core.detect.track import track_person
from atcn_core.skeleton import CAPTURE, COCO_17, LIMB_12

from ..video_files import needs_shared
from .pose2sim_truth import FOLDER, projected_px
from .walker import PX_PER_M, keypoints_of, walking_px

DEMO = Path(__file__).parents[2] / "data"
WRIST = CAPTURE.index("right_wrist")
UNTOUCHED = EnhanceOptions(swaps=False, outliers=False, longest_gap_s=0.0, cutoff_hz=0.0)
RATES = st.sampled_from([25.0, 30.0, 60.0])


def unseen(keypoints: Keypoints2D, frames: slice | np.ndarray, joints: list[int] | slice) -> Keypoints2D:
    score = keypoints.score.copy()
    score[frames, joints] = 0.0
    return replace(keypoints, score=score, xy_px=np.where(score[..., None] > 0, keypoints.xy_px, np.nan))


def miss_px(keypoints: Keypoints2D, true_px: np.ndarray) -> np.ndarray:
    return np.linalg.norm(keypoints.xy_px - true_px, axis=-1)


@settings(max_examples=6, deadline=None)
@given(fps=RATES, turned_rad=st.floats(0.0, 6.3), steps_hz=st.floats(0.2, 1.2))
def test_clean_motion_passes_unchanged(fps: float, turned_rad: float, steps_hz: float) -> None:
    times_s = np.arange(60) / fps
    true_px = walking_px(times_s, turned_rad=turned_rad, steps_hz=steps_hz)
    put_right = enhanced(keypoints_of(true_px, times_s))
    assert not outliers(true_px, np.ones(true_px.shape[:2]), times_s).any()
    assert miss_px(put_right, true_px)[6:-6].max() < 0.5
    assert miss_px(put_right, true_px).max() < 2.0  # at a clip's ends a path is known from one side only
    np.testing.assert_array_equal(put_right.score, 1.0)


def test_standing_still_and_gliding_pass_to_the_hundredth_of_a_pixel() -> None:
    times_s = np.arange(60) / 30.0
    true_px = walking_px(times_s, steps_hz=0.0) + 200.0 * times_s[:, None, None]
    assert miss_px(enhanced(keypoints_of(true_px, times_s)), true_px).max() < 0.01


@pytest.mark.parametrize(("hz", "least"), [(1.0, 0.99), (2.0, 0.98), (3.0, 0.95)])
@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_fast_motion_is_not_flattened(fps: float, hz: float, least: float) -> None:
    times_s = np.arange(int(3 * fps)) / fps
    true_px = walking_px(times_s, steps_hz=0.0)
    true_px[:, WRIST, 0] += 0.25 * PX_PER_M * np.sin(2.0 * np.pi * hz * times_s)
    put_right = enhanced(keypoints_of(true_px, times_s))
    inner = slice(len(times_s) // 6, -len(times_s) // 6)
    kept = np.std(put_right.xy_px[inner, WRIST, 0]) / np.std(true_px[inner, WRIST, 0])
    assert least < kept < 1.01


def test_a_fast_throw_keeps_its_reach_and_its_time() -> None:
    times_s = np.arange(60) / 30.0
    true_px = walking_px(times_s, steps_hz=0.0)
    true_px[:, WRIST, 0] += 0.7 * PX_PER_M / (1.0 + np.exp(-(times_s - 1.0) / 0.035))  # 5 m/s at its fastest
    put_right = enhanced(keypoints_of(true_px, times_s))
    assert (put_right.score[:, WRIST] == 1.0).all()
    assert miss_px(put_right, true_px)[:, WRIST].max() < 0.05 * PX_PER_M


@settings(max_examples=5, deadline=None)
@given(fps=RATES, seed=st.integers(0, 1000))
def test_jitter_goes_and_does_not_trail(fps: float, seed: int) -> None:
    times_s = np.arange(60) / fps
    true_px = walking_px(times_s, turned_rad=0.5, steps_hz=0.7)
    noisy = keypoints_of(true_px + np.random.default_rng(seed).normal(0.0, 3.0, true_px.shape), times_s)
    put_right = enhanced(noisy)
    assert miss_px(put_right, true_px).mean() < 0.85 * miss_px(noisy, true_px).mean()
    jump_px, true_jump_px = (np.diff(places, n=2, axis=0) for places in (put_right.xy_px, true_px))
    assert np.abs(jump_px - true_jump_px).mean() < 0.5 * np.abs(np.diff(noisy.xy_px, 2, 0) - true_jump_px).mean()
    speed_px = np.gradient(true_px[:, :, 0], axis=0)
    trail_frames = ((true_px - put_right.xy_px)[:, :, 0] * speed_px).sum() / (speed_px**2).sum()
    assert abs(trail_frames) < 0.15


@settings(max_examples=10, deadline=None)
@given(
    fps=st.sampled_from([24.0, 30.0, 60.0]),
    frame=st.integers(6, 60),
    length=st.integers(1, 2),
    away_m=st.floats(0.3, 1.0),
    angle_rad=st.floats(0.0, 6.3),
    joint=st.sampled_from(LIMB_12),
)
def test_a_wild_joint_is_brought_back_and_marked(
    fps: float, frame: int, length: int, away_m: float, angle_rad: float, joint: str
) -> None:
    times_s = np.arange(72) / fps
    true_px = walking_px(times_s, turned_rad=0.4, steps_hz=0.6)
    wild_px = true_px.copy()
    wild = slice(frame, frame + length)
    wild_px[wild, CAPTURE.index(joint)] += away_m * PX_PER_M * np.array([np.cos(angle_rad), np.sin(angle_rad)])
    put_right = enhanced(keypoints_of(wild_px, times_s), EnhanceOptions(swaps=False))
    assert miss_px(put_right, true_px)[wild, CAPTURE.index(joint)].max() < 0.06 * PX_PER_M
    assert (put_right.score[wild, CAPTURE.index(joint)] <= 0.2).all()
    assert (put_right.score > 0.9).sum() == put_right.score.size - length


def test_a_gap_is_closed_along_the_curve_not_the_straight_line() -> None:
    times_s = np.arange(60) / 30.0
    true_px = walking_px(times_s, steps_hz=0.0)
    true_px[:, WRIST] += 0.3 * PX_PER_M * np.stack([np.cos(2 * np.pi * times_s), np.sin(2 * np.pi * times_s)], axis=1)
    gap = slice(20, 26)
    put_right = enhanced(unseen(keypoints_of(true_px, times_s), gap, [WRIST]))
    share = ((np.arange(20, 26) - 19) / 7)[:, None]
    straight_px = true_px[19, WRIST] * (1 - share) + true_px[26, WRIST] * share
    straight_miss_px = np.linalg.norm(straight_px - true_px[gap, WRIST], axis=1)
    assert miss_px(put_right, true_px)[gap, WRIST].max() < 0.35 * straight_miss_px.max()
    assert (put_right.score[gap, WRIST] > 0).all()
    assert (put_right.score[gap, WRIST] <= 0.2).all()


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_long_gaps_and_the_clip_s_ends_stay_empty(fps: float) -> None:
    times_s = np.arange(40) / fps
    found = keypoints_of(walking_px(times_s, steps_hz=0.1), times_s)
    hidden = np.zeros(40, dtype=bool)
    hidden[:3], hidden[20 : 20 + int(0.5 * fps) + 2] = True, True
    put_right = enhanced(unseen(found, hidden, slice(None)))
    np.testing.assert_array_equal(put_right.seen, ~hidden)
    assert np.isnan(put_right.xy_px[hidden]).all()


def test_each_part_can_be_switched_off() -> None:
    times_s = np.arange(40) / 30.0
    xy_px = walking_px(times_s) + np.random.default_rng(0).normal(0.0, 3.0, (40, len(CAPTURE), 2))
    xy_px[12:15] = xy_px[12:15][:, list(CAPTURE.mirror)]
    found = unseen(keypoints_of(xy_px, times_s), slice(30, 33), [WRIST])
    as_found = enhanced(found, UNTOUCHED)
    np.testing.assert_array_equal(as_found.xy_px, found.xy_px)
    np.testing.assert_array_equal(as_found.score, found.score)
    swaps_only = enhanced(found, replace(UNTOUCHED, swaps=True))
    np.testing.assert_array_equal(swaps_only.xy_px[12:15], found.xy_px[12:15][:, list(CAPTURE.mirror)])
    assert (enhanced(found, replace(UNTOUCHED, longest_gap_s=0.25)).score[30:33, WRIST] > 0).all()


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_short_clips_and_other_joint_sets_are_taken(frames: int) -> None:
    times_s = np.arange(frames) / 30.0
    columns = [CAPTURE.index(j) if j in CAPTURE.joints else CAPTURE.index("nose") for j in COCO_17.joints]
    found = keypoints_of(walking_px(times_s)[:, columns], times_s, COCO_17)
    assert miss_px(enhanced(found), found.xy_px).max() < 1.0


def test_uneven_times_and_nothing_seen_are_taken() -> None:
    times_s = np.delete(np.arange(80) / 20.0, [7, 8, 20, 33, 34, 35, 60])
    true_px = walking_px(times_s, steps_hz=0.4)
    assert miss_px(enhanced(keypoints_of(true_px, times_s)), true_px).mean() < 1.0
    empty = enhanced(unseen(keypoints_of(true_px, times_s), slice(None), slice(None)))
    assert not empty.seen.any()


def test_the_demo_s_joints_come_nearer_to_their_true_places() -> None:
    with np.load(DEMO / "demo_truth.npz", allow_pickle=False) as stored:
        true_px = stored["xy_px"][:, CAPTURE.indices(*LIMB_12)]
    found = track_person(DEMO / "demo.mp4", MediapipeDetector()).keypoints
    limbs = found.skeleton.indices(*LIMB_12)
    put_right = enhanced(found)

    def misses(keypoints: Keypoints2D) -> tuple[float, float]:
        error_px = keypoints.xy_px[:, limbs] - true_px
        return (
            float(np.linalg.norm(error_px, axis=-1).mean()),
            float(np.linalg.norm(np.diff(error_px, axis=0), axis=-1).mean()),
        )

    (miss, shake), (better_miss, better_shake) = misses(found), misses(put_right)
    assert better_miss < miss
    assert better_shake < 0.75 * shake
    assert (put_right.score[:, limbs] >= 0.5).mean() > 0.95


@needs_shared
def test_a_back_taken_for_a_front_in_a_real_video_is_put_right() -> None:
    true_px = projected_px("02", LIMB_12)
    found = track_person(FOLDER / "cam02.mp4", MediapipeDetector()).keypoints
    limbs = found.skeleton.indices(*LIMB_12)
    body_px = np.ptp(true_px[..., 1], axis=1).mean()
    miss, better_miss = (
        np.linalg.norm(keypoints.xy_px[:, limbs] - true_px, axis=-1) / body_px for keypoints in (found, enhanced(found))
    )
    assert np.percentile(miss, 95) > 0.3  # the detector is as wrong as that
    assert np.median(better_miss) < 0.03
    assert np.percentile(better_miss, 95) < 0.07
    assert better_miss.max() < 0.15
