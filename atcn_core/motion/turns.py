"""How far each part of the body has turned from the rig's rest pose, frame by frame, in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rotation import (
    frame_from_axes,
    matrix_to_quat,
    normalized,
    quat_between,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)
from ..skeleton import SIDES
from . import limbs
from .landmarks import BodyAxes, Landmarks
from .limits import angle_kept_rad, limited, not_bent_back
from .rolls import about_rad, roll_between_rad
from .smoothing import fading, running_weight, smoothed

__all__ = ["BodyTurns", "body_turns"]

# Belts against wild frames, well outside what joints can do (half of a forearm's twist is in the forearm itself).
HEAD_LIMIT_RAD, HAND_LIMIT_RAD, FOOT_LIMIT_RAD, CLAVICLE_LIMIT_RAD = np.deg2rad([95.0, 105.0, 90.0, 30.0])
CHEST_LIMIT_RAD = np.deg2rad(110.0)
# How much of the shoulder's movement against the chest the collar bone shows.
CLAVICLE_SHARE = 0.7
# A foot below the first height stands on the floor and does not roll with the leg; above the second it does.
FOOT_DOWN_M, FOOT_UP_M = 0.06, 0.15
# But not one that slopes more than this (sine: wholly, not at all), as in press-ups, nor one that lies on its instep:
# cosines between how its upper side looks as it is seen and as it would if it were level.
SLOPING, AS_IF_LEVEL = (0.6, 0.9), (0.0, 0.5)
# A foot of which heel and toe are below this lies flat: how its points show it then is how they lie on it.
FLAT_M = 0.08
SOLE_TILT_LIMIT_RAD = np.deg2rad(20.0)
# The ankle's height over the line of the sole, in lengths of the sole, where it begins to tell how the foot is rolled
# and where it tells all; what ankle joints can do; and what of it is faster than feet roll.
ANKLE_HEIGHT, FOOT_ROLL_LIMIT_RAD, FOOT_ROLL_CUTOFF_HZ = (0.08, 0.2), np.deg2rad(60.0), 10.0

_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class _Side:
    """What the limbs of one side need from the rest of the body."""

    body: Landmarks
    rest: Landmarks
    axes: BodyAxes
    side: str
    times_s: np.ndarray


@dataclass(frozen=True)
class BodyTurns:
    """Turns (T, 4) wxyz from rest, in world axes.

    hips, chest: the two ends of the spine.
    parts:       by role: head, clavicles and limbs; the forearm without the hand's roll.
    rolls_rad:   by role of a forearm: how far (T,) the hand has rolled about it.
    """

    hips: np.ndarray
    chest: np.ndarray
    parts: dict[str, np.ndarray]
    rolls_rad: dict[str, np.ndarray]


def body_turns(body: Landmarks, rest: Landmarks, axes: BodyAxes, times_s: np.ndarray) -> BodyTurns:
    """How far a person's parts have turned from the rig's rest pose.

    body: landmarks (T, 3) of the motion; rest: the rig's (3,); axes: the rest pose's own; times_s: (T,).
    """
    lower_spine, upper_spine = limbs.spine_directions(body)
    pelvis, chest = limbs.pelvis_frame(body, lower_spine), limbs.chest_frame(body, upper_spine)
    rest_up = rest.between("hip", "thorax")
    hips_turn = _turn(pelvis, limbs.pelvis_frame(rest, rest_up))
    chest_turn = limited(_turn(chest, limbs.chest_frame(rest, rest_up)), hips_turn, CHEST_LIMIT_RAD)
    head_turn = _faded(
        _turn(limbs.head_frame(body), limbs.head_frame(rest)),
        chest_turn,
        body.surely("left_ear", "right_ear", "nose"),
        times_s,
    )
    parts = {"head": limited(head_turn, chest_turn, HEAD_LIMIT_RAD)}
    rolls_rad = {}
    for side in SIDES:
        one = _Side(body, rest, axes, side, times_s)
        arm, rolls_rad[f"{side}_forearm"] = _arm_turns(one, chest)
        parts |= arm | _leg_turns(one, pelvis) | {f"{side}_shoulder": _clavicle_turn(body, side, chest, chest_turn)}
    return BodyTurns(hips_turn, chest_turn, parts, rolls_rad)


def _turn(frame: np.ndarray, rest_frame: np.ndarray) -> np.ndarray:
    return matrix_to_quat(frame @ rest_frame.T)


def _faded(turn: np.ndarray, without: np.ndarray, trust: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """`turn` where it is trusted, `without` where it is not, changing slowly between the two."""
    return quat_slerp(without, turn, running_weight(trust, times_s))


def _clavicle_turn(body: Landmarks, side: str, chest: np.ndarray, chest_turn: np.ndarray) -> np.ndarray:
    """The chest's turn, and a share of how far the shoulder has left its usual place on the chest."""
    in_chest = np.einsum("tji,tj->ti", chest, body.between("thorax", f"{side}_shoulder"))
    usual = normalized(np.median(in_chest, axis=0))
    swing = quat_between(chest @ usual, body.between("thorax", f"{side}_shoulder"))
    still = np.broadcast_to([1.0, 0.0, 0.0, 0.0], swing.shape)
    share = limited(quat_slerp(still, swing, CLAVICLE_SHARE), still, CLAVICLE_LIMIT_RAD)
    return quat_multiply(share, chest_turn)


def _hinged_turns(
    one: _Side, joints: tuple[str, str, str], hinge: np.ndarray, rest_hinge: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turns (T, 4) of a limb's two segments, and where the second one points (T, 3): never bent back."""
    start, middle, end = joints
    upper = one.body.between(start, middle)
    lower = not_bent_back(upper, one.body.between(middle, end), hinge)
    upper_turn, lower_turn = (
        _turn(frame_from_axes(segment, hinge), frame_from_axes(one.rest.between(*bone), rest_hinge))
        for segment, bone in ((upper, (start, middle)), (lower, (middle, end)))
    )
    return upper_turn, lower_turn, lower


def _arm_turns(one: _Side, chest: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Turns by role, and the hand's roll (T,) against the forearm."""
    body, rest, side = one.body, one.rest, one.side
    hinge = limbs.arm_hinge(body, side, chest, one.times_s)
    rest_hinge = limbs.rest_arm_hinge(rest, side, one.axes)
    joints = (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    upper_turn, lower_turn, forearm = _hinged_turns(one, joints, hinge, rest_hinge)
    hand_turn = _turn(limbs.hand_frame(body, side), limbs.hand_frame(rest, side))
    known = body.surely(f"{side}_wrist", f"{side}_index", f"{side}_pinky")
    hand_turn = _faded(hand_turn, lower_turn, known, one.times_s)
    roll_rad = roll_between_rad(lower_turn, hand_turn, forearm)
    half_rolled = quat_multiply(about_rad(forearm, 0.5 * roll_rad), lower_turn)
    turns = {
        f"{side}_upper_arm": upper_turn,
        f"{side}_forearm": lower_turn,
        f"{side}_hand": limited(hand_turn, half_rolled, HAND_LIMIT_RAD),
    }
    return turns, roll_rad


def _leg_turns(one: _Side, pelvis: np.ndarray) -> dict[str, np.ndarray]:
    body, rest, side, axes = one.body, one.rest, one.side, one.axes
    sole, known = _sole(body, side), body.surely(f"{side}_heel", f"{side}_toe", f"{side}_ankle")
    hinge = limbs.leg_hinge(body, side, pelvis, sole, known, one.times_s)
    rest_hinge = limbs.rest_leg_hinge(rest, side, axes)
    joints = (f"{side}_hip", f"{side}_knee", f"{side}_ankle")
    thigh_turn, shin_turn, _ = _hinged_turns(one, joints, hinge, rest_hinge)
    rest_sole = rest.between(f"{side}_heel", f"{side}_toe")
    # All have the sole where it is; they differ in how it rolls: with the leg, as the ankle lies over it, or level.
    with_leg = _turn(frame_from_axes(sole, hinge), frame_from_axes(rest_sole, rest_hinge))
    level_rest = frame_from_axes(rest_sole, np.cross(axes.up, rest_sole))
    level_turn = _turn(frame_from_axes(sole, np.cross(_UP, sole)), level_rest)
    over_sole, shown = _ankle_over_sole(body, side, sole)
    by_ankle = _turn(frame_from_axes(sole, np.cross(over_sole, sole)), level_rest)
    roll_rad = _foot_roll_rad(one, sole, with_leg, by_ankle, level_turn, shown * known)
    lifted_turn = quat_multiply(about_rad(sole, roll_rad), with_leg)
    lies = fading(_foot_height_m(body, side), FOOT_UP_M, FOOT_DOWN_M) * fading(np.abs(sole[:, 2]), *SLOPING[::-1])
    alike = np.sum(quat_rotate(lifted_turn, axes.up) * quat_rotate(level_turn, axes.up), axis=-1)
    foot_turn = quat_slerp(lifted_turn, level_turn, lies * fading(alike, *AS_IF_LEVEL))
    foot_turn = limited(_faded(foot_turn, shin_turn, known, one.times_s), shin_turn, FOOT_LIMIT_RAD)
    return {
        f"{side}_thigh": thigh_turn,
        f"{side}_shin": shin_turn,
        f"{side}_foot": foot_turn,
        f"{side}_toe": foot_turn,
    }


def _ankle_over_sole(body: Landmarks, side: str, sole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way (T, 3) from the line of the sole to the ankle, and how far it tells the foot's roll (T,), 0..1."""
    heel, ankle = body[f"{side}_heel"], body[f"{side}_ankle"]
    way = ankle - heel - np.sum((ankle - heel) * sole, axis=-1, keepdims=True) * sole
    length_m = np.linalg.norm(body[f"{side}_toe"] - heel, axis=-1)
    return way, fading(np.linalg.norm(way, axis=-1) / np.maximum(length_m, 1e-9), *ANKLE_HEIGHT)


def _foot_roll_rad(
    one: _Side, sole: np.ndarray, with_leg: np.ndarray, by_ankle: np.ndarray, level: np.ndarray, trust: np.ndarray
) -> np.ndarray:
    """How far (T,) the foot is rolled about its sole against the leg, as the ankle shows it, without its jitter.

    The points of a foot are not those of the rig's: what roll they show while the foot stands is none.
    """
    roll_rad = roll_between_rad(with_leg, by_ankle, sole)
    highest_m = np.maximum(one.body[f"{one.side}_heel"][:, 2], one.body[f"{one.side}_toe"][:, 2])
    standing = (highest_m < FLAT_M) & (trust > 0.5)
    if standing.sum() >= 5:
        usual_rad = float(np.median(roll_between_rad(level, by_ankle, sole)[standing]))
        roll_rad = roll_rad - np.clip(usual_rad, -SOLE_TILT_LIMIT_RAD, SOLE_TILT_LIMIT_RAD)
    kept_rad = np.sign(roll_rad) * angle_kept_rad(np.abs(roll_rad), FOOT_ROLL_LIMIT_RAD)
    return running_weight(trust, one.times_s) * smoothed(kept_rad, one.times_s, FOOT_ROLL_CUTOFF_HZ, trust)


def _foot_height_m(body: Landmarks, side: str) -> np.ndarray:
    return np.minimum(body[f"{side}_heel"][:, 2], body[f"{side}_toe"][:, 2])


def _sole(body: Landmarks, side: str) -> np.ndarray:
    """Unit direction (T, 3) of the sole, level while the foot stands.

    Heel and toe points differ in their height above the sole; how much, the frames in which the foot is down tell.
    """
    sole = body.between(f"{side}_heel", f"{side}_toe")
    highest_m = np.maximum(body[f"{side}_heel"][:, 2], body[f"{side}_toe"][:, 2])
    standing = highest_m < FLAT_M
    if standing.sum() < 5:
        return sole
    tilt_rad = float(np.median(np.arcsin(np.clip(sole[standing, 2], -1.0, 1.0))))
    tilt_rad = float(np.clip(tilt_rad, -SOLE_TILT_LIMIT_RAD, SOLE_TILT_LIMIT_RAD))
    axis = normalized(np.cross(_UP, sole))
    turn = np.concatenate([np.full((len(sole), 1), np.cos(tilt_rad / 2)), np.sin(tilt_rad / 2) * axis], axis=1)
    return normalized(quat_rotate(turn, sole))
