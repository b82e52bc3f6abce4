"""A person's hands over a clip: the 21 points, as they are found in the pictures and as they move. Checked dataclasses.

The first of the two hands is the left one, everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .skeleton import Skeleton

__all__ = ["FINGERS", "HAND_21", "FoundHands", "HandMotion", "arrays_of", "found_hands_of", "hand_motion_of"]

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_THUMB_JOINTS = ("cmc", "mcp", "ip", "tip")
_FINGER_JOINTS = ("mcp", "pip", "dip", "tip")


def _hand_21() -> Skeleton:
    joints, parents = ["wrist"], [None]
    for finger in FINGERS:
        row = [f"{finger}_{joint}" for joint in (_THUMB_JOINTS if finger == "thumb" else _FINGER_JOINTS)]
        joints += row
        parents += ["wrist", *row[:-1]]
    return Skeleton("hand-21", tuple(joints), tuple(parents))


# The points of one hand in MediaPipe's order: the wrist, then each finger from its knuckle to its tip.
HAND_21 = _hand_21()


@dataclass(frozen=True)
class FoundHands:
    """Hands as a detector finds them. NaN where the score is 0.

    xy_px:      (T, 2, 21, 2) float32, pixels of the full frame.
    points_cam: (T, 2, 21, 3) float32, metres in camera axes, from the middle of the hand: how it is bent and turned,
                not where it is.
    score:      (T, 2)        float32, 0..1; 0 where the hand was not found.
    """

    xy_px: np.ndarray
    points_cam: np.ndarray
    score: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.score)
        _check("score", self.score, (frames, 2))
        _check("xy_px", self.xy_px, (frames, 2, len(HAND_21), 2))
        _check("points_cam", self.points_cam, (frames, 2, len(HAND_21), 3))
        found = self.score > 0
        if not (np.isfinite(self.xy_px[found]).all() and np.isfinite(self.points_cam[found]).all()):
            raise ValueError("xy_px and points_cam of hands must be finite wherever score > 0")

    def at(self, keep: np.ndarray) -> FoundHands:
        """Some of the frames; keep: (T,) bool or indices."""
        return FoundHands(self.xy_px[keep], self.points_cam[keep], self.score[keep])


@dataclass(frozen=True)
class HandMotion:
    """Hands as they move: how each bone of the fingers is turned against the one before it, alike on both hands.

    bent_rad:  (T, 2, 5, 3) float32, each finger's bones from the knuckle on: bent towards the palm; the thumb towards
               the little finger. Zero is a flat hand.
    aside_rad: (T, 2, 5, 3) float32, spread towards the thumb's side; the thumb away from the palm.
    score:     (T, 2)       float32, 0..1, how well each hand was seen; 0 where it was filled in.
    """

    bent_rad: np.ndarray
    aside_rad: np.ndarray
    score: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.score)
        _check("score", self.score, (frames, 2))
        for name in ("bent_rad", "aside_rad"):
            _check(name, getattr(self, name), (frames, 2, len(FINGERS), 3))
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} must be finite")

    def at(self, keep: np.ndarray | slice) -> HandMotion:
        """Some of the frames; keep: (T,) bool, indices or a slice."""
        return HandMotion(self.bent_rad[keep], self.aside_rad[keep], self.score[keep])


def _check(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} of hands has shape {array.shape}, expected {shape}")


def arrays_of(hands: FoundHands | HandMotion | None) -> dict[str, np.ndarray]:
    """What a file holds of them: nothing where there are none."""
    if hands is None:
        return {}
    arrays = {"hands_score": hands.score.astype(np.float32)}
    if isinstance(hands, HandMotion):
        turned = {"hands_bent_rad": hands.bent_rad, "hands_aside_rad": hands.aside_rad}
        return arrays | {name: values.astype(np.float32) for name, values in turned.items()}
    return arrays | {"hands_xy_px": hands.xy_px.astype(np.float32), "hands_cam": hands.points_cam.astype(np.float32)}


def found_hands_of(arrays: Mapping[str, np.ndarray]) -> FoundHands | None:
    """The hands in a keypoint file's arrays; None where it has none. Raises KeyError, ValueError where damaged."""
    if "hands_score" not in arrays:
        return None
    return FoundHands(arrays["hands_xy_px"], arrays["hands_cam"], arrays["hands_score"])


def hand_motion_of(arrays: Mapping[str, np.ndarray]) -> HandMotion | None:
    """The hands in a motion file's arrays; None where it has none. Raises KeyError, ValueError where damaged."""
    if "hands_score" not in arrays:
        return None
    return HandMotion(arrays["hands_bent_rad"], arrays["hands_aside_rad"], arrays["hands_score"])
