"""The network's input form: ray slopes, turned so that the root ray is the axis, of unit size; and the way back.

The same code serves training and use. It frees the network from the picture's aspect, its focal length as far as
this is known, and the person's place in the picture; only the shape of the motion is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "SEEN",
    "SEEN_FOR_SURE",
    "NormalisedWindows",
    "flip_poses",
    "flip_windows",
    "normalise_windows",
    "quantise_score",
]

# A detector's confidence above which a joint counts as guessed, and as seen.
SEEN, SEEN_FOR_SURE = 0.05, 0.5

_LEAST_SIZE = 1e-3


@dataclass(frozen=True)
class NormalisedWindows:
    """inputs: (B, N, J, 3): x, y of unit RMS size about the root, and visibility 0 / 0.5 / 1; x = y = 0 where 0.

    cam_from_turned: (B, 3, 3), takes the network's output back to camera axes.
    """

    inputs: Tensor
    cam_from_turned: Tensor


def quantise_score(score: Tensor) -> Tensor:
    """A detector's 0..1 confidence as 0 (not seen), 0.5 (guessed) or 1 (seen).

    Raw confidences change meaning with resolution and detector; three steps do not.
    """
    return torch.where(score > SEEN_FOR_SURE, 1.0, torch.where(score > SEEN, 0.5, 0.0))


def _nearest_seen(values: Tensor, seen: Tensor) -> Tensor:
    """Fill unseen frames with the nearest seen one. values: (B, N, 2); seen: (B, N) bool, any in each row."""
    frames = torch.arange(seen.shape[1], device=seen.device).expand_as(seen)
    far = seen.shape[1] * 4
    before = torch.where(seen, frames, -far).cummax(dim=1).values
    after = torch.where(seen, frames, far).flip(1).cummin(dim=1).values.flip(1)
    nearest = torch.where(frames - before <= after - frames, before, after).clamp(0, seen.shape[1] - 1)
    return values.gather(1, nearest.unsqueeze(-1).expand(-1, -1, 2))


def _root_rays(rays: Tensor, seen: Tensor, root: int) -> Tensor:
    """(B, N, 2): the root's ray in every frame; where no frame shows the root, the middle of what is seen."""
    has_root = seen[:, :, root].any(dim=1)
    weight = seen.to(rays.dtype).unsqueeze(-1)
    middle = (rays * weight).sum(2) / weight.sum(2).clamp_min(1.0)
    return torch.where(
        has_root[:, None, None],
        _nearest_seen(rays[:, :, root], seen[:, :, root]),
        _nearest_seen(middle, seen.any(dim=2)),
    )


def turn_to_axis(rays: Tensor) -> Tensor:
    """Smallest turn that takes each ray (x, y, 1) onto the z axis. rays: (B, 2). Returns (B, 3, 3)."""
    direction = torch.nn.functional.normalize(torch.nn.functional.pad(rays, (0, 1), value=1.0), dim=-1)
    x, y, z = direction.unbind(-1)
    share = 1.0 / (1.0 + z)
    rows = [
        torch.stack([1.0 - x * x * share, -x * y * share, -x], -1),
        torch.stack([-x * y * share, 1.0 - y * y * share, -y], -1),
        torch.stack([x, y, z], -1),
    ]
    return torch.stack(rows, dim=-2)


def normalise_windows(rays: Tensor, visibility: Tensor, target: int, root: int) -> NormalisedWindows:
    """Windows of ray slopes as network input.

    rays:       (B, N, J, 2), x/z and y/z in `cam` (frames.px_to_ray); any finite value where not seen.
    visibility: (B, N, J), 0 / 0.5 / 1 (quantise_score).
    target, root: the target frame and the root joint.
    """
    seen = visibility > 0
    root_rays = _root_rays(rays, seen, root)
    turn = turn_to_axis(root_rays[:, target])
    rays = torch.cat([rays[:, :, :root], root_rays.unsqueeze(2), rays[:, :, root + 1 :]], dim=2)
    flat = rays.flatten(1, 2)
    turned = flat @ turn[:, :2, :2].transpose(1, 2) + turn[:, None, :2, 2]
    depth = flat @ turn[:, 2:, :2].transpose(1, 2) + turn[:, None, 2:, 2]
    turned = (turned / depth.clamp_min(0.05)).unflatten(1, rays.shape[1:3])
    offsets = turned - turned[:, :, root : root + 1]
    weight = seen.to(rays.dtype).unsqueeze(-1)
    size = ((offsets.square() * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(1.0)).sqrt()
    xy = turned / size.clamp_min(_LEAST_SIZE)[:, None, None, None]
    # The root's place is always filled in: eq. 2 centres the poses on it.
    shown = weight.clone()
    shown[:, :, root] = 1.0
    inputs = torch.cat([(xy * shown).clamp(-30.0, 30.0), visibility.unsqueeze(-1)], dim=-1)
    return NormalisedWindows(inputs, turn.transpose(1, 2))


def flip_windows(inputs: Tensor, mirror: Tensor) -> Tensor:
    """Input windows of the mirrored person. inputs: (B, N, J, 3); mirror: (J,) left/right permutation."""
    return inputs[:, :, mirror] * inputs.new_tensor([-1.0, 1.0, 1.0])


def flip_poses(poses: Tensor, mirror: Tensor) -> Tensor:
    """Poses of the mirrored person. poses: (B, J, 3); mirror: (J,) left/right permutation."""
    return poses[:, mirror] * poses.new_tensor([-1.0, 1.0, 1.0])
