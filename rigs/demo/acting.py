"""The demo's motion: walking in, a turn, a wave, a squat, as turns of the body's parts over time. No Blender here.

A part's turn is a rotation (3, 3) from its rest orientation, in armature axes (z up, rest facing -y). The feet are
placed first and the legs follow by inverse kinematics, so planted feet cannot slide.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from atcn_core.rotation import frame_from_axes

__all__ = ["DURATION_S", "Pose", "act"]

DURATION_S = 5.6

Joints = dict[str, np.ndarray]
_FORWARD = np.array([0.0, -1.0, 0.0])
# Feet: (side, lift off, touch down, place x, y of the ball, heading in degrees); before the first lift the foot stands
# at its first place. Heading 0 looks at the camera (-y), positive turns to the person's left (+x).
_FIRST = {"left": (-0.86, 0.92, 52.0), "right": (-1.17, 1.10, 52.0)}
_STEPS = (
    ("right", 0.10, 0.52, -0.50, 0.36, 50.0),
    ("left", 0.60, 1.02, -0.06, 0.19, 46.0),
    ("right", 1.10, 1.52, 0.01, -0.22, 24.0),
    ("left", 1.62, 2.00, 0.23, -0.16, 12.0),
    ("right", 2.05, 2.40, -0.07, -0.18, -4.0),
)
_SQUAT_KEYS = ((3.95, 0.0), (4.6, 1.0), (4.75, 1.0), (5.4, 0.0))


@dataclass(frozen=True)
class Pose:
    """One moment. hips_m: (3,) place of the hips' head. turns: role -> (3, 3) from rest, armature axes."""

    hips_m: np.ndarray
    turns: dict[str, np.ndarray]


def _about(axis: int, angle_deg: float) -> np.ndarray:
    angle = np.deg2rad(angle_deg)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[b, a], turn[a, b] = np.sin(angle), -np.sin(angle)
    return turn


def _rx(angle_deg: float) -> np.ndarray:
    return _about(0, angle_deg)


def _ry(angle_deg: float) -> np.ndarray:
    return _about(1, angle_deg)


def _rz(angle_deg: float) -> np.ndarray:
    return _about(2, angle_deg)


def _ease(time_s: float, start_s: float, end_s: float) -> float:
    """0 before start, 1 after end, smooth (minimum jerk) between."""
    share = float(np.clip((time_s - start_s) / (end_s - start_s), 0.0, 1.0))
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


def _keys(time_s: float, *keys: tuple[float, float]) -> float:
    """A value that rests at each (time, value) key and eases from one to the next."""
    value = keys[0][1]
    for (start_s, before), (end_s, after) in pairwise(keys):
        value += (after - before) * _ease(time_s, start_s, end_s)
    return value


def _foot(time_s: float, side: str) -> tuple[np.ndarray, float, float, float]:
    """Where a foot is: place of the ball on the floor (3,), heading deg, heel lift deg, toe lift deg."""
    x, y, heading = _FIRST[side]
    place, lift_deg, toe_deg = np.array([x, y, 0.0]), 0.0, 0.0
    for who, off_s, down_s, x, y, to_heading in _STEPS:
        if who != side or time_s < off_s - 0.22:
            continue
        lift_deg = 40.0 * _ease(time_s, off_s - 0.22, off_s) * (1.0 - _ease(time_s, off_s, down_s - 0.08))
        toe_deg = 16.0 * _ease(time_s, off_s + 0.12, down_s - 0.04) * (1.0 - _ease(time_s, down_s, down_s + 0.12))
        share = _ease(time_s, off_s, down_s)
        height = 0.07 * np.sin(np.pi * np.clip((time_s - off_s) / (down_s - off_s), 0.0, 1.0)) ** 2
        place = place + share * (np.array([x, y, 0.0]) - place)
        place[2] = height
        heading = heading + share * (to_heading - heading)
    return place, heading, lift_deg, toe_deg


def _foot_turn_and_ankle(time_s: float, side: str, joints: Joints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The foot's turn, the toe's turn and the ankle's place. The heel lifts about the ball, the toes about the heel."""
    place, heading, lift_deg, toe_deg = _foot(time_s, side)
    ball, heel = joints[f"{side}_ball"] * [1, 1, 0], joints[f"{side}_heel"] * [1, 1, 0]
    flat = _rz(heading)
    turn = flat @ _rx(lift_deg - toe_deg)
    ankle = joints[f"{side}_ankle"]
    lifted = place + flat @ _rx(lift_deg) @ (ankle - ball)
    tipped = place + flat @ (heel - ball) + flat @ _rx(-toe_deg) @ (ankle - heel)
    plain = place + flat @ (ankle - ball)
    return turn, flat @ _rx(-toe_deg), lifted + tipped - plain


def _leg(hip: np.ndarray, ankle: np.ndarray, heading: np.ndarray, side: str, joints: Joints) -> dict[str, np.ndarray]:
    """Turns of thigh and shin so that the ankle is reached, the knee pointing along `heading`."""
    rest = [joints[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
    thigh_m, shin_m = np.linalg.norm(rest[1] - rest[0]), np.linalg.norm(rest[2] - rest[1])
    reach = ankle - hip
    reach_m = min(float(np.linalg.norm(reach)), 0.9995 * (thigh_m + shin_m))
    along = reach / np.linalg.norm(reach)
    ahead = heading - (heading @ along) * along
    ahead = ahead / np.linalg.norm(ahead)
    cosine = (thigh_m**2 + reach_m**2 - shin_m**2) / (2 * thigh_m * reach_m)
    knee = hip + thigh_m * (cosine * along + np.sqrt(max(1.0 - cosine**2, 0.0)) * ahead)
    turns = {}
    for role, start, end, rest_start, rest_end in (
        ("thigh", hip, knee, rest[0], rest[1]),
        ("shin", knee, ankle, rest[1], rest[2]),
    ):
        before = frame_from_axes(rest_end - rest_start, _FORWARD)
        turns[f"{side}_{role}"] = frame_from_axes(end - start, ahead) @ before.T
    return turns


def _walk_phase(time_s: float) -> tuple[float, float]:
    """(swing, amount): -1..1 is the right leg behind .. ahead, amount fades out when she has arrived."""
    return float(-np.cos(np.pi * (time_s + 0.19) / 0.5)), 1.0 - _ease(time_s, 1.55, 2.1)


def _trunk(time_s: float) -> dict[str, np.ndarray]:
    swing, amount = _walk_phase(time_s)
    heading = _keys(time_s, (0.5, 52.0), (1.9, 12.0), (2.5, 2.0))
    squat = _keys(time_s, *_SQUAT_KEYS)
    lean = _keys(time_s, (2.7, 0.0), (3.0, 8.0), (3.4, -7.0), (3.8, 0.0))
    hips = _rz(heading + 6.0 * amount * swing) @ _rx(3.0 + 24.0 * squat) @ _ry(2.0 * amount * swing + 0.3 * lean)
    bend = _rx(0.5 + 5.0 * squat) @ _ry(0.35 * lean) @ _rz(-4.0 * amount * swing)
    spine = hips @ bend
    chest = spine @ bend
    upper_chest = chest @ bend
    look = _keys(time_s, (0.3, 12.0), (1.2, -30.0), (2.2, -4.0), (2.7, 0.0))
    neck = upper_chest @ _rx(-9.0 * squat) @ _rz(0.5 * look)
    head = neck @ _rx(-12.0 * squat) @ _rz(0.5 * look) @ _ry(-0.4 * lean)
    return {"hips": hips, "spine": spine, "chest": chest, "upper_chest": upper_chest, "neck": neck, "head": head}


def _arm(time_s: float, side: str, upper_chest: np.ndarray) -> dict[str, np.ndarray]:
    """Raised sideways for the wave, held forward in the squat, swinging in the walk."""
    sign = 1.0 if side == "left" else -1.0
    swing, amount = _walk_phase(time_s)
    up = _keys(time_s, (2.2, 0.0), (2.85, 1.0), (3.5, 1.0), (4.15, 0.0))
    ahead = _keys(time_s, (3.95, 0.0), (4.6, 1.0), (4.75, 1.0), (5.45, 0.0))
    waving = up * np.sin(2.0 * np.pi * 1.5 * (time_s - 2.6))
    down_deg = 76.0 + 6.0 * ahead - up * (76.0 + (58.0 if side == "right" else 40.0))
    forward_deg = sign * 24.0 * amount * swing + 4.0 + 116.0 * ahead
    flex_deg = 16.0 + sign * 10.0 * amount * swing + up * (30.0 + 22.0 * waving * (side == "right")) - 6.0 * ahead
    # At rest (T-pose) the elbow flexes forward; with the arm raised the twist turns that inwards, palms ahead.
    twist_deg = up * -75.0
    shrug = _ry(-sign * 14.0 * up)
    shoulder = upper_chest @ shrug
    upper_arm = upper_chest @ _rx(-forward_deg) @ _ry(sign * down_deg) @ _rx(twist_deg)
    forearm = upper_arm @ _rz(-sign * flex_deg)
    hand = forearm @ _rz(-sign * (4.0 + 10.0 * waving * (side == "right"))) @ _ry(sign * 4.0)
    names = ("shoulder", "upper_arm", "forearm", "hand")
    turns = dict(zip((f"{side}_{n}" for n in names), (shoulder, upper_arm, forearm, hand), strict=True))
    for finger in ("index", "middle", "ring", "pinky"):
        turns |= {f"{side}_{finger}_{n}": hand @ _ry(sign * (8.0 + 6.0 * n)) for n in (1, 2, 3)}
    return turns


def _hips_place(time_s: float, joints: Joints) -> np.ndarray:
    """The hips over the feet, as high as both legs can reach less a little spring, lower in the squat.

    Averaged over a fifth of a second, because the bare reach has a corner at each step.
    """
    near = [_reachable_place(time_s + shift_s, joints) for shift_s in np.linspace(-0.1, 0.1, 9)]
    return np.mean(near, axis=0) - [0.0, 0.0, 0.006]


def _reachable_place(time_s: float, joints: Joints) -> np.ndarray:
    squat = _keys(time_s, *_SQUAT_KEYS)
    turn = _trunk(time_s)["hips"]
    middle = 0.5 * (_smooth_place(time_s, "left") + _smooth_place(time_s, "right"))
    back = turn @ np.array([0.0, 0.055 + 0.17 * squat, 0.0])
    place = np.array([middle[0] + back[0], middle[1] + back[1], joints["hips"][2]])
    highest = joints["hips"][2] - 0.008
    for side in ("left", "right"):
        ankle = _foot_turn_and_ankle(time_s, side, joints)[2]
        rest = [joints[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
        reach_m = 0.985 * (np.linalg.norm(rest[1] - rest[0]) + np.linalg.norm(rest[2] - rest[1]))
        offset = turn @ (rest[0] - joints["hips"])
        level = np.linalg.norm((place + offset - ankle)[:2])
        highest = _soft_min(highest, ankle[2] + np.sqrt(max(reach_m**2 - level**2, 0.01)) - offset[2])
    place[2] = highest - 0.30 * squat
    return place


def _soft_min(first: float, second: float, width: float = 0.02) -> float:
    share = max(width - abs(first - second), 0.0) / width
    return min(first, second) - share**2 * width * 0.25


def _smooth_place(time_s: float, side: str) -> np.ndarray:
    """The foot's place on the floor averaged over half a second: what the body's weight follows."""
    return np.mean([_foot(time_s + shift_s, side)[0] for shift_s in np.linspace(-0.28, 0.28, 15)], axis=0)


def act(time_s: float, joints: Joints) -> Pose:
    """The pose at a time (0..DURATION_S) of a person with these joints at rest, who stands in T-pose."""
    turns = _trunk(time_s)
    ankles = {}
    for side in ("left", "right"):
        turns[f"{side}_foot"], turns[f"{side}_toe"], ankles[side] = _foot_turn_and_ankle(time_s, side, joints)
        turns |= _arm(time_s, side, turns["upper_chest"])
    hips_m = _hips_place(time_s, joints)
    for side in ("left", "right"):
        hip = hips_m + turns["hips"] @ (joints[f"{side}_hip"] - joints["hips"])
        outward = _rz(8.0 if side == "left" else -8.0)
        ahead = outward @ _rz(_foot(time_s, side)[1]) @ _FORWARD
        turns |= _leg(hip, ankles[side], ahead, side, joints)
    return Pose(hips_m, turns)
