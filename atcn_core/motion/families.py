"""What the rig families call their bones: a table each, in the words of `names.parse_name`. Data; nothing decides here.

A family counts as a whole. The same word means another bone elsewhere ("shoulder" is a clavicle or an upper arm, "leg"
a shin, "foot" the toes, "root" the hips or the floor), so no word is ever read outside of its table.
Sources: the rigs and public tools' tables named in each family's `source`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FAMILIES", "Family", "Switch"]

Stems = tuple[str, ...]


@dataclass(frozen=True)
class Switch:
    """A custom property that must have this value for keys on the mapped bones to show. stem: of the bone it is on."""

    stem: str
    property: str
    value: float


@dataclass(frozen=True)
class Family:
    """One family's names.

    centre, side:  role (of one side without "left_") to the words for it, the likeliest first.
    layer:         the layer of a many-layered rig whose bones are meant, "" for the plain ones.
    markers:       patterns of which each must be found in some bone's full name.
    strangers:     patterns that no bone's full name may have.
    numbered:      trunk and neck are one row of numbered bones; which of them is which, the shoulders tell.
    loose:         roles whose place in the tree says nothing, because constraints hold the rig together.
    """

    name: str
    source: str
    centre: Mapping[str, Stems]
    side: Mapping[str, Stems]
    layer: str = ""
    markers: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    numbered: bool = False
    loose: frozenset[str] = frozenset()
    switches: tuple[Switch, ...] = ()


def _stems(table: str) -> dict[str, Stems]:
    """ "role word|word, role word": the words for each role, the likeliest first."""
    return {role: tuple(words.split("|")) for role, words in (entry.split() for entry in table.split(", "))}


_MIXAMO_SIDE = _stems(
    "shoulder shoulder, upper_arm arm, forearm forearm, hand hand, thigh upleg, shin leg, foot foot, "
    "toe toebase, index_knuckle handindex1, pinky_knuckle handpinky1"
)
_MIXAMO_CENTRE = _stems("hips hips, spine spine, chest spine1, upper_chest spine2, neck neck|neck1, head head")
_UNREAL_SIDE = _stems(
    "shoulder clavicle, upper_arm upperarm, forearm lowerarm, hand hand, thigh thigh, shin calf, foot foot, "
    "toe ball, index_knuckle index1, pinky_knuckle pinky1"
)
_RIGIFY_CENTRE = _stems("hips spine, spine spine1, chest spine2, upper_chest spine3, neck spine4, head spine6")
_RIGIFY_SIDE = _stems(
    "shoulder shoulder, upper_arm upperarm, forearm forearm, hand hand, thigh thigh, shin shin, foot foot, "
    "toe toe, index_knuckle findex1, pinky_knuckle fpinky1"
)
_MAKEHUMAN_CENTRE = _stems("hips root, spine spine4, chest spine3, upper_chest spine2, neck neck1, head head")
_MAKEHUMAN_SIDE = _stems(
    "shoulder clavicle, upper_arm upperarm1, forearm lowerarm1, hand wrist, thigh upperleg1, shin lowerleg1, "
    "foot foot, index_knuckle finger21, pinky_knuckle finger51"
)
_ARP_SIDE = _stems(
    "shoulder shoulder, upper_arm arm|armstretch, forearm forearm|forearmstretch, hand hand, "
    "thigh thigh|thighstretch, shin leg|legstretch, foot foot, toe toes1|toes, index_knuckle index1|cindex1, "
    "pinky_knuckle pinky1|cpinky1"
)
_GENERATED = (r"^MCH-", r"^upper_arm_fk")
_NOT_GENERATED = (r"^upper_arm_fk",)

FAMILIES: tuple[Family, ...] = (
    Family(
        "Ready Player Me",
        "Mixamo's words without its prefix, with eyes",
        _MIXAMO_CENTRE,
        _MIXAMO_SIDE,
        markers=(r"^LeftEye$", r"^HeadTop_End$|^Wolf3D"),
        strangers=(r"(?i)^mixamorig", r"(?i)HipJoint$"),
    ),
    Family(
        "Mixamo",
        "Mixamo's download; MotionBuilder's and HumanIK's characters use the same words",
        _MIXAMO_CENTRE,
        _MIXAMO_SIDE,
        strangers=(r"(?i)HipJoint$", r"(?i)LowerBack$"),
    ),
    Family(
        "CMU BVH (MotionBuilder)",
        "the cgspeed conversion of CMU's motions; MPFB's cmu_mb",
        _stems("hips hips, spine lowerback|spine, chest spine|spine1, upper_chest spine1, neck neck, head head"),
        {**_MIXAMO_SIDE, "index_knuckle": ("handindex1", "handfinger1")},
        markers=(r"(?i)HipJoint$|LowerBack$",),
    ),
    Family(
        "CMU BVH (Daz, 3ds Max)",
        "retarget_bvh's known rigs",
        _stems(
            "hips hips|hip, spine lowerback|spine|chest, chest chest|chest1|chest2, "
            "upper_chest chest2|chest3|chest4, neck lowerneck|neck, head head"
        ),
        _stems(
            "shoulder collar, upper_arm shoulder, forearm elbow, hand wrist, thigh hip, shin knee, foot ankle, "
            "toe toe|toebase"
        ),
    ),
    Family(
        "Rigify metarig",
        "Blender's human metarig; MPFB's human",
        _RIGIFY_CENTRE,
        _RIGIFY_SIDE,
        strangers=_NOT_GENERATED,
        numbered=True,
    ),
    Family(
        "Rigify (deform bones)",
        "the deform bones of a generated rig on their own",
        _RIGIFY_CENTRE,
        _RIGIFY_SIDE,
        layer="def",
        strangers=_NOT_GENERATED,
        numbered=True,
    ),
    Family(
        # The controls, because constraints carry the deform bones: keys on those would show nothing. The torso turns
        # and moves everything; the FK row below the pivot turns the legs with it and is left to the torso. The
        # shoulder acts on the arm by constraints, so that an arm solved along the tree would be turned twice.
        "Rigify (generated)",
        "Blender's generated human rigs",
        _stems("hips torso, spine spinefk2, chest spinefk3, neck neck, head head"),
        _stems(
            "upper_arm upperarmfk, forearm forearmfk, hand handfk, thigh thighfk, shin shinfk, foot footfk, "
            "toe toefk|toe, index_knuckle findex1, pinky_knuckle fpinky1"
        ),
        markers=_GENERATED,
        loose=frozenset({"index_knuckle", "pinky_knuckle"}),
        switches=(
            *(Switch("upperarmparent", "IK_FK", 1.0), Switch("thighparent", "IK_FK", 1.0)),
            # Else neck and head keep to the hips' turn and not to the chest's, on which they hang.
            *(Switch("torso", "neck_follow", 1.0), Switch("torso", "head_follow", 1.0)),
        ),
    ),
    Family(
        "Unreal 4",
        "the UE4 mannequin, MPFB's game engine rig, mesh2motion, iClone's GameBase",
        _stems("hips pelvis, spine spine1, chest spine2, upper_chest spine3, neck neck1|neck, head head"),
        _UNREAL_SIDE,
        strangers=(r"(?i)spine_05$",),
    ),
    Family(
        "Unreal 5, MetaHuman",
        "the UE5 mannequin",
        _stems("hips pelvis, spine spine1, chest spine3, upper_chest spine5, neck neck1, head head"),
        _UNREAL_SIDE,
        markers=(r"(?i)spine_05$",),
    ),
    Family(
        "VRM",
        "VRM 0 and 1, VRoid (J_Bip), Unity's humanoid",
        _stems("hips hips, spine spine, chest chest, upper_chest upperchest, neck neck, head head"),
        _stems(
            "shoulder shoulder, upper_arm upperarm, forearm lowerarm, hand hand, thigh upperleg, shin lowerleg, "
            "foot foot, toe toes|toebase, index_knuckle indexproximal|index1, "
            "pinky_knuckle littleproximal|little1"
        ),
        strangers=(r"(?i)^abdomen$", r"(?i)wrist\.[lr]$"),
    ),
    Family(
        "MakeHuman",
        "MPFB's default rig; each toe has a bone of its own and none stands for all",
        _MAKEHUMAN_CENTRE,
        _MAKEHUMAN_SIDE,
        markers=(r"^toe2-1",),
    ),
    Family(
        "MakeHuman, one toe",
        "MPFB's default rig without toes",
        _MAKEHUMAN_CENTRE,
        {**_MAKEHUMAN_SIDE, "toe": ("toe11",)},
        strangers=(r"^toe2-1",),
    ),
    Family(
        "Daz Genesis 8",
        "Genesis 1 to 8.1, import_daz's converters",
        _stems(
            "hips hip, spine abdomenlower|abdomen, chest abdomenupper|abdomen2, upper_chest chestlower|chest, "
            "neck necklower|neck, head head"
        ),
        _stems(
            "shoulder collar, upper_arm shldrbend|shldr, forearm forearmbend|forearm, hand hand, "
            "thigh thighbend|thigh, shin shin, foot foot, toe toe, index_knuckle index1, pinky_knuckle pinky1"
        ),
    ),
    Family(
        "Daz Genesis 9",
        "import_daz's converters",
        _stems("hips hip, spine spine1, chest spine2, upper_chest spine3, neck neck1, head head"),
        _stems(
            "shoulder shoulder, upper_arm upperarm, forearm forearm, hand hand, thigh thigh, shin shin, "
            "foot foot, toe toes, index_knuckle index1, pinky_knuckle pinky1"
        ),
    ),
    Family(
        "Auto-Rig Pro",
        "maps in other public tools; its FK controls",
        _stems("hips crootmaster|croot, spine cspine1, chest cspine2, upper_chest cspine3, neck cneck, head chead"),
        _stems(
            "shoulder cshoulder, upper_arm carmfk, forearm cforearmfk, hand chandfk, thigh cthighfk, "
            "shin clegfk, foot cfootfk, toe ctoesfk, index_knuckle cindex1, pinky_knuckle cpinky1"
        ),
        markers=(r"^c_root(_master)?\.x$", r"^c_arm_fk"),
        loose=frozenset(
            {"shoulder", "upper_arm", "thigh", "hand", "foot", "toe", "head", "index_knuckle", "pinky_knuckle"}
        ),
        switches=(Switch("chandik", "ik_fk_switch", 1.0), Switch("cfootik", "ik_fk_switch", 1.0)),
    ),
    Family(
        "Auto-Rig Pro (deform bones)",
        "its export",
        _stems("hips root, spine spine1, chest spine2, upper_chest spine3, neck neck, head head"),
        _ARP_SIDE,
        markers=(r"^spine_01\.x$",),
        strangers=(r"^c_arm_fk",),
    ),
    Family(
        "Character Creator, iClone",
        "CC3 and CC4, cc_blender_tools",
        _stems("hips hip, spine waist, chest spine1, upper_chest spine2, neck necktwist1|neck, head head"),
        _stems(
            "shoulder clavicle, upper_arm upperarm, forearm forearm, hand hand, thigh thigh, shin calf, "
            "foot foot, toe toebase, index_knuckle index1|finger10, pinky_knuckle pinky1|finger40"
        ),
    ),
    Family(
        "SMPL",
        "SMPL, SMPL-H and SMPL-X, smplx's joint names",
        _stems("hips pelvis, spine spine1, chest spine2, upper_chest spine3, neck neck, head head"),
        _stems(
            "shoulder collar, upper_arm shoulder, forearm elbow, hand wrist, thigh hip, shin knee, foot ankle, "
            "toe foot, index_knuckle index1, pinky_knuckle pinky1"
        ),
    ),
    Family(
        "3ds Max Biped",
        "Character Studio's Biped",
        _stems("hips pelvis, spine spine, chest spine1, upper_chest spine2|spine3, neck neck, head head"),
        _stems(
            "shoulder clavicle, upper_arm upperarm, forearm forearm, hand hand, thigh thigh, shin calf, "
            "foot foot, toe toe0|toe, index_knuckle finger1, pinky_knuckle finger4"
        ),
    ),
    Family(
        "KayKit",
        "KayKit's adventurers",
        _stems("hips hips, spine spine, chest chest, neck neck, head head"),
        _stems("upper_arm upperarm, forearm lowerarm, hand wrist, thigh upperleg, shin lowerleg, foot foot, toe toes"),
    ),
    Family(
        "Quaternius",
        "Quaternius' characters",
        _stems("hips hips, spine abdomen, chest torso, upper_chest chest, neck neck, head head"),
        _stems(
            "shoulder shoulder, upper_arm upperarm, forearm lowerarm, hand hand|palm|fist, thigh upperleg, "
            "shin lowerleg, foot foot, toe toes|toe, index_knuckle index1|index2, pinky_knuckle pinky1|pinky2"
        ),
    ),
    Family(
        "FreeMoCap",
        "FreeMoCap's Blender armature",
        _stems("hips pelvis, spine spine, chest spine1, neck neck, head head|face"),
        {**_RIGIFY_SIDE, "toe": ("toe",)},
    ),
    Family(
        "MikuMikuDance",
        "MMD models with their own Japanese names",
        _stems("hips 腰|グルーブ|センター, spine 上半身, chest 上半身2, neck 首, head 頭"),
        _stems(
            "shoulder 肩, upper_arm 腕, forearm ひじ, hand 手首, thigh 足, shin ひざ, foot 足首, toe つま先, "
            "index_knuckle 人指1, pinky_knuckle 小指1"
        ),
    ),
    Family(
        "by words",
        "words that game rigs mix freely; the tree decides whether they hold",
        _stems(
            "hips hips|hip|pelvis|pelvic|cog, "
            "spine spine|spine0|spine1|spinelower|lowerspine|abdomen|abdomenlower|lowerback|waist|stomach|belly|torso, "
            "chest chest|spine2|spine1|spinemiddle|middlespine|abdomenupper|torso|upperbody|ribcage|ribs|chestlower, "
            "upper_chest upperchest|chestupper|chest2|spine3|spineupper|upperspine, "
            "neck neck|neck0|neck1|necklower, head head|head0|head1|skull"
        ),
        _stems(
            "shoulder clavicle|collar|collarbone|clav|shoulder, "
            "upper_arm upperarm|uparm|armupper|arm0|arm1|arm|shldr|humerus|bicep, "
            "forearm forearm|lowerarm|lowarm|armlower|loarm|arm2|elbow|ulna, hand wrist|hand|palm|fist, "
            "thigh thigh|upperleg|upleg|legupper|leg0|leg1|femur, "
            "shin shin|calf|lowerleg|lowleg|loleg|leglower|leg2|knee|tibia|leg, foot foot|ankle|feet, "
            "toe toe|toes|toe0|toebase|ball, index_knuckle index1|findex1|index|fingerindex1|indexproximal, "
            "pinky_knuckle pinky1|fpinky1|pinky|fingerpinky1|little1|littleproximal"
        ),
    ),
)
