"""Toes on the floor: level under a foot that stands on them, and with their foot wherever else it is."""

from dataclasses import replace

import numpy as np
import pytest

from atcn_core.motion.feet import FOOT_MODES, FootMode
from atcn_core.motion.retarget import RigRest, solve
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized
from atcn_core.skeleton import SIDES
from tests.atcn_core.motion.stick_rig import RIG_MAP, carried, posed_world, stick_rest
from tests.atcn_core.motion.test_feet import other_legs
from tests.moving_person import LEFT, UP, about, kneeling, on_feet, posed, pressing_up

AUTO = FOOT_MODES["auto"]
AHEAD = np.array([0.0, -0.08, 0.0])


def toes(
    rest: RigRest, motion: WorldMotion, side: str, mode: FootMode | None = AUTO, goes_with: str = "toe"
) -> tuple[np.ndarray, np.ndarray]:
    """The ball (T, 3) of a solved foot and the tip of its toes, which at rest are 8 cm long and lie on the floor.

    goes_with: the foot instead, for toes that were stiff.
    """
    ball = rest.head_world(RIG_MAP.bones[f"{side}_toe"])
    matrices = posed_world(rest, solve(motion, rest, RIG_MAP, mode))
    places = carried(rest, matrices, RIG_MAP.bones[f"{side}_{goes_with}"], np.stack([ball, ball + AHEAD]))
    return places[:, 0], places[:, 1]


def foot_tip(rest: RigRest, motion: WorldMotion, side: str) -> np.ndarray:
    """Where the tip (T, 3) of such toes would be if they were stiff."""
    return toes(rest, motion, side, goes_with="foot")[1]


@pytest.mark.parametrize(("thigh", "shin"), [(1.0, 1.0), (1.2, 0.9), (0.7, 0.8)])
def test_who_stands_on_the_toes_has_them_flat_on_the_floor(thigh, shin):
    person, standing = pressing_up()
    motion = replace(person.motion(), standing=standing.astype(float))
    rest = other_legs(thigh, shin)
    for side in SIDES:
        ball, tip = toes(rest, motion, side)
        assert np.abs(tip[:, 2]).max() < 0.005
        assert np.abs(normalized(tip - ball)[:, 2]).max() < np.sin(np.deg2rad(3.0))
        # Bent up and not to a side: they point to where the foot does, to the head.
        assert (normalized(tip - ball) @ [0.0, -1.0, 0.0]).min() > np.cos(np.deg2rad(3.0))
        assert foot_tip(rest, motion, side)[:, 2].max() < -0.05


def test_toes_are_bent_no_further_than_the_height_of_the_ball_asks_for():
    rest, frames = stick_rest(), 40
    pitch = {f"{side}_foot": about(LEFT, 0.7) for side in SIDES}
    rising = posed(np.arange(frames) / 30, np.array([0, 0, 0.95]) + np.linspace(0.0, 0.2, frames)[:, None] * UP, pitch)
    motion = replace(rising.motion(), standing=on_feet(np.zeros((frames, 4))))
    ball, tip = toes(rest, motion, "left")
    bend_rad = np.arccos(
        np.clip(np.sum(normalized(tip - ball) * normalized(foot_tip(rest, motion, "left") - ball), axis=1), -1, 1)
    )
    assert tip[:, 2].min() > -0.005
    assert np.all(np.diff(bend_rad) < 1e-6)
    assert np.abs(np.diff(bend_rad)).max() < np.deg2rad(8.0)
    assert np.degrees(bend_rad[-1]) < 0.5


def test_toes_of_a_foot_on_its_instep_stay_straight():
    person = kneeling(np.deg2rad(170.0))
    motion = replace(person.motion(), standing=on_feet(np.zeros((len(person.times_s), 4))))
    _, tip = toes(stick_rest(), motion, "left")
    assert np.allclose(tip, foot_tip(stick_rest(), motion, "left"), atol=1e-6)


def test_toes_keep_still_with_a_foot_that_is_held():
    times_s = np.arange(60) / 30
    local = {f"{side}_foot": about(UP, 0.15 * np.sin(9.0 * times_s)) for side in SIDES}
    local |= {f"{side}_upper_arm": about(UP, 0.2 * np.sin(3.0 * times_s)) for side in SIDES}
    person = posed(times_s, np.array([0.0, 0.0, 0.895]), local)
    motion = replace(person.motion(), standing=on_feet(np.ones((60, 4))))
    rest = stick_rest()
    for side in SIDES:
        _, tip = toes(rest, motion, side)
        assert np.ptp(tip, axis=0).max() < 0.001
        assert np.ptp(toes(rest, motion, side, None)[1], axis=0).max() > 0.01


def test_feet_as_captured_keep_the_toes_as_captured():
    person, standing = pressing_up()
    motion = replace(person.motion(), standing=standing.astype(float))
    _, tip = toes(stick_rest(), motion, "left", FOOT_MODES["never"])
    assert tip[:, 2].max() < -0.05
