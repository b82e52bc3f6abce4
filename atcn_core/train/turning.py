"""Rotations of batched figures, components first, so that every step is one wide, cheap operation on any device.

Vectors are (3, B, N), angles (B, N) in radians, rotations (3, 3, B, N), figures (J, 3, B, N) in CAPTURE order.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..skeleton import CAPTURE

__all__ = [
    "AT",
    "Frame",
    "apply",
    "between",
    "body_frame",
    "chest_frame",
    "compose",
    "cross",
    "dot",
    "frame",
    "hinge",
    "limit",
    "pose",
    "turn",
    "turn_vector",
    "unit",
]

# left, up and front of a body part: unit vectors at right angles, front = left x up.
Frame = tuple[Tensor, Tensor, Tensor]

# Where each joint of the capture set is, by name.
AT = {joint: i for i, joint in enumerate(CAPTURE.joints)}

# Which body part each bone (by its lower joint) turns with, and which part carries that one.
_PARTS = {"spine": "trunk", "thorax": "chest", "nose": "neck", "head": "neck", "left_ear": "neck", "right_ear": "neck"}
for _side in ("left", "right"):
    _PARTS |= {f"{_side}_shoulder": "chest", f"{_side}_elbow": f"{_side}_arm", f"{_side}_knee": f"{_side}_thigh"}
    _PARTS |= {f"{_side}_{joint}": f"{_side}_forearm" for joint in ("wrist", "index", "pinky")}
    _PARTS |= {f"{_side}_{joint}": f"{_side}_shank" for joint in ("ankle", "heel", "toe")}
_CARRIER = {"chest": "trunk", "neck": "chest"}
for _side in ("left", "right"):
    _CARRIER |= {f"{_side}_arm": "chest", f"{_side}_forearm": f"{_side}_arm", f"{_side}_shank": f"{_side}_thigh"}
_PARTS_IN_ORDER = [
    *("trunk", "chest", "neck"),
    *(f"{side}_{part}" for side in ("left", "right") for part in ("arm", "forearm", "thigh", "shank")),
]


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar product of vectors (3, B, N). Returns (B, N)."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Vector product, (3, B, N)."""
    return torch.linalg.cross(a, b, dim=0)


def unit(a: Tensor) -> Tensor:
    """Vectors of length one; zero stays zero."""
    return a * dot(a, a).clamp_min(1e-12).rsqrt()


def frame(left: Tensor, up: Tensor) -> Frame:
    """The frame whose left is exact and whose up is as near to `up` as it can be. left, up: (3, B, N), any length."""
    left = unit(left)
    up = unit(up - dot(up, left) * left)
    return left, up, cross(left, up)


def body_frame(figures: Tensor, up: Tensor) -> Frame:
    """The pelvis' frame: the hips' line is exact, `up` (3, B, N) as near as can be. figures: (J, 3, B, N)."""
    return frame(figures[AT["left_hip"]] - figures[AT["right_hip"]], up)


def chest_frame(figures: Tensor) -> Frame:
    """The chest's frame: the shoulders' line is exact, up is along the upper spine. figures: (J, 3, B, N)."""
    across = figures[AT["left_shoulder"]] - figures[AT["right_shoulder"]]
    return frame(across, figures[AT["thorax"]] - figures[AT["spine"]])


def limit(angle: Tensor, low_deg: float, high_deg: float) -> Tensor:
    """Angles in radians held within limits in degrees."""
    return angle.clamp(math.radians(low_deg), math.radians(high_deg))


def turn(axis: Tensor, angle: Tensor) -> Tensor:
    """Rotations about unit axes (Rodrigues). axis: (3, B, N); angle: (B, N). Returns (3, 3, B, N)."""
    cos, sin = angle.cos(), angle.sin()
    rotation = axis[:, None] * (axis * (1 - cos))[None]
    x, y, z = axis * sin
    for i in range(3):
        rotation[i, i] += cos
    for i, j, part in ((2, 1, x), (0, 2, y), (1, 0, z)):
        rotation[i, j] += part
        rotation[j, i] -= part
    return rotation


def turn_vector(vector: Tensor) -> Tensor:
    """Rotations by rotation vectors (3, B, N) in radians."""
    return turn(unit(vector), dot(vector, vector).clamp_min(1e-12).sqrt())


def between(start: Tensor, end: Tensor, spare: Tensor) -> Tensor:
    """The shortest rotations of unit vectors onto others; opposite ones turn about `spare`. All (3, B, N)."""
    axis = cross(start, end)
    angle = torch.atan2(dot(axis, axis).clamp_min(1e-12).sqrt(), dot(start, end))
    return turn(unit(axis + 1e-5 * spare), angle)


def compose(second: Tensor, first: Tensor) -> Tensor:
    """One rotation after another, (3, 3, B, N)."""
    return sum((second[:, k, None] * first[None, k] for k in (1, 2)), second[:, 0, None] * first[None, 0])


def apply(rotation: Tensor, vectors: Tensor) -> Tensor:
    """Turned vectors (..., 3, B, N)."""
    columns = (rotation[:, k] * vectors[..., k : k + 1, :, :] for k in (1, 2))
    return sum(columns, rotation[:, 0] * vectors[..., :1, :, :])


def hinge(upper: Tensor, lower: Tensor, usual: Tensor) -> tuple[Tensor, Tensor]:
    """A limb's hinge axis and its bend (0 = straight). upper, lower: unit vectors along the two bones (3, B, N).

    usual: the axis by anatomy; a nearly straight limb, whose own axis is noise, takes it.
    """
    usual = unit(usual - dot(usual, upper) * upper)
    normal = cross(upper, lower)
    bend = torch.atan2(dot(normal, normal).clamp_min(1e-12).sqrt(), dot(upper, lower))
    return unit(normal + 0.2 * usual), bend


def pose(figures: Tensor, turns: dict[str, Tensor]) -> Tensor:
    """Figures with body parts turned at their joints, each carrying what hangs on it. Bone lengths stay.

    figures: (J, 3, B, N); turns: rotations by body part ("trunk", "chest", "neck", "<side>_arm", "_forearm", "_thigh",
    "_shank"), each about axes of the figure as it comes in.
    """
    total: dict[str, Tensor] = {}
    for part in _PARTS_IN_ORDER:
        chain = [turn for turn in (total.get(_CARRIER.get(part, "")), turns.get(part)) if turn is not None]
        if chain:
            total[part] = chain[0] if len(chain) == 1 else compose(*chain)
    posed = figures.clone()
    for joint in CAPTURE.order:
        parent, part = CAPTURE.parent_indices[joint], _PARTS.get(CAPTURE.joints[joint])
        if parent < 0:
            continue
        bone = figures[joint] - figures[parent]
        posed[joint] = posed[parent] + (apply(total[part], bone) if part in total else bone)
    return posed
