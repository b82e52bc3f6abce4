"""Feet that stay where they stand: legs bent anew on the rig itself, whose proportions are not the performer's.

What stands is held where it stood in the middle of its time there, flat where heel and toe both stand, and on the
floor where it is near it. The hips follow as far as both legs ask for it or one needs to reach, and the knees go where
the solve had them point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..rotation import normalized, quat_between, quat_multiply, quat_rotate
from ..skeleton import SIDES
from .contacts import stands, stretches
from .held import BODY_CUTOFF_HZ, Limb, LimbPath, bent, eased, end_of, reaching, turned_by
from .rolls import about_rad
from .smoothing import filled, smoothed
from .toes import toe_bend
from .turns import BodyTurns

__all__ = [
    "AUTO",
    "FOOT_MODES",
    "FootMode",
    "Leg",
    "Stand",
    "ankles_world",
    "held_feet",
    "legs_to",
    "rest_legs",
    "standing_feet",
    "standing_points",
    "toes_on_floor",
]

# What stands within this share of a leg's length from the floor stands on it; what is higher, on a step or a chair.
FLOOR_WITHIN = 0.14
# A foot that slopes by more than this (sine) while it keeps still stands on its toes or its heel alone.
TIPTOE = np.sin(np.deg2rad(30.0))
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class FootMode:
    """What is held. still: what stands stays where it is; without it feet are only kept on and above the floor.

    enter, leave: the chance of standing at which a point of a foot is caught and let go (hysteresis).
    shortest_s: for less than this it does not count.
    """

    still: bool = True
    enter: float = 0.6
    leave: float = 0.4
    shortest_s: float = 0.1


# What counts as standing where nobody has chosen a mode.
AUTO = FootMode()
# As animators know them; None leaves the feet as they were captured.
FOOT_MODES: dict[str, FootMode | None] = {
    "auto": AUTO,
    "always": FootMode(enter=0.35, leave=0.15, shortest_s=0.0),
    "grounding": FootMode(still=False),
    "never": None,
}


@dataclass(frozen=True)
class Leg(Limb):
    """A rig's leg at rest, hip, knee and ankle, and where heel and toe stand on the floor, in the world (3,).

    ball: (3,) the joint over `toe` at which the toes bend; `toe` itself where the rig has none.
    """

    heel: np.ndarray
    toe: np.ndarray
    ball: np.ndarray


@dataclass(frozen=True)
class Stand:
    """A rig's body as it stands: the hips bone's head at rest (3,), its legs by side, and how high its floor is."""

    rest_hips: np.ndarray
    legs: Mapping[str, Leg]
    floor_m: float


def rest_legs(heads: Mapping[str, np.ndarray], standing_m: Mapping[str, float], forward: np.ndarray) -> dict[str, Leg]:
    """The legs of a rig at rest. heads: bone heads (3,) by role, in the world; forward: (3,) where it faces.

    standing_m: how high ankles and toe joints are above the floor when it stands.
    """
    legs = {}
    for side in SIDES:
        thigh, shin, foot = (heads[f"{side}_{part}"] for part in ("thigh", "shin", "foot"))
        floor = foot - standing_m[f"{side}_foot"] * _UP
        half_m = 0.5 * float(np.linalg.norm(shin - thigh) + np.linalg.norm(foot - shin))
        ahead = heads.get(f"{side}_toe", foot + 0.35 * half_m * forward) - foot
        ahead = ahead - (ahead @ _UP) * _UP
        toe, ball_m = floor + ahead, max(standing_m.get(f"{side}_toe", 0.0), 0.0)
        if ahead @ forward < 0.1 * half_m:  # a toe bone right under the ankle
            ahead = 0.35 * half_m * forward
            toe, ball_m = floor + ahead, 0.0
        legs[side] = Leg(thigh, shin, foot, forward, floor - 0.3 * ahead, toe, toe + ball_m * _UP)
    return legs


def standing_points(chance: np.ndarray, times_s: np.ndarray, mode: FootMode = AUTO) -> np.ndarray:
    """Which points stand, (T, P) bool. chance: (T, P), as of contacts.CONTACT_POINTS."""
    return stands(chance, times_s, mode.enter, mode.leave, mode.shortest_s)


def standing_feet(chance: np.ndarray, times_s: np.ndarray, mode: FootMode) -> dict[str, np.ndarray]:
    """`standing_points` by side, of heel and toe (T, 2). chance: (T, P), contacts.FOOT_POINTS first."""
    flags = standing_points(chance, times_s, mode)
    return {side: flags[:, 2 * i : 2 * i + 2] for i, side in enumerate(SIDES)}


def held_feet(
    turned: BodyTurns,
    hips_world: np.ndarray,
    stand: Stand,
    standing: Mapping[str, np.ndarray],
    times_s: np.ndarray,
    *,
    still: bool = True,
) -> tuple[BodyTurns, np.ndarray]:
    """The body's turns and the way (T, 3) of the hips bone's head with which what stands stays in place.

    hips_world: (T, 3) as it was; standing: by side (T, 2), of heel and toe. still: False only keeps the feet on and
    above the floor.
    """
    legs, floor_m = stand.legs, stand.floor_m
    feet, standing = dict[str, np.ndarray](), dict(standing)
    for side, leg in legs.items():
        feet[side] = turned.parts[f"{side}_foot"]
        if still:
            feet[side], standing[side] = _on_tiptoe(feet[side], leg, standing[side], times_s)
        feet[side] = _settled(feet[side], leg, standing[side], times_s, still=still)
    turned = replace(turned, parts=turned.parts | {f"{side}_foot": turn for side, turn in feet.items()})
    ankles = ankles_world(turned, hips_world, stand)
    needed = {
        side: _needed_shift(_sole(ankles[side], leg, feet[side]), leg, standing[side], floor_m, still=still)
        for side, leg in legs.items()
    }
    common = _hips_shift(needed, standing, times_s)
    held = {side: np.asarray(standing[side].any(axis=1)) for side in legs}
    wanted = {side: ankles[side] + common + eased(needed[side] - common, held[side], times_s) for side in legs}
    for side, leg in legs.items():
        lowest_m = _sole(wanted[side], leg, feet[side])[..., 2].min(axis=1)
        wanted[side][:, 2] += np.maximum(floor_m - lowest_m, 0.0)
    return legs_to(turned, hips_world + common, stand, wanted, times_s)


def toes_on_floor(turned: BodyTurns, hips_world: np.ndarray, stand: Stand) -> BodyTurns:
    """The body with its toes as its feet have them, bent up as far as keeps their tips over the floor.

    hips_world: (T, 3) of the hips bone's head.
    """
    ankles, parts = ankles_world(turned, hips_world, stand), dict(turned.parts)
    for side, leg in stand.legs.items():
        foot = parts[f"{side}_foot"]
        room_m = _sole(ankles[side], leg, foot)[:, 1, 2] - stand.floor_m
        parts[f"{side}_toe"] = quat_multiply(toe_bend(foot, leg.toe - leg.heel, room_m), foot)
    return replace(turned, parts=parts)


def ankles_world(turned: BodyTurns, hips_world: np.ndarray, stand: Stand) -> dict[str, np.ndarray]:
    """Where the ankles are (T, 3), by side; hips_world: (T, 3) the hips bone's head."""
    thighs = _thighs_world(turned, hips_world, stand)
    return {side: end_of(thighs[side], leg, _path(turned, side)) for side, leg in stand.legs.items()}


def legs_to(
    turned: BodyTurns, hips_world: np.ndarray, stand: Stand, ankles: Mapping[str, np.ndarray], times_s: np.ndarray
) -> tuple[BodyTurns, np.ndarray]:
    """The body with its legs so bent that the ankles are there (T, 3), and the hips, moved as far as that needs."""
    thighs = _thighs_world(turned, hips_world, stand)
    paths = {side: _path(turned, side) for side in stand.legs}
    moved = reaching(thighs, ankles, stand.legs, paths, times_s)
    parts = dict(turned.parts)
    for side, leg in stand.legs.items():
        path = bent(thighs[side] + moved, ankles[side], leg, paths[side])
        parts |= {f"{side}_thigh": path.upper, f"{side}_shin": path.lower}
    return replace(turned, parts=parts), hips_world + moved


def _thighs_world(turned: BodyTurns, hips_world: np.ndarray, stand: Stand) -> dict[str, np.ndarray]:
    """Where the legs begin (T, 3), by side."""
    return {
        side: hips_world + quat_rotate(turned.hips, leg.start - stand.rest_hips) for side, leg in stand.legs.items()
    }


def _path(turned: BodyTurns, side: str) -> LimbPath:
    return LimbPath(*(turned.parts[f"{side}_{part}"] for part in ("thigh", "shin", "foot")))


def _on_tiptoe(
    foot_turn: np.ndarray, leg: Leg, standing: np.ndarray, times_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The foot's turn (T, 4), still where it sloped all the time that heel and toe kept still, as in press-ups, and
    `standing` (T, 2) without the end that was up in the air then."""
    along = quat_rotate(foot_turn, normalized(leg.toe - leg.heel))
    wanted, touching, held = along.copy(), standing.copy(), np.zeros(len(times_s), dtype=bool)
    for start, end in stretches(np.asarray(standing.all(axis=1))):
        slope = float(np.median(along[start:end, 2]))
        if abs(slope) > TIPTOE:
            held[start:end] = True
            wanted[start:end] = normalized(np.median(along[start:end], axis=0))
            touching[start:end, 0 if slope < 0.0 else 1] = False
    if not held.any():
        return foot_turn, standing
    return turned_by(foot_turn, quat_between(along, wanted), held, times_s), touching


def _settled(foot_turn: np.ndarray, leg: Leg, standing: np.ndarray, times_s: np.ndarray, *, still: bool) -> np.ndarray:
    """The foot's turn (T, 4), flat where heel and toe both stand, and there (`still`) pointing one way."""
    flat = np.asarray(standing.all(axis=1))
    if not flat.any():
        return foot_turn
    along = quat_rotate(foot_turn, normalized(leg.toe - leg.heel))
    level = normalized(along * [1.0, 1.0, 0.0])
    # A sole that stands on its edge is turned flat about its length; the rest's up is the sole's own.
    swing = quat_between(along, level)
    sole_up = quat_rotate(quat_multiply(swing, foot_turn), _UP)
    flatten = quat_multiply(quat_between(sole_up, np.broadcast_to(_UP, sole_up.shape)), swing)
    heading_rad = np.unwrap(np.arctan2(level[:, 1], level[:, 0]))
    yaw_rad = np.zeros(len(times_s))
    for start, end in stretches(flat) if still else ():
        yaw_rad[start:end] = np.median(heading_rad[start:end]) - heading_rad[start:end]
    upright = quat_multiply(about_rad(np.broadcast_to(_UP, sole_up.shape), yaw_rad), flatten)
    return turned_by(foot_turn, upright, flat, times_s)


def _sole(ankle: np.ndarray, leg: Leg, foot_turn: np.ndarray) -> np.ndarray:
    """Where heel and toe stand (T, 2, 3): the toes are flat under the ball of a foot that stands on them."""
    heel, ball = (ankle + quat_rotate(foot_turn, point - leg.end) for point in (leg.heel, leg.ball))
    toes_turn = quat_multiply(toe_bend(foot_turn, leg.toe - leg.heel), foot_turn)
    return np.stack([heel, ball + quat_rotate(toes_turn, leg.toe - leg.ball)], axis=1)


def _needed_shift(places: np.ndarray, leg: Leg, standing: np.ndarray, floor_m: float, *, still: bool) -> np.ndarray:
    """How far the ankle (T, 3) must go so that the foot stays where it stands; 0 where it does not.

    places: (T, 2, 3) of heel and toe. While both stand the toe is held, and the heel with it, as the foot does not turn
    then; where the weight goes from one to the other, the second stays where it came down.
    """
    needed = np.zeros_like(places[:, 0])
    held_point = np.where(standing[:, 1], 1, 0)
    for first, last in stretches(np.asarray(standing.any(axis=1))):
        changes = np.flatnonzero(np.diff(held_point[first:last])) + first + 1
        for start, end in pairwise([first, *changes, last]):
            at = places[start:end, held_point[start]]
            anchor = at[0] + needed[start - 1] if start > first else at[0]
            needed[start:end, :2] = (anchor - at)[:, :2]
            height_m = np.median(at[:, 2])
            on_floor = height_m - floor_m < FLOOR_WITHIN * leg.length_m
            needed[start:end, 2] = (floor_m if on_floor else height_m) - at[:, 2]
        needed[first:last, :2] -= np.median(needed[first:last, :2], axis=0)
    if not still:
        needed[:, :2] = 0.0
    return needed


def _hips_shift(
    needed: Mapping[str, np.ndarray], standing: Mapping[str, np.ndarray], times_s: np.ndarray
) -> np.ndarray:
    """What the standing feet have in common the hips (T, 3) do as well, slowly, and go from one to the next between."""
    weight = np.stack([standing[side].any(axis=1).astype(float) for side in needed], axis=1)
    held = weight.sum(axis=1)
    if not held.any():
        return np.zeros((len(times_s), 3))
    common = np.einsum("ts,tsi->ti", weight, np.stack(list(needed.values()), axis=1)) / np.maximum(held, 1.0)[:, None]
    common = filled(common, held > 0, times_s)
    return smoothed(common, times_s, BODY_CUTOFF_HZ, np.maximum(held, 0.05))
