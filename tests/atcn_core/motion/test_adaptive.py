"""Joint-by-joint smoothing against a dense solution, closed forms and plain loops."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.motion.adaptive import accelerations, running_rms, smoothed_by_joint
from tests.atcn_core.motion.test_smoothing import dense


def dense_at(values, times_s, cutoff_hz, weights):
    """One joint's least-squares problem by a full matrix. values: (T, D); cutoff_hz, weights: (T,)."""
    step_s = np.median(np.diff(times_s))
    return dense(values, times_s, (2 * np.pi * step_s * cutoff_hz[1:-1]) ** -4.0, weights)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(3, 60))
def test_agrees_with_a_dense_solve_at_uneven_times_and_changing_cutoffs(seed, frames):
    rng = np.random.default_rng(seed)
    times_s = np.cumsum(rng.uniform(0.02, 0.06, frames))
    values = rng.normal(size=(frames, 3, 2))
    cutoff_hz = rng.uniform(1.0, 12.0, (frames, 3))
    weights = rng.uniform(0.05, 1.0, (frames, 3))
    found = smoothed_by_joint(values, times_s, cutoff_hz, weights)
    for joint in range(3):
        wanted = dense_at(values[:, joint], times_s, cutoff_hz[:, joint], weights[:, joint])
        assert np.allclose(found[:, joint], wanted, rtol=1e-6, atol=1e-6)


def test_a_wave_at_the_cutoff_keeps_half_its_height_in_phase_and_lines_pass():
    times_s = np.arange(1200) / 120
    wave = np.sin(2 * np.pi * 2.0 * times_s)[:, None, None]
    line = (3.0 - 0.7 * times_s)[:, None, None]
    both = np.concatenate([wave, line], axis=1)
    found = smoothed_by_joint(both, times_s, np.full((1200, 2), 2.0), np.ones((1200, 2)))
    assert np.allclose(found[200:-200, 0], 0.5 * wave[200:-200, 0], atol=0.01)
    assert np.allclose(found[:, 1], line[:, 0], atol=1e-7)


def test_without_a_cutoff_nothing_changes_and_the_input_is_left_alone():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20, 2, 3))
    kept = values.copy()
    found = smoothed_by_joint(values, np.arange(20) / 30, np.full((20, 2), np.inf), np.full((20, 2), 0.3))
    assert np.allclose(found, values, atol=1e-12)
    assert np.array_equal(values, kept)


def test_accelerations_of_a_parabola_at_uneven_times_are_its_own():
    times_s = np.cumsum(np.random.default_rng(2).uniform(0.01, 0.05, 30))
    fall = -0.5 * 9.81 * times_s**2
    assert np.allclose(accelerations(fall[:, None, None], times_s), -9.81)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), frames=st.integers(1, 30), reach=st.integers(1, 40))
def test_running_root_mean_square_is_that_of_a_plain_loop(seed, frames, reach):
    values = np.random.default_rng(seed).normal(size=(frames, 2))
    wanted = [np.sqrt((values[max(i - reach, 0) : i + reach + 1] ** 2).mean(axis=0)) for i in range(frames)]
    assert np.allclose(running_rms(values, reach), wanted)
