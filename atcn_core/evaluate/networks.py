"""The networks under evaluation: weights files of every kind, each with a label that says what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..errors import ModelError
from ..lift.checkpoint import ATCN, BUNDLED, Weights, read_weights, restore
from ..lift.network import Atcn, AtcnConfig
from ..lift.predict import Lifter
from ..train.rivals import Rival, RivalConfig, build_rival

__all__ = ["BUNDLED_NAME", "Candidate", "Network", "as_atcn", "lifter_of", "load_candidates"]

Network = Atcn | Rival

BUNDLED_NAME = "bundled"
# What is not said of a network that has it.
_USUAL = {"kernels": (3, "M"), "groups": (8, "G"), "reduction": (128, "r")}


@dataclass(frozen=True)
class Candidate:
    """One network to score. label: unique among those given together; card: what its training wrote."""

    label: str
    file: str
    network: Network
    config: AtcnConfig | RivalConfig
    card: dict[str, Any]

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(p.numel() for p in self.network.parameters())


def load_candidates(paths: Sequence[Path]) -> list[Candidate]:
    """The networks of weights files; the path "bundled" is the add-on's own. Raises ModelError."""
    found = []
    for path in paths:
        weights = read_weights(BUNDLED if str(path) == BUNDLED_NAME else path)
        network, config = _build(weights)
        restore(network, weights)
        found.append(Candidate(_label(config), weights.name, network, config, weights.card))
    counts, seen = Counter(one.label for one in found), Counter()
    for index, one in enumerate(found):
        if counts[one.label] > 1:
            seen[one.label] += 1
            label = f"{one.label} ({seen[one.label]})"
            found[index] = Candidate(label, one.file, one.network, one.config, one.card)
    return found


def as_atcn(network: Network) -> Atcn:
    """For code that lifts: the rivals take and give what Atcn does, and have what it asks of the configuration."""
    return cast(Atcn, network)


def lifter_of(network: Network, device: str = "cpu") -> Lifter:
    """The network ready to lift clips."""
    return Lifter(as_atcn(network), device)


def _build(weights: Weights) -> tuple[Network, AtcnConfig | RivalConfig]:
    """The network a file's configuration describes, with random weights."""
    try:
        if weights.kind == ATCN:
            config = AtcnConfig(**weights.config)
            return Atcn(config), config
        rival = RivalConfig(**weights.config)
        return build_rival(rival), rival
    except (TypeError, ValueError) as error:
        hint = "Give a weights file made by atcn_core.train."
        raise ModelError(f"The weights {weights.name} are of a network unknown here ({error}).", hint=hint) from error


def _label(config: AtcnConfig | RivalConfig) -> str:
    """For tables: the name, the width, and what is unusual, as "ATCN L6xV4xN243 C256 no dilation"."""
    if isinstance(config, RivalConfig):
        return f"{config.name} C{config.channels}"
    parts = [f"ATCN {config.name} C{config.channels}"]
    parts += [
        f"{sign}{getattr(config, name)}" for name, (usual, sign) in _USUAL.items() if getattr(config, name) != usual
    ]
    if config.kernel_form != "separable":
        parts.append(config.kernel_form)
    if config.temporal_attention != "direct":
        parts.append("no attention" if config.temporal_attention == "off" else "chained attention")
    if not config.dilated_units:
        parts.append("no dilation")
    return " ".join(parts)
