"""The fingers of a skeleton in motion (BVH files, animated armatures), for other rigs to take. No Blender in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ..hands import FINGERS, HandMotion
from ..rotation import normalized
from ..skeleton import SIDES
from .fingers import bending, finger_rows, palm_fingers, rest_directions
from .fingers_palm import finger_angles, palm_axes
from .fingers_steady import relaxed_hand
from .from_rig import RigMotion
from .rig_rest import RigRest
from .rigmap import RigMap
from .spread import chains_around

__all__ = ["finger_bones", "hands_of_rig"]

# Fingers that never leave their rest pose by more than this were not animated.
_STILL_RAD = np.deg2rad(2.0)

_Rows = Mapping[str, Sequence[str]]


def finger_bones(rest: RigRest, rig_map: RigMap) -> dict[str, tuple[str, ...]]:
    """A skeleton's fingers with their bones, "left_thumb" and so on, each from the knuckle on."""
    return finger_rows(rest, rig_map, chains_around(rest, rig_map))


def hands_of_rig(moving: RigMotion, rig_map: RigMap, rows: _Rows) -> HandMotion | None:
    """How a skeleton's fingers move; None where it has none that do.

    rows: the skeleton's fingers as `finger_bones` gives them. A hand whose fingers stay at rest has score 0,
    and so has one whose fingers do not show its palm. A finger that is not there does as the one before it.
    """
    frames = len(moving.times_s)
    angles = np.tile(np.stack(relaxed_hand()), (frames, 2, 1, 1, 1))  # (T, 2 hands, bent and aside, 5, 3)
    score = np.zeros((frames, 2), dtype=np.float32)
    for which, side in enumerate(SIDES):
        ends = palm_fingers(rows, side)
        if ends is None:
            continue
        own = {finger: rows[f"{side}_{finger}"] for finger in FINGERS if f"{side}_{finger}" in rows}
        posed, at_rest = _angles(moving, (rig_map.bones[f"{side}_hand"], *ends), own, side)
        if max(float(np.abs(posed[finger] - at_rest[finger]).max()) for finger in own) < _STILL_RAD:
            continue
        score[:, which] = 1.0
        known = ""
        for number, finger in enumerate(FINGERS):
            known = finger if finger in posed else known if known != "thumb" else ""
            if known:
                angles[:, which, :, number] = posed[known]
    if not score.any():
        return None
    bent, aside = np.moveaxis(angles.astype(np.float32), 2, 0)
    return HandMotion(bent, aside, score)


def _angles(
    moving: RigMotion, palm: tuple[str, str, str], own: _Rows, side: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """By finger how far its bones are bent and aside, in motion (T, 2, 3) and at rest (2, 3). palm: its three bones."""
    rest = moving.rest
    wrist, index, other = palm
    wrist_at, index_at, other_at = (moving.heads[:, rest.names.index(bone)] for bone in palm)
    axes = palm_axes(wrist_at, index_at, other_at, side)
    rest_axes = palm_axes(rest.head_world(wrist), rest.head_world(index), rest.head_world(other), side)
    posed, at_rest = {}, {}
    for finger, row in own.items():
        turned = normalized(rest_directions(rest, row) @ rest.world_from_armature[:3, :3].T)
        bones = len(bending(row))
        at = [rest.names.index(bone) for bone in row]
        ways = [normalized(moving.heads[:, b] - moving.heads[:, a]) for a, b in pairwise(at)]
        ways.append(moving.turns[:, at[-1]] @ turned[-1])
        posed[finger] = _three(np.stack(ways[:bones], axis=1) @ axes, finger)
        at_rest[finger] = _three(turned[:bones] @ rest_axes, finger)
    return posed, at_rest


def _three(directions: np.ndarray, finger: str) -> np.ndarray:
    """Angles (..., 2, 3) of a finger's bones; what has fewer than three is straight from there on."""
    both = np.stack(finger_angles(directions, finger), axis=-2)
    return np.concatenate([both, np.zeros((*both.shape[:-1], 3 - both.shape[-1]))], axis=-1)
