"""What a lens costs that nobody knows: held-out motion before still cameras of several fields of view.

python -m atcn_core.evaluate.lens_report --motion FOLDER [--fov 35 50 65 80] [--json FILE] [--into PAGE]
Each take comes towards a camera or goes away from it, and is captured twice: with the field of view that is assumed
where nobody says it, and with the true one.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..camera.lens import check_fov
from ..capture import solve_motion
from ..clip import to_capture
from ..detect.enhance import enhanced
from ..errors import MotionError
from ..frames import Intrinsics, cam_to_px
from ..lift.predict import Lifter
from ..motion.finish import finished
from ..motion.stature import stature_m
from ..motion.world import to_world
from ..reporter import Reporter
from ..skeleton import CAPTURE
from ..train.noise import NoiseOptions
from .metrics import mpjpe
from .report_command import report_parser, reported
from .staged import detected
from .takes import KnownTake, evenly_chosen, load_takes
from .views import PICTURE_WH_PX, View, make_views
from .world_metrics import world_errors

__all__ = ["main", "seen_through", "table", "towards"]

_HIP = CAPTURE.index("hip")
# The one of so many cameras around a take that sees it come or go most; the nearest that it comes to it.
_AROUND, _NEAREST_M = 12, 2.5
_MARGIN = 0.95
_LEAST_WAY_M = 2.0


def towards(take: KnownTake) -> View:
    """The take before the camera that sees the hip move most along its line of sight."""
    return max(make_views([take], _AROUND), key=lambda view: float(np.ptp(view.joints_cam[:, _HIP, 2])))


def seen_through(view: View, fov_deg: float, noise: NoiseOptions | None) -> View:
    """The same view by a camera of another field of view, moved along its line of sight until all is in the picture."""
    lens = Intrinsics.assumed(PICTURE_WH_PX, np.deg2rad(fov_deg))
    seen = view.joints_cam[:, view.take.shown]
    half = _MARGIN * np.array(lens.centre_px) / lens.focal_px
    nearest_m = _NEAREST_M - float(seen[..., 2].min())
    step_m = max(nearest_m, float((np.abs(seen[..., :2]) / half - seen[..., 2:]).max()))
    joints_cam = view.joints_cam + np.array([0.0, 0.0, step_m])
    shown = view.keypoints
    if noise is None:
        xy_px = np.where((shown.score > 0)[..., None], cam_to_px(joints_cam, lens), np.nan).astype(np.float32)
        found = replace(shown, xy_px=xy_px)
    else:
        seed = zlib.crc32(f"{view.take.name} {fov_deg:g}".encode())
        found = detected(joints_cam, shown, noise, seed, lens)
    return replace(view, joints_cam=joints_cam, keypoints=found, lens=lens)


def table(views: Sequence[View], fovs_deg: Sequence[float], lifter: Lifter, *, noise: bool) -> list[dict[str, object]]:
    """Two rows a field of view, the assumed lens and the true one: means over the views."""
    rows: list[dict[str, object]] = []
    for fov_deg in fovs_deg:
        some = [seen_through(view, fov_deg, NoiseOptions() if noise else None) for view in views]
        for taken in ("assumed", "true"):
            lens = Intrinsics.assumed(PICTURE_WH_PX)
            errors = np.array([_errors(one, lens if taken == "assumed" else one.lens, lifter) for one in some])
            means = [round(float(np.nanmean(column)), 1) for column in errors.T]
            names = ("root cm", "drift percent", "height cm", "slide cm s", "pose mm")
            rows.append({"degrees": f"{fov_deg:g}", "taken": taken, **dict(zip(names, means, strict=True))})
    return rows


def _errors(view: View, lens: Intrinsics, lifter: Lifter) -> tuple[float, ...]:
    """Root, drift, height, slide and pose of a capture with this lens, the performer's height known."""
    captured = solve_motion(to_capture(enhanced(view.keypoints)), lifter, Reporter(), lens)
    true_world = view.take.joints_world
    motion = finished(captured, stature_m(true_world, CAPTURE)).motion
    world = to_world(motion)
    errors = world_errors(world, world.standing_chance() > 0.5, true_world, np.nan)
    pose_mm = 1000.0 * mpjpe(motion.joints_cam, view.joints_cam - view.joints_cam[:, [_HIP]])
    return errors.root_cm, errors.drift_percent, errors.height_cm, errors.slide_cm_s, pose_mm


def _chosen(motion: Sequence[KnownTake], takes: int) -> list[View]:
    """Evenly chosen of those that come or go far enough. Raises MotionError where none does."""
    whole = [take for take in motion if np.isfinite(take.joints_world).all()]
    far = [view for view in map(towards, whole) if np.ptp(view.joints_cam[:, _HIP, 2]) >= _LEAST_WAY_M]
    if not far:
        raise MotionError("No take goes far enough.", hint=f"Give takes of a walk of {_LEAST_WAY_M:g} m.")
    return evenly_chosen(far, takes)


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = report_parser("lens_report", __doc__, seconds=8.0)
    parser.add_argument("--fov", type=float, nargs="+", default=[35.0, 50.0, 65.0, 80.0], metavar="DEG")
    parser.add_argument("--takes", type=int, default=8, help="so many takes, evenly chosen")
    arguments = parser.parse_args(words)
    return reported(lambda: ("lens", _rows(arguments)), data=arguments.json, page=arguments.into)


def _rows(arguments: argparse.Namespace) -> list[dict[str, object]]:
    for fov_deg in arguments.fov:
        check_fov(fov_deg)
    views = _chosen(load_takes(arguments.motion, arguments.seconds), arguments.takes)
    return table(views, arguments.fov, Lifter.named(arguments.network), noise=not arguments.clean)


if __name__ == "__main__":
    sys.exit(main())
