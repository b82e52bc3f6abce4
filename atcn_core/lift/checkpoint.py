"""Network weights on disk: one safetensors file that carries its own configuration. Training state lives elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import ModelError
from ..skeleton import CAPTURE
from .network import Atcn, AtcnConfig
from .weights import ATCN, HINT, WEIGHTS_SCHEMA, Label, read_label

__all__ = ["Weights", "load_network", "read_weights", "restore", "save_network"]


@dataclass(frozen=True)
class Weights(Label):
    """What a weights file holds, before a network is made of it.

    tensors: the network's state, without the counters of BatchNorm.
    """

    name: str
    tensors: dict[str, Tensor]


def save_network(path: Path, network: nn.Module, card: dict[str, object] | None = None) -> None:
    """Write weights in half precision with configuration and model card, under a temporary name first.

    network: one whose `config` is a dataclass; its `kind`, where it has one, is kept as the file's kind.
    """
    tensors = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    config = asdict(network.config)  # type: ignore[arg-type]  # a module's attributes have no type of their own
    metadata = {
        "schema": WEIGHTS_SCHEMA,
        "kind": config.get("kind", ATCN),
        "config": json.dumps(config),
        "joints": json.dumps(CAPTURE.joints),
        "card": json.dumps(card or {}),
    }
    temporary = Path(path).with_suffix(".part")
    save_file({name: tensor.cpu() for name, tensor in tensors.items()}, temporary, metadata)
    temporary.replace(path)


def read_weights(path: Path) -> Weights:
    """The contents of a weights file. Raises ModelError where it is missing, damaged or of another kind of file."""
    path = Path(path)
    label = read_label(path)
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The network's weights {path.name} are damaged.", hint=HINT) from error
    return Weights(label.kind, label.config, label.card, path.name, tensors)


def restore(network: nn.Module, weights: Weights, device: torch.device | str = "cpu") -> nn.Module:
    """`network` with the file's weights, in float32 and evaluation mode. Raises ModelError where they do not fit."""
    problem = ModelError(f"The weights {weights.name} do not fit the network.", hint=HINT)
    try:
        tensors = {name: tensor.float() for name, tensor in weights.tensors.items()}
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise problem from error
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise problem
    return network.to(device).eval()


def load_network(path: Path, device: torch.device | str = "cpu") -> Atcn:
    """The ATCN of a weights file, in float32 and evaluation mode. Raises ModelError where it does not fit."""
    weights = read_weights(path)
    if weights.kind != ATCN:
        raise ModelError(f"The weights {weights.name} are of another network ({weights.kind}).", hint=HINT)
    try:
        network = Atcn(AtcnConfig(**weights.config))
    except (TypeError, ValueError) as error:
        raise ModelError(f"The weights {weights.name} do not fit the network.", hint=HINT) from error
    restore(network, weights, device)
    return network
