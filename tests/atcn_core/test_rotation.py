"""Rotation algebra against SciPy and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from atcn_core import rotation

seeds = st.integers(0, 10_000)


def some(seed: int, shape: tuple[int, ...] = (4, 3)) -> np.ndarray:
    quats = Rotation.random(int(np.prod(shape)), rng=np.random.default_rng(seed)).as_quat(scalar_first=True)
    return quats.reshape(*shape, 4)


def scipy_of(quats: np.ndarray) -> Rotation:
    return Rotation.from_quat(quats.reshape(-1, 4), scalar_first=True)


def units(seed: int, count: int = 12) -> np.ndarray:
    return rotation.normalized(np.random.default_rng(seed).normal(size=(count, 3)))


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_matrices_products_and_turned_vectors_agree_with_scipy(seed: int) -> None:
    a, b = some(seed), some(seed + 1)
    vectors = np.random.default_rng(seed).normal(size=(4, 3, 3))
    assert np.allclose(rotation.quat_to_matrix(a).reshape(-1, 3, 3), scipy_of(a).as_matrix())
    product = rotation.quat_multiply(a, b).reshape(-1, 4)
    assert np.allclose(
        Rotation.from_quat(product, scalar_first=True).as_matrix(), (scipy_of(a) * scipy_of(b)).as_matrix()
    )
    assert np.allclose(rotation.quat_rotate(a, vectors).reshape(-1, 3), scipy_of(a).apply(vectors.reshape(-1, 3)))


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_matrix_and_quaternion_are_each_others_inverse(seed: int) -> None:
    quats = some(seed)
    again = rotation.matrix_to_quat(rotation.quat_to_matrix(quats))
    assert np.allclose(np.abs(np.sum(again * quats, axis=-1)), 1.0)


@pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0], [-0.6, 0, 0.8]])
def test_half_turns_survive_the_way_through_matrices(axis: list[float]) -> None:
    quat = np.array([0.0, *axis])
    assert abs(rotation.matrix_to_quat(rotation.quat_to_matrix(quat)) @ quat) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_shortest_turn_reaches_and_has_the_angle_between(seed: int) -> None:
    a, b = units(seed), units(seed + 1)
    quats = rotation.quat_between(a, b)
    assert np.allclose(rotation.quat_rotate(quats, a), b)
    assert np.allclose(
        2 * np.arccos(np.clip(quats[:, 0], -1, 1)), np.arccos(np.clip(np.sum(a * b, 1), -1, 1)), atol=1e-6
    )


@pytest.mark.parametrize("direction", [[1, 0, 0], [0, 1, 0], [0, 0, -1], [0.6, 0.0, 0.8]])
def test_opposite_vectors_turn_half_a_turn(direction: list[float]) -> None:
    vector = np.array(direction, dtype=float)
    assert np.allclose(rotation.quat_rotate(rotation.quat_between(vector, -vector), vector), -vector)
    assert np.allclose(rotation.quat_between(vector, vector), [1, 0, 0, 0])


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_frame_of_two_axes_is_a_rotation_with_y_along_the_first(seed: int) -> None:
    primary, secondary = 3.0 * units(seed), units(seed + 1)
    frames = rotation.frame_from_axes(primary, secondary)
    assert np.allclose(frames @ frames.swapaxes(-1, -2), np.eye(3))
    assert np.allclose(np.linalg.det(frames), 1.0)
    assert np.allclose(frames[..., 1], primary / 3.0)
    assert (np.sum(frames[..., 0] * secondary, axis=-1) > 0).all()


@settings(max_examples=25, deadline=None)
@given(seed=seeds, share=st.floats(0.0, 1.0))
def test_slerp_agrees_with_scipy(seed: int, share: float) -> None:
    a, b = some(seed, (1,))[0], some(seed + 1, (1,))[0]
    ours = rotation.quat_slerp(a, b, share)
    theirs = Slerp([0, 1], Rotation.from_quat(np.stack([a, b]), scalar_first=True))(share).as_quat(scalar_first=True)
    assert abs(ours @ theirs) == pytest.approx(1.0, abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_unrolling_changes_signs_only_and_leaves_no_jump(seed: int) -> None:
    quats = some(seed, (20, 2))
    unrolled = rotation.quat_unrolled(quats)
    assert np.allclose(np.abs(np.sum(unrolled * quats, axis=-1)), 1.0)
    assert (np.sum(unrolled[1:] * unrolled[:-1], axis=-1) >= 0).all()
