"""Feet that stand stay: on rigs of other proportions than the performer, of whom every step is known."""

from dataclasses import replace

import numpy as np
import pytest

from atcn_core.motion.contacts import stretches
from atcn_core.motion.feet import FOOT_MODES, FootMode, standing_feet
from atcn_core.motion.retarget import RigRest, solve
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized
from atcn_core.skeleton import SIDES
from tests.atcn_core.motion.stick_rig import RIG_MAP, carried, posed_world, stick_rest
from tests.moving_person import LEFT, UP, Person, about, knee, on_feet, posed, striding

AUTO = FOOT_MODES["auto"]


def other_legs(thigh: float, shin: float) -> RigRest:
    """The person's own skeleton with thighs and shins of another length, standing on the floor."""
    rest = stick_rest()
    matrices = rest.matrices.copy()
    longer_m = 0.42 * (thigh - 1) + 0.41 * (shin - 1)
    for i, name in enumerate(rest.names):
        part = name.split("_")[-1]
        if part in ("shin", "foot", "toe"):
            matrices[i, 2, 3] -= 0.42 * (thigh - 1)
        if part in ("foot", "toe"):
            matrices[i, 2, 3] -= 0.41 * (shin - 1)
        matrices[i, 2, 3] += longer_m
    return replace(rest, matrices=matrices)


def soles(matrices: dict[str, np.ndarray], rest: RigRest, side: str) -> np.ndarray:
    """Where the sole under the ankle and the toe joint's own (T, 2, 3) are: they are part of the foot."""
    ankle, toe = (rest.head_world(RIG_MAP.bones[f"{side}_{part}"]) for part in ("foot", "toe"))
    points = np.array([[ankle[0], ankle[1], 0.0], [toe[0], toe[1], 0.0]])
    return carried(rest, matrices, RIG_MAP.bones[f"{side}_foot"], points)


def walked(rest: RigRest, mode: FootMode | None, person: Person, standing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How fast standing soles slide (m/s) and how low the lowest is (m), of somebody put on a rig."""
    motion = replace(person.motion(), standing=on_feet(standing))
    matrices = posed_world(rest, solve(motion, rest, RIG_MAP, mode))
    slides_m_s, lowest_m = [], []
    for number, side in enumerate(SIDES):
        points = soles(matrices, rest, side)
        speed_m_s = np.linalg.norm(np.diff(points, axis=0), axis=2) / np.diff(person.times_s)[:, None]
        stays = (standing[1:] & standing[:-1])[:, 2 * number : 2 * number + 2].all(axis=1)
        slides_m_s.append(speed_m_s[stays].ravel())
        lowest_m.append(points[..., 2].min())
    return np.concatenate(slides_m_s), np.array(lowest_m)


@pytest.mark.parametrize(("thigh", "shin"), [(1.0, 1.0), (1.2, 0.9), (0.8, 1.15), (0.6, 0.6)])
def test_feet_slide_on_another_rig_and_stay_when_they_are_held(thigh, shin):
    rest, (person, standing) = other_legs(thigh, shin), striding()
    free_m_s, _ = walked(rest, None, person, standing)
    held_m_s, lowest_m = walked(rest, AUTO, person, standing)
    assert held_m_s.max() < 0.005
    assert lowest_m.min() > -0.002
    if (thigh, shin) not in ((1.0, 1.0), (0.6, 0.6)):
        assert free_m_s.mean() > 0.02


def test_what_is_right_already_stays_as_it_is():
    person, standing = striding()
    motion = replace(person.motion(), standing=on_feet(standing))
    rest = stick_rest()
    free, held = (solve(motion, rest, RIG_MAP, mode) for mode in (None, AUTO))
    for role in ("thigh", "shin", "foot"):
        bone = RIG_MAP.bones[f"left_{role}"]
        turned_rad = 2 * np.arccos(np.clip(np.abs(np.sum(free.quats[bone] * held.quats[bone], axis=1)), 0, 1))
        assert np.degrees(turned_rad).max() < 0.5, role
    assert np.abs(free.root_location - held.root_location).max() < 0.005


def test_knees_bend_the_way_they_did():
    rest, (person, standing) = other_legs(0.9, 1.1), striding()
    motion = replace(person.motion(), standing=on_feet(standing))
    matrices = posed_world(rest, solve(motion, rest, RIG_MAP, AUTO))
    for side in SIDES:
        hip, knee_at, ankle = (matrices[RIG_MAP.bones[f"{side}_{p}"]][:, :3, 3] for p in ("thigh", "shin", "foot"))
        bend = np.cross(normalized(knee_at - hip), normalized(ankle - knee_at))
        # He walks along -y: knees bend about x, and not the other way.
        assert bend[:, 0].min() > -0.02
        assert np.abs(bend[:, 1:]).max() < 0.05


def test_nothing_jumps_when_a_foot_is_caught_or_let_go():
    rest, (person, standing) = other_legs(1.25, 0.9), striding(fps=60.0)
    motion = replace(person.motion(), standing=on_feet(standing))
    steps = []
    for mode in (None, AUTO):
        matrices = posed_world(rest, solve(motion, rest, RIG_MAP, mode))
        ankle = matrices[RIG_MAP.bones["left_foot"]][:, :3, 3]
        steps.append(np.abs(np.diff(ankle, n=2, axis=0)).max())
    assert steps[1] < 1.5 * steps[0] + 0.004


def test_a_jump_stays_a_jump_and_a_chair_a_chair():
    times_s = np.arange(60) / 30
    flight_m = 0.4 * np.clip(np.sin(2 * np.pi * (times_s - 0.6)), 0, None)
    bent = {f"{s}_{part}": turn for s in SIDES for part, turn in
            (("thigh", about(LEFT, -0.3)), ("shin", knee(0.6)), ("foot", about(LEFT, -0.3)))}  # fmt: skip
    person = posed(times_s, np.array([0, 0, 0.858]) + flight_m[:, None] * UP, bent)
    motion = WorldMotion(times_s, person.motion().skeleton, person.joints_world, person.motion().score)
    rest = stick_rest()
    free, held = (solve(motion, rest, RIG_MAP, mode) for mode in (None, AUTO))
    heights = [posed_world(rest, track)[RIG_MAP.bones["hips"]][:, 2, 3] for track in (free, held)]
    assert np.ptp(heights[1]) > 0.9 * np.ptp(heights[0])

    lifted = posed(times_s, np.array([0, 0, 0.858]), bent | {"right_thigh": about(LEFT, -1.0), "right_shin": knee(1.3)})
    on_a_step = replace(lifted.motion(), standing=on_feet(np.ones((60, 4))))
    matrices = posed_world(rest, solve(on_a_step, rest, RIG_MAP, AUTO))
    assert matrices[RIG_MAP.bones["right_foot"]][:, 2, 3].min() > 0.2
    assert matrices[RIG_MAP.bones["left_foot"]][:, 2, 3].max() < 0.1


def test_grounding_lifts_what_sinks_and_lets_it_slide():
    person, standing = striding()
    sinking = ((person.times_s > 1.3) & (person.times_s < 1.5))[:, None, None]
    sunk = person.joints_world - 0.1 * sinking * UP
    motion = replace(person.motion(), joints_world=sunk, standing=on_feet(standing))
    rest = other_legs(1.2, 0.9)
    free = posed_world(rest, solve(motion, rest, RIG_MAP, None))
    grounded = posed_world(rest, solve(motion, rest, RIG_MAP, FOOT_MODES["grounding"]))
    assert min(soles(free, rest, side)[..., 2].min() for side in SIDES) < -0.02
    assert min(soles(grounded, rest, side)[..., 2].min() for side in SIDES) > -0.002
    ways = [matrices[RIG_MAP.bones["left_foot"]][:, :2, 3] for matrices in (free, grounded)]
    assert np.abs(ways[0] - ways[1]).max() < 0.03


def test_straight_legs_bend_their_knees_forward_where_the_floor_asks_for_it():
    times_s = np.arange(30) / 30
    person = posed(times_s, np.array([0.0, 0.0, 0.895]) - 0.05 * (times_s > 0.9)[:, None] * UP, {})
    motion = replace(person.motion(), standing=on_feet(np.zeros((30, 4))))
    rest = stick_rest()
    matrices = posed_world(rest, solve(motion, rest, RIG_MAP, FOOT_MODES["grounding"]))
    for side in SIDES:
        assert soles(matrices, rest, side)[..., 2].min() > -0.002
        hip, knee_at = (matrices[RIG_MAP.bones[f"{side}_{part}"]][:, :3, 3] for part in ("thigh", "shin"))
        assert (knee_at - hip)[-1, 1] < -0.05


def test_always_holds_at_least_what_auto_holds():
    rng = np.random.default_rng(0)
    chance = np.clip(np.cumsum(rng.normal(scale=0.15, size=(200, 4)), axis=0) % 2.0 - 0.5, 0, 1)
    auto, always = (standing_feet(chance, np.arange(200) / 30, FOOT_MODES[name]) for name in ("auto", "always"))
    for side in SIDES:
        assert always[side][auto[side]].all()
        assert always[side].sum() > auto[side].sum()
        assert min(end - start for start, end in stretches(auto[side][:, 0])) >= 3


def test_a_single_frame_and_feet_that_never_stand():
    person, standing = striding()
    rest = stick_rest()
    one = WorldMotion(person.times_s[:1], person.motion().skeleton, person.joints_world[:1], np.ones((1, 27)))
    assert len(solve(one, rest, RIG_MAP, AUTO).times_s) == 1
    never = replace(person.motion(), standing=on_feet(0.0 * standing))
    free, held = (solve(never, rest, RIG_MAP, mode) for mode in (None, AUTO))
    bone = RIG_MAP.bones["left_thigh"]
    assert np.abs(np.sum(free.quats[bone] * held.quats[bone], axis=1)).min() > 0.995


def test_hips_that_dash_out_of_the_legs_reach_are_held_back():
    times_s = np.arange(60) / 30.0
    hip = np.stack([1.1 * np.sin(6 * np.pi * times_s), 0 * times_s, np.full_like(times_s, 0.84)], axis=1)
    bent = {
        f"{side}_{part}": turn for side in SIDES for part, turn in (("thigh", about(LEFT, -0.3)), ("shin", knee(0.6)))
    }
    slides_m_s, _ = walked(stick_rest(), AUTO, posed(times_s, hip, bent), np.ones((60, 4), dtype=bool))
    assert slides_m_s.max() < 0.005
