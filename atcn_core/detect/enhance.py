"""2D keypoints made better before they are lifted: sides put right, outliers out, short gaps closed, jitter off.

Works on any detector's keypoints, whatever the joint set; looks at no picture. The paper names a "2D pose enhance"
stage and does not define it: this reading is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import maximum_filter1d

from ..clip import Keypoints2D
from ..motion.smoothing import smoothed
from .sides import SPREAD_OF_STANDING_M, body_size_px, swapped_joints

__all__ = ["EnhanceOptions", "enhanced", "outliers"]

# A made-up place counts as a guess: sure enough to be used, less sure than anything the root path leans on.
FILLED_SCORE = 0.1
# Places seen less surely than this pull less at the smoothed path.
_SURE_SCORE = 0.7
_LEAST_WEIGHT = 0.1
# A joint's neighbours in time, against which it is tested: so far away, and so many at least and at most either side.
_NEAR_S = 0.08
_NEAR_FRAMES = (3, 5)
# Frames further apart than this leave room for any motion between them.
_SPARSE_S = 0.06
# How far a joint may lie off the path of its neighbours: metres of a standing person, and a share of that path's
# length, because a limb that is fast may turn sharply.
_STRAY_M = 0.10
_STRAY_OF_PATH = 0.4
_PASSES = 3
# The highest cutoff a clip's frames allow, as a share of their rate.
_SPARSE_CUTOFF = 0.4


@dataclass(frozen=True)
class EnhanceOptions:
    """What is done; each part can be switched off.

    swaps:         whether left and right are put right where they are swapped (`sides`).
    outliers:      whether joints far off their own path are taken out (and closed as gaps).
    longest_gap_s: joints unseen for no longer than this get a place, with a low score; 0 fills nothing.
    cutoff_hz:     a motion of this frequency keeps half its height, one of half of it 94 %; 0 leaves the jitter.
    """

    swaps: bool = True
    outliers: bool = True
    longest_gap_s: float = 0.25
    cutoff_hz: float = 7.0


def enhanced(keypoints: Keypoints2D, options: EnhanceOptions | None = None) -> Keypoints2D:
    """The same clip with better joints. Frame by frame the same times; filled places have a low score.

    A joint's score is never raised, but for filled gaps. Frames with nothing seen beyond the longest gap stay empty.
    """
    options = options or EnhanceOptions()
    xy_px = keypoints.xy_px.astype(np.float64)
    score = keypoints.score.copy()
    if options.swaps:
        swapped = swapped_joints(xy_px, score, keypoints.times_s, keypoints.skeleton)
        mirror = list(keypoints.skeleton.mirror)
        xy_px = np.where(swapped[..., None], xy_px[:, mirror], xy_px)
        score = np.where(swapped, score[:, mirror], score)
    if options.outliers:
        score = np.where(outliers(xy_px, score, keypoints.times_s), 0.0, score)
    xy_px, score = _steadied(xy_px, score, keypoints.times_s, options)
    xy_px[score == 0] = np.nan
    return replace(keypoints, xy_px=xy_px.astype(np.float32), score=score.astype(np.float32))


def outliers(xy_px: np.ndarray, score: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(T, J) bool: places far off the path that the frames before and after them draw.

    The worst of each neighbourhood goes first, and its neighbours are judged anew without it. None where frames are
    sparse. xy_px: (T, J, 2), finite where score > 0; score: (T, J); times_s: (T,).
    """
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else np.inf
    wild = np.zeros(score.shape, dtype=bool)
    if step_s > _SPARSE_S:
        return wild
    near = int(np.clip(round(_NEAR_S / step_s), *_NEAR_FRAMES))
    scale = SPREAD_OF_STANDING_M / body_size_px(xy_px, score, times_s)
    xy_m = np.where((score > 0)[..., None], xy_px * scale[:, None, None], np.nan)
    # The less sure the detector, the sooner it is disbelieved.
    trust = np.clip(0.5 + score, 0.5, 1.0)
    for _ in range(_PASSES):
        excess = _stray(xy_m, near) / trust
        worst = (excess > 1.0) & (excess == maximum_filter1d(excess, 2 * near + 1, axis=0))
        if not worst.any():
            break
        wild |= worst
        xy_m[worst] = np.nan
    return wild


def _stray(xy_m: np.ndarray, near: int) -> np.ndarray:
    """How far each place lies off its neighbours' path, over what is allowed there (T, J); 0 where there is no telling.

    Where a joint should be is the median of the midpoints of frames equally far before and after: straight paths
    pass whole, and one or two wild frames among the neighbours change little. xy_m: (T, J, 2), NaN where not seen.
    """
    frames = len(xy_m)
    padded = np.pad(xy_m, ((near, near), (0, 0), (0, 0)), constant_values=np.nan)
    # (2 near, T, J, 2): the neighbours in order of time, the frame itself left out.
    around = np.stack([padded[near + k : near + k + frames] for k in range(-near, near + 1) if k])
    expected_m, pairs = _median(0.5 * (around[:near][::-1] + around[near:]))
    # The path leads past the frame tested, from its neighbour before to its neighbour after.
    steps_m, _ = _median(np.linalg.norm(np.diff(around, axis=0), axis=-1, keepdims=True))
    allowed_m = _STRAY_M + _STRAY_OF_PATH * (2 * near - 1) * steps_m[..., 0]
    excess = np.linalg.norm(xy_m - expected_m, axis=-1) / allowed_m
    return np.where((pairs >= 2) & np.isfinite(excess), excess, 0.0)


def _median(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median over the first axis without NaNs, and of how many. values: (K, T, J, D). Returns (T, J, D) and (T, J)."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    ordered = np.sort(np.where(known, values, np.inf), axis=0)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1)[None], axis=0)[0]
    middle = np.where(count > 0, 0.5 * (np.where(count > 0, low, 0.0) + np.where(count > 0, high, 0.0)), np.nan)
    return middle, count[..., 0]


def _steadied(
    xy_px: np.ndarray, score: np.ndarray, times_s: np.ndarray, options: EnhanceOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Jitter taken off what was seen, short gaps closed along the same smooth path; the scores of both."""
    frames = len(times_s)
    if frames < 3:
        return xy_px.copy(), score.copy()
    step_s = float(np.median(np.diff(times_s)))
    sparse_hz = _SPARSE_CUTOFF / step_s
    calm_hz = min(options.cutoff_hz, sparse_hz) if options.cutoff_hz > 0 else sparse_hz
    steadies = 0.0 < options.cutoff_hz <= sparse_hz
    steady_px, steady_score = xy_px.copy(), score.copy()
    for joint in range(score.shape[1]):
        seen = score[:, joint] > 0
        for first, last in _stretches(seen, times_s, options.longest_gap_s):
            part = slice(first, last)
            here, at_s = seen[part], times_s[part]
            if last - first < 3 or not (steadies or not here.all()):
                continue
            weight = np.clip(score[part, joint] / _SURE_SCORE, _LEAST_WEIGHT, 1.0) * here
            known_px = np.where(here[:, None], xy_px[part, joint], 0.0)
            path_px = smoothed(known_px, at_s, calm_hz, weight)
            take = np.ones(len(here), dtype=bool) if steadies else ~here
            steady_px[part, joint][take] = path_px[take]
            sides = np.interp(at_s, at_s[here], score[part, joint][here])
            steady_score[part, joint][~here] = np.minimum(sides, FILLED_SCORE)[~here]
    return steady_px, steady_score


def _stretches(seen: np.ndarray, times_s: np.ndarray, longest_gap_s: float) -> list[tuple[int, int]]:
    """[first, last) of the stretches that begin and end seen and whose gaps are all short. seen: (T,) bool."""
    at = np.flatnonzero(seen)
    if not len(at):
        return []
    gap_s = np.diff(times_s[at])
    hidden = np.diff(at) > 1
    breaks = np.flatnonzero(hidden & (gap_s > longest_gap_s)) + 1
    return [(int(group[0]), int(group[-1]) + 1) for group in np.split(at, breaks)]
