"""A rest bone of an avatar, and its twin on the other side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Bone", "Joints", "mirrored_bone"]

Joints = dict[str, np.ndarray]


@dataclass(frozen=True)
class Bone:
    """A rest bone. head_m, tail_m: (3,) metres, z up. role: what it carries in the avatar's weights, if anything.

    z_axis: (3,) where the bone's own z points; None: as roll_deg says.
    """

    name: str
    parent: str | None
    head_m: np.ndarray
    tail_m: np.ndarray
    roll_deg: float
    role: str | None = None
    z_axis: np.ndarray | None = None


def mirrored_bone(bone: Bone, left: str, right: str) -> Bone:
    """The right bone of a left one; where z_axis is given all its axes point the other way, as in Unreal's rigs."""
    flip = np.array([-1.0, 1.0, 1.0])
    head, reach = bone.head_m * flip, (bone.tail_m - bone.head_m) * flip
    return replace(
        bone,
        name=bone.name.replace(left, right),
        parent=bone.parent and bone.parent.replace(left, right),
        head_m=head,
        tail_m=head + (reach if bone.z_axis is None else -reach),
        roll_deg=-bone.roll_deg,
        role=bone.role and bone.role.replace("left_", "right_"),
        z_axis=None if bone.z_axis is None else -bone.z_axis * flip,
    )
