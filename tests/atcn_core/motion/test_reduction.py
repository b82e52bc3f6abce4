"""Fewer keys: never farther off than asked, stated as it is, and few."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.motion.reduction import PLACE, Channel, Thinning, every_nth, fitted, played, thinned
from atcn_core.rotation import normalized, quat_to_matrix

FRAMES = 400


def wandering(frames=FRAMES, columns=3, seed=0, smooth=8):
    """Smooth random values of about unit size."""
    weights = np.exp(-0.5 * (np.arange(-40, 41) / smooth) ** 2)
    noise = np.random.default_rng(seed).normal(size=(frames, columns))
    weights /= np.linalg.norm(weights)
    return np.stack([np.convolve(column, weights, "same")[:frames] for column in noise.T], axis=1)


def turning(frames=FRAMES, seed=0, size=0.25, smooth=8):
    """A turn that wanders, as quaternions."""
    bent = size * wandering(frames, 3, seed, smooth)
    return Channel("QUATERNION", normalized(np.concatenate([np.ones((frames, 1)), bent], axis=1)))


def hermite(channel, keys):
    """The cubics between keys, one frame at a time, in their textbook form."""
    values = np.empty_like(channel.values)
    for start, end, leave, come in zip(keys.at[:-1], keys.at[1:], keys.slopes[:-1], keys.slopes[1:], strict=True):
        for frame in range(start, end + 1):
            t, length = (frame - start) / (end - start), end - start
            values[frame] = (
                (2 * t**3 - 3 * t**2 + 1) * channel.values[start]
                + (t**3 - 2 * t**2 + t) * length * leave
                + (3 * t**2 - 2 * t**3) * channel.values[end]
                + (t**3 - t**2) * length * come
            )
    return values


def degrees_apart(one, other):
    """By the trace of the turn between; one, other: (T, 4)."""
    between = np.swapaxes(quat_to_matrix(normalized(one)), -1, -2) @ quat_to_matrix(normalized(other))
    return np.degrees(np.arccos(np.clip(0.5 * (np.trace(between, axis1=1, axis2=2) - 1.0), -1.0, 1.0)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 5.0), st.integers(2, 120))
def test_what_is_played_stays_within_the_tolerance(seed, tolerance_deg, frames):
    channel = turning(frames, seed)
    keys = fitted([channel], tolerance_deg)[0]
    assert keys.at[0] == 0
    assert keys.at[-1] == frames - 1
    assert (np.diff(keys.at) > 0).all()
    assert degrees_apart(hermite(channel, keys), channel.values).max() <= tolerance_deg + 1e-3


def test_a_place_stays_within_its_centimetres_whatever_the_unit_is():
    channel = Channel(PLACE, 30.0 * wandering(seed=4), cm_per_unit=1.0)
    keys = fitted([channel], 0.5)[0]
    assert np.linalg.norm(hermite(channel, keys) - channel.values, axis=1).max() <= 0.5 + 1e-9
    assert len(keys.at) < FRAMES / 4


def test_a_looser_tolerance_needs_fewer_keys_and_smooth_motion_few():
    channel = turning()
    counts = [len(fitted([channel], tolerance_deg)[0].at) for tolerance_deg in (0.1, 0.5, 2.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] < FRAMES / 3
    assert counts[2] < FRAMES / 8


def test_hardly_more_keys_than_by_always_taking_the_longest_stretch():
    channel = turning(seed=7)
    dense = every_nth(channel, 1)

    def within(start, end):
        slopes = dense.slopes[[start, end]]
        part = Channel("QUATERNION", channel.values[start : end + 1])
        keys = type(dense)(np.array([0, end - start]), slopes)
        return degrees_apart(played(part, keys), part.values).max() <= 0.5

    greedy = [0]
    while greedy[-1] < FRAMES - 1:
        end = greedy[-1] + 1
        while end + 1 < FRAMES and within(greedy[-1], end + 1):
            end += 1
        greedy.append(end)
    assert len(fitted([channel], 0.5)[0].at) <= 1.1 * len(greedy)


def test_what_is_played_between_every_nth_key_is_a_cubic_and_the_last_frame_has_a_key():
    channel = turning(frames=100)
    keys = every_nth(channel, 7)
    assert list(keys.at) == [*range(0, 99, 7), 99]
    assert np.allclose(played(channel, keys), hermite(channel, keys))


def test_it_states_the_worst_error_there_is():
    channels = [turning(seed=1), turning(seed=2), Channel(PLACE, wandering(seed=3))]
    keys, kept = thinned(channels, Thinning(every=9))
    worst_deg = max(degrees_apart(hermite(c, k), c.values).max() for c, k in zip(channels[:2], keys[:2], strict=True))
    assert kept.worst_deg == pytest.approx(worst_deg, rel=1e-6)
    apart = hermite(channels[2], keys[2]) - channels[2].values
    assert kept.worst_cm == pytest.approx(100 * np.linalg.norm(apart, axis=1).max())
    assert (kept.keys, kept.frames) == (sum(len(k.at) for k in keys), 3 * FRAMES)
    assert f"{kept.keys} of {kept.frames} keys" in kept.sentence
    assert f"{kept.worst_deg:.2f} deg" in kept.sentence


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_are_judged_by_the_turn_that_they_make(order):
    """The axes turn one after another, the order's first letter first."""
    channel = Channel(order, 1.2 * wandering(seed=5))
    keys = fitted([channel], 1.0)[0]

    def matrices(angles_rad):
        product = np.eye(3)
        for letter in order:
            i = "XYZ".index(letter)
            j, k = (i + 1) % 3, (i + 2) % 3
            about = np.tile(np.eye(3), (len(angles_rad), 1, 1))
            c, s = np.cos(angles_rad[:, i]), np.sin(angles_rad[:, i])
            about[:, j, j], about[:, j, k], about[:, k, j], about[:, k, k] = c, -s, s, c
            product = about @ product
        return product

    between = np.swapaxes(matrices(hermite(channel, keys)), -1, -2) @ matrices(channel.values)
    cosine = 0.5 * (np.trace(between, axis1=1, axis2=2) - 1.0)
    error_deg = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    _, kept = thinned([channel], Thinning(tolerance_deg=1.0))
    assert error_deg.max() == pytest.approx(kept.worst_deg, abs=1e-3)
    assert error_deg.max() <= 1.0 + 1e-3


def test_what_does_not_move_has_one_key_and_a_single_frame_is_one():
    still = Channel("QUATERNION", np.tile([1.0, 0, 0, 0], (50, 1)))
    keys, kept = thinned([still, Channel(PLACE, np.ones((1, 3)))], Thinning(tolerance_deg=1.0))
    assert [len(k.at) for k in keys] == [1, 1]
    assert (kept.keys, kept.worst_deg, kept.worst_cm) == (2, 0.0, 0.0)


def test_ten_thousand_frames_take_seconds_on_65_bones():
    channels = [turning(10_000, seed) for seed in range(8)]
    began_s = time.process_time()
    thinned(channels, Thinning(tolerance_deg=0.5))
    assert (time.process_time() - began_s) * 65 / 8 < 8.0


def test_channels_that_are_looked_through_together_get_the_keys_that_they_get_alone():
    channels = [turning(frames, seed) for seed, frames in enumerate((2, 300, 777))]
    for channel, together in zip(channels, fitted(channels, 0.5), strict=True):
        (alone,) = fitted([channel], 0.5)
        assert np.array_equal(together.at, alone.at)
        assert np.allclose(together.slopes, alone.slopes)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"tolerance_deg": 0.0}, {"tolerance_deg": 1.0, "tolerance_cm": -1.0}])
def test_senseless_thinning_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected 1 or more|more than 0"):
        Thinning(**wrong)
