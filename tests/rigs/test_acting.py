"""The demo's motion: turns are rotations, legs reach their feet, planted feet stand still."""

import numpy as np
import pytest

from rigs.demo import acting
from rigs.figure.joints import joints_of
from rigs.figure.people import MIRA

FPS = 25
TIMES_S = np.arange(round(acting.DURATION_S * FPS)) / FPS
JOINTS = joints_of(MIRA)
# (side, from, to) in seconds: between two of its steps, after the toes came down and before the heel lifts.
STANDING_S = (("right", 0.70, 0.86), ("left", 1.20, 1.38), ("left", 2.2, 5.5), ("right", 2.6, 5.5))


@pytest.fixture(scope="module")
def poses() -> list[acting.Pose]:
    return [acting.act(float(time_s), JOINTS) for time_s in TIMES_S]


def ankle_of(pose: acting.Pose, side: str) -> np.ndarray:
    """Where the leg's turns put the ankle: (3,) metres."""
    hip, knee, ankle = (JOINTS[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    place = pose.hips_m + pose.turns["hips"] @ (hip - JOINTS["hips"])
    return place + pose.turns[f"{side}_thigh"] @ (knee - hip) + pose.turns[f"{side}_shin"] @ (ankle - knee)


def test_all_turns_are_rotations(poses):
    for pose in poses:
        turns = np.stack(list(pose.turns.values()))
        assert np.allclose(turns @ turns.swapaxes(1, 2), np.eye(3), atol=1e-9)
        assert np.all(np.linalg.det(turns) > 0)


@pytest.mark.parametrize(("side", "start_s", "end_s"), STANDING_S)
def test_a_standing_foot_does_not_move(poses, side, start_s, end_s):
    standing = [pose for pose, time_s in zip(poses, TIMES_S, strict=True) if start_s <= time_s <= end_s]
    ankles = np.stack([ankle_of(pose, side) for pose in standing])
    assert len(standing) >= 4
    assert np.ptp(ankles, axis=0).max() < 1e-3


@pytest.mark.parametrize("side", ["left", "right"])
def test_no_foot_goes_through_the_floor(poses, side):
    for pose in poses:
        for point in ("heel", "ball"):
            place = ankle_of(pose, side) + pose.turns[f"{side}_foot"] @ (
                JOINTS[f"{side}_{point}"] - JOINTS[f"{side}_ankle"]
            )
            assert place[2] > JOINTS[f"{side}_{point}"][2] - 0.008


def test_nothing_jumps(poses):
    hips_m = np.stack([pose.hips_m for pose in poses])
    assert np.abs(np.diff(hips_m, 2, axis=0)).max() * FPS**2 < 8.0, "m/s^2"
    for role in poses[0].turns:
        turns = np.stack([pose.turns[role] for pose in poses])
        cosine = 0.5 * (np.einsum("tij,tij->t", turns[1:], turns[:-1]) - 1.0)
        assert np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).max() < 25.0, role
