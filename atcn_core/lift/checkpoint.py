"""Network weights on disk: one safetensors file that carries its own configuration. Training state lives elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import ModelError
from ..skeleton import CAPTURE
from .network import Atcn, AtcnConfig

__all__ = [
    "ATCN",
    "BUNDLED",
    "Weights",
    "bundled_networks",
    "load_network",
    "network_file",
    "read_weights",
    "restore",
    "save_network",
]

WEIGHTS_SCHEMA = "atcn.weights/1"
WEIGHTS = Path(__file__).parent.parent / "weights"
BUNDLED = WEIGHTS / "atcn_l6xv4.safetensors"
# The kind of a file that names none, as the first ones did.
ATCN = "atcn"
_HINT = "Install the add-on again, or give a weights file made by atcn_core.train."


@dataclass(frozen=True)
class Weights:
    """What a weights file holds, before a network is made of it.

    kind:    "atcn", or the `kind` of another network's configuration.
    config:  the configuration's fields.
    card:    what the training wrote about itself.
    tensors: the network's state, without the counters of BatchNorm.
    """

    name: str
    kind: str
    config: dict[str, Any]
    card: dict[str, Any]
    tensors: dict[str, Tensor]


def bundled_networks() -> dict[str, Path]:
    """The networks that come with the project, by name: "l6xv4" and what else lies in the folder of weights."""
    return {path.stem.removeprefix("atcn_"): path for path in sorted(WEIGHTS.glob("atcn_*.safetensors"))}


def network_file(name: str) -> Path:
    """The weights of a bundled network's name, or the weights file itself. Raises ModelError."""
    known = bundled_networks()
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix != ".safetensors" or not path.is_file():
        raise ModelError(f"There is no network {name}.", hint=f"Give a weights file or one of {', '.join(known)}.")
    return path


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
    if not path.is_file():
        raise ModelError(f"The network's weights {path.name} are missing.", hint=_HINT)
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The network's weights {path.name} are damaged.", hint=_HINT) from error
    if metadata.get("schema") != WEIGHTS_SCHEMA or json.loads(metadata.get("joints", "[]")) != list(CAPTURE.joints):
        raise ModelError(f"The weights {path.name} are of another kind ({metadata.get('schema', 'none')}).", hint=_HINT)
    try:
        config, card = json.loads(metadata["config"]), json.loads(metadata.get("card", "{}"))
    except (KeyError, json.JSONDecodeError) as error:
        raise ModelError(f"The network's weights {path.name} are damaged.", hint=_HINT) from error
    return Weights(path.name, metadata.get("kind", ATCN), config, card, tensors)


def restore(network: nn.Module, weights: Weights, device: torch.device | str = "cpu") -> nn.Module:
    """`network` with the file's weights, in float32 and evaluation mode. Raises ModelError where they do not fit."""
    problem = ModelError(f"The weights {weights.name} do not fit the network.", hint=_HINT)
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
        raise ModelError(f"The weights {weights.name} are of another network ({weights.kind}).", hint=_HINT)
    try:
        network = Atcn(AtcnConfig(**weights.config))
    except (TypeError, ValueError) as error:
        raise ModelError(f"The weights {weights.name} do not fit the network.", hint=_HINT) from error
    restore(network, weights, device)
    return network
