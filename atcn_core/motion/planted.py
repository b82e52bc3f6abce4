"""The root's path once more, now that it is known which feet stand: what stands does not move.

The picture fixes where the root is across the line of sight, but its depth only roughly. A standing foot fixes how the
root moves, in all directions, but not where it is. Both together are one linear least-squares problem over the clip.
"""

from __future__ import annotations

import numpy as np

from ..rotation import normalized

__all__ = ["planted_path_cam"]

# What the picture knows of the root's place: errors across (metres) and along the line of sight (share of the
# distance), and for how long such an error lasts.
ACROSS_M, ACROSS_LASTS_S = 0.02, 0.2
DEPTH_SHARE, DEPTH_LASTS_S = 0.04, 0.5
# How far the path strays in a second (variance, m^2/s) from what a standing foot tells, and from what the picture
# tells where none stands.
STRAY_STANDING, STRAY_FREE = 0.005, 0.05
# A foot that stands but moves in the picture this fast (m/s) counts half: it was not standing.
DOUBT_M_S = 0.3
ROBUST_PASSES = 3


def planted_path_cam(
    root_cam: np.ndarray, feet_cam: np.ndarray, standing: np.ndarray, times_s: np.ndarray
) -> np.ndarray:
    """The root's path (T, 3) in `cam`, float64, that fits the picture and keeps standing feet where they are.

    root_cam: (T, 3) as the picture has it; feet_cam: (T, P, 3) points of the feet about the root; standing: (T, P)
    chance 0..1 that each of them stands.
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
    path, trust = root_cam, both
    for _ in range(ROBUST_PASSES):
        weight = trust / (STRAY_STANDING * step_s[:, None])
        total = weight.sum(axis=1) + free_weight
        step = (np.einsum("tp,tpi->ti", weight, carried) + free_weight[:, None] * free) / total[:, None]
        path = _least_squares(anchor, root_cam, total, step)
        slip = np.linalg.norm(carried - np.diff(path, axis=0)[:, None], axis=2) / step_s[:, None]
        trust = both / (1.0 + (slip / DOUBT_M_S) ** 2)
    return path


def _least_squares(anchor: np.ndarray, place: np.ndarray, weight: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The path r that is least in sum (r - place)' anchor (r - place) + sum weight |r[t+1] - r[t] - step|^2.

    anchor: (T, 3, 3); place: (T, 3); weight: (T - 1,); step: (T - 1, 3). A block-tridiagonal system, by elimination.
    """
    frames = len(place)
    diagonal = anchor.copy()
    diagonal[:-1] += weight[:, None, None] * np.eye(3)
    diagonal[1:] += weight[:, None, None] * np.eye(3)
    right = np.einsum("tij,tj->ti", anchor, place)
    right[:-1] -= weight[:, None] * step
    right[1:] += weight[:, None] * step
    # Each frame's unknown, from the one after it: r[t] = given[t] + follow[t] r[t + 1].
    follow, given = np.empty_like(diagonal), np.empty_like(right)
    for t in range(frames):
        block, known = diagonal[t], right[t]
        if t:
            block = block - weight[t - 1] * follow[t - 1]
            known = known + weight[t - 1] * given[t - 1]
        inverse = np.linalg.inv(block)
        given[t] = inverse @ known
        if t < frames - 1:
            follow[t] = weight[t] * inverse
    path = given
    for t in range(frames - 2, -1, -1):
        path[t] += follow[t] @ path[t + 1]
    return path
