"""Swaps of left and right are found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.detect.sides import swapped_joints
from atcn_core.skeleton import CAPTURE, mirrored_name

from .walker import walking_px

MIRROR = list(CAPTURE.mirror)
PAIRED = np.array([mirrored_name(joint) != joint for joint in CAPTURE.joints])
LEGS = CAPTURE.indices(*(f"{side}_{part}" for side in ("left", "right") for part in ("knee", "ankle", "heel", "toe")))


def found_swaps(xy_px: np.ndarray, times_s: np.ndarray, score: np.ndarray | None = None) -> np.ndarray:
    return swapped_joints(xy_px, np.ones(xy_px.shape[:2]) if score is None else score, times_s, CAPTURE)


def jittered(xy_px: np.ndarray, seed: int = 0) -> np.ndarray:
    return xy_px + np.random.default_rng(seed).normal(0.0, 2.0, xy_px.shape)


@settings(max_examples=12, deadline=None)
@given(
    fps=st.sampled_from([24.0, 30.0, 60.0]),
    first=st.integers(1, 40),
    length=st.integers(1, 25),
    turned_rad=st.floats(-0.7, 0.7),
    seed=st.integers(0, 1000),
)
def test_a_stretch_taken_back_for_front_is_found_to_the_frame(
    fps: float, first: int, length: int, turned_rad: float, seed: int
) -> None:
    times_s = np.arange(72) / fps
    xy_px = jittered(walking_px(times_s, turned_rad=turned_rad), seed)
    swapped = (np.arange(72) >= first) & (np.arange(72) < first + length)
    given_px = np.where(swapped[:, None, None], xy_px[:, MIRROR], xy_px)
    np.testing.assert_array_equal(found_swaps(given_px, times_s), swapped[:, None] & PAIRED)


@settings(max_examples=12, deadline=None)
@given(
    fps=st.sampled_from([5.0, 10.0, 24.0, 30.0, 60.0]),
    turned_rad=st.floats(0.0, 2.0 * np.pi),
    steps_hz=st.floats(0.0, 1.6),
    seed=st.integers(0, 1000),
)
def test_a_person_who_walks_or_runs_is_left_alone_from_every_side(
    fps: float, turned_rad: float, steps_hz: float, seed: int
) -> None:
    times_s = np.arange(60) / fps
    xy_px = jittered(walking_px(times_s, turned_rad=turned_rad, steps_hz=steps_hz), seed)
    assert not found_swaps(xy_px, times_s).any()


def test_a_person_who_turns_round_is_left_alone() -> None:
    times_s = np.arange(90) / 30.0
    turning = np.stack([walking_px(times_s[i : i + 1], turned_rad=2.0 * np.pi * times_s[i])[0] for i in range(90)])
    assert not found_swaps(jittered(turning), times_s).any()


def test_legs_swapped_alone_are_put_right_alone() -> None:
    times_s = np.arange(60) / 30.0
    xy_px = jittered(walking_px(times_s))
    given_px = xy_px.copy()
    given_px[20:30, LEGS] = xy_px[20:30][:, [MIRROR[j] for j in LEGS]]
    found = found_swaps(given_px, times_s)
    assert found[20:30, LEGS].all()
    assert found.sum() == 10 * len(LEGS)


def test_a_smeared_frame_at_the_swap_does_not_hide_it() -> None:
    times_s = np.arange(60) / 60.0
    xy_px = jittered(walking_px(times_s))
    given_px = xy_px.copy()
    given_px[20:30] = xy_px[20:30][:, MIRROR]
    for edge in (19, 30):
        given_px[edge] = 0.5 * (xy_px[edge] + xy_px[edge, MIRROR])
    found = found_swaps(given_px, times_s)[:, CAPTURE.index("left_shoulder")]
    assert found[20:30].all()
    assert not found[:19].any()
    assert not found[31:].any()


def test_another_person_after_a_cut_keeps_their_own_sides() -> None:
    times_s = np.arange(60) / 30.0
    xy_px = jittered(walking_px(times_s))
    xy_px[30:] = xy_px[30:, MIRROR] + [350.0, 0.0]  # seen from behind, somewhere else
    assert not found_swaps(xy_px, times_s).any()


def test_joints_not_seen_neither_count_nor_disturb() -> None:
    times_s = np.arange(60) / 30.0
    xy_px = jittered(walking_px(times_s))
    xy_px[25:32] = xy_px[25:32, MIRROR]
    score = np.ones(xy_px.shape[:2])
    score[:, CAPTURE.indices("left_wrist", "left_index", "left_pinky", "spine", "head")] = 0.0
    score[40:55] = 0.0
    xy_px[score == 0] = np.nan
    found = found_swaps(xy_px, times_s, score)
    np.testing.assert_array_equal(found.any(axis=1), (np.arange(60) >= 25) & (np.arange(60) < 32))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_clip_of_a_few_frames_is_taken(frames: int) -> None:
    times_s = np.arange(frames) / 30.0
    assert found_swaps(walking_px(times_s), times_s).shape == (frames, len(CAPTURE))
