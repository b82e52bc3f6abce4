"""The avatar's clothes and bare skin, each a shape of one material with its own mesh size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .body import Body, mirror
from .hair_and_face import face_of, head_parts
from .parts import Part, box_around, sided
from .shapes import Shape, Tube, blend, cut, grow, mesh_of, union

__all__ = ["parts_of"]

_UP, _DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
_CLOTH_M = 0.009
# Over how many edges the weights of what spans armpits and crotch are spread (see skin.smoothed).
_SHIRT_SMOOTHING, _TROUSER_SMOOTHING = 8, 3


def parts_of(body: Body) -> list[Part]:
    """All visible parts of the person."""
    return [*_head(body), *head_parts(body), *_arms(body), *_shirt(body), *_legs(body), *_shoes(body)]


def _head(body: Body) -> Iterator[Part]:
    k = body.person.head.size
    face = face_of(body)
    skin = blend(0.006 * k, face, body.ear(), mirror(body.ear()))
    box = box_around([body.at_head(-1.1, -1.3, -1.3), body.at_head(1.1, 1.1, 1.1)], 0.02 * k)
    box[0, 2] = body.joints["neck"][2] - 0.07 * body.person.scale
    yield Part("skin", mesh_of(skin, box[0], box[1], 0.0120 * k))


def _arms(body: Body) -> Iterator[Part]:
    left, joints, s = body.left, body.joints, body.person.scale
    c = s * body.person.coarseness
    shoulder, elbow, wrist = (joints[f"left_{n}"] for n in ("shoulder", "elbow", "wrist"))
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    share = body.person.clothes.sleeve_share
    if share < 1.0:
        start = shoulder + (share - 0.12) * (elbow - shoulder)
        arm = cut(blend(0.02 * s, left["upper_arm"], left["forearm"]), start, shoulder - elbow)
        arm = cut(arm, wrist - 0.004 * s * along, along)
        yield from sided("skin", arm, box_around([start, elbow, wrist], 0.06 * s), 0.0150 * c)
        band = grow(left["forearm"], 0.006 * s)
        band = cut(cut(band, wrist - 0.030 * s * along, -along), wrist + 0.002 * s * along, along)
        yield from sided("shoes", band, box_around([wrist], 0.06 * s), 0.0080 * c)
    fingers = [
        blend(0.004 * s, *(left[f"{name}_{n}"] for n in ((2, 3) if name == "thumb" else (1, 2, 3))))
        for name in (*body.person.fingers, "thumb")
    ]
    hand = union(*(blend(0.010 * s, left["hand"], finger) for finger in fingers))
    hand = cut(blend(0.02 * s, hand, left["forearm"]), wrist - 0.020 * s * along, -along)
    tips = [joints[f"left_{name}_4"] for name in (*body.person.fingers, "thumb")]
    yield from sided(
        "skin",
        hand,
        box_around([wrist, *tips], 0.18 * body.person.finger_width * body.person.hand_m),
        0.038 * body.person.coarseness * body.person.hand_m,
    )


def _sleeve(body: Body) -> Shape:
    left, joints, share = body.left, body.joints, body.person.clothes.sleeve_share
    shoulder, elbow, wrist = (joints[f"left_{n}"] for n in ("shoulder", "elbow", "wrist"))
    s = body.person.scale
    if share < 1.0:
        end = shoulder + share * (elbow - shoulder)
        return cut(grow(left["upper_arm"], 1.3 * s * _CLOTH_M), end, elbow - shoulder)
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    arm = blend(0.03 * s, left["upper_arm"], left["forearm"])
    return cut(grow(arm, 0.8 * s * _CLOTH_M), wrist - 0.006 * s * along, along)


def _trunk_corners(body: Body, from_up_m: float, to_up_m: float) -> list[np.ndarray]:
    """Two corners of a box round the trunk between two heights."""
    rows = np.array(body.person.trunk)
    half, depth = rows[:, 1].max(), (rows[:, 2] + np.abs(rows[:, 3])).max()
    return [np.array([-half, -depth, from_up_m]), np.array([half, depth, to_up_m])]


def _shirt(body: Body) -> Iterator[Part]:
    clothes, joints, s = body.person.clothes, body.joints, body.person.scale
    c = s * body.person.coarseness
    shoulder = grow(body.left["shoulder"], 0.6 * s * _CLOTH_M)
    trunk = cut(grow(body.trunk, 1.5 * s * _CLOTH_M), (0.0, 0.0, clothes.hem_up_m), _DOWN)
    shape = blend(0.045 * s, trunk, shoulder, mirror(shoulder))
    sleeve = _sleeve(body)
    shape = blend(0.04 * s, blend(0.04 * s, shape, sleeve), mirror(sleeve))
    nape = np.array([0.0, joints["neck"][1], clothes.neckline_up_m])
    shape = cut(shape, nape, (0.0, -0.42, 0.91), edge_m=0.012 * s)
    ends = [joints["left_wrist"], joints["right_wrist"], joints["left_elbow"], joints["left_shoulder"]]
    ends += _trunk_corners(body, clothes.hem_up_m, clothes.neckline_up_m)
    box = box_around(ends, 0.08 * s)
    yield Part("shirt", mesh_of(shape, box[0], box[1], 0.0250 * c), smoothing=_SHIRT_SMOOTHING)


def _legs(body: Body) -> Iterator[Part]:
    """The trousers; and the legs, where those are short."""
    clothes, joints, s = body.person.clothes, body.joints, body.person.scale
    c, cloth_m = s * body.person.coarseness, s * _CLOTH_M
    top = (0.0, 0.0, clothes.hem_up_m + 0.03 * s)
    seat = cut(grow(body.trunk, 0.6 * cloth_m), top, _UP)
    hip, knee, ankle = (joints[f"left_{n}"] for n in ("hip", "knee", "ankle"))
    if clothes.leg_share < 1.0:
        low = hip + clothes.leg_share * (knee - hip)
        leg = cut(grow(body.left["thigh"], 1.5 * cloth_m), low, knee - hip)
        start = hip + (clothes.leg_share - 0.15) * (knee - hip)
        bare = cut(blend(0.03 * s, body.left["thigh"], body.left["shin"]), start, hip - knee)
        yield from sided("skin", bare, box_around([start, knee, ankle], 0.08 * s), 0.0180 * c)
    else:
        hem_m, low = 0.35 * cloth_m, ankle
        loose = Tube(
            knee,
            ankle,
            tuple((t, w + hem_m * t, d + 0.7 * hem_m * t, *rest) for t, w, d, *rest in body.person.leg.lower),
            cap_m=0.04 * s,
        )
        leg = grow(blend(0.03 * s, body.left["thigh"], loose), cloth_m)
        leg = cut(leg, ankle - np.array([0.0, 0.0, 0.022 * s]), _DOWN)
    shape = union(blend(0.035 * s, seat, leg), blend(0.035 * s, seat, mirror(leg)))
    ends = [low, low * [-1, 1, 1], *_trunk_corners(body, low[2], clothes.hem_up_m)]
    box = box_around(ends, 0.09 * s)
    yield Part("trousers", mesh_of(shape, box[0], box[1], 0.0255 * c), smoothing=_TROUSER_SMOOTHING)


def _shoes(body: Body) -> Iterator[Part]:
    s = body.person.scale
    c = s * body.person.coarseness
    shoe = blend(0.015 * s, body.left["foot"], body.left["toe"])
    ankle = body.joints["left_ankle"]
    shoe = cut(shoe, ankle + np.array([0.0, 0.0, 0.012 * s]), _UP)
    box = box_around([body.joints["left_heel"], body.joints["left_tip"], ankle], 0.02 * s + 1.1 * body.person.foot[2])
    yield from sided("shoes", shoe, box, 0.0150 * c)
    sole = cut(cut(grow(shoe, 0.009 * s), (0.0, 0.0, 0.022 * s), _UP), (0.0, 0.0, 0.0), _DOWN)
    yield from sided("soles", sole, box, 0.0135 * c)
