"""What people do beyond the takes at hand: bodies recombined, limbs, trunk, head and feet turned, people sat and lain
down. Batched torch on world joints (B, N, J, 3) in CAPTURE order, any device; no camera and no detector here."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..skeleton import CAPTURE
from .turning import Frame, apply, between, compose, cross, dot, frame, hinge, pose, turn, turn_vector, unit

__all__ = ["AugmentOptions", "augment_motion", "perturb_limbs", "recombine", "turn_feet", "turn_head"]

_AT = {joint: i for i, joint in enumerate(CAPTURE.joints)}
_UPPER = [
    i for i, j in enumerate(CAPTURE.joints) if j != "hip" and not j.endswith(("hip", "knee", "ankle", "heel", "toe"))
]

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
_SHARES = ("recombine", "limbs", "legs", "bend", "reach", "lie", "head", "feet")


@dataclass(frozen=True)
class AugmentOptions:
    """How often (shares of the windows) and how far (degrees, std unless said otherwise).

    recombine:  share with another window's upper body.
    limbs:      share whose limbs and trunk are turned; of these, `legs` take a sitting, squatting, kneeling or
                one-knee-up pose, `bend` bend down at the hips, and each arm reaches somewhere else with chance `reach`.
    lie:        share laid down, tilted far, or (rarely) turned over.
    head, feet: shares whose head and feet turn on their own, within the limits of (yaw, pitch, roll) and of (plantar
                flexion, dorsiflexion, yaw).
    """

    recombine: float = 0.25
    limbs: float = 0.5
    legs: float = 0.35
    bend: float = 0.12
    reach: float = 0.2
    lie: float = 0.08
    head: float = 0.6
    feet: float = 0.5
    arm_deg: float = 24.0
    elbow_deg: float = 26.0
    thigh_deg: float = 11.0
    knee_deg: float = 13.0
    trunk_deg: float = 10.0
    neck_deg: float = 8.0
    head_limits_deg: tuple[float, float, float] = (70.0, 40.0, 30.0)
    foot_limits_deg: tuple[float, float, float] = (40.0, 25.0, 20.0)

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share between 0 and 1, not {getattr(self, name)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_deg") and min(value if isinstance(value, tuple) else (value,)) < 0:
                raise ValueError(f"{field.name} is not negative, unlike {value}")


def augment_motion(joints: Tensor, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    """All of it on a batch of windows: upper bodies go round among the windows, then everything is turned.

    joints: (B, N, J, 3) metres, z up, hands already turned (they follow the forearms). Returns new joints; the hip
    stays where it is. Bone lengths stay, but for an upper body's, which brings its own, and the neck's by some cm.
    """
    others = torch.randperm(len(joints), generator=generator, device=joints.device)
    figures = _figures(joints)
    _recombine(figures, figures, others, options.recombine, generator)
    _perturb(figures, options, generator)
    _turn_heads(figures, options, generator)
    _turn_soles(figures, options, generator)
    return _joints(figures)


def recombine(joints: Tensor, other: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the windows get the upper body of `other`, turned from its pelvis onto theirs. Both (B, N, J, 3)."""
    figures = _figures(joints)
    _recombine(figures, _figures(other), torch.arange(len(joints), device=joints.device), share, generator)
    return _joints(figures)


def perturb_limbs(joints: Tensor, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    """Limbs and trunk turned smoothly within anatomical limits, people sat and lain down. joints: (B, N, J, 3)."""
    figures = _figures(joints)
    _perturb(figures, options, generator)
    return _joints(figures)


def turn_head(joints: Tensor, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    """Heads turned on the neck, within limits seen from the chest. joints: (B, N, J, 3)."""
    figures = _figures(joints)
    _turn_heads(figures, options, generator)
    return _joints(figures)


def turn_feet(joints: Tensor, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    """Feet turned at the ankles, within limits seen from the shank. joints: (B, N, J, 3)."""
    figures = _figures(joints)
    _turn_soles(figures, options, generator)
    return _joints(figures)


def _figures(joints: Tensor) -> Tensor:
    """(B, N, J, 3) as (J, 3, B, N), always a copy."""
    return joints.permute(2, 3, 0, 1).clone(memory_format=torch.contiguous_format)


def _joints(figures: Tensor) -> Tensor:
    return figures.permute(2, 3, 0, 1).contiguous()


class _Dice:
    """Random numbers for some windows of a batch, all from one generator."""

    def __init__(self, windows: int, frames: int, generator: torch.Generator) -> None:
        self.windows, self.frames = windows, frames
        self.generator, self.device = generator, generator.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=self.generator, device=self.device)

    def happens(self, chance: float) -> Tensor:
        """(B, 1) of 0 and 1."""
        return (self.uniform(self.windows, 1) < chance).float()

    def curves(self, count: int) -> Tensor:
        """Smooth standard normal numbers: a constant, a slow and a faster part, mixed anew for each window.

        Keys lie 4 and 1.3 seconds apart at the training rate. Returns (count, B, N).
        """
        at = torch.arange(self.frames, device=self.device) + self.uniform(1, high=120.0)
        bases = [torch.ones(1, self.frames, device=self.device)]
        for spacing in (120, 40):
            keys = torch.arange(self.frames // spacing + 5, device=self.device)[:, None]
            reach = (at / spacing - keys).abs().clamp_max(1.0)
            bases.append(0.5 + 0.5 * (torch.pi * reach).cos())
        mix = self.uniform(self.windows, 3) + 0.05
        mix = mix / mix.norm(dim=1, keepdim=True)
        drawn = torch.zeros(count, self.windows, self.frames, device=self.device)
        for part, basis in enumerate(bases):
            keys = torch.randn(count, self.windows, len(basis), generator=self.generator, device=self.device)
            drawn += (keys * mix[:, part : part + 1]) @ basis
        return drawn

    def presence(self, chance: float, quickest: float = 6.0) -> Tensor:
        """How far a pose is taken (B, N), 0 to 1: never, all the time, or (two in five) gone into or out of.

        quickest: frames; four of them take the middle three quarters of the way.
        """
        frames = torch.arange(self.frames, device=self.device)
        middle = self.uniform(self.windows, 1, low=0.15, high=0.85) * self.frames
        pace = self.uniform(self.windows, 1, low=quickest, high=20.0) * (1.0 - 2.0 * self.happens(0.5))
        going = ((frames - middle) / pace).sigmoid()
        still = self.happens(0.6)
        return self.happens(chance) * torch.maximum(going, still) * self.uniform(self.windows, 1, low=0.85)


def _struck(windows: int, share: float, generator: torch.Generator) -> slice:
    """The windows that something happens to: just the share's number of them (rounded at random), side by side.

    The windows of a batch are drawn independently, so neighbours are as random as any, and a slice copies nothing.
    """
    spare, where = torch.rand(2, generator=generator, device=generator.device).tolist()
    count = min(math.floor(share * windows + spare), windows)
    first = math.floor(where * (windows - count + 1))
    return slice(first, first + count)


def _body_frame(figures: Tensor, up: Tensor) -> Frame:
    return frame(figures[_AT["left_hip"]] - figures[_AT["right_hip"]], up)


def _chest_frame(figures: Tensor) -> Frame:
    across = figures[_AT["left_shoulder"]] - figures[_AT["right_shoulder"]]
    return frame(across, figures[_AT["thorax"]] - figures[_AT["spine"]])


def _recombine(figures: Tensor, others: Tensor, which: Tensor, share: float, generator: torch.Generator) -> None:
    """In place; window i takes the upper body of others[:, :, which[i]]."""
    rows = _struck(figures.shape[2], share, generator)
    if rows.start == rows.stop:
        return
    lower, upper = figures[:, :, rows], others[:, :, which[rows]]
    hip = _AT["hip"]

    def pelvis(bodies: Tensor) -> Tensor:
        # Mostly the trunk's own direction, which also holds lying and upside down, and some of the vertical, so that
        # a good part of the upper body's own lean comes along.
        up = unit(bodies[_AT["thorax"]] - bodies[hip]) * 0.6
        up[2] += 0.4
        return torch.stack(_body_frame(bodies, up))

    # Rows of both frames are axes: the turn takes the one's axes onto the other's.
    turned = compose(pelvis(lower).transpose(0, 1), pelvis(upper))
    moved = apply(turned, upper[_UPPER] - upper[hip]) + lower[hip]
    for place, joint in enumerate(_UPPER):
        figures[joint][:, rows] = moved[place]


def _perturb(figures: Tensor, options: AugmentOptions, generator: torch.Generator) -> None:
    _, _, windows, frames = figures.shape
    rows = _struck(windows, options.limbs, generator)
    if rows.start < rows.stop:
        dice = _Dice(rows.stop - rows.start, frames, generator)
        bodies = figures[:, :, rows]
        pelvis = _body_frame(bodies, bodies[_AT["thorax"]] - bodies[_AT["hip"]])
        turns, flexion = _leg_turns(bodies, pelvis, options, dice)
        trunk, stoop = _trunk_turns(bodies, pelvis, flexion, options, dice)
        figures[:, :, rows] = pose(bodies, turns | trunk | _arm_turns(bodies, stoop, options, dice))
    rows = _struck(windows, options.lie, generator)
    if rows.start < rows.stop:
        figures[:, :, rows] = _lain_down(figures[:, :, rows], _Dice(rows.stop - rows.start, frames, generator))


def _leg_pose(dice: _Dice) -> tuple[Tensor, Tensor]:
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


def _leg_turns(bodies: Tensor, pelvis: Frame, options: AugmentOptions, dice: _Dice) -> tuple[dict[str, Tensor], Tensor]:
    """Turns of thighs and shanks, and how far the thighs are flexed then (the further side's angle, (B, N))."""
    left, up, front = pelvis
    angles, takes_part = _leg_pose(dice)
    taken = dice.presence(options.legs)
    wander = torch.deg2rad(dice.curves(8)).view(2, 4, dice.windows, dice.frames)
    turns: dict[str, Tensor] = {}
    flexed: list[Tensor] = []
    for side, name, sign in ((0, "left", 1.0), (1, "right", -1.0)):
        hip, knee, ankle = (bodies[_AT[f"{name}_{joint}"]] for joint in ("hip", "knee", "ankle"))
        thigh, shank = unit(knee - hip), unit(ankle - knee)
        share = taken * takes_part[side]
        ease = 1.0 - 0.5 * share
        out = sign * left
        own = torch.atan2(dot(thigh, front), -dot(thigh, up)), dot(thigh, out).clamp(-1.0, 1.0).asin()
        by = wander[side] * ease
        flexion = torch.lerp(own[0], angles[side, 0], share) + by[0] * options.thigh_deg
        abduction = torch.lerp(own[1], angles[side, 1], share) + by[1] * options.thigh_deg * 0.5
        flexion, abduction = _keep(flexion, own[0], -30, 125), _keep(abduction, own[1], -22, 70)
        twist = angles[side, 2] * share + by[2] * options.thigh_deg * 0.7
        goal = out * abduction.sin() + abduction.cos() * (front * flexion.sin() - up * flexion.cos())
        turns[f"{name}_thigh"] = compose(between(thigh, goal, left), turn(thigh, -sign * twist))
        axis, bend = hinge(thigh, shank, left)
        bent = torch.lerp(bend, angles[side, 3], share) + by[3] * options.knee_deg
        turns[f"{name}_shank"] = turn(axis, _limit(bent, 0, 150) - bend)
        flexed.append(flexion)
    return turns, torch.maximum(*flexed)


def _trunk_turns(
    bodies: Tensor, pelvis: Frame, flexion: Tensor, options: AugmentOptions, dice: _Dice
) -> tuple[dict[str, Tensor], Tensor]:
    """Turns of trunk, chest and neck, and how far the chest is bent forward (B, N) rad."""
    left, up, front = pelvis
    forward, aside, twist, *neck = torch.deg2rad(dice.curves(6))
    down = dice.presence(options.bend) * torch.deg2rad(dice.uniform(dice.windows, 1, low=25.0, high=95.0))
    stoop = _limit(forward * options.trunk_deg, -20, 40) + down
    # Thighs and belly stop the bending; one limit for the whole window, as running legs would shake the trunk.
    stoop = torch.minimum(stoop, (math.radians(130) - flexion.amax(1, keepdim=True)).clamp_min(0.0))
    vector = left * stoop + front * _limit(aside * options.trunk_deg * 0.7, -22, 22)
    vector = vector + up * _limit(twist * options.trunk_deg * 1.4, -40, 40)
    nod = torch.stack([_limit(angle * options.neck_deg, -20, 20) for angle in neck])
    chest = _chest_frame(bodies)
    turns = {
        "trunk": turn_vector(vector * 0.6),
        "chest": turn_vector(vector * 0.4),
        "neck": turn_vector(
            sum((axis * angle for axis, angle in zip(chest[1:], nod[1:], strict=True)), chest[0] * nod[0])
        ),
    }
    return turns, stoop


def _arm_turns(bodies: Tensor, stoop: Tensor, options: AugmentOptions, dice: _Dice) -> dict[str, Tensor]:
    """Turns of upper arms and forearms, worked out in the chest's frame; `stoop` (B, N): how far that bends forward."""
    left, up, front = _chest_frame(bodies)
    # Arms hang down from who bends down, more or less.
    hang = stoop.clamp_min(0.0) * dice.uniform(dice.windows, 1)
    cos, sin = hang.cos(), hang.sin()
    turns: dict[str, Tensor] = {}
    for name, sign in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow, wrist = (bodies[_AT[f"{name}_{joint}"]] for joint in ("shoulder", "elbow", "wrist"))
        upper, fore = unit(elbow - shoulder), unit(wrist - elbow)
        wander = dice.curves(5)
        out = sign * left
        o, u, f = dot(upper, out), dot(upper, up), dot(upper, front)
        u, f = u * cos + f * sin, f * cos - u * sin
        reach = dice.presence(options.reach, quickest=10.0)
        low = torch.tensor([-0.3, -1.0, -0.3], device=dice.device)[:, None, None]
        goal = unit(low + (1.0 - low) * dice.uniform(3, dice.windows, 1))
        swing = turn_vector(math.radians(options.arm_deg) * wander[:3])
        # Half-way between opposite directions the arm goes by the side.
        by_side = 2.4 * reach * (1.0 - reach)
        o, u, f = apply(swing, unit(torch.lerp(torch.stack([o + by_side, u, f]), goal, reach)))
        f = f.clamp_min(-0.55)
        # What would go through the chest goes round it in front; behind, the arm stays on its own side.
        inside = (0.05 - 0.55 * ((f + 0.1) * 2.0).clamp(0.0, 1.0) - o).clamp_min(0.0)
        o, f = o + inside, f + inside
        aim = unit(out * o + up * u + front * f)
        twist = _limit(torch.deg2rad(wander[3]) * options.arm_deg * 0.8, -45, 45)
        turns[f"{name}_arm"] = compose(between(upper, aim, front), turn(upper, twist))
        axis, bend = hinge(upper, fore, cross(upper, front + 0.5 * up - 0.3 * out))
        bent = _limit(bend + torch.deg2rad(wander[4]) * options.elbow_deg, 0, 150)
        turns[f"{name}_forearm"] = turn(axis, bent - bend)
    return turns


def _lain_down(bodies: Tensor, dice: _Dice) -> Tensor:
    """Whole bodies tilted about the hip: on the face, the back or a side, some while the camera watches."""
    hip = bodies[_AT["hip"]]
    middle = bodies[:, :, :, dice.frames // 2 : dice.frames // 2 + 1]
    up = torch.zeros_like(middle[0])
    up[2] = 1.0
    across = middle[_AT["left_hip"]] - middle[_AT["right_hip"]]
    across = across * (1.0 - up)
    left, up, front = frame(across, up)
    # Mostly about the hips' line: forward onto the face, backward onto the back; else sideways or in between.
    about = dice.uniform(dice.windows, 1, low=-0.35, high=0.35) + torch.pi * dice.happens(0.5)
    about = torch.where(dice.happens(0.35) > 0, dice.uniform(dice.windows, 1, high=2 * torch.pi), about)
    angle = torch.deg2rad(dice.uniform(dice.windows, 1, low=55.0, high=105.0))
    angle = torch.where(dice.happens(0.1) > 0, angle * 1.7, angle) * dice.presence(1.0)
    sway = torch.deg2rad(6.0 * dice.curves(1)[0])
    return apply(turn(left * about.cos() + front * about.sin(), angle + sway), bodies - hip) + hip


def _turn_heads(figures: Tensor, options: AugmentOptions, generator: torch.Generator) -> None:
    rows = _struck(figures.shape[2], options.head, generator)
    if rows.start == rows.stop:
        return
    dice = _Dice(rows.stop - rows.start, figures.shape[3], generator)
    points = CAPTURE.indices("nose", "head", "left_ear", "right_ear")
    bodies = figures[:, :, rows]
    nose, _, left_ear, right_ear = bodies[points]
    ears = (left_ear + right_ear) / 2
    chest = _chest_frame(bodies)
    across, _, ahead = frame(left_ear - right_ear, cross(nose - ears, left_ear - right_ear))
    yaw_limit, pitch_limit, roll_limit = options.head_limits_deg
    spread = dice.uniform(3, dice.windows, 1, low=0.15, high=0.75)
    yaw, pitch, roll = torch.deg2rad(dice.curves(3)) * spread
    tilt = dot(across, chest[1]).clamp(-1.0, 1.0).asin()
    level = turn(ahead, -(_limit(tilt + roll * roll_limit, -roll_limit, roll_limit) - tilt))
    aimed = _aim(ahead, chest, yaw * yaw_limit, pitch * pitch_limit, (yaw_limit, pitch_limit, pitch_limit))
    # The head sits on the neck half-way up to the ears.
    pivot = (bodies[_AT["thorax"]] + ears) / 2
    turned = apply(compose(aimed, level), bodies[points] - pivot) + pivot
    for place, joint in enumerate(points):
        figures[joint][:, rows] = turned[place]


def _turn_soles(figures: Tensor, options: AugmentOptions, generator: torch.Generator) -> None:
    rows = _struck(figures.shape[2], options.feet, generator)
    if rows.start == rows.stop:
        return
    dice = _Dice(rows.stop - rows.start, figures.shape[3], generator)
    across = figures[_AT["left_hip"]][:, rows] - figures[_AT["right_hip"]][:, rows]
    plantar, dorsal, yaw_limit = options.foot_limits_deg
    for name in ("left", "right"):
        hip, knee, ankle, heel, toe = (
            figures[_AT[f"{name}_{joint}"]][:, rows] for joint in ("hip", "knee", "ankle", "heel", "toe")
        )
        axis, _ = hinge(unit(knee - hip), unit(ankle - knee), across)
        shank = frame(axis, knee - ankle)
        spread = dice.uniform(2, dice.windows, 1, low=0.1, high=0.6)
        yaw, pitch = torch.deg2rad(dice.curves(2)) * spread
        turned = _aim(unit(toe - heel), shank, yaw * yaw_limit, pitch * plantar, (yaw_limit, plantar, dorsal))
        for joint, point in (("heel", heel), ("toe", toe)):
            figures[_AT[f"{name}_{joint}"]][:, rows] = apply(turned, point - ankle) + ankle


def _aim(ahead: Tensor, carrier: Frame, yaw: Tensor, pitch: Tensor, limits_deg: tuple[float, float, float]) -> Tensor:
    """The rotation that turns the unit direction `ahead` by yaw (leftwards) and pitch (down), as seen from the carrier.

    limits_deg: yaw to either side, pitch down and up, of where it looks then. Returns (3, 3, B, N).
    """
    left, up, front = carrier
    aside, down, back = limits_deg
    yaw_now = torch.atan2(dot(ahead, left), dot(ahead, front))
    pitch_now = -dot(ahead, up).clamp(-1.0, 1.0).asin()
    yaw_new = _limit(yaw_now + yaw, -aside, aside)
    pitch_new = _limit(pitch_now + pitch, -back, down)
    across = left * yaw_new.cos() - front * yaw_new.sin()
    return compose(turn(across, pitch_new - pitch_now), turn(up, yaw_new - yaw_now))


def _limit(angle: Tensor, low_deg: float, high_deg: float) -> Tensor:
    """Angles in radians held within limits in degrees."""
    return angle.clamp(math.radians(low_deg), math.radians(high_deg))


def _keep(angle: Tensor, own: Tensor, low_deg: float, high_deg: float) -> Tensor:
    """The same, where what the person does by itself is never out of limits: high kicks would jump back to them."""
    return angle.clamp(own.clamp_max(math.radians(low_deg)), own.clamp_min(math.radians(high_deg)))
