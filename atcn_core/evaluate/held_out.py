"""Scores on motion that was not trained on, as random windows like the training's: networks beside their baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ..lift.network import Atcn
from ..lift.predict import flip_averaged
from ..skeleton import CAPTURE, H36M_17
from ..train.mocap import load_split
from ..train.sampler import CLEAN_VIEW, DETECTOR_VIEW, Batch, MotionBank, SampleOptions, WindowSampler
from .baselines import LinearLifter, MeanPose
from .metrics import mpjpe, n_mpjpe, p_mpjpe
from .networks import Network, as_atcn

__all__ = ["score_held_out", "score_windows"]

_SEED = 2024
_BATCH = 256
Lift = Callable[[Tensor], Tensor]


def score_held_out(network: Atcn, motion: Path, windows: int, fit_windows: int = 32768) -> list[dict[str, object]]:
    """`score_windows` of one network."""
    return score_windows({f"ATCN {network.config.name}": network}, motion, windows, fit_windows)


def score_windows(
    networks: Mapping[str, Network], motion: Path, windows: int, fit_windows: int = 32768
) -> list[dict[str, object]]:
    """One row a method and view: errors in mm over the 17 joints of Human3.6M, on fixed windows of `val`.

    networks: by label; networks of one window length see the very same windows, and the baselines those of the first.
    motion: the folder of BVH files with splits.json. fit_windows: training windows the baselines are fitted on.
    Raises MotionError.
    """
    cpu = torch.device("cpu")
    train, val = (MotionBank(load_split(motion, split), cpu) for split in ("train", "val"))
    shapes = {label: (network.config.frames, network.config.target) for label, network in networks.items()}

    def sampler(bank: MotionBank, options: SampleOptions, shape: tuple[int, int]) -> WindowSampler:
        generator = torch.Generator().manual_seed(_SEED)
        return WindowSampler(bank, options, frames=shape[0], target=shape[1], generator=generator)

    rows: list[dict[str, object]] = []
    first = next(iter(shapes.values()))
    # The linear lifter is fitted for each view, which favours it: the network is one for both.
    for view, options in (("clean", CLEAN_VIEW), ("detector-like", DETECTOR_VIEW)):
        judged = {shape: sampler(val, options, shape) for shape in set(shapes.values())}
        batches = {
            shape: [source.draw(_BATCH) for _ in range(max(1, windows // _BATCH))] for shape, source in judged.items()
        }
        methods: list[tuple[str, Lift, tuple[int, int]]] = [
            ("mean pose", MeanPose(sampler(train, options, first), fit_windows // 4), first),
            ("linear lifter", LinearLifter(sampler(train, options, first), fit_windows), first),
            *((label, _lift(network), shapes[label]) for label, network in networks.items()),
        ]
        rows += [
            {"2D input": view, "method": name, **_errors_mm(lift, batches[shape])} for name, lift, shape in methods
        ]
    return rows


def _lift(network: Network) -> Lift:
    return partial(flip_averaged, as_atcn(network))


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
