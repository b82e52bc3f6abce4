"""The avatar's visible parts: skin, hair, face and clothes, each a shape of one material with its own mesh size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .body import Body, mirror
from .joints import FINGERS
from .shapes import Mesh, Shape, Tube, blend, cut, ellipsoid, front_of, grow, mesh_of, union

__all__ = ["Part", "parts_of"]

_UP, _DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
_CLOTH_M = 0.009


@dataclass(frozen=True)
class Part:
    """One closed surface. `role` is the bone it follows stiffly; None where the skin weights decide."""

    material: str
    mesh: Mesh
    role: str | None = None


def _mirrored_mesh(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices_m * np.array([-1.0, 1.0, 1.0]), mesh.quads[:, ::-1])


def _sided(material: str, shape: Shape, box: np.ndarray, cell_m: float, role: str | None = None) -> Iterator[Part]:
    """A left part and its mirror image. box: (2, 3) low and high corner."""
    mesh = mesh_of(shape, box[0], box[1], cell_m)
    yield Part(material, mesh, role)
    yield Part(material, _mirrored_mesh(mesh), role)


def _box(points: list[np.ndarray], margin_m: float) -> np.ndarray:
    return np.stack([np.min(points, axis=0) - margin_m, np.max(points, axis=0) + margin_m])


def parts_of(body: Body) -> list[Part]:
    """All visible parts of the person."""
    return [*_head(body), *_arms(body), *_shirt(body), *_trousers(body), *_shoes(body)]


def _head(body: Body) -> Iterator[Part]:
    head = blend(0.030, blend(0.035, body.skull, body.jaw), body.neck)
    face = blend(0.014, head, body.nose)
    skin = blend(0.006, face, body.ear(), mirror(body.ear()))
    box = _box([body.at_head(-1.1, -1.3, -2.6), body.at_head(1.1, 1.1, 1.1)], 0.02)
    box[0, 2] = body.joints["neck"][2] - 0.07
    yield Part("skin", mesh_of(skin, box[0], box[1], 0.0120))
    yield from _hair(body)
    yield from _face(body, face)


def _hair(body: Body) -> Iterator[Part]:
    head = body.person.head
    cap = ellipsoid(body.at_head(0, 0.05, 0.02), np.array(head.skull_radii_m) * (1.13, 1.12, 1.10))
    hairline = cut(cap, body.at_head(0, -0.82, 0.56), (0.0, -0.70, -0.71), edge_m=0.022)
    shape: Shape = hairline
    if head.ponytail:
        bends = [body.at_head(0, 1.0, 0.42), body.at_head(0, 1.45, 0.12), body.at_head(0, 1.5, -0.65)]
        bends.append(body.at_head(0, 1.22, -1.45))
        sizes = (0.020, 0.031, 0.027, 0.010)
        tail = [
            Tube(a, b, ((0.0, u, u), (1.0, v, v)), cap_m=0.015)
            for a, b, u, v in zip(bends, bends[1:], sizes, sizes[1:], strict=False)
        ]
        shape = blend(0.02, hairline, blend(0.03, *tail))
    box = _box([body.at_head(-1.2, -1.2, -1.7), body.at_head(1.2, 1.9, 1.2)], 0.02)
    yield Part("hair", mesh_of(shape, box[0], box[1], 0.0150), "head")
    if head.beard:
        chin = blend(0.02, grow(body.jaw, 0.006), grow(blend(0.03, body.skull, body.jaw), 0.0035))
        beard = cut(chin, body.at_head(0, -0.95, -0.93), (0.0, -0.30, 0.95), edge_m=0.008)
        beard = cut(beard, body.at_head(0, 0.10, -0.5), (0.0, 1.0, 0.1))
        yield Part("hair", mesh_of(beard, box[0], box[1], 0.0140), "head")


def _face(body: Body, face: Shape) -> Iterator[Part]:
    def front(x: float, z: float) -> np.ndarray:
        point = body.at_head(x, 0, z)
        return front_of(face, point[0], point[2], point[1] - 0.2, point[1])

    def small(material: str, shape: Shape, place: np.ndarray, cell_m: float = 0.0045) -> Iterator[Part]:
        yield from _sided(material, shape, _box([place], 0.03), cell_m, "head")

    eye = front(0.43, -0.14)
    yield from small("eyes", ellipsoid(np.add(eye, (0.0, 0.0035, 0.0)), (0.0135, 0.0070, 0.0080)), eye)
    yield from small("pupils", ellipsoid(np.add(eye, (0.0, -0.0015, 0.0)), (0.0072, 0.0040, 0.0074)), eye)
    inner, outer = front(0.22, 0.11), front(0.68, 0.09)
    brow = Tube(inner, outer, ((0.0, 0.0048, 0.0050), (1.0, 0.0038, 0.0040)), side=_UP, cap_m=0.004)
    yield from small("hair", brow, 0.5 * (inner + outer))
    mouth = front(0.0, -0.78)
    if body.person.head.beard:
        lip = front(0.0, -0.62)
        moustache = ellipsoid(np.add(lip, (0.0, 0.004, -0.002)), (0.030, 0.0115, 0.0075))
        box = _box([lip], 0.04)
        yield Part("hair", mesh_of(moustache, box[0], box[1], 0.006), "head")
    lips = ellipsoid(np.add(mouth, (0.0, 0.004, 0.0)), (0.023, 0.0085, 0.0068))
    box = _box([mouth], 0.03)
    yield Part("lips", mesh_of(lips, box[0], box[1], 0.005), "head")


def _arms(body: Body) -> Iterator[Part]:
    left, joints = body.left, body.joints
    shoulder, elbow, wrist = (joints[f"left_{n}"] for n in ("shoulder", "elbow", "wrist"))
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    share = body.person.clothes.sleeve_share
    if share < 1.0:
        start = shoulder + (share - 0.12) * (elbow - shoulder)
        arm = cut(blend(0.02, left["upper_arm"], left["forearm"]), start, shoulder - elbow)
        arm = cut(arm, wrist - 0.004 * along, along)
        yield from _sided("skin", arm, _box([start, elbow, wrist], 0.06), 0.0150)
        band = cut(cut(grow(left["forearm"], 0.006), wrist - 0.030 * along, -along), wrist + 0.002 * along, along)
        yield from _sided("shoes", band, _box([wrist], 0.06), 0.0080)
    fingers = [
        blend(0.004, *(left[f"{name}_{n}"] for n in ((2, 3) if name == "thumb" else (1, 2, 3))))
        for name in (*FINGERS, "thumb")
    ]
    hand = union(*(blend(0.010, left["hand"], finger) for finger in fingers))
    hand = cut(blend(0.02, hand, left["forearm"]), wrist - 0.020 * along, -along)
    tips = [joints[f"left_{name}_4"] for name in (*FINGERS, "thumb")]
    yield from _sided("skin", hand, _box([wrist, *tips], 0.03), 0.038 * body.person.hand_m)


def _sleeve(body: Body) -> Shape:
    left, joints, share = body.left, body.joints, body.person.clothes.sleeve_share
    shoulder, elbow, wrist = (joints[f"left_{n}"] for n in ("shoulder", "elbow", "wrist"))
    if share < 1.0:
        end = shoulder + share * (elbow - shoulder)
        return cut(grow(left["upper_arm"], 1.3 * _CLOTH_M), end, elbow - shoulder)
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    arm = blend(0.03, left["upper_arm"], left["forearm"])
    return cut(grow(arm, 0.8 * _CLOTH_M), wrist - 0.006 * along, along)


def _shirt(body: Body) -> Iterator[Part]:
    clothes, joints = body.person.clothes, body.joints
    shoulder = grow(body.left["shoulder"], 0.6 * _CLOTH_M)
    trunk = cut(grow(body.trunk, 1.5 * _CLOTH_M), (0.0, 0.0, clothes.hem_up_m), _DOWN)
    shape = blend(0.045, trunk, shoulder, mirror(shoulder))
    sleeve = _sleeve(body)
    shape = blend(0.04, blend(0.04, shape, sleeve), mirror(sleeve))
    nape = np.array([0.0, joints["neck"][1], clothes.neckline_up_m])
    shape = cut(shape, nape, (0.0, -0.42, 0.91), edge_m=0.012)
    ends = [joints["left_wrist"], joints["right_wrist"], np.array([0.0, 0.20, 0.85]), np.array([0.0, -0.20, 1.55])]
    box = _box(ends, 0.08)
    yield Part("shirt", mesh_of(shape, box[0], box[1], 0.0250))


def _trousers(body: Body) -> Iterator[Part]:
    clothes, joints = body.person.clothes, body.joints
    top = (0.0, 0.0, clothes.hem_up_m + 0.03)
    seat = cut(grow(body.trunk, 0.6 * _CLOTH_M), top, _UP)
    ankle = joints["left_ankle"]
    hem_m = 0.35 * _CLOTH_M
    loose = Tube(
        joints["left_knee"],
        ankle,
        tuple((t, w + hem_m * t, d + 0.7 * hem_m * t, *rest) for t, w, d, *rest in body.person.leg.lower),
        cap_m=0.04,
    )
    leg = grow(blend(0.03, body.left["thigh"], loose), _CLOTH_M)
    leg = cut(leg, ankle - np.array([0.0, 0.0, 0.022]), _DOWN)
    shape = union(blend(0.035, seat, leg), blend(0.035, seat, mirror(leg)))
    box = _box([ankle, ankle * [-1, 1, 1], np.array([0.22, 0.20, 0.95]), np.array([-0.22, -0.22, 0.95])], 0.07)
    yield Part("trousers", mesh_of(shape, box[0], box[1], 0.0255))


def _shoes(body: Body) -> Iterator[Part]:
    shoe = blend(0.015, body.left["foot"], body.left["toe"])
    ankle = body.joints["left_ankle"]
    shoe = cut(shoe, ankle + np.array([0.0, 0.0, 0.012]), _UP)
    box = _box([body.joints["left_heel"], body.joints["left_tip"], ankle], 0.06)
    yield from _sided("shoes", shoe, box, 0.0150)
    sole = cut(cut(grow(shoe, 0.009), (0.0, 0.0, 0.022), _UP), (0.0, 0.0, 0.0), _DOWN)
    yield from _sided("soles", sole, box, 0.0135)
