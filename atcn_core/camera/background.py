"""Points of the background followed through a video, the person left out: what all else about the camera is made of.

Every frame is compared with a key frame, not with the frame before, so that errors do not add up; where the camera
comes back to what an earlier key frame shows, that one is taken again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from .matching import (
    LEAST_POINTS,
    Described,
    alike,
    by_looks,
    cover_person,
    describe,
    followed,
    homography,
    inside,
    moved,
    nearby,
)

__all__ = ["LOOKED_AT_PX", "LOST", "PASSED", "BackgroundTracks", "BackgroundWatch"]

LOST, PASSED = -1, -2

# The pictures are looked at this large: sub-pixel places there are some hundredths of a degree.
LOOKED_AT_PX = 480
# No camera moves so that more than some 30 pictures a second are needed.
LEAST_STEP_S = 0.025
POINTS = 110
KEPT_POINTS = 64
QUALITY = 0.005
APART_PX = 14
# From the frame before, a few points found roughly but from far; from the key frame all of them, exactly.
NEAR_POINTS = 48
# A key frame serves while so many of its points are found.
SHARE_FOUND = 0.35
# A guess is right where so many of the points that should be in sight are found.
SURE_SHARE = 0.7
# A background that is lost is looked for in so many key frames from before; after so many frames all begins anew.
KEYS_ASKED, PATIENCE = 3, 20
# An earlier key frame is tried again where so much of it should be in the picture.
SHARE_IN_SIGHT = 0.65
TRY_EVERY = 5
MOST_KEYS = 60
DARKEST = 8


@dataclass(frozen=True)
class BackgroundTracks:
    """Where points of the background were in a clip's frames.

    image_wh_px: the upright picture's size.
    key:         (T,) int, the frame that each one is compared with, itself where following begins anew; LOST where
                 nothing could be followed, PASSED where the frame was not looked at.
    key_xy_px:   (T, P, 2) float32, points in the picture of frame `key`, px; NaN where there are fewer than P.
    xy_px:       (T, P, 2) float32, the same points in the picture of the frame itself.
    steady:      (T, P) bool, the points that one homography takes from one picture to the other.
    """

    image_wh_px: tuple[int, int]
    key: np.ndarray
    key_xy_px: np.ndarray
    xy_px: np.ndarray
    steady: np.ndarray

    def __post_init__(self) -> None:
        frames, points = self.steady.shape
        for name, shape in (("key", (frames,)), ("key_xy_px", (frames, points, 2)), ("xy_px", (frames, points, 2))):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")

    @property
    def known(self) -> np.ndarray:
        """(T, P) bool: points that are there."""
        return np.asarray(np.isfinite(self.xy_px).all(axis=2))


@dataclass
class _Key:
    """A frame that others are compared with. points_px: (P, 2) in the small picture; from_first: (3, 3) its picture
    from the first key frame's, as far as this is known."""

    frame: int
    grey: np.ndarray
    points_px: np.ndarray
    from_first: np.ndarray
    described: Described | None = None


@dataclass(frozen=True)
class _Match:
    """One frame beside a key frame. index: (M,) which of the key's points; xy_px: (M, 2) in the small picture;
    tried: how many of them should have been in sight."""

    index: np.ndarray
    xy_px: np.ndarray
    inlier: np.ndarray
    from_key: np.ndarray
    tried: int


@dataclass
class _Row:
    key: int
    key_px: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    xy_px: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    steady: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))


class BackgroundWatch:
    """Looks at the frames of one video in their order; `tracks` is what was seen."""

    def __init__(self, image_wh_px: tuple[int, int], bones: Sequence[tuple[int, int]] = ()) -> None:
        """bones: pairs of the person's joints with the body between them; without any, a box around all joints."""
        self._image_wh_px = image_wh_px
        self._bones = bones
        self._scale = min(1.0, LOOKED_AT_PX / max(image_wh_px))
        self._keys: list[_Key] = []
        self._current: _Key | None = None
        self._from_key = np.eye(3)
        self._step = np.eye(3)
        self._lost = 0
        self._looked_s = -np.inf
        self._before: np.ndarray | None = None
        self._rows: list[_Row] = []

    def see(self, picture_bgr: np.ndarray, time_s: float, person_px: np.ndarray | None) -> None:
        """The next frame. picture_bgr: (H, W, 3) uint8; person_px: (J, 2) the person's joints, None for nobody."""
        if time_s - self._looked_s < LEAST_STEP_S:
            self._rows.append(_Row(PASSED))
            return
        self._looked_s = time_s
        grey = self._small(picture_bgr)
        free = self._free_of_person(grey, person_px)
        before = self._believed()
        match = self._compared(grey, free)
        if match is not None:
            match = self._again_with_earlier(grey, free, match)
        if match is None:
            match = self._found_again(grey, free)
        if match is None or self._current is None:
            self._rows.append(_Row(LOST))
            self._step = np.eye(3)
            self._lost += 1
            # Somebody may only have come between: what is begun anew has no direction that is known.
            if self._current is None or self._lost > PATIENCE:
                self._begin(grey, free, self._believed())
        else:
            self._lost = 0
            self._step = match.from_key @ self._current.from_first @ np.linalg.inv(before)
            self._from_key = match.from_key
            self._rows.append(self._row(self._current, match))
            if self._outgrown(self._current, match):
                self._begin(grey, free, self._believed())
        self._before = grey

    def miss(self) -> None:
        """The next frame is not there."""
        self._rows.append(_Row(LOST))

    @property
    def tracks(self) -> BackgroundTracks:
        """What was seen so far."""
        most = max([len(row.xy_px) for row in self._rows] + [1])
        frames = len(self._rows)
        key_px = np.full((frames, most, 2), np.nan, np.float32)
        xy_px = np.full((frames, most, 2), np.nan, np.float32)
        steady = np.zeros((frames, most), bool)
        for frame, row in enumerate(self._rows):
            count = len(row.xy_px)
            key_px[frame, :count], xy_px[frame, :count] = self._full(row.key_px), self._full(row.xy_px)
            steady[frame, :count] = row.steady
        return BackgroundTracks(self._image_wh_px, np.array([row.key for row in self._rows]), key_px, xy_px, steady)

    def _full(self, small_px: np.ndarray) -> np.ndarray:
        """Points of the small picture, where whole numbers are middles of pixels, in the full one."""
        return (small_px + 0.5) / self._scale

    def _small(self, picture_bgr: np.ndarray) -> np.ndarray:
        # Grey first costs a third of what scaling three colours does.
        grey = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY)
        if self._scale == 1.0:
            return grey
        size = tuple(max(round(side * self._scale), 16) for side in self._image_wh_px)
        # Averaging is what costs, and down to half the size it is not needed.
        return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if self._scale < 0.5 else cv2.INTER_LINEAR)

    def _free_of_person(self, grey: np.ndarray, person_px: np.ndarray | None) -> np.ndarray:
        """(H, W) uint8: 255 where the person is not. Black borders are not background either."""
        free = np.full(grey.shape, 255, np.uint8)
        if person_px is not None and np.isfinite(person_px).all(axis=1).any():
            cover_person(free, person_px * self._scale, self._bones)
        free[grey < DARKEST] = 0
        return free

    def _believed(self) -> np.ndarray:
        """This frame's picture from the first key frame's, as far as it is known (3, 3)."""
        return self._from_key @ self._current.from_first if self._current is not None else np.eye(3)

    def _begin(self, grey: np.ndarray, free: np.ndarray, from_first: np.ndarray) -> None:
        """Make the present frame a key frame, if it shows enough."""
        found = cv2.goodFeaturesToTrack(grey, POINTS, QUALITY, APART_PX, mask=free)
        if found is None or len(found) < LEAST_POINTS:
            return
        frame = len(self._rows) - 1
        self._current = _Key(frame, grey, found[:, 0], from_first)
        self._from_key = np.eye(3)
        self._keys.append(self._current)
        if len(self._keys) > MOST_KEYS:
            # The first one is what all directions are told against; of the others the oldest goes.
            del self._keys[1]
        if self._rows[-1].key == LOST:
            everywhere = np.arange(len(found))
            itself = _Match(everywhere, found[:, 0], np.ones(len(found), bool), np.eye(3), len(found))
            self._rows[-1] = self._row(self._current, itself)

    def _compared(self, grey: np.ndarray, free: np.ndarray) -> _Match | None:
        """The present frame beside the current key frame; None where too little of it is found."""
        if self._current is None or self._before is None:
            return None
        # A camera mostly goes on as it did; where that guess fails, the frame before tells.
        soon = _matched(self._current, grey, free, self._step @ self._from_key)
        if soon is not None and soon.inlier.sum() >= SURE_SHARE * soon.tried:
            return soon
        where = moved(self._current.points_px, self._from_key)
        in_sight = inside(where, free)
        if in_sight.sum() < LEAST_POINTS:
            return None
        few = np.flatnonzero(in_sight)[:: max(int(in_sight.sum()) // NEAR_POINTS, 1)]
        guess = nearby(self._before, grey, where[few], where[few])
        if guess is not None:
            guess = guess @ self._from_key
        else:
            # What was between may have shown nothing: from the key frame itself, if the camera is about where it was.
            guess = nearby(self._current.grey, grey, self._current.points_px[few], where[few])
        return None if guess is None else _matched(self._current, grey, free, guess)

    def _again_with_earlier(self, grey: np.ndarray, free: np.ndarray, match: _Match) -> _Match:
        """The match with the earliest key frame that the camera has come back to; else the one given."""
        if len(self._rows) % TRY_EVERY or self._current is None:
            return match
        from_first = match.from_key @ self._current.from_first
        for key in self._keys:
            if key is self._current:
                break
            guess = from_first @ np.linalg.inv(key.from_first)
            if inside(moved(key.points_px, guess), free).mean() < SHARE_IN_SIGHT or not alike(guess):
                continue
            again = _matched(key, grey, free, guess)
            if again is not None and again.inlier.sum() > SHARE_FOUND * len(key.points_px):
                self._current = key
                return again
        return match

    def _found_again(self, grey: np.ndarray, free: np.ndarray) -> _Match | None:
        """The present frame beside a key frame from before it was lost, wherever the camera looks now."""
        if self._current is None:
            return None
        described = describe(grey, free)
        for key in {id(key): key for key in (self._current, *self._keys[-KEYS_ASKED:], self._keys[0])}.values():
            if key.described is None:
                key.described = describe(key.grey, np.full_like(free, 255))
            guess = by_looks(key.described, described)
            match = _matched(key, grey, free, guess) if guess is not None else None
            if match is not None and match.inlier.sum() >= SURE_SHARE * match.tried:
                self._current = key
                return match
        return None

    def _outgrown(self, key: _Key, match: _Match) -> bool:
        return bool(match.inlier.sum() < SHARE_FOUND * len(key.points_px)) or not alike(match.from_key)

    def _row(self, key: _Key, match: _Match) -> _Row:
        keep = np.arange(len(match.index))
        if len(keep) > KEPT_POINTS:  # evenly from the best to the weakest corners
            keep = np.linspace(0, len(keep) - 1, KEPT_POINTS).astype(int)
        return _Row(key.frame, key.points_px[match.index[keep]], match.xy_px[keep], match.inlier[keep])


def _matched(key: _Key, grey: np.ndarray, free: np.ndarray, guess: np.ndarray) -> _Match | None:
    """A frame beside a key frame from which `guess` (3, 3) about leads to it."""
    where = moved(key.points_px, guess)
    in_sight = np.flatnonzero(inside(where, free))
    if len(in_sight) < LEAST_POINTS:
        return None
    placed, found = followed(key.grey, grey, key.points_px[in_sight], where[in_sight])
    found &= inside(placed, free)
    index, placed = in_sight[found], placed[found]
    fitted = homography(key.points_px[index], placed)
    return _Match(index, placed, fitted[1], fitted[0], len(in_sight)) if fitted is not None else None
