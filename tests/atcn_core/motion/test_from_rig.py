"""Skeletons in motion against a person whose every joint and turn is known."""

import dataclasses

import numpy as np
import pytest

from atcn_core.errors import MotionError, RigError
from atcn_core.motion import limbs
from atcn_core.motion.from_rig import RigMotion, joints_of_rig, trimmed
from atcn_core.motion.landmarks import motion_landmarks
from atcn_core.motion.rig_rest import RigRest
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import quat_to_matrix
from atcn_core.skeleton import LIMB_12
from tests.atcn_core.motion.person_as_rig import HEADS, person_as_rig
from tests.moving_person import Person, dancing, posed


def from_first_hip(motion: WorldMotion | Person, joint: str) -> np.ndarray:
    points = motion.points if isinstance(motion, WorldMotion) else motion.point
    return points(joint) - points("hip")[:1]


def largest_deg(first: np.ndarray, second: np.ndarray) -> float:
    """The largest turn between two rows of frames (T, 3, 3)."""
    cosine = (np.trace(np.swapaxes(first, -1, -2) @ second, axis1=-2, axis2=-1) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())


def test_limb_joints_are_where_the_bones_are_and_the_feet_on_the_floor():
    person = dancing(1.0, seed=3)
    motion = joints_of_rig(*person_as_rig(person))
    for joint in (*LIMB_12, "hip", "thorax"):
        apart = from_first_hip(motion, joint) - from_first_hip(person, joint)
        assert np.abs(apart).max() < 1e-9, joint
    assert np.abs(motion.points("hip")[0, :2]).max() < 1e-12
    lowest_m = min(
        motion.points(f"{side}_{part}")[:, 2].min() for side in ("left", "right") for part in ("heel", "toe")
    )
    assert abs(lowest_m) < 0.02


def test_head_hands_and_feet_are_turned_as_the_bones_are():
    person = dancing(1.0, seed=4)
    body, true = (motion_landmarks(motion) for motion in (joints_of_rig(*person_as_rig(person)), person.motion()))
    assert largest_deg(limbs.head_frame(body), limbs.head_frame(true)) < 0.2
    for side in ("left", "right"):
        assert largest_deg(limbs.hand_frame(body, side), limbs.hand_frame(true, side)) < 1e-4
        turn = quat_to_matrix(person.turns[f"{side}_foot"])
        assert np.abs(body.between(f"{side}_heel", f"{side}_toe") - turn @ [0.0, -1.0, 0.0]).max() < 1e-9
        leg_m = np.linalg.norm(person.point(f"{side}_ankle") - person.point(f"{side}_toe"), axis=1)
        assert np.allclose(np.linalg.norm(body[f"{side}_ankle"] - body[f"{side}_toe"], axis=1), leg_m, atol=0.01)


@pytest.mark.parametrize("units_a_metre", [1.0, 100.0, 1000.0, 1 / 0.0254, 0.45 / 0.0254])
def test_the_usual_units_are_told_by_the_size_of_the_body(units_a_metre):
    person = dancing(0.3)
    in_metres = joints_of_rig(*person_as_rig(person))
    other = joints_of_rig(*person_as_rig(person, units_a_metre))
    assert np.allclose(other.joints_world, in_metres.joints_world, atol=1e-9)


def test_a_body_of_no_usual_unit_gets_a_grown_persons_legs():
    motion = joints_of_rig(*person_as_rig(dancing(0.3), 1e5))
    joints = [motion.points(f"left_{joint}")[0] for joint in ("hip", "knee", "ankle")]
    leg_m = np.linalg.norm(joints[1] - joints[0]) + np.linalg.norm(joints[2] - joints[1])
    assert 0.8 < leg_m < 0.86


def test_the_back_bends_where_its_bones_bend():
    times_s = np.arange(5) / 30
    straight = posed(times_s, np.array([0.0, 0.0, 0.9]), {})
    moving, rig_map = person_as_rig(straight)
    spine = joints_of_rig(moving, rig_map)
    between = 0.5 * (spine.points("hip") + spine.points("thorax"))
    assert np.allclose(spine.points("spine"), between)


def test_neither_a_neck_nor_knuckles_nor_toes_are_needed():
    moving, rig_map = person_as_rig(dancing(0.3))
    bare = {role: bone for role, bone in rig_map.bones.items() if not role.endswith(("neck", "toe", "knuckle"))}
    motion = joints_of_rig(moving, RigMap(bare))
    shoulders = 0.5 * (motion.points("left_shoulder") + motion.points("right_shoulder"))
    assert np.allclose(motion.points("thorax"), shoulders)


def test_one_frame_is_no_movement_and_missing_bones_are_named():
    moving, rig_map = person_as_rig(dancing(0.3))
    one = RigMotion(moving.rest, moving.times_s[:1], moving.heads[:1], moving.turns[:1])
    with pytest.raises(MotionError, match="one frame"):
        joints_of_rig(one, rig_map)
    with pytest.raises(RigError, match="no bone skull"):
        joints_of_rig(moving, RigMap({**rig_map.bones, "head": "skull"}))


def test_a_part_is_cut_by_its_times_from_the_first_frame_on():
    motion = dancing(1.0, fps=30.0).motion()
    late = dataclasses.replace(motion, times_s=motion.times_s + 5.0)
    part = trimmed(late, 0.2, 0.5)
    assert np.allclose(part.times_s, 5.0 + np.arange(6, 15) / 30)
    assert np.array_equal(part.joints_world, motion.joints_world[6:15])
    assert len(trimmed(motion, None, 0.5).times_s) == 15
    assert len(trimmed(motion, 0.5, None).times_s) == 15
    with pytest.raises(MotionError, match=r"0\.97 s long"):
        trimmed(motion, 3.0, None)


def test_a_skeleton_checks_its_shapes():
    moving, _ = person_as_rig(dancing(0.2))
    with pytest.raises(ValueError, match="heads"):
        RigMotion(moving.rest, moving.times_s, moving.heads[:, :3], moving.turns)
    assert isinstance(moving.rest, RigRest)
    assert len(moving.rest.names) == len(HEADS)
