"""Signed distance shapes and their meshes, in numpy. Nothing here knows about people or bones.

A shape is a function from points (N, 3) metres to signed distances (N,) metres, negative inside. Distances are exact
to first order near the surface, which is all that the mesher asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Mesh", "Shape", "Tube", "blend", "cut", "edges_of", "ellipsoid", "front_of", "grow", "mesh_of", "union"]

Shape = Callable[[np.ndarray], np.ndarray]
_TINY = 1e-9
# No edge of a mesh is shorter than this share of its cells (see `_apart`).
_SHORTEST = 0.15


def _scaled_distance(scaled: np.ndarray, radii_m: np.ndarray) -> np.ndarray:
    """Distance to the unit sphere of scaled space, brought back to metres by its gradient's length."""
    norm = np.linalg.norm(scaled, axis=1)
    slope = np.linalg.norm(scaled / radii_m, axis=1)
    inside = -np.min(radii_m, axis=1)
    return np.where(norm > 1e-3, norm * (norm - 1.0) / np.maximum(slope, _TINY), inside)


def ellipsoid(centre_m: Sequence[float], radii_m: Sequence[float], turn: np.ndarray | None = None) -> Shape:
    """An ellipsoid; `turn` (3, 3) has its axes as columns."""
    centre, radii = np.asarray(centre_m, float), np.asarray(radii_m, float)
    axes = np.eye(3) if turn is None else turn

    def distance(points: np.ndarray) -> np.ndarray:
        scaled = (points - centre) @ axes / radii
        return _scaled_distance(scaled, np.broadcast_to(radii, scaled.shape))

    return distance


@dataclass(frozen=True)
class Tube:
    """A rounded tube of elliptic cross-section along a straight axis: a limb or a trunk.

    start_m, end_m: the axis. side: direction of the "width" half axis (made perpendicular to the axis).
    rows: (t along the axis 0..1, half width, half depth[, shift along the depth axis]) in metres, t rising.
    cap_m: how far the rounded ends reach beyond the axis. power: 2 is an ellipse, more is boxier.
    """

    start_m: np.ndarray
    end_m: np.ndarray
    rows: tuple[tuple[float, ...], ...]
    side: tuple[float, float, float] = (1.0, 0.0, 0.0)
    cap_m: float = 0.03
    power: float = 2.0

    def profile(self, t: np.ndarray) -> np.ndarray:
        """Half width, half depth, shift at t (clamped to 0..1), smoothly between the rows. Returns (N, 3)."""
        rows = np.array([(*row, 0.0)[:4] for row in self.rows])
        fine = np.linspace(-0.25, 1.25, 181)
        kernel = np.exp(-0.5 * (np.arange(-18, 19) / 6.0) ** 2)
        columns = []
        for column in rows.T[1:]:
            table = np.interp(fine, rows[:, 0], column)
            table = np.convolve(np.pad(table, 18, mode="edge"), kernel / kernel.sum(), mode="valid")
            columns.append(np.interp(np.clip(t, 0.0, 1.0), fine, table))
        return np.stack(columns, axis=1)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        axis = np.asarray(self.end_m, float) - self.start_m
        length = np.linalg.norm(axis)
        axis = axis / length
        side = np.asarray(self.side) - np.dot(self.side, axis) * axis
        side = side / np.linalg.norm(side)
        depth = np.cross(axis, side)
        local = points - self.start_m
        along = local @ axis
        width_m, depth_m, shift_m = self.profile(along / length).T
        beyond = along - np.clip(along, 0.0, length)
        radii = np.stack([width_m, depth_m, np.full_like(width_m, self.cap_m)], axis=1)
        scaled = np.stack([local @ side, local @ depth - shift_m, beyond], axis=1) / radii
        if self.power != 2.0:
            boxy = np.sum(np.abs(scaled[:, :2]) ** self.power, axis=1) ** (1.0 / self.power)
            round_ = np.linalg.norm(scaled[:, :2], axis=1)
            scaled[:, :2] *= (boxy / np.maximum(round_, _TINY))[:, None]
        return _scaled_distance(scaled, radii)


def union(*shapes: Shape) -> Shape:
    """The union, with sharp seams."""
    return lambda points: np.min([shape(points) for shape in shapes], axis=0)


def blend(seam_m: float, *shapes: Shape) -> Shape:
    """The union, with seams rounded over about `seam_m`."""

    def distance(points: np.ndarray) -> np.ndarray:
        result = shapes[0](points)
        for shape in shapes[1:]:
            other = shape(points)
            share = np.maximum(seam_m - np.abs(result - other), 0.0) / seam_m
            result = np.minimum(result, other) - share**2 * seam_m * 0.25
        return result

    return distance


def grow(shape: Shape, by_m: float) -> Shape:
    """The shape's surface moved outwards."""
    return lambda points: shape(points) - by_m


def cut(shape: Shape, point_m: Sequence[float], away: Sequence[float], edge_m: float = 0.006) -> Shape:
    """The shape without the half space that `away` points into from `point_m`; the edge is rounded."""
    normal = np.asarray(away, float) / np.linalg.norm(away)

    def distance(points: np.ndarray) -> np.ndarray:
        inside, plane = shape(points), (points - np.asarray(point_m)) @ normal
        share = np.maximum(edge_m - np.abs(inside - plane), 0.0) / edge_m
        return np.maximum(inside, plane) + share**2 * edge_m * 0.25

    return distance


@dataclass(frozen=True)
class Mesh:
    """vertices_m: (V, 3) metres. quads: (F, 4) vertex indices, outward by the right-hand rule."""

    vertices_m: np.ndarray
    quads: np.ndarray


def mesh_of(shape: Shape, low_m: Sequence[float], high_m: Sequence[float], cell_m: float) -> Mesh:
    """The closed surface of `shape` inside the box low_m..high_m, in quads of about `cell_m`."""
    low, high = np.asarray(low_m, float) - 2 * cell_m, np.asarray(high_m, float) + 2 * cell_m
    counts = np.ceil((high - low) / cell_m).astype(int) + 1
    axes = [low[i] + cell_m * np.arange(counts[i]) for i in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = shape(grid.reshape(-1, 3)).reshape(counts)
    vertices, quads = _surface_nets(values)
    fitted = _fitted(shape, low + cell_m * vertices, quads, cell_m)
    return Mesh(_apart(fitted, edges_of(quads), _SHORTEST * cell_m), quads)


def edges_of(quads: np.ndarray) -> np.ndarray:
    """Every edge of the quads (F, 4) once. Returns (E, 2) vertex indices, the lower one first."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    return np.unique(np.sort(edges, axis=1), axis=0)


def _apart(points_m: np.ndarray, edges: np.ndarray, least_m: float, rounds: int = 20) -> np.ndarray:
    """The ends of edges shorter than `least_m` moved apart, so that no two fall together when places are rounded.

    Where two sheets meet in one cell, as between fingers, the mesher's vertices are pinched, and fitting draws two
    such neighbours onto each other.
    """
    points_m = points_m.copy()
    for _ in range(rounds):
        reach = points_m[edges[:, 1]] - points_m[edges[:, 0]]
        length = np.linalg.norm(reach, axis=1)
        short = length < least_m
        if not short.any():
            break
        # A little more than what is missing, or the rounds would only come near to it.
        push = reach[short] * (0.51 * (1.02 * least_m - length[short]) / np.maximum(length[short], _TINY))[:, None]
        np.add.at(points_m, edges[short, 0], -push)
        np.add.at(points_m, edges[short, 1], push)
    return points_m


def _surface_nets(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Naive surface nets (Gibson 1998). Returns vertices (V, 3) in cells and outward quads (F, 4)."""
    inside = values < 0
    cells = tuple(n - 1 for n in values.shape)
    total, count = np.zeros((*cells, 3)), np.zeros(cells)
    for axis in range(3):
        first, second = _pair(values, axis)
        crossed = (first < 0) != (second < 0)
        share = np.where(crossed, first / np.where(crossed, first - second, 1.0), 0.0)
        others = [a for a in range(3) if a != axis]
        for i in (0, 1):
            for j in (0, 1):
                window = [slice(None)] * 3
                window[others[0]] = slice(i, i + cells[others[0]])
                window[others[1]] = slice(j, j + cells[others[1]])
                hit = crossed[tuple(window)]
                count += hit
                total[..., axis] += share[tuple(window)] * hit
                total[..., others[0]] += i * hit
                total[..., others[1]] += j * hit
    used = count > 0
    number = np.full(cells, -1)
    number[used] = np.arange(used.sum())
    vertices = np.argwhere(used) + total[used] / count[used][:, None]
    quads = [_quads_across(inside, number, axis) for axis in range(3)]
    together = np.concatenate(quads)
    return vertices, together[np.argsort(together.min(axis=1), kind="stable")]


def _pair(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    return np.take(values, range(values.shape[axis] - 1), axis), np.take(values, range(1, values.shape[axis]), axis)


def _quads_across(inside: np.ndarray, number: np.ndarray, axis: int) -> np.ndarray:
    """The quads round all grid edges along `axis` that the surface crosses."""
    first, second = _pair(inside, axis)
    b, c = (axis + 1) % 3, (axis + 2) % 3
    edges = np.argwhere(first != second)
    around = []
    for step_b, step_c in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
        cell = edges.copy()
        cell[:, b] += step_b
        cell[:, c] += step_c
        around.append(number[tuple(cell.T)])
    quads = np.stack(around, axis=1)
    leaving = first[tuple(edges.T)]
    return np.where(leaving[:, None], quads, quads[:, ::-1])


def _fitted(shape: Shape, points_m: np.ndarray, quads: np.ndarray, cell_m: float, rounds: int = 6) -> np.ndarray:
    """Vertices spread evenly over the surface: slid towards their neighbours' mean, then put back onto the shape."""
    edges = np.concatenate([quads[:, [0, 1]], quads[:, [1, 2]], quads[:, [2, 3]], quads[:, [3, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    degree = np.bincount(edges[:, 0], minlength=len(points_m))[:, None]
    for _ in range(rounds):
        mean = np.zeros_like(points_m)
        np.add.at(mean, edges[:, 0], points_m[edges[:, 1]])
        points_m = _on_surface(shape, points_m + 0.5 * (mean / degree - points_m), cell_m)
    return points_m


def _on_surface(shape: Shape, points_m: np.ndarray, cell_m: float) -> np.ndarray:
    step = 0.1 * cell_m
    gradient = np.stack([shape(points_m + e) - shape(points_m - e) for e in step * np.eye(3)], axis=1) / (2 * step)
    length = np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 0.2)
    move = np.clip(shape(points_m), -0.5 * cell_m, 0.5 * cell_m)
    return points_m - move[:, None] * gradient / length**2


def front_of(shape: Shape, x_m: float, z_m: float, from_y_m: float, to_y_m: float) -> np.ndarray:
    """The first point of the surface met on the way along +y at (x, z). Returns (3,) metres."""
    ys = np.linspace(from_y_m, to_y_m, 400)
    points = np.stack([np.full_like(ys, x_m), ys, np.full_like(ys, z_m)], axis=1)
    return points[np.argmax(shape(points) < 0)]
