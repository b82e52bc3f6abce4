"""How true captures are in the room: held-out motion before virtual cameras, through the product's own path.

python -m atcn_core.evaluate.world_report --motion FOLDER [--film VIDEO TRUTH] [--network l6xv4] [--save CLIPS]
    [--json FILE] [--into PAGE]
python -m atcn_core.evaluate.world_report --films FOLDER [...]
The second is of films alone, whose true joints are known, through the real detector; its table is called "films".
With --save the captures are written for `python -m tests.blender_addon.feet_measures CLIPS`, which puts them on a rig,
and for rigs/play_films.py, which puts films' captures on the avatars that were filmed.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..clip import save_arrays, save_motion
from ..errors import MotionError
from ..lift.predict import Lifter
from ..motion.contacts import foot_points
from ..motion.feet import standing_points
from ..motion.finish import DEFAULT_STRENGTH, check_wishes
from ..motion.world import to_world_with_camera
from ..skeleton import CAPTURE
from ..train.noise import NoiseOptions
from .detected import films_with_truth
from .report_command import report_parser, reported
from .staged import StagedTake, filmed, stage
from .takes import KnownTake, load_takes
from .world_metrics import WorldErrors, true_contacts, world_errors

__all__ = ["KINDS", "clips_parser", "kind_of", "main", "measured", "rows_by_kind", "staged_clips"]

# What a take shows, by a word of its name; CMU's 03 walks over blocks, 131 is in the style of a dancer.
KINDS = {
    "walk": ("walk", "zombie", "cmuasf_03"),
    "run": ("_run",),
    "jump": ("jump",),
    "dance": ("dance", "salsa", "cmufbx_55", "cmumisc_131"),
    "sit": ("sit", "kneel"),
    "floor": ("pushup", "crawl", "lie"),
    "film": ("demo",),
}
# Shorter clips say little of a way through a room.
_LEAST_S = 1.5


def kind_of(name: str) -> str:
    """What a take of this name shows; "stand" where nothing is known of it."""
    return next((kind for kind, words in KINDS.items() if any(word in f"_{name}" for word in words)), "stand")


def measured(staged: StagedTake, smooth: float = DEFAULT_STRENGTH) -> WorldErrors:
    """The errors of one capture, the performer's height known, smoothed as a user's is."""
    true_world = staged.joints_world
    world, world_from_cam, _ = to_world_with_camera(staged.finished(smooth))
    tilt_deg = float(np.degrees(np.arccos(np.clip(world_from_cam[2] @ staged.up_cam, -1.0, 1.0))))
    return world_errors(world, standing_points(world.standing_chance(), world.times_s), true_world, tilt_deg)


def table(staged: Sequence[StagedTake], smooth: float = DEFAULT_STRENGTH) -> list[dict[str, object]]:
    """One row a kind of motion and one of all: means over the clips, except where a clip says nothing."""
    names = [field.name for field in dataclasses.fields(WorldErrors)]
    return rows_by_kind([(kind_of(one.take.name), measured(one, smooth)) for one in staged], names)


def rows_by_kind(errors: Sequence[tuple[str, WorldErrors]], names: Sequence[str]) -> list[dict[str, object]]:
    """One row a kind of motion and one of all, of these fields: means, except where a clip says nothing."""
    kinds = [kind for kind in (*KINDS, "stand") if any(kind == of for of, _ in errors)]
    rows: list[dict[str, object]] = []
    for kind in (*kinds, "all"):
        some = [error for of, error in errors if kind in (of, "all")]
        row: dict[str, object] = {"motion": kind, "clips": len(some)}
        for name in names:
            column = np.array([getattr(error, name) for error in some])
            mean = float(np.nanmean(column)) if np.isfinite(column).any() else None
            row[name.replace("_", " ")] = "-" if mean is None else round(mean, 1 if name != "jitter" else 2)
        rows.append(row)
    return rows


def save(staged: Sequence[StagedTake], folder: Path, smooth: float = DEFAULT_STRENGTH) -> None:
    """Every capture, made ready, as motion.npz; beside it the truth: which points of the feet stand, feet and joints.

    Raises OutputError.
    """
    for number, one in enumerate(staged):
        name = f"{number:03d}_{kind_of(one.take.name)}_{one.take.name}"
        save_motion(folder / f"{name}.motion.npz", one.finished(smooth))
        standing = true_contacts(one.joints_world, one.motion.fps)
        feet = foot_points(one.joints_world, CAPTURE)
        truth = {"standing": standing, "feet_world": feet, "joints_world": one.joints_world}
        save_arrays(folder / f"{name}.truth.npz", truth)


def clips_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A `report_parser` for commands on `staged_clips`."""
    parser = report_parser(name, description, seconds=10.0, needs_motion=False)
    parser.add_argument("--cameras", type=int, default=2, help="how many cameras see each take")
    parser.add_argument(
        "--film",
        type=Path,
        nargs=2,
        metavar=("VIDEO", "TRUTH"),
        help="also a film whose true joints are known (rigs/render_demo.py), through the real detector",
    )
    parser.add_argument(
        "--films",
        type=Path,
        metavar="FOLDER",
        help="also every NAME.mp4 with a NAME_truth.npz beside it (rigs/render_noise_clips.py --held-out)",
    )
    return parser


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = clips_parser("world_report", __doc__)
    parser.add_argument(
        "--smooth",
        type=float,
        nargs="+",
        default=[DEFAULT_STRENGTH],
        metavar="0..1",
        help="the user's slider (default: 0.5); of several there is one table",
    )
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write the captures and what they should be")
    return parser.parse_args(words)


def staged_clips(arguments: argparse.Namespace) -> list[StagedTake]:
    """The takes that are long enough, captured; and the films with their truth, where there are any.

    arguments: those of `clips_parser`. Raises AtcnError.
    """
    films = [tuple(arguments.film)] if arguments.film else []
    films += films_with_truth(arguments.films) if arguments.films else []
    takes = _long_takes(arguments.motion, arguments.seconds) if arguments.motion or not films else []
    lifter = Lifter.named(arguments.network)
    staged = stage(takes, lifter, noise=None if arguments.clean else NoiseOptions(), cameras=arguments.cameras)
    return staged + [filmed(video, truth, lifter) for video, truth in films]


def _long_takes(motion: Sequence[Path], seconds: float) -> list[KnownTake]:
    takes = [take for take in load_takes(motion, seconds) if len(take.joints_world) > _LEAST_S * take.fps]
    if not takes:
        raise MotionError("No take is long enough.", hint=f"Give takes of more than {_LEAST_S:g} s.")
    for take in takes:
        if not np.isfinite(take.joints_world).all():
            raise MotionError(f"{take.name} lacks joints of the capture set.", hint="Give BVH files.")
    return takes


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    arguments = _arguments(words)
    return reported(lambda: _named_rows(arguments), data=arguments.json, page=arguments.into)


def _named_rows(arguments: argparse.Namespace) -> tuple[str, list[dict[str, object]]]:
    for smooth in arguments.smooth:
        check_wishes(0.0, smooth)
    staged = staged_clips(arguments)
    if arguments.save:
        save(staged, arguments.save, arguments.smooth[0])
    if len(arguments.smooth) > 1:
        return "smooth", [{"smooth": s} | row for s in arguments.smooth for row in table(staged, s)]
    return "world" if arguments.motion else "films", table(staged, arguments.smooth[0])


if __name__ == "__main__":
    sys.exit(main())
