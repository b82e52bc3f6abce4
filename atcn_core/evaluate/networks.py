"""The networks under evaluation: weights files of every kind, each with a label that says what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from ..errors import ModelError
from ..lift.checkpoint import Weights, read_weights, restore
from ..lift.network import Atcn, AtcnConfig
from ..lift.predict import Lifter
from ..lift.weights import ATCN, BUNDLED
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
    file: Path
    network: Network
    config: AtcnConfig | RivalConfig
    card: dict[str, Any]

    @property
    def file_name(self) -> str:
        """The file's name, with the run's folder where it is not one of the add-on's own."""
        return self.file.name if self.file.parent == BUNDLED.parent else f"{self.file.parent.name}/{self.file.name}"

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(p.numel() for p in self.network.parameters())


def load_candidates(paths: Sequence[Path]) -> list[Candidate]:
    """The networks of weights files; the path "bundled" is the add-on's own. Raises ModelError."""
    found = []
    for given in paths:
        path = BUNDLED if str(given) == BUNDLED_NAME else Path(given).resolve()
        weights = read_weights(path)
        network, config = _build(weights)
        restore(network, weights)
        found.append(Candidate(_label(config), path, network, config, weights.card))
    return _told_apart(found)


def _told_apart(candidates: list[Candidate]) -> list[Candidate]:
    """Equal labels get the name of the run's folder, or a number where that is the same too."""
    for mark in (lambda number, one: one.file.parent.name, lambda number, one: number):
        counts, seen = Counter(one.label for one in candidates), Counter()
        for index, one in enumerate(candidates):
            if counts[one.label] > 1:
                seen[one.label] += 1
                candidates[index] = replace(one, label=f"{one.label} ({mark(seen[one.label], one)})")
    return candidates


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
