"""Take reports side by side: the table of docs/take_report.md.

python -m atcn_core.evaluate.report_table REPORT.json [more.json] [--into docs/take_report.md]

The reports are those that captures write (--report), with the rig's figures where Blender wrote them.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from ..errors import OutputError
from ..motion.take_report import TakeReport, from_json
from .report_command import add_into, reported

__all__ = ["main", "rows_of"]

_COLUMNS = (
    ("found %", "found_percent", 0),
    ("seen %", "seen_percent", 0),
    ("beside the picture %", "reprojection_percent", 1),
    ("feet slide cm/s", "foot_slide_cm_s", 1),
    ("on the rig cm/s", "rig_foot_slide_cm_s", 1),
    ("below the floor cm", "rig_below_floor_cm", 2),
    ("at worst cm", "rig_deepest_cm", 1),
    ("jitter mm/frame²", "jitter_mm", 1),
    ("way m", "way_m", 1),
    ("swing kept %", "arm_swing_percent", 0),
    ("doubtful %", "doubtful_percent", 0),
)


def rows_of(reports: dict[str, TakeReport]) -> list[dict[str, object]]:
    """One row a report, by its name; "-" where a clip says nothing of a figure."""
    return [{"video": name, "frames": report.frames, **_figures(report)} for name, report in reports.items()]


def _figures(report: TakeReport) -> dict[str, object]:
    values = {words: getattr(report, field) for words, field, _ in _COLUMNS}
    digits = {words: number for words, _, number in _COLUMNS}
    row: dict[str, object] = {
        words: "-" if value is None else f"{value:.{digits[words]}f}" for words, value in values.items()
    }
    counts = Counter(doubt.reason for doubt in report.doubtful)
    reasons = [f"{reason} ({count})" if count > 1 else reason for reason, count in counts.most_common()]
    return row | {"to look at": ", ".join(reasons) or "-"}


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code: 0, or 2 for an expected failure."""
    parser = argparse.ArgumentParser(
        prog="python -m atcn_core.evaluate.report_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reports", type=Path, nargs="+", metavar="REPORT", help="the .json files of take reports")
    add_into(parser)
    arguments = parser.parse_args(words)
    return reported(lambda: ("reports", rows_of(_reports(arguments.reports))), page=arguments.into)


def _reports(paths: list[Path]) -> dict[str, TakeReport]:
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> TakeReport:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise OutputError(f"{path} cannot be read.", hint="Give the .json files of take reports.") from problem


if __name__ == "__main__":
    sys.exit(main())
