"""How tall a person is, and the same person taller."""

import numpy as np
import pytest

from atcn_core.clip import Motion3D
from atcn_core.errors import MotionError
from atcn_core.frames import Intrinsics
from atcn_core.motion.stature import of_height, stature_m
from atcn_core.skeleton import CAPTURE, LIMB_12, Skeleton
from tests.moving_person import dancing, posed


def test_the_person_of_the_tests_is_as_tall_as_built():
    standing = posed(np.zeros(1), np.array([0, 0, 0.895]), {})
    top_m = float(standing.joints_world[0, :, 2].max())
    assert stature_m(standing.joints_world, CAPTURE) == pytest.approx(top_m, rel=0.03)
    # Movement changes next to nothing: only the back bends.
    assert stature_m(dancing().joints_world, CAPTURE) == pytest.approx(stature_m(standing.joints_world, CAPTURE), 0.01)


def test_limbs_alone_tell_about_as_much():
    person = dancing()
    joints = person.joints_world[:, CAPTURE.indices(*LIMB_12)]
    limbs = Skeleton("limbs", LIMB_12, (None,) * 12)
    assert stature_m(joints, limbs) == pytest.approx(stature_m(person.joints_world, CAPTURE), rel=0.08)


def test_a_taller_person_is_farther_away_and_looks_the_same():
    person = dancing()
    joints = (person.joints_world - person.joints_world[:, :1]).astype(np.float32)
    root = np.tile(np.float32([0.2, 0.1, 4.0]), (len(joints), 1))
    camera = Intrinsics.assumed((640, 480))
    motion = Motion3D(CAPTURE, person.times_s, 30.0, (640, 480), joints, root, np.ones(joints.shape[:2]), camera)
    tall = of_height(motion, 2.0)
    assert stature_m(tall.joints_cam, CAPTURE) == pytest.approx(2.0, abs=1e-4)
    seen = [m.joints_cam + m.root_cam[:, None] for m in (motion, tall)]
    slopes = [points[..., :2] / points[..., 2:] for points in seen]
    assert np.allclose(slopes[0], slopes[1], atol=1e-5)
    with pytest.raises(MotionError, match="height is 17"):
        of_height(motion, 17.0)


def test_what_has_no_legs_has_no_height():
    trunk = Skeleton("trunk", ("left_shoulder", "right_shoulder"), (None, None))
    joints = np.zeros((3, 2, 3), np.float32)
    camera = Intrinsics.assumed((640, 480))
    motion = Motion3D(trunk, np.arange(3.0), 1.0, (640, 480), joints, np.ones((3, 3)), np.ones((3, 2)), camera)
    with pytest.raises(MotionError, match="no left_ankle"):
        of_height(motion, 1.7)
