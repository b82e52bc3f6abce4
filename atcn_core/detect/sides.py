"""Left taken for right, and back for front: which frames of one person's 2D joints are swapped. Keypoints, no pictures.

A detector that takes a back for a front hands over a perfectly good pose with left and right exchanged, for some
frames, with a jump at either end. No body jumps like that: a path through the clip's frames, each as found or
swapped, is sought along which the joints keep to speeds a body can have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import percentile_filter

from ..skeleton import Skeleton, mirrored_name

__all__ = ["SPREAD_OF_STANDING_M", "SwapOptions", "body_size_px", "swapped_joints"]

# Speeds of the liveliest motion across the picture, in m/s by the joint's kind, and the spread (RMS distance of the
# joints from their middle) of a person standing upright, which makes metres of pixels. A joint that moves calmly about
# that time is held to less: so many times its brisker speeds, and a little. What is slower costs nothing: limbs that
# cross in a quick step are not mistaken for limbs that were swapped, nor is anything where frames are far apart.
_HAND_PARTS = ("index", "pinky", "thumb")
_SPEEDS_M_PER_S = {"knee": 4.5, "elbow": 5.0, "ankle": 7.0, "heel": 7.0, "toe": 7.0, "wrist": 8.0}
_SPEEDS_M_PER_S |= dict.fromkeys(_HAND_PARTS, 9.0)
_TRUNK_SPEED_M_PER_S = 2.5
_BRISK_SHARE, _BRISK_SPEEDS = 0.8, 2.0
_LEAST_SPEED_M_PER_S = 0.5
SPREAD_OF_STANDING_M = 0.45
_WINDOW_S = 0.5
# Frames are compared with this many before them: one or two poor frames at a change of sides do not hide it.
_LAGS = 3


@dataclass(frozen=True)
class SwapOptions:
    """Lengths are metres of an upright person.

    switch_m:  what a change of sides must save, summed over the joints' impossible distances (whole body / one limb
               pair, which is less rarely right).
    stay_m_per_s: what being swapped costs: the longer a stretch is said to be swapped, the surer its ends must be.
    longest_s: frames further apart than this say nothing about each other.
    most_m:    a joint's impossible distance counts no more than this; beyond, it is another person or an outlier.
    cut_m:     a jump of the whole body after which nothing before it counts.
    """

    switch_m: float = 0.6
    switch_limbs_m: float = 1.0
    stay_m_per_s: float = 2.0
    longest_s: float = 0.15
    most_m: float = 0.4
    cut_m: float = 0.7


def body_size_px(xy_px: np.ndarray, score: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The person's spread in the picture over time: RMS distance of the seen joints from their middle, running median.

    xy_px: (T, J, 2); score: (T, J); times_s: (T,). Returns (T,) px, at least 1.
    """
    seen = score > 0
    count = np.maximum(seen.sum(axis=1), 1)[:, None]
    known = np.where(seen[..., None], xy_px, 0.0)
    middle = known.sum(axis=1) / count
    apart = np.where(seen[..., None], xy_px - middle[:, None], 0.0)
    spread = np.sqrt((apart**2).sum(axis=(1, 2)) / count[:, 0])
    good = seen.sum(axis=1) >= min(6, seen.shape[1])
    if not good.any():
        return np.full(len(times_s), max(float(spread.max()), 1.0))
    median = _running(0.5, spread[good, None], times_s[good])[:, 0]
    return np.maximum(np.interp(times_s, times_s[good], median), 1.0)


def _running(share: float, values: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """That quantile (share 0..1) over the half second before and after. values: (T, D) finite. Returns (T, D)."""
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else _WINDOW_S
    frames = 2 * round(_WINDOW_S / step_s) + 1
    return percentile_filter(values, 100.0 * share, size=(frames, 1), mode="nearest")


@dataclass(frozen=True)
class _Track:
    """One person's joints over a clip, in metres of a standing person.

    xy_m: (T, J, 2), 0 where not seen; score: (T, J); limits_m_per_s: (T, J), what the speed of each may be.
    """

    skeleton: Skeleton
    times_s: np.ndarray
    xy_m: np.ndarray
    score: np.ndarray
    limits_m_per_s: np.ndarray


def swapped_joints(
    xy_px: np.ndarray, score: np.ndarray, times_s: np.ndarray, skeleton: Skeleton, options: SwapOptions | None = None
) -> np.ndarray:
    """(T, J) bool: where a joint's place is to be exchanged with its twin's; always both of a pair.

    The whole body first, then the arms and the legs on their own. Of two stretches that contradict each other the
    shorter one is the swapped one. xy_px: (T, J, 2), finite where score > 0; score: (T, J); times_s: (T,).
    """
    options = options or SwapOptions()
    mirror = np.array(skeleton.mirror)
    scale = SPREAD_OF_STANDING_M / body_size_px(xy_px, score, times_s)
    xy_m = np.where((score > 0)[..., None], xy_px, 0.0) * scale[:, None, None]
    exchanged = np.zeros(score.shape, dtype=bool)
    for joints, switch_m in _groups(skeleton, options):
        if not len(joints):
            continue
        xy_now = np.where(exchanged[..., None], xy_m[:, mirror], xy_m)
        score_now = np.where(exchanged, score[:, mirror], score)
        limits_m_per_s = _speed_limits(xy_now, score_now, times_s, skeleton)
        track = _Track(skeleton, times_s, xy_now, score_now, limits_m_per_s)
        exchanged[np.ix_(_swapped_frames(track, joints, switch_m, options), joints)] ^= True
    return exchanged


def _groups(skeleton: Skeleton, options: SwapOptions) -> list[tuple[np.ndarray, float]]:
    """Joint indices that swap together, all of them paired, and what a change of their sides must save."""

    def paired(*parts: str) -> np.ndarray:
        names = [j for j in skeleton.joints if mirrored_name(j) != j and (not parts or j.split("_")[-1] in parts)]
        return np.array(skeleton.indices(*names), dtype=int)

    return [
        (paired(), options.switch_m),
        (paired("elbow", "wrist", *_HAND_PARTS), options.switch_limbs_m),
        (paired("knee", "ankle", "heel", "toe"), options.switch_limbs_m),
    ]


def _speed_limits(xy_m: np.ndarray, score: np.ndarray, times_s: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(T, J) m/s: what each joint's speed may be about each frame."""
    parts = [joint.split("_")[-1] for joint in skeleton.joints]
    highest = np.array([_SPEEDS_M_PER_S.get(part, _TRUNK_SPEED_M_PER_S) for part in parts])
    if len(times_s) < 2:
        return np.tile(highest, (len(times_s), 1))
    both = (score[1:] > 0) & (score[:-1] > 0)
    speed = np.linalg.norm(np.diff(xy_m, axis=0), axis=-1) / np.diff(times_s)[:, None]
    brisk = _running(_BRISK_SHARE, np.where(both, speed, 0.0), times_s)
    return np.minimum(_LEAST_SPEED_M_PER_S + _BRISK_SPEEDS * np.concatenate([brisk[:1], brisk]), highest)


def _swapped_frames(track: _Track, joints: np.ndarray, switch_m: float, options: SwapOptions) -> np.ndarray:
    """(T,) bool: frames in which these joints are swapped."""
    frames = len(track.times_s)
    links = (frames, _LAGS)
    costs = _Costs(np.zeros(links), np.zeros(links), np.zeros(frames), np.ones(frames), switch_m)
    if frames < 2:
        return np.zeros(frames, dtype=bool)
    costs.stay_m[:] = options.stay_m_per_s * np.gradient(track.times_s)
    for lag in range(1, min(_LAGS, frames - 1) + 1):
        kept_m, swapped_m, linked = _link_costs(track, joints, lag, options)
        costs.kept_m[lag:, lag - 1], costs.swapped_m[lag:, lag - 1] = kept_m, swapped_m
        costs.switch_m[lag:][linked] = switch_m
    return _cheapest_path(costs)


def _link_costs(
    track: _Track, joints: np.ndarray, lag: int, options: SwapOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Impossible metres between frames `lag` apart, sides kept and sides changed (T - lag,), and where they say any."""
    twins = np.array(track.skeleton.mirror)[joints]
    apart_s = track.times_s[lag:] - track.times_s[:-lag]
    limits_m_per_s = np.maximum(track.limits_m_per_s[lag:, joints], track.limits_m_per_s[:-lag, joints])
    from_m, before, after = track.xy_m[:-lag, joints], track.score[:-lag], track.score[lag:]
    # A pair counts as far as the least sure of its four places does: both ways are judged on the same joints.
    trust = np.min([before[:, joints], before[:, twins], after[:, joints], after[:, twins]], axis=0)
    weight = np.minimum(2.0 * trust, 1.0)
    both = (trust > 0)[..., None]
    shift_m = ((track.xy_m[lag:, joints] - from_m) * both).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    linked = both.any(axis=(1, 2)) & (apart_s <= options.longest_s) & (np.linalg.norm(shift_m, axis=1) <= options.cut_m)
    kept_m, swapped_m = (
        np.clip(
            np.linalg.norm(track.xy_m[lag:, now] - from_m, axis=-1) - apart_s[:, None] * limits_m_per_s,
            0.0,
            options.most_m,
        )
        for now in (joints, twins)
    )
    return (kept_m * weight).sum(axis=1) * linked, (swapped_m * weight).sum(axis=1) * linked, linked


@dataclass(frozen=True)
class _Costs:
    """kept_m, swapped_m: (T, lags), a frame against the one 1, 2, ... before it, their sides alike or not;
    switch_m, stay_m: (T,), of changing sides and of being swapped; end_m: of a clip that begins or ends swapped."""

    kept_m: np.ndarray
    swapped_m: np.ndarray
    switch_m: np.ndarray
    stay_m: np.ndarray
    end_m: float


def _cheapest_path(costs: _Costs) -> np.ndarray:
    """(T,) bool: the sides that cost least in all, by dynamic programming (Viterbi).

    A state holds the sides of the last `lags` frames, the latest in the lowest bit.
    """
    frames, lags = costs.kept_m.shape
    states = np.arange(2**lags)
    sides = (states[:, None] >> np.arange(lags)) & 1  # (S, lags): of this frame and those before it
    # Into state s two ways lead: the same shifted down, with either side in the highest place.
    origins = (states >> 1)[:, None] | np.array([0, 2 ** (lags - 1)])
    unlike = sides[origins] != (states & 1)[:, None, None]  # (S, 2, lags): this frame against those before it
    # A stretch pays for both its ends, also for one that lies beyond the clip's.
    best_m = np.where(states == 0, 0.0, np.where(states == states[-1], costs.end_m, np.inf))
    came_from = np.zeros((frames, 2**lags), dtype=int)
    for frame in range(frames):
        links_m = np.where(unlike, costs.swapped_m[frame], costs.kept_m[frame]).sum(axis=-1)
        total_m = best_m[origins] + links_m + unlike[..., 0] * costs.switch_m[frame]
        pick = total_m.argmin(axis=1)
        came_from[frame] = origins[states, pick]
        best_m = total_m[states, pick] + costs.stay_m[frame] * (states & 1)
    state = int((best_m + costs.end_m * (states & 1)).argmin())
    swapped = np.zeros(frames, dtype=bool)
    for frame in range(frames - 1, -1, -1):
        swapped[frame] = bool(state & 1)
        state = came_from[frame, state]
    return swapped
