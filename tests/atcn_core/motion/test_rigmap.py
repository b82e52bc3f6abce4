"""Maps are found as a whole, and every wrong rig.json is refused with its file and key."""

import json
from pathlib import Path

import pytest

from atcn_core.errors import OutputError, RigError
from atcn_core.motion.rigmap import REQUIRED_ROLES, RIG_SCHEMA, ROLES, Rig, RigMap, fitting_map, load_rig, save_rig

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
        ({"avatar": None}, '"avatar"'),
        ({"object": None}, '"object"'),
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
    assert fitting_map(list(wanted.bones.values()), [mixamo()]).bones == wanted.bones


def test_the_first_map_wins_whose_bones_are_all_there():
    whole = mixamo("")
    core = RigMap({role: whole.bones[role] for role in REQUIRED_ROLES}, "core")
    bones = list(whole.bones.values())
    assert fitting_map(bones, [whole, core]).name == "mixamo"
    assert fitting_map(bones, [core, whole]).name == "core"
    without_toe = [bone for bone in bones if bone != "LeftToeBase"]
    assert fitting_map(without_toe, [whole, core]).name == "core"
    assert fitting_map(without_toe, [whole]) is None
    assert fitting_map(bones, []) is None


def test_two_bones_that_differ_in_case_alone_are_told_apart():
    shouting = {role: bone.upper() if role == "head" else bone for role, bone in mixamo("").bones.items()}
    assert fitting_map([*shouting.values(), "Head"], [RigMap(shouting)]).bones == shouting


def test_a_map_without_an_avatar_is_written_and_read_back(tmp_path):
    rig = Rig("Someone", mixamo(), author="them", rest={"pose": "T"})
    path = tmp_path / "new" / "folder" / "rig.json"
    save_rig(path, rig)
    assert load_rig(path) == Rig("Someone", RigMap(mixamo().bones, "Someone"), author="them", rest={"pose": "T"})
    assert [file.name for file in path.parent.iterdir()] == ["rig.json"]
    assert json.loads(path.read_text())["schema"] == RIG_SCHEMA


def test_a_map_with_an_avatar_is_written_and_read_back(tmp_path):
    rig = load_rig(written(tmp_path))
    save_rig(tmp_path / "someone" / "rig.json", rig)
    assert load_rig(tmp_path / "someone" / "rig.json") == rig


def test_a_map_that_cannot_be_written_is_told_of_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_rig(tmp_path / "file" / "rig.json", Rig("Someone", mixamo()))
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_every_role_is_in_the_one_list():
    assert set(REQUIRED_ROLES) < set(ROLES)
    assert len(REQUIRED_ROLES) == 15
    assert len(set(ROLES)) == len(ROLES)


@pytest.mark.parametrize("path", RIGS, ids=lambda path: path.parent.name)
def test_the_projects_own_rigs_are_right(path):
    rig = load_rig(path)
    assert rig.avatar.is_file()
    assert fitting_map(list(rig.map.bones.values()), [load_rig(other).map for other in RIGS]).bones == rig.map.bones
