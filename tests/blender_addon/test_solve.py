"""Every rig in reach follows a person, and its own motion, as exactly as its bones allow: judged by Blender."""

import numpy as np
import pytest

from tests.blender_addon.rigs_in_reach import rig_makers
from tests.blender_addon.solve_measures import follow, parity_errors_deg, segment_errors_deg, trunk_errors_deg
from tests.moving_person import dancing

every_rig = pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in rig_makers().items()])


@every_rig
def test_limbs_point_where_the_person_s_do_and_the_trunk_nearly_so(make):
    motion, frames = dancing(1.0, seed=5).motion(), range(0, 30, 6)
    heads, _ = follow(*make(), motion, frames)
    assert segment_errors_deg(heads, motion, frames).max() < 0.01
    assert np.percentile(trunk_errors_deg(heads, motion, frames), 95) < 3.0


@every_rig
def test_a_rig_s_own_motion_solved_back_onto_it_is_that_motion(make):
    errors_deg = parity_errors_deg(make, frames=range(0, 30, 5))
    for pair, of_pair in errors_deg.items():
        # A knee that also bends aside at rest turns the foot a little, as the shin's plane alone is known.
        assert of_pair.max() < (3.5 if pair[1].endswith("toe") else 0.1), pair
