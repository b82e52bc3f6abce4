"""Quaternions (w, x, y, z), unit, active, and rotation matrices, in numpy over any batch shape. Used inside Blender."""

from __future__ import annotations

import numpy as np

__all__ = [
    "frame_from_axes",
    "matrix_to_quat",
    "normalized",
    "quat_between",
    "quat_conjugate",
    "quat_multiply",
    "quat_rotate",
    "quat_slerp",
    "quat_to_matrix",
    "quat_unrolled",
]

_TINY = 1e-12


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Vectors of unit length along the last axis; a zero vector stays zero. vectors: (..., n)."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, _TINY)


def quat_multiply(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Hamilton product: first `right`, then `left`. left, right: (..., 4). Returns (..., 4)."""
    lw, lx, ly, lz = np.moveaxis(left, -1, 0)
    rw, rx, ry, rz = np.moveaxis(right, -1, 0)
    return np.stack(
        [
            lw * rw - lx * rx - ly * ry - lz * rz,
            lw * rx + lx * rw + ly * rz - lz * ry,
            lw * ry - lx * rz + ly * rw + lz * rx,
            lw * rz + lx * ry - ly * rx + lz * rw,
        ],
        axis=-1,
    )


def quat_conjugate(quat: np.ndarray) -> np.ndarray:
    """The inverse turn of a unit quaternion. quat: (..., 4)."""
    return quat * np.array([1.0, -1.0, -1.0, -1.0])


def quat_rotate(quat: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Turn vectors. quat: (..., 4); vectors: (..., 3). Returns (..., 3) in the vectors' frame."""
    w, u = quat[..., :1], quat[..., 1:]
    cross = np.cross(u, vectors)
    return vectors + 2.0 * (w * cross + np.cross(u, cross))


def quat_between(from_dir: np.ndarray, to_dir: np.ndarray) -> np.ndarray:
    """Shortest rotation that turns `from_dir` onto `to_dir`.

    from_dir, to_dir: (..., 3) unit vectors in one common frame.
    Returns: (..., 4) wxyz. Opposite vectors turn half a turn about a fixed perpendicular.
    """
    from_dir, to_dir = np.broadcast_arrays(from_dir, to_dir)
    w = 1.0 + np.sum(from_dir * to_dir, axis=-1, keepdims=True)
    aside = np.where(np.abs(from_dir[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    half_turn = np.concatenate([np.zeros_like(w), normalized(np.cross(from_dir, aside))], axis=-1)
    quat = np.concatenate([w, np.cross(from_dir, to_dir)], axis=-1)
    return normalized(np.where(w < 1e-9, half_turn, quat))


def quat_to_matrix(quat: np.ndarray) -> np.ndarray:
    """quat: (..., 4) unit. Returns (..., 3, 3), so that matrix @ v turns v."""
    w, x, y, z = np.moveaxis(quat, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_quat(matrix: np.ndarray) -> np.ndarray:
    """matrix: (..., 3, 3) rotations (nearly orthonormal will do). Returns (..., 4) wxyz unit.

    Four formulas, each accurate where its component is large (Shepperd 1978); the largest one is taken.
    """
    m = np.asarray(matrix, dtype=np.float64)
    diagonal = np.diagonal(m, axis1=-2, axis2=-1)
    trace = diagonal.sum(axis=-1)
    a = m[..., 2, 1] - m[..., 1, 2]
    b = m[..., 0, 2] - m[..., 2, 0]
    c = m[..., 1, 0] - m[..., 0, 1]
    xy = m[..., 0, 1] + m[..., 1, 0]
    xz = m[..., 0, 2] + m[..., 2, 0]
    yz = m[..., 1, 2] + m[..., 2, 1]
    dx, dy, dz = np.moveaxis(2.0 * diagonal - trace[..., None] + 1.0, -1, 0)
    candidates = np.stack(
        [
            np.stack([1.0 + trace, a, b, c], axis=-1),
            np.stack([a, dx, xy, xz], axis=-1),
            np.stack([b, xy, dy, yz], axis=-1),
            np.stack([c, xz, yz, dz], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.stack([trace, *np.moveaxis(diagonal, -1, 0)], axis=-1), axis=-1)
    return normalized(np.take_along_axis(candidates, best[..., None, None], axis=-2)[..., 0, :])


def frame_from_axes(primary: np.ndarray, secondary: np.ndarray) -> np.ndarray:
    """A right-handed orthonormal frame: y along `primary`, x as near to `secondary` as it can be.

    primary, secondary: (..., 3), not parallel, of any length, in one common frame.
    Returns: (..., 3, 3) whose columns are x, y, z.
    """
    y = normalized(primary)
    x = normalized(secondary - np.sum(secondary * y, axis=-1, keepdims=True) * y)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def quat_slerp(start: np.ndarray, end: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Spherical interpolation along the shorter arc. start, end: (..., 4); share: (...) or scalar, 0..1."""
    dot = np.sum(start * end, axis=-1, keepdims=True)
    end = np.where(dot < 0, -end, end)
    angle = np.arccos(np.clip(np.abs(dot), 0.0, 1.0))
    share = np.asarray(share, dtype=np.float64)[..., None]
    near = angle < 1e-6
    sine = np.where(near, 1.0, np.sin(angle))
    from_start = np.where(near, 1.0 - share, np.sin((1.0 - share) * angle) / sine)
    from_end = np.where(near, share, np.sin(share * angle) / sine)
    return normalized(from_start * start + from_end * end)


def quat_unrolled(quats: np.ndarray) -> np.ndarray:
    """The same turns with signs so chosen that neighbours in time lie in one hemisphere. quats: (T, ..., 4)."""
    dots = np.sum(quats[1:] * quats[:-1], axis=-1)
    flips = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    unrolled = quats.copy()
    unrolled[1:] *= flips[..., None]
    return unrolled
