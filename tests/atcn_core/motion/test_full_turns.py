"""Real cartwheels and spins: keys go on from frame to frame, however often the body turns over."""

from pathlib import Path

import numpy as np
import pytest

from atcn_core.motion.retarget import solve
from atcn_core.motion.world import WorldMotion
from atcn_core.skeleton import CAPTURE
from atcn_core.train.mocap import read_take
from tests.atcn_core.motion.stick_rig import RIG_MAP, stick_rest

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"


@pytest.mark.parametrize("name", ["cmufbx_49_08", "cmudaz_salsa_07a", "cmuasf_01_09"])
def test_no_bone_jumps(name):
    path = MOCAP / f"{name}.bvh"
    if not path.is_file():
        pytest.skip("the shared motion capture is not here")
    take = read_take(path)
    joints = take.joints_world.astype(np.float64)
    motion = WorldMotion(np.arange(len(joints)) / take.fps, CAPTURE, joints, np.ones(joints.shape[:2]))
    for bone, quats in solve(motion, stick_rest(), RIG_MAP).quats.items():
        along = np.sum(quats[1:] * quats[:-1], axis=1)
        assert along.min() > 0, bone
        # 60 frames a second: feet that are flung turn fastest.
        assert np.degrees(2 * np.arccos(np.clip(along, -1, 1))).max() < 42, bone
