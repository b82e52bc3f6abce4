"""Pose errors as the field measures them. Arrays in, numbers out; any unit, the same for both sides."""

from __future__ import annotations

import numpy as np

__all__ = [
    "acceleration_error",
    "inner_angle_deg",
    "joint_errors",
    "mean_acceleration",
    "mpjpe",
    "n_mpjpe",
    "p_mpjpe",
    "procrustes",
    "velocity_error",
]


def mpjpe(predicted: np.ndarray, true: np.ndarray) -> float:
    """Protocol 1: mean distance of the joints as they stand. predicted, true: (T, J, 3), both about the root."""
    return float(np.linalg.norm(predicted - true, axis=-1).mean())


def n_mpjpe(predicted: np.ndarray, true: np.ndarray) -> float:
    """Protocol 3 (Rhodin et al. 2018): after the best scale of each frame."""
    scale = (predicted * true).sum((-1, -2)) / np.maximum((predicted**2).sum((-1, -2)), 1e-12)
    return mpjpe(predicted * scale[:, None, None], true)


def procrustes(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """`predicted` after the rotation, scale and shift that bring each frame nearest to `true` (T, J, 3)."""
    mean_predicted = predicted.mean(axis=1, keepdims=True)
    mean_true = true.mean(axis=1, keepdims=True)
    centred_predicted, centred_true = predicted - mean_predicted, true - mean_true
    u, singular, vt = np.linalg.svd(centred_predicted.transpose(0, 2, 1) @ centred_true)
    # A reflection is no rotation: turn the weakest axis round instead.
    sign = np.ones_like(singular)
    sign[:, -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (singular * sign).sum(-1) / np.maximum((centred_predicted**2).sum((-1, -2)), 1e-12)
    return scale[:, None, None] * (centred_predicted @ rotation) + mean_true


def p_mpjpe(predicted: np.ndarray, true: np.ndarray) -> float:
    """Protocol 2: after a Procrustes alignment of each frame."""
    return mpjpe(procrustes(predicted, true), true)


def inner_angle_deg(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The angle of a limb at its middle joint, 180 where it is straight. All (..., 3). Returns (...)."""
    upper, lower = middle - first, last - middle
    bend_rad = np.arctan2(np.linalg.norm(np.cross(upper, lower), axis=-1), (upper * lower).sum(axis=-1))
    return 180.0 - np.degrees(bend_rad)


def velocity_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean difference of the joints' steps from frame to frame (unit per frame)."""
    return mpjpe(np.diff(predicted, axis=0), np.diff(true, axis=0))


def acceleration_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean difference of the joints' second differences (unit per frame^2)."""
    return mpjpe(np.diff(predicted, n=2, axis=0), np.diff(true, n=2, axis=0))


def joint_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distance of each joint in each frame: what `mpjpe` is the mean of. Returns (T, J)."""
    return np.linalg.norm(predicted - true, axis=-1)


def mean_acceleration(poses: np.ndarray) -> float:
    """How much the joints' second differences are in the mean (unit per frame^2): the measure of jitter."""
    return float(np.linalg.norm(np.diff(poses, n=2, axis=0), axis=-1).mean())
