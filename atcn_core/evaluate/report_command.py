"""What the commands that report on captures share: what they ask for, and where their table goes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..console import EXIT_FAILED, complain
from ..errors import AtcnError
from ..worker.protocol import DEFAULT_NETWORK
from .cards import publish
from .output import markdown

__all__ = ["add_into", "report_parser", "reported"]


def report_parser(
    name: str, description: str | None, *, seconds: float, needs_motion: bool = True
) -> argparse.ArgumentParser:
    """A parser for `python -m atcn_core.evaluate.NAME`: motion, network, so many seconds, true 2D, outputs."""
    parser = argparse.ArgumentParser(
        prog=f"python -m atcn_core.evaluate.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    motion = "BVH files, or folders (their val split)"
    parser.add_argument("--motion", type=Path, nargs="+", required=needs_motion, default=[], help=motion)
    parser.add_argument("--network", default=DEFAULT_NETWORK, help="that lifts: a bundled one, or a weights file")
    parser.add_argument("--seconds", type=float, default=seconds, help="only so much from the start of each take")
    parser.add_argument("--clean", action="store_true", help="the true 2D instead of a detector's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table")
    add_into(parser)
    return parser


def add_into(parser: argparse.ArgumentParser) -> None:
    """The option for the page that the table goes into."""
    parser.add_argument("--into", type=Path, metavar="PAGE", help="write the table between the page's marks")


def reported(
    make: Callable[[], tuple[str, list[dict[str, object]]]], *, data: Path | None = None, page: Path | None = None
) -> int:
    """Make a table (the name of its marks, its rows), write it, print it. Returns the exit code: 2 for an AtcnError."""
    try:
        name, rows = make()
        publish(name, rows, data=data, page=page)
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    sys.stdout.write(markdown(rows) + "\n")
    return 0
