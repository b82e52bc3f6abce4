"""Smoothing against a dense solution, against closed forms, and where data is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.motion.smoothing import filled, running_weight, smoothed


def dense(values, times_s, stiffness, weights):
    """The same least-squares problem by a full matrix. stiffness: of the second differences, one or (T - 2,)."""
    step = np.median(np.diff(times_s))
    h = np.diff(times_s) / step
    second = np.zeros((len(values) - 2, len(values)))
    for i in range(len(values) - 2):
        second[i, i] = 2 / (h[i] * (h[i] + h[i + 1]))
        second[i, i + 1] = -2 / (h[i] * h[i + 1])
        second[i, i + 2] = 2 / (h[i + 1] * (h[i] + h[i + 1]))
    stiff = np.diag(np.broadcast_to(stiffness, len(second)))
    return np.linalg.solve(np.diag(weights) + second.T @ stiff @ second, weights[:, None] * values)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(3, 60), cutoff_hz=st.floats(0.5, 8.0))
def test_agrees_with_a_dense_solve_at_uneven_times(seed, frames, cutoff_hz):
    rng = np.random.default_rng(seed)
    times_s = np.cumsum(rng.uniform(0.02, 0.06, frames))
    values = rng.normal(size=(frames, 2))
    weights = rng.uniform(0.05, 1.0, frames)
    strength = (2 * np.sin(np.pi * cutoff_hz * np.median(np.diff(times_s)))) ** -4
    found = smoothed(values, times_s, cutoff_hz, weights)
    assert np.allclose(found, dense(values, times_s, strength, weights), rtol=1e-6, atol=1e-6)


def test_straight_lines_pass_and_a_wave_at_the_cutoff_keeps_half_its_height_in_phase():
    times_s = np.arange(600) / 30
    line = 3.0 - 0.7 * times_s
    assert np.allclose(smoothed(line, times_s, 1.0), line, atol=1e-6)
    wave = np.sin(2 * np.pi * 2.0 * times_s)
    half = smoothed(wave, times_s, 2.0)[100:-100]
    assert np.allclose(half, 0.5 * wave[100:-100], atol=0.01)


def test_frames_without_weight_are_filled_smoothly():
    times_s = np.arange(60) / 30
    line = 2.0 * times_s
    weights = np.ones(60)
    weights[20:30] = 0.0
    holed = np.where(weights > 0, line, 99.0)
    assert np.allclose(smoothed(holed, times_s, 3.0, weights), line, atol=1e-3)


def test_gaps_are_bridged_by_straight_lines_and_ends_are_held():
    times_s = np.array([0.0, 0.1, 0.3, 0.4, 0.5])
    values = np.array([[9.0], [1.0], [np.nan], [4.0], [np.nan]])
    known = np.array([False, True, False, True, False])
    assert np.allclose(filled(values, known, times_s)[:, 0], [1.0, 1.0, 3.0, 4.0, 4.0])
    assert np.array_equal(filled(values, np.zeros(5, dtype=bool), times_s), np.zeros((5, 1)))


def test_weights_change_slowly_and_stay_weights():
    times_s = np.arange(90) / 30
    flicker = (np.arange(90) % 2).astype(float)
    flicker[45:] = 1.0
    slow = running_weight(flicker, times_s)
    assert slow.min() >= 0.0
    assert slow.max() <= 1.0
    assert np.abs(np.diff(slow)).max() < 0.15
    assert np.array_equal(running_weight(np.ones(5), times_s[:5]), np.ones(5))


def test_very_short_clips_pass_unchanged():
    for frames in (1, 2):
        values = np.arange(frames, dtype=float)
        assert np.array_equal(smoothed(values, np.arange(frames) / 30, 2.0), values)


@pytest.mark.parametrize("frames", [3, 4, 50])
@pytest.mark.parametrize("columns", [1, 40])
def test_a_clip_of_which_one_frame_alone_counts_is_that_frame(frames, columns):
    values, weights = np.full((frames, columns), 7.0), np.zeros(frames)
    weights[-1] = 1.0
    found = smoothed(values, np.arange(frames) / 240.0, 0.5, weights)
    assert np.allclose(found, 7.0, atol=0.01)


def test_many_columns_are_each_what_they_are_alone():
    rng = np.random.default_rng(4)
    values, times_s, weights = rng.normal(size=(90, 30)), np.cumsum(rng.uniform(0.01, 0.05, 90)), rng.uniform(size=90)
    alone = [smoothed(column, times_s, 2.0, weights) for column in values.T]
    assert np.allclose(smoothed(values, times_s, 2.0, weights), np.transpose(alone), atol=1e-9)
