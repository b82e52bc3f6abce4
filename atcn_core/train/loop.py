"""The training loop: samples made on the device, a clock or step budget, checkpoints that resume, EMA weights."""

from __future__ import annotations

import copy
import csv
import logging
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..errors import OutputError
from ..lift.network import AtcnConfig, set_momentum
from .losses import LossOptions, SupervisedNetwork, joint_weights, total_loss
from .optimizers import OPTIMIZERS, make_optimizer
from .processes import Processes
from .rivals import RivalConfig
from .sampler import CLEAN_VIEW, DETECTOR_VIEW, Batch, Clips, MotionBank, SampleOptions, WindowSampler

__all__ = ["TrainOptions", "Trainer"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainOptions:
    """A run ends after `minutes` of training or `steps`, whichever comes first; 0 means no such limit.

    The learning rate rises over the first `warmup_steps`, then falls as a cosine over the run, and BatchNorm's
    momentum from 0.1 to 0.001 with it, as in the paper's released recipe.
    ema: decay of the averaged weights, which are what is saved.
    reuse, spread: windows cut from each drawn clip, with targets up to `spread` frames from the clip's middle.
    compiled: let torch.compile make the step; it pays after some minutes.
    prefetch: make the next step's windows in a thread of their own; for processors with a core to spare.
    """

    minutes: float = 0.0
    steps: int = 0
    batch: int = 256
    rate: float = 1e-3
    last_rate: float = 1e-5
    warmup_steps: int = 20
    optimizer: str = "muon"
    ema: float = 0.999
    reuse: int = 6
    spread: int = 60
    compiled: bool = False
    prefetch: bool = False
    save_every_s: float = 120.0
    log_every: int = 50
    judge_every: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer is {self.optimizer!r}, expected one of {', '.join(OPTIMIZERS)}")
        for name in ("batch", "reuse", "log_every", "judge_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")


class Trainer:
    """One training run in a folder: checkpoint.pt (to resume), log.csv (the loss curve)."""

    def __init__(
        self,
        network: nn.Module,
        options: TrainOptions,
        samples: SampleOptions,
        losses: LossOptions,
        banks: tuple[MotionBank, MotionBank],
        folder: Path,
        processes: Processes,
    ) -> None:
        self.options, self.losses, self.folder, self.processes = options, losses, folder, processes
        self.device = device = processes.device
        self.network = network.to(device)
        self.config: AtcnConfig | RivalConfig = network.config  # type: ignore[assignment]  # untyped
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.supervised = SupervisedNetwork(self.network, context=losses.context > 0).to(device)
        shared = processes.share(self.supervised)
        self.forward = torch.compile(shared) if options.compiled else shared
        self.optimizer = make_optimizer(options.optimizer, self.supervised, options.rate)
        self.weights = joint_weights(device)
        self.generator = torch.Generator(device)
        sizes = {"frames": self.config.frames, "target": self.config.target}
        self.sampler = WindowSampler(banks[0], samples, generator=self.generator, **sizes)
        self.judges = {
            name: WindowSampler(banks[1], view, generator=torch.Generator(device).manual_seed(1), **sizes).draw(1024)
            for name, view in (("clean", CLEAN_VIEW), ("noisy", DETECTOR_VIEW))
        }
        self.clips: Clips | None = None
        self.ahead: Future[Batch] | None = None
        self.hand = ThreadPoolExecutor(1)
        self.step, self.spent_s, self.waited_s = 0, 0.0, 0.0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        by_time = self.spent_s / (60 * self.options.minutes) if self.options.minutes else 0.0
        by_steps = self.step / self.options.steps if self.options.steps else 0.0
        return min(1.0, max(by_time, by_steps))

    @property
    def windows(self) -> int:
        """Windows seen so far, by all processes."""
        return self.step * self.options.batch * self.processes.count

    def run(self, until: int | None = None) -> nn.Module:
        """Train to the end of the budget, or to a step before. Returns the averaged network, in evaluation mode.

        Raises OutputError where the folder holds the run of another network.
        """
        self._resume()
        saved = time.monotonic()
        losses: list[float] = []
        leads = self.processes.leads
        with tqdm(total=100.0, unit="%", bar_format="{l_bar}{bar}| {postfix}", disable=not leads) as bar:
            while self.progress < 1.0 and self.step != until:
                started, compiling = time.monotonic(), self.options.compiled and self.clips is None
                losses.append(self._train_step())
                if not compiling:  # which takes minutes that train nothing
                    self.spent_s = self.processes.agree(self.spent_s + time.monotonic() - started)
                self.step += 1
                bar.n = 100.0 * self.progress
                if leads and self.step % self.options.log_every == 0:
                    self._log(losses, bar)
                    losses.clear()
                if leads and time.monotonic() - saved > self.options.save_every_s:
                    self._save()
                    saved = time.monotonic()
        if leads:
            self._save()
        return self.average.eval()

    def figures(self) -> dict[str, object]:
        """What the run did so far, for the model card."""
        windows = self.windows
        return {
            "name": self.config.name,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "windows": windows,
            "minutes": round(self.spent_s / 60, 1),
            "windows_per_s": round(windows / max(self.spent_s, 1e-9)),
            "share_of_step_waiting_for_data": round(self.waited_s / max(self.spent_s, 1e-9), 3),
            "device": self.device.type,
            "processes": self.processes.count,
            "val_mm": {name: round(value, 1) for name, value in self.judge().items()},
        }

    def _draw(self, step: int) -> Batch:
        """A step's windows. They depend on the seed and the step alone, so that a resumed run sees the same."""
        options = self.options
        block, turn = divmod(step, options.reuse)
        pairs = self.losses.velocity > 0
        if self.clips is None or turn == 0:
            self.generator.manual_seed(_seed(options.seed, self.processes.rank, block, 0))
            self.clips = self.sampler.draw_clips(options.batch // 2 if pairs else options.batch, options.spread)
        self.generator.manual_seed(_seed(options.seed, self.processes.rank, block, 1 + turn))
        targets = self.sampler.draw_targets(self.clips)
        return self.sampler.cut_pairs(self.clips, targets) if pairs else self.sampler.cut(self.clips, targets)

    def _next_batch(self) -> Batch:
        batch = self.ahead.result() if self.ahead else self._draw(self.step)
        self.ahead = self.hand.submit(self._draw, self.step + 1) if self.options.prefetch else None
        return batch

    def _train_step(self) -> float:
        options = self.options
        share = 0.5 * (1.0 + math.cos(math.pi * self.progress)) * min(1.0, (self.step + 1) / options.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = options.last_rate + (options.rate - options.last_rate) * share
        set_momentum(self.network, 0.1 * 0.01**self.progress)
        started = time.monotonic()
        batch = self._next_batch()
        self.waited_s += time.monotonic() - started
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type != "mps"):
            poses, contexts = self.forward(batch.inputs)
        loss, main = total_loss(poses, contexts, batch, self.losses, self.weights, self.progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.supervised.parameters(), 1.0)
        self.optimizer.step()
        self._update_average()
        return main.item()

    @torch.no_grad()
    def _update_average(self) -> None:
        # A short memory at first, or the random start would be remembered for long.
        decay = min(self.options.ema, (1 + self.step) / (10 + self.step))
        new = self.network.state_dict()
        pairs = [(value, new[name]) for name, value in self.average.state_dict().items() if value.is_floating_point()]
        for old, value in pairs:
            old.lerp_(value, 1.0 - decay)

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """MPJPE in mm of the averaged network on fixed windows of the held-out takes."""
        self.average.eval()
        errors_mm = {}
        for name, batch in self.judges.items():
            poses = torch.cat([self.average(part) for part in batch.inputs.split(256)])
            errors_mm[name] = 1000.0 * (poses - batch.poses).norm(dim=-1)[batch.known].mean().item()
        return errors_mm

    def _log(self, losses: list[float], bar: tqdm) -> None:
        row = {
            "step": self.step,
            "windows": self.windows,
            "minutes": round(self.spent_s / 60, 2),
            "train_mm": round(1000 * sum(losses) / len(losses), 2),
        }
        if self.step % self.options.judge_every == 0:
            row |= {f"val_{name}_mm": round(value, 2) for name, value in self.judge().items()}
        path = self.folder / "log.csv"
        fields = ["step", "windows", "minutes", "train_mm", "val_clean_mm", "val_noisy_mm"]
        new = not path.exists()
        with path.open("a", newline="") as handle:
            writer = csv.DictWriter(handle, fields)
            if new:
                writer.writeheader()
            writer.writerow(row)
        bar.set_postfix({key: row[key] for key in row if key != "minutes"})

    def _save(self) -> None:
        state = {
            "config": asdict(self.config),
            "supervised": self.supervised.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "waited_s": self.waited_s,
        }
        temporary = self.folder / "checkpoint.part"
        torch.save(state, temporary)
        temporary.replace(self.folder / "checkpoint.pt")

    def _resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if not path.is_file():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["config"] != asdict(self.config):
            raise OutputError(f"{path} is of another network.", hint="Choose another folder for this run.")
        self.supervised.load_state_dict(state["supervised"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent_s, self.waited_s = state["step"], state["spent_s"], state["waited_s"]
        logger.info("resumed at step %d", self.step)


def _seed(*numbers: int) -> int:
    """One seed for a place in the run; numbers that differ a little give seeds that have nothing in common."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
