"""The avatars' bones and weights, before Blender: whole rigs, mirrored, and weights that follow the body."""

import numpy as np
import pytest

from rigs.figure.body import Body
from rigs.figure.bones import bones_of, role_bones
from rigs.figure.joints import joints_of, landmarks_of
from rigs.figure.people import PEOPLE
from rigs.figure.skin import strongest, weights_of

every_person = pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)


@every_person
def test_bones_come_after_their_parents_and_have_a_length(person):
    bones = bones_of(person, joints_of(person))
    names = [bone.name for bone in bones]
    assert len(set(names)) == len(names) == 65
    for number, bone in enumerate(bones):
        assert bone.parent is None or bone.parent in names[:number]
        assert np.linalg.norm(bone.tail_m - bone.head_m) > 0.005


@every_person
def test_the_map_names_each_bone_once(person):
    mapped = list(role_bones(bones_of(person, joints_of(person))).values())
    assert len(set(mapped)) == len(mapped) == 26


@every_person
def test_landmarks_lie_on_the_body(person):
    body = Body(person, joints_of(person))
    whole = np.min(
        [shape(np.array([p for _, p in landmarks_of(person).values()])) for shape in body.by_role().values()], 0
    )
    outside = dict(zip(landmarks_of(person), whole, strict=True))
    assert max(outside.values()) < 0.03, outside


@every_person
def test_a_joint_is_shared_by_its_two_bones_and_the_middle_of_a_bone_is_its_own(person):
    joints = joints_of(person)
    body = Body(person, joints)
    pairs = {"forearm": ("elbow", "wrist", "upper_arm"), "shin": ("knee", "ankle", "thigh")}
    for role, (start, end, above) in pairs.items():
        joint, middle = joints[f"left_{start}"], 0.5 * (joints[f"left_{start}"] + joints[f"left_{end}"])
        roles, weights = weights_of(body, np.stack([joint, middle]))
        own, upper = roles.index(f"left_{role}"), roles.index(f"left_{above}")
        assert 0.25 < weights[0, own] < 0.75
        assert weights[0, own] + weights[0, upper] > 0.95
        assert weights[1, own] > 0.9


@every_person
def test_weights_of_one_side_leave_the_other_alone(person):
    joints = joints_of(person)
    knuckles = np.stack([joints[f"left_{finger}_2"] for finger in ("index", "middle", "ring", "pinky")])
    roles, weights = weights_of(Body(person, joints), knuckles)
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert weights[:, [roles.index(role) for role in roles if role.startswith("right_")]].max() == 0.0
    for row, finger in enumerate(("index", "middle", "ring", "pinky")):
        own = [roles.index(f"left_{finger}_{n}") for n in (1, 2, 3)]
        assert weights[row, own].sum() > 0.8


def test_the_strongest_weights_are_few_and_sum_to_one():
    weights = np.random.default_rng(5).dirichlet(np.full(12, 0.4), size=300)
    kept = strongest(weights)
    assert np.array_equal(kept.sum(axis=1), np.ones(300))
    assert (kept > 0).sum(axis=1).max() <= 4
    strongest_kept = np.take_along_axis(kept, weights.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert np.all(strongest_kept >= kept.max(axis=1) - 1 / 64)
