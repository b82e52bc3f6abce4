"""Smooth curves: zero-phase smoothing over time, gap filling, fading. Nothing here knows what a curve means."""

from __future__ import annotations

import numpy as np

__all__ = ["fading", "filled", "penalty_bands", "running_weight", "second_difference", "smoothed"]


def fading(values: np.ndarray, none_at: float, full_at: float) -> np.ndarray:
    """0 at `none_at`, 1 at `full_at`, smooth between (either may be the larger)."""
    share = np.clip((values - none_at) / (full_at - none_at), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def filled(values: np.ndarray, known: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Values with gaps closed: straight lines between known frames, held before the first and after the last.

    values: (T, D); known: (T,) bool; times_s: (T,). Returns (T, D) float64; zeros where nothing is known at all.
    """
    values = np.asarray(values, dtype=np.float64)
    if not known.any():
        return np.zeros_like(values)
    columns = [np.interp(times_s, times_s[known], values[known, d]) for d in range(values.shape[1])]
    return np.stack(columns, axis=1)


def smoothed(
    values: np.ndarray, times_s: np.ndarray, cutoff_hz: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """The smoothest curve near the values: least squares with a penalty on the second time derivative (Whittaker 1923).

    Zero phase, straight lines pass unchanged, uneven times are honoured. A wave of `cutoff_hz` keeps half its height.
    values: (T, D) or (T,); weights: (T,) >= 0, how far each frame is to be trusted (1 by default, 0 is filled in).
    Returns an array of the values' shape, float64.
    """
    values = np.asarray(values, dtype=np.float64)
    frames = len(values)
    if frames < 3:
        return values.copy()
    weight = np.ones(frames) if weights is None else np.asarray(weights, dtype=np.float64)
    step_s = float(np.median(np.diff(times_s)))
    if cutoff_hz * step_s >= 0.45:
        return values.copy()
    strength = (2.0 * np.sin(np.pi * cutoff_hz * step_s)) ** -4
    bands = penalty_bands(times_s / step_s, np.full((frames - 2, 1), strength))[..., 0]
    # A trace of weight everywhere keeps the system solvable where whole stretches weigh nothing.
    bands[0] += np.maximum(weight, 1e-9)
    right = values.reshape(frames, -1) * np.maximum(weight, 1e-9)[:, None]
    return _solve_pentadiagonal(bands, right).reshape(values.shape)


def running_weight(weights: np.ndarray, times_s: np.ndarray, cutoff_hz: float = 2.0) -> np.ndarray:
    """Weights that change slowly, so that what is faded by them does not pop. weights: (T,). Returns (T,) in 0..1."""
    if np.ptp(weights) == 0.0:
        return np.clip(np.asarray(weights, dtype=np.float64), 0.0, 1.0)
    return np.clip(smoothed(weights, times_s, cutoff_hz), 0.0, 1.0)


def second_difference(times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the frame before, the frame itself and the one after count in a second derivative, (T - 2,) each."""
    before, after = np.diff(times)[:-1], np.diff(times)[1:]
    return 2 / (before * (before + after)), -2 / (before * after), 2 / (after * (before + after))


def penalty_bands(times: np.ndarray, stiffness: np.ndarray) -> np.ndarray:
    """Diagonal and two upper off-diagonals (3, T, J) of D' S D; D: second differences; stiffness S: (T - 2, J)."""
    before, middle, after = (row[:, None] for row in second_difference(times))
    bands = np.zeros((3, len(times), stiffness.shape[1]))
    bands[0, :-2] += before**2 * stiffness
    bands[0, 1:-1] += middle**2 * stiffness
    bands[0, 2:] += after**2 * stiffness
    bands[1, :-2] += before * middle * stiffness
    bands[1, 1:-1] += middle * after * stiffness
    bands[2, :-2] += before * after * stiffness
    return bands


def _solve_pentadiagonal(bands: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve a symmetric positive pentadiagonal system by L D L'. bands: (3, T); right: (T, D). Returns (T, D).

    In plain numbers, which takes half the time of `adaptive`'s many systems at once.
    """
    main, near, far = (band.tolist() for band in bands)
    frames = len(main)
    near_factor, far_factor = [0.0] * frames, [0.0] * frames
    for i in range(frames):
        if i >= 1:
            main[i] -= near_factor[i - 1] ** 2 * main[i - 1]
            near[i] -= near_factor[i - 1] * far_factor[i - 1] * main[i - 1]
        if i >= 2:
            main[i] -= far_factor[i - 2] ** 2 * main[i - 2]
        near_factor[i], far_factor[i] = near[i] / main[i], far[i] / main[i]
    solution = right.copy()
    for i in range(1, frames):
        solution[i] -= near_factor[i - 1] * solution[i - 1]
        if i >= 2:
            solution[i] -= far_factor[i - 2] * solution[i - 2]
    solution /= np.asarray(main)[:, None]
    for i in range(frames - 2, -1, -1):
        solution[i] -= near_factor[i] * solution[i + 1]
        if i + 2 < frames:
            solution[i] -= far_factor[i] * solution[i + 2]
    return solution
