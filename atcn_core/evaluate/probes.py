"""What a network does inside and how fast it is: the spread of its temporal attention, and frames lifted a second."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..clip import Keypoints2D
from ..lift.network import Atcn
from ..reporter import Reporter
from .networks import Candidate, lifter_of
from .protocols import Row
from .views import CAMERA, View, lift_views

__all__ = ["attention_rows", "matrix_rate", "speed_rows"]

_MATRIX = 1024
_REPEATS = 3
_PRODUCTS = 20


def attention_rows(candidates: Sequence[Candidate], views: Sequence[View]) -> list[Row]:
    """How much each layer's W_l differs between samples: the standard deviation over the views' frames of every
    weight, its mean and extremes over the layer; and the layer's mean weight. 0 would be attention that is dead."""
    rows: list[Row] = []
    for one in candidates:
        if not isinstance(one.network, Atcn):
            continue
        for layer, weights in enumerate(_attention(one.network, views), start=1):
            spread = weights.std(dim=0)
            rows.append(
                {
                    "network": one.label,
                    "layer": layer,
                    "weights": weights.shape[1],
                    "mean weight": round(weights.mean().item(), 3),
                    "std over samples": round(spread.mean().item(), 3),
                    "least": round(spread.min().item(), 3),
                    "most": round(spread.max().item(), 3),
                }
            )
    return rows


def _attention(network: Atcn, views: Sequence[View]) -> list[Tensor]:
    """W_l of every frame of the views, each (frames, N / 3^l), caught while they are lifted."""
    layers: list[list[Tensor]] = [[] for _ in network.attention]

    def keep(module: nn.Module, _inputs: object, output: Tensor) -> None:
        layers[places[module]].append(output.detach().cpu())

    places = {module: place for place, module in enumerate(network.attention)}
    handles = [module.register_forward_hook(keep) for module in network.attention]
    try:
        lift_views(network, views)
    finally:
        for handle in handles:
            handle.remove()
    return [torch.cat(caught) for caught in layers]


def matrix_rate(device: str = "cpu") -> float:
    """The machine's own measure: GFLOP/s of the best of some products of two 1024 x 1024 float32 matrices."""
    a, b = torch.randn(2, _MATRIX, _MATRIX, device=device).unbind(0)
    best_s = float("inf")
    for _ in range(_PRODUCTS):
        began_s = time.perf_counter()
        product = a @ b
        product[0, 0].item()  # waits for a GPU
        best_s = min(best_s, time.perf_counter() - began_s)
    return 2 * _MATRIX**3 / best_s / 1e9


def speed_rows(candidates: Sequence[Candidate], view: View, device: str = "cpu", frames: int = 512) -> list[Row]:
    """Frames a second of the whole way from keypoints to 3D, flip averaging included, as a capture does it.

    frames: the length of the clip that is lifted, the view's keypoints over and over.
    """
    clip = _looped(view.keypoints, frames)
    rows: list[Row] = []
    for one in candidates:
        lifter = lifter_of(one.network, device)
        lifter.lift(clip, CAMERA, Reporter())
        best_s = float("inf")
        for _ in range(_REPEATS):
            began_s = time.perf_counter()
            lifter.lift(clip, CAMERA, Reporter())
            best_s = min(best_s, time.perf_counter() - began_s)
        rows.append(
            {
                "network": one.label,
                "parameters": one.parameters,
                "device": lifter.device,
                "threads": torch.get_num_threads(),
                "frames/s": round(frames / best_s),
                "matrix product GFLOP/s": round(matrix_rate(lifter.device)),
            }
        )
    return rows


def _looped(keypoints: Keypoints2D, count: int) -> Keypoints2D:
    """A clip of `count` frames: the keypoints over and over."""
    frames = np.arange(count)
    turn = frames % len(keypoints.times_s)
    return Keypoints2D(
        keypoints.skeleton,
        frames / keypoints.fps,
        keypoints.fps,
        keypoints.image_wh_px,
        keypoints.xy_px[turn],
        keypoints.score[turn],
    )
