"""The training loop: samples made on the device, a clock or step budget, checkpoints that resume, EMA weights."""

from __future__ import annotations

import copy
import csv
import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..lift.network import Atcn, AtcnConfig
from ..skeleton import CAPTURE
from .sampler import CLEAN_VIEW, MotionBank, SampleOptions, WindowSampler

__all__ = ["TrainOptions", "Trainer", "joint_weights"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainOptions:
    """A run ends after `minutes` of training or `steps`, whichever comes first; 0 means no such limit.

    The learning rate falls as a cosine over the run and BatchNorm's momentum from 0.1 to 0.001 with it, as in the
    paper's released recipe. ema: decay of the averaged weights, which are what is saved.
    """

    minutes: float = 0.0
    steps: int = 0
    batch: int = 256
    rate: float = 1e-3
    last_rate: float = 1e-5
    ema: float = 0.999
    save_every_s: float = 120.0
    log_every: int = 50
    seed: int = 0


def joint_weights(device: torch.device) -> Tensor:
    """(J,) weights of the joints in the loss, mean 1: the face, hands and feet have many landmarks for one limb."""
    many = ("nose", "head", "ear", "index", "pinky", "heel", "toe")
    weights = torch.tensor([0.6 if j.split("_")[-1] in many else 1.0 for j in CAPTURE.joints], device=device)
    return weights / weights.mean()


class Trainer:
    """One training run in a folder: checkpoint.pt (to resume), log.csv (the loss curve)."""

    def __init__(
        self,
        config: AtcnConfig,
        options: TrainOptions,
        samples: SampleOptions,
        banks: tuple[MotionBank, MotionBank],
        folder: Path,
        device: torch.device,
    ) -> None:
        torch.manual_seed(options.seed)
        self.options, self.folder, self.device = options, folder, device
        self.network = Atcn(config).to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        # RAdam is Ranger's inner optimiser; the average of the weights takes Lookahead's part.
        self.optimizer = torch.optim.RAdam(self.network.parameters(), options.rate, betas=(0.95, 0.999), eps=1e-5)
        self.weights = joint_weights(device)
        self.generator = torch.Generator(device).manual_seed(options.seed)
        sizes = {"frames": config.frames, "target": config.target}
        self.sampler = WindowSampler(banks[0], samples, generator=self.generator, **sizes)
        self.judges = {
            name: WindowSampler(banks[1], view, generator=torch.Generator(device).manual_seed(1), **sizes).draw(1024)
            for name, view in (("clean", CLEAN_VIEW), ("noisy", SampleOptions(body=None)))
        }
        self.step, self.spent_s = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        by_time = self.spent_s / (60 * self.options.minutes) if self.options.minutes else 0.0
        by_steps = self.step / self.options.steps if self.options.steps else 0.0
        return min(1.0, max(by_time, by_steps))

    def run(self) -> Atcn:
        """Train to the end of the budget. Returns the averaged network, in evaluation mode."""
        self._resume()
        saved = time.monotonic()
        losses: list[float] = []
        with tqdm(total=100.0, unit="%", bar_format="{l_bar}{bar}| {postfix}") as bar:
            while self.progress < 1.0:
                started = time.monotonic()
                losses.append(self._train_step())
                self.spent_s += time.monotonic() - started
                self.step += 1
                bar.n = 100.0 * self.progress
                if self.step % self.options.log_every == 0:
                    self._log(losses, bar)
                    losses.clear()
                if time.monotonic() - saved > self.options.save_every_s:
                    self._save()
                    saved = time.monotonic()
        self._save()
        return self.average.eval()

    def _train_step(self) -> float:
        share = 0.5 * (1.0 + math.cos(math.pi * self.progress))
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.last_rate + (self.options.rate - self.options.last_rate) * share
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = 0.1 * 0.01**self.progress
        batch = self.sampler.draw(self.options.batch)
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type != "mps"):
            poses = self.network(batch.inputs)
        loss = ((poses.float() - batch.poses).norm(dim=-1) * self.weights).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._update_average()
        return loss.item()

    @torch.no_grad()
    def _update_average(self) -> None:
        # A short memory at first, or the random start would be remembered for long.
        decay = min(self.options.ema, (1 + self.step) / (10 + self.step))
        new = self.network.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(new[name], 1.0 - decay)
            else:
                value.copy_(new[name])

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """MPJPE in mm of the averaged network on fixed windows of the held-out takes."""
        self.average.eval()
        errors_mm = {}
        for name, batch in self.judges.items():
            poses = torch.cat([self.average(part) for part in batch.inputs.split(256)])
            errors_mm[name] = 1000.0 * (poses - batch.poses).norm(dim=-1).mean().item()
        return errors_mm

    def _log(self, losses: list[float], bar: tqdm) -> None:
        row = {
            "step": self.step,
            "windows": self.step * self.options.batch,
            "minutes": round(self.spent_s / 60, 2),
            "train_mm": round(1000 * sum(losses) / len(losses), 2),
        }
        if self.step % (10 * self.options.log_every) == 0:
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
            "config": asdict(self.network.config),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "step": self.step,
            "spent_s": self.spent_s,
        }
        temporary = self.folder / "checkpoint.part"
        torch.save(state, temporary)
        temporary.replace(self.folder / "checkpoint.pt")

    def _resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if not path.is_file():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["config"] != asdict(self.network.config):
            raise ValueError(f"{path} is of another network; choose another folder")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        self.step, self.spent_s = state["step"], state["spent_s"]
        logger.info("resumed at step %d", self.step)
