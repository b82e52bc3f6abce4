"""Stretches of a capture that an animator should look at, each with its reason in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..skeleton import SIDES
from .contacts import stretches
from .take_series import TakeSeries

__all__ = ["Doubt", "doubtful"]

# What lasts shorter than this a viewer does not see; what is interrupted for shorter than this is one stretch.
LEAST_S = 0.3
CLOSE_S = 0.4
# Swapped sides and jumps are seen however short they are; frames around them are affected too.
AROUND_S = 0.1
# With fewer joints than this seen, most of the pose is made up.
MOSTLY_SEEN = 0.5
# The motion beside its picture: 6 % of a person's height is more than an arm is wide, which shows in an overlay.
MISS_SHARE = 0.06
# Sprinters reach 10 m/s, people before a fixed camera hardly half of it.
FASTEST_M_S = 7.0
# So much of a person's height between two frames, and so fast, is no movement but a cut or another person.
JUMP_SHARE, JUMP_HEIGHTS_S = 0.3, 5.0
JUMP_WITHIN_S = 0.25
# A dancer's pirouette takes half a second; trunks that turn faster have left and right exchanged.
FASTEST_TURN_RAD_S = np.deg2rad(1000.0)
# Limbs before their ends: where an arm is not seen, its hand needs no word of its own.
_PARTS = (
    ("arms", ("elbow", "wrist"), ("hands", ("index", "pinky"))),
    ("legs", ("knee", "ankle"), ("feet", ("heel", "toe"))),
)
_SINGULAR = {"arms": "arm", "hands": "hand", "legs": "leg", "feet": "foot"}


@dataclass(frozen=True)
class Doubt:
    """Look at the frames from `first_s` to `last_s` of the video. reason: a few words, "left hand unseen"."""

    first_s: float
    last_s: float
    reason: str


def doubtful(series: TakeSeries) -> list[Doubt]:
    """All of them, in order of time. Where nobody was found, or hardly anything was, nothing else is said."""
    lost = ~series.found
    poor = series.found & (series.coverage < MOSTLY_SEEN)
    named = [
        *_named(lost, series.times_s, "nobody seen"),
        *_named(poor, series.times_s, "body mostly unseen"),
        *_unseen_parts(series, ~lost & ~poor),
        *_named(np.nan_to_num(series.miss_share) > MISS_SHARE, series.times_s, "pose beside the picture"),
        *_named(_jumping(series), series.times_s, "place jumps", least_s=0.0, around_s=AROUND_S),
        *_named(
            series.exchanged | (series.turning_rad_s > FASTEST_TURN_RAD_S),
            series.times_s,
            "left and right may be swapped",
            least_s=0.0,
            around_s=AROUND_S,
        ),
    ]
    return sorted(named, key=lambda doubt: (doubt.first_s, doubt.last_s, doubt.reason))


def _named(
    flags: np.ndarray, times_s: np.ndarray, reason: str, *, least_s: float = LEAST_S, around_s: float = 0.0
) -> list[Doubt]:
    return [
        Doubt(max(float(times_s[start]) - around_s, float(times_s[0])), float(times_s[end - 1]) + around_s, reason)
        for start, end in _lasting(flags, times_s, least_s)
    ]


def _lasting(flags: np.ndarray, times_s: np.ndarray, least_s: float = LEAST_S) -> list[tuple[int, int]]:
    """Stretches of flags (T,), short breaks closed: first frame and the one after the last.

    Those whose flags make up less than least_s are left out: single frames now and then are no stretch.
    """
    joined: list[tuple[int, int]] = []
    for start, end in stretches(flags):
        if joined and times_s[start] - times_s[joined[-1][1] - 1] < CLOSE_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    return [(start, end) for start, end in joined if flags[start:end].sum() * step_s >= least_s - 1e-9]


def _marked(flags: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The lasting stretches as flags (T,) again."""
    marked = np.zeros_like(flags)
    for start, end in _lasting(flags, times_s):
        marked[start:end] = True
    return marked


def _unseen_parts(series: TakeSeries, told: np.ndarray) -> Iterator[Doubt]:
    for limbs, limb_joints, (ends, end_joints) in _PARTS:
        limb = {side: _hidden(series, side, limb_joints) & told for side in SIDES}
        end = {side: _hidden(series, side, end_joints) & told for side in SIDES}
        gone = {side: _marked(limb[side], series.times_s) for side in SIDES}
        yield from _of_sides(series, limb, limbs, limb_joints)
        yield from _of_sides(series, {side: end[side] & ~gone[side] for side in SIDES}, ends, end_joints)


def _hidden(series: TakeSeries, side: str, joints: tuple[str, ...]) -> np.ndarray:
    """(T,) bool, none of these joints was seen; nowhere where the detector knows none of them."""
    known = [series.joints.index(f"{side}_{joint}") for joint in joints if f"{side}_{joint}" in series.joints]
    if not known:
        return np.zeros(len(series.times_s), dtype=bool)
    return np.asarray(~series.seen[:, known].any(axis=1))


def _of_sides(
    series: TakeSeries, hidden: dict[str, np.ndarray], plural: str, joints: tuple[str, ...]
) -> Iterator[Doubt]:
    """One stretch for both sides where both are hidden together, else one for each."""
    both = _marked(np.logical_and(*hidden.values()), series.times_s)
    cases = [(both, SIDES, plural)]
    cases += [(hidden[side] & ~both, (side,), f"{side} {_SINGULAR[plural]}") for side in SIDES]
    for flags, sides, words in cases:
        places = [series.joints.index(f"{s}_{j}") for s in sides for j in joints if f"{s}_{j}" in series.joints]
        for start, end in _lasting(flags, series.times_s):
            outside = series.outside[start:end, places].mean() > 0.5
            yield Doubt(
                float(series.times_s[start]),
                float(series.times_s[end - 1]),
                f"{words} {'out of the picture' if outside else 'unseen'}",
            )


def _jumping(series: TakeSeries) -> np.ndarray:
    """(T,) bool: the hip is faster than people are, or the trunk is at once elsewhere in the picture."""
    flags = series.root_speed_m_s > FASTEST_M_S
    known = np.flatnonzero(np.isfinite(series.trunk_px).all(axis=1))
    before, after = known[:-1], known[1:]
    step_s = series.times_s[after] - series.times_s[before]
    apart = np.linalg.norm(series.trunk_px[after] - series.trunk_px[before], axis=1) / series.height_px[after]
    jumps = (apart > JUMP_SHARE) & (apart > JUMP_HEIGHTS_S * step_s) & (step_s < JUMP_WITHIN_S)
    flags = flags.copy()
    flags[after[jumps]] = True
    return flags
