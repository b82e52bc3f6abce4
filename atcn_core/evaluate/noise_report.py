"""Runs the detector over films with known joints and prints what its errors are made of.

    python -m atcn_core.evaluate.noise_report --clips DIR [--sensor-noise STD] [--json OUT] [--markdown OUT]

DIR holds <name>.mp4 with <name>_truth.npz beside it (rigs/render_noise_clips.py, rigs/render_demo.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clip import Keypoints2D
from ..console import EXIT_FAILED, complain
from ..detect import Detection, Detector, create_detector
from ..detect.enhance import enhanced
from ..detect.track import track_person
from ..errors import AtcnError
from ..reporter import Reporter
from .detected import Truth2D, compare, films_with_truth, load_truth
from .detector_noise import GROUPS, noise_statistics

__all__ = ["Film", "GrainyDetector", "as_markdown", "detected_films", "main", "measured", "proposal"]


class GrainyDetector:
    """A detector before whose eyes every picture gets a camera's grain, which rendered films lack."""

    def __init__(self, detector: Detector, std: float, seed: int = 0) -> None:
        """std: of the grain, of 255."""
        self.skeleton = detector.skeleton
        self._detector, self._std = detector, std
        self._random = np.random.default_rng(seed)

    def open(self) -> None:
        """See Detector."""
        self._detector.open()

    def detect(self, picture_bgr: np.ndarray, time_s: float) -> Detection | None:
        """See Detector."""
        grain = self._random.normal(0.0, self._std, picture_bgr.shape)
        grainy = np.clip(picture_bgr + grain, 0, 255).astype(np.uint8) if self._std > 0 else picture_bgr
        return self._detector.detect(grainy, time_s)

    def close(self) -> None:
        """See Detector."""
        self._detector.close()


@dataclass(frozen=True)
class Film:
    """A film with known joints and what the detector found in it."""

    name: str
    found: Keypoints2D
    truth: Truth2D


def detected_films(folder: Path, *, sensor_noise: float = 0.0, reporter: Reporter | None = None) -> list[Film]:
    """Every film of a folder that has its truth beside it. sensor_noise: std of the grain added, of 255.

    Raises MotionError where there is none, and what tracking and reading raise.
    """
    films = []
    for film, truth in films_with_truth(folder):
        detector = GrainyDetector(create_detector("mediapipe"), sensor_noise)
        found = track_person(film, detector, reporter=reporter).keypoints
        films.append(Film(film.stem, found, load_truth(truth)))
    return films


def measured(films: Sequence[Film]) -> dict[str, dict]:
    """The statistics "as_found" and "enhanced", the latter with the 2D put right as before lifting."""
    return {
        "as_found": noise_statistics([compare(film.name, film.found, film.truth) for film in films]),
        "enhanced": noise_statistics([compare(film.name, enhanced(film.found), film.truth) for film in films]),
    }


def proposal(statistics: dict) -> dict:
    """What train/noise.py would be told: medians over the joints' groups, and each group's factor on them."""
    groups = statistics["groups"]

    def middle(part: str) -> float:
        return float(np.median([group[part] for group in groups.values()]))

    total = middle("total")
    guesses = [group["guessed_std"] / group["total"] for group in groups.values() if group["guessed_std"]]
    return {
        **{part: middle(part) for part in ("bias", "slow", "slow_s", "quick", "quick_s", "jitter", "lag_s")},
        "level_log_std": statistics["level_log_std"],
        "guessed_factor": float(np.median(guesses)) if guesses else None,
        "factors": {name: group["total"] / total for name, group in groups.items()},
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _permille(value: float | None) -> str:
    return "-" if value is None else f"{1000.0 * value:.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100.0 * value:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def as_markdown(measures: dict[str, dict]) -> str:
    """The figures of `measured` as Markdown tables; lengths in thousandths of the person's height."""
    given, found = measures["enhanced"], measures["as_found"]
    sections = [
        ("What the errors of joints with a score over 0.5 are made of", _parts_table(given)),
        ("The same as found, not put right before lifting", _parts_table(found)),
        ("Where the detector means another point than the avatar's joint", _offset_table(given)),
        ("Lag as found, by speed of the true joint in heights a second", _lag_table(found)),
        ("What the detector claims to see", _score_table(given)),
        ("Gross errors, low scores, swaps, misses", _run_table(given)),
        ("Gross errors, low scores, swaps, misses as found", _run_table(found)),
        ("Errors that go together", _together_table(given)),
        ("In short", _proposal_table({name: proposal(statistics) for name, statistics in measures.items()})),
        ("The films", _clip_table(given)),
    ]
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in sections) + "\n"


def _proposal_table(proposals: dict[str, dict]) -> str:
    """Medians over the groups of joints, of joints with a score over 0.5."""
    rows = []
    for part in ("bias", "slow", "quick", "jitter"):
        rows.append((part, *(_permille(figures[part]) for figures in proposals.values())))
    for part in ("slow_s", "quick_s", "lag_s", "level_log_std", "guessed_factor"):
        rows.append((part, *("-" if f[part] is None else f"{f[part]:.3f}" for f in proposals.values())))
    for group in GROUPS:
        rows.append((f"factor: {group}", *(f"{figures['factors'][group]:.2f}" for figures in proposals.values())))
    return _table(("figure", *(name.replace("_", " ") for name in proposals)), rows)


def _parts_table(statistics: dict) -> str:
    head = ("joint", "median error", "bias", "slow", "for", "quick", "for", "jitter", "in all", "guessed", "hidden")
    head = (*head, "autocorrelation after 1 / 5 / 15 / 30 frames")
    rows = [
        (
            name,
            *(_permille(group[key]) for key in ("median_error", "bias", "slow")),
            f"{group['slow_s']:.1f} s",
            _permille(group["quick"]),
            f"{group['quick_s']:.2f} s",
            *(_permille(group[key]) for key in ("jitter", "total", "guessed_std", "hidden_std")),
            " / ".join(f"{value:.2f}" for value in group["autocorrelation"].values()),
        )
        for name, group in statistics["groups"].items()
    ]
    return _table(head, rows)


def _offset_table(statistics: dict) -> str:
    rows = [
        (name, ", ".join(f"{axis} {1000.0 * step:+.1f}" for axis, step in group["offset"].items()))
        for name, group in statistics["groups"].items()
    ]
    return _table(("joint", "offset along its own axes"), rows)


def _lag_table(statistics: dict) -> str:
    groups = statistics["groups"]
    spans = next(iter(groups.values()))["lag_s_by_speed"]
    head = ("joint", "all", *(f"{b['from']}-{b['to'] if b['to'] else ''}" for b in spans))
    rows = [
        (
            name,
            f"{1000.0 * group['lag_s']:.0f} ms",
            *(f"{1000.0 * b['lag_s']:.0f} ms" if b["frames"] >= 30 else "-" for b in group["lag_s_by_speed"]),
        )
        for name, group in groups.items()
    ]
    return _table(head, rows)


def _score_table(statistics: dict) -> str:
    rows = [
        (
            f"{b['from']}-{b['to']}",
            *(_percent(b[key]) for key in ("share", "hidden", "gross", "twin")),
            _permille(b["rest_std"]),
        )
        for b in statistics["scores"]
    ]
    return _table(
        ("score", "share of joints", "of them hidden", "gross error", "nearer to its twin", "std of all but the gross"),
        rows,
    )


def _run_table(statistics: dict) -> str:
    named = {f"{name}: gross": group["gross"] for name, group in statistics["groups"].items()}
    named |= {f"{name}: score up to 0.5": group["guessed"] for name, group in statistics["groups"].items()}
    named |= {f"{limb} swapped": run for limb, run in statistics["swaps"].items()}
    named["nobody found"] = statistics["misses"]
    rows = [
        (name, _percent(run["share"]), str(run["runs"]), _number(run["median_frames"]), _number(run["longest_frames"]))
        for name, run in named.items()
        if run["runs"]
    ]
    return _table(("what", "frames", "times", "median length in frames", "longest"), rows)


def _together_table(statistics: dict) -> str:
    return _table(("joints", "correlation"), [(n, f"{value:.2f}") for n, value in statistics["together"].items()])


def _clip_table(statistics: dict) -> str:
    keys = ("median_error", "p90_error", "p99_error", "rest_std")
    rows = [(clip["name"], str(clip["frames"]), *(_permille(clip[k]) for k in keys)) for clip in statistics["clips"]]
    return _table(("film", "frames", "median error", "90 %", "99 %", "std"), rows)


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="atcn_core.evaluate.noise_report", description="What a detector's errors are made of."
    )
    parser.add_argument("--clips", type=Path, required=True, metavar="DIR", help="films with their truth beside them")
    parser.add_argument("--sensor-noise", type=float, default=0.0, metavar="STD", help="grain added, of 255")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--markdown", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    try:
        measures = measured(detected_films(options.clips, sensor_noise=options.sensor_noise))
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    figures = {name: statistics | {"proposal": proposal(statistics)} for name, statistics in measures.items()}
    if options.json:
        text = json.dumps({"sensor_noise": options.sensor_noise, **figures}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    text = as_markdown(measures)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
