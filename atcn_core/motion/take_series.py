"""What a capture's frames look like one by one: how much was seen, how well it fits the picture, feet, and way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import Keypoints2D, Motion3D
from ..skeleton import SIDES, mirrored_name
from .contacts import FOOT_POINTS, HAND_POINTS, foot_points
from .feet import standing_points
from .stature import stature_m
from .take_view import NEAREST_M, view_of
from .world import WorldMotion

__all__ = ["TakeSeries", "take_series"]

# Detectors mean a score as the chance that the joint is to be seen: below this it is more likely a guess.
_SEEN_SCORE = 0.5
# Left and right are taken for exchanged where the picture fits so much better with them exchanged: by this share of the
# person's height (a hand's width), and at least so many times. Less is what limbs that cross do to any pose.
_SWAP_GAIN, _SWAP_TIMES = 0.05, 2.0


@dataclass(frozen=True)
class TakeSeries:
    """One value for each frame of a capture; J are the joints that both the detector and the motion know.

    times_s:        (T,)
    joints:         their names.
    seen:           (T, J) bool, the detector was sure enough of the joint.
    found:          (T,) bool, anything was found at all.
    outside:        (T, J) bool, the motion has the joint outside the picture.
    height_px:      (T,) how tall the person would be in the picture, standing.
    miss_px:        (T,) mean distance of the seen joints from the motion's, in the picture; NaN where none was seen.
    exchanged:      (T,) bool, left and right are exchanged between the detector's joints and the motion;
                    `miss_px` is then that of the joints exchanged back.
    trunk_px:       (T, 2) middle of shoulders and hips as the detector has them; NaN where one was not found.
    foot_heights_m: (T, 4) contacts.FOOT_POINTS over the floor.
    standing:       (T, 4) bool, which of them are taken to stand.
    foot_speed_m_s: (T, 4) along the floor.
    hand_standing:  (T, 2) bool, which of contacts.HAND_POINTS are taken to stand.
    hand_speed_m_s: (T, 2) along the floor.
    hip_world:      (T, 3) metres.
    root_speed_m_s: (T,) of the hip, in all directions.
    turning_rad_s:  (T,) how fast the trunk turns about the vertical, unsigned.
    """

    times_s: np.ndarray
    joints: tuple[str, ...]
    seen: np.ndarray
    found: np.ndarray
    outside: np.ndarray
    height_px: np.ndarray
    miss_px: np.ndarray
    exchanged: np.ndarray
    trunk_px: np.ndarray
    foot_heights_m: np.ndarray
    standing: np.ndarray
    foot_speed_m_s: np.ndarray
    hand_standing: np.ndarray
    hand_speed_m_s: np.ndarray
    hip_world: np.ndarray
    root_speed_m_s: np.ndarray
    turning_rad_s: np.ndarray

    @property
    def coverage(self) -> np.ndarray:
        """(T,) share of the joints that were seen, 0..1."""
        return self.seen.mean(axis=1)

    @property
    def miss_share(self) -> np.ndarray:
        """(T,) `miss_px` as a share of the person's height in the picture."""
        return self.miss_px / self.height_px


def take_series(motion: Motion3D, keypoints: Keypoints2D, world: WorldMotion) -> TakeSeries:
    """The series of one capture. keypoints: as found; world: `motion` in the world, all with the same frames.

    Raises ValueError where the frames differ.
    """
    frames = len(motion.times_s)
    if len(keypoints.times_s) != frames or len(world.times_s) != frames:
        raise ValueError(f"{frames} frames of motion, {len(keypoints.times_s)} of keypoints, {len(world.times_s)}")
    # The middle of the hips is made of the hips, and says nothing of its own.
    joints = tuple(j for j in motion.skeleton.joints if j in keypoints.skeleton.joints and j != "hip")
    there, found = motion.skeleton.indices(*joints), keypoints.skeleton.indices(*joints)
    root_cam = motion.root_cam.astype(np.float64)[:, None]
    view = view_of(motion)
    projected_px = view.pixels(view.framed(motion.joints_cam[:, there] + root_cam))
    depth_m = np.maximum(view.framed(root_cam)[:, 0, 2], NEAREST_M)
    height_px = view.focal_px * stature_m(motion.joints_cam, motion.skeleton) / depth_m
    xy_px, seen = keypoints.xy_px[:, found].astype(np.float64), keypoints.score[:, found] > _SEEN_SCORE
    miss_px, exchanged = _miss(projected_px, xy_px, seen, height_px, joints)
    feet = foot_points(world.joints_world, world.skeleton)
    hands = world.joints_world[:, world.skeleton.indices(*HAND_POINTS)]
    standing = standing_points(world.standing_chance(), world.times_s)
    hip = 0.5 * (world.points("left_hip") + world.points("right_hip"))
    return TakeSeries(
        times_s=motion.times_s,
        joints=joints,
        seen=seen,
        found=keypoints.seen,
        outside=np.asarray(((projected_px < 0) | (projected_px > np.array(motion.image_wh_px))).any(axis=2)),
        height_px=height_px,
        miss_px=miss_px,
        exchanged=exchanged,
        trunk_px=_trunk_px(keypoints),
        foot_heights_m=feet[..., 2],
        standing=standing[:, : len(FOOT_POINTS)],
        foot_speed_m_s=np.linalg.norm(_rate(feet[..., :2], world.times_s), axis=2),
        hand_standing=standing[:, len(FOOT_POINTS) :],
        hand_speed_m_s=np.linalg.norm(_rate(hands[..., :2], world.times_s), axis=2),
        hip_world=hip,
        root_speed_m_s=np.linalg.norm(_rate(hip, world.times_s), axis=1),
        turning_rad_s=np.abs(_rate(_heading_rad(world), world.times_s)),
    )


def _miss(
    projected_px: np.ndarray, xy_px: np.ndarray, seen: np.ndarray, height_px: np.ndarray, joints: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance (T,) of found and projected joints, and where it is that of left and right exchanged (T,)."""
    twins = [joints.index(mirrored_name(j)) if mirrored_name(j) in joints else i for i, j in enumerate(joints)]
    direct_px = _mean_distance(projected_px, xy_px, seen)
    mirrored_px = _mean_distance(projected_px, xy_px[:, twins], seen[:, twins])
    better = (direct_px - mirrored_px > _SWAP_GAIN * height_px) & (direct_px > _SWAP_TIMES * mirrored_px)
    return np.where(better, mirrored_px, direct_px), better


def _mean_distance(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(T,) over the joints that count, NaN where none does."""
    apart = np.where(counts, np.linalg.norm(first - second, axis=2), 0.0)
    number = counts.sum(axis=1)
    return np.where(number > 0, apart.sum(axis=1) / np.maximum(number, 1), np.nan)


def _trunk_px(keypoints: Keypoints2D) -> np.ndarray:
    trunk = keypoints.skeleton.indices(*(f"{side}_{part}" for part in ("shoulder", "hip") for side in SIDES))
    middle = keypoints.xy_px[:, trunk].astype(np.float64).mean(axis=1)
    middle[(keypoints.score[:, trunk] <= 0).any(axis=1)] = np.nan
    return middle


def _heading_rad(world: WorldMotion) -> np.ndarray:
    """(T,) where the line through the hips and the shoulders points, seen from above, without jumps of a whole turn."""
    across = sum(world.points(f"left_{part}") - world.points(f"right_{part}") for part in ("hip", "shoulder"))
    across = np.asarray(across)
    return np.unwrap(np.arctan2(across[:, 1], across[:, 0]))


def _rate(values: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Change a second over the frames before and after, of the values' shape; 0 for a single frame."""
    return np.gradient(values, times_s, axis=0) if len(times_s) > 1 else np.zeros_like(values)
