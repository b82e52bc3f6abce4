"""Two processes train one network: the same weights in both, from twice the windows."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import torch
from torch import multiprocessing

from atcn_core.lift.network import Atcn
from atcn_core.train.loop import Trainer, TrainOptions
from atcn_core.train.losses import LossOptions
from atcn_core.train.processes import join_processes
from atcn_core.train.sampler import MotionBank, SampleOptions

from .test_loop import SMALL
from .test_sampler import a_take


def _train(rank: int, folder: Path) -> None:
    # What torchrun sets for each process.
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    os.environ["MASTER_PORT"] = (folder / "port").read_text()
    torch.set_num_threads(1)
    processes = join_processes("cpu")
    torch.manual_seed(0)
    bank = MotionBank([a_take()], processes.device)
    options = TrainOptions(steps=3, batch=8, reuse=2, spread=2)
    trainer = Trainer(Atcn(SMALL), options, SampleOptions(), LossOptions(), (bank, bank), folder / "run", processes)
    trainer.run()
    assert trainer.windows == 48
    torch.save({"weights": trainer.network.state_dict(), "inputs": trainer._draw(0).inputs}, folder / f"{rank}.pt")
    processes.leave()


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_both_end_with_the_same_weights_from_windows_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "port").write_text(str(_unused_port()))
    multiprocessing.spawn(_train, args=(tmp_path,), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    learnt = [name for name, _ in Atcn(SMALL).named_parameters()]
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in learnt)
    assert not torch.equal(first["inputs"], second["inputs"])
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
