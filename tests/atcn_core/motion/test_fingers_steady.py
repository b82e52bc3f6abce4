"""Found hands become hands that move: what is possible stays, tremble and wild frames go, gaps end at ease."""

from __future__ import annotations

import numpy as np
import pytest

from atcn_core.hands import FINGERS
from atcn_core.motion.fingers_palm import finger_angles, finger_directions, to_palm
from atcn_core.motion.fingers_steady import LIMITS_DEG, hand_motion, relaxed_hand

from .hand_shapes import FIST, FLAT, SHAPES, angles, found, hand

FRAMES, FPS = 60, 30.0
TIMES_S = np.arange(FRAMES) / FPS
# What a limit gives way by.
ROOM_DEG = 8.0


def held(shape, frames: int = FRAMES) -> list[np.ndarray]:
    """Both hands in one shape all the time."""
    return [np.tile(hand(shape, side), (frames, 1, 1)) for side in ("left", "right")]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_that_is_held_stays_as_it_is(shape: str) -> None:
    motion = hand_motion(found(held(SHAPES[shape]), np.full((FRAMES, 2), 0.9)), TIMES_S)
    assert np.allclose(np.degrees(motion.bent_rad), np.degrees(angles(SHAPES[shape])), atol=0.1)
    assert np.allclose(np.degrees(motion.aside_rad), 0.0, atol=0.1)
    assert np.allclose(motion.score, 0.9)


def test_tremble_goes_and_a_grip_stays() -> None:
    rng = np.random.default_rng(2)
    closed = 0.5 - 0.5 * np.cos(2 * np.pi * 0.5 * TIMES_S)
    shapes = [tuple(tuple(share * np.array(row)) for row in FIST) for share in closed]
    clean = np.stack([hand(shape) for shape in shapes])
    shaken = clean + rng.normal(scale=0.002, size=clean.shape)
    true_rad = closed[:, None, None] * angles(FIST)

    def off_deg(points: np.ndarray) -> np.ndarray:
        moved = hand_motion(found([points, points], np.ones((FRAMES, 2)) * [1.0, 0.0]), TIMES_S)
        return np.degrees(moved.bent_rad[:, 0] - true_rad)[5:-5]

    assert np.abs(off_deg(clean)).max() < 3.0
    directions = finger_directions(to_palm(shaken, "left"))
    alone_rad = np.stack([finger_angles(directions[:, i], finger)[0] for i, finger in enumerate(FINGERS)], axis=1)
    alone_deg = np.degrees(alone_rad - true_rad)[5:-5]
    assert np.abs(np.diff(off_deg(shaken), axis=0)).mean() < 0.5 * np.abs(np.diff(alone_deg, axis=0)).mean()
    assert np.abs(off_deg(shaken)).mean() < 0.75 * np.abs(alone_deg).mean()


def test_a_wild_frame_is_left_out() -> None:
    points = held(FLAT)
    points[0][30] = hand(FIST)
    motion = hand_motion(found(points, np.full((FRAMES, 2), 0.9)), TIMES_S)
    assert np.degrees(np.abs(motion.bent_rad[:, 0, 1:])).max() < 1.0


def test_a_short_gap_is_held_and_a_long_one_ends_at_ease() -> None:
    times_s = np.arange(150) / FPS
    score = np.full((150, 2), 0.9)
    score[40:44, 0] = 0.0
    score[60:140, 1] = 0.0
    motion = hand_motion(found(held(FIST, 150), score), times_s)
    assert np.allclose(motion.bent_rad[:, 0], angles(FIST), atol=0.01)
    assert (motion.score[40:44, 0] == 0).all()
    assert (motion.score[60:140, 1] == 0).all()
    assert np.allclose(motion.bent_rad[100, 1], relaxed_hand()[0], atol=0.01)
    assert np.allclose(motion.bent_rad[62, 1], angles(FIST), atol=0.02)
    steps_deg = np.degrees(np.abs(np.diff(motion.bent_rad[:, 1], axis=0)))
    assert steps_deg.max() < 10.0


def test_a_hand_that_was_hardly_ever_found_counts_as_not_seen() -> None:
    score = np.zeros((FRAMES, 2))
    score[10, 0], score[:, 1] = 0.9, 0.9
    motion = hand_motion(found(held(FIST), score), TIMES_S)
    assert (motion.score[:, 0] == 0).all()
    assert np.allclose(motion.bent_rad[:, 0], relaxed_hand()[0])
    assert np.allclose(motion.bent_rad[:, 1], angles(FIST), atol=0.01)


def test_fingers_do_not_bend_back_nor_turn_aside_beyond_what_joints_do() -> None:
    rng = np.random.default_rng(3)
    points = [rng.normal(size=(FRAMES, 21, 3)) for _ in range(2)]
    motion = hand_motion(found(points, np.full((FRAMES, 2), 0.9)), TIMES_S)
    for number, limits in enumerate(LIMITS_DEG.values()):
        for bone, (bends, turns) in enumerate(limits):
            for values, (low, high) in ((motion.bent_rad, bends), (motion.aside_rad, turns)):
                found_deg = np.degrees(values[:, :, number, bone])
                assert found_deg.min() > low - ROOM_DEG - 1.0
                assert found_deg.max() < high + ROOM_DEG + 1.0


def test_a_finger_bent_back_is_straightened() -> None:
    bent_back = (FLAT[0], (0, -60, -40), *FLAT[2:])
    motion = hand_motion(found(held(bent_back), np.full((FRAMES, 2), 0.9)), TIMES_S)
    assert np.degrees(motion.bent_rad[:, :, 1]).min() > -17.0
    assert np.degrees(np.abs(motion.bent_rad[:, :, 2])).max() < 0.1


def test_angles_never_jump_however_wild_the_points_are() -> None:
    rng = np.random.default_rng(4)
    walk = np.cumsum(rng.normal(scale=0.02, size=(FRAMES, 21, 3)), axis=0) + hand(FIST)
    motion = hand_motion(found([walk, walk], np.full((FRAMES, 2), 0.9)), TIMES_S)
    assert np.degrees(np.abs(np.diff(motion.bent_rad, axis=0))).max() < 45.0


def test_a_hand_broken_as_a_whole_is_not_believed_however_sure_the_detector_is() -> None:
    rng = np.random.default_rng(6)
    points = held(FIST, 90)
    points[0][40:50] = rng.normal(scale=0.05, size=(10, 21, 3))
    motion = hand_motion(found(points, np.full((90, 2), 0.99)), np.arange(90) / FPS)
    to_ease = np.abs(relaxed_hand()[0] - angles(FIST))
    assert (np.abs(motion.bent_rad[:, 0] - angles(FIST)) < to_ease + np.radians(5.0)).all()
    assert np.degrees(np.abs(motion.bent_rad[:30, 0] - angles(FIST))).max() < 3.0


def test_a_hand_that_flashes_up_once_in_a_long_gap_changes_little() -> None:
    times_s = np.arange(150) / FPS
    score = np.zeros((150, 2))
    score[:30], score[90, 0] = 0.9, 0.9
    motion = hand_motion(found(held(FIST, 150), score), times_s)
    assert np.degrees(np.abs(motion.bent_rad[85:96, 0] - relaxed_hand()[0])).max() < 15.0


def test_hands_that_are_hardly_believed_are_at_ease() -> None:
    motion = hand_motion(found(held(FIST), np.full((FRAMES, 2), [0.9, 0.15])), TIMES_S)
    assert np.allclose(motion.bent_rad[:, 0], angles(FIST), atol=0.01)
    assert np.allclose(motion.bent_rad[:, 1], relaxed_hand()[0], atol=0.01)
