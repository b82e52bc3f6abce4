"""Fingers are told in the axes of their own palm, alike for both hands, and the way back is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from atcn_core.hands import FINGERS
from atcn_core.motion.fingers_palm import finger_angles, finger_axes, finger_directions, palm_axes, to_palm

from .hand_shapes import SHAPES, angles, hand


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_known_shape_has_its_own_angles_on_both_hands(shape: str, side: str) -> None:
    directions = finger_directions(to_palm(hand(SHAPES[shape], side), side))
    for number, finger in enumerate(FINGERS):
        bent, aside = finger_angles(directions[number], finger)
        assert np.allclose(bent, angles(SHAPES[shape])[number], atol=1e-6), finger
        assert np.allclose(aside, 0.0, atol=1e-6), finger


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 10.0))
def test_where_the_hand_is_and_how_it_is_turned_changes_nothing(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    points = hand(SHAPES["pointing"], "right")
    turned = scale * Rotation.from_quat(rng.normal(size=4)).apply(points) + rng.normal(size=3)
    assert np.allclose(to_palm(turned, "right"), scale * to_palm(points, "right"), atol=1e-7 * scale)


def test_a_hand_is_its_twin_in_the_mirror() -> None:
    left = to_palm(hand(SHAPES["fist"], "left", spread_deg=10.0), "left")
    assert np.allclose(to_palm(hand(SHAPES["fist"], "right", spread_deg=10.0), "right"), left, atol=1e-12)


def test_spread_fingers_turn_towards_the_thumb() -> None:
    directions = finger_directions(to_palm(hand(spread_deg=15.0), "left"))
    bent, aside = finger_angles(directions[1], "index")
    assert np.isclose(np.degrees(aside[0]), 15.0, atol=1e-6)
    assert abs(bent[0]) < 1e-6


@pytest.mark.parametrize("finger", FINGERS)
def test_angles_give_the_directions_back(finger: str) -> None:
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(200, 3, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    axes = finger_axes(*finger_angles(directions, finger), finger)
    assert np.allclose(axes[..., 1], directions, atol=1e-12)
    assert np.allclose(axes @ axes.swapaxes(-1, -2), np.eye(3), atol=1e-12)


def test_the_back_of_a_palm_that_lies_down_is_up() -> None:
    wrist, index, pinky = np.zeros(3), np.array([0.03, 0.09, 0.0]), np.array([-0.03, 0.08, 0.0])
    mirror = np.array([-1.0, 1.0, 1.0])
    assert np.allclose(palm_axes(wrist, index, pinky, "left")[:, 2], [0.0, 0.0, 1.0])
    assert np.allclose(palm_axes(wrist, index * mirror, pinky * mirror, "right")[:, 2], [0.0, 0.0, 1.0])


def test_no_other_fingers_are_known() -> None:
    with pytest.raises(ValueError, match="toe"):
        finger_angles(np.eye(3), "toe")
