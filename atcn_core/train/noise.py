"""What a 2D detector does to a true picture: other points by the same names, errors constant, slow and quick, limbs
gone astray, sides swapped, and joints it does not see. The sizes are those measured (docs/detector_noise.md)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from ..skeleton import CAPTURE, COCO_17, H36M_17, LIMB_12, MEDIAPIPE_33

__all__ = ["NoiseOptions", "disturb", "draw_visibility", "move_landmarks", "smooth_random"]

# Frames of the training rate between the key times of the slow and of the quick errors.
_DRIFT_FRAMES = 30
_WANDER_FRAMES = 8

_LIMBS = [
    CAPTURE.indices(*(f"{side}_{joint}" for joint in chain))
    for side in ("left", "right")
    for chain in (("elbow", "wrist", "index", "pinky"), ("knee", "ankle", "heel", "toe"))
]
# Joints that detectors place worse or better than the rest, as factors on the errors.
_HARD = {"nose": 0.8, "ear": 0.7, "elbow": 1.1, "heel": 1.2, "toe": 1.4}
# Where MediaPipe means another point than the joint: how far towards which other one, in metres.
_MEANT = [
    (CAPTURE.index(joint), CAPTURE.index(towards), metres)
    for joint, towards, metres in (
        ("nose", "left_ear", 0.014),
        ("nose", "right_ear", 0.014),
        ("left_ear", "right_ear", 0.020),
        ("right_ear", "left_ear", 0.020),
        *(
            (f"{side}_{joint}", f"{side}_{towards}", metres)
            for side in ("left", "right")
            for joint, towards, metres in (
                ("shoulder", "ear", 0.024),
                ("index", "wrist", 0.030),
                ("pinky", "wrist", 0.030),
                ("ankle", "knee", 0.017),
                ("heel", "toe", 0.027),
                ("toe", "heel", 0.030),
            )
        ),
    )
]
# The joint whose error the landmarks beyond it share: how much of it, and how much is left of their own.
_CARRIED = [
    (CAPTURE.index(f"{side}_{joint}"), CAPTURE.indices(*(f"{side}_{mark}" for mark in marks)), share, own)
    for side in ("left", "right")
    for joint, marks, share, own in (("wrist", ("index", "pinky"), 1.0, 0.6), ("ankle", ("heel", "toe"), 0.5, 0.9))
]
# Which joint sets the input comes in, and how often: the bundled detector's, Human3.6M's, COCO's, everything,
# the limbs alone.
_INPUT_SETS = (
    (MEDIAPIPE_33.joints, 0.70),
    (H36M_17.joints, 0.08),
    (COCO_17.joints, 0.08),
    (CAPTURE.joints, 0.06),
    (LIMB_12, 0.08),
)
# Groups of landmarks that some detectors lack and pictures hide.
_GROUPS = [
    CAPTURE.indices(*joints)
    for joints in (
        ("nose", "head", "left_ear", "right_ear"),
        ("left_index", "left_pinky", "right_index", "right_pinky"),
        ("left_heel", "left_toe", "right_heel", "right_toe"),
    )
]


@dataclass(frozen=True)
class NoiseOptions:
    """Standard deviations are in shares of the person's height in the picture; chances are for each window.

    bias: constant over a clip; drift: below about 1 Hz; wander: up to some Hz; jitter: from frame to frame, between
    the two given for each window (any size is as likely on a log scale): little after a detector that smooths,
    much after one that does not.
    level: log std of a factor on all errors of a window; clean: share of windows without any error.
    astray, astray_chance: how far and how often a whole limb is placed elsewhere for some frames.
    meant: how much of the measured difference in what is meant by a landmark's name, 0 to twice this at random.
    guess_arms, guess_legs: chance that an arm or leg is only guessed for a while; guess_chance: that any joint is.
    """

    bias: float = 0.007
    drift: float = 0.006
    wander: float = 0.010
    jitter: tuple[float, float] = (0.0005, 0.006)
    astray: float = 0.10
    astray_chance: float = 0.15
    meant: float = 0.7
    level: float = 0.6
    clean: float = 0.15
    swap_chance: float = 0.08
    joint_mask: float = 0.05
    frame_mask: float = 0.10
    limb_mask_chance: float = 0.3
    group_mask: float = 0.06
    guess_chance: float = 0.05
    guess_arms: float = 0.35
    guess_legs: float = 0.15
    drop_visibility: float = 0.2


def smooth_random(
    shape: tuple[int, ...], frames: int, generator: torch.Generator, device: torch.device, every: int = _DRIFT_FRAMES
) -> Tensor:
    """Slowly varying standard normal numbers: drawn every some frames, straight between. Returns (*shape, frames)."""
    keys = torch.randn(*shape, frames // every + 2, generator=generator, device=device)
    return F.interpolate(keys.flatten(0, -2)[None], size=frames, mode="linear", align_corners=True)[0].view(
        *shape, frames
    )


def _joint_factors(device: torch.device) -> Tensor:
    return torch.tensor([_HARD.get(j.split("_")[-1], 1.0) for j in CAPTURE.joints], device=device)


def _spans(chance: Tensor, frames: int, shortest: int, longest: int, generator: torch.Generator) -> Tensor:
    """One random stretch of frames where the chance strikes. chance: (...). Returns (..., frames) bool."""
    device = chance.device

    def uniform() -> Tensor:
        return torch.rand(chance.shape, generator=generator, device=device)

    struck = uniform() < chance
    length = shortest + uniform() * (longest - shortest)
    start = uniform() * frames - length / 2
    at = torch.arange(frames, device=device)
    return struck.unsqueeze(-1) & (at >= start.unsqueeze(-1)) & (at < (start + length).unsqueeze(-1))


def draw_visibility(
    batch: int, frames: int, options: NoiseOptions, generator: torch.Generator, *, any_set: bool = True
) -> Tensor:
    """What the detector claims to see: 0 no, 0.5 guessed, 1 yes. Returns (B, N, J).

    any_set: joints that other detectors than the bundled one lack are left out now and then.
    """
    device, joints = generator.device, len(CAPTURE)
    visible = torch.ones(batch, frames, joints, device=device)
    guess = torch.full((batch, joints), options.guess_chance, device=device)
    visible[_spans(guess, frames, 20, frames, generator).transpose(1, 2)] = 0.5
    for chain, chance in zip(_LIMBS, (options.guess_arms, options.guess_legs) * 2, strict=True):
        guessed = _spans(torch.full((batch,), chance, device=device), frames, 10, frames // 2, generator)
        visible[:, :, chain] = visible[:, :, chain].masked_fill(guessed.unsqueeze(-1), 0.5)
    once = torch.full((batch, joints), options.joint_mask, device=device)
    visible[_spans(once, frames, 1, frames, generator).transpose(1, 2)] = 0.0
    limb = torch.full((batch,), options.limb_mask_chance / len(_LIMBS), device=device)
    for chain in _LIMBS:
        hidden = _spans(limb, frames, 30, 90, generator)
        visible[:, :, chain] = visible[:, :, chain].masked_fill(hidden.unsqueeze(-1), 0.0)
    block = _spans(torch.full((batch, 3), options.frame_mask, device=device), frames, 1, 60, generator).any(1)
    visible[block] = 0.0
    for group in _GROUPS:
        visible[:, :, group] *= torch.rand(batch, 1, 1, generator=generator, device=device) >= options.group_mask
    return visible * _set_mask(batch, generator).unsqueeze(1) if any_set else visible


def _set_mask(batch: int, generator: torch.Generator) -> Tensor:
    """Which joints the input's own joint set has. Returns (B, J) of 0 and 1; "hip" wherever both hip joints are."""
    device = generator.device
    masks = torch.tensor(
        [[float(j in known or j == "hip") for j in CAPTURE.joints] for known, _ in _INPUT_SETS], device=device
    )
    share = torch.tensor([share for _, share in _INPUT_SETS], device=device)
    return masks[torch.multinomial(share, batch, replacement=True, generator=generator)]


def move_landmarks(points: Tensor, options: NoiseOptions, generator: torch.Generator) -> Tensor:
    """The points that the detector means by the joints' names. points: (B, N, J, 3) metres, any axes."""
    share = 2.0 * options.meant * torch.rand(len(points), len(_MEANT), generator=generator, device=points.device)
    moved = points.clone()
    for place, (joint, towards, metres) in enumerate(_MEANT):
        direction = F.normalize(points[:, :, towards] - points[:, :, joint], dim=-1)
        moved[:, :, joint] += (metres * share[:, place])[:, None, None] * direction
    return moved


def disturb(
    rays: Tensor, visibility: Tensor, height: Tensor, options: NoiseOptions, generator: torch.Generator
) -> Tensor:
    """Rays as the detector would give them.

    rays: (B, N, J, 2) true ray slopes; visibility: (B, N, J); height: (B,) the person's height in ray slopes.
    """
    batch, frames, joints, _ = rays.shape
    device = rays.device
    level = (torch.randn(batch, generator=generator, device=device) * options.level).exp()
    level = level * (torch.rand(batch, generator=generator, device=device) >= options.clean)
    unit = (level * height)[:, None, None, None]
    bias = torch.randn(batch, 1, joints, 2, generator=generator, device=device) * options.bias
    drift = smooth_random((batch, joints, 2), frames, generator, device) * options.drift
    drift += smooth_random((batch, joints, 2), frames, generator, device, _WANDER_FRAMES) * options.wander
    least, most = options.jitter
    shake = least * (most / least) ** torch.rand(batch, 1, 1, 1, generator=generator, device=device)
    jitter = torch.randn(batch, frames, joints, 2, generator=generator, device=device) * shake
    # What is only guessed is placed worse.
    worse = torch.where(visibility == 0.5, 2.5, 1.0).unsqueeze(-1) * _joint_factors(device)[:, None]
    errors = (bias + drift.movedim(-1, 1) + jitter) * worse
    for carrier, carried, share, own in _CARRIED:
        # A hand that is taken for elsewhere is so with its knuckles, a foot in part with heel and toe.
        errors[:, :, carried] = own * errors[:, :, carried] + share * errors[:, :, carrier, None]
    for chain in _LIMBS:
        strays = _spans(torch.full((batch,), options.astray_chance, device=device), frames, 2, 15, generator)
        place = torch.randn(batch, 1, 1, 2, generator=generator, device=device) * options.astray
        errors[:, :, chain] += strays[:, :, None, None] * place
    noisy = rays + errors * unit
    swapped = _spans(torch.full((batch,), options.swap_chance, device=device), frames, 2, 30, generator)
    return torch.where(swapped[..., None, None], noisy[:, :, list(CAPTURE.mirror)], noisy)
