"""Two pictures beside each other: points followed from one to the other, the homography between, the person."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

__all__ = [
    "LEAST_POINTS",
    "Described",
    "alike",
    "by_looks",
    "cover_person",
    "describe",
    "followed",
    "homography",
    "inside",
    "moved",
    "nearby",
]

# Roughly but from far, and exactly.
NEAR = {"winSize": (15, 15), "maxLevel": 3, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
EXACT = {"winSize": (11, 11), "maxLevel": 1, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
# A point that is followed there and back lands this near to where it began, or it is lost.
RETURN_PX = 0.6
INLIER_PX = 1.5
LEAST_POINTS = 12
# Two pictures are about equally large and upright: the patches around points have to look the same.
ALIKE_SCALE = 1.2
ALIKE_ROLL_RAD = np.deg2rad(12.0)
LOOKS, LOOKS_PX = 400, 3.0
# How far beyond the joints' box or beside a bone the person's outline may reach, as a share of the box, and at least.
BOX_MARGIN, BODY_MARGIN = 0.18, 0.1
LEAST_MARGIN_PX = 8
# OpenCV draws no thicker lines.
THICKEST_PX = 1000

# Places (N, 2) in a small picture and what they look like (N, 32), as ORB has it.
Described = tuple[np.ndarray, np.ndarray]


def nearby(before: np.ndarray, after: np.ndarray, points_px: np.ndarray, guess_px: np.ndarray) -> np.ndarray | None:
    """The homography (3, 3) by which points (N, 2) of one picture are found in another not far from a guess."""
    start = np.ascontiguousarray(points_px)
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, start, np.array(guess_px), **NEAR)
    kept = found[:, 0] > 0
    fitted = homography(start[kept], there[kept])
    return None if fitted is None else fitted[0]


def cover_person(free: np.ndarray, joints_px: np.ndarray, bones: Sequence[tuple[int, int]]) -> None:
    """Set `free` (H, W) to 0 where a person with these joints (J, 2), NaN where unknown, may be."""
    known = np.asarray(np.isfinite(joints_px).all(axis=1))
    low, high = joints_px[known].min(axis=0), joints_px[known].max(axis=0)
    size_px = (high - low).max()
    if not bones:
        margin_px = max(BOX_MARGIN * size_px, LEAST_MARGIN_PX)
        (left, top), (right, bottom) = (low - margin_px).astype(int), (high + margin_px).astype(int)
        free[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 0
        return
    thick_px = 2 * int(max(BODY_MARGIN * size_px, LEAST_MARGIN_PX))
    points = np.where(known[:, None], joints_px, 0.0).clip(-1e4, 1e4).astype(int).tolist()
    for start, end in bones:
        if known[start] and known[end]:
            cv2.line(free, points[start], points[end], 0, min(thick_px, THICKEST_PX))


def followed(
    before: np.ndarray, after: np.ndarray, points_px: np.ndarray, guess_px: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) of one picture found in another, from a guess, and which of them (N,) are found there and back."""
    start = np.ascontiguousarray(points_px, np.float32)
    there, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, start, guess_px.astype(np.float32).copy(), **EXACT)
    back, back_ok, _ = cv2.calcOpticalFlowPyrLK(after, before, there, start.copy(), **EXACT)
    returned = np.linalg.norm(back - start, axis=1) < RETURN_PX
    return there, (ok[:, 0] > 0) & (back_ok[:, 0] > 0) & returned


def homography(from_px: np.ndarray, to_px: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The homography (3, 3) that most points follow, and which (N,) do; None where too few."""
    if len(from_px) < LEAST_POINTS:
        return None
    found, inlier = cv2.findHomography(
        from_px.astype(np.float64), to_px.astype(np.float64), cv2.USAC_MAGSAC, INLIER_PX, None, 500, 0.995
    )
    if found is None or not np.isfinite(found).all() or abs(np.linalg.det(found)) < 1e-9:
        return None
    kept = inlier[:, 0] > 0
    return (found, kept) if kept.sum() >= LEAST_POINTS else None


def describe(grey: np.ndarray, free: np.ndarray) -> Described:
    """What a small picture (H, W) looks like where it is `free` (H, W)."""
    places, looks = cv2.ORB.create(LOOKS).detectAndCompute(grey, free)
    if looks is None:
        return np.zeros((0, 2)), np.zeros((0, 32), np.uint8)
    return np.array([place.pt for place in places]), looks


def by_looks(before: Described, after: Described) -> np.ndarray | None:
    """The homography (3, 3) from one picture to another, told from places that look alike; None where too few do."""
    if min(len(before[1]), len(after[1])) < LEAST_POINTS:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(before[1], after[1])
    if len(pairs) < LEAST_POINTS:
        return None
    start, end = before[0][[pair.queryIdx for pair in pairs]], after[0][[pair.trainIdx for pair in pairs]]
    found, inlier = cv2.findHomography(start, end, cv2.USAC_MAGSAC, LOOKS_PX, None, 2000, 0.995)
    return found if found is not None and np.isfinite(found).all() and inlier.sum() >= LEAST_POINTS else None


def moved(points_px: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Points (N, 2) by a homography (3, 3), NaN for those that it takes behind the picture. float32."""
    lifted = np.concatenate([points_px, np.ones((len(points_px), 1))], axis=1) @ by.T
    depth = np.where(lifted[:, 2:] > 1e-6, lifted[:, 2:], np.nan)
    return (lifted[:, :2] / depth).astype(np.float32)


def inside(points_px: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(N,) bool: points of the picture that `free` (H, W) allows."""
    height_px, width_px = free.shape
    finite = np.asarray(np.isfinite(points_px).all(axis=1))
    x, y = np.where(finite[:, None], points_px, -1.0).clip(-1e6, 1e6).T
    inside = (x >= 0) & (y >= 0) & (x <= width_px - 1) & (y <= height_px - 1)
    column, row = x.clip(0, width_px - 1).astype(int), y.clip(0, height_px - 1).astype(int)
    return inside & (free[row, column] > 0)


def alike(by: np.ndarray) -> bool:
    """Whether a homography (3, 3) leaves things about as large and as upright as they were."""
    part = by[:2, :2] / by[2, 2]
    scale = np.sqrt(max(abs(np.linalg.det(part)), 1e-12))
    roll_rad = np.arctan2(part[1, 0] - part[0, 1], part[0, 0] + part[1, 1])
    return bool(1.0 / ALIKE_SCALE < scale < ALIKE_SCALE and abs(roll_rad) < ALIKE_ROLL_RAD)
