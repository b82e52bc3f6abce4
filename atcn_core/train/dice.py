"""The augmentation's dice: random numbers and smooth random curves for the windows of a batch, from one generator."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["Dice", "struck"]


class Dice:
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


def struck(windows: int, share: float, generator: torch.Generator) -> slice:
    """The windows that something happens to: just the share's number of them (rounded at random), side by side.

    The windows of a batch are drawn independently, so neighbours are as random as any, and a slice copies nothing.
    """
    spare, where = torch.rand(2, generator=generator, device=generator.device).tolist()
    count = min(math.floor(share * windows + spare), windows)
    first = math.floor(where * (windows - count + 1))
    return slice(first, first + count)
