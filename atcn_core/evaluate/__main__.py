"""Print error tables: python -m atcn_core.evaluate [--weights W] --motion FOLDER and / or --pose2sim FOLDER."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..errors import AtcnError
from ..lift.checkpoint import BUNDLED, load_network
from ..lift.predict import Lifter
from .held_out import score_held_out
from .pose2sim import score_pose2sim


def _print_table(title: str, rows: list[dict[str, object]]) -> None:
    """A Markdown table."""
    print(f"\n{title}\n")
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row[column]) for column in columns) + " |")


def main() -> int:
    """Score, print, and write --json. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m atcn_core.evaluate", description=__doc__)
    parser.add_argument("--weights", type=Path, default=BUNDLED, help="default: the bundled network")
    parser.add_argument("--motion", type=Path, help="folder with BVH files and splits.json: scores on its val split")
    parser.add_argument("--windows", type=int, default=4096, help="windows of the val split")
    parser.add_argument("--pose2sim", type=Path, help="the pose2sim_single folder: scores on real video")
    parser.add_argument("--json", type=Path, help="write the tables here as well")
    arguments = parser.parse_args()
    if not (arguments.motion or arguments.pose2sim):
        parser.error("give --motion or --pose2sim")
    tables: dict[str, list[dict[str, object]]] = {}
    try:
        network = load_network(arguments.weights)
        if arguments.motion:
            tables["held_out"] = score_held_out(network, arguments.motion, arguments.windows)
            _print_table("Held-out motion, virtual cameras, 17 joints about the hip (mm)", tables["held_out"])
        if arguments.pose2sim:
            tables["pose2sim"] = score_pose2sim(arguments.pose2sim, Lifter(network, "cpu"))
            _print_table("Real video, 12 limb joints about the hips (mm; accel mm/frame^2)", tables["pose2sim"])
    except AtcnError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
