"""The path of a walker whose depth the picture only guesses comes back by the feet that stand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atcn_core.motion import planted
from atcn_core.motion.contacts import foot_points
from atcn_core.motion.planted import planted_path_cam
from atcn_core.motion.smoothing import smoothed
from atcn_core.skeleton import CAPTURE
from tests.moving_person import UP, striding

FROM = np.array([0.5, -6.0, 1.2])  # where the camera stands; axes as the world's: the solve does not care


def seen(seconds=4.0, speed_m_s=1.2, depth_noise_m=0.15):
    """A walker, the path a single camera makes of it, the feet about the root, and what stands."""
    person, standing = striding(seconds, speed_m_s=speed_m_s)
    root = person.point("hip") - FROM
    sight = root / np.linalg.norm(root, axis=1, keepdims=True)
    rng = np.random.default_rng(3)
    wrong_m = smoothed(rng.normal(size=len(root)), person.times_s, 1.5)
    wrong_m *= depth_noise_m / wrong_m.std()
    feet = foot_points(person.joints_world - person.joints_world[:, :1], CAPTURE)
    return person, root, root + wrong_m[:, None] * sight, feet, standing.astype(float)


def test_depth_that_sways_is_stilled_by_standing_feet():
    person, true, guessed, feet, standing = seen()
    path = planted_path_cam(guessed, feet, standing, person.times_s, UP)

    def slide_m_s(root):
        steps = np.linalg.norm(np.diff(root[:, None] + feet, axis=0), axis=2) * 30
        return steps[(standing[1:] * standing[:-1]) > 0].mean()

    assert slide_m_s(path) < 0.25 * slide_m_s(guessed)
    assert np.linalg.norm(path - true, axis=1).mean() < 0.7 * np.linalg.norm(guessed - true, axis=1).mean()


def test_a_true_path_stays():
    person, true, _, feet, standing = seen()
    assert np.abs(planted_path_cam(true, feet, standing, person.times_s, UP) - true).max() < 0.002


def test_where_nothing_stands_the_picture_decides():
    person, _, guessed, feet, standing = seen()
    assert np.abs(planted_path_cam(guessed, feet, 0 * standing, person.times_s, UP) - guessed).max() < 1e-9


def test_a_foot_wrongly_said_to_stand_hardly_holds_who_walks_across_the_picture():
    person, true, _, feet, _ = seen(depth_noise_m=0.01)
    across = true[:, [1, 0, 2]] + [2.0, 6.0, 0.0]
    feet = feet[:, :, [1, 0, 2]]
    path = planted_path_cam(across, feet, np.ones((len(true), 4)), person.times_s, UP)
    assert np.linalg.norm(path - across, axis=1).mean() < 0.1


def standing_still(seconds, fps=30.0):
    """A root 6 m away that does not move, its times, and four points of feet 0.9 m below it."""
    times_s = np.arange(int(seconds * fps)) / fps
    root = np.tile([-0.5, 6.0, -0.3], (len(times_s), 1))
    feet = np.array([[0.1, 0.1, -0.9], [0.1, -0.1, -0.9], [-0.1, 0.1, -0.9], [-0.1, -0.1, -0.9]])
    return root, times_s, np.tile(feet, (len(times_s), 1, 1))


def test_feet_stay_on_the_floor_while_a_squat_looks_as_if_it_were_further_away():
    root, times_s, feet = standing_still(5.0)
    wrong_m = 0.8 * np.exp(-(((times_s - 3.0) / 0.5) ** 2))
    guessed = root * (1.0 + wrong_m / np.linalg.norm(root, axis=1))[:, None]
    path = planted_path_cam(guessed, feet, np.ones((len(root), 4)), times_s, UP)
    rise_m = np.abs((path - root) @ UP)
    # What is left is at most a third of what the picture asks for.
    assert rise_m.max() < 0.34 * np.abs((guessed - root) @ UP).max()


def test_who_climbs_a_step_is_left_on_it():
    root, times_s, feet = standing_still(4.0)
    up_m = 0.3 * np.clip((times_s - 2.0) / 0.4, 0.0, 1.0)
    climbed = root + up_m[:, None] * UP
    standing = np.where(((times_s < 2.0) | (times_s > 2.4))[:, None], 1.0, np.zeros((1, 4)))
    path = planted_path_cam(climbed, feet, standing, times_s, UP)
    assert np.abs((path - climbed) @ UP).max() < 0.06


@pytest.mark.parametrize("fps", [10.0, 60.0])
def test_it_is_the_same_at_any_frame_rate(fps):
    times_s = np.arange(int(3 * fps)) / fps
    guessed = np.stack([0 * times_s, 0 * times_s, 4 + 0.1 * np.sin(5 * times_s)], axis=1)
    path = planted_path_cam(guessed, np.zeros((len(times_s), 1, 3)), np.ones((len(times_s), 1)), times_s, UP)
    assert np.ptp(path[:, 2]) < 0.06


def test_one_frame_stays_as_it_is():
    assert planted_path_cam(np.ones((1, 3)), np.zeros((1, 4, 3)), np.ones((1, 4)), np.zeros(1), UP).tolist() == [
        [1, 1, 1]
    ]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), frames=st.integers(1, 40))
def test_the_path_is_the_dense_least_squares_solution(seed, frames):
    rng = np.random.default_rng(seed)

    def positive(count):
        roots = rng.normal(size=(count, 3, 3))
        return roots @ roots.transpose(0, 2, 1) + 0.01 * np.eye(3)

    anchor, weight = positive(frames), positive(frames - 1)
    pulled, asked = rng.normal(size=(frames, 3)), rng.normal(size=(frames - 1, 3))
    matrix, right = np.zeros((frames, 3, frames, 3)), pulled.copy()
    for t in range(frames):
        matrix[t, :, t] += anchor[t]
    for t in range(frames - 1):
        matrix[t, :, t] += weight[t]
        matrix[t + 1, :, t + 1] += weight[t]
        matrix[t, :, t + 1] -= weight[t]
        matrix[t + 1, :, t] -= weight[t]
        right[t] -= asked[t]
        right[t + 1] += asked[t]
    wanted = np.linalg.solve(matrix.reshape(3 * frames, -1), right.ravel()).reshape(frames, 3)
    assert np.allclose(planted._least_squares(anchor, pulled, weight, asked), wanted, rtol=1e-6, atol=1e-8)
