"""How far a network's bones are off across and along the line of sight: what `lift.fit` believes of it.

`python -m atcn_core.evaluate.fit_report --motion FOLDER`. Measured on the motion that training uses, so that what is
scored on the held-out motion was not looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..console import EXIT_FAILED, complain
from ..errors import AtcnError
from ..lift.fit import BONE_ERRORS_M
from ..lift.predict import Lifter
from ..motion.root import constant_limb_lengths
from ..reporter import Reporter
from ..rotation import normalized
from ..skeleton import CAPTURE
from ..worker.protocol import DEFAULT_NETWORK
from .output import markdown
from .takes import load_takes
from .views import View, make_views

__all__ = ["bone_error_rows", "main"]


def bone_error_rows(views: Sequence[View], lifter: Lifter) -> list[dict[str, object]]:
    """One row a kind of bone, by its far joint: RMS error in mm a direction, as measured and as `lift.fit` has it.

    The views' true 2D is lifted; across is the mean of the two directions across the line of sight.
    """
    errors: dict[str, list[np.ndarray]] = {}
    for view in views:
        lifted = constant_limb_lengths(
            lifter.lift(view.keypoints, view.lens, Reporter()), CAPTURE, view.keypoints.score
        )
        off = lifted - (view.joints_cam - view.joints_cam[:, :1])
        sight = normalized(view.joints_cam[:, CAPTURE.index("hip")])
        for parent, child in CAPTURE.bones:
            bone = off[:, child] - off[:, parent]
            along = np.einsum("ti,ti->t", bone, sight)
            across = np.sqrt(0.5 * np.maximum((bone**2).sum(axis=1) - along**2, 0.0))
            kind = CAPTURE.joints[child].rpartition("_")[2]
            errors.setdefault(kind, []).append(1000.0 * np.stack([across, along]))
    rows: list[dict[str, object]] = []
    for kind, (across_m, along_m) in BONE_ERRORS_M.items():
        rms = np.sqrt(np.mean(np.concatenate(errors[kind], axis=1) ** 2, axis=1))
        rows.append(
            {
                "bone to the": kind,
                "across": round(float(rms[0]), 1),
                "along": round(float(rms[1]), 1),
                "fit: across": round(1000 * across_m),
                "fit: along": round(1000 * along_m),
            }
        )
    return rows


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m atcn_core.evaluate.fit_report", description=__doc__)
    parser.add_argument("--motion", type=Path, nargs="+", required=True, help="folders with a training split")
    parser.add_argument("--network", default=DEFAULT_NETWORK, help="a bundled network, or a weights file")
    parser.add_argument("--seconds", type=float, default=5.0, help="only so much from the start of each take")
    parser.add_argument("--every", type=int, default=8, help="only every so many takes")
    arguments = parser.parse_args(words)
    try:
        takes = load_takes(arguments.motion, arguments.seconds, "train")[:: max(1, arguments.every)]
        lifter = Lifter.named(arguments.network)
        rows = bone_error_rows(make_views(takes, 1), lifter)
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    sys.stdout.write(f"{len(takes)} takes, RMS error in mm\n\n{markdown(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
