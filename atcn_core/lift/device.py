"""Which processor torch runs on: CUDA where there is one, else MPS, else the CPU; never an error for lack of a GPU."""

from __future__ import annotations

import torch

from ..errors import EngineError

__all__ = ["pick_device"]


def pick_device(name: str = "auto") -> torch.device:
    """name: "auto", "cpu", "cuda", "cuda:1" or "mps". Raises EngineError for a name torch does not know.

    A GPU that is asked for and absent falls back to the CPU, as "auto" does: work goes on, only slower.
    """
    if name == "auto":
        name = "cuda"
    try:
        wanted = torch.device(name)
    except RuntimeError as error:
        raise EngineError(f"There is no device called {name!r}.", hint="Use auto, cpu, cuda or mps.") from error
    if wanted.type == "cuda" and torch.cuda.is_available():
        return wanted
    if wanted.type in ("cuda", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
