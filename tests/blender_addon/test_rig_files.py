"""Each rig folder keeps what its rig.json promises, on every Blender: bones, rest facts, a body that bends."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from blender_addon.core import rigmap
from rigs.figure.people import person_named
from rigs.figure.scene import build_avatar
from tests.blender_addon.armatures import vertices_m

RIGS = Path(__file__).resolve().parents[2] / "rigs"
RIG_FILES = sorted(RIGS.glob("*/rig.json"))
LARGEST_BYTES = 600_000
# How far the arm hangs at rest, from shoulder to wrist.
POSES_DEG = {"T": (-8.0, 8.0), "A": (20.0, 60.0), "A, elbows bent": (35.0, 65.0), "arms bent": (15.0, 45.0)}

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
    """(3,) world metres: where the role's bone begins at rest."""
    return np.array(armature.matrix_world @ armature.data.bones[rig.map.bones[role]].head_local)


def turn(rig: rigmap.Rig, armature: bpy.types.Object, role: str, axis: str, angle_deg: float) -> None:
    """Bend the role's bone about one of the world's axes."""
    bone = armature.pose.bones[rig.map.bones[role]]
    frame = armature.matrix_world.to_quaternion() @ bone.bone.matrix_local.to_quaternion()
    bone.rotation_mode = "QUATERNION"
    bone.rotation_quaternion = (
        frame.inverted() @ Matrix.Rotation(np.deg2rad(angle_deg), 3, axis).to_quaternion() @ frame
    )
    bpy.context.view_layer.update()


def test_there_are_six_rigs_with_names_of_six_families():
    maps = [rigmap.load_rig(path).map.bones for path in RIG_FILES]
    assert len(maps) >= 6
    for one, other in combinations(maps, 2):
        alike = [role for role in rigmap.REQUIRED_ROLES if one[role] == other[role]]
        assert set(alike) <= {"head", "spine"}


@every_rig
def test_the_avatar_is_small_and_brings_its_armature_at_the_origin(path):
    rig, armature, body = brought_in(path)
    assert rig.avatar.stat().st_size < LARGEST_BYTES
    assert armature.name == rig.object_name
    assert rig.licence == "CC0-1.0"
    assert np.allclose(armature.matrix_world.translation, 0.0)
    assert np.allclose(body.matrix_world, armature.matrix_world)
    assert armature.scale[0] == armature.scale[1] == armature.scale[2] > 0.0
    assert body.find_armature() == armature


@every_rig
def test_every_role_has_its_bone_in_the_order_of_the_body(path):
    rig, armature, _ = brought_in(path)
    rig.map.require((bone.name for bone in armature.data.bones), armature.name)
    assert set(rig.map.bones) >= set(rigmap.REQUIRED_ROLES)
    trunk = ("hips", "spine", "chest", "upper_chest", "neck", "head")
    limbs = [
        ("upper_chest", "*shoulder", "*upper_arm", "*forearm", "*hand", "*index_knuckle"),
        ("*hand", "*pinky_knuckle"),
        ("hips", "*thigh", "*shin", "*foot", "*toe"),
    ]
    sided = [[role.replace("*", f"{side}_") for role in limb] for limb in limbs for side in ("left", "right")]
    for roles in (trunk, *sided):
        for above, below in pairwise(roles):
            if above not in rig.map.bones or below not in rig.map.bones:
                continue
            upper, lower = (armature.data.bones[rig.map.bones[role]] for role in (above, below))
            assert upper in lower.parent_recursive, (above, below)


@every_rig
def test_the_rest_pose_is_as_stated(path):
    rig, armature, body = brought_in(path)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = joint(rig, armature, f"{side}_hand") - joint(rig, armature, f"{side}_upper_arm")
        down_deg = -np.rad2deg(np.arcsin(arm[2] / np.linalg.norm(arm)))
        low, high = POSES_DEG[rig.rest["pose"]]
        assert low < down_deg < high
        assert sign * arm[0] > 0.15 * rig.rest["height_m"]
        foot = joint(rig, armature, f"{side}_toe") - joint(rig, armature, f"{side}_foot")
        assert rig.rest["facing"] == "-Y"
        assert foot[1] < -0.04 * rig.rest["height_m"]
        knee = joint(rig, armature, f"{side}_shin")
        straight = 0.5 * (joint(rig, armature, f"{side}_thigh") + joint(rig, armature, f"{side}_foot"))
        assert knee[1] < straight[1] - 0.002 * rig.rest["height_m"], (
            "the knee is a little bent, so that its plane is known"
        )
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
@pytest.mark.parametrize(
    ("role", "axis", "angle_deg"),
    [
        ("left_forearm", "Z", -80.0),
        ("left_shin", "X", 90.0),
        ("left_thigh", "X", -80.0),
        ("left_upper_arm", "Y", -70.0),
        ("head", "X", 45.0),
    ],
)
def test_a_bent_joint_moves_its_own_part_and_tears_nothing(path, role, axis, angle_deg):
    rig, armature, body = brought_in(path)
    before = vertices_m(body)
    turn(rig, armature, role, axis, angle_deg)
    after = vertices_m(body)
    moved = np.linalg.norm(after - before, axis=1) > 0.002
    assert moved.any()
    if role.startswith("left_"):
        assert not moved[before[:, 0] < -0.07 * rig.rest["height_m"]].any()
    edges = np.array([edge.vertices[:] for edge in body.data.edges])
    lengths = [np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1) for points in (before, after)]
    assert lengths[0].min() > 0.0
    assert np.percentile(lengths[1] / lengths[0], 99.9) < 3.0
    assert lengths[1].max() < 0.06 * rig.rest["height_m"]


def test_the_script_builds_the_avatar_that_is_kept():
    """Vertex for vertex, to one step of rounding; the weights to two of their 64 steps."""
    kept = [seen for _, _, body in [brought_in(RIGS / "mira" / "rig.json")] for seen in shape_of(body)]
    person = person_named("mira")
    armature, _ = build_avatar(person)
    (body,) = armature.children
    built = shape_of(body)
    assert kept[0].shape == built[0].shape
    assert np.abs(kept[0] - built[0]).max() <= 1.01 / 4096
    assert np.array_equal(kept[1], built[1])
    assert np.abs(kept[2] - built[2]).max() <= 2.01 / 64


def shape_of(body: bpy.types.Object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (V, 3) in the body's own units, quads (F, 4), weights (V, G), groups by name."""
    mesh = body.data
    places = np.array([vertex.co[:] for vertex in mesh.vertices])
    quads = np.array([face.vertices[:] for face in mesh.polygons])
    order = {group.index: place for place, group in enumerate(sorted(body.vertex_groups, key=lambda g: g.name))}
    weights = np.zeros((len(places), len(order)))
    for vertex in mesh.vertices:
        for element in vertex.groups:
            weights[vertex.index, order[element.group]] = element.weight
    return places, quads, weights


def test_the_avatars_differ_in_build():
    builds = {}
    for path in RIG_FILES:
        rig, armature, body = brought_in(path)
        heads = {role: joint(rig, armature, role) for role in rig.map.bones}
        arm_m = sum(
            np.linalg.norm(heads[f"left_{b}"] - heads[f"left_{a}"])
            for a, b in (("upper_arm", "forearm"), ("forearm", "hand"))
        )
        points = vertices_m(body)
        waist = points[np.abs(points[:, 2] - heads["spine"][2]) < 0.03 * rig.rest["height_m"]]
        belly_m = np.ptp(waist[:, 1])
        head_m = rig.rest["height_m"] - heads["head"][2]
        sizes = [arm_m, belly_m, head_m, heads["left_thigh"][2], 2 * heads["left_upper_arm"][0]]
        builds[rig.name] = np.array([rig.rest["height_m"], *(size / rig.rest["height_m"] for size in sizes)])
    for one, other in combinations(builds, 2):
        assert np.abs(np.log(builds[one] / builds[other])).max() > np.log(1.15), (one, other)
