"""A 2D detector's errors on film with known joints, taken apart into what a noise model is made of.

Lengths are in heights (detected.py), standard deviations for each of the picture's two axes. In this order: limbs with
left and right swapped are set aside, then gross errors; what is constant in the joint's own axes over all clips is its
offset (the detector means another point by the name); what follows the true velocity is lag; and the rest is a sum of
a bias for each clip, a slow and a quick wander, and jitter, which its autocorrelation tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import nnls

from ..skeleton import CAPTURE
from .detected import AXES, JOINTS, LIMBS, DetectedClip, swapped_frames

__all__ = ["GROUPS", "Parts", "noise_statistics", "parts_of", "stretches"]

# Left and right together, as a mirrored picture is as likely.
GROUPS = ("nose", "ear", "shoulder", "hip", "elbow", "wrist", "index", "pinky", "knee", "ankle", "heel", "toe")
# Errors of this size (0.2 m) are another limb's place or no place at all, and counted by themselves.
GROSS = 0.12
# A joint can be taken for its twin only where they lie this far apart.
APART = 0.05
# Scores that the network takes as "guessed" (lift/normalisation.py); lower ones as not seen.
GUESSED = (0.05, 0.5)
SPEEDS = (0.0, 0.2, 0.5, 1.0, np.inf)
SCORES = (0.0, 0.05, 0.5, 0.9, 0.99, 1.01)
_LAGS_FRAMES = (1, 5, 15, 30)
# The autocorrelation is fitted up to this lag, with time constants from these.
_LONGEST_S = 1.5
_QUICK_S, _SLOW_S = (0.05, 0.08, 0.12, 0.17, 0.25), (0.4, 0.6, 1.0, 1.6)
_TINY = 1e-12
# Joints whose errors go together; pairs of groups, of the same side.
_TOGETHER = (("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("ankle", "toe"), ("heel", "toe"))
_TOGETHER += (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("index", "pinky"), ("shoulder", "hip"))


@dataclass(frozen=True)
class Parts:
    """Standard deviations (heights, each axis) that make up an error's autocorrelation, and two time constants."""

    bias: float
    slow: float
    quick: float
    jitter: float
    slow_s: float
    quick_s: float

    @property
    def total(self) -> float:
        """Standard deviation of the whole."""
        return float(np.sqrt(self.bias**2 + self.slow**2 + self.quick**2 + self.jitter**2))


@dataclass(frozen=True)
class _Joint:
    """One joint in one clip. error: (T, 2), NaN where swapped or outside; gross: (T,); the rest as in DetectedClip.

    twin: (T,) bool, found nearer to the other side's joint, which lies elsewhere.
    """

    error: np.ndarray
    velocity: np.ndarray
    axes: np.ndarray
    score: np.ndarray
    hidden: np.ndarray
    gross: np.ndarray
    twin: np.ndarray


def stretches(marks: np.ndarray) -> np.ndarray:
    """Lengths in frames of the runs of True. marks: (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def _group(joint: str) -> str:
    return joint.split("_")[-1]


def _cleaned(clip: DetectedClip) -> dict[str, _Joint]:
    swapped = {limb: swapped_frames(clip, chain) for limb, chain in LIMBS.items()}
    found = {}
    for joint in JOINTS:
        i = CAPTURE.index(joint)
        error = clip.error[:, i].astype(np.float64).copy()
        for limb, chain in LIMBS.items():
            if _group(joint) in chain:
                error[swapped[limb]] = np.nan
        error[clip.outside[:, i]] = np.nan
        gross = np.linalg.norm(np.nan_to_num(error), axis=-1) > GROSS
        to_twin = clip.true[:, CAPTURE.mirror[i]] - clip.true[:, i]
        apart = np.linalg.norm(to_twin, axis=-1) > APART
        twin = apart & (np.linalg.norm(error - to_twin, axis=-1) < np.linalg.norm(error, axis=-1))
        found[joint] = _Joint(
            error, clip.velocity[:, i], clip.axes[:, i], clip.score[:, i], clip.hidden[:, i], gross, twin
        )
    return found


def _usable(joint: _Joint) -> np.ndarray:
    return np.isfinite(joint.error).all(-1) & ~joint.gross


def _offset_and_lag(joints: Sequence[_Joint]) -> tuple[np.ndarray, float]:
    """(3,) heights along the joint's own axes, and seconds by which it trails: least squares over all usable frames."""
    columns, errors = [], []
    for joint in joints:
        use = _usable(joint)
        axes = np.swapaxes(joint.axes[use], 1, 2).reshape(-1, 3)
        columns.append(np.concatenate([axes, -joint.velocity[use].reshape(-1, 1)], axis=1))
        errors.append(joint.error[use].ravel())
    fitted = np.linalg.lstsq(np.concatenate(columns), np.concatenate(errors), rcond=None)[0]
    return fitted[:3], float(fitted[3])


def _rest(joint: _Joint, offset: np.ndarray, lag_s: float = 0.0) -> np.ndarray:
    """(T, 2): the error without offset and lag; NaN where not usable."""
    rest = joint.error - np.einsum("tka,k->ta", joint.axes, offset) + lag_s * joint.velocity
    return np.where(_usable(joint)[:, None], rest, np.nan)


def _sure(rest: np.ndarray, joint: _Joint) -> np.ndarray:
    """(T, 2): NaN also where the detector only guessed."""
    return np.where((joint.score > GUESSED[1])[:, None], rest, np.nan)


def _lag_s(rests: Iterable[np.ndarray], velocities: Iterable[np.ndarray], low: float, high: float) -> tuple[float, int]:
    """Seconds by which the found joint trails the true one at speeds [low, high) heights/s, and frames it is from."""
    along, square, frames = 0.0, 0.0, 0
    for rest, velocity in zip(rests, velocities, strict=True):
        speed = np.linalg.norm(velocity, axis=-1)
        use = np.isfinite(rest).all(-1) & (speed >= low) & (speed < high)
        error = rest[use] - np.nanmedian(rest, axis=0) if use.any() else rest[use]
        along += float((error * velocity[use]).sum())
        square += float((velocity[use] ** 2).sum())
        frames += int(use.sum())
    return (-along / square if square > 0 else 0.0), frames


def _autocovariance(rests: Sequence[np.ndarray], longest: int) -> np.ndarray:
    """(longest + 1,) mean product of errors so many frames apart, for each axis, not centred. rests: (T, 2) each."""
    found = np.zeros(longest + 1)
    for lag in range(longest + 1):
        total, count = 0.0, 0
        for rest in rests:
            early, late = rest[: max(len(rest) - lag, 0)], rest[lag:]
            both = np.isfinite(early).all(-1) & np.isfinite(late).all(-1)
            total, count = total + float((early[both] * late[both]).sum()), count + 2 * int(both.sum())
        found[lag] = total / max(count, 1)
    return found


def parts_of(rests: Sequence[np.ndarray], fps: float) -> Parts:
    """What errors over several clips, (T, 2) each with NaN where unknown, are made of.

    The uncentred autocovariance is fitted, by least squares and without negative parts, by a constant, two
    exponentials and a part at lag 0 alone; the two time constants are those of a few that fit best.
    """
    lags = np.arange(round(_LONGEST_S * fps) + 1)
    covariance = _autocovariance(rests, len(lags) - 1)
    scale = max(covariance[0], _TINY)
    best: tuple[float, np.ndarray, float, float] | None = None
    for slow_s in _SLOW_S:
        for quick_s in _QUICK_S:
            shapes = [np.ones(len(lags)), np.exp(-lags / fps / slow_s), np.exp(-lags / fps / quick_s), lags == 0]
            power, misfit = nnls(np.stack(shapes, axis=1).astype(float), covariance / scale)
            if best is None or misfit < best[0]:
                best = misfit, power, slow_s, quick_s
    assert best is not None
    bias, slow, quick, jitter = (float(std) for std in np.sqrt(best[1] * scale))
    return Parts(bias, slow, quick, jitter, best[2], best[3])


def noise_statistics(clips: Sequence[DetectedClip]) -> dict:
    """All figures, as plain numbers for JSON. clips: at least one, all of about the same frame rate."""
    cleaned = [_cleaned(clip) for clip in clips]
    fps = float(np.median([clip.fps for clip in clips]))
    rests: dict[tuple[int, str], np.ndarray] = {}
    sure: dict[tuple[int, str], np.ndarray] = {}
    groups = {}
    for group in GROUPS:
        members = {(n, name): j for n, clip in enumerate(cleaned) for name, j in clip.items() if _group(name) == group}
        groups[group], found = _group_statistics(list(members.values()), fps, AXES[group])
        rests |= dict(zip(members, found, strict=True))
    for key, rest in rests.items():
        sure[key] = _sure(rest, cleaned[key[0]][key[1]])
    return {
        "clips": [_clip_statistics(clip, sure, number) for number, clip in enumerate(clips)],
        "frames": int(sum(len(clip.error) for clip in clips)),
        "fps": fps,
        "gross_heights": GROSS,
        "groups": groups,
        "level_log_std": _level(sure, len(clips)),
        "together": _together(sure, len(clips)),
        "swaps": {limb: _run_statistics([swapped_frames(c, chain) for c in clips]) for limb, chain in LIMBS.items()},
        "misses": _run_statistics([(clip.score == 0).all(axis=1) for clip in clips]),
        "scores": _scores(cleaned, rests),
    }


def _group_statistics(joints: list[_Joint], fps: float, axes: tuple[str, ...]) -> tuple[dict, list[np.ndarray]]:
    offset, lag_s = _offset_and_lag(joints)
    plain = [_rest(joint, offset) for joint in joints]
    velocities = [joint.velocity for joint in joints]
    rests = [_rest(joint, offset, lag_s) for joint in joints]
    sure = [_sure(rest, joint) for joint, rest in zip(joints, rests, strict=True)]
    parts = parts_of(sure, fps)
    covariance = _autocovariance(sure, _LAGS_FRAMES[-1])
    every = np.concatenate([np.linalg.norm(joint.error, axis=-1) for joint in joints])
    hidden = np.concatenate([joint.hidden for joint in joints])
    after, score = np.concatenate(rests), np.concatenate([joint.score for joint in joints])
    statistics = {
        "median_error": float(np.nanmedian(every)),
        "rms_error": float(np.sqrt(np.nanmean(every**2))),
        "offset": dict(zip(axes, (float(step) for step in offset), strict=True)),
        "lag_s": lag_s,
        "lag_s_by_speed": [
            {"from": low, "to": high if np.isfinite(high) else None, "lag_s": lag, "frames": frames}
            for low, high in pairwise(SPEEDS)
            for lag, frames in (_lag_s(plain, velocities, low, high),)
        ],
        "bias": parts.bias,
        "slow": parts.slow,
        "slow_s": parts.slow_s,
        "quick": parts.quick,
        "quick_s": parts.quick_s,
        "jitter": parts.jitter,
        "total": parts.total,
        "autocorrelation": {str(lag): float(covariance[lag] / max(covariance[0], _TINY)) for lag in _LAGS_FRAMES},
        "gross": _run_statistics([joint.gross for joint in joints]),
        "gross_size": float(np.median(every[every > GROSS])) if (every > GROSS).any() else None,
        "guessed": _run_statistics([(joint.score > GUESSED[0]) & (joint.score <= GUESSED[1]) for joint in joints]),
        "unseen": _run_statistics([joint.score <= GUESSED[0] for joint in joints]),
        "hidden_share": float(hidden.mean()),
        "guessed_std": _std(after[(score > GUESSED[0]) & (score <= GUESSED[1])]),
        "hidden_std": _std(after[hidden]),
    }
    return statistics, rests


def _std(values: np.ndarray) -> float | None:
    kept = values[np.isfinite(values).all(-1)]
    return float(np.sqrt((kept**2).mean())) if len(kept) else None


def _run_statistics(marks: Sequence[np.ndarray]) -> dict:
    """Share of frames, and how long they are on end. marks: (T,) bool each."""
    runs = np.concatenate([stretches(each) for each in marks])
    return {
        "share": float(np.concatenate(marks).mean()),
        "runs": len(runs),
        "median_frames": float(np.median(runs)) if len(runs) else None,
        "longest_frames": int(runs.max()) if len(runs) else None,
    }


def _level(rests: dict[tuple[int, str], np.ndarray], clips: int) -> float:
    """Spread, as a standard deviation of logarithms, of the clips' errors against those of the same joints in all."""
    ratios: dict[int, list[float]] = {clip: [] for clip in range(clips)}
    for group in GROUPS:
        of_clip = {c: [r for (n, name), r in rests.items() if n == c and _group(name) == group] for c in range(clips)}
        logs = {c: np.log(std) for c, found in of_clip.items() if (std := _std(np.concatenate(found)))}
        for clip, log in logs.items():
            ratios[clip].append(float(log - np.mean(list(logs.values()))))
    return float(np.std([np.mean(found) for found in ratios.values() if found] or [0.0]))


def _together(rests: dict[tuple[int, str], np.ndarray], clips: int) -> dict[str, float]:
    """How far the errors of neighbouring joints are the same: correlation over all frames that have both."""
    found = {}
    for one, other in _TOGETHER:
        first = np.concatenate([rests[c, f"{side}_{one}"] for c in range(clips) for side in ("left", "right")])
        second = np.concatenate([rests[c, f"{side}_{other}"] for c in range(clips) for side in ("left", "right")])
        both = np.isfinite(first).all(-1) & np.isfinite(second).all(-1)
        power = np.sqrt((first[both] ** 2).sum() * (second[both] ** 2).sum())
        found[f"{one}-{other}"] = float((first[both] * second[both]).sum() / max(power, _TINY))
    return found


def _scores(cleaned: list[dict[str, _Joint]], rests: dict[tuple[int, str], np.ndarray]) -> list[dict]:
    """Errors by what the detector claims to see, against the same joint's in all frames."""
    score = np.concatenate([j.score for clip in cleaned for j in clip.values()])
    hidden = np.concatenate([j.hidden for clip in cleaned for j in clip.values()])
    gross = np.concatenate([j.gross for clip in cleaned for j in clip.values()])
    twin = np.concatenate([j.twin for clip in cleaned for j in clip.values()])
    rest = np.concatenate([rests[n, name] for n, clip in enumerate(cleaned) for name in clip])
    bins = []
    for low, high in pairwise(SCORES):
        use = (score >= low) & (score < high)
        bins.append(
            {
                "from": low,
                "to": min(high, 1.0),
                "share": float(use.mean()),
                "hidden": float(hidden[use].mean()) if use.any() else None,
                "gross": float(gross[use].mean()) if use.any() else None,
                "twin": float(twin[use].mean()) if use.any() else None,
                "rest_std": _std(rest[use]),
            }
        )
    return bins


def _clip_statistics(clip: DetectedClip, rests: dict[tuple[int, str], np.ndarray], number: int) -> dict:
    size = np.linalg.norm(clip.error[:, CAPTURE.indices(*JOINTS)], axis=-1)
    return {
        "name": clip.name,
        "frames": len(clip.error),
        "median_error": float(np.nanmedian(size)),
        "p90_error": float(np.nanquantile(size, 0.9)),
        "p99_error": float(np.nanquantile(size, 0.99)),
        "rest_std": _std(np.concatenate([rest for (n, _), rest in rests.items() if n == number])),
    }
