"""What must change nothing in the solved world: rolls, the armature's place; and what must change it alike."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.errors import RigError
from atcn_core.motion.retarget import RigRest, solve
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import quat_to_matrix
from atcn_core.skeleton import CAPTURE, mirrored_name
from tests.atcn_core.motion.stick_rig import HEADS, RIG_MAP, posed_world, stick_rest
from tests.moving_person import BACK, LEFT, UP, about, after, dancing

MIRROR = np.diag([-1.0, 1.0, 1.0])
angles_rad = st.floats(-3, 3)


def turns_and_heads(rest: RigRest, motion: WorldMotion) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By role: a bone's turn from its rest in the world (T, 3, 3), and its head (T, 3)."""
    posed = posed_world(rest, solve(motion, rest, RIG_MAP))
    found = {}
    for role in HEADS:
        bone = RIG_MAP.bones[role]
        at_rest = rest.world_from_armature[:3, :3] @ rest.matrices[rest.names.index(bone), :3, :3]
        found[role] = posed[bone][:, :3, :3] @ np.linalg.inv(at_rest), posed[bone][:, :3, 3]
    return found


def assert_same(first, second, turned=None):
    turned = np.eye(3) if turned is None else turned
    for role, (turns, heads) in first.items():
        assert np.allclose(turned @ turns, second[role][0], atol=1e-6), role
        assert np.allclose(heads @ turned.T, second[role][1], atol=1e-6), role


@settings(max_examples=10, deadline=None)
@given(
    roll_seed=st.integers(0, 1000), scale=st.sampled_from([0.01, 100.0]), quarters=st.integers(0, 3), angle=angles_rad
)
def test_rolls_and_the_armature_s_own_axes_change_nothing(roll_seed, scale, quarters, angle):
    """Importers lay armatures on their backs and scale them, with bones that undo it."""
    motion = dancing(0.5, seed=3).motion()
    other = stick_rest(roll_seed, scale, after(about(UP, angle), about(LEFT, quarters * np.pi / 2)))
    assert_same(turns_and_heads(stick_rest(0), motion), turns_and_heads(other, motion))


@settings(max_examples=10, deadline=None)
@given(angles=st.tuples(angles_rad, angles_rad, angles_rad), scale=st.sampled_from([0.5, 1.0, 30.0]))
def test_an_armature_object_turned_in_the_world_moves_as_before(angles, scale):
    """Its rest pose lies or faces elsewhere; what it does is the person's doing alone, at its own size."""
    motion, rest = dancing(0.5, seed=4).motion(), stick_rest(1)
    turn = quat_to_matrix(after(about(LEFT, angles[0]), about(BACK, angles[1]), about(UP, angles[2])))
    placed = np.eye(4)
    placed[:3, :3] = scale * turn
    plain = posed_world(rest, solve(motion, rest, RIG_MAP))
    turned_rest = replace(rest, world_from_armature=placed @ rest.world_from_armature)
    turned = posed_world(turned_rest, solve(motion, turned_rest, RIG_MAP))
    for bone, matrices in plain.items():
        assert np.allclose(turned[bone][:, :3, :3], scale * matrices[:, :3, :3], atol=1e-6 * scale), bone
        assert np.allclose(turned[bone][:, :3, 3], scale * matrices[:, :3, 3], atol=1e-6 * scale), bone


@settings(max_examples=10, deadline=None)
@given(angle=angles_rad)
def test_a_person_seen_from_another_side_gives_the_same_motion_turned(angle):
    motion, rest = dancing(0.5, seed=5).motion(), stick_rest(2)
    turn = quat_to_matrix(about(UP, angle))
    seen = replace(motion, joints_world=motion.joints_world @ turn.T)
    assert_same(turns_and_heads(rest, motion), turns_and_heads(rest, seen), turn)


@pytest.mark.parametrize("seed", range(4))
def test_a_mirrored_motion_gives_the_mirrored_result(seed):
    motion, rest = dancing(1.0, seed=seed).motion(), stick_rest(seed)
    mirrored = replace(motion, joints_world=motion.joints_world[:, list(CAPTURE.mirror)] @ MIRROR)
    straight, swapped = turns_and_heads(rest, motion), turns_and_heads(rest, mirrored)
    for role, (turns, heads) in straight.items():
        twin = swapped[mirrored_name(role)]
        assert np.allclose(MIRROR @ turns @ MIRROR, twin[0], atol=1e-6), role
        assert np.allclose(heads @ MIRROR, twin[1], atol=1e-6), role


def test_an_unevenly_scaled_armature_is_refused_in_words():
    rest = stick_rest()
    uneven = rest.world_from_armature @ np.diag([1.0, 1.2, 1.0, 1.0])
    with pytest.raises(RigError, match="unevenly"):
        solve(dancing(0.2).motion(), replace(rest, world_from_armature=uneven), RIG_MAP)
