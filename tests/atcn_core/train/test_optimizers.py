"""Optimisers on problems with a known answer."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from atcn_core.train.optimizers import OPTIMIZERS, Lookahead, make_optimizer


def a_problem() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 3))
    inputs = torch.randn(256, 64)
    return network, inputs, inputs[:, :3] * 2.0


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_each_finds_a_linear_map(kind: str) -> None:
    network, inputs, wanted = a_problem()
    optimizer = make_optimizer(kind, network, 1e-2)
    first = last = 0.0
    for step in range(150):
        loss = (network(inputs) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        first, last = (loss.item() if step == 0 else first), loss.item()
    assert last < 0.1 * first


def test_lookahead_goes_half_of_k_steps() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = Lookahead(torch.optim.SGD([weight], lr=1.0), k=3, alpha=0.5)
    places = []
    for _ in range(6):
        weight.grad = torch.full((1,), -1.0)
        optimizer.step()
        places.append(weight.item())
    assert places == [1.0, 2.0, 1.5, 2.5, 3.5, 3.0]


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_state_is_kept(kind: str) -> None:
    network, inputs, wanted = a_problem()
    optimizer = make_optimizer(kind, network, 1e-2)

    def steps(net: nn.Module, opt: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            opt.zero_grad()
            (net(inputs) - wanted).square().mean().backward()
            opt.step()

    steps(network, optimizer, 7)
    twin = copy.deepcopy(network)
    again = make_optimizer(kind, twin, 1e-2)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(network, optimizer, 8)
    steps(twin, again, 8)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), twin.parameters(), strict=True))


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="adam"):
        make_optimizer("adam", nn.Linear(2, 2), 1.0)
