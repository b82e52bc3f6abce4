"""Training the network that tells which feet stand: what it learns, and that it learns the same twice."""

from __future__ import annotations

import numpy as np
import torch

from atcn_core.motion.contact_net import INPUTS
from atcn_core.train.contacts import Example, Recipe, _Net, trained

SMALL = Recipe(width=8, depth=2, epochs=6, frames=32, batch=8)
SPEED = INPUTS.index("own_heel.speed_2")


def made_up(seed: int) -> Example:
    """Heel and toe stand where the heel is slow; all else is chance."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(2, 100, len(INPUTS))).astype(np.float32)
    slow = np.repeat(generator.uniform(size=(2, 10)) < 0.5, 10, axis=1)
    inputs[..., SPEED] = np.where(slow, -3.0, 0.0)
    return Example(inputs, np.stack([slow, slow], axis=2).astype(np.float32), "made up")


def test_numpy_computes_what_torch_trained() -> None:
    torch.manual_seed(3)
    net = _Net(SMALL).eval()
    inputs = np.random.default_rng(0).normal(size=(2, 40, len(INPUTS))).astype(np.float32)
    padded = np.pad(inputs, ((0, 0), (SMALL.reach, SMALL.reach), (0, 0)), mode="edge")
    with torch.no_grad():
        expected = net(torch.from_numpy(padded)).numpy()
    plain = net.in_numpy(np.zeros(len(INPUTS)), np.ones(len(INPUTS)), {})
    assert plain.reach == SMALL.reach
    assert np.abs(plain.logits(inputs) - expected).max() < 1e-4


def test_it_learns_what_tells_standing_and_the_same_twice() -> None:
    examples = [made_up(seed) for seed in range(24)]
    net = trained(examples, SMALL, {"frames": 1})
    unseen = made_up(99)
    assert ((net.logits(unseen.inputs) > 0.0) == (unseen.standing > 0.5)).mean() > 0.9
    again = trained(examples, SMALL, {"frames": 1})
    assert np.array_equal(net.out[0], again.out[0])
    assert net.card["frames"] == 1
    assert net.card["recipe"]["width"] == 8  # type: ignore[index]
