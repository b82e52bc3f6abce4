"""Where a rig's soles are, as Blender shows it, and how fast they slide while the performer's feet stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..skeleton import SIDES
from .contacts import FOOT_POINTS
from .feet import standing_points
from .retarget import RigRest, standing_legs
from .rigmap import RigMap
from .world import WorldMotion

__all__ = ["Soles", "sliding_m_s", "soles_at_rest"]


@dataclass(frozen=True)
class Soles:
    """Heels and toes of a rig at some frames of its Action.

    times_s:      (N,) the clip's times of these frames, rising.
    points_world: (N, 4, 3) metres, contacts.FOOT_POINTS.
    floor_m:      how high the floor is on which the rig stands.
    step_s:       a frame's time: points further apart than that are of different stretches.
    """

    times_s: np.ndarray
    points_world: np.ndarray
    floor_m: float
    step_s: float

    def __post_init__(self) -> None:
        expected = (len(self.times_s), len(FOOT_POINTS), 3)
        if self.points_world.shape != expected:
            raise ValueError(f"points_world has shape {self.points_world.shape}, expected {expected}")

    @property
    def heights_m(self) -> np.ndarray:
        """(N, 4) over the floor."""
        return self.points_world[..., 2] - self.floor_m


def soles_at_rest(rest: RigRest, rig_map: RigMap) -> list[tuple[str, np.ndarray]]:
    """What touches the floor of a standing rig, contacts.FOOT_POINTS: the bone that carries each, and its place (3,).

    A toe is carried by the toes where the rig has them, as they bend under it. The places lie in the space of the bone
    at rest. Raises RigError.
    """
    legs = standing_legs(rest, rig_map)
    soles = []
    for side in SIDES:
        foot = rig_map.bones[f"{side}_foot"]
        for bone, point in ((foot, legs[side].heel), (rig_map.bones.get(f"{side}_toe", foot), legs[side].toe)):
            bone_from_world = np.linalg.inv(rest.world_from_armature @ rest.matrices[rest.names.index(bone)])
            soles.append((bone, bone_from_world[:3, :3] @ point + bone_from_world[:3, 3]))
    return soles


def sliding_m_s(soles: Soles, world: WorldMotion) -> np.ndarray:
    """Speeds (K,) along the floor of the points that stand, from frame to frame. world: the motion the rig has."""
    gaps_s = np.diff(soles.times_s)
    moved_m = np.linalg.norm(np.diff(soles.points_world[..., :2], axis=0), axis=2)
    standing = standing_points(world.standing_chance(), world.times_s)[:, : len(FOOT_POINTS)]
    nearest = np.abs(world.times_s[:, None] - soles.times_s[None]).argmin(axis=0)
    stands = standing[nearest]
    counts = stands[1:] & stands[:-1] & (gaps_s < 1.5 * soles.step_s)[:, None]
    return (moved_m / np.maximum(gaps_s, 1e-9)[:, None])[counts]
