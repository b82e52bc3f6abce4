"""The paper's measures over lifted takes: in all, by action, by joint, and over time. Millimetres and frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..skeleton import H36M_17
from .metrics import (
    acceleration_error,
    joint_errors,
    mean_acceleration,
    mpjpe,
    n_mpjpe,
    p_mpjpe,
    velocity_error,
)
from .views import LiftedView

__all__ = ["Row", "action_rows", "error_by_action", "joint_rows", "overall", "p2_mm", "series_mm", "take_rows"]

Row = dict[str, object]
_PROTOCOLS = {1: mpjpe, 2: p_mpjpe}
# Each network's lifted views, by its label; every network has the same views in the same order.
Lifted = Mapping[str, Sequence[LiftedView]]


def _mean(
    views: Sequence[LiftedView], measure: Callable[[np.ndarray, np.ndarray], float], lost_frames: int = 0
) -> float:
    """A measure over all frames of all views; `lost_frames` of each view have no value (differences)."""
    weights = [len(view.true_mm) - lost_frames for view in views]
    return float(np.average([measure(view.predicted_mm, view.true_mm) for view in views], weights=weights))


def p2_mm(views: Sequence[LiftedView]) -> float:
    """Protocol 2 over all frames of the views."""
    return _mean(views, p_mpjpe)


def overall(views: Sequence[LiftedView]) -> Row:
    """The measures over all frames of the views: mm, mm/frame, and mm/frame^2 beside the truth's own."""
    return {
        "P1": round(_mean(views, mpjpe), 1),
        "P2": round(_mean(views, p_mpjpe), 1),
        "N-MPJPE": round(_mean(views, n_mpjpe), 1),
        "velocity": round(_mean(views, velocity_error, 1), 2),
        "acceleration": round(_mean(views, acceleration_error, 2), 2),
        "own jitter": round(_mean(views, lambda predicted, _true: mean_acceleration(predicted), 2), 2),
        "true jitter": round(_mean(views, lambda _predicted, true: mean_acceleration(true), 2), 2),
    }


def action_rows(lifted: Lifted) -> list[Row]:
    """One row an action and one for all: Protocol 1 and 2 of each network."""
    actions = list(dict.fromkeys(view.action for views in lifted.values() for view in views))
    rows: list[Row] = []
    for action in [*actions, "all"]:
        row: Row = {"action": action}
        for label, views in lifted.items():
            chosen = [view for view in views if action in (view.action, "all")]
            row["frames"] = sum(len(view.true_mm) for view in chosen)
            row[f"{label}, P1"] = round(_mean(chosen, mpjpe), 1)
            row[f"{label}, P2"] = round(_mean(chosen, p_mpjpe), 1)
        rows.append(row)
    return rows


def error_by_action(views: Sequence[LiftedView], protocol: int) -> dict[str, float]:
    """Protocol 1 or 2 in mm over the frames of each action."""
    by_action: dict[str, list[LiftedView]] = {}
    for view in views:
        by_action.setdefault(view.action, []).append(view)
    return {action: _mean(chosen, _PROTOCOLS[protocol]) for action, chosen in by_action.items()}


def joint_rows(lifted: Lifted) -> list[Row]:
    """One row a joint that the takes have (the root has no error): Protocol 1 of each network."""
    means = {label: _joint_means(views) for label, views in lifted.items()}
    found = next(iter(means.values()))
    return [
        {"joint": joint, **{label: round(mean[joint], 1) for label, mean in means.items()}}
        for joint in H36M_17.joints[1:]
        if joint in found
    ]


def _joint_means(views: Sequence[LiftedView]) -> dict[str, float]:
    errors: dict[str, list[np.ndarray]] = {}
    for view in views:
        for joint, error in zip(view.joints, joint_errors(view.predicted_mm, view.true_mm).T, strict=True):
            errors.setdefault(joint, []).append(error)
    return {joint: float(np.concatenate(parts).mean()) for joint, parts in errors.items()}


def series_mm(views: Sequence[LiftedView]) -> dict[str, np.ndarray]:
    """Protocol 1 over the frames of each take, the mean of its cameras. Returns (T,) by take."""
    by_take: dict[str, list[np.ndarray]] = {}
    for view in views:
        by_take.setdefault(view.name, []).append(joint_errors(view.predicted_mm, view.true_mm).mean(axis=1))
    return {name: np.mean(errors, axis=0) for name, errors in by_take.items()}


def take_rows(lifted: Lifted) -> list[Row]:
    """One row a take: its mean error over time, and the frame where it is worst."""
    every = {label: series_mm(views) for label, views in lifted.items()}
    rows: list[Row] = []
    for name in next(iter(every.values())):
        row: Row = {"take": name, "frames": len(next(iter(every.values()))[name])}
        for label, series in every.items():
            worst = int(series[name].argmax())
            row[f"{label}, mean"] = round(float(series[name].mean()), 1)
            row[f"{label}, worst"] = f"{series[name][worst]:.1f} at {worst}"
        rows.append(row)
    return rows
