"""The cut motions last, turn and stand as their shots say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rigs.noise.shots import FPS, SHOTS, Shot, cut

WALK = Shot("walk", "mira", 1.0, 6.0, 0.0, 5.0)


def steps(frames: int, fps: float) -> np.ndarray:
    """(T, 2, 3): a hip on its way along -y at 1 m/s, and a head over it."""
    path = np.zeros((frames, 2, 3))
    path[..., 1] = -np.arange(frames)[:, None] / fps
    path[:, 0, 2], path[:, 1, 2] = 0.9, 1.6
    return path


def test_the_films_have_names_of_their_own() -> None:
    assert len({shot.name for shot in SHOTS}) == len(SHOTS)


def test_a_cut_keeps_speed_and_lasts_as_long_as_asked() -> None:
    piece = cut(steps(600, 60.0), 60.0, WALK)
    assert len(piece) == pytest.approx(5.0 * FPS, abs=1)
    assert np.allclose(np.diff(piece[:, 0, 1]), -1.0 / FPS)
    assert np.allclose(piece[:, 1, 2], 1.6)


def test_it_is_over_the_origin_and_turned() -> None:
    piece = cut(steps(600, 60.0), 60.0, replace(WALK, yaw_deg=90.0))
    assert np.allclose(piece[0, 0, :2] + piece[-1, 0, :2], 0.0, atol=1e-9)
    assert np.allclose(np.diff(piece[:, 0, 0]), 1.0 / FPS), "-y turned to the left by 90 degrees is +x"


def test_short_takes_go_to_and_fro_without_a_jump() -> None:
    piece = cut(steps(60, 60.0), 60.0, replace(WALK, start_s=0.0, end_s=1.0))
    assert len(piece) / FPS >= 3.9
    assert np.abs(np.diff(piece[:, 0, 1])).max() <= 1.0 / FPS + 1e-9
