"""One file per prototype: what a training run consists of, read from TOML and checked before anything is loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import nn

from ..errors import MotionError
from ..lift.network import Atcn, AtcnConfig
from ..skeleton import CAPTURE
from .loop import TrainOptions
from .losses import LossOptions
from .rivals import KINDS, RivalConfig, build_rival
from .sampler import SampleOptions

__all__ = ["CONFIGS", "RunConfig", "load_config"]

CONFIGS = Path(__file__).parent / "configs"
# What the sampler's windows hold, whatever the network.
_WINDOW = {"joints_in": len(CAPTURE), "joints_out": len(CAPTURE), "values_per_joint": 3, "root": CAPTURE.index("hip")}


@dataclass(frozen=True)
class RunConfig:
    """network: what is trained; train, losses, samples: how, on what."""

    network: AtcnConfig | RivalConfig
    train: TrainOptions = field(default_factory=TrainOptions)
    losses: LossOptions = field(default_factory=LossOptions)
    samples: SampleOptions = field(default_factory=SampleOptions)

    def build(self) -> nn.Module:
        """The network, freshly initialised."""
        return Atcn(self.network) if isinstance(self.network, AtcnConfig) else build_rival(self.network)


def load_config(name: str, changes: Iterable[str] = ()) -> RunConfig:
    """A config by its name in `configs/` or its path, with changes as "section.key=value" (TOML values).

    Sections: network (kind "atcn" or a rival's, and the fields of its config), train, losses, samples.
    Raises MotionError with the file and the key named.
    """
    path = Path(name) if name.endswith(".toml") else CONFIGS / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in CONFIGS.glob("*.toml")))
        raise MotionError(f"There is no training configuration {name}.", hint=f"Give a .toml file or one of {known}.")
    sections = _parsed(path.read_text(), path.name)
    for change in changes:
        place, _, value = change.partition("=")
        section, _, key = place.strip().partition(".")
        if not key or not value:
            raise MotionError(f"{change!r} changes nothing.", hint="Write section.key=value, as in train.batch=512.")
        sections.setdefault(section, {})[key] = _parsed(f"value = {value}", change)["value"]
    return _run_config(sections, path.name)


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MotionError(f"{name} is no TOML: {error}.", hint="Text values stand in quotes.") from error


def _run_config(sections: Mapping[str, Any], name: str) -> RunConfig:
    for section in sections:
        if section not in ("network", "train", "losses", "samples"):
            raise MotionError(f"{name} has an unknown section {section}.", hint="See atcn_core/train/config.py.")
    network = dict(sections.get("network", {}))
    kind = network.pop("kind", "atcn")
    if kind != "atcn" and kind not in KINDS:
        raise MotionError(f"{name}: network.kind is {kind!r}.", hint=f"Give atcn, {', '.join(KINDS)}.")
    if kind == "atcn":
        built: AtcnConfig | RivalConfig = _made(AtcnConfig, _WINDOW | network, name, "network")
    else:
        built = _made(RivalConfig, {"kind": kind, "dropout": KINDS[kind][1]} | _WINDOW | network, name, "network")
    return RunConfig(
        built,
        _made(TrainOptions, sections.get("train", {}), name, "train"),
        _made(LossOptions, sections.get("losses", {}), name, "losses"),
        _made(SampleOptions, sections.get("samples", {}), name, "samples"),
    )


def _made(kind: Any, values: Mapping[str, Any], name: str, section: str) -> Any:
    """A frozen options object from its TOML table; nested ones (camera, body, noise, augment) may be false."""
    known = {f.name: f for f in fields(kind)}
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise MotionError(f"{name}: {section} has no {key}.", hint=f"It has {', '.join(known)}.")
        if isinstance(value, dict):
            factory: Any = known[key].default_factory
            value = _made(type(factory()), value, name, f"{section}.{key}")
        elif value is False and section == "samples" and key in ("body", "noise", "augment"):
            value = None
        arguments[key] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise MotionError(f"{name}: {section}: {error}.", hint="See atcn_core/train/config.py.") from error
