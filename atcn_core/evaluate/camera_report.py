"""How true captures by moving cameras are in the room: held-out motion before cameras that pan, zoom, shake, go about.

python -m atcn_core.evaluate.camera_report --motion FOLDER [--pan | --pan --zoom | ...] [--json FILE] [--into PAGE]
Each take is filmed three times: by a camera that stands still, and by one that moves, whose movement is left in or
taken out as a capture takes it out, found in pictures of a textured room with the person drawn into it.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from ..camera.background import BackgroundWatch
from ..camera.compensate import Calm, calmed
from ..camera.reading import CameraReading, read_camera
from ..camera_path import CameraPath
from ..capture import solve_motion
from ..clip import Keypoints2D, to_capture
from ..detect.enhance import enhanced
from ..errors import MotionError
from ..frames import Intrinsics, cam_to_px
from ..lift.predict import Lifter
from ..motion.smoothing import smoothed
from ..motion.stature import of_height, stature_m
from ..motion.world import to_world
from ..reporter import Reporter
from ..skeleton import CAPTURE
from ..train.noise import NoiseOptions
from .backdrop import Backdrop
from .output import markdown
from .report_command import report_parser, reported
from .staged import detected
from .takes import KnownTake, evenly_chosen, load_takes
from .views import CAMERA, PICTURE_WH_PX, View, make_views
from .world_metrics import world_errors

__all__ = ["MOVES", "FilmedTake", "film", "main", "table"]

_SHRUNK = 0.4
# So near does the person come to the camera: it has to turn if it is not to lose them.
_NEAREST_M = 3.0
# --wide: the most sideways of so many cameras around a take, this near.
_AROUND, _WIDE_NEAREST_M = 12, 2.2
_FOLLOW_HZ = 0.5
_SWAY_M, _SWAY_HZ = 0.03, 0.7
_SHAKE_RAD = np.deg2rad(0.4)
_DOLLY_M_S = 0.3
_HIP = CAPTURE.index("hip")
_LIMBS = [bone for bone in CAPTURE.bones if CAPTURE.joints[bone[1]] not in ("nose", "left_ear", "right_ear")]
# What is measured where no movement is named, and whether by a camera near and beside the way.
_SUITE = [
    (["pan"], False),
    (["pan"], True),
    (["pan", "zoom"], False),
    (["hand"], False),
    (["pan", "hand"], False),
    (["dolly"], False),
]
# By name, what the camera does: turns after the person; zooms; is held by hand; rolls along.
MOVES = ("pan", "zoom", "hand", "dolly")


@dataclass(frozen=True)
class FilmedTake:
    """A take before a camera that moves, in the axes of its first frame.

    still: the take before the camera had it stood still. path, place_m (T, 3): the camera's true turns, zoom and way.
    joints_cam: (T, J, 3) metres, in each frame's own axes.
    """

    still: View
    path: CameraPath
    place_m: np.ndarray
    joints_cam: np.ndarray


def _nearer(view: View, nearest_m: float) -> View:
    """The same take with the camera moved up to it along its line of sight."""
    step_m = nearest_m - float(view.joints_cam[:, _HIP, 2].min())
    return replace(view, joints_cam=view.joints_cam + np.array([0.0, 0.0, step_m]))


def film(view: View, moves: Sequence[str]) -> FilmedTake:
    """The view by a camera that does these MOVES, always the same ones for a take."""
    rng = np.random.default_rng(zlib.crc32(f"{view.take.name} {view.camera} film".encode()))
    frames, fps = len(view.joints_cam), view.keypoints.fps
    times_s = np.arange(frames) / fps
    place_m = np.zeros((frames, 3))
    if "hand" in moves:
        place_m[:, :2] = _SWAY_M * np.sin(2 * np.pi * _SWAY_HZ * times_s[:, None] * [1.0, 1.7] + rng.uniform(0, 6, 2))
    if "dolly" in moves:
        place_m[:, 0] += _DOLLY_M_S * times_s * rng.choice([-1.0, 1.0])
    place_m -= place_m[0]
    joints = view.joints_cam - place_m[:, None]
    turns = Rotation.identity(frames)
    if "pan" in moves:
        turns = _after_the_person(joints[:, _HIP], times_s)
    if "hand" in moves:
        shake = smoothed(rng.normal(size=(frames, 3)), times_s, 3.0)
        turns = turns * Rotation.from_rotvec(_SHAKE_RAD * shake / shake.std(axis=0))
    turns = turns[0].inv() * turns
    zoom = np.ones(frames)
    if "zoom" in moves:
        zoom = 1.0 + 0.25 * (1.0 - np.cos(2 * np.pi * times_s / 5.0))
    first_from_cam = turns.as_matrix()
    return FilmedTake(
        view, CameraPath(first_from_cam, zoom), place_m, np.einsum("tij,tki->tkj", first_from_cam, joints)
    )


def _after_the_person(hip_cam: np.ndarray, times_s: np.ndarray) -> Rotation:
    """Yaw and pitch with which a camera on a tripod turns after the hip (T, 3), a little late and not all the way."""
    yaw = np.arctan2(hip_cam[:, 0], hip_cam[:, 2])
    pitch = -np.arctan2(hip_cam[:, 1], np.linalg.norm(hip_cam[:, [0, 2]], axis=1))
    slow = smoothed(np.stack([yaw, pitch], axis=1), times_s, _FOLLOW_HZ)
    return Rotation.from_euler("YX", slow)


def _filmed_keypoints(filmed: FilmedTake, noise: NoiseOptions | None) -> Keypoints2D:
    """What a detector makes of the moving camera's picture."""
    shown = filmed.still.keypoints
    seed = zlib.crc32(f"{filmed.still.take.name} {filmed.still.camera}".encode())
    if noise is None:
        xy_px = np.where((shown.score > 0)[..., None], cam_to_px(filmed.joints_cam, CAMERA), np.nan)
        seen = replace(shown, xy_px=xy_px.astype(np.float32))
    else:
        seen = detected(filmed.joints_cam, shown, noise, seed)
    centre = np.asarray(CAMERA.centre_px)
    zoomed = (seen.xy_px - centre) * filmed.path.zoom[:, None, None] + centre
    return replace(seen, xy_px=zoomed.astype(np.float32))


def _read(filmed: FilmedTake, keypoints: Keypoints2D, fov_deg: float) -> CameraReading:
    """What a capture finds out about the camera, from pictures of a room with the person drawn into it."""
    view = filmed.still
    size = tuple(round(_SHRUNK * side) for side in PICTURE_WH_PX)
    lens = Intrinsics(_SHRUNK * CAMERA.focal_px, tuple(_SHRUNK * side for side in CAMERA.centre_px))  # type: ignore[arg-type]
    far_m = float(np.linalg.norm(view.joints_cam[:, _HIP], axis=1).max()) + 2.5
    room = Backdrop(zlib.crc32(view.take.name.encode()), (far_m, 3.0, far_m))
    watch = BackgroundWatch((size[0], size[1]), CAPTURE.bones)
    for frame, time_s in enumerate(view.keypoints.times_s):
        now = Intrinsics(lens.focal_px * filmed.path.zoom[frame], lens.centre_px)
        picture = room.picture((size[0], size[1]), now, filmed.path.first_from_cam[frame], filmed.place_m[frame])
        _draw_person(picture, _SHRUNK * _true_px(filmed, frame))
        watch.see(picture, float(time_s), _SHRUNK * keypoints.xy_px[frame])
    small = watch.tracks
    tracks = replace(small, image_wh_px=PICTURE_WH_PX, key_xy_px=small.key_xy_px / _SHRUNK, xy_px=small.xy_px / _SHRUNK)
    return read_camera(tracks, view.keypoints.times_s, PICTURE_WH_PX, fov_deg=fov_deg)


def _true_px(filmed: FilmedTake, frame: int) -> np.ndarray:
    joints = np.nan_to_num(filmed.joints_cam[frame])
    lens = Intrinsics(CAMERA.focal_px * filmed.path.zoom[frame], CAMERA.centre_px)
    return cam_to_px(np.concatenate([joints[:, :2], np.maximum(joints[:, 2:], 0.3)], axis=1), lens)


def _draw_person(picture: np.ndarray, joints_px: np.ndarray) -> None:
    """Thick limbs in plain colours: somebody who moves otherwise than the room."""
    thick_px = max(int(0.06 * np.ptp(joints_px[:, 1])), 2)
    for number, (start, end) in enumerate(_LIMBS):
        first, second = (tuple(np.clip(joints_px[joint], -9999, 9999).astype(int).tolist()) for joint in (start, end))
        cv2.line(picture, first, second, (30 + 8 * number, 60, 200 - 6 * number), thick_px)


def table(
    views: Sequence[View], moves: Sequence[str], lifter: Lifter, *, noise: NoiseOptions | None, known_lens: bool
) -> list[dict[str, object]]:
    """One row for each way of doing it, means over the views; the last row says how well the camera was read."""
    fov_deg = float(np.degrees(2 * np.arctan(0.5 * max(PICTURE_WH_PX) / CAMERA.focal_px))) if known_lens else 0.0
    ways: dict[str, list[tuple[float, ...]]] = {}
    read_off: list[tuple[float, float, float]] = []
    kinds: list[str] = []
    for view in views:
        filmed = film(view, moves)
        still = _filmed_keypoints(
            replace(filmed, path=CameraPath.still(len(filmed.joints_cam)), joints_cam=view.joints_cam), noise
        )
        keypoints = _filmed_keypoints(filmed, noise)
        reading = _read(filmed, keypoints, fov_deg)
        lens = reading.lens.camera
        kinds.append(reading.camera.kind)
        ways.setdefault("camera stands still", []).append(_errors(view, Calm(still, None), lens, lifter))
        ways.setdefault("moves, left in", []).append(_errors(view, Calm(keypoints, None), lens, lifter))
        path = reading.camera.path
        calm = Calm(keypoints, None) if path is None else calmed(keypoints, path, lens)
        ways.setdefault("moves, taken out", []).append(_errors(view, calm, lens, lifter))
        true = calmed(keypoints, filmed.path, CAMERA)
        ways.setdefault("moves, truth taken out", []).append(_errors(view, true, CAMERA, lifter))
        read_off.append(_misread(filmed, path, lens))
    names = ("root cm", "drift percent", "height cm", "slide cm s")
    off = [_mean(column, 2) for column in np.array(read_off).T]
    told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    rows: list[dict[str, object]] = []
    for way, errors in ways.items():
        means = [_mean(column, 1) for column in np.array(errors).T]
        row: dict[str, object] = {"moves": " + ".join(moves), "way": way, **dict(zip(names, means, strict=True))}
        found = [*off, told] if way == "moves, taken out" else [""] * 4
        rows.append(
            row | dict(zip(("turns off deg", "zoom off percent", "lens off percent", "called"), found, strict=True))
        )
    return rows


def _mean(values: np.ndarray, digits: int) -> float | str:
    """The mean of the views that say something; "-" where none does."""
    known = values[np.isfinite(values)]
    return round(float(known.mean()), digits) if known.size else "-"


def _errors(view: View, calm: Calm, lens: Intrinsics, lifter: Lifter) -> tuple[float, ...]:
    """Root, drift, height and slide of a capture of these keypoints, the performer's height known."""
    keypoints = to_capture(enhanced(calm.keypoints))
    motion = solve_motion(keypoints, lifter, Reporter(), lens, calm.first_from_calm)
    true_world = view.take.joints_world
    world = to_world(of_height(motion, stature_m(true_world, CAPTURE)))
    errors = world_errors(world, world.standing_chance() > 0.5, true_world, np.nan)
    return errors.root_cm, errors.drift_percent, errors.height_cm, errors.slide_cm_s


def _misread(filmed: FilmedTake, path: CameraPath | None, lens: Intrinsics) -> tuple[float, float, float]:
    """Mean error of the turns (degrees) and zoom (percent), and that of the lens (percent)."""
    path = CameraPath.still(len(filmed.path.zoom)) if path is None else path
    apart = filmed.path.first_from_cam.transpose(0, 2, 1) @ path.first_from_cam
    turns_deg = np.degrees(Rotation.from_matrix(apart).magnitude())
    zoom = 100 * np.abs(path.zoom / filmed.path.zoom - 1.0)
    return float(turns_deg.mean()), float(zoom.mean()), 100 * abs(lens.focal_px / CAMERA.focal_px - 1.0)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = report_parser("camera_report", __doc__, seconds=8.0)
    for move in MOVES:
        parser.add_argument(f"--{move}", action="store_true", help=f"the camera's movement: {_MEANT[move]}")
    parser.add_argument("--takes", type=int, default=8, help="so many takes, evenly chosen")
    parser.add_argument("--way-m", type=float, default=2.0, help="only takes in which the hip goes at least so far")
    parser.add_argument("--wide", action="store_true", help="near and beside the way: the camera has to turn far")
    parser.add_argument("--lens-unknown", action="store_true", help="the lens is not given")
    return parser.parse_args(words)


_MEANT = {
    "pan": "it turns after the person",
    "zoom": "in and out by half",
    "hand": "it is held by hand: shakes, sways by 3 cm",
    "dolly": "it rolls aside at 0.3 m/s",
}


def _chosen(motion: Sequence[KnownTake], takes: int, way_m: float, *, wide: bool) -> list[View]:
    """Evenly chosen of those whose hip goes far enough along the floor. Raises MotionError where none does."""
    far = []
    for take in motion:
        views = make_views([take], _AROUND if wide else 1)
        view = max(views, key=lambda view: float(np.ptp(view.joints_cam[:, _HIP, 0])))
        hip = view.take.joints_world[::10, _HIP, :2]
        if np.linalg.norm(np.diff(hip, axis=0), axis=1).sum() >= way_m and np.isfinite(view.take.joints_world).all():
            far.append(_nearer(view, _WIDE_NEAREST_M if wide else _NEAREST_M))
    if not far:
        raise MotionError(
            "No take goes far enough.", hint=f"Give takes of a walk of {way_m:g} m, or a shorter --way-m."
        )
    return evenly_chosen(far, takes)


def main(words: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    arguments = _arguments(words)
    return reported(lambda: ("camera", _rows(arguments)), data=arguments.json, page=arguments.into)


def _rows(arguments: argparse.Namespace) -> list[dict[str, object]]:
    moves = [move for move in MOVES if getattr(arguments, move)]
    takes = load_takes(arguments.motion, arguments.seconds)
    suite = [(moves, arguments.wide)] if moves else _SUITE
    views = {wide: _chosen(takes, arguments.takes, arguments.way_m, wide=wide) for _, wide in suite}
    lifter = Lifter.named(arguments.network)
    noise = None if arguments.clean else NoiseOptions()
    rows: list[dict[str, object]] = []
    for some, wide in suite:
        found = table(views[wide], some, lifter, noise=noise, known_lens=not arguments.lens_unknown)
        rows += [row | {"moves": f"{row['moves']}, wide"} for row in found] if wide else found
        sys.stderr.write(f"{markdown(rows[-4:])}\n")
    return rows


if __name__ == "__main__":
    sys.exit(main())
