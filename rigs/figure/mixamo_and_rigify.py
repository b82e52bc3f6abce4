"""The bones of Mixamo and of Rigify's human metarig from a person's joints, with those rigs' own rolls."""

from __future__ import annotations

import numpy as np

from .bone import Bone, Joints, mirrored_bone
from .joints import hand_axes
from .person import Person

__all__ = ["mixamo", "rigify"]

# Mixamo: (name, parent, from joint, to joint, roll in degrees, role). "Left" rows stand for both sides.
_MIXAMO_MIDLINE = (
    ("Hips", None, "hips", "spine", 0.0, "hips"),
    ("Spine", "Hips", "spine", "chest", 0.0, "spine"),
    ("Spine1", "Spine", "chest", "upper_chest", 0.0, "chest"),
    ("Spine2", "Spine1", "upper_chest", "neck", 0.0, "upper_chest"),
    ("Neck", "Spine2", "neck", "head", 0.0, "neck"),
    ("Head", "Neck", "head", "crown", 0.0, "head"),
)
_MIXAMO_SIDE = (
    ("LeftShoulder", "Spine2", "collar", "shoulder", -167.7, "shoulder"),
    ("LeftArm", "LeftShoulder", "shoulder", "elbow", 178.6, "upper_arm"),
    ("LeftForeArm", "LeftArm", "elbow", "wrist", 178.2, "forearm"),
    ("LeftHand", "LeftForeArm", "wrist", "middle_1", -171.1, "hand"),
    ("LeftUpLeg", "Hips", "hip", "knee", 179.0, "thigh"),
    ("LeftLeg", "LeftUpLeg", "knee", "ankle", -178.2, "shin"),
    ("LeftFoot", "LeftLeg", "ankle", "ball", -150.7, "foot"),
    ("LeftToeBase", "LeftFoot", "ball", "tip", -19.1, "toe"),
)
_MIXAMO_FINGER_ROLLS = {"thumb": (-98.1, -138.9, -143.5), "": (180.0, 180.0, 180.0)}

_RIGIFY_MIDLINE = (
    ("spine", None, "hips", "spine", 0.0, "hips"),
    ("spine.001", "spine", "spine", "chest", 0.0, "spine"),
    ("spine.002", "spine.001", "chest", "upper_chest", 0.0, "chest"),
    ("spine.003", "spine.002", "upper_chest", "neck", 0.0, "upper_chest"),
    ("spine.004", "spine.003", "neck", "neck_mid", 0.0, "neck"),
    ("spine.005", "spine.004", "neck_mid", "head", 0.0, "neck_mid"),
    ("spine.006", "spine.005", "head", "crown", 0.0, "head"),
)
_RIGIFY_SIDE = (
    ("shoulder.L", "spine.003", "collar", "shoulder", 0.0, "shoulder"),
    ("upper_arm.L", "shoulder.L", "shoulder", "elbow", 118.7, "upper_arm"),
    ("forearm.L", "upper_arm.L", "elbow", "wrist", 123.4, "forearm"),
    ("hand.L", "forearm.L", "wrist", "middle_1", 126.6, "hand"),
    ("thigh.L", "spine", "hip", "knee", 0.0, "thigh"),
    ("shin.L", "thigh.L", "knee", "ankle", 0.0, "shin"),
    ("foot.L", "shin.L", "ankle", "ball", 0.0, "foot"),
    ("toe.L", "foot.L", "ball", "tip", 0.0, "toe"),
    ("heel.02.L", "foot.L", "heel_in", "heel_out", 0.0, None),
)
_RIGIFY_FINGER_ROLLS = {
    "thumb": (-9.1, -27.5, -33.4),
    "index": (-116.4, -107.7, -96.0),
    "middle": (-115.0, -104.8, -100.2),
    "ring": (-115.1, -108.6, -95.0),
    "pinky": (-113.2, -109.2, -101.1),
}
_RIGIFY_PALM_ROLLS = {"index": -142.8, "middle": -144.8, "ring": -148.1, "pinky": -144.1}


def _midline(table: tuple, joints: Joints, prefix: str) -> list[Bone]:
    return [
        Bone(prefix + name, parent and prefix + parent, joints[start], joints[end], roll, role)
        for name, parent, start, end, roll, role in table
    ]


def _side(table: tuple, joints: Joints, prefix: str) -> list[Bone]:
    return [
        Bone(prefix + name, prefix + parent, joints[f"left_{a}"], joints[f"left_{b}"], roll, role and f"left_{role}")
        for name, parent, a, b, roll, role in table
    ]


def _end(name: str, parent: Bone) -> Bone:
    """A leaf bone as FBX imports invent it: half as long as its parent, in its direction."""
    reach = 0.5 * (parent.tail_m - parent.head_m)
    return Bone(name, parent.name, parent.tail_m, parent.tail_m + reach, parent.roll_deg)


def mixamo(person: Person, joints: Joints) -> list[Bone]:
    """Mixamo's 65 bones."""
    prefix = "mixamorig:"
    middle, left = _midline(_MIXAMO_MIDLINE, joints, prefix), _side(_MIXAMO_SIDE, joints, prefix)
    middle.append(_end(prefix + "HeadTop_End", middle[-1]))
    left.append(_end(prefix + "LeftToe_End", left[-1]))
    for finger in ("thumb", *person.fingers):
        rolls = _MIXAMO_FINGER_ROLLS.get(finger, _MIXAMO_FINGER_ROLLS[""])
        parent = prefix + "LeftHand"
        for n in (1, 2, 3):
            name = f"{prefix}LeftHand{finger.capitalize()}{n}"
            ends = joints[f"left_{finger}_{n}"], joints[f"left_{finger}_{n + 1}"]
            left.append(Bone(name, parent, *ends, rolls[n - 1], f"left_{finger}_{n}"))
            parent = name
        left.append(_end(f"{prefix}LeftHand{finger.capitalize()}4", left[-1]))
    return middle + left + [mirrored_bone(bone, "Left", "Right") for bone in left]


def rigify(person: Person, joints: Joints) -> list[Bone]:
    """Rigify's human metarig without its face."""
    middle, left = _midline(_RIGIFY_MIDLINE, joints, ""), _side(_RIGIFY_SIDE, joints, "")
    hips, hip = joints["hips"], joints["left_hip"]
    left.append(Bone("pelvis.L", "spine", hips, hip + np.array([0.012, -0.055, 0.08]), -61.6))
    axes, size = hand_axes(joints, person), person.hand_m
    for number, finger in enumerate(person.fingers, start=1):
        knuckle = joints[f"left_{finger}_1"]
        root = knuckle - 0.34 * size * axes[:, 0] - 0.25 * person.fingers[finger][1] * size * axes[:, 1]
        left.append(Bone(f"palm.0{number}.L", "hand.L", root, knuckle, _RIGIFY_PALM_ROLLS[finger]))
        left += _rigify_finger(joints, finger, f"f_{finger}", f"palm.0{number}.L")
    left += _rigify_finger(joints, "thumb", "thumb", "palm.01.L")
    return middle + left + [mirrored_bone(bone, ".L", ".R") for bone in left]


def _rigify_finger(joints: Joints, finger: str, stem: str, parent: str) -> list[Bone]:
    bones = []
    for n, roll in enumerate(_RIGIFY_FINGER_ROLLS[finger], start=1):
        ends = joints[f"left_{finger}_{n}"], joints[f"left_{finger}_{n + 1}"]
        bones.append(Bone(f"{stem}.0{n}.L", parent, *ends, roll, f"left_{finger}_{n}"))
        parent = bones[-1].name
    return bones
