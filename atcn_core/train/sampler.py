"""Training windows made on the device: motion, body, virtual camera, detector.

Clips are drawn independently of each other; a clip somewhat longer than a window gives several windows, each with a
target frame of its own, because making the clip costs more than cutting it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..lift.normalisation import normalise_windows, turn_to_axis
from ..lift.predict import TRAINING_FPS
from ..skeleton import CAPTURE
from .augment import AugmentOptions, augment_motion
from .bodies import BodyOptions, draw_bone_lengths, reshape_bodies, turn_hands
from .datasets import DatasetTake
from .mocap import Take
from .noise import NoiseOptions, disturb, draw_visibility, move_landmarks, smooth_random

__all__ = [
    "CLEAN_VIEW",
    "DETECTOR_VIEW",
    "Batch",
    "CameraOptions",
    "Clips",
    "MotionBank",
    "SampleOptions",
    "WindowSampler",
]

# Nearer than this no target is asked for: half of the body is behind the camera.
_NEAREST_M = 1.0


@dataclass(frozen=True)
class CameraOptions:
    """Virtual cameras: angles in degrees (mean, std), field of view and distance as ranges.

    steep_roll: share of cameras that are held askew (roll std 35 degrees).
    focal_error: log std of the assumed over the true focal length; the focal length of found video is a guess.
    aside: how far the person stands from the picture's centre, as a share of the half picture.
    """

    fov_deg: tuple[float, float] = (30.0, 90.0)
    pitch_deg: tuple[float, float] = (5.0, 22.0)
    roll_deg: tuple[float, float] = (0.0, 8.0)
    steep_roll: float = 0.25
    distance_m: tuple[float, float] = (1.8, 12.0)
    focal_error: float = 0.2
    aside: float = 0.5


@dataclass(frozen=True)
class SampleOptions:
    """All that is random about a window; None switches a part off."""

    camera: CameraOptions = field(default_factory=CameraOptions)
    body: BodyOptions | None = field(default_factory=BodyOptions)
    noise: NoiseOptions | None = field(default_factory=NoiseOptions)
    speed: tuple[float, float] = (0.5, 2.0)
    mirror: bool = True
    hands_deg: tuple[float, float, float] = (45.0, 25.0, 12.0)
    augment: AugmentOptions | None = field(default_factory=AugmentOptions)
    short_clips: float = 0.35


# For scoring: true pictures of the sources' own bodies at their own speed, camera known.
CLEAN_VIEW = SampleOptions(
    camera=CameraOptions(focal_error=0.0, steep_roll=0.0),
    body=None,
    noise=None,
    speed=(1.0, 1.0),
    mirror=False,
    hands_deg=(0.0, 0.0, 0.0),
    augment=None,
    short_clips=0.0,
)


# The same with all that a detector does wrong.
DETECTOR_VIEW = SampleOptions(body=None, augment=None)


@dataclass(frozen=True)
class Batch:
    """inputs: (B, N, J, 3) network input; poses: (B, J, 3) metres about the root, in the turned camera axes.

    context: (B, N / 3, J, 3), the poses of every third frame, each about its own root, in the same axes: the frames
    in the middle of the network's blocks of three (causal: at their ends). depth: (B,) the root's distance, metres.
    known: (B, J) bool; joints that the take lacks are False: `poses` and `context` hold stand-ins there, not truth.
    """

    inputs: Tensor
    poses: Tensor
    context: Tensor
    depth: Tensor
    known: Tensor
    causal: bool


@dataclass(frozen=True)
class Clips:
    """Stretches of motion and what the detector made of them.

    points_cam: (B, T, J, 3) metres; rays: (B, T, J, 2) with the detector's errors; visibility: (B, T, J);
    known: (B, J) bool, the joints that the take has; first, last: (B,) the frames the clip really has; anchor: the
    frame it was drawn about.
    """

    points_cam: Tensor
    rays: Tensor
    visibility: Tensor
    known: Tensor
    first: Tensor
    last: Tensor
    anchor: int


class MotionBank:
    """All takes of a split end to end on one device. `known` (takes, J): the joints that each of them has."""

    def __init__(self, takes: Sequence[Take], device: torch.device) -> None:
        self.joints = torch.cat([torch.from_numpy(take.joints_world) for take in takes]).to(device)
        self.forearms = torch.cat([torch.from_numpy(take.forearms) for take in takes]).to(device)
        lengths = torch.tensor([len(take.joints_world) for take in takes], device=device)
        self.lengths = lengths
        everything = np.ones(len(CAPTURE), dtype=bool)
        seen = np.stack([take.seen if isinstance(take, DatasetTake) else everything for take in takes])
        self.known = torch.from_numpy(seen).to(device)
        self.starts = torch.cumsum(lengths, 0) - lengths
        self.frames_per_step = torch.tensor([take.fps / TRAINING_FPS for take in takes], device=device)
        parents = torch.tensor([max(p, 0) for p in CAPTURE.parent_indices], device=device)
        self.bone_lengths_m = torch.stack(
            [
                (self.joints[s : s + n] - self.joints[s : s + n][:, parents]).norm(dim=-1).median(dim=0).values
                for s, n in zip(self.starts.tolist(), lengths.tolist(), strict=True)
            ]
        )

    @property
    def described(self) -> str:
        """How much motion it holds, in words."""
        seconds = (self.lengths / (self.frames_per_step * TRAINING_FPS)).sum().item()
        return f"{len(self.lengths)} takes, {seconds / 60:.1f} minutes"

    def draw_takes(self, batch: int, generator: torch.Generator) -> Tensor:
        """(B,) take indices, drawn by length; short takes are raised a little, as they hold the rarer poses."""
        weight = self.lengths.float() ** 0.8
        return torch.multinomial(weight, batch, replacement=True, generator=generator)


class WindowSampler:
    """Draws batches of windows. One generator makes the whole stream reproducible."""

    def __init__(
        self, bank: MotionBank, options: SampleOptions, *, frames: int, target: int, generator: torch.Generator
    ) -> None:
        self.bank, self.options = bank, options
        self.frames, self.target = frames, target
        self.generator, self.device = generator, generator.device

    def _uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=self.generator, device=self.device)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def draw(self, batch: int) -> Batch:
        """A batch of independent windows."""
        clips = self.draw_clips(batch)
        return self.cut(clips, torch.full((batch,), clips.anchor, device=self.device))

    def draw_clips(self, batch: int, spread: int = 0) -> Clips:
        """Clips whose targets may lie up to `spread` frames before and after the anchor frame."""
        takes = self.bank.draw_takes(batch, self.generator)
        joints, first, last, anchor = self._motion(takes, spread)
        known = self.bank.known[takes]
        if self.options.augment is not None:
            joints, known = augment_motion(joints, known, self.options.augment, self.generator)
        if self.options.body is not None:
            lengths = draw_bone_lengths(self.bank.bone_lengths_m[takes], self.options.body, self.generator)
            joints = reshape_bodies(joints, lengths)
        if self.options.mirror:
            twins = list(CAPTURE.mirror)
            flips = self._uniform(batch, 1, 1, 1) < 0.5
            joints = torch.where(flips, joints[:, :, twins] * joints.new_tensor([-1.0, 1.0, 1.0]), joints)
            known = torch.where(flips[:, 0, 0], known[:, twins], known)
        points_cam, focal_guess, picture = self._camera(joints, anchor)
        rays, visibility = self._picture(points_cam, known, anchor, focal_guess, picture)
        return Clips(points_cam, rays, visibility, known, first, last, anchor)

    def draw_targets(self, clips: Clips) -> Tensor:
        """(B,) one target frame for each clip, anywhere in its reach."""
        spread = clips.anchor - self.target
        low = torch.maximum(clips.first, torch.full_like(clips.first, clips.anchor - spread))
        high = torch.minimum(clips.last, torch.full_like(clips.last, clips.anchor + spread))
        targets = low + ((high - low + 1) * self._uniform(len(low))).long()
        depth = clips.points_cam[torch.arange(len(targets), device=self.device), targets, 0, 2]
        return torch.where(depth < _NEAREST_M, clips.anchor, targets)

    def cut(self, clips: Clips, targets: Tensor) -> Batch:
        """The windows about `targets` (B,). Beyond a clip's ends its first and last pictures are repeated."""
        rows = torch.arange(len(targets), device=self.device)[:, None]
        offsets = torch.arange(self.frames, device=self.device) - self.target
        frames = torch.minimum(torch.maximum(targets[:, None] + offsets, clips.first[:, None]), clips.last[:, None])
        windows = normalise_windows(clips.rays[rows, frames], clips.visibility[rows, frames], self.target, root=0)
        root = clips.points_cam[rows[:, 0], targets, 0]
        turn = turn_to_axis(root[:, :2] / root[:, 2:]).transpose(1, 2)
        causal = self.target == self.frames - 1
        around = clips.points_cam[rows, frames[:, 2 if causal else 1 :: 3]]
        context = (around - around[:, :, :1]) @ turn[:, None]
        target_cam = clips.points_cam[rows[:, 0], targets]
        poses = (target_cam - target_cam[:, :1]) @ turn
        return Batch(windows.inputs, poses, context, root.norm(dim=-1), clips.known, causal)

    def cut_pairs(self, clips: Clips, targets: Tensor) -> Batch:
        """The windows about `targets` (B,), then those about the frames after them.

        At a clip's last frame the two are the same.
        """
        after = torch.minimum(targets + 1, clips.last)
        now, then = self.cut(clips, targets), self.cut(clips, after)
        fields = ("inputs", "poses", "context", "depth", "known")
        return Batch(*(torch.cat([getattr(now, f), getattr(then, f)]) for f in fields), causal=now.causal)

    def _motion(self, takes: Tensor, spread: int) -> tuple[Tensor, Tensor, Tensor, int]:
        """Joints (B, T, J, 3) about a random frame, the first and last frame the clip has (B,), and the anchor."""
        bank, batch = self.bank, len(takes)
        low, high = self.options.speed
        speed = torch.exp(self._uniform(batch, low=0.0, high=1.0) * torch.log(torch.tensor(high / low))) * low
        step = bank.frames_per_step[takes] * speed
        length = bank.lengths[takes]
        centre = self._uniform(batch) * (length - 1)
        anchor, count = self.target + spread, self.frames + 2 * spread
        # The take's own ends, or nearer ones: many real clips are shorter than a window.
        before, after = centre / step, (length - 1 - centre) / step
        short = self._uniform(batch) < self.options.short_clips
        reach = self._uniform(batch, low=5.0, high=float(self.frames))
        before = torch.where(short, torch.minimum(before, reach * self._uniform(batch)), before)
        after = torch.where(short, torch.minimum(after, reach * self._uniform(batch)), after)
        before, after = before.floor().clamp_max(anchor), after.floor().clamp_max(count - 1 - anchor)
        offset = torch.arange(count, device=self.device) - anchor
        at = centre[:, None] + torch.minimum(torch.maximum(offset, -before[:, None]), after[:, None]) * step[:, None]
        base = at.floor().clamp_min(0)
        base = torch.minimum(base, (length - 2).clamp_min(0)[:, None].float())
        share = (at - base)[..., None, None]
        index = bank.starts[takes][:, None] + base.long()
        joints = torch.lerp(bank.joints[index], bank.joints[index + 1], share)
        if any(self.options.hands_deg):
            std = torch.deg2rad(joints.new_tensor(self.options.hands_deg))
            angles = self._normal(batch, 1, 2, 3) * 0.7 + 0.7 * smooth_random(
                (batch, 2, 3), count, self.generator, self.device
            ).movedim(-1, 1)
            joints = turn_hands(joints, bank.forearms[index], angles * std)
        return joints, (anchor - before).long(), (anchor + after).long(), anchor

    def _camera(self, joints: Tensor, anchor: int) -> tuple[Tensor, Tensor, Tensor]:
        """Points in camera axes, the focal length's guess over its truth, and the picture's half size in slopes."""
        options, batch = self.options.camera, len(joints)
        yaw = self._uniform(batch, high=2 * torch.pi)
        pitch = torch.deg2rad(options.pitch_deg[0] + options.pitch_deg[1] * self._normal(batch))
        steep = self._uniform(batch) < options.steep_roll
        roll_std = torch.where(steep, 35.0, options.roll_deg[1])
        roll = torch.deg2rad(options.roll_deg[0] + roll_std * self._normal(batch))
        low, high = options.distance_m
        distance = low * (high / low) ** self._uniform(batch)
        half_fov = torch.deg2rad(self._uniform(batch, low=options.fov_deg[0], high=options.fov_deg[1])) / 2
        half_long = half_fov.tan()
        half_short = half_long * self._uniform(batch, low=0.5625, high=1.0)
        portrait = self._uniform(batch) < 0.5
        half = torch.stack(
            [torch.where(portrait, half_short, half_long), torch.where(portrait, half_long, half_short)], -1
        )
        rotation = _cam_from_world(yaw, pitch.clamp(-1.5, 1.5), roll)
        root = joints[:, anchor, 0]
        points = (joints - root[:, None, None]) @ rotation.transpose(1, 2)[:, None]
        aside = self._uniform(batch, 2, low=-1.0, high=1.0) * options.aside * half * distance[:, None]
        points = points + torch.cat([aside, distance[:, None]], -1)[:, None, None]
        guess = (self._normal(batch) * options.focal_error).exp()
        return points, guess, half

    def _picture(
        self, points_cam: Tensor, known: Tensor, anchor: int, guess: Tensor, half: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Rays (B, T, J, 2) as the detector and the guessed focal length give them, and visibility (B, T, J)."""
        batch, frames, joints, _ = points_cam.shape
        noise = self.options.noise
        points = points_cam if noise is None else move_landmarks(points_cam, noise, self.generator)
        rays = points[..., :2] / points[..., 2:].clamp_min(0.2)
        if noise is None:
            visibility = torch.ones(batch, frames, joints, device=self.device)
            # What no detector of ours gives stays hidden, so that scores are those of real use.
            for joint in ("spine", "thorax", "head"):
                visibility[:, :, CAPTURE.index(joint)] = 0.0
        else:
            visibility = draw_visibility(batch, frames, noise, self.generator)
            outside = (rays.abs() > half[:, None, None]).any(-1)
            # Detectors still guess a little beyond the border, some of the time.
            guessed = self._uniform(batch, 1, 1) < 0.5
            visibility = torch.where(outside, torch.where(guessed, visibility.clamp_max(0.5), 0.0), visibility)
            rays = disturb(rays, visibility, 1.7 / points_cam[:, anchor, 0, 2], noise, self.generator)
            certain = self._uniform(batch, 1, 1) < noise.drop_visibility
            visibility = torch.where(certain & (visibility > 0), 1.0, visibility)
        visibility = visibility * ((points_cam[..., 2] > 0.3) & known[:, None])
        return _derive_hip(rays * guess[:, None, None, None], visibility)


def _derive_hip(rays: Tensor, visibility: Tensor) -> tuple[Tensor, Tensor]:
    """The hip as at use: the middle of the two hip joints in the picture, as sure as the less sure of them."""
    sides = CAPTURE.indices("left_hip", "right_hip")
    hip = CAPTURE.index("hip")
    rays, visibility = rays.clone(), visibility.clone()
    rays[:, :, hip] = rays[:, :, sides].mean(2)
    visibility[:, :, hip] = visibility[:, :, sides].amin(2)
    return rays, visibility


def _cam_from_world(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Camera axes (x right, y down, z forward) of cameras in a z-up world. Angles: (B,) rad. Returns (B, 3, 3)."""
    zero = torch.zeros_like(yaw)
    forward = torch.stack([pitch.cos() * yaw.sin(), pitch.cos() * yaw.cos(), -pitch.sin()], -1)
    right = torch.stack([yaw.cos(), -yaw.sin(), zero], -1)
    down = torch.linalg.cross(forward, right)
    c, s = roll.cos()[:, None], roll.sin()[:, None]
    return torch.stack([c * right + s * down, c * down - s * right, forward], dim=1)
