"""Print the paper's error tables for our own data.

python -m atcn_core.evaluate --weights bundled RUN/weights.safetensors --motion FOLDER --noise-px 0 5 10 15 20
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..console import EXIT_FAILED, complain
from ..errors import AtcnError, MotionError
from .evaluation import PER, Request, evaluate
from .networks import BUNDLED_NAME
from .output import markdown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m atcn_core.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--weights", type=Path, nargs="+", default=[Path(BUNDLED_NAME)], help="weights files, or bundled (the default)")
    add("--motion", type=Path, nargs="+", default=[], help="BVH files, folders (their val split), .npz of positions")
    add("--human36m", type=Path, metavar="FILE", help="your data_3d_h36m.npz: scores S9 and S11, own cameras")
    add("--human36m-2d", type=Path, metavar="FILE", help="its data_2d_h36m_*.npz; without it the true picture")
    add("--humaneva", type=Path, metavar="FILE", help="your data_3d_humaneva15.npz: scores its validation part")
    add("--humaneva-2d", type=Path, metavar="FILE", help="its data_2d_humaneva15_*.npz; without it the true picture")
    add("--humaneva-focal-px", type=float, default=0.0, help="assumed of HumanEva's cameras, for --humaneva-2d")
    add("--windows", type=int, default=Request.windows, help="random windows beside the baselines; 0: none")
    add("--cameras", type=int, default=Request.cameras, help="fixed cameras before which each take is seen")
    add("--seconds", type=float, default=Request.seconds, help="only so much of each take")
    add("--noise-px", type=float, nargs="+", default=list(Request.noise_px), help="white noise, in px of 1000")
    add("--drop", type=float, default=Request.drop, help="share of the 2D joints that are not seen, as 0.1")
    add("--per", nargs="+", default=[], choices=PER, help="errors by action, by joint, over time")
    add("--tables", action="store_true", help="the paper's ablations (Tables 2 to 5) and causal networks (Table 10)")
    add("--fitted", action="store_true", help="also with every clip brought onto its picture, as a capture is")
    add("--attention", action="store_true", help="how much the temporal attention differs between samples")
    add("--speed", action="store_true", help="frames lifted a second")
    add("--pose2sim", type=Path, help="the pose2sim_single folder: scores the first weights on real video")
    add("--device", default=Request.device)
    add("--json", type=Path, help="write all tables here as well, for model cards and documents")
    add("--plots", type=Path, help="write the figures into this folder (with --per joint time, --noise-px, --logs)")
    add("--logs", type=Path, nargs="+", default=[], help="log.csv of training runs, for the convergence plot")
    return parser


def _request(arguments: argparse.Namespace) -> Request:
    sources = ("motion", "human36m", "humaneva", "pose2sim", "logs", "human36m_2d", "humaneva_2d")
    if not any(getattr(arguments, name) for name in sources):
        raise MotionError("There is nothing to score on.", hint="Give --motion, --human36m, --humaneva or --pose2sim.")
    if arguments.logs and not arguments.plots:
        raise MotionError("The logs are for the convergence plot.", hint="Give --plots and a folder too.")
    values: dict[str, Any] = {name: getattr(arguments, name) for name in Request.__dataclass_fields__}
    for name in ("weights", "motion", "noise_px", "per"):
        values[name] = tuple(values[name])
    return Request(**values)


def main(words: list[str] | None = None) -> int:
    """Score, print, and write --json and --plots. Returns the exit code: 2 for an expected failure."""
    arguments = _parser().parse_args(words)
    try:
        figures = evaluate(_request(arguments), lambda text: print(text, file=sys.stderr))
        for title, rows in figures.tables.values():
            print(f"\n{title}\n\n{markdown(rows)}")
        if arguments.json:
            figures.write(arguments.json)
        if arguments.plots:
            from .plots import write_plots  # matplotlib only where it is wanted

            for path in write_plots(figures, arguments.logs, arguments.plots):
                print(path)
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
