"""Fewer keys: which frames of a motion need one, and how far what is played between them is off. No Blender in here.

What is played: a cubic curve from key to key for each value by itself, as Blender's Bezier keys with handles at a third
of the way play it; then the values of a turn make one turn together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["EVERY_FRAME", "PLACE", "Channel", "Kept", "Keys", "Thinning", "every_nth", "fitted", "played", "thinned"]

PLACE, QUATERNION, AXIS_ANGLE = "PLACE", "QUATERNION", "AXIS_ANGLE"
# Below this a channel does not move: half of what a float of Blender's keys tells of a turn or of a metre.
_STILL = 1e-7
# The frames between keys before any is added or taken out.
_FIRST_TRY = 12


@dataclass(frozen=True)
class Channel:
    """One property of a bone over the clip's frames; its values are keyed together.

    kind:        PLACE, or the bone's rotation mode: "QUATERNION", "AXIS_ANGLE" (angle first) or an Euler order ("XYZ").
    values:      (T, D) as Blender has them: a place in the bone's units, (w, x, y, z), radians.
    cm_per_unit: of a place: centimetres of the world that one unit is.
    """

    kind: str
    values: np.ndarray
    cm_per_unit: float = 100.0

    def __post_init__(self) -> None:
        wanted = 4 if self.kind in (QUATERNION, AXIS_ANGLE) else 3
        if self.values.ndim != 2 or self.values.shape[1] != wanted or not len(self.values):
            raise ValueError(f"values of a {self.kind} channel have shape {self.values.shape}, expected (T, {wanted})")


@dataclass(frozen=True)
class Keys:
    """A channel's keys. at: (K,) int, frames counted from the clip's first; slopes: (K, D), change a frame."""

    at: np.ndarray
    slopes: np.ndarray


@dataclass(frozen=True)
class Thinning:
    """How keys are made fewer: every n-th frame, or, where a tolerance is given, as few as keep within it.

    tolerance_deg: how far each bone's own turn may be off; tolerance_cm: how far the path and other places may.
    """

    every: int = 1
    tolerance_deg: float | None = None
    tolerance_cm: float = 0.5

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every is {self.every}, expected 1 or more")
        if self.tolerance_deg is not None and (self.tolerance_deg <= 0 or self.tolerance_cm <= 0):
            raise ValueError("tolerances must be more than 0")

    @property
    def thins(self) -> bool:
        """Whether there will be frames without a key."""
        return self.every > 1 or self.tolerance_deg is not None


EVERY_FRAME = Thinning()


@dataclass(frozen=True)
class Kept:
    """What thinning left. keys, frames: keys that there are, and that every frame would have had, over all channels.

    worst_deg, worst_cm: the farthest that any bone's own turn, and any place, is off at any frame.
    """

    keys: int = 0
    frames: int = 0
    worst_deg: float = 0.0
    worst_cm: float = 0.0

    @property
    def sentence(self) -> str:
        """In words."""
        off = f"at most {self.worst_deg:.2f} deg and {self.worst_cm:.2f} cm off"
        return f"Kept {self.keys} of {self.frames} keys, {off}."


@dataclass(frozen=True)
class _Search:
    """A channel while its keys are looked for, component by component, which is what makes it fast.

    values, slopes: (D, T). tolerance: degrees or cm.
    """

    kind: str
    values: np.ndarray
    slopes: np.ndarray
    tolerance: float

    def too_far(self, at: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For these segments (S,) between keys: whether what is played is too far off (S,), and the frame where most.

        Segments must have frames between their keys.
        """
        starts, ends = at[segments], at[segments + 1]
        inner = ends - starts - 1
        first = np.cumsum(inner) - inner
        frames = np.arange(inner.sum()) + np.repeat(starts + 1 - first, inner)
        between = _cubics(self.values, self.slopes, starts, ends, inner, frames)
        errors = _off(self.kind, self.values[:, frames], between)
        worst = np.maximum.reduceat(errors, first)
        at_worst = np.flatnonzero(errors == np.repeat(worst, inner))
        return worst > self.tolerance, frames[at_worst[np.searchsorted(at_worst, first)]]


def thinned(channels: Sequence[Channel], thinning: Thinning) -> tuple[list[Keys], Kept]:
    """Keys for each channel, and what they make of the motion. A channel that does not move has one key."""
    keys = [_keys(channel, thinning) for channel in channels]
    worst = {True: 0.0, False: 0.0}
    for channel, chosen in zip(channels, keys, strict=True):
        error = float(_off(channel.kind, channel.values.T, played(channel, chosen).T).max()) * _unit(channel)
        worst[channel.kind == PLACE] = max(worst[channel.kind == PLACE], error)
    total = sum(1 if _is_still(channel) else len(channel.values) for channel in channels)
    return keys, Kept(sum(len(chosen.at) for chosen in keys), total, worst[False], worst[True])


def every_nth(channel: Channel, every: int) -> Keys:
    """A key on every n-th frame, and on the last."""
    last = len(channel.values) - 1
    at = np.unique(np.append(np.arange(0, last + 1, every), last))
    return Keys(at, _slopes(channel.values)[at])


def fitted(channel: Channel, tolerance: float) -> Keys:
    """The few keys with which what is played stays within a tolerance: degrees of a turn, cm of a place.

    Keys are added where it is farthest off, everywhere at once, until it is nowhere too far; then every key goes
    without which it still is not. Slopes are the motion's own, so that keys do not depend on each other.
    """
    slopes = _slopes(channel.values)
    values = np.ascontiguousarray(channel.values.T)
    search = _Search(channel.kind, values, np.ascontiguousarray(slopes.T), tolerance / _unit(channel))
    last = len(slopes) - 1
    at = _merged(search, _split(search, np.unique(np.append(np.arange(0, last, _FIRST_TRY), last))))
    return Keys(at, slopes[at])


def played(channel: Channel, keys: Keys) -> np.ndarray:
    """The values (T, D) that Blender plays at each frame of the clip."""
    if len(keys.at) == 1:
        return np.repeat(channel.values[keys.at], len(channel.values), axis=0)
    slopes = np.zeros_like(channel.values)
    slopes[keys.at] = keys.slopes
    starts, ends = keys.at[:-1], keys.at[1:]
    frames = np.arange(keys.at[-1])
    between = _cubics(channel.values.T, slopes.T, starts, ends, ends - starts, frames)
    return np.append(between.T, channel.values[-1:], axis=0)


def _keys(channel: Channel, thinning: Thinning) -> Keys:
    if _is_still(channel):
        return Keys(np.zeros(1, dtype=int), np.zeros((1, channel.values.shape[1])))
    if thinning.tolerance_deg is None:
        return every_nth(channel, thinning.every)
    return fitted(channel, thinning.tolerance_cm if channel.kind == PLACE else thinning.tolerance_deg)


def _is_still(channel: Channel) -> bool:
    return bool((np.abs(channel.values - channel.values[0]) < _STILL).all())


def _slopes(values: np.ndarray) -> np.ndarray:
    """The change of values (T, D) a frame at each frame: of the parabola through two frames on either side.

    Towards the ends of the clip fewer are there.
    """
    slopes = np.gradient(values, axis=0) if len(values) > 1 else np.zeros_like(values)
    if len(values) > 4:
        slopes[2:-2] = 0.2 * (values[4:] - values[:-4]) + 0.1 * (values[3:-1] - values[1:-3])
    return slopes


def _unit(channel: Channel) -> float:
    """What one of `_off` is: centimetres of a place, else a degree."""
    return channel.cm_per_unit if channel.kind == PLACE else 1.0


def _cubics(
    values: np.ndarray, slopes: np.ndarray, starts: np.ndarray, ends: np.ndarray, counts: np.ndarray, frames: np.ndarray
) -> np.ndarray:
    """Cubics with the values and slopes (D, T) at their starts and ends (S,), each at `counts` (S,) of the frames (N,).

    Returns (D, N).
    """
    length = np.repeat((ends - starts).astype(np.float64), counts)
    t = (frames - np.repeat(starts, counts)) / length
    rest = 1.0 - t
    to_end, leaving, coming = t * t * (3.0 - 2.0 * t), t * rest * rest * length, t * t * rest * length
    return np.stack(
        [
            np.repeat(value[starts], counts)
            + to_end * np.repeat(value[ends] - value[starts], counts)
            + leaving * np.repeat(slope[starts], counts)
            - coming * np.repeat(slope[ends], counts)
            for value, slope in zip(values, slopes, strict=True)
        ]
    )


def _off(kind: str, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far values (D, N) are off others: degrees, or the units of a place (N,)."""
    if kind == PLACE:
        return np.sqrt(((one - other) ** 2).sum(axis=0))
    one, other = _turns(kind, one), _turns(kind, other)
    cosine = np.abs((one * other).sum(axis=0)) / np.sqrt((one * one).sum(axis=0) * (other * other).sum(axis=0))
    return np.degrees(2.0 * np.arccos(np.minimum(cosine, 1.0)))


def _split(search: _Search, at: np.ndarray) -> np.ndarray:
    """Keys added until no segment is too far off."""
    segments = np.arange(len(at) - 1)
    while True:
        segments = segments[np.diff(at)[segments] > 1]
        if not len(segments):
            return at
        too_far, worst_frames = search.too_far(at, segments)
        new = worst_frames[too_far]
        at = np.union1d(at, new)
        # only what was split can still be too far off
        made = np.searchsorted(at, new)
        segments = np.union1d(made - 1, made)


def _merged(search: _Search, at: np.ndarray) -> np.ndarray:
    """Keys taken out, never two neighbours at a time, as long as what they leave is not too far off."""
    needed = np.zeros(len(at), dtype=bool)
    needed[[0, -1]] = True
    turn = 0
    while not needed.all():
        tried = _apart(np.flatnonzero(~needed), turn)
        thin = np.delete(at, tried)
        too_far, _ = search.too_far(thin, np.searchsorted(thin, at[tried]) - 1)
        gone = tried[~too_far]
        needed[tried] = True
        # one that could not go will hardly be able to with longer segments beside it
        at, needed = np.delete(at, gone), np.delete(needed, gone)
        turn ^= 1
    return at


def _apart(candidates: np.ndarray, turn: int) -> np.ndarray:
    """Some of these numbers (N,), ascending, no two of which follow each other; at least one."""
    begins = np.append(True, np.diff(candidates) > 1)
    run = np.cumsum(begins) - 1
    place = candidates - candidates[begins][run]
    alone = np.bincount(run)[run] == 1
    return candidates[alone | (place % 2 == turn)]


def _turns(kind: str, values: np.ndarray) -> np.ndarray:
    """The turns (4, N), of any length, that values (D, N) of a rotation mode make."""
    if kind == QUATERNION:
        return values
    if kind == AXIS_ANGLE:
        axis = values[1:] / np.maximum(np.sqrt((values[1:] ** 2).sum(axis=0)), 1e-12)
        return np.concatenate([np.cos(0.5 * values[:1]), np.sin(0.5 * values[:1]) * axis])
    w, v = np.ones(values.shape[1]), [np.zeros(values.shape[1])] * 3
    for letter in kind:
        i = "XYZ".index(letter)
        j, k = (i + 1) % 3, (i + 2) % 3
        c, s = np.cos(0.5 * values[i]), np.sin(0.5 * values[i])
        w, v[i], v[j], v[k] = c * w - s * v[i], c * v[i] + s * w, c * v[j] - s * v[k], c * v[k] + s * v[j]
    return np.stack([w, *v])
