"""A hand's movement on the fingers of a rig: every bone of a finger turned as its own palm asks. No Blender in here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..hands import FINGERS, HandMotion
from ..rotation import matrix_to_quat, normalized, quat_conjugate, quat_multiply, quat_unrolled
from ..skeleton import SIDES
from .fingers_palm import finger_angles, finger_axes, palm_axes
from .hierarchy import turn_in
from .names import parse_name
from .recognition import Chains
from .rig_rest import RigRest
from .rigmap import RigMap

__all__ = ["bending", "finger_quats", "finger_rows", "flat_finger_quats", "palm_fingers", "rest_directions"]

# Bones that only mark where a finger ends.
_END_MARK = re.compile(r"end$|tip$|leaf|nub", re.IGNORECASE)
# A last bone that points farther than this from where the bone before it does was given its tail by a file's import.
_FALSE_TAIL_COSINE = 0.5
# What control rigs call their fingers' controls, which do not hang on the control of the hand.
_CONTROLS = re.compile(r"[cf]?(thumb|index|mid|middle|ring|pinky|little)([123])")
_CALLED = {"mid": "middle", "little": "pinky"}
_STILL = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class _Palm:
    """A rig's hand at rest. axes: (3, 3) those of its palm as columns, in armature space; rows: finger to its bones."""

    hand: str
    axes: np.ndarray
    rows: dict[str, tuple[str, ...]]


def finger_quats(hands: HandMotion | None, rest: RigRest, rig_map: RigMap, chains: Chains) -> dict[str, np.ndarray]:
    """Local turns {bone: (T, 4)} of a rig's fingers, sign-unrolled, as pose_bone.rotation_quaternion wants them.

    The bones point in the rig's palm as the person's fingers do in theirs; a hand that was never seen is left out, and
    so is one whose palm the rig's fingers do not show. Bones of the palm keep their rest pose.
    """
    quats: dict[str, np.ndarray] = {}
    for which, side in enumerate(SIDES):
        palm = _palm(rest, rig_map, chains, side)
        if hands is None or palm is None or not hands.score[:, which].any():
            continue
        for finger, row in palm.rows.items():
            number = FINGERS.index(finger)
            bent, aside = hands.bent_rad[:, which, number], hands.aside_rad[:, which, number]
            angles_rad = _for_bones(bent.astype(np.float64), aside.astype(np.float64), len(bending(row)))
            quats |= _finger(rest, palm, finger, row, angles_rad)
            still = np.broadcast_to(_STILL, (len(bent), 4))
            quats |= {bone: still for bone in _between(rest, row[0], palm.hand) if bone not in quats}
    return quats


def flat_finger_quats(
    shares: Mapping[str, np.ndarray], rest: RigRest, rig_map: RigMap, chains: Chains
) -> dict[str, np.ndarray]:
    """The same for fingers that nobody captured, of hands that lie on the floor: curled at rest they would go into it.

    shares: by side, how far (T,) the fingers are brought from where they rest into the plane of their palm, 0..1.
    """
    quats: dict[str, np.ndarray] = {}
    for side, share in shares.items():
        palm = _palm(rest, rig_map, chains, side) if share.any() else None
        if palm is None:
            continue
        for finger, row in palm.rows.items():
            resting = rest_directions(rest, row)[: len(bending(row))] @ palm.axes
            below = np.minimum(resting[:, 2], 0.0)[:, None] * np.array([0.0, 0.0, 1.0])
            directions = normalized(resting - share[:, None, None] * below)
            quats |= _finger(rest, palm, finger, row, finger_angles(directions, finger))
    return quats


def finger_rows(rest: RigRest, rig_map: RigMap, chains: Chains) -> dict[str, tuple[str, ...]]:
    """A rig's fingers, "left_thumb" and so on, from the knuckle on: what hangs on its hands, else their controls."""
    rows = dict(chains.fingers)
    for side in SIDES:
        knuckle = rig_map.bones.get(f"{side}_index_knuckle")
        if knuckle is not None and not any(finger.startswith(side) for finger in rows):
            controls = _controls(rest, parse_name(knuckle).side)
            rows |= {f"{side}_{finger}": row for finger, row in controls.items()}
    return rows


def _controls(rest: RigRest, side: str) -> dict[str, tuple[str, ...]]:
    """The controls of the fingers that say they are of a side: three to a finger, each below the one before."""
    found: dict[str, dict[int, str]] = {}
    for bone in rest.names:
        name = parse_name(bone)
        match = _CONTROLS.fullmatch(name.stem)
        if match is not None and name.side == side and not name.layer:
            found.setdefault(_CALLED.get(match[1], match[1]), {})[int(match[2])] = bone
    rows = {finger: tuple(bones[number] for number in sorted(bones)) for finger, bones in found.items()}
    return {finger: row for finger, row in rows.items() if len(row) == 3 and _hang_together(rest, row)}


def _hang_together(rest: RigRest, row: Sequence[str]) -> bool:
    return all(upper in rest.ancestors(lower) for upper, lower in pairwise(row))


def _palm(rest: RigRest, rig_map: RigMap, chains: Chains, side: str) -> _Palm | None:
    """The hand of a side with its fingers; None where it has no index finger and no other one beside it."""
    rows = finger_rows(rest, rig_map, chains)
    ends = palm_fingers(rows, side)
    if ends is None:
        return None
    hand = rig_map.bones[f"{side}_hand"]
    wrist, index, other = (_head(rest, bone) for bone in (hand, *ends))
    own = {finger: rows[f"{side}_{finger}"] for finger in FINGERS if f"{side}_{finger}" in rows}
    return _Palm(hand, palm_axes(wrist, index, other, side), own)


def palm_fingers(rows: Mapping[str, Sequence[str]], side: str) -> tuple[str, str] | None:
    """The first bones of a side's index finger and of the one farthest from it, which with the wrist show its palm."""
    beside = [finger for finger in FINGERS[2:] if f"{side}_{finger}" in rows]
    if f"{side}_index" not in rows or not beside:
        return None
    return rows[f"{side}_index"][0], rows[f"{side}_{beside[-1]}"][0]


def bending(row: Sequence[str]) -> tuple[str, ...]:
    """The bones of a finger's row that bend: at most three."""
    marks = len(row) > 2 and _END_MARK.search(row[-1]) is not None
    return tuple(row[:-1] if marks else row)[:3]


def _head(rest: RigRest, bone: str) -> np.ndarray:
    return rest.matrices[rest.names.index(bone), :3, 3]


def _between(rest: RigRest, bone: str, hand: str) -> list[str]:
    """The bones from a finger's first one up to the hand, both left out."""
    above = rest.ancestors(bone)
    return above[: above.index(hand)] if hand in above else []


def _finger(
    rest: RigRest, palm: _Palm, finger: str, row: tuple[str, ...], angles_rad: tuple[np.ndarray, np.ndarray]
) -> dict[str, np.ndarray]:
    """Local turns of one finger's bones; angles_rad: how far they are bent and aside (T, N)."""
    bones = bending(row)
    bent, aside = angles_rad
    at_rest = finger_axes(*finger_angles(rest_directions(rest, row)[: len(bones)] @ palm.axes, finger), finger)
    turned = finger_axes(bent, aside, finger) @ at_rest.swapaxes(-1, -2)
    turns = matrix_to_quat(palm.axes @ turned @ palm.axes.T)
    quats, held = {}, np.broadcast_to(_STILL, turns[:, 0].shape)
    for i, bone in enumerate(bones):
        frame = matrix_to_quat(turn_in(rest.matrices[rest.names.index(bone), :3, :3]))
        against = quat_multiply(quat_conjugate(held), turns[:, i])
        quats[bone] = quat_unrolled(quat_multiply(quat_multiply(quat_conjugate(frame), against), frame))
        held = turns[:, i]
    return quats


def _for_bones(bent: np.ndarray, aside: np.ndarray, bones: int) -> tuple[np.ndarray, np.ndarray]:
    """Angles (T, 3) of a finger's three bones for one of fewer, whose last bone points about where the rest would."""
    if bones >= 3:
        return bent, aside
    rest = (bent[:, 2:].mean(axis=1) if bones == 2 else bent[:, 1] + 0.5 * bent[:, 2]) * 0.5
    bent = bent[:, :bones].copy()
    bent[:, -1] += rest
    return bent, aside[:, :bones]


def rest_directions(rest: RigRest, row: Sequence[str]) -> np.ndarray:
    """Where a row's bones point (N, 3), unit, in armature space: each to the next, the last by its tail if it fits."""
    heads = np.array([_head(rest, bone) for bone in row])
    ways = normalized(np.diff(heads, axis=0))
    last = normalized(rest.matrices[rest.names.index(row[-1]), :3, 1])
    if len(ways) and last @ ways[-1] < _FALSE_TAIL_COSINE:
        last = ways[-1]
    return np.vstack([ways, last])
