"""Hands are found in squares around the pose's wrists, on the right side, with fingers bent as they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from atcn_core.capture import capture
from atcn_core.clip import Keypoints2D, load_keypoints, load_motion, save_keypoints
from atcn_core.detect import create_detector
from atcn_core.detect.cache import AGAIN_VARIABLE
from atcn_core.detect.hands import SQUARE_M, _Hand, _on_side, find_hands, hand_squares_px
from atcn_core.detect.model import HANDS, POSE, ensure_model
from atcn_core.detect.track import track_person
from atcn_core.errors import CancelledError, KeypointsError
from atcn_core.hands import HAND_21, FoundHands
from atcn_core.motion.fingers_steady import hand_motion
from atcn_core.reporter import Reporter
from atcn_core.skeleton import MEDIAPIPE_33, Skeleton
from atcn_core.video import read_frames
from atcn_core.worker.protocol import CaptureJob
from tests.atcn_core.motion.hand_shapes import SHAPES, hand

DEMO = Path(__file__).parents[2] / "data" / "demo.mp4"
SQUATS = Path(__file__).parents[4] / "shared" / "videos" / "tfjs_pose_squats.mp4"
SHOWN_S = 0.7


@pytest.fixture(scope="module")
def keypoints() -> Keypoints2D:
    return track_person(DEMO, create_detector("mediapipe"), end_s=SHOWN_S).keypoints


@pytest.fixture(scope="module")
def hands(keypoints: Keypoints2D) -> FoundHands:
    return find_hands(DEMO, keypoints)


def standing(frames: int = 2) -> Keypoints2D:
    """A person whose left hand points to the right of the picture, 100 px from wrist to knuckles."""
    rng = np.random.default_rng(0)
    xy_px = np.tile(rng.uniform(100, 500, size=(len(MEDIAPIPE_33), 2)), (frames, 1, 1)).astype(np.float32)
    for joint, x_px in (("wrist", 200.0), ("index", 300.0), ("pinky", 300.0)):
        xy_px[:, MEDIAPIPE_33.index(f"left_{joint}")] = (x_px, 250.0)
    score = np.ones(xy_px.shape[:2], dtype=np.float32)
    return Keypoints2D(MEDIAPIPE_33, np.arange(frames) / 30.0, 30.0, (640, 480), xy_px, score)


def test_the_square_lies_on_the_hand_and_shows_nothing_beyond_the_picture() -> None:
    first, last = hand_squares_px(standing(), "left", np.array([500.0, 1000.0]))
    assert first is not None
    assert last is not None
    assert (first.side_px, last.side_px) == (round(500 * SQUARE_M), round(1000 * SQUARE_M))
    assert abs(first.left_px + 0.5 * first.side_px - 320.0) <= 1
    assert abs(first.top_px + 0.5 * first.side_px - 250.0) <= 1
    picture = np.full((480, 640, 3), 200, dtype=np.uint8)
    picture[250, 320] = (1, 2, 3)
    shown = last.of(picture)
    assert shown.shape == (last.side_px, last.side_px, 3)
    assert (shown[250 - last.top_px, 320 - last.left_px] == (1, 2, 3)).all()
    assert (shown[: -last.top_px] == 0).all(), "above the picture"
    assert (shown[-1] == 0).all(), "below the picture"
    assert (replace(last, left_px=5000).of(picture) == 0).all()


def test_an_unseen_wrist_has_no_square() -> None:
    keypoints = standing()
    keypoints.score[1, MEDIAPIPE_33.index("left_wrist")] = 0.0
    squares = hand_squares_px(keypoints, "left", np.full(2, 500.0))
    assert squares[0] is not None
    assert squares[1] is None


def test_hands_of_a_small_figure_are_found_at_its_wrists(keypoints: Keypoints2D, hands: FoundHands) -> None:
    assert (hands.score > 0).mean() > 0.7
    for which, side in enumerate(("left", "right")):
        found = hands.score[:, which] > 0
        wrist_px = keypoints.xy_px[found, keypoints.skeleton.index(f"{side}_wrist")]
        off_px = np.linalg.norm(hands.xy_px[found, which, HAND_21.index("wrist")] - wrist_px, axis=-1)
        assert np.median(off_px) < 8.0
    lengths_m = np.linalg.norm(hands.points_cam[..., 9, :] - hands.points_cam[..., 0, :], axis=-1)
    assert 0.06 < np.nanmedian(lengths_m) < 0.12


def test_the_left_hand_is_the_right_one_in_the_mirror(
    keypoints: Keypoints2D, hands: FoundHands, tmp_path: Path
) -> None:
    width_px, height_px = keypoints.image_wh_px
    film = tmp_path / "mirrored.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), keypoints.fps, (width_px, height_px))
    for _, picture in read_frames(DEMO, end_s=SHOWN_S):
        writer.write(picture[:, ::-1].copy())
    writer.release()
    xy_px = keypoints.xy_px[:, list(MEDIAPIPE_33.mirror)] * (-1.0, 1.0) + (width_px - 1, 0.0)
    mirrored = replace(
        keypoints, xy_px=xy_px.astype(np.float32), score=keypoints.score[:, list(MEDIAPIPE_33.mirror)].copy()
    )
    other = find_hands(film, mirrored)
    assert abs((other.score[:, ::-1] > 0).mean() - (hands.score > 0).mean()) < 0.25
    both = (hands.score > 0.5) & (other.score[:, ::-1] > 0.5)
    assert both.sum() > 5
    turned = other.points_cam[:, ::-1] * (-1.0, 1.0, 1.0)
    apart_m = np.linalg.norm(turned[both] - hands.points_cam[both], axis=-1)
    assert np.median(apart_m) < 0.02


@pytest.mark.parametrize("taken_for", ["left", "right"])
@pytest.mark.parametrize("shape", ["fist", "pointing"])
def test_the_depth_of_a_hand_is_that_in_which_its_fingers_can_bend(shape: str, taken_for: str) -> None:
    points = hand(SHAPES[shape], "left") @ Rotation.from_euler("xyz", (20, 130, -40), degrees=True).as_matrix().T
    deep = np.array([1.0, 1.0, -1.0])
    for seen in (points, points * deep):
        taken = _on_side(_Hand(points[:, :2], seen, taken_for, 0.9), "left")
        assert np.allclose(taken, points), "whatever depth was found, and whichever hand it was taken for"


def test_where_the_fingers_say_nothing_the_detectors_idea_of_the_side_decides() -> None:
    points = hand(SHAPES["flat"], "left") @ Rotation.from_euler("x", 35, degrees=True).as_matrix().T
    assert np.array_equal(_on_side(_Hand(points[:, :2], points, "left", 0.9), "left"), points)
    assert not np.array_equal(_on_side(_Hand(points[:, :2], points, "right", 0.9), "left"), points)


def test_joints_without_wrists_cannot_lead_to_hands() -> None:
    nose = Skeleton("nose", ("nose",), (None,))
    keypoints = Keypoints2D(nose, np.zeros(1), 30.0, (64, 64), np.zeros((1, 1, 2)), np.ones((1, 1)))
    with pytest.raises(KeypointsError, match="left_wrist"):
        find_hands(DEMO, keypoints)


def test_looking_for_hands_stops_when_cancelled(keypoints: Keypoints2D) -> None:
    class Cancelled(Reporter):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(CancelledError):
        find_hands(DEMO, keypoints, Cancelled())


def test_a_capture_with_fingers_keeps_them_in_both_files(
    keypoints: Keypoints2D, hands: FoundHands, tmp_path: Path
) -> None:
    given = tmp_path / "given.npz"
    save_keypoints(given, keypoints)
    job = CaptureJob(str(DEMO), str(tmp_path / "m.npz"), str(tmp_path / "k.npz"), str(given), end_s=SHOWN_S)
    capture(job, Reporter())
    assert load_motion(tmp_path / "m.npz").hands is None
    assert load_keypoints(tmp_path / "k.npz").hands is None
    capture(replace(job, fingers=True), Reporter())
    kept = load_keypoints(tmp_path / "k.npz").hands
    assert kept is not None
    assert np.array_equal(kept.score, hands.score)
    moved = load_motion(tmp_path / "m.npz").hands
    assert moved is not None
    assert np.array_equal(moved.bent_rad, hand_motion(hands, keypoints.times_s).bent_rad)
    capture(replace(job, video="", keypoints_in=str(tmp_path / "k.npz"), keypoints_out="", fingers=False), Reporter())
    again = load_motion(tmp_path / "m.npz").hands
    assert again is not None
    assert np.array_equal(again.bent_rad, moved.bent_rad), "a keypoint file's hands are used whoever asks"


@pytest.mark.skipif(not SQUATS.is_file(), reason="the shared videos are not here")
def test_a_real_womans_fist_and_open_hand_are_told_apart() -> None:
    keypoints = track_person(SQUATS, create_detector("mediapipe"), end_s=2.0).keypoints
    found = find_hands(SQUATS, keypoints)
    assert (found.score > 0.5).mean() > 0.8
    bent_deg = np.degrees(hand_motion(found, keypoints.times_s).bent_rad)
    # Her left hand is a fist that her right hand holds.
    closed, open_ = bent_deg[:, 0, 1:].sum(axis=-1), bent_deg[:, 1, 1:].sum(axis=-1)
    assert np.median(closed) > np.median(open_) + 25.0


def test_hands_are_kept_beside_the_joints_and_only_looked_for_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Looks(Reporter):
        def __init__(self) -> None:
            self.stages: dict[str, int] = {}

        def progress(self, stage: str, current: int, total: int) -> None:
            self.stages[stage] = self.stages.get(stage, 0) + (0 < current < total)

    models = [ensure_model(bundle=bundle) for bundle in (POSE, HANDS)]
    monkeypatch.delenv(AGAIN_VARIABLE)
    monkeypatch.setenv("ATCN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    for model in models:
        shutil.copy(model, tmp_path / "cache")
    plain = CaptureJob(str(DEMO), str(tmp_path / "m.npz"), cached=True, end_s=0.2)
    looks = []
    for job in (plain, replace(plain, fingers=True), replace(plain, fingers=True), plain):
        reporter = Looks()
        capture(job, reporter)
        looks.append((reporter.stages.get("detect", 0) > 0, reporter.stages.get("hands", 0) > 0))
    assert looks == [(True, False), (False, True), (False, False), (False, False)]
    assert load_motion(tmp_path / "m.npz").hands is None, "not asked for the last time"
