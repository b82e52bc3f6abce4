"""An armature at rest as plain arrays, and which way its body looks. No Blender in here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import RigError
from ..rotation import normalized
from .landmarks import BodyAxes

__all__ = ["RigRest", "rest_axes"]

# The largest scale of an object over its smallest; beyond it bones point visibly elsewhere (by about half of a degree).
UNEVEN_SCALE = 1.01


@dataclass(frozen=True)
class RigRest:
    """An armature at rest. Bones are so ordered that parents come before their children.

    parents:              name of each bone's parent, None at a root.
    matrices:             (B, 4, 4) float64, rest matrices in armature space.
    world_from_armature:  (4, 4) float64, the object's place; any turn and one scale for all axes.
    inherits_turn:        (B,) bool, False for bones that keep their rest orientation whatever their parent does.
    local_location:       (B,) bool, False for bones whose location is given in the armature's axes.
    pose:                 (B, 4, 4) float64, each bone's present pose against its rest. It counts for the bones above
                          the mapped ones alone: root controls stay as the animator has put them.
    """

    names: tuple[str, ...]
    parents: tuple[str | None, ...]
    matrices: np.ndarray
    world_from_armature: np.ndarray
    inherits_turn: np.ndarray
    local_location: np.ndarray
    pose: np.ndarray

    def __post_init__(self) -> None:
        bones = len(self.names)
        if not self.matrices.shape == self.pose.shape == (bones, 4, 4):
            raise ValueError(f"matrices {self.matrices.shape} and pose {self.pose.shape} for {bones} bones")
        if self.world_from_armature.shape != (4, 4):
            raise ValueError(f"world_from_armature has shape {self.world_from_armature.shape}, expected (4, 4)")
        if not len(self.parents) == len(self.inherits_turn) == len(self.local_location) == bones:
            raise ValueError("a bone lacks its parent or its flags")
        seen: set[str | None] = {None}
        for name, parent in zip(self.names, self.parents, strict=True):
            if parent not in seen:
                raise ValueError(f"the parent of {name} does not come before it")
            seen.add(name)

    def ancestors(self, bone: str) -> list[str]:
        """Names of the bone's parents, nearest first."""
        found = []
        parent = self.parents[self.names.index(bone)]
        while parent is not None:
            found.append(parent)
            parent = self.parents[self.names.index(parent)]
        return found

    def held_by_parents(self, bone: str) -> np.ndarray:
        """Where the bone (4, 4, armature space) is held by its parents as they are posed now, itself not posed."""
        held = np.eye(4)
        for name in [*reversed(self.ancestors(bone)), bone]:
            i, parent = self.names.index(name), self.parents[self.names.index(name)]
            if parent is not None:
                above = self.names.index(parent)
                held = held @ self.pose[above] @ np.linalg.inv(self.matrices[above])
            held = held @ self.matrices[i]
        return held

    def head_world(self, bone: str) -> np.ndarray:
        """The bone's head (3,) at rest, in the world."""
        head = self.matrices[self.names.index(bone), :3, 3]
        return self.world_from_armature[:3, :3] @ head + self.world_from_armature[:3, 3]


def rest_axes(heads: dict[str, np.ndarray], rest: RigRest) -> BodyAxes:
    """The rest pose's left, up and forward in the world. heads: (3,) by role, in the world.

    Raises RigError for rigs that have none, and for objects scaled so that turned bones would be sheared.
    """
    hip = 0.5 * (heads["left_thigh"] + heads["right_thigh"])
    shoulders = 0.5 * (heads["left_upper_arm"] + heads["right_upper_arm"])
    across = heads["left_thigh"] - heads["right_thigh"]
    if np.linalg.det(rest.world_from_armature[:3, :3]) <= 0:
        raise RigError("The armature is mirrored or flattened by its scale.", hint="Give it a positive scale.")
    scales = np.linalg.svd(rest.world_from_armature[:3, :3], compute_uv=False)
    if scales[0] > UNEVEN_SCALE * scales[-1]:
        raise RigError(
            "The armature is scaled unevenly, which shears its bones when they turn.",
            hint="Give it one scale for all axes, or apply its scale (Object > Apply > Scale).",
        )
    if np.linalg.norm(shoulders - hip) < 1e-9 or np.linalg.norm(across) < 1e-9:
        raise RigError("The rig's hips and shoulders lie in one place.", hint="Check the bones in its rig.json.")
    # Rigs stand along one of the armature's own axes; the spine alone may lean.
    frame = normalized(rest.world_from_armature[:3, :3].T)
    along = frame @ (shoulders - hip)
    nearest = int(np.argmax(np.abs(along)))
    up = frame[nearest] * np.sign(along[nearest])
    left = normalized(across - (across @ up) * up)
    return BodyAxes(left, up, np.cross(left, up))
