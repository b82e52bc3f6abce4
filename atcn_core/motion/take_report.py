"""The report on one capture: how much was seen, how well it fits, what feet and joints do, and which frames to look at.

Figures without truth to compare with: they say how a take hangs together, not how true it is.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..clip import Keypoints2D, Motion3D
from ..errors import MotionError
from ..skeleton import SIDES
from .take_doubts import Doubt, doubtful
from .take_rig import Soles, sliding_m_s
from .take_series import TakeSeries, take_series
from .take_view import view_of
from .world import WorldMotion, to_world

__all__ = ["SCHEMA", "Soles", "TakeReport", "from_json", "on_rig", "take_report", "to_json"]

SCHEMA = "atcn.report/1"
# The way is the sum of steps so long in time: summed over frames, the tremble of somebody who stands adds up to metres.
WAY_STEP_S = 0.5
# Arms that move less than this share of the person's height say nothing of how much of a swing was kept.
LEAST_SWING = 0.02
LEAST_FRAMES = 10


@dataclass(frozen=True)
class TakeReport:
    """The figures of one capture; None where a clip says nothing of one.

    frames, first_s, last_s:   the clip, on the video's clock.
    found_percent:             frames in which the person was found at all.
    seen_percent:              joints that were seen, of all in all frames.
    reprojection_px, reprojection_percent: mean distance of the seen joints from the motion's in the picture, and that
                               of the person's height there.
    foot_slide_cm_s:           mean speed along the floor of heels and toes while they stand, before the rig.
    rig, rig_foot_slide_cm_s, rig_below_floor_cm, rig_deepest_cm: a rig's name and the same of its feet, where they
                               were measured (`on_rig`).
    below_floor_cm, deepest_cm: how deep the lowest of heels and toes is below the floor, mean and worst, before the
                               rig.
    jitter_mm:                 mean second difference of all joints, mm a frame^2.
    way_m:                     how far the hip went along the floor.
    limb_length_percent:       mean deviation of the bones from their median lengths.
    arm_swing_percent:         spread of the wrists about the shoulders in the picture, over that of what was found.
    doubtful:                  the frames to look at.
    hand_slide_cm_s:           as foot_slide_cm_s, of the wrists of hands while they stand on the floor.
    camera, camera_note:       what the film's camera does (camera_path.CAMERA_KINDS) and the sentences on it; "" where
                               nobody looked.
    """

    frames: int
    first_s: float
    last_s: float
    found_percent: float
    seen_percent: float
    reprojection_px: float | None
    reprojection_percent: float | None
    foot_slide_cm_s: float | None
    below_floor_cm: float
    deepest_cm: float
    jitter_mm: float | None
    way_m: float
    limb_length_percent: float
    arm_swing_percent: float | None
    doubtful: tuple[Doubt, ...]
    rig: str = ""
    rig_foot_slide_cm_s: float | None = None
    rig_below_floor_cm: float | None = None
    rig_deepest_cm: float | None = None
    camera: str = ""
    camera_note: str = ""
    hand_slide_cm_s: float | None = None

    @property
    def doubtful_percent(self) -> float:
        """How much of the clip's time some doubt lies on."""
        ends = sorted((doubt.first_s, min(doubt.last_s, self.last_s)) for doubt in self.doubtful)
        covered_s, reached_s = 0.0, self.first_s
        for first_s, last_s in ends:
            covered_s += max(last_s - max(first_s, reached_s), 0.0)
            reached_s = max(reached_s, last_s)
        return 100.0 * covered_s / max(self.last_s - self.first_s, 1e-9)


def take_report(
    motion: Motion3D,
    keypoints: Keypoints2D,
    world: WorldMotion | None = None,
    series: TakeSeries | None = None,
) -> TakeReport:
    """The report on a capture, from the joints as they were found and the motion made of them.

    world: `motion` in the world, made here where it is not given. series: `take_series` of the same.
    Raises MotionError where the motion lacks limb joints, ValueError where frames differ.
    """
    world = world if world is not None else to_world(motion)
    series = series if series is not None else take_series(motion, keypoints, world)
    below_m = np.maximum(-series.foot_heights_m.min(axis=1), 0.0)
    return TakeReport(
        frames=len(motion.times_s),
        first_s=float(motion.times_s[0]),
        last_s=float(motion.times_s[-1]),
        found_percent=100.0 * float(series.found.mean()),
        seen_percent=100.0 * float(series.seen.mean()),
        reprojection_px=_mean(series.miss_px),
        reprojection_percent=_mean(100.0 * series.miss_share),
        foot_slide_cm_s=_mean(100.0 * series.foot_speed_m_s[series.standing]),
        hand_slide_cm_s=_mean(100.0 * series.hand_speed_m_s[series.hand_standing]),
        below_floor_cm=100.0 * float(below_m.mean()),
        deepest_cm=100.0 * float(below_m.max()),
        jitter_mm=_mean(1000.0 * np.linalg.norm(np.diff(world.joints_world, n=2, axis=0), axis=2)),
        way_m=_way_m(series),
        limb_length_percent=_limb_length_percent(motion),
        arm_swing_percent=_arm_swing_percent(motion, keypoints, series),
        doubtful=tuple(doubtful(series)),
        camera=motion.video_camera.kind if motion.video_camera is not None else "",
        camera_note=motion.video_camera.note if motion.video_camera is not None else "",
    )


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def on_rig(report: TakeReport, rig: str, soles: Soles, world: WorldMotion) -> TakeReport:
    """The report with the figures of a rig that has the motion. rig: its name; world: the motion in the world."""
    below_m = np.maximum(-soles.heights_m.min(axis=1), 0.0)
    return dataclasses.replace(
        report,
        rig=rig,
        rig_foot_slide_cm_s=_mean(100.0 * sliding_m_s(soles, world)),
        rig_below_floor_cm=100.0 * float(below_m.mean()),
        rig_deepest_cm=100.0 * float(below_m.max()),
    )


def _way_m(series: TakeSeries) -> float:
    times_s = series.times_s
    steps = max(int(np.ceil((times_s[-1] - times_s[0]) / WAY_STEP_S - 1e-9)), 1)
    at_s = np.linspace(times_s[0], times_s[-1], steps + 1)
    path = np.stack([np.interp(at_s, times_s, series.hip_world[:, axis]) for axis in (0, 1)], axis=1)
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def _limb_length_percent(motion: Motion3D) -> float:
    parents, children = np.array(motion.skeleton.bones, dtype=int).reshape(-1, 2).T
    lengths_m = np.linalg.norm(motion.joints_cam[:, children] - motion.joints_cam[:, parents], axis=2)
    usual_m = np.median(lengths_m, axis=0)
    off = np.abs(lengths_m - usual_m) / np.maximum(usual_m, 1e-9)
    return 100.0 * float(off.mean()) if off.size else 0.0


def _arm_swing_percent(motion: Motion3D, keypoints: Keypoints2D, series: TakeSeries) -> float | None:
    """Both wrists' spreads together, over the frames in which wrists and shoulders were seen with their own sides."""
    names = [f"{side}_{part}" for part in ("wrist", "shoulder") for side in SIDES]
    if not set(names) <= set(series.joints):
        return None
    use = series.seen[:, [series.joints.index(name) for name in names]].all(axis=1) & ~series.exchanged
    if use.sum() < LEAST_FRAMES:
        return None
    placed, view = (motion.joints_cam + motion.root_cam[:, None])[:, motion.skeleton.indices(*names)], view_of(motion)
    kept_px = view.pixels(view.framed(placed.astype(np.float64)))[use]
    found_px = keypoints.xy_px[use][:, keypoints.skeleton.indices(*names)].astype(np.float64)
    kept, found = (_swing(points, series.height_px[use]) for points in (kept_px, found_px))
    return 100.0 * kept / found if found > LEAST_SWING else None


def _swing(points_px: np.ndarray, height_px: np.ndarray) -> float:
    """Spread of two wrists about the middle of two shoulders, in shares of the person's height. (T, 4, 2) px."""
    about = (points_px[:, :2] - points_px[:, 2:].mean(axis=1, keepdims=True)) / height_px[:, None, None]
    return float(np.sqrt(about.var(axis=0).sum()))


def to_json(report: TakeReport) -> str:
    """The report as JSON text of schema atcn.report/1 (see docs/take_report.md)."""
    return json.dumps({"schema": SCHEMA, **dataclasses.asdict(report)}, indent=2) + "\n"


def from_json(text: str) -> TakeReport:
    """The report of a JSON text. Raises MotionError where it is none of this schema."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        doubts = tuple(Doubt(**doubt) for doubt in data.pop("doubtful"))
        report = TakeReport(**data, doubtful=doubts)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise MotionError(f"This is no take report ({SCHEMA}).", hint="Capture the video again.") from problem
    if not all(math.isfinite(doubt.first_s) and math.isfinite(doubt.last_s) for doubt in report.doubtful):
        raise MotionError("The take report has times that are no numbers.", hint="Capture the video again.")
    return report
