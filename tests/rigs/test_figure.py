"""The avatars' bones and weights, before Blender: whole rigs, mirrored, and weights that follow the body."""

import numpy as np
import pytest

from rigs.figure.body import Body
from rigs.figure.bones import bones_of, role_bones
from rigs.figure.joints import joints_of, landmarks_of
from rigs.figure.people import BRUNO, GORM, OTTO, PEOPLE, PIP
from rigs.figure.person import Person, resized
from rigs.figure.skin import carried_by, strongest, weights_of

every_person = pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)


@every_person
def test_bones_come_after_their_parents_and_have_a_length(person):
    bones = bones_of(person, joints_of(person))
    names = [bone.name for bone in bones]
    assert len(set(names)) == len(names)
    for number, bone in enumerate(bones):
        assert bone.parent is None or bone.parent in names[:number]
        assert np.linalg.norm(bone.tail_m - bone.head_m) > 0.005


@every_person
def test_the_map_names_each_bone_once(person):
    mapped = list(role_bones(bones_of(person, joints_of(person))).values())
    assert len(set(mapped)) == len(mapped) == (18 if person.naming == "kaykit" else 26)


@every_person
def test_landmarks_lie_on_the_body(person):
    body = Body(person, joints_of(person))
    whole = np.min(
        [shape(np.array([p for _, p in landmarks_of(person).values()])) for shape in body.by_role().values()], 0
    )
    outside = dict(zip(landmarks_of(person), whole, strict=True))
    assert max(outside.values()) < 0.03 * person.height_m / 1.7, outside


@pytest.fixture(scope="module", params=[BRUNO, PIP], ids=lambda person: person.name)
def weighed(request):
    """A person's joints and, by role, the weights of points: elbow, mid forearm, knee, mid shin, then the fingers."""
    joints = joints_of(request.param)
    names = (("elbow", "wrist"), ("knee", "ankle"))
    points = [p for a, b in names for p in (joints[f"left_{a}"], 0.5 * (joints[f"left_{a}"] + joints[f"left_{b}"]))]
    points += [joints[f"left_{finger}_2"] for finger in request.param.fingers]
    roles, weights = weights_of(Body(request.param, joints), np.stack(points))
    return request.param, dict(zip(roles, weights.T, strict=True))


def test_a_joint_is_shared_by_its_two_bones_and_the_middle_of_a_bone_is_its_own(weighed):
    _, weights = weighed
    for joint, own, above in ((0, "left_forearm", "left_upper_arm"), (2, "left_shin", "left_thigh")):
        assert 0.2 < weights[own][joint] < 0.8
        assert weights[own][joint] + weights[above][joint] > 0.95
        assert weights[own][joint + 1] > 0.85


def test_weights_of_one_side_leave_the_other_alone(weighed):
    person, weights = weighed
    assert np.allclose(sum(weights.values()), 1.0)
    assert max(column[4:].max() for role, column in weights.items() if role.startswith("right_")) == 0.0
    for row, finger in enumerate(person.fingers, start=4):
        assert sum(weights[f"left_{finger}_{n}"][row] for n in (1, 2, 3)) > 0.75


def on_one_role_each(person: Person) -> tuple[Body, list[str]]:
    body = Body(person, joints_of(person))
    return body, list(body.by_role())


@every_person
def test_weights_go_to_bones_that_the_rig_has_and_none_is_lost(person):
    body, roles = on_one_role_each(person)
    rig_roles = {bone.role for bone in bones_of(person, body.joints) if bone.role}
    points = np.stack([body.joints["chest"]] * len(roles))
    found, weights = carried_by(rig_roles, roles, np.eye(len(roles)), body, points)
    assert set(found) <= rig_roles
    assert np.allclose(weights.sum(axis=1), 1.0)


def test_what_a_rig_without_neck_collar_bones_and_fingers_cannot_carry_goes_to_the_next_bone():
    body, roles = on_one_role_each(PIP)
    rig_roles = {bone.role for bone in bones_of(PIP, body.joints) if bone.role}
    found, weights = carried_by(rig_roles, roles, np.eye(len(roles)), body, np.zeros((len(roles), 3)))
    carrier = {role: found[int(row.argmax())] for role, row in zip(roles, weights, strict=True)}
    assert carrier["neck"] == "head"
    assert carrier["left_shoulder"] == carrier["upper_chest"] == "chest"
    assert carrier["right_index_2"] == "right_hand"


def test_a_limb_s_end_hangs_on_its_twist_bone_and_its_bend_on_the_limb_itself():
    body, roles = on_one_role_each(GORM)
    rig_roles = {bone.role for bone in bones_of(GORM, body.joints) if bone.role}
    elbow, wrist = body.joints["left_elbow"], body.joints["left_wrist"]
    points = np.stack([elbow + share * (wrist - elbow) for share in (0.1, 0.5, 0.9)])
    on_forearm = np.tile(np.eye(len(roles))[roles.index("left_forearm")], (3, 1))
    found, weights = carried_by(rig_roles, roles, on_forearm, body, points)
    twist = weights[:, found.index("left_forearm_twist")]
    assert twist[0] == 0.0
    assert 0.2 < twist[1] < 0.8
    assert twist[2] == 1.0


def test_a_resized_person_is_the_same_person_larger():
    joints, larger = joints_of(OTTO), joints_of(resized(OTTO, 1.5))
    for name, place in joints.items():
        assert np.allclose(larger[name], 1.5 * place), name


def test_unreal_s_right_bones_have_all_axes_of_the_left_mirrored_and_reversed():
    bones = {bone.name: bone for bone in bones_of(GORM, joints_of(GORM))}
    left, right = bones["lowerarm_l"], bones["lowerarm_r"]
    assert left.z_axis is not None
    assert right.z_axis is not None
    along = bones["hand_l"].head_m - left.head_m
    assert abs((left.tail_m - left.head_m) @ along) < 1e-9, "the bone lies across its limb"
    flip = np.array([-1.0, 1.0, 1.0])
    assert np.allclose(right.tail_m - right.head_m, -flip * (left.tail_m - left.head_m))
    assert np.allclose(right.z_axis, -flip * left.z_axis)


def test_the_strongest_weights_are_few_and_sum_to_one():
    weights = np.random.default_rng(5).dirichlet(np.full(12, 0.4), size=300)
    kept = strongest(weights)
    assert np.array_equal(kept.sum(axis=1), np.ones(300))
    assert (kept > 0).sum(axis=1).max() <= 4
    strongest_kept = np.take_along_axis(kept, weights.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert np.all(strongest_kept >= kept.max(axis=1) - 1 / 64)
