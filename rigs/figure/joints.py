"""Where a person's joints and landmarks lie at rest, from the measures. No shapes, no bones' names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from atcn_core.skeleton import CAPTURE

from .person import Person

__all__ = ["carried_joints", "hand_axes", "joints_of", "landmarks_of", "mirrored"]

_PHALANGES = (0.46, 0.30, 0.24)
# The fingers hang a little inwards at rest, each phalanx more than the one before.
_CURL_RAD = np.deg2rad([4.0, 12.0, 20.0])


def mirrored(joints: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The left joints and their mirrored twins: `left_x` gives `right_x` as well."""
    flip = np.array([-1.0, 1.0, 1.0])
    twins = {n.replace("left_", "right_"): p * flip for n, p in joints.items() if n.startswith("left_")}
    return joints | twins


def _arm_direction(elevation_deg: float, forward_deg: float) -> np.ndarray:
    elevation, forward = np.deg2rad(elevation_deg), np.deg2rad(forward_deg)
    level = np.array([np.cos(forward), -np.sin(forward), 0.0])
    return np.cos(elevation) * level + np.sin(elevation) * np.array([0.0, 0.0, 1.0])


def hand_axes(joints: dict[str, np.ndarray], person: Person) -> np.ndarray:
    """The left hand's axes as columns (3, 3): along the fingers, towards the thumb, out of the palm."""
    along = joints["left_wrist"] - joints["left_elbow"]
    along = along / np.linalg.norm(along)
    # The thumb points forward in T-pose; in A-pose the palm also turns in towards the thigh, as an arm hangs.
    thumb = np.array([0.0, -1.0, 0.0])
    thumb = thumb - (thumb @ along) * along
    thumb = thumb / np.linalg.norm(thumb)
    return np.stack([along, thumb, np.cross(along, thumb)], axis=1)


def _palm_out(axes: np.ndarray) -> np.ndarray:
    """+1 or -1: which way along the third axis the palm looks (down at rest)."""
    return -np.sign(axes[2, 2]) * axes[:, 2]


def _fingers(joints: dict[str, np.ndarray], person: Person) -> dict[str, np.ndarray]:
    axes = hand_axes(joints, person)
    along, thumb, palm = axes[:, 0], axes[:, 1], _palm_out(axes)
    wrist, size = joints["left_wrist"], person.hand_m
    found = {}
    for name, (forth, aside, length) in person.fingers.items():
        point = wrist + size * (forth * along + aside * thumb)
        spread = along + 0.35 * aside * thumb
        spread = spread / np.linalg.norm(spread)
        found[f"left_{name}_1"] = point
        for number, (share, curl) in enumerate(zip(_PHALANGES, _CURL_RAD, strict=True), start=2):
            point = point + size * length * share * (np.cos(curl) * spread + np.sin(curl) * palm)
            found[f"left_{name}_{number}"] = point
    thumb_points = ((0.14, 0.13, 0.05), (0.30, 0.25, 0.12), (0.43, 0.31, 0.15), (0.55, 0.345, 0.16))
    for number, (forth, aside, out) in enumerate(thumb_points, start=1):
        found[f"left_thumb_{number}"] = wrist + size * (forth * along + aside * thumb + out * palm)
    return found


def joints_of(person: Person) -> dict[str, np.ndarray]:
    """All joints at rest, by name: (3,) metres, armature axes (z up, facing -y)."""
    joints = {name: np.array([0.0, y, z]) for name, (y, z) in person.midline.items()}
    s = person.scale
    upper_deg, lower_deg, back_deg, forward_deg = person.arm_deg
    shoulder = np.array(person.shoulder)
    elbow = shoulder + person.arm.lengths_m[0] * _arm_direction(upper_deg, -back_deg)
    wrist = elbow + person.arm.lengths_m[1] * _arm_direction(lower_deg, forward_deg)
    collar = joints["neck"] + s * np.array([0.022, -0.030, -0.030])
    thigh_m, shin_m = person.leg.lengths_m
    knee_half_m, ankle_half_m = person.stance_half_m
    ankle = np.array([ankle_half_m, 0.016 * s, person.ankle_up_m])
    knee = np.array([knee_half_m, -0.016 * s, person.ankle_up_m + shin_m - 0.002 * s])
    hip = np.array([person.hip_half_m, 0.006 * s, knee[2] + thigh_m - 0.001 * s])
    back_m, front_m, half_m = person.foot
    ball = np.array([ankle_half_m + 0.008 * s, ankle[1] - 0.62 * front_m, 0.024 * s])
    joints |= {
        "left_collar": collar,
        "left_shoulder": shoulder,
        "left_elbow": elbow,
        "left_wrist": wrist,
        "left_hip": hip,
        "left_knee": knee,
        "left_ankle": ankle,
        "left_ball": ball,
        "left_tip": np.array([ball[0] + 0.004 * s, ankle[1] - front_m, 0.020 * s]),
        "left_heel": np.array([ankle_half_m, ankle[1] + back_m, 0.022 * s]),
        "left_heel_in": np.array([ankle_half_m - half_m, ankle[1] + 0.6 * back_m, 0.0]),
        "left_heel_out": np.array([ankle_half_m + half_m, ankle[1] + 0.6 * back_m, 0.0]),
    }
    joints |= _fingers(joints, person)
    return mirrored(joints)


def landmarks_of(person: Person) -> dict[str, tuple[str, np.ndarray]]:
    """The points a detector looks for, in the capture set's names: (the joint role whose bone carries it, rest place).

    Places are (3,) metres in armature axes. "hip" and "thorax" follow from the joints they lie between.
    """
    joints = joints_of(person)
    width_m, depth_m, _ = person.head.skull_radii_m
    middle, k = joints["head"] + np.array([0.0, 0.0, person.head.skull_up_m]), person.head.size
    found = {
        "hip": ("hips", 0.5 * (joints["left_hip"] + joints["right_hip"])),
        "spine": ("chest", joints["chest"]),
        "thorax": ("upper_chest", joints["neck"]),
        "head": ("head", joints["crown"]),
        "nose": ("head", middle + np.array([0.0, -depth_m - person.head.nose_m + 0.008 * k, -0.040 * k])),
        "left_ear": ("head", middle + np.array([width_m + 0.004 * k, 0.008 * k, -0.030 * k])),
        "left_shoulder": ("left_upper_arm", joints["left_shoulder"]),
        "left_elbow": ("left_forearm", joints["left_elbow"]),
        "left_wrist": ("left_hand", joints["left_wrist"]),
        "left_index": ("left_hand", joints["left_index_1"]),
        "left_pinky": ("left_hand", joints["left_pinky_1"]),
        "left_hip": ("left_thigh", joints["left_hip"]),
        "left_knee": ("left_shin", joints["left_knee"]),
        "left_ankle": ("left_foot", joints["left_ankle"]),
        "left_heel": ("left_foot", joints["left_heel"]),
        "left_toe": ("left_toe", joints["left_tip"]),
    }
    flip = np.array([-1.0, 1.0, 1.0])
    twins = {
        name.replace("left_", "right_"): (role.replace("left_", "right_"), point * flip)
        for name, (role, point) in found.items()
        if name.startswith("left_")
    }
    return found | twins


def carried_joints(person: Person, bone_of_role: Mapping[str, str]) -> list[tuple[str, np.ndarray]]:
    """The capture set's joints in its order: the bone that carries each, and its place (3,) at rest, armature axes."""
    landmarks = landmarks_of(person)
    return [(bone_of_role[role], place_m) for role, place_m in (landmarks[joint] for joint in CAPTURE.joints)]
