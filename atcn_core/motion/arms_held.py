"""Hands that stay where they stand: arms bent anew on the rig itself, as `feet` does it with legs.

What stands is held where it stood in the middle of its time there, on the floor and flat where it nearly is. The arms
reach for it; where they are too short the trunk comes as far as it must, turned about the hips and carried by the legs,
whose feet stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..hands import HandMotion
from ..rotation import (
    frame_from_axes,
    matrix_to_quat,
    normalized,
    quat_between,
    quat_conjugate,
    quat_multiply,
    quat_rotate,
)
from ..skeleton import SIDES
from .contacts import FOOT_POINTS, stretches
from .feet import FootMode, Stand, ankles_world, legs_to, standing_points
from .held import BODY_CUTOFF_HZ, Limb, LimbPath, bent, eased, end_of, reaching, turned_by
from .landmarks import BodyAxes, Landmarks
from .limbs import rest_arm_hinge
from .rolls import about_rad, roll_between_rad
from .smoothing import fading, smoothed
from .turns import BodyTurns

__all__ = [
    "Arm",
    "HandShown",
    "Shoulders",
    "hands_flat",
    "hands_shown",
    "held_hands",
    "palms_m",
    "rest_arms",
    "standing_hands",
]

# How thick a hand is at the wrist and at the knuckles, and what stands so near the floor stands on it: shares of an
# arm's length.
WRIST_HEIGHT, KNUCKLE_HEIGHT, FLOOR_WITHIN = 0.08, 0.04, 0.6
# How far from where it stood a hand is held there wholly, and from where on not at all, in arm's lengths.
STANDS, SLIDES = 0.5, 0.9
# How high over the floor an elbow is at least, in arm's lengths, and how quickly it is brought there.
ELBOW_HEIGHT, ELBOW_CUTOFF_HZ = 0.08, 4.0
# How high the knuckles of a hand on the floor are, and from where on its fingers are free of it, in arm's lengths; and
# how far down (cosine) its palm then faces.
ON_FLOOR, PALM_DOWN = (0.06, 0.18), (0.5, 0.8)
# A palm that is tilted less than this lies on the floor, and fingers that are stand neither on it nor up from it.
FLAT_RAD = np.deg2rad(50.0)
# A hand that was seen less than this shows nothing of how it stands.
SEEN = 0.5
# Fingers that are bent by this much in all make a fist.
FIST_RAD = np.deg2rad(150.0)
# The trunk follows hands that are out of reach by at most these shares of an arm's length, first slowly and then by
# what that left; half of it with the hips.
FOLLOW_AT_MOST, HIPS_SHARE = (0.4, 0.05), 0.5
_UP = np.array([0.0, 0.0, 1.0])
_BONES = ("upper_arm", "forearm", "hand")

# Where the arms begin (T, 3), by side, of a body so turned whose hips are there (T, 3).
Shoulders = Callable[[BodyTurns, np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Arm(Limb):
    """A rig's arm at rest, shoulder, elbow and wrist, the middle of its knuckles, and where its palm faces (unit)."""

    knuckles: np.ndarray
    palm: np.ndarray


@dataclass(frozen=True)
class HandShown:
    """What is known of a hand (T,): how well its turn was seen, 0..1, and whether it was seen to be a fist."""

    seen: np.ndarray
    fist: np.ndarray


def rest_arms(heads: Mapping[str, np.ndarray], resting: Landmarks, axes: BodyAxes) -> dict[str, Arm]:
    """The arms of a rig at rest. heads: bone heads (3,) by role, in the world; resting: the rig's landmarks."""
    arms = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        start, middle, end = (heads[f"{side}_{bone}"] for bone in _BONES)
        index, pinky = resting[f"{side}_index"], resting[f"{side}_pinky"]
        ahead = 0.5 * (index + pinky) - end
        if not heads.keys() >= {f"{side}_index_knuckle", f"{side}_pinky_knuckle"}:
            # The landmarks then tell where the knuckles lie, and not how far.
            ahead = normalized(ahead) * 0.35 * np.linalg.norm(end - middle)
        pole = normalized(np.cross(middle - start, rest_arm_hinge(resting, side, axes)))
        arms[side] = Arm(start, middle, end, pole, end + ahead, sign * normalized(np.cross(pinky - index, ahead)))
    return arms


def hands_shown(body: Landmarks, fingers: HandMotion | None) -> dict[str, HandShown]:
    """What a motion's landmarks and fingers show of its hands, by side."""
    shown = {}
    for i, side in enumerate(SIDES):
        seen = body.surely(*(f"{side}_{joint}" for joint in ("wrist", "index", "pinky")))
        fist = np.zeros(len(seen), dtype=bool)
        if fingers is not None:
            fist = (fingers.bent_rad[:, i, 1:].sum(axis=2).mean(axis=1) > FIST_RAD) & (fingers.score[:, i] > SEEN)
        shown[side] = HandShown(seen, fist)
    return shown


def standing_hands(chance: np.ndarray, times_s: np.ndarray, mode: FootMode) -> dict[str, np.ndarray]:
    """When each hand stands, (T,) bool by side. chance: (T, 6), as of contacts.CONTACT_POINTS."""
    flags = standing_points(chance[:, len(FOOT_POINTS) :], times_s, mode)
    return {side: flags[:, i] for i, side in enumerate(SIDES)}


def held_hands(
    turned: BodyTurns,
    hips_world: np.ndarray,
    stand: Stand,
    arms: Mapping[str, Arm],
    shoulders: Shoulders,
    standing: Mapping[str, np.ndarray],
    shown: Mapping[str, HandShown],
    times_s: np.ndarray,
    *,
    still: bool = True,
) -> tuple[BodyTurns, np.ndarray]:
    """The body's turns and the way (T, 3) of the hips bone's head with which hands that stand stay in place.

    hips_world: (T, 3) as it was; standing: by side (T,). still: False only keeps the hands above the floor.
    """
    at, before = shoulders(turned, hips_world), turned
    wrists = {side: end_of(at[side], arm, _path(turned, side)) for side, arm in arms.items()}
    if still:
        hands = {side: _settled(turned, side, arm, standing[side], shown[side], times_s) for side, arm in arms.items()}
        turned = replace(turned, parts=turned.parts | {f"{side}_hand": turn for side, turn in hands.items()})
        needed = {
            side: _needed_shift(wrists[side], hands[side], arm, standing[side], stand.floor_m)
            for side, arm in arms.items()
        }
        wanted = {side: wrists[side] + eased(needed[side], standing[side], times_s) for side in arms}
        for share, steady in zip(FOLLOW_AT_MOST, (True, False), strict=True):
            most_m = share * float(np.mean([arm.length_m for arm in arms.values()]))
            turned, hips_world = _followed(turned, hips_world, stand, arms, at, wanted, most_m, times_s, steady=steady)
            at = shoulders(turned, hips_world)
    else:
        wanted = {
            side: _above(wrists[side], turned.parts[f"{side}_hand"], arm, stand.floor_m) for side, arm in arms.items()
        }
    return _rolled_as(before, _arms_to(turned, arms, at, wanted, stand.floor_m, times_s), arms), hips_world


def palms_m(turned: BodyTurns, arms: Mapping[str, Arm], shoulders: Shoulders) -> np.ndarray:
    """How high over the hips bone's head (T, 2) the floor is under hands that lie on it, left and right."""
    at = shoulders(turned, np.zeros((len(turned.hips), 3)))
    ends = [
        end_of(at[side], arms[side], _path(turned, side))[:, 2] - WRIST_HEIGHT * arms[side].length_m for side in SIDES
    ]
    return np.stack(ends, axis=1)


def hands_flat(
    turned: BodyTurns, hips_world: np.ndarray, arms: Mapping[str, Arm], shoulders: Shoulders, floor_m: float
) -> dict[str, np.ndarray]:
    """How far each hand lies on the floor, palm down (T,), 0..1, by side.

    hips_world: (T, 3) of the hips bone's head. It depends on where the hand is alone, so nothing jumps.
    """
    at, lies = shoulders(turned, hips_world), {}
    for side, arm in arms.items():
        turn = turned.parts[f"{side}_hand"]
        knuckles = end_of(at[side], arm, _path(turned, side)) + quat_rotate(turn, arm.knuckles - arm.end)
        low = fading((knuckles[:, 2] - floor_m) / arm.length_m, *ON_FLOOR[::-1])
        lies[side] = low * fading(-quat_rotate(turn, arm.palm)[:, 2], *PALM_DOWN)
    return lies


def _path(turned: BodyTurns, side: str) -> LimbPath:
    return LimbPath(*(turned.parts[f"{side}_{bone}"] for bone in _BONES))


def _settled(
    turned: BodyTurns, side: str, arm: Arm, standing: np.ndarray, shown: HandShown, times_s: np.ndarray
) -> np.ndarray:
    """The hand's turn (T, 4): where it lies on the floor, it lies flat and points one way."""
    turn = turned.parts[f"{side}_hand"]
    ahead = normalized(arm.knuckles - arm.end)
    rest = frame_from_axes(ahead, arm.palm)
    slope = (WRIST_HEIGHT - KNUCKLE_HEIGHT) * arm.length_m / np.linalg.norm(arm.knuckles - arm.end)
    # Of a hand that points straight down the trunk tells where on the floor it points.
    trunk = normalized(quat_rotate(turned.chest, _UP) * [1.0, 1.0, 0.0])
    fingers, palm = quat_rotate(turn, ahead), quat_rotate(turn, arm.palm)
    flat, lying = np.zeros(len(times_s), dtype=bool), turn.copy()
    for start, end in stretches(standing):
        part = slice(start, end)
        if not _lies(fingers[part], palm[part], HandShown(shown.seen[part], shown.fist[part])):
            continue
        heading = normalized(np.median(fingers[part] * [1.0, 1.0, 0.0] + 0.2 * trunk[part], axis=0))
        flat[part] = True
        lying[part] = matrix_to_quat(frame_from_axes(heading - min(slope, 0.4) * _UP, -_UP) @ rest.T)
    if not flat.any():
        return turn
    return turned_by(turn, quat_multiply(lying, quat_conjugate(turn)), flat, times_s)


def _lies(fingers: np.ndarray, palm: np.ndarray, shown: HandShown) -> bool:
    """Whether a hand whose fingers point and whose palm faces there (T, 3) lies flat while it stands.

    Open fingers cannot point into the floor: they are meant to lie on it. A fist may stand on its knuckles, and a hand
    lie on its side or back.
    """
    if np.median(shown.seen) <= SEEN:
        return True
    up = float(np.median(fingers[:, 2]))
    if up < -np.sin(FLAT_RAD):
        return float(np.median(shown.fist)) < 0.5
    return up < np.sin(FLAT_RAD) and float(np.median(palm[:, 2])) < -np.cos(FLAT_RAD)


def _clearance_m(turn: np.ndarray, arm: Arm) -> np.ndarray:
    """How high (T,) the wrist must be over the floor for the hand to lie or stand on it."""
    down_m = -quat_rotate(turn, arm.knuckles - arm.end)[:, 2]
    return np.maximum(WRIST_HEIGHT * arm.length_m, down_m + KNUCKLE_HEIGHT * arm.length_m)


def _needed_shift(wrists: np.ndarray, turn: np.ndarray, arm: Arm, standing: np.ndarray, floor_m: float) -> np.ndarray:
    """How far the wrist (T, 3) must go so that the hand stays where it stands; 0 where it does not."""
    needed = np.zeros_like(wrists)
    clear_m = _clearance_m(turn, arm)
    for start, end in stretches(standing):
        place = np.median(wrists[start:end], axis=0)
        height_m = float(np.median(clear_m[start:end]))
        if place[2] - height_m - floor_m < FLOOR_WITHIN * arm.length_m:
            place[2] = floor_m + height_m
        needed[start:end] = place - wrists[start:end]
    # What goes so far was not standing: it slid.
    far_m = np.linalg.norm(needed[:, :2], axis=1, keepdims=True)
    needed[:, :2] *= fading(far_m, SLIDES * arm.length_m, STANDS * arm.length_m)
    return needed


def _above(wrists: np.ndarray, turn: np.ndarray, arm: Arm, floor_m: float) -> np.ndarray:
    """The wrists (T, 3), lifted as far as the hands would be below the floor."""
    down_m = np.maximum(-quat_rotate(turn, arm.knuckles - arm.end)[:, 2], 0.0) + KNUCKLE_HEIGHT * arm.length_m
    return wrists + np.maximum(floor_m + down_m - wrists[:, 2], 0.0)[:, None] * _UP


def _followed(
    turned: BodyTurns,
    hips_world: np.ndarray,
    stand: Stand,
    arms: Mapping[str, Arm],
    at: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    most_m: float,
    times_s: np.ndarray,
    *,
    steady: bool,
) -> tuple[BodyTurns, np.ndarray]:
    """The body brought to where both arms reach, or as near as `most_m` allows; `steady`: and as it gets there slowly.

    The feet stay, the hips go a part of the way and the trunk the rest. at: where the arms begin (T, 3), by side.
    """
    way = reaching(at, wanted, arms, {side: _path(turned, side) for side in arms}, times_s)
    if steady:
        way = smoothed(way, times_s, BODY_CUTOFF_HZ)
    far_m = np.linalg.norm(way, axis=1, keepdims=True)
    if not far_m.any():
        return turned, hips_world
    way = way * (np.minimum(far_m, most_m) / np.maximum(far_m, 1e-9))
    ankles = ankles_world(turned, hips_world, stand)
    neck = 0.5 * (at["left"] + at["right"])
    trunk = normalized(neck - hips_world)
    # What lies along the trunk no turn of it can do.
    along = np.sum(way * trunk, axis=1, keepdims=True) * trunk
    turned, moved = legs_to(turned, hips_world + along + HIPS_SHARE * (way - along), stand, ankles, times_s)
    swing = quat_between(normalized(neck - hips_world), normalized(neck + way - moved))
    turned = _swung(turned, swing)
    return legs_to(turned, moved, stand, ankles, times_s)


def _swung(turned: BodyTurns, swing: np.ndarray) -> BodyTurns:
    """The trunk with its arms turned about the hips; the legs and the head keep their own turns."""
    carried = [f"{side}_{bone}" for side in SIDES for bone in ("shoulder", "upper_arm", "forearm")]
    parts = turned.parts | {role: quat_multiply(swing, turned.parts[role]) for role in carried}
    return replace(
        turned, hips=quat_multiply(swing, turned.hips), chest=quat_multiply(swing, turned.chest), parts=parts
    )


def _arms_to(
    turned: BodyTurns,
    arms: Mapping[str, Arm],
    at: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    floor_m: float,
    times_s: np.ndarray,
) -> BodyTurns:
    """The body with its arms so bent that the wrists are there (T, 3), or as near as they can be."""
    parts = dict(turned.parts)
    for side, arm in arms.items():
        path = bent(at[side], wanted[side], arm, _path(turned, side))
        path = _elbow_above(at[side], arm, path, floor_m + ELBOW_HEIGHT * arm.length_m, times_s)
        parts |= {f"{side}_upper_arm": path.upper, f"{side}_forearm": path.lower}
    return replace(turned, parts=parts)


def _elbow_above(shoulder: np.ndarray, arm: Arm, path: LimbPath, least_m: float, times_s: np.ndarray) -> LimbPath:
    """The arm turned about the line from shoulder to wrist by the least with which its elbow is so high, or as high as
    it can be: a rig's longer arms would have it in the floor."""
    elbow = quat_rotate(path.upper, arm.middle - arm.start)
    axis = normalized(end_of(np.zeros_like(elbow), arm, path))
    along = np.sum(elbow * axis, axis=1, keepdims=True) * axis
    aside = elbow - along
    across = np.cross(axis, aside)
    # Turned by an angle t the elbow is at  middle + rise cos(t - top).
    middle_m, rise_m = (shoulder + along)[:, 2], np.hypot(aside[:, 2], across[:, 2])
    top_rad = np.arctan2(across[:, 2], aside[:, 2])
    from_top_rad = np.arccos(np.clip((least_m - middle_m) / np.maximum(rise_m, 1e-9), -1.0, 1.0))
    # An elbow right under that line could go up on either side: there it fades out, so that it never jumps across.
    way_rad = np.maximum(np.abs(top_rad) - from_top_rad, 0.0) * fading(np.abs(top_rad), np.pi, np.deg2rad(130.0))
    turn_rad = np.sign(top_rad) * way_rad
    turn = about_rad(axis, smoothed(turn_rad, times_s, ELBOW_CUTOFF_HZ))
    return LimbPath(quat_multiply(turn, path.upper), quat_multiply(turn, path.lower), path.end)


def _rolled_as(before: BodyTurns, turned: BodyTurns, arms: Mapping[str, Arm]) -> BodyTurns:
    """The forearms' rolls so much further as the hands are now rolled about them."""
    rolls_rad = {
        f"{side}_forearm": before.rolls_rad[f"{side}_forearm"]
        + _roll_rad(arm, _path(turned, side))
        - _roll_rad(arm, _path(before, side))
        for side, arm in arms.items()
    }
    return replace(turned, rolls_rad=turned.rolls_rad | rolls_rad)


def _roll_rad(arm: Arm, path: LimbPath) -> np.ndarray:
    """How far (T,) the hand is rolled about the forearm."""
    return roll_between_rad(path.lower, path.end, quat_rotate(path.lower, normalized(arm.end - arm.middle)))
