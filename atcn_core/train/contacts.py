"""Train the network that tells which feet stand (motion/contact_net.py) on captures of known motion.

python -m atcn_core.train.contacts --motion FOLDER --out FILE [--looks 6] [--network l6xv4] [--epochs 8] [--seed 0]

Every take of the training split is looked at by virtual cameras with a detector's errors, lifted and placed as a user's
clip is, and smoothed more or less; the truth says which points stood still. The same call gives the same file.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # torch's own name for it

from ..errors import AtcnError, MotionError
from ..evaluate.staged import StagedTake, stage
from ..evaluate.takes import KnownTake, load_takes
from ..evaluate.world_metrics import true_contacts
from ..lift.checkpoint import load_network
from ..lift.predict import Lifter
from ..lift.weights import network_file
from ..motion.contact_net import INPUTS, ContactNet, contact_inputs, save_net
from ..motion.finish import finished
from ..motion.ground import up_direction_cam
from ..motion.stature import stature_m
from ..skeleton import CAPTURE
from ..worker.protocol import DEFAULT_NETWORK
from .noise import NoiseOptions

__all__ = ["Example", "Recipe", "example", "main", "trained"]

# Where a contact begins and ends is a matter of a frame: what the truth of the frames around counts.
_EDGE = (0.25, 0.5, 0.25)
_LEAST_S = 1.5
# No kind of motion counts more than this times the mean for being rare.
_MOST_RARE = 2.5


@dataclass(frozen=True)
class Recipe:
    """How the network is trained.

    looks: how often each take is captured, from elsewhere and with other errors; the last time without errors.
    variants: of each capture; each has one of `smooth` (the user's slider), is played at a pace and scaled to a
    stature between this factor and its inverse, and as `slow_camera`'s share has every other frame only.
    missed: what a standing point that is missed costs, beside one held wrongly.
    tremble, dropout: on what is seen, in spreads, and between layers. raised_m, raised_share: how far off, and how
    often, the heights of each point are for a whole window, so that steps, chairs and sloping floors are nothing new.
    """

    looks: int = 6
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


def captured(takes: Sequence[KnownTake], lifter: Lifter, looks: int) -> Iterator[StagedTake]:
    """Every take so many times, the last time without a detector's errors."""
    for look in range(looks):
        noise = NoiseOptions() if look < looks - 1 else None
        for take in takes:
            # Where the camera stands and what errors there are follow from the name.
            name = f"{take.name} p{look}" if look else take.name
            yield from stage([replace(take, name=name, activity=take.action)], lifter, noise=noise, cameras=1)


def varied(staged: StagedTake, recipe: Recipe, generator: np.random.Generator) -> Iterator[Example]:
    """A capture in the recipe's ways."""
    for _ in range(recipe.variants):
        yield example(
            staged,
            float(generator.choice(recipe.smooth)),
            pace=recipe.pace ** generator.uniform(-1.0, 1.0),
            stature=recipe.stature ** generator.uniform(-1.0, 1.0),
            every=2 if generator.uniform() < recipe.slow_camera else 1,
        )


def example(staged: StagedTake, smooth: float, *, pace: float = 1.0, stature: float = 1.0, every: int = 1) -> Example:
    """A capture, so much smoothed, quicker and taller, of every n-th frame alone."""
    motion, true_world = staged.motion, staged.joints_world
    fps, times_s = motion.fps * pace, motion.times_s / pace
    played = replace(
        motion,
        times_s=times_s[::every],
        fps=fps / every,
        joints_cam=motion.joints_cam[::every],
        root_cam=motion.root_cam[::every],
        score=motion.score[::every],
    )
    ready = finished(played, stature_m(true_world, CAPTURE) * stature, smooth).motion
    up_cam = up_direction_cam(ready.joints_cam, ready.skeleton, ready.score, ready.times_s)
    grid_s, inputs = contact_inputs(ready, up_cam)
    at = np.rint((grid_s - times_s[0]) * fps).astype(int).clip(max=len(times_s) - 1)
    standing = np.pad(true_contacts(true_world, fps)[at].astype(np.float32), ((1, 1), (0, 0)), mode="edge")
    soft = np.sum([share * standing[i : i + len(at)] for i, share in enumerate(_EDGE)], axis=0)
    return Example(inputs.astype(np.float32), np.stack([soft[:, :2], soft[:, 2:]]), staged.take.action)


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


def _arguments(words: list[str] | None) -> argparse.Namespace:
    usual = Recipe()
    parser = argparse.ArgumentParser(prog="python -m atcn_core.train.contacts", description=__doc__)
    parser.add_argument(
        "--motion", type=Path, nargs="+", required=True, help="folders of BVH files (their train split)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights, .npz")
    parser.add_argument("--network", default=DEFAULT_NETWORK, help="that lifts: a bundled one, or a weights file")
    parser.add_argument("--looks", type=int, default=usual.looks, help="how often each take is captured")
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--seconds", type=float, default=0.0, help="only so much from the start of each take")
    parser.add_argument("--seed", type=int, default=usual.seed)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    arguments = _arguments(words)
    recipe = replace(Recipe(), looks=arguments.looks, epochs=arguments.epochs, seed=arguments.seed)
    try:
        if min(recipe.looks, recipe.epochs) < 1:
            raise MotionError("There is nothing to train on.", hint="Give --looks and --epochs of 1 and more.")
        takes = [
            take
            for take in load_takes(arguments.motion, arguments.seconds, "train")
            if len(take.joints_world) > _LEAST_S * take.fps and np.isfinite(take.joints_world).all()
        ]
        if not takes:
            raise MotionError("No take is long enough and whole.", hint=f"Give BVH files of more than {_LEAST_S:g} s.")
        lifter = Lifter(load_network(network_file(arguments.network)), "auto")
        save_net(arguments.out, trained_on(captured(takes, lifter, recipe.looks), recipe, arguments.network))
    except AtcnError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def trained_on(staged: Iterator[StagedTake], recipe: Recipe, network: str) -> ContactNet:
    """A network trained on captures that a network of this name lifted."""
    generator = np.random.default_rng(recipe.seed)
    frames, examples = 0, []
    for one in staged:
        frames += len(one.motion.times_s)
        examples += varied(one, recipe, generator)
    return trained(examples, recipe, {"frames": frames, "lifted_by": network})


if __name__ == "__main__":
    sys.exit(main())
