"""Where the person is before the camera: constant limbs, then the root path by closed-form reprojection."""

from __future__ import annotations

import numpy as np

from ..frames import Intrinsics, px_to_ray
from ..skeleton import Skeleton, mirrored_name
from .smoothing import filled, smoothed

__all__ = ["constant_limb_lengths", "root_path_cam", "with_bone_lengths"]

# A network that is unsure of an arm answers with one too short: of its bones, by far joint, this share of the frames
# is shorter than they are taken to be. (Measured on training takes; thighs and shins come out right in the median.)
ARM_SHARE: dict[str, float] = {"elbow": 0.75, "wrist": 0.75}
# Joints seen better than this decide a limb's length, and only they carry weight in the root path.
SEEN_SCORE = 0.3
MIN_JOINTS = 4
NEAREST_M = 0.3
ROBUST_PASSES = 4
# Depth comes from the picture's size of the body and is by far the noisiest direction; a person's way through
# the room is slower than the noise. Aside and up the picture fixes the place well: only the jitter goes.
DEPTH_CUTOFF_HZ = 1.5
ASIDE_CUTOFF_HZ = 6.0


def constant_limb_lengths(joints_cam: np.ndarray, skeleton: Skeleton, score: np.ndarray) -> np.ndarray:
    """The same directions with every bone at one length, left and right averaged: its median over the clip, an arm's
    upper quartile.

    joints_cam: (T, J, 3) metres; score: (T, J), frames in which the bone was seen decide.
    Returns (T, J, 3) of the input's dtype; roots stay where they are.
    """
    lengths_m = _bone_lengths_m(joints_cam, skeleton, score)
    return with_bone_lengths(joints_cam, skeleton, lengths_m).astype(joints_cam.dtype)


def with_bone_lengths(joints: np.ndarray, skeleton: Skeleton, lengths_m: np.ndarray) -> np.ndarray:
    """The same directions with bones of these lengths, outwards from the roots, which stay where they are.

    joints: (T, J, 3) metres; lengths_m: (J,), of the bone that ends at each joint. Returns (T, J, 3) float64.
    """
    rescaled = np.array(joints, dtype=np.float64)
    for child in skeleton.order:
        parent = skeleton.parent_indices[child]
        if parent < 0:
            continue
        bone = joints[:, child].astype(np.float64) - joints[:, parent]
        now_m = np.linalg.norm(bone, axis=1, keepdims=True)
        rescaled[:, child] = rescaled[:, parent] + bone * (lengths_m[child] / np.maximum(now_m, 1e-9))
    return rescaled


def _bone_lengths_m(joints_cam: np.ndarray, skeleton: Skeleton, score: np.ndarray) -> np.ndarray:
    lengths_m = np.zeros(len(skeleton))
    for parent, child in skeleton.bones:
        now_m = np.linalg.norm(joints_cam[:, child] - joints_cam[:, parent], axis=1)
        seen = np.minimum(score[:, child], score[:, parent]) > SEEN_SCORE
        share = ARM_SHARE.get(skeleton.joints[child].rpartition("_")[2], 0.5)
        lengths_m[child] = np.quantile(now_m[seen] if seen.any() else now_m, share)
    twins = [skeleton.joints.index(mirrored_name(joint)) for joint in skeleton.joints]
    return 0.5 * (lengths_m + lengths_m[twins])


def root_path_cam(
    joints_cam: np.ndarray, xy_px: np.ndarray, score: np.ndarray, camera: Intrinsics, times_s: np.ndarray
) -> np.ndarray:
    """The root's place before the camera at which the body's joints project onto the picture's, frame by frame.

    With ray slopes x, y and a joint at root + (dx, dy, dz): x (Z + dz) = X + dx and y (Z + dz) = Y + dy are linear
    in the root (X, Y, Z): one weighted 3 x 3 system a frame, then a few more with outlying joints weighed down.
    joints_cam: (T, J, 3) metres relative to the root; xy_px: (T, J, 2), NaN where score is 0; score: (T, J).
    Returns (T, 3) metres in `cam`: gaps filled, depth smoothed, float64. A clip with nothing seen stays 3 m away.
    """
    joints_cam = np.asarray(joints_cam, dtype=np.float64)
    seen = (score > 0) & np.isfinite(xy_px).all(axis=2)
    slopes = np.where(seen[..., None], px_to_ray(np.nan_to_num(xy_px.astype(np.float64)), camera), 0.0)
    trust = np.where(seen, np.asarray(score, dtype=np.float64), 0.0)
    trust[trust < SEEN_SCORE] *= 0.1
    root_cam, information = _solved(joints_cam, slopes, trust)
    for _ in range(ROBUST_PASSES):
        miss = _reprojection_miss(joints_cam, slopes, root_cam)
        root_cam, information = _solved(joints_cam, slopes, trust * _inlier_weight(miss, trust))
    good = (seen.sum(axis=1) >= MIN_JOINTS) & (root_cam[:, 2] > NEAREST_M) & np.isfinite(root_cam).all(axis=1)
    if not good.any():
        return np.tile([0.0, 0.0, 3.0], (len(times_s), 1))
    depth_m = _smooth_depth(root_cam[:, 2], good, information, times_s)
    aside = _aside_at_depth(joints_cam, slopes, trust, depth_m)
    aside = smoothed(filled(aside, good, times_s), times_s, ASIDE_CUTOFF_HZ)
    return np.concatenate([aside, depth_m[:, None]], axis=1)


def _solved(joints_cam: np.ndarray, slopes: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares root of each frame (T, 3) and how well the picture fixes its depth (T,)."""
    wanted = slopes * joints_cam[..., 2:] - joints_cam[..., :2]
    mean_slope, mean_wanted = _weighted_mean(slopes, weight), _weighted_mean(wanted, weight)
    # The 3 x 3 normal equations with X and Y eliminated: what is left is a straight line's slope, minus the depth.
    spread = slopes - mean_slope[:, None]
    information = np.einsum("tj,tjk,tjk->t", weight, spread, spread)
    together = np.einsum("tj,tjk,tjk->t", weight, spread, wanted - mean_wanted[:, None])
    depth_m = -together / np.maximum(information, 1e-12)
    return np.concatenate([mean_wanted + mean_slope * depth_m[:, None], depth_m[:, None]], axis=1), information


def _reprojection_miss(joints_cam: np.ndarray, slopes: np.ndarray, root_cam: np.ndarray) -> np.ndarray:
    """Distance between seen and projected joints (T, J), as ray slopes."""
    placed = joints_cam + root_cam[:, None]
    return np.linalg.norm(placed[..., :2] / np.maximum(placed[..., 2:], NEAREST_M) - slopes, axis=2)


def _inlier_weight(miss: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Geman-McClure weights (T, J) on the scale of the frame's median miss."""
    masked = np.where(trust > 0, miss, np.nan)
    masked[~(trust > 0).any(axis=1)] = 1.0
    scale = np.nanmedian(masked, axis=1)
    scale = np.maximum(2.5 * scale, 1e-6)[:, None]
    return 1.0 / (1.0 + (miss / scale) ** 2) ** 2


def _smooth_depth(depth_m: np.ndarray, good: np.ndarray, information: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Depth (T,) with gaps closed and jitter gone; jumps that do not last weigh little."""
    depth_m = filled(depth_m[:, None], good, times_s)[:, 0]
    sure = np.where(good, np.clip(information / np.median(information[good]), 0.02, 1.0), 0.02)
    smooth_m, weight = smoothed(depth_m, times_s, DEPTH_CUTOFF_HZ, sure), sure
    for _ in range(2):
        miss_m = np.abs(depth_m - smooth_m)
        scale_m = max(3.0 * float(np.median(miss_m[good])), 1e-4)
        weight = sure / (1.0 + (miss_m / scale_m) ** 2)
        smooth_m = smoothed(depth_m, times_s, DEPTH_CUTOFF_HZ, weight)
    return smooth_m


def _aside_at_depth(joints_cam: np.ndarray, slopes: np.ndarray, trust: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """X and Y of the root (T, 2) once its depth is settled: robust weighted mean of what each joint asks for."""
    asked = slopes * (joints_cam[..., 2:] + depth_m[:, None, None]) - joints_cam[..., :2]
    mean = _weighted_mean(asked, trust)
    for _ in range(ROBUST_PASSES):
        mean = _weighted_mean(asked, trust * _inlier_weight(np.linalg.norm(asked - mean[:, None], axis=2), trust))
    return mean


def _weighted_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean over joints (T, D) of values (T, J, D) by weight (T, J)."""
    return np.einsum("tj,tjk->tk", weight, values) / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
