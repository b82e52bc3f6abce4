"""The root's path once more, now that it is known which feet stand: what stands does not move.

The picture fixes where the root is across the line of sight, but its depth only roughly. A standing foot fixes how the
root moves, in all directions, but not where it is; and the floor, where most feet stand, fixes how high it is. All
together are one linear least-squares problem over the clip.
"""

from __future__ import annotations

import numpy as np

from ..rotation import normalized

__all__ = ["planted_path_cam"]

# What the picture knows of the root's place: errors across (metres) and along the line of sight (share of the
# distance), and for how long such an error lasts.
ACROSS_M, ACROSS_LASTS_S = 0.02, 0.2
DEPTH_SHARE, DEPTH_LASTS_S = 0.04, 0.5
# How far the path strays in a second (variance, m^2/s) from what a standing foot tells, along the floor and up, and
# from what the picture tells where none stands. A foot that is wrongly taken to stand mostly slides; it hardly rises.
STRAY_ALONG, STRAY_UP, STRAY_FREE = 0.005, 0.0005, 0.05
# A foot that stands but moves in the picture this fast (m/s) counts half: it was not standing.
DOUBT_M_S = 0.3
# How level the floor is to the captured feet and for how long such an error lasts, and from where on it is a step.
FLOOR_M, FLOOR_LASTS_S, STEP_M = 0.05, 0.5, 0.12
ROBUST_PASSES = 4


def planted_path_cam(
    root_cam: np.ndarray, feet_cam: np.ndarray, standing: np.ndarray, times_s: np.ndarray, up_cam: np.ndarray
) -> np.ndarray:
    """The root's path (T, 3) in `cam`, float64, that fits the picture and keeps standing feet where they are.

    root_cam: (T, 3) as the picture has it; feet_cam: (T, P, 3) points of the feet about the root; standing: (T, P)
    chance 0..1 that each of them stands; up_cam: (3,) unit.
    """
    root_cam = np.asarray(root_cam, dtype=np.float64)
    if len(times_s) < 2:
        return root_cam
    step_s = np.diff(times_s)
    sight = normalized(root_cam)
    away = np.einsum("ti,tj->tij", sight, sight)
    depth_m = DEPTH_SHARE * np.linalg.norm(root_cam, axis=1)
    frame_s = np.gradient(times_s)
    across_weight = frame_s / (ACROSS_LASTS_S * ACROSS_M**2)
    depth_weight = frame_s / (DEPTH_LASTS_S * depth_m**2)
    anchor = across_weight[:, None, None] * (np.eye(3) - away) + depth_weight[:, None, None] * away

    both = np.minimum(standing[1:], standing[:-1])
    carried = -np.diff(feet_cam.astype(np.float64), axis=0)
    free_weight = 1.0 / (STRAY_FREE * step_s)
    free = np.diff(root_cam, axis=0)
    upward = np.outer(up_cam, up_cam)
    sure = (np.eye(3) - upward) / STRAY_ALONG + upward / STRAY_UP
    pulled = np.einsum("tij,tj->ti", anchor, root_cam)
    level, lifted = np.zeros_like(anchor), np.zeros_like(root_cam)
    path, trust = root_cam, both
    for number in range(ROBUST_PASSES):
        if number:  # what the path so far says of the floor, and of feet that slip
            level, lifted = _on_floor(path, feet_cam, standing, up_cam, frame_s)
            slip = np.linalg.norm(carried - np.diff(path, axis=0)[:, None], axis=2) / step_s[:, None]
            trust = both / (1.0 + (slip / DOUBT_M_S) ** 2)
        weight = (trust / step_s[:, None])[..., None, None] * sure
        total = weight.sum(axis=1) + free_weight[:, None, None] * np.eye(3)
        asked = np.einsum("tpij,tpj->ti", weight, carried) + free_weight[:, None] * free
        path = _least_squares(anchor + level, pulled + lifted, total, asked)
    return path


def _on_floor(
    path: np.ndarray, feet_cam: np.ndarray, standing: np.ndarray, up_cam: np.ndarray, frame_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the floor asks of the root: matrices (T, 3, 3) and pulls (T, 3).

    The floor is where most feet stand for most of the time; feet that stand well above or below it, on a step or a
    chair, are left there.
    """
    heights_m = (feet_cam + path[:, None]) @ up_cam
    time_s = standing * frame_s[:, None]
    floor_m = _most_common(heights_m.ravel(), time_s.ravel())
    near = 1.0 / (1.0 + ((heights_m - floor_m) / STEP_M) ** 2) ** 2
    sure = time_s * near / (FLOOR_LASTS_S * FLOOR_M**2)
    wanted_m = floor_m - feet_cam @ up_cam
    return sure.sum(axis=1)[:, None, None] * np.outer(up_cam, up_cam), (sure * wanted_m).sum(axis=1)[:, None] * up_cam


def _most_common(values: np.ndarray, weight: np.ndarray) -> float:
    """Where the weight is densest, as seen through a window of FLOOR_M."""
    if weight.sum() < 1e-9:
        return 0.0
    some = values[weight > 1e-3 * weight.max()]
    grid = np.linspace(some.min(), some.max(), 200)
    dense = [np.sum(weight / (1.0 + ((values - at) / FLOOR_M) ** 2) ** 2) for at in grid]
    return float(grid[int(np.argmax(dense))])


def _least_squares(anchor: np.ndarray, pulled: np.ndarray, weight: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The path r least in sum r' (anchor r - 2 pulled) + sum (r[t+1] - r[t])' (weight (r[t+1] - r[t]) - 2 asked).

    anchor: (T, 3, 3); pulled: (T, 3), the weighted places; weight: (T - 1, 3, 3); asked: (T - 1, 3), the weighted
    steps.
    """
    diagonal = anchor.copy()
    diagonal[:-1] += weight
    diagonal[1:] += weight
    right = pulled.copy()
    right[:-1] -= asked
    right[1:] += asked
    return _solve_tridiagonal(diagonal, weight, right)


def _solve_tridiagonal(diagonal: np.ndarray, bound: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x (T, 3) of the symmetric system diagonal[t] x[t] - bound[t-1] x[t-1] - bound[t]' x[t+1] = right[t].

    By cyclic reduction: every other frame is told by its neighbours, all of them at once, and what is left is such a
    system of half as many frames. bound: (T - 1, 3, 3), each frame's with the one before it.
    """
    if len(right) == 1:
        return np.linalg.solve(diagonal, right[..., None])[..., 0]
    inverse = np.linalg.inv(diagonal[1::2])
    before, after = bound[0::2], bound[1::2].transpose(0, 2, 1)
    many, late = len(before), len(after)  # odd frames, and those that have a frame after them
    given = inverse @ right[1::2, :, None]
    by_before, by_after = inverse @ before, inverse[:late] @ after
    even, known = diagonal[0::2].copy(), right[0::2].copy()
    even[:many] -= before.transpose(0, 2, 1) @ by_before
    known[:many] += (before.transpose(0, 2, 1) @ given)[..., 0]
    back = after.transpose(0, 2, 1)
    even[1 : late + 1] -= back @ by_after
    known[1 : late + 1] += (back @ given[:late])[..., 0]
    x = np.empty_like(right)
    x[0::2] = _solve_tridiagonal(even, back @ by_before[:late], known)
    odd = given + by_before @ x[0::2][:many, :, None]
    odd[:late] += by_after @ x[2::2, :, None]
    x[1::2] = odd[..., 0]
    return x
