"""Bones beside the roles: rows of the spine that share a bend, twist bones that share a roll, feet off the legs."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from atcn_core.motion.retarget import RigRest, solve
from atcn_core.motion.rigmap import RigMap
from atcn_core.rotation import normalized, quat_to_matrix
from tests.atcn_core.motion.stick_rig import RIG_MAP, posed_world, stick_rest
from tests.atcn_core.motion.test_retarget import bone_direction, degrees_apart
from tests.moving_person import BACK, LEFT, UP, about, dancing, elbow, posed

FOREARM, HAND = RIG_MAP.bones["left_forearm"], RIG_MAP.bones["left_hand"]


def head_of(rest: RigRest, bone: str) -> np.ndarray:
    return rest.matrices[rest.names.index(bone), :3, 3]


def between(rest: RigRest, name: str, upper: str, lower: str, share: float, aside_m: float = 0.0, leaf: bool = False):
    """The rig with one more bone between two, in the chain or beside it."""
    matrix = np.eye(4)
    matrix[:3, :3] = quat_to_matrix(normalized(np.array([0.3, -0.5, 0.7, 0.1])))
    matrix[:3, 3] = head_of(rest, upper) + share * (head_of(rest, lower) - head_of(rest, upper)) + aside_m * BACK
    at = rest.names.index(lower)
    parents = list(rest.parents)
    if not leaf:
        parents[at] = name
    return replace(
        rest,
        names=(*rest.names[:at], name, *rest.names[at:]),
        parents=(*parents[:at], rest.parents[at], *parents[at:]),
        matrices=np.insert(rest.matrices, at, matrix, axis=0),
        pose=np.insert(rest.pose, at, np.eye(4), axis=0),
        inherits_turn=np.insert(rest.inherits_turn, at, True),
        local_location=np.insert(rest.local_location, at, True),
    )


def turn_of(rest: RigRest, matrices: dict[str, np.ndarray], bone: str) -> np.ndarray:
    return matrices[bone][:, :3, :3] @ np.linalg.inv(rest.matrices[rest.names.index(bone), :3, :3])


def rolled_hand(roll_deg: float):
    local = {"left_forearm": elbow("left", 1.2), "left_hand": about(LEFT, np.deg2rad(roll_deg))}
    return posed(np.arange(3) / 30, np.array([0, 0, 0.9]), local)


@pytest.mark.parametrize("roll_deg", [-70, 70])
@pytest.mark.parametrize(("leaf", "aside_m"), [(False, 0.0), (False, 0.015), (True, 0.0)])
def test_the_hand_s_roll_rises_along_forearm_and_twist_bone(roll_deg, leaf, aside_m):
    person = rolled_hand(roll_deg)
    rest = between(stick_rest(1), "forearm twist", FOREARM, HAND, 0.5, aside_m, leaf)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    forearm, twist = turn_of(rest, matrices, FOREARM), turn_of(rest, matrices, "forearm twist")
    unrolled = quat_to_matrix(person.turns["left_forearm"])
    off_line_deg = np.degrees(4 * aside_m / 0.25)
    assert degrees_apart(unrolled, forearm).max() == pytest.approx(abs(roll_deg) / 4, abs=0.2 + off_line_deg)
    assert degrees_apart(forearm, twist).max() == pytest.approx(abs(roll_deg) / 2, abs=0.2)
    true = normalized(person.point("left_wrist") - person.point("left_elbow"))
    assert np.allclose(bone_direction(matrices, "left_forearm", "left_hand"), true, atol=1e-6)


def test_a_twist_bone_in_an_upper_arm_parts_its_roll_and_the_elbow_keeps_its_own():
    person = dancing(1.0, seed=3)
    upper = RIG_MAP.bones["left_upper_arm"]
    plain_rest = stick_rest(4)
    plain = posed_world(plain_rest, solve(person.motion(), plain_rest, RIG_MAP))
    for leaf in (True, False):
        rest = between(plain_rest, "upper arm twist", upper, FOREARM, 0.4, leaf=leaf)
        matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
        assert np.allclose(matrices[FOREARM], plain[FOREARM], atol=1e-6)
        assert np.allclose(matrices[upper], plain[upper], atol=1e-6) == leaf
        rolled_deg = degrees_apart(turn_of(rest, matrices, upper), turn_of(rest, matrices, "upper arm twist"))
        assert rolled_deg.max() > 1


def test_every_bone_of_the_spine_takes_an_equal_part_of_its_bend():
    """Two unnamed bones in the row; a bend of 60 degrees must not kink at one of them."""
    bend = np.deg2rad(60)
    person = posed(np.arange(3) / 30, np.array([0, 0, 0.9]), {"chest": about(UP, bend)})
    hips, spine = RIG_MAP.bones["hips"], RIG_MAP.bones["spine"]
    rest = between(stick_rest(2), "lower", hips, spine, 0.5)
    rest = between(rest, "lowest", hips, "lower", 0.5)
    matrices = posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    turns = [turn_of(rest, matrices, bone) for bone in (hips, "lowest", "lower", spine)]
    steps_deg = [degrees_apart(first, second)[0] for first, second in pairwise(turns)]
    assert np.allclose(steps_deg, 20, atol=0.5)


def test_feet_that_are_no_children_of_the_legs_stay_on_them():
    person, rest = dancing(1.0, seed=6), stick_rest(7)
    feet = [RIG_MAP.bones[f"{side}_foot"] for side in ("left", "right")]
    loose = replace(
        rest, parents=tuple(None if b in feet else p for b, p in zip(rest.names, rest.parents, strict=True))
    )
    track = solve(person.motion(), loose, RIG_MAP)
    assert set(track.other_locations) == set(feet)
    found, wanted = posed_world(loose, track), posed_world(rest, solve(person.motion(), rest, RIG_MAP))
    for bone, matrices in wanted.items():
        assert np.allclose(found[bone], matrices, atol=1e-6), bone


def test_a_rig_without_a_neck_turns_its_head():
    person, rest = dancing(0.5, seed=8), stick_rest(8)
    bones = {role: bone for role, bone in RIG_MAP.bones.items() if role != "neck"}
    matrices = posed_world(rest, solve(person.motion(), rest, RigMap(bones, "neckless")))
    error_deg = degrees_apart(turn_of(rest, matrices, bones["head"]), quat_to_matrix(person.turns["head"]))
    assert error_deg.max() < 0.5
