"""Training windows made on the device: motion, body, virtual camera, detector. Each window is drawn independently."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..lift.normalisation import normalise_windows, turn_to_axis
from ..lift.predict import TRAINING_FPS
from ..skeleton import CAPTURE
from .bodies import BodyOptions, draw_bone_lengths, reshape_bodies, turn_hands
from .mocap import Take
from .noise import NoiseOptions, disturb, draw_visibility, smooth_random

__all__ = ["CLEAN_VIEW", "Batch", "CameraOptions", "MotionBank", "SampleOptions", "WindowSampler"]


@dataclass(frozen=True)
class CameraOptions:
    """Virtual cameras: angles in degrees (mean, std), field of view and distance as ranges.

    steep_roll: share of cameras that are held askew (roll std 40 degrees).
    focal_error: log std of the assumed over the true focal length; the focal length of found video is a guess.
    aside: how far the person stands from the picture's centre, as a share of the half picture.
    """

    fov_deg: tuple[float, float] = (30.0, 90.0)
    pitch_deg: tuple[float, float] = (5.0, 22.0)
    roll_deg: tuple[float, float] = (0.0, 7.5)
    steep_roll: float = 0.12
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
    short_clips: float = 0.35


# For scoring: true pictures of the sources' own bodies at their own speed, camera known.
CLEAN_VIEW = SampleOptions(
    camera=CameraOptions(focal_error=0.0, steep_roll=0.0),
    body=None,
    noise=None,
    speed=(1.0, 1.0),
    mirror=False,
    hands_deg=(0.0, 0.0, 0.0),
    short_clips=0.0,
)


@dataclass(frozen=True)
class Batch:
    """inputs: (B, N, J, 3) network input; poses: (B, J, 3) metres about the root, in the turned camera axes."""

    inputs: Tensor
    poses: Tensor


class MotionBank:
    """All takes of a split end to end on one device."""

    def __init__(self, takes: list[Take], device: torch.device) -> None:
        self.joints = torch.cat([torch.from_numpy(take.joints_world) for take in takes]).to(device)
        self.forearms = torch.cat([torch.from_numpy(take.forearms) for take in takes]).to(device)
        lengths = torch.tensor([len(take.joints_world) for take in takes], device=device)
        self.lengths = lengths
        self.starts = torch.cumsum(lengths, 0) - lengths
        self.frames_per_step = torch.tensor([take.fps / TRAINING_FPS for take in takes], device=device)
        parents = torch.tensor([max(p, 0) for p in CAPTURE.parent_indices], device=device)
        self.bone_lengths_m = torch.stack(
            [
                (self.joints[s : s + n] - self.joints[s : s + n][:, parents]).norm(dim=-1).median(dim=0).values
                for s, n in zip(self.starts.tolist(), lengths.tolist(), strict=True)
            ]
        )

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
        takes = self.bank.draw_takes(batch, self.generator)
        joints, steps = self._motion(takes)
        if self.options.body is not None:
            lengths = draw_bone_lengths(self.bank.bone_lengths_m[takes], self.options.body, self.generator)
            joints = reshape_bodies(joints, lengths)
        if self.options.mirror:
            flipped = joints[:, :, list(CAPTURE.mirror)] * joints.new_tensor([-1.0, 1.0, 1.0])
            joints = torch.where(self._uniform(batch, 1, 1, 1) < 0.5, flipped, joints)
        points_cam, focal_guess, picture = self._camera(joints)
        return self._picture(points_cam, focal_guess, picture, steps)

    def _motion(self, takes: Tensor) -> tuple[Tensor, Tensor]:
        """Joints (B, N, J, 3) about a random target frame, and the window's frames clipped to the clip (B, N)."""
        bank, batch = self.bank, len(takes)
        low, high = self.options.speed
        speed = torch.exp(self._uniform(batch, low=0.0, high=1.0) * torch.log(torch.tensor(high / low))) * low
        step = bank.frames_per_step[takes] * speed
        length = bank.lengths[takes]
        centre = self._uniform(batch) * (length - 1)
        offset = torch.arange(self.frames, device=self.device) - self.target
        # The clip's own ends, or nearer ones: many real clips are shorter than a window.
        before, after = centre / step, (length - 1 - centre) / step
        short = self._uniform(batch) < self.options.short_clips
        reach = self._uniform(batch, low=5.0, high=float(self.frames))
        before = torch.where(short, torch.minimum(before, reach * self._uniform(batch)), before)
        after = torch.where(short, torch.minimum(after, reach * self._uniform(batch)), after)
        clipped = torch.minimum(torch.maximum(offset, -before.floor()[:, None]), after.floor()[:, None])
        at = centre[:, None] + clipped * step[:, None]
        first = at.floor().clamp_min(0)
        first = torch.minimum(first, (length - 2).clamp_min(0)[:, None].float())
        share = (at - first)[..., None, None]
        index = bank.starts[takes][:, None] + first.long()
        joints = torch.lerp(bank.joints[index], bank.joints[index + 1], share)
        if any(self.options.hands_deg):
            std = torch.deg2rad(joints.new_tensor(self.options.hands_deg))
            angles = self._normal(batch, 1, 2, 3) * 0.7 + 0.7 * smooth_random(
                (batch, 2, 3), self.frames, self.generator, self.device
            ).movedim(-1, 1)
            joints = turn_hands(joints, bank.forearms[index], angles * std)
        return joints, (clipped + self.target).long()

    def _camera(self, joints: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points in camera axes, the focal length's guess over its truth, and the picture's half size in slopes."""
        options, batch = self.options.camera, len(joints)
        yaw = self._uniform(batch, high=2 * torch.pi)
        pitch = torch.deg2rad(options.pitch_deg[0] + options.pitch_deg[1] * self._normal(batch))
        steep = self._uniform(batch) < options.steep_roll
        roll_std = torch.where(steep, 40.0, options.roll_deg[1])
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
        root = joints[:, self.target, 0]
        points = (joints - root[:, None, None]) @ rotation.transpose(1, 2)[:, None]
        aside = self._uniform(batch, 2, low=-1.0, high=1.0) * options.aside * half * distance[:, None]
        points = points + torch.cat([aside, distance[:, None]], -1)[:, None, None]
        guess = (self._normal(batch) * options.focal_error).exp()
        return points, guess, half

    def _picture(self, points_cam: Tensor, guess: Tensor, half: Tensor, steps: Tensor) -> Batch:
        batch, frames, joints, _ = points_cam.shape
        depth = points_cam[..., 2:].clamp_min(0.2)
        rays = points_cam[..., :2] / depth
        distance = points_cam[:, self.target, 0, 2]
        noise = self.options.noise
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
            rays = disturb(rays, visibility, 1.7 / distance, noise, self.generator)
            certain = self._uniform(batch, 1, 1) < noise.drop_visibility
            visibility = torch.where(certain & (visibility > 0), 1.0, visibility)
        visibility = visibility * (points_cam[..., 2] > 0.3)
        rays, visibility = _derive_hip(rays * guess[:, None, None, None], visibility)
        # Beyond a clip's ends its first and last pictures are repeated, detection errors included.
        rays = rays.gather(1, steps[..., None, None].expand_as(rays))
        visibility = visibility.gather(1, steps[..., None].expand_as(visibility))
        windows = normalise_windows(rays, visibility, self.target, root=0)
        target_cam = points_cam[:, self.target]
        turn = turn_to_axis(target_cam[:, 0, :2] / target_cam[:, 0, 2:])
        poses = (target_cam - target_cam[:, :1]) @ turn.transpose(1, 2)
        return Batch(windows.inputs, poses)


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
