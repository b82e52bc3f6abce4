"""Random bodies of human proportions for captured motion, and random hands. Batched torch, any device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..skeleton import CAPTURE, mirrored_name

__all__ = ["BodyOptions", "draw_bone_lengths", "neck_pivot", "reshape_bodies", "turn_hands"]

# Bone lengths of a person of 1.72 m, by the bone's lower joint, in metres; both sides are alike.
_HUMAN_M = {
    "spine": 0.25,
    "thorax": 0.26,
    "nose": 0.20,
    "head": 0.26,
    "left_ear": 0.125,
    "left_shoulder": 0.175,
    "left_elbow": 0.285,
    "left_wrist": 0.255,
    "left_index": 0.095,
    "left_pinky": 0.088,
    "left_hip": 0.105,
    "left_knee": 0.42,
    "left_ankle": 0.415,
    "left_heel": 0.085,
    "left_toe": 0.175,
}
_TWIN_FIRST = [
    min(i, CAPTURE.mirror[i]) for i in range(len(CAPTURE))
]  # both sides of a body take the same random numbers

_THORAX = CAPTURE.index("thorax")
_HEAD = CAPTURE.indices("nose", "head", "left_ear", "right_ear")
_LEAST_M = 0.01  # a shorter bone is none
_NECK_RANGE = (0.7, 1.4)  # how much more or less than all of neck and head the neck alone may grow


@dataclass(frozen=True)
class BodyOptions:
    """How bodies vary: size (log std of the whole body), bone (log std of each bone), human (share of bodies whose
    bones are drawn about the human mean instead of about the source's own)."""

    size: float = 0.06
    bone: float = 0.06
    human: float = 0.6


def draw_bone_lengths(own_m: Tensor, options: BodyOptions, generator: torch.Generator) -> Tensor:
    """own_m: (B, J) the source body's bone lengths (0 at the root). Returns (B, J) lengths of new bodies, metres."""
    batch, joints = own_m.shape
    device = own_m.device
    human_m = torch.tensor(
        [_HUMAN_M.get(j, _HUMAN_M.get(mirrored_name(j), 0.0)) for j in CAPTURE.joints], device=device
    )
    is_human = torch.rand(batch, 1, generator=generator, device=device) < options.human
    base = torch.where(is_human, human_m.expand_as(own_m), own_m)
    bone = torch.randn(batch, joints, generator=generator, device=device)[:, _TWIN_FIRST] * options.bone
    size = torch.randn(batch, 1, generator=generator, device=device) * options.size
    return base * (bone + size).exp()


def reshape_bodies(joints_world: Tensor, lengths_m: Tensor) -> Tensor:
    """The same bone directions on other bone lengths; the root stays. joints_world: (B, N, J, 3); lengths_m: (B, J).

    The head is one rigid piece on a neck, however it is turned: each has one scale for the window, the neck as befits
    the two together, the head that of nose to ear.
    """
    placed: list[Tensor] = [joints_world[:, :, 0]] * len(CAPTURE)
    for joint in CAPTURE.order:
        parent = CAPTURE.parent_indices[joint]
        if joint in _HEAD:
            continue
        if parent < 0:
            placed[joint] = joints_world[:, :, joint]
            continue
        bone = joints_world[:, :, joint] - joints_world[:, :, parent]
        scale = lengths_m[:, joint, None, None] / bone.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        placed[joint] = placed[parent] + bone * scale
    thorax, head = joints_world[:, :, _THORAX], joints_world[:, :, _HEAD]
    pivot = neck_pivot(thorax, *head[:, :, -2:].unbind(2))
    neck_scale, head_scale = _head_scales(thorax, pivot, head, lengths_m)
    new_pivot = placed[_THORAX] + neck_scale * (pivot - thorax)
    for place, joint in enumerate(_HEAD):
        placed[joint] = new_pivot + head_scale * (head[:, :, place] - pivot)
    return torch.stack(placed, dim=2)


def neck_pivot(thorax: Tensor, left_ear: Tensor, right_ear: Tensor) -> Tensor:
    """Where the head turns on the neck: half-way up to the ears."""
    return (thorax + (left_ear + right_ear) / 2) / 2


def _head_scales(thorax: Tensor, pivot: Tensor, head: Tensor, lengths_m: Tensor) -> tuple[Tensor, Tensor]:
    """The scales of neck and head, (B, 1, 1), from lengths that a window's frames have in the mean.

    The head's is that of nose and ears; the neck's brings its top to the right length from the thorax, within reason.
    A head without ears (they stand in at the nose) is one piece with the neck.
    """
    nose, top, left_ear, right_ear = head.unbind(2)
    lines = torch.stack([top - thorax, pivot - thorax, nose - left_ear, nose - right_ear])
    height_m, neck_m, left_m, right_m = lines.norm(dim=-1).mean(2)
    ears_m = (left_m + right_m).clamp_min(_LEAST_M)
    wanted_m = lengths_m[:, _HEAD[1]]
    whole = wanted_m / height_m.clamp_min(_LEAST_M)
    head_scale = torch.where(ears_m > _LEAST_M, lengths_m[:, _HEAD[2:]].sum(1) / ears_m, whole)
    low, high = (factor * whole for factor in _NECK_RANGE)
    neck_scale = (wanted_m - head_scale * (height_m - neck_m)) / neck_m.clamp_min(_LEAST_M)
    neck_scale = torch.where(ears_m > _LEAST_M, neck_scale.clamp(low, high), whole)
    return neck_scale[:, None, None], head_scale[:, None, None]


def turn_hands(joints_world: Tensor, forearms: Tensor, angles_rad: Tensor) -> Tensor:
    """Hands turned at the wrists, on top of the forearms' own turn.

    joints_world: (B, N, J, 3); forearms: (B, N, 2, 3, 3) turn from the T-pose, left and right;
    angles_rad: (B, N, 2, 3), twist about the forearm, flexion, deviation.
    """
    turned = joints_world.clone()
    cos, sin = angles_rad.cos(), angles_rad.sin()
    for side, name in enumerate(("left", "right")):
        wrist = joints_world[:, :, CAPTURE.index(f"{name}_wrist")]
        for knuckle in ("index", "pinky"):
            joint = CAPTURE.index(f"{name}_{knuckle}")
            local = ((joints_world[:, :, joint] - wrist).unsqueeze(-2) @ forearms[:, :, side]).squeeze(-2)
            x, y, z = local.unbind(-1)
            # In the T-pose the forearm lies along x and the palm faces down: twist about x, flexion about y,
            # deviation about z, the hand's own turns first.
            c, s = cos[:, :, side, 2], sin[:, :, side, 2]
            x, y = c * x - s * y, s * x + c * y
            c, s = cos[:, :, side, 1], sin[:, :, side, 1]
            x, z = c * x + s * z, c * z - s * x
            c, s = cos[:, :, side, 0], sin[:, :, side, 0]
            y, z = c * y - s * z, s * y + c * z
            vector = torch.stack([x, y, z], dim=-1).unsqueeze(-2) @ forearms[:, :, side].transpose(-1, -2)
            turned[:, :, joint] = wrist + vector.squeeze(-2)
    return turned
