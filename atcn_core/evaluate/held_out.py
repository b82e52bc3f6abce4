"""Scores on motion that was not trained on, seen by virtual cameras: the network beside its baselines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ..lift.network import Atcn
from ..lift.predict import flip_averaged
from ..skeleton import CAPTURE, H36M_17
from ..train.mocap import load_split
from ..train.sampler import CLEAN_VIEW, Batch, MotionBank, SampleOptions, WindowSampler
from .baselines import LinearLifter, MeanPose
from .metrics import mpjpe, n_mpjpe, p_mpjpe

__all__ = ["score_held_out"]

_SEED = 2024
Lift = Callable[[Tensor], Tensor]


def score_held_out(network: Atcn, motion: Path, windows: int, fit_windows: int = 32768) -> list[dict[str, object]]:
    """One row a method and view: errors in mm over the 17 joints of Human3.6M, on fixed windows of `val`.

    motion: the folder of BVH files with splits.json. fit_windows: training windows the baselines are fitted on.
    Raises MotionError.
    """
    cpu = torch.device("cpu")
    train, val = (MotionBank(load_split(motion, split), cpu) for split in ("train", "val"))
    sizes = {"frames": network.config.frames, "target": network.config.target}

    def sampler(bank: MotionBank, options: SampleOptions) -> WindowSampler:
        return WindowSampler(bank, options, generator=torch.Generator().manual_seed(_SEED), **sizes)

    rows: list[dict[str, object]] = []
    # The linear lifter is fitted for each view, which favours it: the network is one for both.
    for view, options in (("clean", CLEAN_VIEW), ("detector-like", SampleOptions(body=None))):
        judged = sampler(val, options)
        batches = [judged.draw(256) for _ in range(max(1, windows // 256))]
        methods: dict[str, Lift] = {
            "mean pose": MeanPose(sampler(train, options), fit_windows // 4),
            "linear lifter": LinearLifter(sampler(train, options), fit_windows),
            f"ATCN {network.config.name}": partial(flip_averaged, network),
        }
        rows += [{"2D input": view, "method": name, **_errors_mm(lift, batches)} for name, lift in methods.items()]
    return rows


@torch.inference_mode()
def _errors_mm(lift: Lift, batches: list[Batch]) -> dict[str, float]:
    joints = CAPTURE.indices(*H36M_17.joints)
    predicted = torch.cat([lift(batch.inputs) for batch in batches])[:, joints]
    predicted = (predicted - predicted[:, :1]).double().numpy() * 1000.0
    true = torch.cat([batch.poses for batch in batches])[:, joints].double().numpy() * 1000.0
    return {
        "MPJPE": round(mpjpe(predicted, true), 1),
        "N-MPJPE": round(n_mpjpe(predicted, true), 1),
        "P-MPJPE": round(p_mpjpe(predicted, true), 1),
    }
