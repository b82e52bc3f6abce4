"""What training asks of the network. Every term is in metres, so that the weights compare like with like."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..lift.network import Atcn, AtcnConfig
from ..skeleton import CAPTURE
from .sampler import Batch

__all__ = ["LossOptions", "SupervisedNetwork", "joint_weights", "total_loss"]


@dataclass(frozen=True)
class LossOptions:
    """Weights of the terms beside the target frame's MPJPE, which has weight 1; 0 switches a term off.

    context:    MPJPE of the poses that every layer gives for its own frames ("deep supervision"); falls to a tenth
                over the run. A window so teaches with all its frames instead of one.
    velocity:   difference of the steps between neighbouring windows; half of the batch is then the frame after.
    bone:       difference of the bones' lengths.
    projection: distance of the joints across the line of sight, by the known virtual camera: our reading of the
                paper's "project on 2D" (Table 5).
    """

    context: float = 0.5
    velocity: float = 0.0
    bone: float = 0.0
    projection: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in vars(self).items():
            if not weight >= 0:
                raise ValueError(f"the loss weight {name} is {weight}, expected 0 or more")


def joint_weights(device: torch.device) -> Tensor:
    """(J,) weights of the joints in the loss, mean 1: the face, hands and feet have many landmarks for one limb."""
    many = ("nose", "head", "ear", "index", "pinky", "heel", "toe")
    weights = torch.tensor([0.6 if j.split("_")[-1] in many else 1.0 for j in CAPTURE.joints], device=device)
    return weights / weights.mean()


class SupervisedNetwork(nn.Module):
    """A network and, for training alone, one more head a layer, which reads the poses of that layer's frames."""

    def __init__(self, network: nn.Module, *, context: bool) -> None:
        super().__init__()
        self.network = network
        self.heads = nn.ModuleList()
        if context and isinstance(network, Atcn):
            self.heads.extend(_small_head(network.config) for _ in range(network.config.stages - 1))

    def forward(self, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
        """inputs: (B, N, J, c). Returns the poses (B, J, 3) and each layer's own (B, N / 3^l, J, 3), l = 1..S-1."""
        network = self.network
        if not (self.heads and isinstance(network, Atcn)):
            return network(inputs), []
        path = network.features(inputs)
        joints = (network.config.joints_out, 3)
        contexts = [head(hidden).unflatten(-1, joints) for head, hidden in zip(self.heads, path[:-1], strict=True)]
        return network.head(path[-1][:, 0]).unflatten(-1, joints), contexts


def _small_head(config: AtcnConfig) -> nn.Linear:
    """A head that starts near the root, as the network's own does."""
    head = nn.Linear(config.channels, 3 * config.joints_out)
    nn.init.normal_(head.weight, std=0.1 * config.channels**-0.5)
    nn.init.zeros_(head.bias)
    return head


def total_loss(
    poses: Tensor, contexts: list[Tensor], batch: Batch, options: LossOptions, weights: Tensor, progress: float
) -> tuple[Tensor, Tensor]:
    """The loss to descend, and the target frame's MPJPE alone (metres, scalars).

    poses, contexts: as SupervisedNetwork gives them; weights: (J,); progress: share of the run that is done.
    Joints that a window's take lacks (batch.known) count in no term.
    """
    known = batch.known
    main = _mpjpe(poses, batch.poses, weights, known)
    loss = main
    if contexts:
        share = options.context * (0.1 + 0.9 * (1.0 - progress)) / len(contexts)
        truths = (_every(batch.context, layer.shape[1], batch.causal) for layer in contexts)
        loss = loss + share * sum(
            _mpjpe(layer, true, weights, known[:, None]) for layer, true in zip(contexts, truths, strict=True)
        )
    if options.velocity:
        now, after = poses.chunk(2)
        true_now, true_after = batch.poses.chunk(2)
        loss = loss + options.velocity * _mpjpe(after - now, true_after - true_now, weights, known.chunk(2)[0])
    if options.bone:
        parents = [max(parent, 0) for parent in CAPTURE.parent_indices]
        length, true = ((p - p[:, parents]).norm(dim=-1) for p in (poses, batch.poses))
        loss = loss + options.bone * _mean_of_known((length - true).abs(), known & known[:, parents])
    if options.projection:
        loss = loss + options.projection * _mpjpe(
            _across(poses, batch.depth), _across(batch.poses, batch.depth), weights, known
        )
    return loss, main.detach()


def _mpjpe(poses: Tensor, true: Tensor, weights: Tensor, known: Tensor) -> Tensor:
    return _mean_of_known((poses.float() - true).norm(dim=-1) * weights, known)


def _mean_of_known(values: Tensor, known: Tensor) -> Tensor:
    """The mean over the joints that are known. values: (B, ..., J); known: (B, ..., J) or with ones between."""
    return (values * known).mean() / known.float().mean()


def _every(context: Tensor, count: int, causal: bool) -> Tensor:
    """The poses that a layer of `count` tensors answers for: the middle (causal: the last) frame of each block."""
    block = context.shape[1] // count
    return context[:, block - 1 if causal else block // 2 :: block]


def _across(poses: Tensor, depth: Tensor) -> Tensor:
    """Where the joints are seen, in metres at the root's distance. poses: (B, J, 3); depth: (B,). Returns (B, J, 2)."""
    distance = depth[:, None, None]
    return poses[..., :2] * distance / (poses[..., 2:] + distance).clamp_min(0.2)
