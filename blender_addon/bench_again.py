"""How long another rig, foot mode, smoothing or height takes on a capture that is there: part of `make bench`.

python -m blender_addon.bench_again --motion motion.npz [--rig NAME] [--frames N]      (with the bpy module)
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path

import bpy
import numpy as np

from . import finishing, rigs, session
from .core import clip, errors

__all__ = ["MINUTE_FRAMES", "Again", "as_long_as", "seconds_again"]

# A minute at 60 frames a second.
MINUTE_FRAMES = 3600


@dataclass(frozen=True)
class Again:
    """What a wish cost: seconds on the clock, and of a processor, which does not count what else the machine does."""

    wish: str
    seconds: float
    processor_s: float


def as_long_as(motion: clip.Motion3D, frames: int) -> clip.Motion3D:
    """The motion over and over, or its beginning. It lacks what is not a plain array with a row a frame."""
    rows = np.arange(frames) % len(motion.times_s)
    step_s = float(np.median(np.diff(motion.times_s))) if len(motion.times_s) > 1 else 1.0 / motion.fps
    arrays = {
        field.name: value[rows]
        for field in fields(motion)
        if isinstance(value := getattr(motion, field.name), np.ndarray) and len(value) == len(motion.times_s)
    }
    return replace(motion, **arrays | {"times_s": np.arange(frames) * step_s}, hands=None, video_camera=None)


def seconds_again(motion: clip.Motion3D, rig: str) -> list[Again]:
    """From each wish to its Action: as *Apply Last Capture* does it, with no engine.

    rig: the avatar that has the motion first. Raises AtcnError.
    """
    scene = bpy.context.scene
    other = next((found.name for found in rigs.list_rigs() if found.avatar is not None and found.name != rig), rig)
    first = session.Request(video=Path("clip.mp4"), rig=session.RigChoice(avatar=rig))
    applied = session.apply_capture(first, motion, scene)
    there = replace(first, rig=session.RigChoice(armature=applied.armature))
    wishes = {
        "another foot mode": replace(there, feet="always"),
        "another smoothing": replace(there, smooth=0.25),
        "another height": replace(there, height_m=1.85),
        "another rig": replace(there, rig=session.RigChoice(avatar=other)),
    }
    costs = []
    for wish, request in wishes.items():
        began_s, began_processor_s = time.perf_counter(), time.process_time()
        session.apply_capture(request, motion, scene)
        costs.append(Again(wish, time.perf_counter() - began_s, time.process_time() - began_processor_s))
    finishing.forget()
    return costs


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m blender_addon.bench_again", description=__doc__)
    parser.add_argument("--motion", type=Path, required=True, help="a captured motion.npz, taken over and over")
    parser.add_argument("--rig", default="bruno", help="an avatar of the rigs folder (default: bruno)")
    parser.add_argument("--frames", type=int, default=MINUTE_FRAMES, help="how long (default: %(default)s)")
    options = parser.parse_args(arguments)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        motion = as_long_as(clip.load_motion(options.motion), options.frames)
        costs = seconds_again(motion, options.rig)
    except errors.AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    for cost in costs:
        needed = f"{cost.seconds:.2f} s, {cost.processor_s:.2f} s of a processor"
        sys.stdout.write(f"{cost.wish}, {options.frames} frames: {needed}\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the bpy module of some versions crashes or hangs when the interpreter ends
