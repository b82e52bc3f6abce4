"""A visible part of an avatar: a closed surface of one material."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .shapes import Mesh, Shape, mesh_of

__all__ = ["Part", "box_around", "sided"]


@dataclass(frozen=True)
class Part:
    """One closed surface. `role` is the bone it follows stiffly; None where the skin weights decide.

    smoothing: over how many edges the skin weights are spread.
    """

    material: str
    mesh: Mesh
    role: str | None = None
    smoothing: int = 0


def _mirrored_mesh(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices_m * np.array([-1.0, 1.0, 1.0]), mesh.quads[:, ::-1])


def sided(material: str, shape: Shape, box: np.ndarray, cell_m: float, role: str | None = None) -> Iterator[Part]:
    """A left part and its mirror image. box: (2, 3) low and high corner."""
    mesh = mesh_of(shape, box[0], box[1], cell_m)
    yield Part(material, mesh, role)
    yield Part(material, _mirrored_mesh(mesh), role)


def box_around(points: Sequence[np.ndarray], margin_m: float) -> np.ndarray:
    """(2, 3): low and high corner of the points' box, with a margin."""
    return np.stack([np.min(points, axis=0) - margin_m, np.max(points, axis=0) + margin_m])
