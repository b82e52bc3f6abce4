"""Which weights files there are and what they say of themselves; without torch, which takes seconds to import."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ..errors import ModelError
from ..skeleton import CAPTURE

__all__ = ["ATCN", "BUNDLED", "HINT", "WEIGHTS_SCHEMA", "Label", "bundled_networks", "network_file", "read_label"]

WEIGHTS_SCHEMA = "atcn.weights/1"
WEIGHTS = Path(__file__).parent.parent / "weights"
BUNDLED = WEIGHTS / "atcn_l6xv4.safetensors"
# The kind of a file that names none, as the first ones did.
ATCN = "atcn"
HINT = "Install the add-on again, or give a weights file made by atcn_core.train."


@dataclass(frozen=True)
class Label:
    """What a weights file says of itself.

    kind:   "atcn", or the `kind` of another network's configuration.
    config: the configuration's fields.
    card:   what the training wrote about itself.
    """

    kind: str
    config: dict[str, Any]
    card: dict[str, Any]


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


def read_label(path: Path) -> Label:
    """A weights file's label. Raises ModelError where the file is missing, damaged, cut off or of another kind."""
    if not path.is_file():
        raise ModelError(f"The network's weights {path.name} are missing.", hint=HINT)
    try:
        with safe_open(path, framework="np") as stored:
            metadata = stored.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The network's weights {path.name} are damaged.", hint=HINT) from error
    if metadata.get("schema") != WEIGHTS_SCHEMA or json.loads(metadata.get("joints", "[]")) != list(CAPTURE.joints):
        raise ModelError(f"The weights {path.name} are of another kind ({metadata.get('schema', 'none')}).", hint=HINT)
    try:
        config, card = json.loads(metadata["config"]), json.loads(metadata.get("card", "{}"))
    except (KeyError, json.JSONDecodeError) as error:
        raise ModelError(f"The network's weights {path.name} are damaged.", hint=HINT) from error
    return Label(metadata.get("kind", ATCN), config, card)
