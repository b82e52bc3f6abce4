"""The bones of VRoid, Unreal's mannequin, 3ds Max' Biped and KayKit's game characters from a person's joints.

Besides the names each keeps what makes that family hard: VRoid's face and hair bones, Unreal's bones that lie across
their limb, its twist and IK bones, Biped's legs under the spine, KayKit's missing neck, collar bones and fingers.
"""

from __future__ import annotations

import numpy as np

from .bone import Bone, Joints, mirrored_bone
from .person import Person

__all__ = ["biped", "kaykit", "unreal", "vroid"]

# (name, parent, from joint, to joint, role). "{s}" is the side; those rows stand for both.
Rows = tuple[tuple[str, str | None, str, str, str | None], ...]

_VROID_MIDLINE: Rows = (
    ("Root", None, "ground", "behind", None),
    ("J_Bip_C_Hips", "Root", "hips", "spine", "hips"),
    ("J_Bip_C_Spine", "J_Bip_C_Hips", "spine", "chest", "spine"),
    ("J_Bip_C_Chest", "J_Bip_C_Spine", "chest", "upper_chest", "chest"),
    ("J_Bip_C_UpperChest", "J_Bip_C_Chest", "upper_chest", "neck", "upper_chest"),
    ("J_Bip_C_Neck", "J_Bip_C_UpperChest", "neck", "head", "neck"),
    ("J_Bip_C_Head", "J_Bip_C_Neck", "head", "crown", "head"),
)
_VROID_SIDE: Rows = (
    ("J_Bip_{s}_Shoulder", "J_Bip_C_UpperChest", "collar", "shoulder", "shoulder"),
    ("J_Bip_{s}_UpperArm", "J_Bip_{s}_Shoulder", "shoulder", "elbow", "upper_arm"),
    ("J_Bip_{s}_LowerArm", "J_Bip_{s}_UpperArm", "elbow", "wrist", "forearm"),
    ("J_Bip_{s}_Hand", "J_Bip_{s}_LowerArm", "wrist", "middle_1", "hand"),
    ("J_Bip_{s}_UpperLeg", "J_Bip_C_Hips", "hip", "knee", "thigh"),
    ("J_Bip_{s}_LowerLeg", "J_Bip_{s}_UpperLeg", "knee", "ankle", "shin"),
    ("J_Bip_{s}_Foot", "J_Bip_{s}_LowerLeg", "ankle", "ball", "foot"),
    ("J_Bip_{s}_ToeBase", "J_Bip_{s}_Foot", "ball", "tip", "toe"),
    ("J_Adj_{s}_FaceEye", "J_Bip_C_Head", "eye", "before_eye", None),
    ("J_Sec_{s}_HairTail1", "J_Bip_C_Head", "tail_1", "tail_2", None),
    ("J_Sec_{s}_HairTail2", "J_Sec_{s}_HairTail1", "tail_2", "tail_3", None),
)
_UNREAL_MIDLINE: Rows = (
    ("root", None, "ground", "behind", None),
    ("pelvis", "root", "hips", "spine", "hips"),
    ("spine_01", "pelvis", "spine", "chest", "spine"),
    ("spine_02", "spine_01", "chest", "upper_chest", "chest"),
    ("spine_03", "spine_02", "upper_chest", "neck", "upper_chest"),
    ("neck_01", "spine_03", "neck", "head", "neck"),
    ("head", "neck_01", "head", "crown", "head"),
    ("ik_foot_root", "root", "ground", "behind", None),
    ("ik_hand_root", "root", "ground", "behind", None),
    ("ik_hand_gun", "ik_hand_root", "right_wrist", "right_middle_1", None),
)
_UNREAL_SIDE: Rows = (
    ("clavicle_{s}", "spine_03", "collar", "shoulder", "shoulder"),
    ("upperarm_{s}", "clavicle_{s}", "shoulder", "elbow", "upper_arm"),
    ("upperarm_twist_01_{s}", "upperarm_{s}", "upper_arm_twist", "elbow", "upper_arm_twist"),
    ("lowerarm_{s}", "upperarm_{s}", "elbow", "wrist", "forearm"),
    ("lowerarm_twist_01_{s}", "lowerarm_{s}", "forearm_twist", "wrist", "forearm_twist"),
    ("hand_{s}", "lowerarm_{s}", "wrist", "middle_1", "hand"),
    ("thigh_{s}", "pelvis", "hip", "knee", "thigh"),
    ("thigh_twist_01_{s}", "thigh_{s}", "thigh_twist", "knee", "thigh_twist"),
    ("calf_{s}", "thigh_{s}", "knee", "ankle", "shin"),
    ("calf_twist_01_{s}", "calf_{s}", "shin_twist", "ankle", "shin_twist"),
    ("foot_{s}", "calf_{s}", "ankle", "ball", "foot"),
    ("ball_{s}", "foot_{s}", "ball", "tip", "toe"),
    ("ik_foot_{s}", "ik_foot_root", "ankle", "ball", None),
    ("ik_hand_{s}", "ik_hand_gun", "wrist", "middle_1", None),
)
_BIPED_MIDLINE: Rows = (
    ("Bip001", None, "hips", "behind_hips", None),
    ("Bip001 Pelvis", "Bip001", "hips", "spine", "hips"),
    ("Bip001 Spine", "Bip001 Pelvis", "spine", "chest", "spine"),
    ("Bip001 Spine1", "Bip001 Spine", "chest", "upper_chest", "chest"),
    ("Bip001 Spine2", "Bip001 Spine1", "upper_chest", "neck", "upper_chest"),
    ("Bip001 Neck", "Bip001 Spine2", "neck", "head", "neck"),
    ("Bip001 Head", "Bip001 Neck", "head", "crown", "head"),
    ("Bip001 HeadNub", "Bip001 Head", "crown", "over", None),
)
_BIPED_SIDE: Rows = (
    ("Bip001 {s} Clavicle", "Bip001 Spine2", "collar", "shoulder", "shoulder"),
    ("Bip001 {s} UpperArm", "Bip001 {s} Clavicle", "shoulder", "elbow", "upper_arm"),
    ("Bip001 {s} Forearm", "Bip001 {s} UpperArm", "elbow", "wrist", "forearm"),
    ("Bip001 {s} Hand", "Bip001 {s} Forearm", "wrist", "middle_1", "hand"),
    ("Bip001 {s} Thigh", "Bip001 Spine", "hip", "knee", "thigh"),
    ("Bip001 {s} Calf", "Bip001 {s} Thigh", "knee", "ankle", "shin"),
    ("Bip001 {s} Foot", "Bip001 {s} Calf", "ankle", "ball", "foot"),
    ("Bip001 {s} Toe0", "Bip001 {s} Foot", "ball", "tip", "toe"),
)
_KAYKIT_MIDLINE: Rows = (
    ("root", None, "ground", "behind", None),
    ("hips", "root", "hips", "spine", "hips"),
    ("spine", "hips", "spine", "chest", "spine"),
    ("chest", "spine", "chest", "neck", "chest"),
    ("head", "chest", "neck", "crown", "head"),
)
_KAYKIT_SIDE: Rows = (
    ("upperarm.{s}", "chest", "shoulder", "elbow", "upper_arm"),
    ("lowerarm.{s}", "upperarm.{s}", "elbow", "wrist", "forearm"),
    ("wrist.{s}", "lowerarm.{s}", "wrist", "palm", "hand"),
    ("hand.{s}", "wrist.{s}", "palm", "middle_1", None),
    ("handslot.{s}", "hand.{s}", "middle_1", "middle_2", None),
    ("upperleg.{s}", "hips", "hip", "knee", "thigh"),
    ("lowerleg.{s}", "upperleg.{s}", "knee", "ankle", "shin"),
    ("foot.{s}", "lowerleg.{s}", "ankle", "ball", "foot"),
    ("toes.{s}", "foot.{s}", "ball", "tip", "toe"),
)
# Where along its limb each twist bone begins.
_TWIST_SHARES = {"upper_arm": 0.03, "forearm": 0.5, "thigh": 0.03, "shin": 0.5}
_SEGMENTS = {
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
}


def vroid(person: Person, joints: Joints) -> list[Bone]:
    """VRoid's bones: a root, eyes, two tails of hair, all fingers."""
    points = _with_helpers(person, joints)
    left = [_bone(row, points, "L") for row in _VROID_SIDE]
    names = {finger: finger.capitalize() for finger in ("thumb", *person.fingers)} | {"pinky": "Little"}
    for finger, name in names.items():
        left += _finger(points, finger, [f"J_Bip_L_{name}{n}" for n in (1, 2, 3)], "J_Bip_L_Hand")
    return _both(_VROID_MIDLINE, left, points, "_L_", "_R_")


def unreal(person: Person, joints: Joints) -> list[Bone]:
    """The UE4 mannequin's bones: x along each bone (backwards on the right side), twist and IK bones, all fingers."""
    points = _with_helpers(person, joints)
    left = [_bone(row, points, "l") for row in _UNREAL_SIDE]
    for finger in ("thumb", *person.fingers):
        left += _finger(points, finger, [f"{finger}_0{n}_l" for n in (1, 2, 3)], "hand_l")
    middle = [_bone(row, points) for row in _UNREAL_MIDLINE]
    left = [_across(bone) for bone in left]
    right = [mirrored_bone(bone, "_l", "_r") for bone in left]
    return [_across(bone) if bone.role else bone for bone in middle] + left + right


def biped(person: Person, joints: Joints) -> list[Bone]:
    """Character Studio's Biped: legs under the spine (its "triangle" options are on), fingers by number."""
    points = _with_helpers(person, joints)
    left = [_bone(row, points, "L") for row in _BIPED_SIDE]
    for number, finger in enumerate(("thumb", *person.fingers)):
        stem = f"Bip001 L Finger{number}"
        left += _finger(points, finger, [stem, f"{stem}1", f"{stem}2"], "Bip001 L Hand")
    return _both(_BIPED_MIDLINE, left, points, " L ", " R ")


def kaykit(person: Person, joints: Joints) -> list[Bone]:
    """KayKit's characters: no neck, no collar bones, no fingers; a slot for what the hand holds."""
    points = _with_helpers(person, joints)
    return _both(_KAYKIT_MIDLINE, [_bone(row, points, "l") for row in _KAYKIT_SIDE], points, ".l", ".r")


def _with_helpers(person: Person, joints: Joints) -> Joints:
    """The joints and the further points that some family's bones begin or end in."""
    s, head = person.scale, person.head
    middle = joints["head"] + np.array([0.0, 0.0, head.skull_up_m])
    x, y, z = np.array(head.skull_radii_m)
    points = {
        **joints,
        "ground": np.zeros(3),
        "behind": np.array([0.0, 0.15 * s, 0.0]),
        "behind_hips": joints["hips"] + np.array([0.0, 0.15 * s, 0.0]),
        "over": joints["crown"] + np.array([0.0, 0.0, 0.05 * s]),
        "left_eye": middle + np.array([0.43 * x, -0.6 * y, -0.14 * z]),
        "left_before_eye": middle + np.array([0.43 * x, -1.0 * y, -0.14 * z]),
        "left_tail_1": middle + np.array([0.98 * x, 0.35 * y, 0.30 * z]),
        "left_tail_2": middle + np.array([1.50 * x, 0.45 * y, 0.00]),
        "left_tail_3": middle + np.array([1.50 * x, 0.40 * y, -1.00 * z]),
        "left_palm": 0.5 * (joints["left_wrist"] + joints["left_middle_1"]),
    }
    for role, (start, end) in _SEGMENTS.items():
        a, b = joints[f"left_{start}"], joints[f"left_{end}"]
        points[f"left_{role}_twist"] = a + _TWIST_SHARES[role] * (b - a)
    return points


def _bone(row: tuple[str, str | None, str, str, str | None], points: Joints, side: str = "") -> Bone:
    """A row's bone; with a side it is the left one."""
    name, parent, start, end, role = row
    lead = "left_" if side else ""
    role = role and lead + role
    parent = parent and parent.format(s=side)
    return Bone(name.format(s=side), parent, points[lead + start], points[lead + end], 0.0, role)


def _finger(points: Joints, finger: str, names: list[str], parent: str) -> list[Bone]:
    bones = []
    for n, name in enumerate(names, start=1):
        ends = points[f"left_{finger}_{n}"], points[f"left_{finger}_{n + 1}"]
        bones.append(Bone(name, parent, *ends, 0.0, f"left_{finger}_{n}"))
        parent = name
    return bones


def _both(middle: Rows, left: list[Bone], points: Joints, left_mark: str, right_mark: str) -> list[Bone]:
    right = [mirrored_bone(bone, left_mark, right_mark) for bone in left]
    return [_bone(row, points) for row in middle] + left + right


def _across(bone: Bone) -> Bone:
    """The bone with its x axis where it pointed, so that its tail lies beside the limb."""
    along = bone.tail_m - bone.head_m
    length_m = float(np.linalg.norm(along))
    along = along / length_m
    aside = np.array([0.0, 1.0, 0.0]) if abs(along[1]) < 0.8 else np.array([0.0, 0.0, 1.0])
    aside = aside - (aside @ along) * along
    aside = aside / np.linalg.norm(aside)
    tail_m = bone.head_m + 0.5 * length_m * aside
    return Bone(bone.name, bone.parent, bone.head_m, tail_m, 0.0, bone.role, z_axis=np.cross(along, aside))
