"""The 21 points of both hands, found in pictures around the wrists that the pose has already found.

MediaPipe's hand landmarker (Tasks API) looks for palms in a small copy of the picture, in which the hands of a person
who is seen whole are a few pixels wide. So it is shown a square around each wrist, as large as a hand can reach, which
goes along with the hand: from frame to frame the hand hardly moves in it, and is followed instead of looked for anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import RunningMode
from mediapipe.tasks.python.vision.hand_landmarker import (
    HandLandmarker,
    HandLandmarkerOptions,
    HandLandmarkerResult,
)

from ..clip import Keypoints2D
from ..errors import KeypointsError
from ..hands import HAND_21, FoundHands
from ..motion.fingers_steady import impossible_rad
from ..motion.smoothing import fading
from ..reporter import Reporter
from ..skeleton import SIDES
from ..video import read_frames
from .enhance import enhanced
from .mediapipe import stderr_hushed
from .model import HANDS, ensure_model
from .sides import SPREAD_OF_STANDING_M, body_size_px

__all__ = ["find_hands", "hand_squares_px", "px_per_m"]

# The square's side, and how far its middle lies beyond the wrist in lengths from there to the knuckles.
SQUARE_M, BEYOND_KNUCKLES = 0.6, 1.2
# A hand whose wrist lies farther than this from the pose's is the other one's, or nobody's.
SAME_WRIST_M = 0.12
# The least chance with which MediaPipe believes in a palm. Lower than usual: that there is a hand is known.
PALM_CHANCE = 0.3
# A wrist that the pose itself has seen less surely than this is not looked for.
WRIST_SCORE = 0.1
# What a hand that MediaPipe takes for the other one counts: it is seen less clearly than its chance says.
OTHER_SIDE_SCORE = 0.4
# How much more possible the other depth must make a hand, to be taken against MediaPipe's idea of which hand it is.
CLEARLY_RAD = np.deg2rad(2.0)
# How long a hand (wrist to the middle finger's knuckle) must be in the picture to be hardly or fully believed.
LENGTH_PX = (6.0, 16.0)
_WRIST, _KNUCKLE = HAND_21.index("wrist"), HAND_21.index("middle_mcp")
_FRAME_MS = 33
_NOTHING = np.zeros((8, 8, 3), dtype=np.uint8)


@dataclass(frozen=True)
class _Square:
    """A square of a picture: its left upper corner and its side in pixels, whole numbers."""

    left_px: int
    top_px: int
    side_px: int

    def of(self, picture: np.ndarray) -> np.ndarray:
        """What it shows (S, S, 3); black beyond the picture's border."""
        height_px, width_px = picture.shape[:2]
        right_px, bottom_px = self.left_px + self.side_px, self.top_px + self.side_px
        border_px = (
            max(-self.top_px, 0),
            max(bottom_px - height_px, 0),
            max(-self.left_px, 0),
            max(right_px - width_px, 0),
        )
        inside = picture[max(self.top_px, 0) : max(bottom_px, 0), max(self.left_px, 0) : max(right_px, 0)]
        if not inside.size:
            return np.zeros((self.side_px, self.side_px, 3), dtype=np.uint8)
        return cv2.copyMakeBorder(inside, *border_px, cv2.BORDER_CONSTANT) if any(border_px) else inside


@dataclass(frozen=True)
class _Hand:
    """One hand found: xy_px (21, 2) in the frame, points_cam (21, 3) metres, taken_for: "left" or "right"."""

    xy_px: np.ndarray
    points_cam: np.ndarray
    taken_for: str
    chance: float


def find_hands(video: Path | str, keypoints: Keypoints2D, reporter: Reporter | None = None) -> FoundHands:
    """Both hands in each frame that the keypoints are of, the left one by the pose's left wrist.

    keypoints: a person's joints with wrists; index and pinky knuckles where the joint set has them. The joints may be
    as they were found: they are put right here. Reports stage "hands".
    Raises VideoError, ModelError, CancelledError, and KeypointsError where a joint set has no wrists.
    """
    reporter = reporter or Reporter()
    missing = [joint for joint in ("left_wrist", "right_wrist") if joint not in keypoints.skeleton.joints]
    if missing:
        raise KeypointsError(f"Hands cannot be found without the joint {missing[0]}.", hint="Detect the video again.")
    keypoints = enhanced(keypoints)
    scale_px = px_per_m(keypoints)
    squares = {side: hand_squares_px(keypoints, side, scale_px) for side in SIDES}
    wrists = {side: keypoints.xy_px[:, keypoints.skeleton.index(f"{side}_wrist")] for side in SIDES}
    frames = len(keypoints.times_s)
    xy_px = np.full((frames, len(SIDES), len(HAND_21), 2), np.nan, dtype=np.float32)
    points_cam = np.full((frames, len(SIDES), len(HAND_21), 3), np.nan, dtype=np.float32)
    score = np.zeros((frames, len(SIDES)), dtype=np.float32)
    with ExitStack() as stack:
        seekers = {side: stack.enter_context(_Seeker(reporter)) for side in SIDES}
        for frame, picture in _frames_of(video, keypoints, reporter):
            for which, side in enumerate(SIDES):
                square, near_px = squares[side][frame], SAME_WRIST_M * float(scale_px[frame])
                hand = seekers[side].hand_in(picture, square, wrists[side][frame], near_px)
                if hand is not None:
                    xy_px[frame, which] = hand.xy_px
                    points_cam[frame, which] = _on_side(hand, side)
                    score[frame, which] = _score(hand, side)
            reporter.progress("hands", frame + 1, frames)
    reporter.progress("hands", frames, frames)
    return FoundHands(xy_px, points_cam, score)


def hand_squares_px(keypoints: Keypoints2D, side: str, scale_px: np.ndarray) -> list[_Square | None]:
    """Where to look for one side's hand in each frame; None where its wrist is not seen.

    scale_px: (T,) pixels to a metre of the person.
    """
    skeleton = keypoints.skeleton
    wrist = skeleton.index(f"{side}_wrist")
    at_px = keypoints.xy_px[:, wrist].astype(np.float64)
    ahead = [skeleton.index(joint) for joint in (f"{side}_index", f"{side}_pinky") if joint in skeleton.joints]
    if ahead:
        known = keypoints.score[:, ahead].min(axis=1, keepdims=True) > 0
        knuckles_px = np.where(known, keypoints.xy_px[:, ahead].mean(axis=1), at_px)
        at_px = at_px + BEYOND_KNUCKLES * (knuckles_px - at_px)
    sides_px = np.maximum(np.round(SQUARE_M * scale_px), 2.0)
    corners_px = np.round(at_px - 0.5 * sides_px[:, None])
    seen = keypoints.score[:, wrist] > WRIST_SCORE
    return [
        _Square(int(corner[0]), int(corner[1]), int(size)) if there else None
        for corner, size, there in zip(corners_px, sides_px, seen, strict=True)
    ]


def px_per_m(keypoints: Keypoints2D) -> np.ndarray:
    """(T,) pixels to a metre of the person, by how far all joints are spread."""
    return body_size_px(keypoints.xy_px.astype(np.float64), keypoints.score, keypoints.times_s) / SPREAD_OF_STANDING_M


def _frames_of(video: Path | str, keypoints: Keypoints2D, reporter: Reporter) -> Iterator[tuple[int, np.ndarray]]:
    """The video's pictures (H, W, 3) at the keypoints' times, with the frame's number among these."""
    half_s = 0.5 / keypoints.fps
    start_s, end_s = float(keypoints.times_s[0]) - half_s, float(keypoints.times_s[-1]) + half_s
    for time_s, picture in read_frames(video, start_s=max(start_s, 0.0), end_s=end_s):
        reporter.check_cancelled()
        frame = int(np.argmin(np.abs(keypoints.times_s - time_s)))
        if abs(keypoints.times_s[frame] - time_s) < half_s:
            yield frame, picture


class _Seeker:
    """Follows one hand from square to square."""

    def __init__(self, reporter: Reporter) -> None:
        path = ensure_model(bundle=HANDS, reporter=reporter)
        options = HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
            running_mode=RunningMode.VIDEO,
            num_hands=1,
            min_hand_detection_confidence=PALM_CHANCE,
        )
        with stderr_hushed():
            self._landmarker = HandLandmarker.create_from_options(options)
        self._last_ms = 0
        self._follows = False

    def __enter__(self) -> _Seeker:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def hand_in(
        self, picture: np.ndarray, square: _Square | None, wrist_px: np.ndarray, near_px: float
    ) -> _Hand | None:
        """The hand in a square of a picture whose wrist lies near the pose's (2,); None where there is none."""
        if square is None:
            self._forget()
            return None
        result = self._looked_at(square.of(picture))
        if not result.hand_landmarks:
            return None
        hand = _hand_of(result, square)
        if np.linalg.norm(hand.xy_px[_WRIST] - wrist_px) > near_px:
            self._forget()
            return None
        return hand

    def _looked_at(self, picture_bgr: np.ndarray) -> HandLandmarkerResult:
        first, self._follows = self._last_ms == 0, True
        self._last_ms += _FRAME_MS
        shown = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2RGB))
        if not first:
            return self._landmarker.detect_for_video(shown, self._last_ms)
        with stderr_hushed():
            return self._landmarker.detect_for_video(shown, self._last_ms)

    def _forget(self) -> None:
        """Shown nothing, MediaPipe loses the hand that it follows."""
        if self._follows:
            self._looked_at(_NOTHING)
            self._follows = False


def _hand_of(result: HandLandmarkerResult, square: _Square) -> _Hand:
    corner_px = np.array([square.left_px, square.top_px])
    marks = np.array([(mark.x, mark.y) for mark in result.hand_landmarks[0]])
    taken_for = result.handedness[0][0]
    return _Hand(
        corner_px + square.side_px * marks,
        np.array([(mark.x, mark.y, mark.z) for mark in result.hand_world_landmarks[0]]),
        str(taken_for.category_name).lower(),
        float(taken_for.score),
    )


def _on_side(hand: _Hand, side: str) -> np.ndarray:
    """The points (21, 3) as those of this side's hand.

    A picture does not tell a palm from the back of the other hand: both look alike, and differ in depth only. What
    tells is how fingers bend: the depth is taken in which they can. Where that says little, MediaPipe's own idea of
    the side does.
    """
    mirrored = hand.points_cam * np.array([1.0, 1.0, -1.0])
    as_found_rad, mirrored_rad = impossible_rad(np.stack([hand.points_cam, mirrored]), side)
    lead_rad = CLEARLY_RAD if hand.taken_for == side else -CLEARLY_RAD
    return hand.points_cam if as_found_rad <= mirrored_rad + lead_rad else mirrored


def _score(hand: _Hand, side: str) -> float:
    length_px = float(np.linalg.norm(hand.xy_px[_KNUCKLE] - hand.xy_px[_WRIST]))
    span_px = max(length_px, 0.5 * float(np.ptp(hand.xy_px, axis=0).max()))
    believed = hand.chance if hand.taken_for == side else OTHER_SIDE_SCORE
    return float(believed * fading(np.array(span_px), *LENGTH_PX))
