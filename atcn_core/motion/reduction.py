"""Fewer keys: which frames of a motion need one, and how far what is played between them is off. No Blender in here.

What is played: a cubic curve from key to key for each value by itself, as Blender's Bezier keys with handles at a third
of the way play it; then the values of a turn make one turn together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["EVERY_FRAME", "PLACE", "Channel", "Kept", "Keys", "Thinning", "every_nth", "fitted", "played", "thinned"]

PLACE, QUATERNION, AXIS_ANGLE = "PLACE", "QUATERNION", "AXIS_ANGLE"
# Below this a channel does not move: half of what a float of Blender's keys tells of a turn or of a metre.
_STILL = 1e-7
# Frames of the stretches that are looked through side by side: shorter is faster and leaves more needless keys.
_STRETCH = 500


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
    """Channels of one kind while their keys are looked for, one behind the other and component by component: fast.

    values, slopes: (D, N), places in cm. firsts, lasts: (C,) frames of N where each channel begins and ends.
    tolerance: degrees or cm.
    """

    kind: str
    values: np.ndarray
    slopes: np.ndarray
    firsts: np.ndarray
    lasts: np.ndarray
    tolerance: float

    @classmethod
    def of(cls, channels: Sequence[Channel], tolerance: float) -> _Search:
        scaled = [channel.values * _unit(channel) for channel in channels]
        ends = np.cumsum([len(values) for values in scaled])
        values = np.ascontiguousarray(np.concatenate(scaled).T)
        slopes = np.ascontiguousarray(np.concatenate([_slopes(values) for values in scaled]).T)
        return cls(channels[0].kind, values, slopes, np.append(0, ends[:-1]), ends - 1, tolerance)

    def too_far(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Whether what is played between keys on these frames (S,) is too far off anywhere (S,) bool.

        There must be frames between each two.
        """
        inner = ends - starts - 1
        first = np.cumsum(inner) - inner
        frames = np.arange(inner.sum()) + np.repeat(starts + 1 - first, inner)
        between = _cubics(self.values, self.slopes, starts, ends, inner, frames)
        return np.maximum.reduceat(_off(self.kind, self.values[:, frames], between), first) > self.tolerance


def thinned(channels: Sequence[Channel], thinning: Thinning) -> tuple[list[Keys], Kept]:
    """Keys for each channel, and what they make of the motion. A channel that does not move has one key."""
    keys = _all_keys(channels, thinning)
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


def fitted(channels: Sequence[Channel], tolerance: float) -> list[Keys]:
    """The few keys with which what is played stays within a tolerance, for channels of one kind: degrees or cm.

    From each key on the next one is as far away as it can be, in many stretches of the clip at once; then every key
    goes that is not needed. Slopes are the motion's own, so that keys do not depend on each other.
    """
    search = _Search.of(channels, tolerance)
    at = _merged(search, _farthest(search))
    begins, ends = np.searchsorted(at, search.firsts), np.searchsorted(at, search.lasts, side="right")
    return [
        Keys(at[begin:end] - first, _slopes(channel.values)[at[begin:end] - first])
        for channel, first, begin, end in zip(channels, search.firsts, begins, ends, strict=True)
    ]


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


def _all_keys(channels: Sequence[Channel], thinning: Thinning) -> list[Keys]:
    """Each channel's keys."""
    keys = {i: _single_key(channel) for i, channel in enumerate(channels) if _is_still(channel)}
    moving = [i for i in range(len(channels)) if i not in keys]
    if thinning.tolerance_deg is None:
        keys |= {i: every_nth(channels[i], thinning.every) for i in moving}
        return [keys[i] for i in range(len(channels))]
    for kind in {channels[i].kind for i in moving}:
        alike = [i for i in moving if channels[i].kind == kind]
        tolerance = thinning.tolerance_cm if kind == PLACE else thinning.tolerance_deg
        keys |= dict(zip(alike, fitted([channels[i] for i in alike], tolerance), strict=True))
    return [keys[i] for i in range(len(channels))]


def _single_key(channel: Channel) -> Keys:
    return Keys(np.zeros(1, dtype=int), np.zeros((1, channel.values.shape[1])))


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


def _farthest(search: _Search) -> np.ndarray:
    """Keys on the borders of stretches and, between them, each as far from the one before as it can be.

    How far is found by doubling, then by halving what is left between a fitting and an unfitting length.
    """
    start = np.concatenate([np.arange(first, last, _STRETCH) for first, last in _channels(search)])
    stretch_end = np.concatenate([np.append(np.arange(a, b, _STRETCH)[1:], b) for a, b in _channels(search)])
    found = [start, stretch_end]
    fits, too_long = start + 1, stretch_end + 1
    while len(start):
        decided = (fits >= stretch_end) | (too_long - fits <= 1)
        found.append(fits[decided])
        start = np.where(decided, fits, start)
        fits, too_long = np.where(decided, start + 1, fits), np.where(decided, stretch_end + 1, too_long)
        going = start < stretch_end
        start, stretch_end, fits, too_long = start[going], stretch_end[going], fits[going], too_long[going]
        untried = too_long > stretch_end
        tried = np.where(untried, np.minimum(2 * fits - start, stretch_end), (fits + too_long) // 2)
        open_ones = np.flatnonzero(tried > fits)
        if len(open_ones):
            bad = search.too_far(start[open_ones], tried[open_ones])
            too_long[open_ones[bad]] = tried[open_ones[bad]]
            fits[open_ones[~bad]] = tried[open_ones[~bad]]
    return np.unique(np.concatenate(found))


def _channels(search: _Search) -> Iterator[tuple[int, int]]:
    return zip(search.firsts, search.lasts, strict=True)


def _merged(search: _Search, at: np.ndarray) -> np.ndarray:
    """Keys taken out, never two neighbours at a time, as long as what they leave is not too far off."""
    needed = np.isin(at, search.firsts) | np.isin(at, search.lasts)
    turn = 0
    while not needed.all():
        tried = _apart(np.flatnonzero(~needed), turn)
        thin = np.delete(at, tried)
        after = np.searchsorted(thin, at[tried])
        gone = tried[~search.too_far(thin[after - 1], thin[after])]
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
