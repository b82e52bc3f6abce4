"""Holds a rig's neck exactly where the body has it above the hips, whatever the proportions of its trunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..rotation import normalized, quat_between, quat_multiply, quat_rotate, quat_slerp
from ..skeleton import SIDES
from .rig_rest import RigRest
from .rigmap import RigMap
from .turns import BodyTurns

__all__ = ["chest_on_line"]

# The line's error shrinks to a tenth or less with every pass.
PASSES = 5
# What the chest may be turned by for the line's sake; only trunks of no human proportions would want more.
LIMIT_RAD = np.deg2rad(60.0)
# The least share of the line's length that has to turn with the chest for it to be led at all.
LEAST_HOLD = 0.1
_STILL = np.array([1.0, 0.0, 0.0, 0.0])

_Turns = Mapping[str, np.ndarray]
# What a head hangs on, from the hips on: bones that turn, and the way (3,) that each carries it on, at rest.
_Way = list[tuple[str, np.ndarray]]


@dataclass(frozen=True)
class _Line:
    """From the middle of the thigh heads to the neck, or to the middle of the upper arms: ways that are added."""

    plus: list[_Way]
    minus: list[_Way]

    def along(self, turns: _Turns) -> np.ndarray:
        """The line (T, 3), as long as the rig's."""
        return _mean(self.plus, turns) - _mean(self.minus, turns)


def chest_on_line(
    body: BodyTurns,
    spread: Callable[[BodyTurns], dict[str, np.ndarray]],
    wanted: np.ndarray,
    rest: RigRest,
    rig_map: RigMap,
    carriers: Mapping[str, str],
) -> BodyTurns:
    """The turns with the chest (and the collar bones on it) so led that the line from the hips to the neck is `wanted`.

    spread: the trunk's and the collar bones' turns {bone: (T, 4)} that body turns make of this rig; wanted: (T, 3)
    unit. The hips stay as they are. Rigs whose neck does not hang on the spine are left alone.
    """
    turns = spread(body)
    line = _line(rest, rig_map, carriers, turns)
    hold = _hold(line, turns, spread, body) if line is not None else 0.0
    if line is None or hold < LEAST_HOLD:
        return body
    lead, led = np.broadcast_to(_STILL, body.chest.shape), body
    for _ in range(PASSES):
        off = quat_between(normalized(line.along(turns)), wanted)
        lead = _within_limit(quat_multiply(_times(off, 1.0 / hold), lead))
        led = _led(body, lead)
        turns = spread(led)
    return led


def _led(body: BodyTurns, lead: np.ndarray) -> BodyTurns:
    collar_bones = {role: quat_multiply(lead, body.parts[role]) for role in (f"{side}_shoulder" for side in SIDES)}
    return replace(body, chest=quat_multiply(lead, body.chest), parts=body.parts | collar_bones)


def _hold(line: _Line, turns: _Turns, spread: Callable[[BodyTurns], dict[str, np.ndarray]], body: BodyTurns) -> float:
    """How far the line turns when the chest does, 0..1, at rest."""
    still = np.broadcast_to(_STILL, (1, 4))
    upright = BodyTurns(still, still, dict.fromkeys(body.parts, still), {})
    at_rest = line.along(spread(upright))[0]
    length = float(np.linalg.norm(at_rest))
    if length < 1e-9:
        return 0.0
    aside = np.cross(at_rest / length, [1.0, 0.0, 0.0] if abs(at_rest[0]) < 0.9 * length else [0.0, 1.0, 0.0])
    angle = 0.02
    little = np.concatenate([[np.cos(angle / 2)], np.sin(angle / 2) * normalized(aside)])[None]
    moved = line.along(spread(_led(upright, little)))[0]
    return float(np.linalg.norm(moved - at_rest) / (length * angle))


def _times(turn: np.ndarray, factor: float) -> np.ndarray:
    """A turn (T, 4) of less than half a turn, about the same axis by `factor` times its angle, at most half a turn."""
    half_rad = np.arctan2(np.linalg.norm(turn[:, 1:], axis=1), turn[:, 0])
    half_rad = np.minimum(factor * half_rad, 0.5 * np.pi)[:, None]
    return np.concatenate([np.cos(half_rad), np.sin(half_rad) * normalized(turn[:, 1:])], axis=1)


def _within_limit(turn: np.ndarray) -> np.ndarray:
    angle_rad = 2.0 * np.arccos(np.clip(np.abs(turn[:, 0]), 0.0, 1.0))
    return quat_slerp(
        np.broadcast_to(_STILL, turn.shape), turn, np.minimum(1.0, LIMIT_RAD / np.maximum(angle_rad, 1e-9))
    )


def _line(rest: RigRest, rig_map: RigMap, carriers: Mapping[str, str], turns: _Turns) -> _Line | None:
    ends = ["neck"] if "neck" in rig_map.bones else [f"{side}_upper_arm" for side in SIDES]
    plus = [_way(rest, rig_map.bones[role], rig_map.bones["hips"], carriers, turns) for role in ends]
    thighs = [rig_map.bones[f"{side}_thigh"] for side in SIDES]
    minus = [_way(rest, bone, rig_map.bones["hips"], carriers, turns) for bone in thighs]
    found = [[way for way in ways if way is not None] for ways in (plus, minus)]
    return _Line(*found) if len(found[0]) == len(plus) and len(found[1]) == len(minus) else None


def _way(rest: RigRest, bone: str, hips: str, carriers: Mapping[str, str], turns: _Turns) -> _Way | None:
    """What the bone's head hangs on; None where that is not the hips."""
    way: _Way = []
    while bone != hips:
        above = rest.ancestors(bone)
        carrier = carriers.get(bone)
        holder = carrier if carrier is not None and carrier not in above else next(iter(above), None)
        turning = None if holder is None else _turning(rest, holder, turns)
        if holder is None or turning is None:
            return None
        way.append((turning, rest.head_world(bone) - rest.head_world(holder)))
        bone = holder
    return way


def _turning(rest: RigRest, bone: str, turns: _Turns) -> str | None:
    """The bone whose turn this one has: itself, or the nearest above that is turned."""
    for name in (bone, *rest.ancestors(bone)):
        if name in turns:
            return name
        if not rest.inherits_turn[rest.names.index(name)]:
            return None
    return None


def _mean(ways: list[_Way], turns: _Turns) -> np.ndarray:
    parts = [quat_rotate(turns[bone], part) for way in ways for bone, part in way]
    return np.sum(parts, axis=0) / len(ways)
