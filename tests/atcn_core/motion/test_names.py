"""Names of one part in many spellings come out alike, and names of different parts do not."""

import pytest

from atcn_core.motion.names import BoneName, parse_name


@pytest.mark.parametrize(
    ("name", "layer", "side", "stem"),
    [
        ("mixamorig:LeftHandIndex1", "", "left", "handindex1"),
        ("mixamorig12:Hips", "", "", "hips"),
        ("Armature|Hips", "", "", "hips"),
        ("hero:rig:RightArm", "", "right", "arm"),
        ("upper_arm.L", "", "left", "upperarm"),
        ("upper_arm.L.001", "", "left", "upperarm1"),
        ("DEF-upper_arm.R.001", "def", "right", "upperarm1"),
        ("ORG-spine", "org", "", "spine"),
        ("MCH-hand_ik.parent.L", "mch", "left", "handikparent"),
        ("upperarm_l", "", "left", "upperarm"),
        ("l_upperarm", "", "left", "upperarm"),
        ("lShldrBend", "", "left", "shldrbend"),
        ("LHipJoint", "", "left", "hipjoint"),
        ("LowerBack", "", "", "lowerback"),
        ("lowerback", "", "", "lowerback"),
        ("lowerarm_r", "", "right", "lowerarm"),
        ("rThumb1", "", "right", "thumb1"),
        ("root", "", "", "root"),
        ("leftUpperArm", "", "left", "upperarm"),
        ("left_hip", "", "left", "hip"),
        ("righthand", "", "right", "hand"),
        ("HandRight", "", "right", "hand"),
        ("ArmL", "", "left", "arm"),
        ("J_Bip_C_UpperChest", "", "", "upperchest"),
        ("J_Bip_L_UpperArm", "", "left", "upperarm"),
        ("CC_Base_NeckTwist01", "", "", "necktwist1"),
        ("CC_Base_R_Upperarm", "", "right", "upperarm"),
        ("Bip001 L UpperArm", "", "left", "upperarm"),
        ("Bip01 Pelvis", "", "", "pelvis"),
        ("Bip001", "", "", "bip1"),
        ("m_avg_L_Hip", "", "left", "hip"),
        ("c_root_master.x", "", "", "crootmaster"),
        ("c_arm_fk.l", "", "left", "carmfk"),
        ("左腕", "", "left", "腕"),
        ("右ひじ", "", "right", "ひじ"),
        ("上半身2", "", "", "上半身2"),
        ("toe1-1.L", "", "left", "toe11"),
        ("L", "", "", "l"),
        ("左", "", "left", ""),
        ("", "", "", ""),
        ("...", "", "", "..."),
    ],
)
def test_a_name_is_taken_apart(name, layer, side, stem):
    assert parse_name(name) == BoneName(layer, side, stem)


@pytest.mark.parametrize(
    "spellings",
    [
        ("UpperArm.L", "upperarm_l", "upper_arm.L", "L_UpperArm", "leftUpperArm", "Left Upper Arm", "UPPER_ARM_L"),
        ("spine_01", "Spine1", "spine.001", "CC_Base_Spine01", "mixamorig:Spine1"),
    ],
)
def test_one_part_has_one_key_in_all_spellings(spellings):
    assert len({parse_name(name).key for name in spellings}) == 1


@pytest.mark.parametrize("name", ["mixamorig:LeftArm", "hand_l", "thumb.01.L", "lHand", "左手首", "Bip001 L Hand"])
def test_the_other_side_has_the_same_stem(name):
    other = (
        name.replace("Left", "Right").replace("_l", "_r").replace(".L", ".R").replace("lHand", "rHand")
        .replace("左", "右").replace(" L ", " R ")
    )  # fmt: skip
    assert parse_name(name).side == "left"
    assert parse_name(other) == BoneName("", "right", parse_name(name).stem)
