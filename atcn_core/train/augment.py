"""What people do beyond the takes at hand: bodies recombined, limbs, trunk, head and feet turned, people sat and lain
down. Batched torch on world joints (B, N, J, 3) in CAPTURE order, any device; no camera and no detector here."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..lift.predict import TRAINING_FPS
from ..skeleton import CAPTURE
from .bodies import neck_pivot
from .dice import Dice, struck
from .limbs import arm_turns, leg_turns, straightened, trunk_turns
from .turning import (
    AT,
    Frame,
    apply,
    body_frame,
    chest_frame,
    compose,
    cross,
    dot,
    frame,
    hinge,
    limit,
    pose,
    turn,
    unit,
)

__all__ = ["AugmentOptions", "augment_motion", "perturb_limbs", "recombine", "turn_feet", "turn_head"]

_UPPER = [
    i for i, j in enumerate(CAPTURE.joints) if j != "hip" and not j.endswith(("hip", "knee", "ankle", "heel", "toe"))
]

_SHARES = ("recombine", "straight", "limbs", "legs", "bend", "reach", "lie", "head", "feet")


@dataclass(frozen=True)
class AugmentOptions:
    """How often (shares of the windows) and how far (degrees, std unless said otherwise).

    recombine:  share with another window's upper body.
    straight:   share whose knees and elbows are straightened by up to straight_deg.
    limbs:      share whose limbs and trunk are turned; of these, `legs` take a sitting, squatting, kneeling or
                one-knee-up pose, `bend` bend down at the hips, and each arm reaches somewhere else with chance `reach`.
    lie:        share laid down, tilted far, or (rarely) turned over.
    head, feet: shares whose head and feet turn on their own, within the limits of (yaw, pitch, roll) and of (plantar
                flexion, dorsiflexion, yaw).
    fastest_m_s: windows in which a joint would then go faster than this about the hip, and faster than it went in the
                take, stay as they were: who whirls round upright cannot do so bent over.
    """

    recombine: float = 0.25
    straight: float = 0.6
    limbs: float = 0.5
    legs: float = 0.35
    bend: float = 0.12
    reach: float = 0.2
    lie: float = 0.08
    head: float = 0.6
    feet: float = 0.5
    straight_deg: float = 32.0
    arm_deg: float = 24.0
    elbow_deg: float = 26.0
    thigh_deg: float = 11.0
    knee_deg: float = 13.0
    trunk_deg: float = 10.0
    neck_deg: float = 8.0
    head_limits_deg: tuple[float, float, float] = (70.0, 40.0, 30.0)
    foot_limits_deg: tuple[float, float, float] = (40.0, 25.0, 20.0)
    fastest_m_s: float = 10.0

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share between 0 and 1, not {getattr(self, name)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith(("_deg", "_m_s")) and min(value if isinstance(value, tuple) else (value,)) < 0:
                raise ValueError(f"{field.name} is not negative, unlike {value}")


def augment_motion(
    joints: Tensor, known: Tensor, options: AugmentOptions, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """All of it on a batch of windows: upper bodies go round among the windows, then everything is turned.

    joints: (B, N, J, 3) metres, z up, at the training rate, hands already turned (they follow the forearms).
    known:  (B, J) bool, the joints that the windows' takes have.
    Returns new joints, and which of them are known, as upper bodies bring that along. The hip stays where it is. Bone
    lengths stay, but for an upper body's, which brings its own, and the neck's by some cm.
    """
    others = torch.randperm(len(joints), generator=generator, device=joints.device)
    figures = _figures(joints)
    rows = _recombine(figures, figures, others, options.recombine, generator)
    upper = torch.zeros_like(known[0])
    upper[_UPPER] = True
    mixed = known.clone()
    mixed[rows] = torch.where(upper, known[others[rows]], known[rows])
    _straighten(figures, options, generator)
    _perturb(figures, options, generator)
    _turn_heads(figures, options, generator, mixed)
    _turn_soles(figures, options, generator)
    made = _joints(figures)
    speed_m_s = _fastest_m_s(figures)
    suspects = (speed_m_s > options.fastest_m_s).nonzero().flatten()
    too_fast = suspects[speed_m_s[suspects] > _fastest_m_s(_figures(joints[suspects]))]
    made[too_fast], mixed[too_fast] = joints[too_fast], known[too_fast]
    return made, mixed


def _fastest_m_s(figures: Tensor) -> Tensor:
    """(B,): the speed of each window's fastest joint and frame, about the hip."""
    if figures.shape[3] < 2:
        return figures.new_zeros(figures.shape[2])
    about = figures - figures[AT["hip"]]
    step_m = (about[..., 1:] - about[..., :-1]).square_().sum(1).amax(dim=(0, 2)).sqrt()
    return step_m * TRAINING_FPS


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
    _turn_heads(figures, options, generator, torch.ones_like(joints[:, 0, :, 0], dtype=torch.bool))
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


def _recombine(figures: Tensor, others: Tensor, which: Tensor, share: float, generator: torch.Generator) -> slice:
    """In place; window i takes the upper body of others[:, :, which[i]], if it is among those returned."""
    rows = struck(figures.shape[2], share, generator)
    if rows.start == rows.stop:
        return rows
    lower, upper = figures[:, :, rows], others[:, :, which[rows]]
    hip = AT["hip"]

    def pelvis(bodies: Tensor) -> Tensor:
        # Mostly the trunk's own direction, which also holds lying and upside down, and some of the vertical, so that
        # a good part of the upper body's own lean comes along.
        up = unit(bodies[AT["thorax"]] - bodies[hip]) * 0.6
        up[2] += 0.4
        return torch.stack(body_frame(bodies, up))

    # Rows of both frames are axes: the turn takes the one's axes onto the other's.
    turned = compose(pelvis(lower).transpose(0, 1), pelvis(upper))
    moved = apply(turned, upper[_UPPER] - upper[hip]) + lower[hip]
    for place, joint in enumerate(_UPPER):
        figures[joint][:, rows] = moved[place]
    return rows


def _straighten(figures: Tensor, options: AugmentOptions, generator: torch.Generator) -> None:
    rows = struck(figures.shape[2], options.straight, generator)
    if rows.start < rows.stop:
        dice = Dice(rows.stop - rows.start, figures.shape[3], generator)
        figures[:, :, rows] = straightened(figures[:, :, rows], dice, options.straight_deg)


def _perturb(figures: Tensor, options: AugmentOptions, generator: torch.Generator) -> None:
    _, _, windows, frames = figures.shape
    rows = struck(windows, options.limbs, generator)
    if rows.start < rows.stop:
        dice = Dice(rows.stop - rows.start, frames, generator)
        bodies = figures[:, :, rows]
        pelvis = body_frame(bodies, bodies[AT["thorax"]] - bodies[AT["hip"]])
        legs, flexion = leg_turns(
            bodies, pelvis, dice, share=options.legs, thigh_deg=options.thigh_deg, knee_deg=options.knee_deg
        )
        trunk, stoop = trunk_turns(
            bodies, pelvis, flexion, dice, share=options.bend, trunk_deg=options.trunk_deg, neck_deg=options.neck_deg
        )
        arms = arm_turns(bodies, stoop, dice, share=options.reach, arm_deg=options.arm_deg, elbow_deg=options.elbow_deg)
        figures[:, :, rows] = pose(bodies, legs | trunk | arms)
    rows = struck(windows, options.lie, generator)
    if rows.start < rows.stop:
        figures[:, :, rows] = _lain_down(figures[:, :, rows], Dice(rows.stop - rows.start, frames, generator))


def _lain_down(bodies: Tensor, dice: Dice) -> Tensor:
    """Whole bodies tilted about the hip: on the face, the back or a side, some while the camera watches."""
    hip = bodies[AT["hip"]]
    middle = bodies[:, :, :, dice.frames // 2 : dice.frames // 2 + 1]
    up = torch.zeros_like(middle[0])
    up[2] = 1.0
    across = middle[AT["left_hip"]] - middle[AT["right_hip"]]
    across = across * (1.0 - up)
    left, up, front = frame(across, up)
    # Mostly about the hips' line: forward onto the face, backward onto the back; else sideways or in between.
    about = dice.uniform(dice.windows, 1, low=-0.35, high=0.35) + torch.pi * dice.happens(0.5)
    about = torch.where(dice.happens(0.35) > 0, dice.uniform(dice.windows, 1, high=2 * torch.pi), about)
    angle = torch.deg2rad(dice.uniform(dice.windows, 1, low=55.0, high=105.0))
    angle = torch.where(dice.happens(0.1) > 0, angle * 1.7, angle) * dice.presence(1.0)
    sway = torch.deg2rad(6.0 * dice.curves(1)[0])
    return apply(turn(left * about.cos() + front * about.sin(), angle + sway), bodies - hip) + hip


def _turn_heads(figures: Tensor, options: AugmentOptions, generator: torch.Generator, known: Tensor) -> None:
    """In place, where all of the head is known (B, J): without ears it has no direction to turn from."""
    rows = struck(figures.shape[2], options.head, generator)
    if rows.start == rows.stop:
        return
    dice = Dice(rows.stop - rows.start, figures.shape[3], generator)
    points = CAPTURE.indices("nose", "head", "left_ear", "right_ear")
    bodies = figures[:, :, rows]
    nose, _, left_ear, right_ear = bodies[points]
    ears = (left_ear + right_ear) / 2
    chest = chest_frame(bodies)
    across, _, ahead = frame(left_ear - right_ear, cross(nose - ears, left_ear - right_ear))
    yaw_limit, pitch_limit, roll_limit = options.head_limits_deg
    spread = dice.uniform(3, dice.windows, 1, low=0.15, high=0.75)
    yaw, pitch, roll = torch.deg2rad(dice.curves(3)) * spread
    tilt = dot(across, chest[1]).clamp(-1.0, 1.0).asin()
    level = turn(ahead, -(limit(tilt + roll * roll_limit, -roll_limit, roll_limit) - tilt))
    aimed = _aim(ahead, chest, yaw * yaw_limit, pitch * pitch_limit, (yaw_limit, pitch_limit, pitch_limit))
    pivot = neck_pivot(bodies[AT["thorax"]], left_ear, right_ear)
    turned = apply(compose(aimed, level), bodies[points] - pivot) + pivot
    whole = known[rows][:, points].all(dim=1)[:, None]
    for place, joint in enumerate(points):
        figures[joint][:, rows] = torch.where(whole, turned[place], bodies[joint])


def _turn_soles(figures: Tensor, options: AugmentOptions, generator: torch.Generator) -> None:
    rows = struck(figures.shape[2], options.feet, generator)
    if rows.start == rows.stop:
        return
    dice = Dice(rows.stop - rows.start, figures.shape[3], generator)
    across = figures[AT["left_hip"]][:, rows] - figures[AT["right_hip"]][:, rows]
    plantar, dorsal, yaw_limit = options.foot_limits_deg
    for name in ("left", "right"):
        hip, knee, ankle, heel, toe = (
            figures[AT[f"{name}_{joint}"]][:, rows] for joint in ("hip", "knee", "ankle", "heel", "toe")
        )
        axis, _ = hinge(unit(knee - hip), unit(ankle - knee), across)
        shank = frame(axis, knee - ankle)
        spread = dice.uniform(2, dice.windows, 1, low=0.1, high=0.6)
        yaw, pitch = torch.deg2rad(dice.curves(2)) * spread
        turned = _aim(unit(toe - heel), shank, yaw * yaw_limit, pitch * plantar, (yaw_limit, plantar, dorsal))
        for joint, point in (("heel", heel), ("toe", toe)):
            figures[AT[f"{name}_{joint}"]][:, rows] = apply(turned, point - ankle) + ankle


def _aim(ahead: Tensor, carrier: Frame, yaw: Tensor, pitch: Tensor, limits_deg: tuple[float, float, float]) -> Tensor:
    """The rotation that turns the unit direction `ahead` by yaw (leftwards) and pitch (down), as seen from the carrier.

    limits_deg: yaw to either side, pitch down and up, of where it looks then. Returns (3, 3, B, N).
    """
    left, up, front = carrier
    aside, down, back = limits_deg
    yaw_now = torch.atan2(dot(ahead, left), dot(ahead, front))
    pitch_now = -dot(ahead, up).clamp(-1.0, 1.0).asin()
    yaw_new = limit(yaw_now + yaw, -aside, aside)
    pitch_new = limit(pitch_now + pitch, -back, down)
    across = left * yaw_new.cos() - front * yaw_new.sin()
    return compose(turn(across, pitch_new - pitch_now), turn(up, yaw_new - yaw_now))
