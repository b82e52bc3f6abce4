"""How well standing feet are told, by what was tuned by hand and by what was learnt, side by side.

python -m atcn_core.evaluate.contact_report --motion FOLDER [--film VIDEO TRUTH] [--weights FILE] [--network l6xv4]
    [--json FILE] [--into PAGE]

Captures as `world_report` makes them; only what is said of the feet is judged here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..clip import Motion3D
from ..motion.contact_net import CONTACT_NET_FILE, captured_chance, read_net
from ..motion.contacts import FOOT_POINTS, contact_chance, foot_points
from ..motion.feet import standing_points
from ..motion.ground import up_direction_cam
from ..rotation import normalized
from ..skeleton import CAPTURE
from .report_command import reported
from .staged import StagedTake
from .world_metrics import precision_recall, true_contacts
from .world_report import KINDS, clips_parser, kind_of, staged_clips

__all__ = ["main", "rows_of", "tuned_chance"]

# A motion and its up (3,) in `cam` to the chances (T, 4) that FOOT_POINTS stand.
Judge = Callable[[Motion3D, np.ndarray], np.ndarray]
# In the truth nobody stands where the lowest point is so high over the floor and every point so quick.
_OFF_FLOOR_M, _QUICK_M_S, _FLOOR_PERCENTILE = 0.10, 0.5, 10.0


def tuned_chance(motion: Motion3D, up_cam: np.ndarray) -> np.ndarray:
    """What captures were judged by before there was a network (T, 4): speed across the line of sight, and height."""
    root_cam = motion.root_cam.astype(np.float64)
    joints_cam = motion.joints_cam.astype(np.float64) + root_cam[:, None]
    chance = contact_chance(joints_cam, motion.skeleton, motion.times_s, up_cam, normalized(root_cam))
    return chance[:, : len(FOOT_POINTS)]


def in_the_air(true_world: np.ndarray, fps: float) -> np.ndarray:
    """Where the truth is off the floor (T,) bool, as in a jump."""
    feet = foot_points(true_world, CAPTURE)
    speed_m_s = np.linalg.norm(np.gradient(feet, axis=0), axis=2).min(axis=1) * fps
    lowest_m = feet[..., 2].min(axis=1)
    return (lowest_m - np.percentile(lowest_m, _FLOOR_PERCENTILE) > _OFF_FLOOR_M) & (speed_m_s > _QUICK_M_S)


def rows_of(staged: Sequence[StagedTake], judges: dict[str, Judge]) -> list[dict[str, object]]:
    """One row a kind of motion and one of all: means over the clips of each judge's precision and recall.

    in the air: of the frames off the floor, over all clips, those in which a point is held.
    """
    said: dict[str, list[list[float]]] = {}
    for one in staged:
        said.setdefault(kind_of(one.take.name), []).append(_figures(one, list(judges.values())))
    said = {kind: said[kind] for kind in (*KINDS, "stand") if kind in said}
    said["all"] = [figures for clips in said.values() for figures in clips]
    rows = []
    for kind, clips in said.items():
        row: dict[str, object] = {"motion": kind, "clips": len(clips)}
        table = np.array(clips)
        for number, name in enumerate(judges):
            precision, recall, held, aloft = table[:, 4 * number : 4 * number + 4].T
            row |= {f"{name} precision": _mean(precision), f"{name} recall": _mean(recall)}
            row[f"{name} in the air"] = f"{100 * held.sum() / aloft.sum():.1f}" if aloft.any() else "-"
        rows.append(row)
    return rows


def _figures(one: StagedTake, judges: Sequence[Judge]) -> list[float]:
    """Of each judge precision and recall in percent, frames held in the air, and frames in the air."""
    motion = one.finished()
    up_cam = up_direction_cam(motion.joints_cam, motion.skeleton, motion.score, motion.times_s)
    standing = true_contacts(one.joints_world, motion.fps)
    aloft = in_the_air(one.joints_world, motion.fps)
    figures = []
    for judge in judges:
        found = standing_points(judge(motion, up_cam), motion.times_s)
        figures += [*precision_recall(found, standing), float(found[aloft].any(axis=1).sum()), float(aloft.sum())]
    return figures


def _mean(values: np.ndarray) -> str:
    return f"{np.nanmean(values):.1f}" if np.isfinite(values).any() else "-"


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = clips_parser("contact_report", __doc__)
    parser.add_argument("--weights", type=Path, default=CONTACT_NET_FILE, help="of the network (default: the bundled)")
    arguments = parser.parse_args(words)
    return reported(lambda: ("contacts", _rows(arguments)), data=arguments.json, page=arguments.into)


def _rows(arguments: argparse.Namespace) -> list[dict[str, object]]:
    net = read_net(arguments.weights)

    def learnt_chance(motion: Motion3D, up_cam: np.ndarray) -> np.ndarray:
        return captured_chance(motion, up_cam, net)[:, : len(FOOT_POINTS)]

    return rows_of(staged_clips(arguments), {"tuned": tuned_chance, "learnt": learnt_chance})


if __name__ == "__main__":
    sys.exit(main())
