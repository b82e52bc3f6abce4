"""The paper's tables with our numbers beside the printed ones. The paper's are of Human3.6M, ours of our own data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch

from ..lift.network import Atcn, AtcnConfig
from ..skeleton import H36M_17
from ..train.rivals import RivalConfig, build_rival
from .networks import Candidate
from .protocols import Row

__all__ = ["PAPER_NOISE_P2_MM", "ablation_tables", "causal_rows", "noise_rows", "protocol_rows"]

# Table 11, Protocol 2 by the noise's standard deviation in px: 0, 5, 10, 15, 20.
PAPER_NOISE_P2_MM = {
    "paper: Martinez": (37.1, 46.7, 52.8, 60.0, 70.2),
    "paper: Hossain": (31.7, 37.5, 49.4, 61.8, 73.7),
    "paper: VideoPose3D": (28.1, 30.9, 39.3, 50.3, 62.2),
    "paper: ATCN": (26.1, 28.3, 36.7, 42.5, 56.2),
}
# Tables 6 to 8: the columns, and printed rows by (data set, protocol, true 2D); the average comes last.
_COLUMNS = {
    "Human3.6M": {
        **{"Directions": "Dir.", "Discussion": "Disc.", "Eating": "Eat", "Greeting": "Greet", "Phoning": "Phone"},
        **{"Photo": "Photo", "Posing": "Pose", "Purchases": "Pur.", "Sitting": "Sit", "SittingDown": "SitD."},
        **{"Smoking": "Smoke", "Waiting": "Wait", "WalkDog": "WalkD.", "Walking": "Walk", "WalkTogether": "WalkT."},
    },
    "HumanEva": {f"{action} S{n}": f"{action} S{n}" for action in ("Walk", "Jog", "Box") for n in (1, 2, 3)},
}
_PAPER_BY_ACTION_MM = {
    ("Human3.6M", 1, True): {
        "paper: VideoPose3D": "35.2 40.2 32.7 35.7 38.2 45.5 40.6 36.1 48.8 47.3 37.8 39.7 38.7 27.8 29.5 37.8",
        "paper: ATCN": "33.0 35.7 31.7 32.4 32.1 36.5 37.2 32.6 40.7 41.4 32.6 33.1 30.9 24.9 25.9 33.4",
    },
    ("Human3.6M", 1, False): {
        "paper: VideoPose3D (CPN)": "45.2 46.7 43.3 45.6 48.1 55.1 44.6 44.3 57.3 65.8 47.1 44.0 49.0 32.8 33.9 46.8",
        "paper: ATCN (CPN)": "41.8 44.0 41.1 43.9 47.4 54.1 42.1 42.2 55.3 63.6 45.3 42.7 45.3 31.3 32.2 44.8",
    },
    ("Human3.6M", 2, False): {
        "paper: VideoPose3D (CPN)": "34.1 36.1 34.4 37.2 36.4 42.2 34.4 33.6 45.0 52.5 37.4 33.8 37.8 25.6 27.3 36.5",
        "paper: ATCN (CPN)": "32.3 35.2 33.3 35.8 35.9 41.5 33.2 32.7 44.6 50.9 37.0 32.4 37.0 25.2 27.2 35.6",
    },
    ("HumanEva", 2, False): {
        "paper: VideoPose3D": "13.4 10.2 27.2 17.1 13.1 13.8 - - - 15.8",
        "paper: ATCN": "13.1 9.8 26.8 16.9 12.8 13.3 - - - 15.4",
    },
}
_PAPER_LEVELS_PX = (0.0, 5.0, 10.0, 15.0, 20.0)
# Tables 6 and 10, ground-truth 2D, Protocol 1: by causality and receptive field.
_PAPER_P1_MM = {(False, 243): 33.4, (False, 81): 36.2, (False, 27): 38.9}
_PAPER_CAUSAL_P1_MM = {(True, 243): 35.5, (True, 81): 37.1, (True, 27): 39.7}
_BLANK = "-"


def noise_rows(p2_mm: Mapping[str, Mapping[float, float]]) -> list[Row]:
    """Table 11, and in its last row the highest level over the lowest. p2_mm: Protocol 2 by network and level."""
    columns = {label: dict(levels) for label, levels in p2_mm.items()}
    columns |= {label: dict(zip(_PAPER_LEVELS_PX, values, strict=True)) for label, values in PAPER_NOISE_P2_MM.items()}
    levels = sorted({level for own in p2_mm.values() for level in own})
    rows: list[Row] = [
        {"noise px": f"{level:g}", **{label: _shown(column.get(level)) for label, column in columns.items()}}
        for level in levels
    ]
    low, high = levels[0], levels[-1]
    factors = {
        label: f"{column[high] / column[low]:.2f}" if high in column and low in column else _BLANK
        for label, column in columns.items()
    }
    return [*rows, {"noise px": f"{high:g} over {low:g}", **factors}]


def protocol_rows(
    dataset: str, protocol: int, true_2d: bool, errors_mm: Mapping[str, Mapping[str, float]]
) -> list[Row]:
    """Tables 6 to 8 of "Human3.6M" or "HumanEva": a row a network, a column an action, and their mean.

    errors_mm: by network and action. Beside them the paper's rows of this protocol and this kind of 2D.
    """
    names = _COLUMNS[dataset]
    found = list(dict.fromkeys(action for own in errors_mm.values() for action in own))
    actions = [action for action in names if action in found] + [action for action in found if action not in names]
    rows: list[Row] = []
    for label, own in errors_mm.items():
        columns = {names.get(action, action): round(own[action], 1) for action in actions}
        rows.append({"network": label, **columns, "Avg": round(sum(own.values()) / len(own), 1)})
    for label, printed in _PAPER_BY_ACTION_MM.get((dataset, protocol, true_2d), {}).items():
        *values, average = printed.split()
        by_action = dict(zip(names, values, strict=True))
        columns = {names.get(action, action): by_action.get(action, _BLANK) for action in actions}
        rows.append({"network": label, **columns, "Avg": average})
    return rows


def causal_rows(candidates: Sequence[Candidate], p1_mm: Mapping[str, float]) -> list[Row]:
    """Table 10: every ATCN given, causal or not, beside the paper's. p1_mm: Protocol 1 by label, true 2D."""
    paper = _PAPER_P1_MM | _PAPER_CAUSAL_P1_MM
    rows: list[Row] = []
    for (causal, frames), printed in sorted(paper.items()):
        rows.append(
            {
                "frames": frames,
                "causal": "yes" if causal else "no",
                "ours P1": _listed(candidates, p1_mm, lambda one, c=causal, n=frames: _is_whole(one.config, c, n)),
                "paper P1": printed,
            }
        )
    return rows


def _is_whole(config: AtcnConfig | RivalConfig, causal: bool, frames: int) -> bool:
    """Whether it is an ATCN of this kind with both temporal attention and dilated units."""
    if not isinstance(config, AtcnConfig) or (config.causal, config.frames) != (causal, frames):
        return False
    return config.temporal_attention != "off" and config.dilated_units


def _shown(value: float | None) -> object:
    return _BLANK if value is None else round(value, 1)


@dataclass(frozen=True)
class _Setting:
    """One row of an ablation table: what is set, the paper's size in millions and its error; None where not printed."""

    table: str
    stages: int = 5
    kernels: int = 3
    groups: int = 8
    reduction: int = 128
    attention: bool = True
    dilation: bool = False
    rival: bool = False
    paper_millions: float | None = None
    paper_p1_mm: float | None = None

    @property
    def config(self) -> AtcnConfig:
        """The network as the paper counts it: 17 joints, 1024 channels, grouped convolutions."""
        return AtcnConfig(
            len(H36M_17),
            len(H36M_17),
            stages=self.stages,
            kernels=self.kernels,
            groups=self.groups,
            reduction=self.reduction,
            kernel_form="grouped",
            temporal_attention="chain" if self.attention else "off",
            dilated_units=self.dilation,
        )


def _table(name: str, *settings: _Setting) -> tuple[_Setting, ...]:
    return tuple(replace(setting, table=name) for setting in settings)


def _at(**values: object) -> _Setting:
    return _Setting("", **values)  # type: ignore[arg-type]  # checked by the dataclass's own names


# Table 3's rows with kernels wider than 3 are left out: the networks here have width 3 alone.
_ABLATIONS = {
    "table_2": _table(
        "kernels, groups, reduction",
        _at(rival=True, paper_millions=16.95, paper_p1_mm=37.8),
        _at(kernels=2, paper_millions=9.14, paper_p1_mm=37.1),
        _at(kernels=3, paper_millions=11.25, paper_p1_mm=35.5),
        _at(kernels=4, paper_millions=13.36, paper_p1_mm=38.0),
        _at(groups=1, paper_millions=44.25, paper_p1_mm=37.4),
        _at(groups=2, paper_millions=25.41, paper_p1_mm=35.3),
        _at(groups=4, paper_millions=15.97, paper_p1_mm=35.6),
        _at(groups=16, paper_millions=8.89, paper_p1_mm=37.3),
        _at(reduction=64, paper_millions=10.20, paper_p1_mm=35.9),
        _at(reduction=256, paper_millions=13.35, paper_p1_mm=36.2),
    ),
    "table_3": _table(
        "receptive field",
        _at(stages=3, rival=True, paper_millions=8.56, paper_p1_mm=40.6),
        _at(stages=3, kernels=2, groups=4, paper_millions=6.21, paper_p1_mm=40.0),
        _at(stages=3, paper_millions=5.69, paper_p1_mm=39.5),
        _at(stages=4, paper_millions=8.46, paper_p1_mm=37.8),
        _at(stages=5, paper_millions=11.25, paper_p1_mm=35.5),
    ),
    "table_4": _table(
        "attention and dilation",
        *(
            _at(stages=stages, attention=attention, dilation=dilation, paper_p1_mm=p1)
            for stages, errors in ((3, (39.5, 39.2, 38.9)), (4, (37.8, 37.2, 36.2)), (5, (35.5, 35.3, 33.4)))
            for (attention, dilation), p1 in zip(((True, False), (False, True), (True, True)), errors, strict=True)
        ),
    ),
}


# Table 5: each step, the paper's error with ground-truth 2D, and the rank that `_step` gives a network on it.
_STEPS = (
    ("VideoPose3D, 27 frames", 40.6),
    ("+ receptive field, 243 frames", 37.8),
    ("+ attention", 35.5),
    ("+ dilation", 34.7),
    ("+ project on 2D", 34.5),
    ("+ data augment (ours: in every row)", 33.4),
)


def _step(candidate: Candidate) -> int | None:
    """The row of Table 5 that a network is on, None for one that is on none."""
    config = candidate.config
    if isinstance(config, RivalConfig):
        return {27: 0, 243: 1}.get(config.frames) if config.kind == "videopose3d" and not config.causal else None
    if config.causal or config.stages != 5 or config.temporal_attention == "off":
        return None
    if not config.dilated_units:
        return 2
    losses = candidate.card.get("config", {}).get("losses", {})
    return 4 if losses.get("projection", 0.0) > 0 else 3


def ablation_tables(candidates: Sequence[Candidate], p1_mm: Mapping[str, float]) -> dict[str, list[Row]]:
    """Tables 2 to 5: each setting's size as the paper counts it and in our own form, and the scores of the networks
    given that have it (in Tables 2 and 3 those with dilated units too, which the paper's rows have not)."""
    tables = {name: [_row(setting, candidates, p1_mm) for setting in settings] for name, settings in _ABLATIONS.items()}
    tables["table_5"] = [
        {
            "step": step,
            "ours P1": _listed(candidates, p1_mm, lambda one, n=number: _step(one) == n),
            "paper P1": printed,
        }
        for number, (step, printed) in enumerate(_STEPS)
    ]
    return tables


def _listed(candidates: Sequence[Candidate], p1_mm: Mapping[str, float], wanted: Callable[[Candidate], bool]) -> str:
    """The errors of all networks that are wanted, or a dash."""
    return ", ".join(f"{p1_mm[one.label]:.1f}" for one in candidates if wanted(one)) or _BLANK


def _row(setting: _Setting, candidates: Sequence[Candidate], p1_mm: Mapping[str, float]) -> Row:
    as_printed, own = _sizes(setting)
    return {
        "network": "VideoPose3D" if setting.rival else "ATCN",
        "frames": 3**setting.stages,
        "M": _BLANK if setting.rival else setting.kernels,
        "G": _BLANK if setting.rival else setting.groups,
        "r": _BLANK if setting.rival else setting.reduction,
        "attention": "on" if setting.attention and not setting.rival else "off",
        "dilated units": "on" if setting.dilation else "off",
        "parameters": as_printed,
        "paper's": f"{setting.paper_millions:.2f}M" if setting.paper_millions else _BLANK,
        "our form": own,
        "ours P1": _listed(candidates, p1_mm, lambda one: _has(one, setting)),
        "paper P1": setting.paper_p1_mm or _BLANK,
    }


@cache
def _sizes(setting: _Setting) -> tuple[str, str]:
    """Parameters as the paper counts them and in our form, in millions."""
    with torch.device("meta"):  # sizes only: no memory, no random numbers
        if setting.rival:
            rival = build_rival(RivalConfig("videopose3d", 17, 17, 3**setting.stages, values_per_joint=2))
            return _millions(rival), _millions(rival)
        form = "direct" if setting.attention else "off"
        own = replace(setting.config, kernel_form="separable", temporal_attention=form)
        return _millions(Atcn(setting.config)), _millions(Atcn(own))


def _millions(network: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f}M"


def _has(candidate: Candidate, setting: _Setting) -> bool:
    """Whether a network given is this row's, at whatever width."""
    config = candidate.config
    if isinstance(config, RivalConfig):
        wanted = (config.kind, config.frames, config.causal) == ("videopose3d", 3**setting.stages, False)
        return setting.rival and wanted
    if setting.rival or config.causal:
        return False
    sizes = (config.stages, config.kernels, config.groups, config.reduction, config.temporal_attention != "off")
    same = sizes == (setting.stages, setting.kernels, setting.groups, setting.reduction, setting.attention)
    any_dilation = setting.table in ("kernels, groups, reduction", "receptive field")
    return same and (any_dilation or config.dilated_units == setting.dilation)
