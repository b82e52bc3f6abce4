"""Network weights on disk: one safetensors file that carries its own configuration. Training state lives elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..errors import ModelError
from ..skeleton import CAPTURE
from .network import Atcn, AtcnConfig

__all__ = ["BUNDLED", "load_network", "save_network"]

WEIGHTS_SCHEMA = "atcn.weights/1"
BUNDLED = Path(__file__).parent.parent / "weights" / "atcn_l6xv4.safetensors"


def save_network(path: Path, network: Atcn, card: dict[str, object] | None = None) -> None:
    """Write weights in half precision with configuration and model card, under a temporary name first."""
    tensors = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    metadata = {
        "schema": WEIGHTS_SCHEMA,
        "config": json.dumps(asdict(network.config)),
        "joints": json.dumps(CAPTURE.joints),
        "card": json.dumps(card or {}),
    }
    temporary = Path(path).with_suffix(".part")
    save_file({name: tensor.cpu() for name, tensor in tensors.items()}, temporary, metadata)
    temporary.replace(path)


def load_network(path: Path, device: torch.device | str = "cpu") -> Atcn:
    """The network of a weights file, in float32 and evaluation mode. Raises ModelError where it does not fit."""
    path = Path(path)
    hint = "Install the add-on again, or give a weights file made by atcn_core.train."
    if not path.is_file():
        raise ModelError(f"The network's weights {path.name} are missing.", hint=hint)
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The network's weights {path.name} are damaged.", hint=hint) from error
    if metadata.get("schema") != WEIGHTS_SCHEMA or json.loads(metadata.get("joints", "[]")) != list(CAPTURE.joints):
        raise ModelError(f"The weights {path.name} are of another kind ({metadata.get('schema', 'none')}).", hint=hint)
    try:
        network = Atcn(AtcnConfig(**json.loads(metadata["config"])))
        missing, unexpected = network.load_state_dict({n: t.float() for n, t in tensors.items()}, strict=False)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"The weights {path.name} do not fit the network.", hint=hint) from error
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise ModelError(f"The weights {path.name} do not fit the network.", hint=hint)
    return network.to(device).eval()
