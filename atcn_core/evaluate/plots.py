"""The paper's figures: error by joint, error over the frames, error under noise, and convergence."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from ..errors import MotionError
from .output import Figures, write_bytes
from .protocols import Row
from .takes import action_of

__all__ = ["draw_convergence", "draw_joints", "draw_noise", "draw_over_frames", "read_log", "write_plots"]

_DPI = 120
_PANELS = 4
_CURVES = {
    "train_mm": ("training", ":"),
    "val_clean_mm": ("held out, clean", "-"),
    "val_noisy_mm": ("held out, noisy", "--"),
}


def write_plots(figures: Figures, logs: Sequence[Path], folder: Path) -> list[Path]:
    """Draw what the figures hold, and the logs' convergence. Returns the files. Raises OutputError, MotionError."""
    drawn: dict[str, Figure] = {}
    if "joint" in figures.tables:
        drawn["joints"] = draw_joints(figures.tables["joint"][1])
    if figures.series:
        drawn["over_frames"] = draw_over_frames(figures.series)
    if "noise" in figures.tables:
        drawn["noise"] = draw_noise(figures.tables["noise"][1])
    if logs:
        drawn["convergence"] = draw_convergence({_run_name(path): read_log(path) for path in logs})
    for name, figure in drawn.items():
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=_DPI)
        write_bytes(folder / f"{name}.png", picture.getvalue())
    return [folder / f"{name}.png" for name in drawn]


def _one_panel(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(axis="y", alpha=0.3)
    return figure, axes


def draw_joints(rows: Sequence[Row]) -> Figure:
    """Fig. 8: Protocol 1 by joint, a bar for each network. rows: protocols.joint_rows."""
    figure, axes = _one_panel(11.0, 4.5)
    labels = [column for column in rows[0] if column != "joint"]
    width = 0.8 / len(labels)
    for number, label in enumerate(labels):
        places = [joint + (number - (len(labels) - 1) / 2) * width for joint in range(len(rows))]
        axes.bar(places, [float(str(row[label])) for row in rows], width, label=label)
    axes.set_xticks(range(len(rows)), [str(row["joint"]).replace("_", " ") for row in rows], rotation=40, ha="right")
    axes.set_ylabel("MPJPE (mm)")
    axes.legend()
    return figure


def draw_over_frames(series_mm: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Figs. 7 and 10: the error over the frames of the longest takes of different actions.

    series_mm: by network, then by take.
    """
    lengths = {take: len(values) for take, values in next(iter(series_mm.values())).items()}
    by_length = sorted(lengths, key=lambda take: lengths[take])
    takes = list({action_of(take): take for take in by_length}.values())
    takes = sorted(takes, key=lambda take: -lengths[take])[:_PANELS]
    figure = Figure(figsize=(11.0, 2.4 * len(takes)), layout="constrained")
    for number, take in enumerate(takes, start=1):
        axes = figure.add_subplot(len(takes), 1, number)
        for label, by_take in series_mm.items():
            axes.plot(by_take[take], linewidth=1.0, label=label)
        axes.set_title(take, fontsize=9)
        axes.set_ylabel("MPJPE (mm)")
        axes.set_ylim(bottom=0)
        axes.margins(x=0)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    figure.axes[-1].set_xlabel("frame")
    return figure


def draw_noise(rows: Sequence[Row]) -> Figure:
    """Table 11 as lines: Protocol 2 over the noise on the 2D. rows: tables.noise_rows; the last one is the factor."""
    figure, axes = _one_panel(8.0, 5.0)
    levels_px = [float(str(row["noise px"])) for row in rows[:-1]]
    for label in (column for column in rows[0] if column != "noise px"):
        known = [(level, row[label]) for level, row in zip(levels_px, rows, strict=False) if row[label] != "-"]
        style = ":" if label.startswith("paper") else "-"
        axes.plot(
            [x for x, _ in known], [float(str(y)) for _, y in known], style, marker="o", markersize=3, label=label
        )
    axes.set_xlabel("noise on the 2D joints (px of 1000)")
    axes.set_ylabel("P-MPJPE (mm)")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    return figure


def draw_convergence(logs: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]) -> Figure:
    """The loss curves of runs. logs: by run and curve, (windows, mm) pairs."""
    figure, axes = _one_panel(9.0, 5.0)
    for number, (run, curves) in enumerate(logs.items()):
        for name, (words, style) in _CURVES.items():
            if curves[name]:
                windows, errors_mm = zip(*curves[name], strict=True)
                look = {"color": f"C{number % 10}", "linewidth": 1.2, "marker": "" if name == "train_mm" else "."}
                axes.plot(windows, errors_mm, style, label=f"{run}: {words}", **look)
    axes.set_xlabel("training windows")
    axes.set_ylabel("MPJPE (mm)")
    axes.set_yscale("log")
    for axis_ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        axis_ticks(StrMethodFormatter("{x:.0f}"))
    axes.grid(which="both", alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def read_log(path: Path) -> dict[str, list[tuple[float, float]]]:
    """A training run's log.csv as (windows, mm) pairs by curve. Raises MotionError where it is none."""
    curves: dict[str, list[tuple[float, float]]] = {name: [] for name in _CURVES}
    try:
        with Path(path).open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                for name, curve in curves.items():
                    if row.get(name):
                        curve.append((float(row["windows"]), float(row[name])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MotionError(f"{path} is no training log.", hint="Give the log.csv of a run folder.") from error
    if not any(curves.values()):
        raise MotionError(f"{path} is no training log.", hint="Give the log.csv of a run folder.")
    return curves


def _run_name(path: Path) -> str:
    return path.resolve().parent.name
