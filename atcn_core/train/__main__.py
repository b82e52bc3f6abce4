"""Train a lifting network: python -m atcn_core.train --motion FOLDER --run FOLDER [--config l6xv4] --minutes 60."""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from ..console import EXIT_FAILED, complain
from ..errors import AtcnError, MotionError
from ..lift.checkpoint import read_weights, restore, save_network
from ..lift.weights import network_file
from .config import RunConfig, load_config
from .datasets import capture_take, load_human36m, load_humaneva
from .loop import Trainer
from .mocap import Take, load_split
from .processes import join_processes
from .sampler import MotionBank


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m atcn_core.train", description=__doc__)
    parser.add_argument("--motion", type=Path, help="folder of BVH files, with or without splits.json")
    parser.add_argument("--human36m", type=Path, metavar="FILE", help="your data_3d_h36m.npz (its training subjects)")
    parser.add_argument("--humaneva", type=Path, metavar="FILE", help="your data_3d_humaneva15.npz (its training part)")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint, log, weights")
    parser.add_argument("--config", default="l6xv4", help="a name in atcn_core/train/configs or a .toml file")
    parser.add_argument("--start", metavar="WEIGHTS", help="begin with a bundled network's weights or a file's")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change the config")
    parser.add_argument("--minutes", type=float, help="training time; checkpoints resume within it")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--device", default="auto")
    return parser.parse_args(words)


def _config(arguments: argparse.Namespace) -> RunConfig:
    budget = [f"train.{name}={getattr(arguments, name)}" for name in ("minutes", "steps") if getattr(arguments, name)]
    return load_config(arguments.config, [*arguments.set, *budget])


def _sources(arguments: argparse.Namespace) -> list[Path]:
    given = [path for path in (arguments.motion, arguments.human36m, arguments.humaneva) if path]
    if not given:
        raise MotionError("There is no motion to train on.", hint="Give --motion, --human36m or --humaneva.")
    return given


def _takes(arguments: argparse.Namespace, split: str) -> list[Take]:
    """The takes of "train" or "val"; of the data sets their training and their test subjects."""
    takes = load_split(arguments.motion, split) if arguments.motion else []
    subjects = "train" if split == "train" else "test"
    for path, load in ((arguments.human36m, load_human36m), (arguments.humaneva, load_humaneva)):
        if path:
            takes += [capture_take(one) for one in load(path, split=subjects) if len(one.joints_world) > 1]
    return takes


def _commit() -> str:
    """The commit of the code that trained, where this is a checkout."""
    here = Path(__file__).parent
    try:
        asked = subprocess.run(["git", "-C", here, "rev-parse", "--short", "HEAD"], capture_output=True, check=False)
    except OSError:
        return "unknown"
    return asked.stdout.decode().strip() or "unknown"


def main(words: list[str] | None = None) -> int:
    """Train to the end of the budget and write weights.safetensors. Returns the exit code."""
    arguments = _arguments(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        sources = _sources(arguments)
        config = _config(arguments)
        processes = join_processes(arguments.device)
        logging.info("%s on %s", config.network.name, processes.device)
        banks = [MotionBank(_takes(arguments, split), processes.device) for split in ("train", "val")]
        torch.manual_seed(config.train.seed)
        network = config.build()
        if arguments.start:  # a run's own checkpoint wins over it
            restore(network, read_weights(network_file(arguments.start)))
        trainer = Trainer(
            network, config.train, config.samples, config.losses, (banks[0], banks[1]), arguments.run, processes
        )
        network = trainer.run()
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    processes.leave()
    if not processes.leads:
        return 0
    card: dict[str, object] = {
        **trainer.figures(),
        **({"start": Path(arguments.start).name} if arguments.start else {}),
        "data": f"{', '.join(path.name for path in sources)}: {banks[0].described}",
        "commit": _commit(),
        "config": asdict(config),
    }
    save_network(arguments.run / "weights.safetensors", network, card)
    print(card)
    return 0


if __name__ == "__main__":
    sys.exit(main())
