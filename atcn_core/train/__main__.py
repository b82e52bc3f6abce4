"""Train a lifting network: python -m atcn_core.train --motion FOLDER --run FOLDER --minutes 60."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import asdict
from pathlib import Path

from ..errors import AtcnError
from ..lift.checkpoint import save_network
from ..lift.device import pick_device
from ..lift.network import PROTOTYPES, AtcnConfig
from ..skeleton import CAPTURE
from .loop import Trainer, TrainOptions
from .mocap import load_split
from .sampler import MotionBank, SampleOptions


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m atcn_core.train", description=__doc__)
    parser.add_argument("--motion", type=Path, required=True, help="folder with BVH files and splits.json")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint, log, weights")
    parser.add_argument("--prototype", choices=sorted(PROTOTYPES), default="L6xV4")
    parser.add_argument("--causal", action="store_true")
    parser.add_argument("--channels", type=int, default=1024)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--minutes", type=float, default=0.0, help="training time; checkpoints resume within it")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--batch", type=int, default=TrainOptions.batch)
    parser.add_argument("--rate", type=float, default=TrainOptions.rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    if not (arguments.minutes or arguments.steps):
        parser.error("give --minutes or --steps")
    return arguments


def main() -> int:
    """Train to the end of the budget and write weights.safetensors. Returns the exit code."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = pick_device(arguments.device)
    config = AtcnConfig(
        joints_in=len(CAPTURE),
        joints_out=len(CAPTURE),
        stages=PROTOTYPES[arguments.prototype],
        values_per_joint=3,
        root=CAPTURE.index("hip"),
        channels=arguments.channels,
        dropout=arguments.dropout,
        causal=arguments.causal,
    )
    options = TrainOptions(
        minutes=arguments.minutes,
        steps=arguments.steps,
        batch=arguments.batch,
        rate=arguments.rate,
        seed=arguments.seed,
    )
    try:
        banks = [MotionBank(load_split(arguments.motion, split), device) for split in ("train", "val")]
    except AtcnError as error:
        print(error, file=sys.stderr)
        return 2
    trainer = Trainer(config, options, SampleOptions(), (banks[0], banks[1]), arguments.run, device)
    network = trainer.run()
    card: dict[str, object] = {
        "name": config.name,
        "parameters": sum(p.numel() for p in network.parameters()),
        "windows": trainer.step * options.batch,
        "minutes": round(trainer.spent_s / 60, 1),
        "device": device.type,
        "options": asdict(options),
        "val_mm": {name: round(value, 1) for name, value in trainer.judge().items()},
    }
    save_network(arguments.run / "weights.safetensors", network, card)
    print(card)
    return 0


if __name__ == "__main__":
    sys.exit(main())
