"""Attention that is dead is seen to be dead; speed is measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from atcn_core.evaluate.networks import Candidate
from atcn_core.evaluate.probes import attention_rows, matrix_rate, speed_rows
from atcn_core.evaluate.takes import load_takes
from atcn_core.evaluate.views import View, make_views

from .people import small_atcn, walking, write_positions


@pytest.fixture
def views(tmp_path: Path) -> list[View]:
    return make_views(load_takes([write_positions(tmp_path / "p.npz", walking(40))]), 2)


def a_candidate(label: str, *, dead: bool) -> Candidate:
    network = small_atcn()
    for layer in network.attention:
        torch.nn.init.normal_(layer.linear.weight, std=0.0 if dead else 20.0)
        layer.linear.weight.data -= layer.linear.weight.data.mean(dim=1, keepdim=True)  # reads changes alone
    return Candidate(label, Path("w"), network, network.config, {})


def test_the_spread_of_live_attention_is_seen_and_dead_attention_has_none(views: list[View]) -> None:
    rows = attention_rows([a_candidate("live", dead=False), a_candidate("dead", dead=True)], views)
    assert [(row["network"], row["layer"], row["weights"]) for row in rows] == [
        ("live", 1, 9),
        ("live", 2, 3),
        ("dead", 1, 9),
        ("dead", 2, 3),
    ]
    assert all(float(str(row["most"])) > 0 for row in rows[:2])
    assert all(row["most"] == 0 for row in rows[2:])


def test_speed_stands_beside_the_machines_own(views: list[View]) -> None:
    (row,) = speed_rows([a_candidate("net", dead=False)], views[0], frames=40)
    assert float(str(row["frames/s"])) > 0
    assert float(str(row["matrix product GFLOP/s"])) > 0
    assert matrix_rate() > 0.1
