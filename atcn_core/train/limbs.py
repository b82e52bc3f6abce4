"""How the augmentation turns legs, trunk and arms: poses and wandering within anatomical limits, as turns by body part.

Bodies are (J, 3, B, N) in CAPTURE order, as in turning.py, whose `pose` makes the turns.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .dice import Dice
from .turning import (
    AT,
    Frame,
    apply,
    between,
    body_frame,
    chest_frame,
    compose,
    cross,
    dot,
    hinge,
    limit,
    pose,
    turn,
    turn_vector,
    unit,
)

__all__ = ["arm_turns", "leg_turns", "straightened", "trunk_turns"]

# Poses of the legs that walking never shows, in degrees as (low, high): flexion and abduction of the thigh in the
# pelvis' frame, its outward twist, the knee's bend; and how often.
_LEG_POSES = {
    "chair": (3.0, (65, 105), (0, 22), (-12, 20), (60, 110)),
    "squat": (2.0, (70, 120), (5, 32), (0, 25), (85, 145)),
    "kneel": (1.5, (-12, 20), (0, 14), (-8, 10), (75, 115)),
    "on the heels": (1.0, (50, 85), (0, 16), (-5, 8), (130, 150)),
    "legs out": (1.0, (70, 105), (0, 35), (-10, 30), (0, 60)),
    "cross-legged": (1.0, (75, 105), (28, 50), (45, 80), (100, 140)),
    "one knee up": (3.0, (35, 115), (0, 22), (-10, 20), (40, 130)),
}

# Limbs that are bent less than the first are straightened in full, those over the second not at all; and what is left
# of a bend that would be gone, in degrees.
_STRAIGHTENED_DEG, _LEAST_BEND_DEG = (60.0, 120.0), 3.0


def straightened(bodies: Tensor, dice: Dice, most_deg: float) -> Tensor:
    """The bodies with knees, and with elbows, straighter by an angle of the window, up to `most_deg`.

    Ankles and wrists stay where they were seen from hip and shoulder, but for being further away; feet stay as level.
    Captured takes often never straighten a limb, their skeletons' joints lying beside the real ones; people do.
    """
    legs, arms = torch.deg2rad(dice.uniform(2, dice.windows, 1, high=most_deg))
    pelvis = body_frame(bodies, bodies[AT["thorax"]] - bodies[AT["hip"]])
    chest = chest_frame(bodies)
    turns: dict[str, Tensor] = {}
    levels: dict[str, Tensor] = {}
    for name, sign in (("left", 1.0), ("right", -1.0)):
        hip, knee, ankle, shoulder, elbow, wrist = (
            bodies[AT[f"{name}_{joint}"]] for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        )
        axis = hinge(unit(knee - hip), unit(ankle - knee), pelvis[0])
        turns[f"{name}_thigh"], turns[f"{name}_shank"], tilt = _less_bent(knee - hip, ankle - knee, *axis, legs)
        levels[name] = turn(axis[0], -tilt)
        axis = hinge(unit(elbow - shoulder), unit(wrist - elbow), _elbow_axis(elbow - shoulder, chest, sign))
        turns[f"{name}_arm"], turns[f"{name}_forearm"], _ = _less_bent(elbow - shoulder, wrist - elbow, *axis, arms)
    posed = pose(bodies, turns)
    for name, level in levels.items():
        ankle = posed[AT[f"{name}_ankle"]]
        for joint in (AT[f"{name}_heel"], AT[f"{name}_toe"]):
            posed[joint] = apply(level, posed[joint] - ankle) + ankle
    return posed


def _less_bent(upper: Tensor, lower: Tensor, axis: Tensor, bend: Tensor, less: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Turns of a limb's two bones that take `less` off its bend, and the angle that the lower one turns in all."""
    full, none = (math.radians(limit_deg) for limit_deg in _STRAIGHTENED_DEG)
    wanted = bend - less * ((none - bend) / (none - full)).clamp(0.0, 1.0)
    # Rounded off towards the straight limb, which so is neither passed nor reached with a jerk.
    wanted = 0.5 * (wanted + (wanted.square() + (2.0 * math.radians(_LEAST_BEND_DEG)) ** 2).sqrt())
    wanted = torch.minimum(wanted, bend)
    upper_m, lower_m = dot(upper, upper).sqrt(), dot(lower, lower).sqrt()

    def beside(angle: Tensor) -> Tensor:
        """From the upper bone to the line between the limb's ends."""
        return torch.atan2(lower_m * angle.sin(), upper_m + lower_m * angle.cos())

    swing = beside(bend) - beside(wanted)
    return turn(axis, swing), turn(axis, wanted - bend), swing + wanted - bend


def _elbow_axis(upper: Tensor, chest: Frame, sign: float) -> Tensor:
    """About which an elbow bends by anatomy; sign: 1 left, -1 right."""
    left, up, front = chest
    return cross(unit(upper), front + 0.5 * up - 0.3 * sign * left)


def _leg_pose(dice: Dice) -> tuple[Tensor, Tensor]:
    """A pose of the legs for each window: angles (2, 4, B, 1) rad, and which sides take part (2, B, 1)."""
    table = torch.tensor([[*ranges] for _, *ranges in _LEG_POSES.values()], device=dice.device, dtype=torch.float32)
    chances = torch.tensor([share for share, *_ in _LEG_POSES.values()], device=dice.device)
    which = torch.multinomial(chances, dice.windows, replacement=True, generator=dice.generator)
    low, high = table[which].permute(2, 1, 0)
    # Both legs do about the same.
    at = (dice.uniform(1, 4, dice.windows) + 0.35 * dice.uniform(2, 4, dice.windows, low=-1.0)).clamp(0.0, 1.0)
    single = (which == len(_LEG_POSES) - 1).float()
    left = dice.happens(0.5)[:, 0]
    takes_part = torch.stack([1 - single * (1 - left), 1 - single * left])
    return torch.deg2rad(low + (high - low) * at).unsqueeze(-1), takes_part.unsqueeze(-1)


def leg_turns(
    bodies: Tensor, pelvis: Frame, dice: Dice, *, share: float, thigh_deg: float, knee_deg: float
) -> tuple[dict[str, Tensor], Tensor]:
    """Turns of thighs and shanks, and how far the thighs are flexed then (the further side's angle, (B, N))."""
    left, up, front = pelvis
    angles, takes_part = _leg_pose(dice)
    taken = dice.presence(share)
    wander = torch.deg2rad(dice.curves(8)).view(2, 4, dice.windows, dice.frames)
    turns: dict[str, Tensor] = {}
    flexed: list[Tensor] = []
    for side, name, sign in ((0, "left", 1.0), (1, "right", -1.0)):
        hip, knee, ankle = (bodies[AT[f"{name}_{joint}"]] for joint in ("hip", "knee", "ankle"))
        thigh, shank = unit(knee - hip), unit(ankle - knee)
        part = taken * takes_part[side]
        ease = 1.0 - 0.5 * part
        out = sign * left
        own = torch.atan2(dot(thigh, front), -dot(thigh, up)), dot(thigh, out).clamp(-1.0, 1.0).asin()
        by = wander[side] * ease
        flexion = torch.lerp(own[0], angles[side, 0], part) + by[0] * thigh_deg
        abduction = torch.lerp(own[1], angles[side, 1], part) + by[1] * thigh_deg * 0.5
        flexion, abduction = _keep(flexion, own[0], -30, 125), _keep(abduction, own[1], -22, 70)
        twist = angles[side, 2] * part + by[2] * thigh_deg * 0.7
        goal = out * abduction.sin() + abduction.cos() * (front * flexion.sin() - up * flexion.cos())
        turns[f"{name}_thigh"] = compose(between(thigh, goal, left), turn(thigh, -sign * twist))
        axis, bend = hinge(thigh, shank, left)
        bent = torch.lerp(bend, angles[side, 3], part) + by[3] * knee_deg
        turns[f"{name}_shank"] = turn(axis, limit(bent, 0, 150) - bend)
        flexed.append(flexion)
    return turns, torch.maximum(*flexed)


def trunk_turns(
    bodies: Tensor, pelvis: Frame, flexion: Tensor, dice: Dice, *, share: float, trunk_deg: float, neck_deg: float
) -> tuple[dict[str, Tensor], Tensor]:
    """Turns of trunk, chest and neck, and how far the chest is bent forward (B, N) rad."""
    left, up, front = pelvis
    forward, aside, twist, *neck = torch.deg2rad(dice.curves(6))
    down = dice.presence(share) * torch.deg2rad(dice.uniform(dice.windows, 1, low=25.0, high=95.0))
    stoop = limit(forward * trunk_deg, -20, 40) + down
    # Thighs and belly stop the bending; one limit for the whole window, as running legs would shake the trunk.
    stoop = torch.minimum(stoop, (math.radians(130) - flexion.amax(1, keepdim=True)).clamp_min(0.0))
    vector = left * stoop + front * limit(aside * trunk_deg * 0.7, -22, 22)
    vector = vector + up * limit(twist * trunk_deg * 1.4, -40, 40)
    nod = torch.stack([limit(angle * neck_deg, -20, 20) for angle in neck])
    chest = chest_frame(bodies)
    turns = {
        "trunk": turn_vector(vector * 0.6),
        "chest": turn_vector(vector * 0.4),
        "neck": turn_vector(
            sum((axis * angle for axis, angle in zip(chest[1:], nod[1:], strict=True)), chest[0] * nod[0])
        ),
    }
    return turns, stoop


def arm_turns(
    bodies: Tensor, stoop: Tensor, dice: Dice, *, share: float, arm_deg: float, elbow_deg: float
) -> dict[str, Tensor]:
    """Turns of upper arms and forearms, worked out in the chest's frame; `stoop` (B, N): how far that bends forward."""
    left, up, front = chest_frame(bodies)
    # Arms hang down from who bends down, more or less.
    hang = stoop.clamp_min(0.0) * dice.uniform(dice.windows, 1)
    cos, sin = hang.cos(), hang.sin()
    turns: dict[str, Tensor] = {}
    for name, sign in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow, wrist = (bodies[AT[f"{name}_{joint}"]] for joint in ("shoulder", "elbow", "wrist"))
        upper, fore = unit(elbow - shoulder), unit(wrist - elbow)
        wander = dice.curves(5)
        out = sign * left
        o, u, f = dot(upper, out), dot(upper, up), dot(upper, front)
        u, f = u * cos + f * sin, f * cos - u * sin
        reach = dice.presence(share, quickest=10.0)
        low = torch.tensor([-0.3, -1.0, -0.3], device=dice.device)[:, None, None]
        goal = unit(low + (1.0 - low) * dice.uniform(3, dice.windows, 1))
        swing = turn_vector(math.radians(arm_deg) * wander[:3])
        # Half-way between opposite directions the arm goes by the side.
        by_side = 2.4 * reach * (1.0 - reach)
        o, u, f = apply(swing, unit(torch.lerp(torch.stack([o + by_side, u, f]), goal, reach)))
        f = f.clamp_min(-0.55)
        # What would go through the chest goes round it in front; behind, the arm stays on its own side.
        inside = (0.05 - 0.55 * ((f + 0.1) * 2.0).clamp(0.0, 1.0) - o).clamp_min(0.0)
        o, f = o + inside, f + inside
        aim = unit(out * o + up * u + front * f)
        twist = limit(torch.deg2rad(wander[3]) * arm_deg * 0.8, -45, 45)
        turns[f"{name}_arm"] = compose(between(upper, aim, front), turn(upper, twist))
        axis, bend = hinge(upper, fore, _elbow_axis(upper, (left, up, front), sign))
        bent = limit(bend + torch.deg2rad(wander[4]) * elbow_deg, 0, 150)
        turns[f"{name}_forearm"] = turn(axis, bent - bend)
    return turns


def _keep(angle: Tensor, own: Tensor, low_deg: float, high_deg: float) -> Tensor:
    """The same, where what the person does by itself is never out of limits: high kicks would jump back to them."""
    return angle.clamp(own.clamp_max(math.radians(low_deg)), own.clamp_min(math.radians(high_deg)))
