"""Pose errors against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from atcn_core.evaluate.metrics import acceleration_error, inner_angle_deg, mpjpe, n_mpjpe, p_mpjpe, velocity_error


def poses(seed: int = 0, frames: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, 12, 3))


def test_a_constant_shift_is_its_own_length() -> None:
    assert mpjpe(poses() + np.array([3.0, 4.0, 0.0]), poses()) == pytest.approx(5.0)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.2, 5.0), seed=st.integers(0, 1000))
def test_p_mpjpe_ignores_rotation_scale_and_shift(scale: float, seed: int) -> None:
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    moved = scale * poses(seed) @ turn.T + [1.0, -2.0, 0.5]
    assert p_mpjpe(moved, poses(seed)) == pytest.approx(0.0, abs=1e-9)


def test_p_mpjpe_does_not_forgive_a_mirror_image() -> None:
    assert p_mpjpe(poses() * [-1.0, 1.0, 1.0], poses()) > 0.1


def test_n_mpjpe_ignores_scale_alone() -> None:
    assert n_mpjpe(2.5 * poses(), poses()) == pytest.approx(0.0, abs=1e-9)
    assert n_mpjpe(poses() + 1.0, poses()) > 0.1


def test_even_motion_has_velocity_error_but_no_acceleration_error() -> None:
    still = np.zeros((10, 12, 3))
    even = still + np.arange(10)[:, None, None] * np.array([0.0, 3.0, 4.0])
    assert velocity_error(even, still) == pytest.approx(5.0)
    assert acceleration_error(even, still) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("bend_deg", [0.0, 30.0, 90.0, 150.0, 180.0])
def test_a_limbs_inner_angle_is_what_its_bend_leaves(bend_deg: float) -> None:
    bend = np.deg2rad(bend_deg)
    knee, ankle = np.array([0.0, 0.0, -0.4]), np.array([0.0, 0.3 * np.sin(bend), -0.4 - 0.3 * np.cos(bend)])
    turned = Rotation.from_rotvec([0.3, -1.0, 0.5]).apply(np.stack([np.zeros(3), knee, ankle]))
    assert inner_angle_deg(*turned) == pytest.approx(180.0 - bend_deg, abs=1e-6)
