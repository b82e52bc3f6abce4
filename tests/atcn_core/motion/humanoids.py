"""Rigs of many families, built from one plan of a body: what is right is known because it was put there.

The names are those of the families' own files and documentation, written down here once more on purpose: the tables
under test are not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from atcn_core.motion.bone_tree import RestBone
from atcn_core.skeleton import SIDES

FINGERS = ("thumb", "index", "middle", "ring", "pinky")

# Left side of a person of 1.75 m who looks along -Y and holds the arms level, metres.
SPINE_FROM, SPINE_TO = (0.0, 0.02, 1.03), (0.0, 0.02, 1.30)
NECK_AT, HEAD_AT, CROWN = (0.0, 0.03, 1.48), (0.0, 0.0, 1.58), (0.0, 0.0, 1.75)
HIPS_AT = (0.0, 0.02, 0.95)
SHOULDER_AT = np.array([0.17, 0.03, 1.43])
ARM = {
    "clavicle": (0.03, -0.01, 1.42),
    "upper_arm": (0.17, 0.03, 1.43),
    "forearm": (0.45, 0.04, 1.43),
    "hand": (0.70, 0.03, 1.43),
}
LEG = {"thigh": (0.09, 0.0, 0.92), "shin": (0.10, -0.02, 0.50), "foot": (0.10, 0.03, 0.09), "toe": (0.11, -0.10, 0.02)}
TOES_END, FINGERTIP = (0.11, -0.18, 0.02), (0.88, 0.03, 1.43)
KNUCKLES_Y = {"thumb": -0.05, "index": -0.03, "middle": 0.0, "ring": 0.025, "pinky": 0.05}


@dataclass(frozen=True)
class Naming:
    """A family's own words. sides: what stands for {s} on the left and on the right; twist: "", "leaf" or "chain"."""

    family: str
    sides: tuple[str, str]
    hips: str
    spine: tuple[str, ...]
    neck: tuple[str, ...]
    head: str
    side: dict[str, str]
    root: str = ""
    pelvis: str = ""
    twist: str = ""
    more: tuple[str, ...] = ()
    legs_on_spine: bool = False
    trunk: dict[str, int] = field(default_factory=lambda: {"spine": 0, "chest": 1, "upper_chest": 2})


def parts(text: str) -> dict[str, str]:
    """ "clavicle upper_arm ..." in this order; "-" for what the family has no bone for."""
    keys = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe", "index", "pinky")
    return {key: word for key, word in zip(keys, text.split(), strict=True) if word != "-"}


MIXAMO = parts("{s}Shoulder {s}Arm {s}ForeArm {s}Hand {s}UpLeg {s}Leg {s}Foot {s}ToeBase {s}HandIndex1 {s}HandPinky1")
UNREAL = parts(
    "clavicle_{s} upperarm_{s} lowerarm_{s} hand_{s} thigh_{s} calf_{s} foot_{s} ball_{s} index_01_{s} pinky_01_{s}"
)
RIGIFY = parts(
    "shoulder.{s} upper_arm.{s} forearm.{s} hand.{s} thigh.{s} shin.{s} foot.{s} toe.{s} f_index.01.{s} f_pinky.01.{s}"
)
SMPL = parts("{s}_collar {s}_shoulder {s}_elbow {s}_wrist {s}_hip {s}_knee {s}_ankle {s}_foot {s}_index1 {s}_pinky1")


def prefixed(prefix: str, words: dict[str, str]) -> dict[str, str]:
    return {key: prefix + word for key, word in words.items()}


LEFT_RIGHT = ("Left", "Right")
NAMINGS = {
    "Mixamo": Naming(
        "Mixamo", LEFT_RIGHT, "mixamorig:Hips", ("mixamorig:Spine", "mixamorig:Spine1", "mixamorig:Spine2"),
        ("mixamorig:Neck",), "mixamorig:Head", prefixed("mixamorig:", MIXAMO),
    ),
    "Mixamo, seventh character": Naming(
        "Mixamo", LEFT_RIGHT, "mixamorig7:Hips", ("mixamorig7:Spine", "mixamorig7:Spine1", "mixamorig7:Spine2"),
        ("mixamorig7:Neck",), "mixamorig7:Head", prefixed("mixamorig7:", MIXAMO),
    ),
    "HumanIK": Naming("Mixamo", LEFT_RIGHT, "Hips", ("Spine", "Spine1", "Spine2"), ("Neck",), "Head", MIXAMO),
    "Ready Player Me": Naming(
        "Ready Player Me", LEFT_RIGHT, "Hips", ("Spine", "Spine1", "Spine2"), ("Neck",), "Head", MIXAMO,
        more=("LeftEye", "RightEye", "HeadTop_End"),
    ),
    "CMU, MotionBuilder": Naming(
        "CMU BVH (MotionBuilder)", LEFT_RIGHT, "Hips", ("LowerBack", "Spine", "Spine1"), ("Neck", "Neck1"), "Head",
        {key: word for key, word in MIXAMO.items() if key != "pinky"},
    ),
    "CMU, Daz": Naming(
        "CMU BVH (Daz, 3ds Max)", LEFT_RIGHT, "Hips", ("Chest", "Chest2"), ("Neck",), "Head",
        parts("{s}Collar {s}Shoulder {s}Elbow {s}Wrist {s}Hip {s}Knee {s}Ankle {s}Toe - -"),
    ),
    "Rigify metarig": Naming(
        "Rigify metarig", ("L", "R"), "spine", ("spine.001", "spine.002", "spine.003"), ("spine.004", "spine.005"),
        "spine.006", RIGIFY,
    ),
    "Rigify metarig with one bone more in the spine": Naming(
        "Rigify metarig", ("L", "R"), "spine", ("spine.001", "spine.002", "spine.003", "spine.004"), ("spine.005",),
        "spine.006", RIGIFY, trunk={"spine": 0, "chest": 1, "upper_chest": 3},
    ),
    "Rigify deform": Naming(
        "Rigify (deform bones)", ("L", "R"), "DEF-spine", ("DEF-spine.001", "DEF-spine.002", "DEF-spine.003"),
        ("DEF-spine.004", "DEF-spine.005"), "DEF-spine.006", prefixed("DEF-", RIGIFY), root="root", twist="chain",
    ),
    "Unreal 4": Naming(
        "Unreal 4", ("l", "r"), "pelvis", ("spine_01", "spine_02", "spine_03"), ("neck_01",), "head", UNREAL,
        root="root", twist="leaf",
    ),
    "Unreal 5": Naming(
        "Unreal 5, MetaHuman", ("l", "r"), "pelvis", ("spine_01", "spine_02", "spine_03", "spine_04", "spine_05"),
        ("neck_01", "neck_02"), "head", UNREAL, root="root", twist="leaf",
        trunk={"spine": 0, "chest": 2, "upper_chest": 4},
    ),
    "VRM": Naming(
        "VRM", ("left", "right"), "hips", ("spine", "chest", "upperChest"), ("neck",), "head",
        parts(
            "{s}Shoulder {s}UpperArm {s}LowerArm {s}Hand {s}UpperLeg {s}LowerLeg {s}Foot {s}Toes {s}IndexProximal"
            " {s}LittleProximal"
        ),
        root="root",
    ),
    "VRoid": Naming(
        "VRM", ("L", "R"), "J_Bip_C_Hips", ("J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest"), ("J_Bip_C_Neck",),
        "J_Bip_C_Head",
        prefixed(
            "J_Bip_",
            parts(
                "{s}_Shoulder {s}_UpperArm {s}_LowerArm {s}_Hand {s}_UpperLeg {s}_LowerLeg {s}_Foot {s}_ToeBase"
                " {s}_Index1 {s}_Little1"
            ),
        ),
        root="Root",
    ),
    "MakeHuman": Naming(
        "MakeHuman, one toe", ("L", "R"), "root", ("spine05", "spine04", "spine03", "spine02", "spine01"),
        ("neck01", "neck02", "neck03"), "head",
        parts(
            "clavicle.{s} upperarm01.{s} lowerarm01.{s} wrist.{s} upperleg01.{s} lowerleg01.{s} foot.{s} toe1-1.{s}"
            " finger2-1.{s} finger5-1.{s}"
        ),
        twist="chain", trunk={"spine": 1, "chest": 2, "upper_chest": 3},
    ),
    "Daz Genesis 8": Naming(
        "Daz Genesis 8", ("l", "r"), "hip", ("abdomenLower", "abdomenUpper", "chestLower", "chestUpper"),
        ("neckLower", "neckUpper"), "head",
        parts(
            "{s}Collar {s}ShldrBend {s}ForearmBend {s}Hand {s}ThighBend {s}Shin {s}Foot {s}Toe {s}Index1 {s}Pinky1"
        ),
        pelvis="pelvis", twist="chain",
    ),
    "Daz Genesis 9": Naming(
        "Daz Genesis 9", ("l", "r"), "hip", ("spine1", "spine2", "spine3", "spine4"), ("neck1", "neck2"), "head",
        parts(
            "{s}_shoulder {s}_upperarm {s}_forearm {s}_hand {s}_thigh {s}_shin {s}_foot {s}_toes {s}_index1 {s}_pinky1"
        ),
        pelvis="pelvis", twist="leaf",
    ),
    "Auto-Rig Pro": Naming(
        "Auto-Rig Pro", ("l", "r"), "c_root_master.x", ("c_spine_01.x", "c_spine_02.x", "c_spine_03.x"), ("c_neck.x",),
        "c_head.x",
        parts(
            "c_shoulder.{s} c_arm_fk.{s} c_forearm_fk.{s} c_hand_fk.{s} c_thigh_fk.{s} c_leg_fk.{s} c_foot_fk.{s}"
            " c_toes_fk.{s} c_index1.{s} c_pinky1.{s}"
        ),
        root="c_pos", more=("c_hand_ik.l", "c_hand_ik.r", "c_foot_ik.l", "c_foot_ik.r"),
    ),
    "Auto-Rig Pro, exported": Naming(
        "Auto-Rig Pro (deform bones)", ("l", "r"), "root.x", ("spine_01.x", "spine_02.x", "spine_03.x"), ("neck.x",),
        "head.x",
        parts(
            "shoulder.{s} arm_stretch.{s} forearm_stretch.{s} hand.{s} thigh_stretch.{s} leg_stretch.{s} foot.{s}"
            " toes_01.{s} - -"
        ),
    ),
    "Character Creator 4": Naming(
        "Character Creator, iClone", ("L", "R"), "CC_Base_Hip", ("CC_Base_Waist", "CC_Base_Spine01", "CC_Base_Spine02"),
        ("CC_Base_NeckTwist01", "CC_Base_NeckTwist02"), "CC_Base_Head",
        prefixed(
            "CC_Base_",
            parts(
                "{s}_Clavicle {s}_Upperarm {s}_Forearm {s}_Hand {s}_Thigh {s}_Calf {s}_Foot {s}_ToeBase {s}_Index1"
                " {s}_Pinky1"
            ),
        ),
        root="CC_Base_BoneRoot", pelvis="CC_Base_Pelvis", twist="leaf",
    ),
    "SMPL-X": Naming(
        "SMPL", ("left", "right"), "pelvis", ("spine1", "spine2", "spine3"), ("neck",), "head", SMPL
    ),
    "SMPL's FBX": Naming(
        "SMPL", ("L", "R"), "m_avg_Pelvis", ("m_avg_Spine1", "m_avg_Spine2", "m_avg_Spine3"), ("m_avg_Neck",),
        "m_avg_Head",
        prefixed(
            "m_avg_", parts("{s}_Collar {s}_Shoulder {s}_Elbow {s}_Wrist {s}_Hip {s}_Knee {s}_Ankle {s}_Foot - -")
        ),
        root="m_avg_root",
    ),
    "3ds Max Biped": Naming(
        "3ds Max Biped", ("L", "R"), "Bip001 Pelvis", ("Bip001 Spine", "Bip001 Spine1", "Bip001 Spine2"),
        ("Bip001 Neck",), "Bip001 Head",
        {
            key: f"Bip001 {word}".replace("_", " ")
            for key, word in parts(
                "{s}_Clavicle {s}_UpperArm {s}_Forearm {s}_Hand {s}_Thigh {s}_Calf {s}_Foot {s}_Toe0 {s}_Finger1"
                " {s}_Finger4"
            ).items()
        },
        root="Bip001", legs_on_spine=True,
    ),
    "KayKit": Naming(
        "KayKit", ("l", "r"), "hips", ("spine", "chest"), (), "head",
        parts("- upperarm.{s} lowerarm.{s} wrist.{s} upperleg.{s} lowerleg.{s} foot.{s} toes.{s} - -"), root="root",
    ),
    "Quaternius": Naming(
        "Quaternius", ("L", "R"), "Hips", ("Abdomen", "Torso", "Chest"), ("Neck",), "Head",
        parts(
            "Shoulder.{s} UpperArm.{s} LowerArm.{s} Hand.{s} UpperLeg.{s} LowerLeg.{s} Foot.{s} - Index2.{s} Pinky2.{s}"
        ),
        root="Root",
    ),
    "MikuMikuDance": Naming(
        "MikuMikuDance", ("左", "右"), "腰", ("上半身", "上半身2"), ("首",), "頭",
        parts("{s}肩 {s}腕 {s}ひじ {s}手首 {s}足 {s}ひざ {s}足首 {s}つま先 {s}人指1 {s}小指1"), root="センター",
    ),
    "words of a game rig": Naming(
        "by words", ("L", "R"), "Pelvis", ("Waist", "Chest"), ("Neck",), "Head",
        parts("Clavicle{s} UpArm{s} LoArm{s} Wrist{s} UpLeg{s} LoLeg{s} Ankle{s} Ball{s} - -"), root="Master",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A rig and what is right for it."""

    bones: tuple[RestBone, ...]
    roles: dict[str, str]

    def renamed(self, names: dict[str, str]) -> Person:
        """Other names for all bones."""
        bones = tuple(
            replace(bone, name=names[bone.name], parent=None if bone.parent is None else names[bone.parent])
            for bone in self.bones
        )
        return Person(bones, {role: names[bone] for role, bone in self.roles.items()})

    def moved(self, turn: np.ndarray, way: np.ndarray, scale: float) -> Person:
        """Turned (3, 3), scaled, then moved (3,)."""

        def at(point: tuple[float, float, float]) -> tuple[float, float, float]:
            return tuple(float(x) for x in scale * (turn @ np.array(point)) + way)

        return Person(tuple(replace(b, head=at(b.head), tail=at(b.tail)) for b in self.bones), self.roles)

    def with_more(self, *bones: RestBone) -> Person:
        return Person((*self.bones, *bones), self.roles)

    def without(self, *names: str) -> Person:
        """Without these bones; what hung on them hangs on their parents."""
        above = {bone.name: bone.parent for bone in self.bones}

        def kept(parent: str | None) -> str | None:
            while parent in names:
                parent = above[parent]
            return parent

        bones = tuple(replace(b, parent=kept(b.parent)) for b in self.bones if b.name not in names)
        return Person(bones, {role: bone for role, bone in self.roles.items() if bone not in names})


def person(naming: Naming, arms_down_deg: float = 0.0, fingers: bool = True) -> Person:
    """The body with a family's names, its arms held down by so much."""
    return _Builder(naming, arms_down_deg, fingers).person()


class _Builder:
    def __init__(self, naming: Naming, arms_down_deg: float, fingers: bool) -> None:
        self.naming, self.fingers = naming, fingers
        self.angle_rad = np.radians(arms_down_deg)
        self.bones: list[RestBone] = []
        self.roles: dict[str, str] = {}

    def person(self) -> Person:
        naming = self.naming
        above = self.add(naming.root, None, (0.0, 0.0, 0.0), (0.0, -0.2, 0.0)) if naming.root else None
        hips = self.add(naming.hips, above, HIPS_AT, SPINE_FROM, "hips")
        steps = np.linspace(SPINE_FROM, SPINE_TO, max(len(naming.spine), 2))
        at, trunk = hips, {place: role for role, place in naming.trunk.items()}
        for i, bone in enumerate(naming.spine):
            end = steps[i + 1] if i + 1 < len(naming.spine) else NECK_AT
            at = self.add(bone, at, steps[i], end, trunk.get(i, ""))
        chest = at
        steps = np.linspace(NECK_AT, HEAD_AT, len(naming.neck) + 1)
        for i, bone in enumerate(naming.neck):
            at = self.add(bone, at, steps[i], steps[i + 1], "neck" if i == 0 else "")
        head = self.add(naming.head, at, HEAD_AT, CROWN, "head")
        legs_on = self.add(naming.pelvis, hips, HIPS_AT, (0.0, 0.02, 0.85)) if naming.pelvis else hips
        legs_on = naming.spine[0] if naming.legs_on_spine else legs_on
        for side, word, sign in zip(SIDES, naming.sides, (1.0, -1.0), strict=True):
            self.arm(side, word, sign, chest)
            self.leg(side, word, sign, legs_on)
        for i, bone in enumerate(naming.more):
            self.add(bone, head, (0.03 * (-1) ** i, -0.08, 1.66), (0.03 * (-1) ** i, -0.1, 1.66))
        return Person(tuple(self.bones), self.roles)

    def add(self, name: str, parent: str | None, head, tail, role: str = "") -> str:
        self.bones.append(RestBone(name, parent, tuple(map(float, head)), tuple(map(float, tail))))
        if role:
            self.roles[role] = name
        return name

    def lowered(self, point) -> np.ndarray:
        """A point of the left arm, the arm held down."""
        away = np.array(point) - SHOULDER_AT
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        return SHOULDER_AT + np.array([cos * away[0] + sin * away[2], away[1], cos * away[2] - sin * away[0]])

    def limb(self, side: str, word: str, sign: float, parent: str, points: dict[str, np.ndarray], end) -> str:
        mirror = np.array([sign, 1.0, 1.0])
        names = {key: text.format(s=word) for key, text in self.naming.side.items()}
        keys = [key for key in points if key in names]
        for i, key in enumerate(keys):
            head, tail = points[key] * mirror, (points[keys[i + 1]] if i + 1 < len(keys) else np.array(end)) * mirror
            role = f"{side}_{'shoulder' if key == 'clavicle' else key}"
            name = self.add(names[key], parent, head, tail, role)
            parent = name
            if self.naming.twist and key in ("upper_arm", "forearm", "thigh", "shin"):
                middle = 0.5 * (head + tail)
                twist = self.add(f"{name}_twist", name, middle, tail)
                parent = twist if self.naming.twist == "chain" else name
        return parent

    def arm(self, side: str, word: str, sign: float, chest: str) -> None:
        points = {key: np.array(at) if key == "clavicle" else self.lowered(at) for key, at in ARM.items()}
        hand = self.limb(side, word, sign, chest, points, self.lowered(FINGERTIP))
        if not self.fingers:
            return
        mirror = np.array([sign, 1.0, 1.0])
        for finger in FINGERS:
            y, thumb = KNUCKLES_Y[finger], finger == "thumb"
            starts = [(0.73 if thumb else 0.79) + (0.025 if thumb else 0.03) * i for i in range(4)]
            parent = hand
            known = self.naming.side.get(finger)
            for i in range(3):
                ends = [
                    self.lowered((x, ARM["hand"][1] + y - (0.02 * j if thumb else 0.0), 1.43)) * mirror
                    for j, x in enumerate(starts[i : i + 2], i)
                ]
                named = i == 0 and known is not None
                name = known.format(s=word) if named else f"{finger} {i} of {side}"
                role = f"{side}_{finger}_knuckle" if i == 0 and finger in ("index", "pinky") else ""
                parent = self.add(name, parent, ends[0], ends[1], role)

    def leg(self, side: str, word: str, sign: float, hips: str) -> None:
        points = {key: np.array(at) for key, at in LEG.items()}
        self.limb(side, word, sign, hips, points, TOES_END)


def quadruped() -> tuple[RestBone, ...]:
    """A dog, looking along -Y, with the words of a human rig: shoulders, upper arms, thighs."""
    bones = [RestBone("hips", None, (0, 0.4, 0.7), (0, 0.3, 0.7))]
    for i, name in enumerate(("spine", "chest", "upperchest", "neck", "head")):
        y = 0.25 - 0.17 * i
        z = 0.7 if i < 3 else 0.7 + 0.12 * (i - 2)
        bones.append(RestBone(name, bones[-1].name, (0, y, z), (0, y - 0.15, z)))
    for i in range(4):
        bones.append(
            RestBone(f"tail{i}", "hips" if i == 0 else f"tail{i - 1}", (0, 0.45 + 0.1 * i, 0.7), (0, 0.5, 0.7))
        )
    for side, s in (("left", 1), ("right", -1)):
        for names, parent, y in (
            (("UpperLeg", "LowerLeg", "Foot", "Toes"), "hips", 0.4),
            (("UpperArm", "LowerArm", "Hand", "Fingers"), "upperchest", -0.1),
        ):
            above = parent
            for k, name in enumerate(names):
                head, tail = (s * 0.1, y + 0.04 * (k % 2), 0.65 - 0.2 * k), (s * 0.1, y - 0.05, 0.5 - 0.2 * k)
                bones.append(RestBone(side + name, above, head, tail))
                above = side + name
    return tuple(bones)
