"""Each rig folder keeps what its rig.json promises, on every Blender: bones, rest facts, a body that bends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_addon.core import rigmap

RIGS = Path(__file__).resolve().parents[2] / "rigs"
RIG_FILES = sorted(RIGS.glob("*/rig.json"))
LARGEST_BYTES = 600_000

every_rig = pytest.mark.parametrize("path", RIG_FILES, ids=lambda path: path.parent.name)


def brought_in(path: Path) -> tuple[rigmap.Rig, bpy.types.Object, bpy.types.Object]:
    """The rig, its armature and its body, appended to the empty scene."""
    rig = rigmap.load_rig(path)
    with bpy.data.libraries.load(str(rig.avatar), link=False) as (source, wanted):
        wanted.objects = list(source.objects)
    for thing in wanted.objects:
        bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.update()
    (armature,) = (thing for thing in wanted.objects if thing.type == "ARMATURE")
    (body,) = (thing for thing in wanted.objects if thing.type == "MESH")
    return rig, armature, body


def joint(rig: rigmap.Rig, armature: bpy.types.Object, role: str) -> np.ndarray:
    """(3,) metres: where the role's bone begins at rest."""
    return np.array(armature.data.bones[rig.map.bones[role]].head_local)


def vertices_m(body: bpy.types.Object) -> np.ndarray:
    """(V, 3) world metres, as posed."""
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(3 * len(evaluated.data.vertices), dtype=np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world)
    return flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def turn(rig: rigmap.Rig, armature: bpy.types.Object, role: str, axis: str, angle_deg: float) -> None:
    bone = armature.pose.bones[rig.map.bones[role]]
    bone.rotation_mode = "XYZ"
    setattr(bone.rotation_euler, axis, np.deg2rad(angle_deg))
    bpy.context.view_layer.update()


def test_there_are_two_rigs_with_names_of_two_families():
    names = [set(rigmap.load_rig(path).map.bones.values()) for path in RIG_FILES]
    assert len(names) >= 2
    assert not names[0] & names[1]


@every_rig
def test_the_avatar_is_small_and_brings_its_armature_at_the_origin(path):
    rig, armature, body = brought_in(path)
    assert rig.avatar.stat().st_size < LARGEST_BYTES
    assert armature.name == rig.object_name
    assert rig.licence == "CC0-1.0"
    assert np.allclose(armature.matrix_world, np.eye(4))
    assert np.allclose(body.matrix_world, np.eye(4))
    assert body.find_armature() == armature


@every_rig
def test_every_role_has_its_bone_in_the_order_of_the_body(path):
    rig, armature, _ = brought_in(path)
    rig.map.require((bone.name for bone in armature.data.bones), armature.name)
    assert set(rig.map.bones) == set(rigmap.ROLES)
    trunk = ("hips", "spine", "chest", "upper_chest", "neck", "head")
    limbs = [
        ("upper_chest", "*shoulder", "*upper_arm", "*forearm", "*hand", "*index_knuckle"),
        ("*hand", "*pinky_knuckle"),
        ("hips", "*thigh", "*shin", "*foot", "*toe"),
    ]
    sided = [[role.replace("*", f"{side}_") for role in limb] for limb in limbs for side in ("left", "right")]
    for roles in (trunk, *sided):
        for above, below in pairwise(roles):
            upper, lower = (armature.data.bones[rig.map.bones[role]] for role in (above, below))
            assert upper in lower.parent_recursive, (above, below)


@every_rig
def test_the_rest_pose_is_as_stated(path):
    rig, armature, body = brought_in(path)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = joint(rig, armature, f"{side}_hand") - joint(rig, armature, f"{side}_upper_arm")
        down_deg = -np.rad2deg(np.arcsin(arm[2] / np.linalg.norm(arm)))
        low, high = {"T": (-8.0, 8.0), "A": (20.0, 60.0)}[rig.rest["pose"]]
        assert low < down_deg < high
        assert sign * arm[0] > 0.3
        foot = joint(rig, armature, f"{side}_toe") - joint(rig, armature, f"{side}_foot")
        assert rig.rest["facing"] == "-Y"
        assert foot[1] < -0.06
        knee = joint(rig, armature, f"{side}_shin")
        straight = 0.5 * (joint(rig, armature, f"{side}_thigh") + joint(rig, armature, f"{side}_foot"))
        assert knee[1] < straight[1] - 0.005, "the knee is a little bent, so that its plane is known"
    points = vertices_m(body)
    assert abs(points[:, 2].min()) < 0.005
    assert points[:, 2].max() == pytest.approx(rig.rest["height_m"], abs=0.02)


@every_rig
def test_both_sides_mirror_each_other(path):
    rig, armature, body = brought_in(path)
    for role in rig.map.bones:
        if role.startswith("left_"):
            left, right = joint(rig, armature, role), joint(rig, armature, role.replace("left_", "right_"))
            assert np.allclose(left * [-1, 1, 1], right, atol=1e-5)
    points = vertices_m(body)
    assert np.allclose(points[:, 0].max(), -points[:, 0].min(), atol=2e-3)


@every_rig
def test_every_vertex_hangs_on_bones_with_weights_that_sum_to_one(path):
    _, armature, body = brought_in(path)
    groups = [group.name for group in body.vertex_groups]
    assert set(groups) <= {bone.name for bone in armature.data.bones if bone.use_deform}
    for vertex in body.data.vertices:
        weights = [element.weight for element in vertex.groups]
        assert sum(weights) == pytest.approx(1.0, abs=1e-4)
        assert len(weights) <= 4


@every_rig
def test_the_clothes_are_told_apart_by_colour(path):
    _, _, body = brought_in(path)
    colours = {slot.material.name.rpartition("_")[2]: slot.material.diffuse_color[:3] for slot in body.material_slots}
    wanted = [np.array(colours[part]) for part in ("skin", "hair", "shirt", "trousers", "shoes")]
    for number, colour in enumerate(wanted):
        for other in wanted[number + 1 :]:
            assert np.abs(colour - other).max() > 0.02


@every_rig
@pytest.mark.parametrize("role", ["left_forearm", "left_shin", "left_thigh", "left_upper_arm", "head"])
def test_a_bent_joint_moves_its_own_part_and_tears_nothing(path, role):
    rig, armature, body = brought_in(path)
    before = vertices_m(body)
    turn(rig, armature, role, "x", -70.0)
    after = vertices_m(body)
    moved = np.linalg.norm(after - before, axis=1) > 0.002
    assert moved.any()
    if role.startswith("left_"):
        assert not moved[before[:, 0] < -0.12].any()
    edges = np.array([edge.vertices[:] for edge in body.data.edges])
    lengths = [np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1) for points in (before, after)]
    assert np.percentile(lengths[1] / lengths[0], 99.9) < 3.0
    assert lengths[1].max() < 0.12


def test_the_avatars_differ_in_build():
    shapes = []
    for path in RIG_FILES[:2]:
        rig, armature, _ = brought_in(path)
        heads = {role: joint(rig, armature, role) for role in rig.map.bones}
        legs_m = heads["left_thigh"][2]
        shoulders_m = 2 * heads["left_upper_arm"][0]
        shapes.append((legs_m / rig.rest["height_m"], shoulders_m / rig.rest["height_m"]))
    (first_legs, first_shoulders), (other_legs, other_shoulders) = shapes
    assert abs(first_shoulders - other_shoulders) / first_shoulders > 0.15
    assert abs(first_legs - other_legs) > 0.015
