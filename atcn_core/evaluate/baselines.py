"""What a lifter must beat: the mean pose, and a linear map from the 2D joints. Fitted on the same training windows."""

from __future__ import annotations

import torch
from torch import Tensor

from ..train.sampler import WindowSampler

__all__ = ["LinearLifter", "MeanPose"]

# Frames about the target that the linear lifter reads, as far as the window has them; more did not help it.
_OFFSETS = (-12, -4, 0, 4, 12)


class MeanPose:
    """Always the mean training pose."""

    def __init__(self, sampler: WindowSampler, windows: int) -> None:
        self._pose = torch.cat([sampler.draw(512).poses for _ in range(windows // 512)]).mean(dim=0)

    def __call__(self, inputs: Tensor) -> Tensor:
        """inputs: (B, N, J, 3). Returns (B, J, 3)."""
        return self._pose.expand(len(inputs), -1, -1)


class LinearLifter:
    """Ridge regression from the 2D joints of a few frames about the target to its 3D joints."""

    def __init__(self, sampler: WindowSampler, windows: int, ridge: float = 10.0) -> None:
        self._frames = [frame for frame in (sampler.target + o for o in _OFFSETS) if 0 <= frame < sampler.frames]
        square, mixed = torch.zeros(1), torch.zeros(1)
        for _ in range(windows // 512):
            batch = sampler.draw(512)
            features, poses = self._features(batch.inputs).double(), batch.poses.flatten(1).double()
            square = square + features.t() @ features
            mixed = mixed + features.t() @ poses
        self._weight = torch.linalg.solve(square + ridge * torch.eye(len(square)), mixed).float()

    def _features(self, inputs: Tensor) -> Tensor:
        return torch.nn.functional.pad(inputs[:, self._frames].flatten(1), (0, 1), value=1.0)

    def __call__(self, inputs: Tensor) -> Tensor:
        """inputs: (B, N, J, 3). Returns (B, J, 3)."""
        return (self._features(inputs) @ self._weight).unflatten(-1, (-1, 3))
