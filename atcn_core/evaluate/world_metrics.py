"""How true a captured motion is in the room: its way, its height, its uprightness, its feet, its liveliness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..motion.contacts import FOOT_POINTS, long_enough
from ..motion.world import WorldMotion
from ..skeleton import CAPTURE
from .metrics import mean_acceleration

__all__ = ["WorldErrors", "precision_recall", "true_contacts", "world_errors"]

# A point of the true foot that is slower than this for so long stands; mocap is still to a few mm.
_STANDING_M_S = 0.15
_STANDING_S = 0.1
_FEET = CAPTURE.indices(*FOOT_POINTS)
_HIP = CAPTURE.index("hip")
_LEAST_WAY_M = 2.0
_LEAST_SPREAD_M = 0.01
_START_S = 0.5


@dataclass(frozen=True)
class WorldErrors:
    """The errors of one clip; NaN where the clip says nothing of it.

    root_cm:         mean distance of the hip's path, the two laid over each other by a turn about the vertical and a
                     shift on the floor.
    drift_percent:   how far off the end is when the starts are laid over each other, in shares of the way gone.
    height_cm:       mean error of the hip's height over the floor.
    tilt_deg:        between what was taken for up and what is.
    precision, recall: of the frames in which a foot point stands, percent.
    slide_cm_s:      mean speed along the floor of points that truly stand.
    sink_cm:         how deep foot points are below the floor, mean over the frames.
    jitter:          mean second difference of all joints over the truth's.
    arms:            spread of the wrists' movement about the chest over the truth's, percent.
    """

    root_cm: float
    drift_percent: float
    height_cm: float
    tilt_deg: float
    precision: float
    recall: float
    slide_cm_s: float
    sink_cm: float
    jitter: float
    arms: float


def true_contacts(joints_world: np.ndarray, fps: float) -> np.ndarray:
    """Which of FOOT_POINTS stand still, (T, 4) bool, by speed alone: people stand on chairs and steps as well."""
    feet = joints_world[:, _FEET]
    speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * fps
    return long_enough(speed < _STANDING_M_S, round(_STANDING_S * fps))


def precision_recall(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """How much of what was found is true and how much of what is true was found, percent; NaN where there is none."""
    hits = np.sum(found & true)
    return (
        100.0 * float(hits / found.sum()) if found.any() else np.nan,
        100.0 * float(hits / true.sum()) if true.any() else np.nan,
    )


def world_errors(world: WorldMotion, contacts: np.ndarray, true_world: np.ndarray, tilt_deg: float) -> WorldErrors:
    """The errors of a capture. contacts: (T, P) bool as found, FOOT_POINTS first; true_world: (T, J, 3)."""
    fps = 1.0 / float(np.median(np.diff(world.times_s)))
    found, true = world.joints_world, true_world
    standing, contacts = true_contacts(true, fps), contacts[:, : len(FOOT_POINTS)]
    laid = _laid_over(found, true, slice(None))
    speed_cm_s = 100.0 * fps * np.linalg.norm(np.gradient(found[:, _FEET, :2], axis=0), axis=-1)
    precision, recall = precision_recall(contacts, standing)
    return WorldErrors(
        root_cm=100.0 * float(np.linalg.norm(laid[:, _HIP] - true[:, _HIP], axis=-1).mean()),
        drift_percent=_drift_percent(found, true, fps),
        height_cm=100.0 * float(np.abs(found[:, _HIP, 2] - true[:, _HIP, 2]).mean()),
        tilt_deg=tilt_deg,
        precision=precision,
        recall=recall,
        slide_cm_s=float(speed_cm_s[standing].mean()) if standing.any() else np.nan,
        sink_cm=100.0 * float(np.maximum(-found[:, _FEET, 2].min(axis=1), 0.0).mean()),
        jitter=mean_acceleration(found) / mean_acceleration(true),
        arms=100.0 * _arm_spread(found) / _arm_spread(true) if _arm_spread(true) > _LEAST_SPREAD_M else np.nan,
    )


def _laid_over(found: np.ndarray, true: np.ndarray, frames: slice) -> np.ndarray:
    """`found` turned about the vertical and shifted on the floor so that these frames fit the truth best."""
    moved, wanted = found[frames, ..., :2].reshape(-1, 2), true[frames, ..., :2].reshape(-1, 2)
    middle, target = moved.mean(axis=0), wanted.mean(axis=0)
    cross = (moved - middle).T @ (wanted - target)
    yaw_rad = np.arctan2(cross[0, 1] - cross[1, 0], cross[0, 0] + cross[1, 1])
    turned = Rotation.from_euler("z", yaw_rad).apply((found - [*middle, 0.0]).reshape(-1, 3)).reshape(found.shape)
    return turned + np.array([*target, 0.0])


def _drift_percent(found: np.ndarray, true: np.ndarray, fps: float) -> float:
    way_m = float(np.linalg.norm(np.diff(true[:, _HIP, :2], axis=0), axis=1).sum())
    if way_m < _LEAST_WAY_M:
        return np.nan
    laid = _laid_over(found, true, slice(0, max(round(_START_S * fps), 2)))
    return 100.0 * float(np.linalg.norm(laid[-1, _HIP, :2] - true[-1, _HIP, :2])) / way_m


def _arm_spread(joints: np.ndarray) -> float:
    wrists = joints[:, CAPTURE.indices("left_wrist", "right_wrist")] - joints[:, [CAPTURE.index("thorax")]]
    return float(np.sqrt(wrists.var(axis=0).sum(axis=-1)).mean())
