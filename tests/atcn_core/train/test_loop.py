"""The training loop: it learns, and a run that was stopped goes on to the same result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from atcn_core.errors import OutputError
from atcn_core.lift.network import Atcn, AtcnConfig
from atcn_core.train.loop import Trainer, TrainOptions
from atcn_core.train.losses import LossOptions
from atcn_core.train.processes import Processes
from atcn_core.train.sampler import CLEAN_VIEW, MotionBank, SampleOptions

from .test_sampler import a_take

CPU = torch.device("cpu")
SMALL = AtcnConfig(27, 27, stages=3, values_per_joint=3, channels=64, groups=4, reduction=8, dropout=0.0)


def a_trainer(folder: Path, options: TrainOptions, losses: LossOptions, samples: SampleOptions) -> Trainer:
    torch.manual_seed(0)
    bank = MotionBank([a_take()], CPU)
    return Trainer(Atcn(SMALL), options, samples, losses, (bank, bank), folder, Processes(CPU))


@pytest.mark.parametrize("optimizer", ["ranger", "radam", "muon"])
def test_a_resumed_run_ends_as_an_unbroken_one(tmp_path: Path, optimizer: str) -> None:
    # The schedule is that of the planned run, wherever this piece of it stops; 7 lies inside a drawn clip's use.
    options = TrainOptions(steps=10, batch=8, reuse=3, spread=4, optimizer=optimizer)

    def run(folder: str, until: int) -> Trainer:
        trainer = a_trainer(tmp_path / folder, options, LossOptions(), SampleOptions())
        trainer.run(until)
        return trainer

    whole = run("whole", 10)
    run("broken", 7)
    resumed = run("broken", 10)
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, resumed.average.state_dict()[name]), name


def test_windows_made_ahead_are_the_same(tmp_path: Path) -> None:
    options = TrainOptions(steps=5, batch=8, reuse=2, spread=4)
    plain, ahead = (
        a_trainer(tmp_path / str(prefetch), replace(options, prefetch=prefetch), LossOptions(), SampleOptions())
        for prefetch in (False, True)
    )
    plain.run()
    ahead.run()
    assert all(torch.equal(a, b) for a, b in zip(plain.network.parameters(), ahead.network.parameters(), strict=True))


@pytest.mark.parametrize("losses", [LossOptions(context=0.0), LossOptions(0.5, velocity=0.5, bone=0.1, projection=0.2)])
def test_training_lowers_the_error(tmp_path: Path, losses: LossOptions) -> None:
    options = TrainOptions(steps=60, batch=32, rate=5e-3, log_every=20, judge_every=60, ema=0.9, spread=4)
    trainer = a_trainer(tmp_path, options, losses, CLEAN_VIEW)
    trainer.run()
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()[1:]]
    assert len(rows) == 3
    assert float(rows[-1][3]) < 0.85 * float(rows[0][3])
    assert float(rows[-1][4]) < float(rows[0][3])


def test_a_run_is_not_resumed_as_another_network(tmp_path: Path) -> None:
    options = TrainOptions(steps=1, batch=4, spread=0)
    a_trainer(tmp_path, options, LossOptions(), CLEAN_VIEW).run()
    banks = (MotionBank([a_take()], CPU),) * 2
    network = Atcn(replace(SMALL, groups=8))
    other = Trainer(network, options, CLEAN_VIEW, LossOptions(), banks, tmp_path, Processes(CPU))
    with pytest.raises(OutputError, match="another network"):
        other.run()


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="optimizer"):
        TrainOptions(optimizer="sgd")
    with pytest.raises(ValueError, match="batch"):
        TrainOptions(batch=0)
    with pytest.raises(ValueError, match="velocity"):
        LossOptions(velocity=-1.0)
