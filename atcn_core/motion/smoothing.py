"""Smooth curves: zero-phase smoothing over time, gap filling, fading. Nothing here knows what a curve means."""

from __future__ import annotations

import numpy as np

__all__ = [
    "fading",
    "filled",
    "penalty_bands",
    "running_weight",
    "second_difference",
    "smoothed",
    "solve_pentadiagonal",
]

# So many columns are solved in plain numbers.
FEW = 12


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
    weight = np.maximum(weight, max(1e-9, 1e-12 * strength))
    bands[0] += weight
    right = values.reshape(frames, -1) * weight[:, None]
    if right.shape[1] <= FEW:
        return _solve_few(bands, right).reshape(values.shape)
    return solve_pentadiagonal(bands[..., None], right[:, None]).reshape(values.shape)


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


def solve_pentadiagonal(bands: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Symmetric positive pentadiagonal systems by L D L'. bands: (3, T, J), one system for each J; right: (T, J, D).

    The loops go over the frames, each step over all systems and columns at once. Returns (T, J, D).
    """
    diagonal, near, far = bands.copy()
    right = right.copy()
    frames = len(diagonal)
    near_factor, far_factor = np.zeros_like(near)[..., None], np.zeros_like(far)[..., None]
    for i in range(frames):
        if i >= 1:
            share = near_factor[i - 1]
            diagonal[i] -= share[:, 0] * near[i - 1]
            near[i] -= share[:, 0] * far[i - 1]
            right[i] -= share * right[i - 1]
        if i >= 2:
            share = far_factor[i - 2]
            diagonal[i] -= share[:, 0] * far[i - 2]
            right[i] -= share * right[i - 2]
        near_factor[i, :, 0] = near[i] / diagonal[i]
        far_factor[i, :, 0] = far[i] / diagonal[i]
    solution = right / diagonal[..., None]
    for i in range(frames - 2, -1, -1):
        solution[i] -= near_factor[i] * solution[i + 1]
        if i + 2 < frames:
            solution[i] -= far_factor[i] * solution[i + 2]
    return solution


def _solve_few(bands: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One such system in plain numbers: ten times as fast where there are few columns. bands: (3, T); right: (T, D)."""
    main, near, far = (band.tolist() for band in bands)
    near_factor, far_factor = [0.0], [0.0, 0.0]  # of the frame before, and of the one before that
    for i, value in enumerate(main):
        value -= near_factor[i] ** 2 * main[i - 1] + far_factor[i] ** 2 * main[i - 2]
        main[i] = value
        near_factor.append((near[i] - near_factor[i] * far_factor[i + 1] * main[i - 1]) / value)
        far_factor.append(far[i] / value)
    columns = []
    for column in right.T.tolist():
        before = last = 0.0
        for i, value in enumerate(column):
            before, last = last, value - near_factor[i] * last - far_factor[i] * before
            column[i] = last
        after = last = 0.0
        for i in range(len(column) - 1, -1, -1):
            after, last = last, column[i] / main[i] - near_factor[i + 1] * last - far_factor[i + 2] * after
            column[i] = last
        columns.append(column)
    return np.array(columns).T
