"""Train the network that tells which feet stand (motion/contact_net.py) on captures of known motion.

python -m atcn_core.evaluate.contact_training --motion FOLDER --out FILE [--looks 4] [--network l6xv4] [--epochs 8]
    [--seed 0]

Every take of the training split is looked at by virtual cameras with a detector's errors, lifted and placed as a user's
clip is, and smoothed more or less; the truth says which points stood still. The same call gives the same file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..console import EXIT_FAILED, complain
from ..errors import AtcnError, MotionError
from ..lift.predict import Lifter
from ..motion.contact_net import ContactNet, contact_inputs, save_net
from ..motion.finish import finished
from ..motion.ground import up_direction_cam
from ..motion.stature import stature_m
from ..skeleton import CAPTURE
from ..train.contacts import Example, Recipe, trained
from ..train.noise import NoiseOptions
from ..worker.protocol import DEFAULT_NETWORK
from .staged import StagedTake, stage
from .takes import KnownTake, load_takes
from .world_metrics import true_contacts

__all__ = ["captured", "example", "main", "trained_on"]

# Where a contact begins and ends is a matter of a frame: what the truth of the frames around counts.
_EDGE = (0.25, 0.5, 0.25)
_LEAST_S = 1.5


def captured(takes: Sequence[KnownTake], lifter: Lifter, looks: int) -> Iterator[StagedTake]:
    """Every take so many times, as Recipe.looks says."""
    for look in range(looks):
        noise = NoiseOptions() if look < looks - 1 else None
        for take in takes:
            # Where the camera stands and what errors there are follow from the name.
            name = f"{take.name} p{look}" if 0 < look < looks - 1 else take.name
            yield from stage([replace(take, name=name, activity=take.action)], lifter, noise=noise, cameras=1)


def varied(staged: StagedTake, recipe: Recipe, generator: np.random.Generator) -> Iterator[Example]:
    """A capture in the recipe's ways."""
    for _ in range(recipe.variants):
        yield example(
            staged,
            float(generator.choice(recipe.smooth)),
            pace=recipe.pace ** generator.uniform(-1.0, 1.0),
            stature=recipe.stature ** generator.uniform(-1.0, 1.0),
            every=2 if generator.uniform() < recipe.slow_camera else 1,
        )


def example(staged: StagedTake, smooth: float, *, pace: float = 1.0, stature: float = 1.0, every: int = 1) -> Example:
    """A capture, so much smoothed, quicker and taller, of every n-th frame alone."""
    motion, true_world = staged.motion, staged.joints_world
    fps, times_s = motion.fps * pace, motion.times_s / pace
    played = replace(
        motion,
        times_s=times_s[::every],
        fps=fps / every,
        joints_cam=motion.joints_cam[::every],
        root_cam=motion.root_cam[::every],
        score=motion.score[::every],
    )
    ready = finished(played, stature_m(true_world, CAPTURE) * stature, smooth).motion
    up_cam = up_direction_cam(ready.joints_cam, ready.skeleton, ready.score, ready.times_s)
    grid_s, inputs = contact_inputs(ready, up_cam)
    at = np.rint((grid_s - times_s[0]) * fps).astype(int).clip(max=len(times_s) - 1)
    standing = np.pad(true_contacts(true_world, fps)[at].astype(np.float32), ((1, 1), (0, 0)), mode="edge")
    soft = np.sum([share * standing[i : i + len(at)] for i, share in enumerate(_EDGE)], axis=0)
    return Example(inputs.astype(np.float32), np.stack([soft[:, :2], soft[:, 2:]]), staged.take.action)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    usual = Recipe()
    parser = argparse.ArgumentParser(prog="python -m atcn_core.evaluate.contact_training", description=__doc__)
    parser.add_argument(
        "--motion", type=Path, nargs="+", required=True, help="folders of BVH files (their train split)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights, .npz")
    parser.add_argument("--network", default=DEFAULT_NETWORK, help="that lifts: a bundled one, or a weights file")
    parser.add_argument("--looks", type=int, default=usual.looks, help="how often each take is captured")
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--seconds", type=float, default=0.0, help="only so much from the start of each take")
    parser.add_argument("--seed", type=int, default=usual.seed)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    arguments = _arguments(words)
    recipe = replace(Recipe(), looks=arguments.looks, epochs=arguments.epochs, seed=arguments.seed)
    try:
        if min(recipe.looks, recipe.epochs) < 1:
            raise MotionError("There is nothing to train on.", hint="Give --looks and --epochs of 1 and more.")
        takes = [
            take
            for take in load_takes(arguments.motion, arguments.seconds, "train")
            if len(take.joints_world) > _LEAST_S * take.fps and np.isfinite(take.joints_world).all()
        ]
        if not takes:
            raise MotionError("No take is long enough and whole.", hint=f"Give BVH files of more than {_LEAST_S:g} s.")
        lifter = Lifter.named(arguments.network)
        save_net(arguments.out, trained_on(captured(takes, lifter, recipe.looks), recipe, arguments.network))
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    return 0


def trained_on(staged: Iterator[StagedTake], recipe: Recipe, network: str) -> ContactNet:
    """A network trained on captures that a network of this name lifted."""
    generator = np.random.default_rng(recipe.seed)
    frames, examples = 0, []
    for one in staged:
        frames += len(one.motion.times_s)
        examples += varied(one, recipe, generator)
    return trained(examples, recipe, {"frames": frames, "lifted_by": network})


if __name__ == "__main__":
    sys.exit(main())
