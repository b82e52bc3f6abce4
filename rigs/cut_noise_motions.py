"""Cuts the mocap that the detector is measured on (rigs/noise/shots.py) for the film script to put on the avatars.

    .venv/bin/python rigs/cut_noise_motions.py --motion FOLDER --out DIR [--held-out]

Reads BVH files (which needs the engine's environment, not Blender's) and writes DIR/<shot>_motion.npz: joints_world
(N, 27, 3) metres, z up, in the capture set's order, 30 poses a second.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from atcn_core.clip import save_arrays
from atcn_core.errors import AtcnError
from atcn_core.train.mocap import read_take
from rigs.noise.shots import HELD_OUT, SHOTS, cut


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motion", type=Path, required=True, help="the folder with the BVH files")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the motions, and later the films")
    parser.add_argument("--held-out", action="store_true", help="those for scoring captures, of held-out takes")
    options = parser.parse_args()
    try:
        for shot in HELD_OUT if options.held_out else SHOTS:
            take = read_take(options.motion / f"{shot.take}.bvh")
            joints_world = cut(take.joints_world, take.fps, shot)
            save_arrays(options.out / f"{shot.name}_motion.npz", {"joints_world": joints_world})
    except AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
