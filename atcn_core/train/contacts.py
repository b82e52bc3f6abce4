"""How the network that tells which feet stand (motion/contact_net.py) is trained.

evaluate/contact_training.py makes what it is trained on.
The same captures and the same recipe give the same network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own name for it

from ..motion.contact_net import INPUTS, ContactNet

__all__ = ["Example", "Recipe", "trained"]

# No kind of motion counts more than this times the mean for being rare.
_MOST_RARE = 2.5


@dataclass(frozen=True)
class Recipe:
    """How the network is trained.

    looks: how often each take is captured, each time from elsewhere and with other errors, and the last time as the
    first but without errors.
    variants: of each capture; each has one of `smooth` (the user's slider), is played at a pace and scaled to a
    stature between this factor and its inverse, and as `slow_camera`'s share has every other frame only.
    missed: what a standing point that is missed costs, beside one held wrongly.
    tremble, dropout: on what is seen, in spreads, and between layers. raised_m, raised_share: how far off, and how
    often, the heights of each point are for a whole window, so that steps, chairs and sloping floors are nothing new.
    """

    looks: int = 4
    variants: int = 2
    smooth: tuple[float, ...] = (0.0, 0.5, 0.5, 1.0)
    pace: float = 0.75
    stature: float = 0.92
    slow_camera: float = 0.15
    missed: float = 1.5
    tremble: float = 0.1
    dropout: float = 0.2
    raised_m: float = 0.15
    raised_share: float = 0.5
    width: int = 48
    taps: int = 5
    depth: int = 4
    epochs: int = 8
    frames: int = 96
    batch: int = 64
    rate: float = 3e-3
    decay: float = 1e-2
    seed: int = 0

    @property
    def reach(self) -> int:
        return sum((self.taps - 1) // 2 * 2**depth for depth in range(self.depth))


@dataclass(frozen=True)
class Example:
    """A capture as the network sees it, with the left foot as its own and then with the right one.

    inputs: (2, N, F); standing: (2, N, 2) 0..1, the own heel and toe; action: what the performer does.
    """

    inputs: np.ndarray
    standing: np.ndarray
    action: str


class _Net(nn.Module):
    """`ContactNet.logits`, to be trained."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        widths = (len(INPUTS), *[recipe.width] * recipe.depth)
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, recipe.taps, dilation=2**depth)
            for depth, (before, after) in enumerate(pairwise(widths))
        )
        self.out = nn.Linear(recipe.width, 2)
        self.dropout = recipe.dropout

    def forward(self, values: Tensor) -> Tensor:
        """Logits (B, N, 2) of values (B, N + 2 reach, F)."""
        values = values.transpose(1, 2)
        for depth, layer in enumerate(self.layers):
            convolved = layer(F.dropout1d(values, self.dropout, self.training) if depth else values).relu()
            cut = (values.shape[2] - convolved.shape[2]) // 2
            values = convolved + values[:, :, cut : cut + convolved.shape[2]] if depth else convolved
        return self.out(values.transpose(1, 2))

    def in_numpy(self, mean: np.ndarray, spread: np.ndarray, card: dict[str, object]) -> ContactNet:
        state = {name: values.numpy() for name, values in self.state_dict().items()}
        layers = tuple(
            (state[f"layers.{i}.weight"].transpose(2, 1, 0), state[f"layers.{i}.bias"]) for i in range(len(self.layers))
        )
        return ContactNet(mean, spread, layers, (state["out.weight"].T, state["out.bias"]), card)


def trained(examples: Sequence[Example], recipe: Recipe, card: dict[str, object]) -> ContactNet:
    """A network trained on these captures. card: what is to be said of them; the recipe is added."""
    torch.manual_seed(recipe.seed)
    inputs = np.concatenate([part for one in examples for part in one.inputs])
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    net = _Net(recipe)
    windows, standing, weight = _windows(examples, mean, spread, recipe)
    optimizer = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(windows) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps + 1, pct_start=0.15)
    for _ in range(recipe.epochs):
        for chosen in torch.randperm(len(windows)).split(recipe.batch):
            logits = net(_disturbed(windows[chosen], mean, spread, recipe))
            cost = torch.where(standing[chosen] > 0.5, recipe.missed, 1.0) * weight[chosen]
            loss = F.binary_cross_entropy_with_logits(logits, standing[chosen], cost)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.in_numpy(mean, spread, card | {"recipe": asdict(recipe)})


def _windows(
    examples: Sequence[Example], mean: np.ndarray, spread: np.ndarray, recipe: Recipe
) -> tuple[Tensor, Tensor, Tensor]:
    """Pieces of equal length: inputs (W, frames + 2 reach, F), standing (W, frames, 2), what they count (W, frames, 1).

    What the performer does rarely counts more, but less than all of it together would.
    """
    frames, reach = recipe.frames, recipe.reach
    often = Counter[str]()
    for one in examples:
        often[one.action] += one.inputs.shape[1]
    usual = float(np.mean(list(often.values())))
    seen, stands, counts = [], [], []
    for one in examples:
        rarity = min((usual / often[one.action]) ** 0.5, _MOST_RARE)
        for inputs, standing in zip((one.inputs - mean) / spread, one.standing, strict=True):
            padded = np.pad(inputs, ((reach, reach + frames), (0, 0)), mode="edge")
            ended = np.pad(standing, ((0, frames), (0, 0)))
            for start in range(0, len(standing), frames):
                seen.append(padded[start : start + frames + 2 * reach])
                stands.append(ended[start : start + frames])
                counts.append(rarity * (np.arange(start, start + frames) < len(standing))[:, None])
    return tuple(torch.from_numpy(np.stack(part).astype(np.float32)) for part in (seen, stands, counts))  # type: ignore[return-value]


def _disturbed(windows: Tensor, mean: np.ndarray, spread: np.ndarray, recipe: Recipe) -> Tensor:
    """Windows (B, N, F) trembling, some of them mirrored in the picture and with points at other heights."""
    windows = windows + recipe.tremble * torch.randn(len(windows), 1, windows.shape[2])
    aside = [i for i, name in enumerate(INPUTS) if name.endswith(".aside")]
    level = torch.from_numpy(mean[aside] / spread[aside]).float()
    side = 1.0 - 2.0 * (torch.rand(len(windows), 1, 1) < 0.5).float()
    windows[..., aside] = side * (windows[..., aside] + level) - level
    for point in sorted({name.split(".")[0] for name in INPUTS if ".over_" in name}):
        heights = [i for i, name in enumerate(INPUTS) if name.startswith(f"{point}.over_")]
        raised = torch.rand(len(windows), 1, 1) < recipe.raised_share
        shift = recipe.raised_m * torch.randn(len(windows), 1, 1) * raised
        windows[..., heights] += shift / torch.from_numpy(spread[heights]).float()
    return windows
