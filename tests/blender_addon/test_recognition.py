"""In Blender itself: other people's rigs and Rigify's are recognised as they are imported; saved maps win."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_addon import rigs, session
from blender_addon.core import errors, rigmap
from blender_addon.rig_files import import_armatures
from blender_addon.rig_table import Row, judge, load_truth, main, table

from .addon import make_armature, switched_on
from .armatures import evaluated_heads, t_pose
from .rigs_in_reach import reads_gltf
from .test_panels import draw
from .test_session import waving_motion

__all__ = ["switched_on"]

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
TRUTH = ROOT / "tests/data/rig_truth.json"
# One take of each naming there is.
TAKES = (
    "cmuasf_02_01",
    "cmudaz_martial_04",
    "cmufbx_55_01",
    "cmuiclone_006_01",
    "cmutxt_jumping_e01",
    "fair1_zombie_01",
)
_GLTF = (
    "rigs/cc0_kaykit/kaykit_Knight.glb",
    "rigs/cc0_mesh2motion/m2m_human-male.glb",
    "rigs/cc0_mesh2motion/m2m_human-zombie.glb",
    "rigs/cc0_quaternius/quat_modular_men_Adventurer.glb",
)
OTHERS = [
    *(_GLTF if reads_gltf() else ()),
    *(
        f"rigs/cc0_makehuman_mpfb/rig.{name}.json"
        for name in ("default", "game_engine", "mixamo", "mixamo_unity", "cmu_mb", "human_toes", "openpose")
    ),
    *(f"mocap/{name}.bvh" for name in TAKES),
]

shared_is_there = pytest.mark.skipif(not SHARED.is_dir(), reason="other people's rigs are not beside the repository")


@pytest.fixture
def own_folder(monkeypatch, tmp_path) -> Path:
    """An empty folder as the user's own rigs."""
    folder = tmp_path / "own rigs"
    monkeypatch.setattr(rigs, "user_rigs_dir", lambda: folder)
    return folder


@shared_is_there
@pytest.mark.parametrize("source", OTHERS, ids=lambda source: Path(source).name)
def test_other_peoples_rigs_are_right_in_every_role(source):
    (armature,) = import_armatures(str(SHARED / source))
    row = judge(armature, source, load_truth(TRUTH))
    assert row.wrong == (), row


@pytest.mark.parametrize("kind", ["human", "basic_human", "basic_human:generated"])
def test_rigifys_rigs_are_right_in_every_role(kind):
    (armature,) = import_armatures(f"rigify:{kind}")
    row = judge(armature, f"rigify:{kind}", load_truth(TRUTH))
    assert row.complete
    assert row.wrong == (), row


@pytest.mark.parametrize("kind", ["basic_quadruped", "cat", "horse", "wolf", "bird", "shark"])
def test_rigifys_animals_are_refused(kind):
    (armature,) = import_armatures(f"rigify:{kind}")
    row = judge(armature, f"rigify:{kind}", load_truth(TRUTH))
    assert row.wrong == (), row
    with pytest.raises(errors.RigError):
        rigs.map_of_armature(armature)


def test_the_switches_of_a_generated_rig_are_properties_it_has():
    (armature,) = import_armatures("rigify:basic_human:generated")
    switches = rigs.recognise_armature(armature).switches
    assert len(switches) == 6
    for switch in switches:
        assert switch.property in armature.pose.bones[switch.bone]


def test_the_avatars_are_recognised_without_their_rig_json_too():
    for rig in rigs.list_rigs():
        armature = rigs.append_avatar(rig, bpy.context.scene)
        assert judge(armature, str(rig.avatar), []).wrong == ()


def nameless_person() -> tuple[bpy.types.Object, dict[str, str]]:
    """A T-pose whose bones are called b0, b1 ...; and its roles."""
    armature, rig_map = t_pose()
    names = {bone.name: f"b{number}" for number, bone in enumerate(armature.data.bones)}
    for old, new in names.items():
        armature.data.bones[old].name = new
    return armature, {role: names[bone] for role, bone in rig_map.bones.items()}


def test_a_motion_moves_a_rig_whose_names_say_nothing_as_it_moves_one_that_is_described(
    switched_on, own_folder, tmp_path
):
    (tmp_path / "film.mp4").write_text("")
    described, rig_map = t_pose()
    assert rigs.map_of_armature(described).bones == rig_map.bones
    nameless, roles = nameless_person()
    moved = []
    for armature, bones in ((described, rig_map.bones), (nameless, roles)):
        request = session.Request(tmp_path / "film.mp4", session.RigChoice(armature=armature.name))
        session.check(request, bpy.context.scene)
        applied = session.apply_capture(request, waving_motion(1.0), bpy.context.scene)
        heads = [evaluated_heads(armature, frame) for frame in (1, applied.last_frame // 2)]
        moved.append(np.array([[at[bones[role]] for role in rigmap.REQUIRED_ROLES] for at in heads]))
    assert np.abs(moved[0] - moved[1]).max() < 1e-4
    assert np.abs(moved[0][0] - moved[0][1]).max() > 0.005


def test_a_saved_map_wins_for_every_armature_with_these_bones_and_for_no_other(switched_on, own_folder):
    armature, roles = nameless_person()
    corrected = {**roles, "spine": roles["chest"], "chest": roles["spine"]}
    path = rigs.save_map(armature, corrected)
    assert path.parent.parent == own_folder
    assert rigs.map_of_armature(armature).bones == corrected
    armature.name = "somebody else"
    assert rigs.map_of_armature(armature).bones == corrected
    armature.data.bones[roles["head"]].name = "another head"
    assert rigs.map_of_armature(armature).bones["spine"] == roles["spine"]


def test_saving_again_replaces_and_another_rig_of_the_same_name_gets_its_own_file(switched_on, own_folder):
    armature, roles = nameless_person()
    first = rigs.save_map(armature, roles)
    assert rigs.save_map(armature, roles) == first
    other, rig_map = t_pose()
    armature.name, other.name = "old", first.parent.name
    second = rigs.save_map(other, rig_map.bones)
    assert second != first
    assert rigmap.load_rig(first).map.bones == roles
    assert rigmap.load_rig(second).map.bones == rig_map.bones


def test_a_map_with_holes_or_strange_bones_is_not_saved(switched_on, own_folder):
    armature, roles = nameless_person()
    with pytest.raises(errors.RigError, match="lacks head"):
        rigs.save_map(armature, {role: bone for role, bone in roles.items() if role != "head"})
    with pytest.raises(errors.RigError, match="no bone nose"):
        rigs.save_map(armature, {**roles, "head": "nose"})
    assert not own_folder.exists()


def test_a_wrong_file_of_an_armatures_own_is_named_and_one_of_others_passed_over(switched_on, own_folder):
    armature, roles = nameless_person()
    path = rigs.save_map(armature, roles)
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "bones": {**data["bones"], "tail": "b1"}}))
    with pytest.raises(errors.RigError, match=r"rig\.json.*tail"):
        rigs.map_of_armature(armature)
    armature.name = "somebody else"
    assert rigs.map_of_armature(armature).bones["hips"] == roles["hips"]


def test_an_avatar_of_the_users_own_is_found_and_a_bare_map_is_no_avatar(switched_on, own_folder):
    shutil.copytree(rigs.list_rigs()[0].avatar.parent, own_folder / "twin")
    path = own_folder / "twin" / "rig.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "twin"}))
    assert rigs.append_avatar(rigs.find_rig("twin"), bpy.context.scene).type == "ARMATURE"
    armature, roles = nameless_person()
    rigs.save_map(armature, roles)
    with pytest.raises(errors.RigError, match="without an avatar"):
        rigs.load_avatar(rigs.find_rig(armature.name))


def test_the_users_folder_is_in_blenders_own_folder_for_users():
    user = Path(bpy.utils.resource_path("USER"))
    assert rigs.user_rigs_dir().resolve().is_relative_to(user.resolve().parent)


def test_the_panel_lists_the_roles_when_an_armature_is_chosen(switched_on, own_folder):
    settings = bpy.context.scene.atcn
    settings.target = "ARMATURE"
    settings.armature, _ = t_pose()
    assert settings.family == "Mixamo"
    assert not settings.show_roles
    assert [role.name for role in settings.roles] == list(rigmap.ROLES)
    drawn = draw()
    assert ("prop", "show_roles") in drawn
    assert not [text for kind, text in drawn if kind == "search"]
    settings.show_roles = True
    drawn = draw()
    assert [kind for kind, _ in drawn].count("search") == len(rigmap.ROLES)
    assert {("operator", "atcn.recognise_rig"), ("operator", "atcn.save_rig_map")} <= set(drawn)


def test_what_is_open_is_shown_named_by_the_user_saved_and_used(switched_on, own_folder):
    armature, rig_map = t_pose()
    for role in ("head", "neck"):  # nothing above the shoulders that a head could be
        armature.data.bones[rig_map.bones[role]].name = f"object {role}"
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name in ("object head", "object neck"):
        armature.data.edit_bones[name].parent = armature.data.edit_bones[rig_map.bones["left_hand"]]
    bpy.ops.object.mode_set(mode="OBJECT")
    settings = bpy.context.scene.atcn
    settings.target, settings.armature = "ARMATURE", armature
    assert settings.show_roles
    assert ("label", "No bone has its name or its place") in draw()
    with pytest.raises(errors.RigError, match="head"):
        rigs.map_of_armature(armature)
    with pytest.raises(RuntimeError, match="head"):
        bpy.ops.atcn.save_rig_map()
    for role in settings.roles:
        role.bone = rig_map.bones.get(role.name, "") if role.name != "head" else "object head"
    settings.roles["neck"].bone = ""
    assert bpy.ops.atcn.save_rig_map() == {"FINISHED"}
    assert rigs.map_of_armature(armature).bones["head"] == "object head"
    assert not settings.show_roles
    assert bpy.ops.atcn.recognise_rig() == {"FINISHED"}
    assert {role.reason for role in settings.roles} == {f"by the rig map {armature.name}"}


def test_a_doubtful_bone_that_nobody_needs_is_not_saved_unless_the_user_chose_it(switched_on, own_folder):
    settings = bpy.context.scene.atcn
    settings.armature, rig_map = t_pose()
    toe = settings.roles["left_toe"]
    toe.state = "doubtful"
    assert bpy.ops.atcn.save_rig_map() == {"FINISHED"}
    assert "left_toe" not in rigs.map_of_armature(settings.armature).bones
    settings.roles["left_toe"].bone = rig_map.bones["left_toe"]
    assert bpy.ops.atcn.save_rig_map() == {"FINISHED"}
    assert rigs.map_of_armature(settings.armature).bones["left_toe"] == rig_map.bones["left_toe"]


def test_the_table_ends_with_one_where_a_role_is_wrong(tmp_path, capsys):
    truth = json.loads(TRUTH.read_text())
    entry = next(rig for rig in truth["rigs"] if rig["files"] == "rigify:basic_human")
    entry["bones"]["left_hand"] = "forearm.L"
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({**truth, "rigs": [entry]}))
    assert main(["rigify:basic_human", "--truth", str(path)]) == 1
    assert "| left_hand |" in capsys.readouterr().out
    assert main(["rigify:basic_human", "--truth", str(TRUTH)]) == 0
    assert main([str(tmp_path / "missing.glb")]) == 1
    path.write_text("{}")
    with pytest.raises(errors.RigError, match="no truth file"):
        load_truth(path)


def test_the_table_is_markdown():
    rows = [Row("a.glb", 3, "", False, 2, None, 0.01, "too few"), Row("b.glb", 30, "VRM", True, 20, (), 0.02)]
    lines = table(rows).splitlines()
    assert {line.count("|") for line in lines} == {8}
    assert "not recognised" in lines[2]
    assert "| none |" in lines[3]


def test_two_bones_on_a_stick_are_answered_with_what_is_missing(switched_on, own_folder):
    with pytest.raises(errors.RigError, match="left_forearm") as caught:
        rigs.map_of_armature(make_armature("sticks", ["hips", "spine"]))
    assert "panel" in caught.value.hint
