"""Hair, beards, eyes, brows and mouths: what lies on a head and follows it stiffly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .body import Body, mirror
from .parts import Part, box_around, sided
from .shapes import Shape, Tube, blend, cut, ellipsoid, front_of, grow, mesh_of, union

__all__ = ["face_of", "head_parts"]

_UP = (0.0, 0.0, 1.0)


def face_of(body: Body) -> Shape:
    """The bare head with its neck and nose."""
    k = body.person.head.size
    head = blend(0.030 * k, blend(0.035 * k, body.skull, body.jaw), body.neck)
    return blend(0.014 * k, head, body.nose)


def head_parts(body: Body) -> Iterator[Part]:
    """Everything on the head."""
    yield from _hair(body)
    yield from _face(body)


def _chain(points: list[np.ndarray], radii_m: list[float], seam_m: float) -> Shape:
    """Round tubes from point to point, thick as said at each."""
    rows = zip(points, points[1:], radii_m, radii_m[1:], strict=False)
    return blend(seam_m, *(Tube(a, b, ((0.0, u, u), (1.0, v, v)), cap_m=0.5 * (u + v)) for a, b, u, v in rows))


def _cap(body: Body) -> Shape:
    k = body.person.head.size
    cap = ellipsoid(body.at_head(0, 0.05, 0.02), np.array(body.person.head.skull_radii_m) * (1.13, 1.12, 1.10))
    return cut(cap, body.at_head(0, -0.82, 0.56), (0.0, -0.70, -0.71), edge_m=0.022 * k)


def _ponytail(body: Body) -> Shape:
    k = body.person.head.size
    bends = [(0, 1.0, 0.42), (0, 1.45, 0.12), (0, 1.5, -0.65), (0, 1.22, -1.45)]
    return _chain([body.at_head(*bend) for bend in bends], [0.020 * k, 0.031 * k, 0.027 * k, 0.010 * k], 0.03 * k)


def _pigtails(body: Body) -> Shape:
    k = body.person.head.size
    bends = [(0.98, 0.35, 0.30), (1.40, 0.45, 0.18), (1.62, 0.45, -0.45), (1.50, 0.38, -1.10)]
    tail = _chain([body.at_head(*bend) for bend in bends], [0.018 * k, 0.032 * k, 0.030 * k, 0.010 * k], 0.03 * k)
    return union(tail, mirror(tail))


def _fringe(body: Body) -> Shape:
    """Straight hair down to the brows."""
    skull = np.array(body.person.head.skull_radii_m)
    over = ellipsoid(body.at_head(0, 0.0, 0.02), skull * (1.09, 1.09, 1.07))
    front = cut(over, body.at_head(0, 0, 0.34), (0.0, 0.0, -1.0), edge_m=0.008)
    return cut(front, body.at_head(0, -0.10, 0), (0.0, 1.0, 0.0))


def _spikes(body: Body) -> Shape:
    """Tufts over the head, leaning back."""
    k = body.person.head.size
    tufts = []
    for x, y, z in ((0, -0.72, 0.72), (0, -0.15, 1.02), (0, 0.50, 0.92), (0.52, -0.42, 0.78), (0.58, 0.20, 0.82)):
        out = np.array([1.15 * x, y + 0.10, z + 0.10])
        start, end = body.at_head(0.92 * x, 0.92 * y, 0.92 * z), body.at_head(*(1.28 * out))
        tuft = _chain([start, end], [0.042 * k, 0.010 * k], 0.01 * k)
        tufts += [tuft] if x == 0 else [tuft, mirror(tuft)]
    return blend(0.02 * k, *tufts)


def _crest(body: Body) -> Shape:
    """A strip of hair from the forehead over to the nape."""
    skull = np.array(body.person.head.skull_radii_m)
    ridge = ellipsoid(body.at_head(0, 0.06, 0.02), skull * (1.0, 1.18, 1.22))
    ridge = cut(ridge, body.at_head(0.26, 0, 0), (1.0, 0.0, -0.25), edge_m=0.008)
    ridge = cut(ridge, body.at_head(-0.26, 0, 0), (-1.0, 0.0, -0.25), edge_m=0.008)
    return cut(ridge, body.at_head(0, -0.80, 0.60), (0.0, -0.70, -0.71), edge_m=0.015)


def _ring(body: Body) -> Shape:
    """Hair round a bald head, from temple to temple."""
    skull = np.array(body.person.head.skull_radii_m)
    over = ellipsoid(body.at_head(0, 0.05, -0.02), skull * (1.08, 1.08, 1.06))
    over = cut(over, body.at_head(0, 0, 0.34), (0.0, -0.25, 0.97), edge_m=0.010)
    over = cut(over, body.at_head(0, 0, -0.55), (0.0, 0.0, -1.0), edge_m=0.010)
    return cut(over, body.at_head(0, 0.30, 0.0), (0.0, -1.0, -0.25), edge_m=0.012)


_HAIR: dict[str, tuple[Callable[[Body], Shape], float]] = {
    # the shape, and its cell against that of the others
    "cap": (_cap, 1.0),
    "ponytail": (_ponytail, 1.0),
    "pigtails": (_pigtails, 0.9),
    "fringe": (_fringe, 0.75),
    "spikes": (_spikes, 0.65),
    "crest": (_crest, 0.8),
    "ring": (_ring, 0.8),
}


def _hair(body: Body) -> Iterator[Part]:
    head, k = body.person.head, body.person.head.size
    pieces = [_HAIR[name] for name in head.hair if name in _HAIR]
    box = box_around([body.at_head(-2.1, -1.3, -1.7), body.at_head(2.1, 1.9, 1.7)], 0.02 * k)
    if pieces:
        shape = blend(0.02 * k, *(make(body) for make, _ in pieces))
        cell_m = 0.0150 * k * min(cell for _, cell in pieces)
        yield Part("hair", mesh_of(shape, box[0], box[1], cell_m), "head")
    if {"beard", "goatee"} & set(head.hair):
        chin = blend(0.02 * k, grow(body.jaw, 0.006 * k), grow(blend(0.03 * k, body.skull, body.jaw), 0.0035 * k))
        beard = cut(chin, body.at_head(0, -0.95, -0.93), (0.0, -0.30, 0.95), edge_m=0.008 * k)
        back = 0.10 if "beard" in head.hair else -0.38
        beard = cut(beard, body.at_head(0, back, -0.5), (0.0, 1.0, 0.1))
        yield Part("hair", mesh_of(beard, box[0], box[1], 0.0140 * k), "head")


def _face(body: Body) -> Iterator[Part]:
    face, head, k = face_of(body), body.person.head, body.person.head.size

    def front(x: float, z: float) -> np.ndarray:
        point = body.at_head(x, 0, z)
        return front_of(face, point[0], point[2], point[1] - 1.6 * head.skull_radii_m[1], point[1])

    e = k * head.eyes
    eye = front(0.43, -0.14)
    white = ellipsoid(eye + e * np.array([0.0, 0.0035, 0.0]), e * np.array([0.0135, 0.0070, 0.0080 * head.eyes**0.5]))
    pupil = ellipsoid(eye + e * np.array([0.0, -0.0015, 0.0]), e * np.array([0.0072, 0.0040, 0.0074]))
    for material, shape in (("eyes", white), ("pupils", pupil)):
        yield from sided(material, shape, box_around([eye], 0.03 * e), 0.0045 * e, "head")
    raised = 0.10 * (head.eyes - 1.0)
    inner, outer = front(0.22, 0.11 + raised), front(0.68, 0.09 + raised)
    rows = ((0.0, 0.0048 * k, 0.0050 * k), (1.0, 0.0038 * k, 0.0040 * k))
    brow = Tube(inner, outer, rows, side=_UP, cap_m=0.004 * k)
    yield from sided("hair", brow, box_around([0.5 * (inner + outer)], 0.03 * k), 0.0045 * k, "head")
    yield from _mouth(body, front)


def _mouth(body: Body, front: Callable[[float, float], np.ndarray]) -> Iterator[Part]:
    head, k = body.person.head, body.person.head.size
    if {"beard", "moustache"} & set(head.hair):
        lip = front(0.0, -0.62)
        size = (0.030, 0.0115, 0.0075) if "beard" in head.hair else (0.036, 0.0140, 0.0105)
        moustache = ellipsoid(lip + k * np.array([0.0, 0.004, -0.002]), k * np.array(size))
        box = box_around([lip], 0.045 * k)
        yield Part("hair", mesh_of(moustache, box[0], box[1], 0.006 * k), "head")
    mouth = front(0.0, -0.78)
    box = box_around([mouth], 0.03 * k)
    lips: Shape = ellipsoid(mouth + k * np.array([0.0, 0.004, 0.0]), k * np.array([0.023, 0.0085, 0.0068]))
    if head.smile_m > 0.0:
        reach = 0.021 * k / head.skull_radii_m[0]
        rise = head.smile_m / head.skull_radii_m[2]
        half = [front(share * reach, -0.78 + share**2 * rise) for share in (0.0, 0.4, 0.75, 1.0)]
        bow = _chain(half, [0.0052 * k, 0.0050 * k, 0.0042 * k, 0.0030 * k], 0.003 * k)
        lips = union(bow, mirror(bow))
    yield Part("lips", mesh_of(lips, box[0], box[1], 0.005 * k), "head")
