"""Maps are found as a whole, and every wrong rig.json is refused with its file and key."""

import json
from pathlib import Path

import pytest

from atcn_core.errors import RigError
from atcn_core.motion.rigmap import REQUIRED_ROLES, RIG_SCHEMA, ROLES, RigMap, load_rig, match_rig_map

RIGS = sorted((Path(__file__).parents[3] / "rigs").glob("*/rig.json"))


def mixamo(prefix="mixamorig:"):
    names = {
        "hips": "Hips",
        "spine": "Spine",
        "chest": "Spine1",
        "upper_chest": "Spine2",
        "neck": "Neck",
        "head": "Head",
    }
    for side in ("left", "right"):
        for role, bone in {
            "shoulder": "Shoulder", "upper_arm": "Arm", "forearm": "ForeArm", "hand": "Hand", "thigh": "UpLeg",
            "shin": "Leg", "foot": "Foot", "toe": "ToeBase",
        }.items():  # fmt: skip
            names[f"{side}_{role}"] = side.capitalize() + bone
    return RigMap({role: prefix + bone for role, bone in names.items()}, "mixamo")


def written(tmp_path, **changes):
    data = {
        "schema": RIG_SCHEMA,
        "name": "Someone",
        "avatar": "someone.blend",
        "object": "Armature",
        "licence": "CC0-1.0",
        "author": "us",
        "rest": {"pose": "T", "facing": "-Y", "height_m": 1.7},
        "bones": dict(mixamo().bones),
    }
    data.update(changes)
    path = tmp_path / "someone" / "rig.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    return path


def test_a_right_file_is_read(tmp_path):
    rig = load_rig(written(tmp_path))
    assert rig.name == "Someone"
    assert rig.object_name == "Armature"
    assert rig.avatar == tmp_path / "someone" / "someone.blend"
    assert rig.map.bones["left_thigh"] == "mixamorig:LeftUpLeg"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"schema": "other/1"}, "schema"),
        ({"name": None}, '"name"'),
        ({"object": 3}, '"object"'),
        ({"licence": ""}, '"licence"'),
        ({"bones": []}, '"bones"'),
        ({"bones": {**mixamo().bones, "hips": 5}}, "hips"),
        ({"bones": {**mixamo().bones, "tail": "Tail"}}, "tail"),
        ({"bones": {r: b for r, b in mixamo().bones.items() if r != "left_shin"}}, "left_shin"),
        ({"bones": {**mixamo().bones, "left_shin": "mixamorig:Hips"}}, "two roles"),
        ({"rest": "T"}, '"rest"'),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path, changes, word):
    with pytest.raises(RigError) as caught:
        load_rig(written(tmp_path, **changes))
    assert "someone/rig.json" in caught.value.message
    assert word in caught.value.message
    assert caught.value.hint


def test_a_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(RigError, match=r"no file .*rig\.json"):
        load_rig(tmp_path / "rig.json")
    (tmp_path / "rig.json").write_text("{ not json")
    with pytest.raises(RigError, match="JSON"):
        load_rig(tmp_path / "rig.json")


@pytest.mark.parametrize("prefix", ["mixamorig:", "mixamorig7:", ""])
def test_namespaces_do_not_matter(prefix):
    wanted = mixamo(prefix)
    assert match_rig_map(list(wanted.bones.values()), [mixamo()]).bones == wanted.bones


def test_the_fullest_map_wins_and_roles_without_a_bone_are_left_out():
    whole = mixamo("")
    core = RigMap({role: whole.bones[role] for role in REQUIRED_ROLES}, "core")
    present = [bone for role, bone in whole.bones.items() if role != "left_toe"]
    found = match_rig_map(present, [core, whole])
    assert found.name == "mixamo"
    assert "left_toe" not in found.bones
    assert "right_toe" in found.bones


def test_a_rig_that_fits_nothing_is_told_what_it_lacks():
    bones = [bone for role, bone in mixamo("").bones.items() if role not in ("left_shin", "head")]
    with pytest.raises(RigError, match="head, left_shin"):
        match_rig_map(bones, [mixamo()])
    with pytest.raises(RigError, match="No rig is known"):
        match_rig_map(bones, [])


def test_every_role_is_in_the_one_list():
    assert set(REQUIRED_ROLES) < set(ROLES)
    assert len(REQUIRED_ROLES) == 15
    assert len(set(ROLES)) == len(ROLES)


@pytest.mark.parametrize("path", RIGS, ids=lambda path: path.parent.name)
def test_the_projects_own_rigs_are_right(path):
    rig = load_rig(path)
    assert rig.avatar.is_file()
    assert match_rig_map(list(rig.map.bones.values()), [load_rig(other).map for other in RIGS]).bones == rig.map.bones
