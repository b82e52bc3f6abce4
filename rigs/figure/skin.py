"""Skin weights by diffusion: which bone carries a point, blurred inside the body. No meshes, no bones' names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Body
from .shapes import Shape, edges_of

__all__ = ["carried_by", "smoothed", "strongest", "weights_of"]

_BODY_CELL_M, _BODY_BLUR_M = 0.02, 0.034
# The hand's are shares of its length.
_HAND_CELL, _HAND_BLUR, _HAND_REACH = 0.028, 0.050, 1.65


@dataclass(frozen=True)
class _Field:
    """Weights on a grid. weights: (X, Y, Z, R) share of each role; 0 throughout where no body is near."""

    low_m: np.ndarray
    cell_m: float
    weights: np.ndarray

    def at(self, points_m: np.ndarray) -> np.ndarray:
        """Weights at points (N, 3), trilinear over the cells that have some. Returns (N, R), rows sum to 1."""
        place = (points_m - self.low_m) / self.cell_m
        corner = np.clip(np.floor(place).astype(int), 0, np.array(self.weights.shape[:3]) - 2)
        part = np.clip(place - corner, 0.0, 1.0)
        total = np.zeros((len(points_m), self.weights.shape[3]))
        for offset in np.ndindex(2, 2, 2):
            near = np.prod(np.where(offset, part, 1.0 - part), axis=1)
            total += (near + 1e-6)[:, None] * self.weights[tuple((corner + offset).T)]
        return total / np.maximum(total.sum(axis=1, keepdims=True), 1e-12)


def _neighbour_sum(values: np.ndarray) -> np.ndarray:
    """Each cell's own value and its six neighbours' (the border lies outside the body). values: (X, Y, Z, R)."""
    total = values.copy()
    for axis in range(3):
        for step in (-1, 1):
            total += np.roll(values, step, axis)
    return total


def _field(shapes: list[Shape], low_m: np.ndarray, high_m: np.ndarray, cell_m: float, blur_m: float) -> _Field:
    """Every cell inside the body starts with its deepest shape's role; then the roles diffuse inside, then outwards."""
    counts = np.ceil((high_m - low_m) / cell_m).astype(int) + 1
    axes = [low_m[i] + cell_m * np.arange(counts[i]) for i in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    distances = np.stack([shape(points) for shape in shapes], axis=1)
    inside = (distances.min(axis=1) < 0.3 * cell_m).reshape((*counts, 1))
    roles = np.argmin(distances, axis=1)
    weights = (np.eye(len(shapes), dtype=np.float32)[roles]).reshape((*counts, len(shapes))) * inside
    # One round of averaging with the six neighbours has a variance of 2/7 cells along each axis.
    for _ in range(round((blur_m / cell_m) ** 2 * 3.5)):
        weights = inside * _neighbour_sum(weights) / np.maximum(_neighbour_sum(inside.astype(np.float32)), 1.0)
    known = inside.astype(np.float32)
    for _ in range(4):
        count = _neighbour_sum(known)
        spread = _neighbour_sum(weights) / np.maximum(count, 1.0)
        weights = np.where(known > 0, weights, spread)
        known = (count > 0).astype(np.float32)
    return _Field(low_m, cell_m, weights)


def _hand_share(body: Body, points_m: np.ndarray, side: str) -> np.ndarray:
    """How far a point belongs to the hand's finer field: 0 on the forearm, 1 from the wrist on. Returns (N,)."""
    wrist, elbow = body.joints[f"{side}_wrist"], body.joints[f"{side}_elbow"]
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    share = np.clip(((points_m - wrist) @ along / body.person.scale + 0.045) / 0.04, 0.0, 1.0)
    near = np.linalg.norm(points_m - wrist, axis=1) < _HAND_REACH * body.person.hand_m
    return np.where(near, share, 0.0)


def _hand_roles(body: Body, side: str) -> list[str]:
    fingers = [f"{side}_{name}_{n}" for name in (*body.person.fingers, "thumb") for n in (1, 2, 3)]
    return [f"{side}_forearm", f"{side}_hand", *(role for role in fingers if role != f"{side}_thumb_1")]


def _is_finger(role: str) -> bool:
    return role.rpartition("_")[2].isdigit()


def weights_of(body: Body, points_m: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Roles and the weights (N, R) of points (N, 3) on or near the body; rows sum to 1."""
    shapes = body.by_role()
    s, hand_m = body.person.scale, body.person.hand_m
    roles = list(shapes)
    trunk_roles = [role for role in roles if not _is_finger(role)]
    everywhere = np.array(list(body.joints.values()))
    low, high = everywhere.min(axis=0) - 0.22 * s, everywhere.max(axis=0) + 0.22 * s
    found = _field([shapes[r] for r in trunk_roles], low, high, s * _BODY_CELL_M, s * _BODY_BLUR_M).at(points_m)
    weights = np.zeros((len(points_m), len(roles)))
    weights[:, [roles.index(role) for role in trunk_roles]] = found
    for side in ("left", "right"):
        hand_roles = _hand_roles(body, side)
        share = _hand_share(body, points_m, side)
        chosen = share > 0
        tips = np.array([body.joints[f"{side}_{name}_4"] for name in (*body.person.fingers, "thumb")])
        around = np.vstack([tips, body.joints[f"{side}_wrist"]])
        low, high = around.min(axis=0) - 0.08 * s, around.max(axis=0) + 0.08 * s
        field = _field([shapes[r] for r in hand_roles], low, high, _HAND_CELL * hand_m, _HAND_BLUR * hand_m)
        fine = np.zeros((int(chosen.sum()), len(roles)))
        fine[:, [roles.index(role) for role in hand_roles]] = field.at(points_m[chosen])
        weights[chosen] += share[chosen, None] * (fine - weights[chosen])
    return roles, weights


# Which bone carries a role that a rig has no bone for.
_INSTEAD = {"upper_chest": "chest", "neck": "head", "shoulder": "chest"}
# Twist bones carry the end of their limb that turns with the next joint: from where to where they take over.
_TWISTED = {
    "upper_arm": ("shoulder", "elbow", 0.80, 0.20),
    "forearm": ("elbow", "wrist", 0.20, 0.85),
    "thigh": ("hip", "knee", 0.80, 0.20),
    "shin": ("knee", "ankle", 0.20, 0.85),
}


def carried_by(
    rig_roles: set[str], roles: list[str], weights: np.ndarray, body: Body, points_m: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """The weights handed to the roles that a rig has bones for: missing ones to others, limbs to their twist bones.

    weights: (N, R). points_m: (N, 3). Returns the roles and (N, R') weights.
    """
    handed: dict[str, np.ndarray] = {}
    for role, column in zip(roles, weights.T, strict=True):
        lead = next((side for side in ("left_", "right_") if role.startswith(side)), "")
        part = role.removeprefix(lead)
        instead = f"{lead}hand" if _is_finger(role) else _INSTEAD.get(part, part)
        own = role if role in rig_roles else (instead if instead in rig_roles else lead + instead)
        twist = f"{own}_twist"
        share = np.zeros(len(points_m))
        if twist in rig_roles:
            start, end, low, high = _TWISTED[part]
            a, b = body.joints[lead + start], body.joints[lead + end]
            along = (points_m - a) @ (b - a) / ((b - a) @ (b - a))
            ramp = np.clip((along - low) / (high - low), 0.0, 1.0)
            share = ramp * ramp * (3.0 - 2.0 * ramp)
            handed[twist] = handed.get(twist, 0.0) + share * column
        handed[own] = handed.get(own, 0.0) + (1.0 - share) * column
    return list(handed), np.stack(list(handed.values()), axis=1)


def smoothed(weights: np.ndarray, quads: np.ndarray, rounds: int) -> np.ndarray:
    """The weights (N, R) of a mesh's vertices, averaged along its edges: half its own, half its neighbours' mean.

    Cloth spans folds that part the body below it, as in the armpit; there the body's weights leap from one vertex to
    the next, and a raised arm would pull single edges long. rounds: how often; each reaches one edge further.
    """
    edges = edges_of(quads)
    edges = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(edges[:, 0], minlength=len(weights)), 1)[:, None]
    for _ in range(rounds):
        total = np.zeros_like(weights)
        np.add.at(total, edges[:, 0], weights[edges[:, 1]])
        weights = 0.5 * (weights + total / degree)
    return weights


def strongest(weights: np.ndarray, count: int = 4, least: float = 0.03) -> np.ndarray:
    """At most `count` weights a point, none under `least`, in steps of 1/64, rows summing to 1. weights: (N, R)."""
    order = np.argsort(-weights, axis=1, kind="stable")
    kept = weights.copy()
    np.put_along_axis(kept, order[:, count:], 0.0, axis=1)
    kept[kept < least] = 0.0
    kept = np.round(64.0 * kept / kept.sum(axis=1, keepdims=True))
    np.put_along_axis(kept, order[:, :1], np.take_along_axis(kept, order[:, :1], 1) + 64.0 - kept.sum(1)[:, None], 1)
    return kept / 64.0
