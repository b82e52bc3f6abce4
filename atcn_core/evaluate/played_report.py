"""Filmed avatars, captured and played on the same avatars: what the animator gets beside what was filmed.

python -m atcn_core.evaluate.world_report --films FOLDER --save CLIPS        (captures the films)
.blender/4.2/bin/python rigs/play_films.py CLIPS                             (puts them on the avatars)
python -m atcn_core.evaluate.played_report CLIPS [--json FILE] [--into PAGE]
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

from ..clip import load_motion
from ..errors import MotionError
from ..motion.feet import standing_points
from ..motion.world import to_world
from .report_command import add_into, reported
from .world_metrics import WorldErrors, world_errors
from .world_report import kind_of, rows_by_kind

__all__ = ["main", "played_errors"]

_MOTION = ".motion.npz"
# What tells of the capture alone is in the table of the captures.
_FIELDS = ("root_cm", "drift_percent", "height_cm", "slide_cm_s", "sink_cm", "jitter", "arms")


def played_errors(clip: Path) -> WorldErrors:
    """The errors of one capture on its avatar. clip: its motion.npz, beside it the played one and the truth.

    Raises MotionError for a file that is missing or of another clip.
    """
    world = to_world(load_motion(clip))
    played, true = (_joints_world(clip, which) for which in ("played", "truth"))
    if not played.shape == true.shape == world.joints_world.shape:
        raise MotionError(f"{clip.name} and what lies beside it are not of one clip.", hint="Write them all anew.")
    stands = standing_points(world.standing_chance(), world.times_s)
    return world_errors(dataclasses.replace(world, joints_world=played), stands, true, np.nan)


def _joints_world(clip: Path, which: str) -> np.ndarray:
    path = _beside(clip, which)
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored["joints_world"].astype(np.float64)
    except (OSError, KeyError, ValueError) as problem:
        hint = "Write it with rigs/play_films.py." if which == "played" else "Write it with world_report --save."
        raise MotionError(f"{path} cannot be read.", hint=hint) from problem


def table(folder: Path) -> list[dict[str, object]]:
    """One row a kind of motion and one of all. Raises MotionError."""
    clips = [path for path in sorted(folder.glob(f"*{_MOTION}")) if _beside(path, "played").is_file()]
    if not clips:
        raise MotionError(f"There is no played capture in {folder}.", hint="Write some with rigs/play_films.py.")
    # world_report --save names them by number, kind and take
    takes = {clip: clip.name.removesuffix(_MOTION).split("_", 2)[-1] for clip in clips}
    return rows_by_kind([(kind_of(take), played_errors(clip)) for clip, take in takes.items()], _FIELDS)


def _beside(clip: Path, which: str) -> Path:
    return clip.with_name(clip.name.replace(_MOTION, f".{which}.npz"))


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code: 0, or 2 for an expected failure."""
    parser = argparse.ArgumentParser(
        prog="python -m atcn_core.evaluate.played_report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clips", type=Path, help="the folder of the captures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table")
    add_into(parser)
    arguments = parser.parse_args(words)
    return reported(lambda: ("played", table(arguments.clips)), data=arguments.json, page=arguments.into)


if __name__ == "__main__":
    sys.exit(main())
