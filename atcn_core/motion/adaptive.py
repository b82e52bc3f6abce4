"""Smoothing that knows each joint: the smoothest curve near the values, with a cutoff for every joint and frame."""

from __future__ import annotations

import numpy as np

from .smoothing import penalty_bands, second_difference, solve_pentadiagonal

__all__ = ["accelerations", "running_rms", "smoothed_by_joint"]

_LEAST_WEIGHT = 1e-6


def smoothed_by_joint(
    values: np.ndarray, times_s: np.ndarray, cutoff_hz: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Least squares with a penalty on the second time derivative (Whittaker 1923) whose weight may change any time.

    Zero phase; what moves evenly passes unchanged; uneven times are honoured. Where the cutoff is constant and all
    weigh 1, a wave of that frequency, slow against the frame rate, keeps half its height, one of half of it 94 %.
    values: (T, J, D); cutoff_hz: (T, J) > 0, infinite for no smoothing; weights: (T, J) >= 0, how far each value is to
    be trusted. Returns (T, J, D) float64.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 3:
        return values.copy()
    step_s = float(np.median(np.diff(times_s)))
    stiffness = (2.0 * np.pi * step_s * cutoff_hz[1:-1]) ** -4
    weight = np.maximum(weights, _LEAST_WEIGHT)
    bands = penalty_bands(times_s / step_s, stiffness)
    bands[0] += weight
    return solve_pentadiagonal(bands, values * weight[..., None])


def accelerations(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Second divided differences (T - 2, J, D) of values (T, J, D)."""
    before, middle, after = (row[:, None, None] for row in second_difference(times))
    return before * values[:-2] + middle * values[1:-1] + after * values[2:]


def running_rms(values: np.ndarray, reach: int) -> np.ndarray:
    """Root of the mean square over so many frames to either side (fewer at the ends). values: (..., T, J)."""
    square = values**2
    total = np.concatenate([np.zeros_like(square[..., :1, :]), np.cumsum(square, axis=-2)], axis=-2)
    at = np.arange(values.shape[-2])
    first, end = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(at))
    mean = (total[..., end, :] - total[..., first, :]) / (end - first)[:, None]
    return np.sqrt(np.maximum(mean, 0.0))
