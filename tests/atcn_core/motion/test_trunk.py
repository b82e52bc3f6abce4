"""The line from the hips to the neck is the person's, whatever the trunk's proportions; and feet roll as theirs do."""

from dataclasses import replace

import numpy as np
import pytest

from atcn_core.motion.retarget import solve
from atcn_core.rotation import normalized, quat_to_matrix
from tests.atcn_core.motion.stick_rig import RIG_MAP, posed_world, stick_rest
from tests.moving_person import BACK, LEFT, UP, about, after, dancing, posed


def heads(rest, track) -> dict[str, np.ndarray]:
    """Every role's head (T, 3) in the world."""
    matrices = posed_world(rest, track)
    return {role: matrices[bone][:, :3, 3] for role, bone in RIG_MAP.bones.items()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("moved_m", [(0, 0, 0), (0, 0.05, -0.12), (0, -0.06, 0.1)])
def test_the_neck_is_where_the_person_s_is_above_the_hips_on_trunks_of_any_build(seed, moved_m):
    """The spine's bone begins elsewhere: bends are then made elsewhere, and the line stays."""
    person, rest = dancing(1.0, seed=seed), stick_rest(seed)
    spine = rest.names.index(RIG_MAP.bones["spine"])
    matrices = rest.matrices.copy()
    matrices[spine, :3, 3] += moved_m
    rest = replace(rest, matrices=matrices)
    at = heads(rest, solve(person.motion(), rest, RIG_MAP))
    line = normalized(at["neck"] - 0.5 * (at["left_thigh"] + at["right_thigh"]))
    assert np.allclose(line, normalized(person.point("thorax") - person.point("hip")), atol=1e-4)


@pytest.mark.parametrize("roll_deg", [-30, -10, 10, 30])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_lifted_foot_tilts_aside_as_the_person_s_does(roll_deg, side):
    lifted = after(about(LEFT, 0.3), about(BACK, np.deg2rad(roll_deg)))
    person = posed(
        np.arange(10) / 30, np.array([0, 0, 2.0]), {f"{side}_foot": lifted, f"{side}_shin": about(LEFT, 1.0)}
    )
    rest = stick_rest(1)
    bone = RIG_MAP.bones[f"{side}_foot"]
    at_rest = rest.matrices[rest.names.index(bone), :3, :3]
    turned = posed_world(rest, solve(person.motion(), rest, RIG_MAP))[bone][:, :3, :3] @ at_rest.T
    true = quat_to_matrix(person.turns[f"{side}_foot"])
    assert np.allclose(turned @ UP, true @ UP, atol=2e-3)
    assert np.allclose(turned @ BACK, true @ BACK, atol=2e-3)
