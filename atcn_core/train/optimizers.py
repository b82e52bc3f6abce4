"""Ranger as the paper trains with it, RAdam alone, and Muon, which needs the fewest windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["OPTIMIZERS", "Lookahead", "Together", "make_optimizer"]

_K = 6
_ALPHA = 0.5
# Matrices with a shorter side are tables of numbers rather than maps between features.
_LEAST_SIDE = 64


class Lookahead(torch.optim.Optimizer):
    """Slow weights that follow the fast ones of another optimiser (Zhang et al. 2019).

    Every k steps the slow weights go the share alpha of the way to the fast ones, which then start from there.
    """

    def __init__(self, inner: torch.optim.Optimizer, k: int = _K, alpha: float = _ALPHA) -> None:
        if k < 1 or not 0.0 < alpha <= 1.0:
            raise ValueError(f"k is {k} and alpha {alpha}, expected k of 1 or more and alpha in 0..1")
        self.inner, self.k, self.alpha = inner, k, alpha
        self.param_groups, self.state, self.defaults = inner.param_groups, inner.state, inner.defaults
        self._steps = 0
        self._slow = [parameter.detach().clone() for parameter in self._fast()]

    def _fast(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        self.inner.zero_grad(set_to_none)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One step of the inner optimiser, and every k-th time one of the slow weights."""
        loss = self.inner.step(closure)
        self._steps += 1
        if self._steps % self.k == 0:
            for slow, fast in zip(self._slow, self._fast(), strict=True):
                fast.copy_(slow.lerp_(fast, self.alpha))
        return loss

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on to the same result."""
        return {"inner": self.inner.state_dict(), "slow": self._slow, "steps": self._steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict()`."""
        self.inner.load_state_dict(state_dict["inner"])
        self.param_groups, self.state = self.inner.param_groups, self.inner.state
        self._steps = state_dict["steps"]
        for slow, kept in zip(self._slow, state_dict["slow"], strict=True):
            slow.copy_(kept)


class Together(torch.optim.Optimizer):
    """Several optimisers, each for its own parameters, stepped as one."""

    def __init__(self, parts: Sequence[torch.optim.Optimizer]) -> None:
        self.parts = list(parts)
        self.param_groups = [group for part in self.parts for group in part.param_groups]
        self.defaults = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def step(self, closure: Any = None) -> Any:
        """One step of each part. Takes no closure."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on to the same result."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict()`."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def _radam(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.RAdam(parameters, rate, betas=(0.95, 0.999), eps=1e-5)


def _ranger(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """RAdam + Lookahead with the paper's values: betas .95 and .999, eps 1e-5, k 6, alpha .5."""
    return Lookahead(_radam(network.parameters(), rate))


def _muon(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Muon (Jordan et al. 2024) for the matrices inside the network; RAdam for the rest and for the heads."""
    inner = {
        name
        for name, p in network.named_parameters()
        if p.ndim == 2 and min(p.shape) >= _LEAST_SIDE and "head" not in name
    }
    matrices = [p for name, p in network.named_parameters() if name in inner]
    rest = [p for name, p in network.named_parameters() if name not in inner]
    if not matrices:
        return _radam(rest, rate)
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    return Together([muon, _radam(rest, rate)])


OPTIMIZERS = {
    "ranger": _ranger,
    "radam": lambda network, rate: _radam(network.parameters(), rate),
    "muon": _muon,
}


def make_optimizer(kind: str, network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """The optimiser of a key of OPTIMIZERS. Raises ValueError for another."""
    if kind not in OPTIMIZERS:
        raise ValueError(f"optimizer {kind!r} is none of {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[kind](network, rate)
