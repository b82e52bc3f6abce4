"""A capture made ready: whose height, how smooth, and what is said of it."""

import dataclasses

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.motion.finish import check_wishes, finished
from atcn_core.motion.retarget import solve
from atcn_core.motion.stature import ASSUMED_HEIGHT_M, stature_m
from atcn_core.skeleton import CAPTURE
from tests.moving_person import dancing

from .camera_motion import dancer, placed
from .stick_rig import RIG_MAP, stick_rest


def test_a_known_height_is_the_motions_and_an_unknown_one_is_assumed_and_said():
    known = finished(dancer(), 1.2, 0.0)
    assert stature_m(known.motion.joints_cam, CAPTURE) == pytest.approx(1.2, abs=1e-4)
    assert known.sentence == "The performer is 1.20 m tall."
    unknown = finished(dancer(), smooth=0.0)
    assert stature_m(unknown.motion.joints_cam, CAPTURE) == pytest.approx(ASSUMED_HEIGHT_M, abs=1e-4)
    assert unknown.sentence == "The performer is taken to be 1.70 m tall."
    for refusing in (lambda: finished(dancer(), 0.1), lambda: check_wishes(0.1, 0.5), lambda: check_wishes(-1.7, 0.5)):
        with pytest.raises(MotionError, match="height"):
            refusing()
    check_wishes(0.0, 1.0)


def test_body_and_way_grow_alike_and_a_rig_goes_as_it_did():
    small, tall = (finished(dancer(), height_m, 0.0).motion for height_m in (1.6, 1.76))
    assert np.allclose(placed(tall), 1.1 * placed(small), rtol=1e-5)
    # The way is fitted to the rig's legs: whose it was does not matter.
    person = dancing().motion()
    taller = dataclasses.replace(person, joints_world=1.1 * person.joints_world)
    ways = [solve(motion, stick_rest(), RIG_MAP).root_location for motion in (person, taller)]
    assert np.allclose(*ways, atol=1e-9)


def test_smoothing_is_told_and_left_out_where_none_is_wished():
    none = finished(dancer(), 1.7, 0.0)
    assert none.effect is None
    some = finished(dancer(), 1.7, 0.5)
    assert some.sentence == f"{some.effect.sentence} The performer is 1.70 m tall."
    assert not np.array_equal(placed(some.motion), placed(none.motion))
    for refusing in (lambda: finished(dancer(), 1.7, 2.0), lambda: check_wishes(1.7, -0.1)):
        with pytest.raises(MotionError, match="smoothing"):
            refusing()


def test_the_capture_itself_stays_as_it_was():
    motion = dancer()
    before = placed(motion).copy()
    finished(motion, 1.9, 1.0)
    assert np.array_equal(placed(motion), before)
