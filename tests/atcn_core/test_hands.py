"""Hands travel with keypoints and motion, in files as they are described; what has none is read as before."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import Keypoints2D, Motion3D, load_keypoints, load_motion, save_keypoints, save_motion, to_capture
from atcn_core.frames import Intrinsics
from atcn_core.hands import FINGERS, HAND_21, FoundHands, HandMotion
from atcn_core.motion.world import to_world
from atcn_core.preview import LEFT_BGR, RIGHT_BGR, draw_hands
from atcn_core.skeleton import CAPTURE, MEDIAPIPE_33
from tests.moving_person import dancing

FORMATS = (Path(__file__).parents[2] / "docs/formats.md").read_text()
FRAMES = 4


def found(seed: int = 0) -> FoundHands:
    rng = np.random.default_rng(seed)
    score = np.array([[0.9, 0.0], [0.0, 0.0], [0.5, 0.7], [1.0, 1.0]], dtype=np.float32)
    xy_px, points_cam = rng.normal(size=(FRAMES, 2, 21, 2)), rng.normal(size=(FRAMES, 2, 21, 3))
    xy_px[score == 0] = points_cam[score == 0] = np.nan
    return FoundHands(xy_px.astype(np.float32), points_cam.astype(np.float32), score)


def moved() -> HandMotion:
    bent, aside = np.random.default_rng(1).normal(size=(2, FRAMES, 2, 5, 3)).astype(np.float32)
    return HandMotion(bent, aside, np.ones((FRAMES, 2), dtype=np.float32))


def keypoints() -> Keypoints2D:
    joints = len(MEDIAPIPE_33)
    xy_px, score = np.ones((FRAMES, joints, 2), np.float32), np.ones((FRAMES, joints), np.float32)
    return Keypoints2D(MEDIAPIPE_33, np.arange(FRAMES) / 30.0, 30.0, (64, 48), xy_px, score, found())


def motion() -> Motion3D:
    person = dancing(0.3, seed=1)
    joints = person.joints_world[:FRAMES].astype(np.float32) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
    joints, root = joints - joints[:, :1], np.tile(np.array([0, 0, 3], np.float32), (len(joints), 1))
    times_s = np.arange(len(joints)) / 30.0
    score = np.ones(joints.shape[:2], np.float32)
    return Motion3D(CAPTURE, times_s, 30.0, (64, 48), joints, root, score, Intrinsics.assumed((64, 48)), hands=moved())


def described(kind: str) -> dict[str, tuple[int, ...]]:
    section = FORMATS.split("## Hands in these files", 1)[1].split("\n## ", 1)[0]
    text = section.split(f"In a {kind} file")[1].split("\n\nIn a ")[0].split("\n\nThe 21")[0]
    rows = re.findall(r"^\| `(\w+)` \| \((.*?)\) \| float32 \|", text, re.MULTILINE)
    return {
        name: tuple(FRAMES if part.strip() == "T" else int(part) for part in shape.split(",")) for name, shape in rows
    }


def test_the_points_of_a_hand_hang_together_finger_by_finger() -> None:
    assert len(HAND_21) == 21
    assert HAND_21.joints[0] == "wrist"
    for number, finger in enumerate(FINGERS):
        row = HAND_21.joints[1 + 4 * number : 5 + 4 * number]
        assert all(joint.startswith(finger) for joint in row)
        assert [HAND_21.parents[HAND_21.index(joint)] for joint in row] == ["wrist", *row[:-1]]


def test_keypoint_files_hold_the_hands_that_are_described(tmp_path: Path) -> None:
    save_keypoints(tmp_path / "k.npz", keypoints())
    with np.load(tmp_path / "k.npz") as stored:
        shapes = {name: stored[name].shape for name in stored.files if name.startswith("hands")}
    assert shapes == described("keypoint")
    hands = load_keypoints(tmp_path / "k.npz").hands
    assert hands is not None
    for name in ("xy_px", "points_cam", "score"):
        assert np.array_equal(getattr(hands, name), getattr(found(), name), equal_nan=True)


def test_motion_files_hold_the_hands_that_are_described(tmp_path: Path) -> None:
    save_motion(tmp_path / "m.npz", motion())
    with np.load(tmp_path / "m.npz") as stored:
        shapes = {name: stored[name].shape for name in stored.files if name.startswith("hands")}
    assert shapes == described("motion")
    hands = load_motion(tmp_path / "m.npz").hands
    assert hands is not None
    assert np.array_equal(hands.bent_rad, moved().bent_rad)
    assert np.array_equal(hands.aside_rad, moved().aside_rad)


def test_files_without_hands_are_read(tmp_path: Path) -> None:
    save_keypoints(tmp_path / "k.npz", replace(keypoints(), hands=None))
    assert load_keypoints(tmp_path / "k.npz").hands is None
    save_motion(tmp_path / "m.npz", replace(motion(), hands=None))
    assert load_motion(tmp_path / "m.npz").hands is None


def test_hands_come_along_into_the_capture_set_and_the_world() -> None:
    assert to_capture(keypoints()).hands is not None
    world = to_world(motion())
    assert world.hands is not None
    assert np.array_equal(world.hands.bent_rad, moved().bent_rad)


def test_some_frames_of_hands() -> None:
    keep = np.array([True, False, False, True])
    assert np.array_equal(found().at(keep).score, found().score[keep])
    assert np.array_equal(moved().at(keep).bent_rad, moved().bent_rad[keep])


def test_wrong_shapes_and_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="points_cam"):
        FoundHands(found().xy_px, found().points_cam[:, :, :20], found().score)
    with pytest.raises(ValueError, match="finite"):
        FoundHands(found().xy_px, found().points_cam, np.ones((FRAMES, 2), np.float32))
    with pytest.raises(ValueError, match="aside_rad"):
        HandMotion(moved().bent_rad, np.full_like(moved().aside_rad, np.nan), moved().score)
    with pytest.raises(ValueError, match="hands has 2 frames"):
        replace(motion(), hands=moved().at(np.array([0, 1])))


@pytest.mark.parametrize(("which", "colour"), [(0, LEFT_BGR), (1, RIGHT_BGR)])
def test_a_found_hand_is_drawn_in_its_sides_colour_and_the_other_is_not(which: int, colour: tuple[int, ...]) -> None:
    xy_px, score = np.full((2, 21, 2), np.nan), np.zeros(2)
    picture = np.zeros((60, 60, 3), dtype=np.uint8)
    draw_hands(picture, xy_px, score)
    assert not picture.any()
    xy_px[which], score[which] = np.stack([np.linspace(10, 40, 21), np.linspace(50, 20, 21)], axis=-1), 1.0
    draw_hands(picture, xy_px, score)
    assert (picture == colour).all(axis=-1).any()
