"""Takes before fixed virtual cameras, lifted frame by frame by the code that lifts a user's video."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..clip import Keypoints2D, to_capture
from ..frames import Intrinsics, cam_to_px
from ..lift.fit import fitted_to_picture
from ..lift.predict import TRAINING_FPS
from ..motion.stature import stature_m
from ..reporter import Reporter
from ..skeleton import CAPTURE, H36M_17
from .networks import Network, lifter_of
from .takes import KnownTake

__all__ = [
    "LiftedView",
    "View",
    "answered",
    "disturbed",
    "lift_and_fit_views",
    "lift_views",
    "make_views",
    "typical_height_px",
]

# As Human3.6M's cameras: a picture 1000 px wide, this focal length, 5 m away where the motion leaves the choice.
PICTURE_WH_PX = (1000, 1000)
CAMERA = Intrinsics(1145.0, (500.0, 500.0))
_LEAST_DISTANCE_M = 5.0
_PITCH_RAD = np.deg2rad(10.0)
_MARGIN = 0.95
_JOINTS = CAPTURE.indices(*H36M_17.joints)
# How far the true picture is trusted, at the person's distance: the joints of mocap are not quite at one length either.
EXACT_M = 0.006


@dataclass(frozen=True)
class View:
    """A take before one camera. joints_cam: (T, J, 3) metres in `cam`, NaN where the take has no such joint.

    keypoints: what is seen of it in 2D, the true picture or a detector's; lens: of the camera that shows it so.
    """

    take: KnownTake
    camera: int
    joints_cam: np.ndarray
    keypoints: Keypoints2D
    lens: Intrinsics = CAMERA


@dataclass(frozen=True)
class LiftedView:
    """A view's answer and truth, (T, K, 3) mm about the hip in `cam`.

    joints: their names, those of Human3.6M's 17 that the take has.
    """

    name: str
    action: str
    camera: int
    predicted_mm: np.ndarray
    true_mm: np.ndarray
    joints: tuple[str, ...] = H36M_17.joints


def make_views(takes: Sequence[KnownTake], cameras: int) -> list[View]:
    """Every take before `cameras` cameras that stand still around it at even angles, the first one's by its name."""
    views = []
    for take in takes:
        start = zlib.crc32(take.name.encode()) / 2**32
        for number in range(cameras):
            yaw_rad = 2 * np.pi * (start + number) / cameras
            joints_cam = _before_camera(take, yaw_rad)
            views.append(View(take, number, joints_cam, _picture(take, joints_cam)))
    return views


def _before_camera(take: KnownTake, yaw_rad: float) -> np.ndarray:
    """The take's joints in the axes of a camera that looks down a little and from which all of it is in the picture."""
    sin, cos = np.sin(yaw_rad), np.cos(yaw_rad)
    down, level = np.sin(_PITCH_RAD), np.cos(_PITCH_RAD)
    right = np.array([cos, -sin, 0.0])
    forward = np.array([level * sin, level * cos, -down])
    cam_from_world = np.stack([right, np.cross(forward, right), forward])
    shown = take.joints_world[:, take.shown]
    middle = (shown.min(axis=(0, 1)) + shown.max(axis=(0, 1))) / 2
    joints = (take.joints_world - middle) @ cam_from_world.T
    seen = joints[:, take.shown]
    half = _MARGIN * np.array(CAMERA.centre_px) / CAMERA.focal_px
    distance_m = max(_LEAST_DISTANCE_M, float((np.abs(seen[..., :2]) / half - seen[..., 2:]).max()))
    return joints + np.array([0.0, 0.0, distance_m])


def _picture(take: KnownTake, joints_cam: np.ndarray) -> Keypoints2D:
    frames = len(joints_cam)
    score = np.tile(take.shown.astype(np.float32), (frames, 1))
    xy_px = np.full((frames, len(CAPTURE), 2), np.nan, dtype=np.float32)
    xy_px[:, take.shown] = cam_to_px(joints_cam[:, take.shown], CAMERA)
    return Keypoints2D(CAPTURE, np.arange(frames) / TRAINING_FPS, TRAINING_FPS, PICTURE_WH_PX, xy_px, score)


def typical_height_px(views: Sequence[View]) -> float:
    """How tall the persons stand in the pictures, the median of all frames: what noise in px is to be held against."""
    y_px = [view.keypoints.xy_px[..., 1] for view in views]
    return float(np.median(np.concatenate([np.nanmax(y, axis=1) - np.nanmin(y, axis=1) for y in y_px])))


def disturbed(keypoints: Keypoints2D, noise_px: float, drop: float, seed: int) -> Keypoints2D:
    """Keypoints with white Gaussian noise of `noise_px` on x and y and a share `drop` of the joints not seen."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=keypoints.xy_px.shape)  # drawn for every level, so that levels differ in size alone
    lost = rng.random(keypoints.score.shape) < drop
    xy_px = (keypoints.xy_px + noise_px * noise).astype(np.float32)
    score = np.where(lost, 0.0, keypoints.score).astype(np.float32)
    xy_px[score == 0] = np.nan
    return Keypoints2D(keypoints.skeleton, keypoints.times_s, keypoints.fps, keypoints.image_wh_px, xy_px, score)


def lift_views(
    network: Network, views: Sequence[View], *, noise_px: float = 0.0, drop: float = 0.0, device: str = "cpu"
) -> list[LiftedView]:
    """Every view through every window of the network, camera known, flip averaged, at the keypoints' own times."""
    return [answered(view, poses) for view, _, poses in _lifted(network, views, noise_px, drop, device)]


def lift_and_fit_views(
    network: Network, views: Sequence[View], *, noise_px: float = 0.0, drop: float = 0.0, device: str = "cpu"
) -> dict[str, list[LiftedView]]:
    """As `lift_views`, by what was done to the answer: nothing (""); brought onto the picture (`lift.fit`), whose error
    is said to be the noise and a trace more; that, of a performer whose height is given, as a user may."""
    answers: dict[str, list[LiftedView]] = {"": [], "fitted": [], "fitted, height given": []}
    for view, keypoints, poses_cam in _lifted(network, views, noise_px, drop, device):
        away_m = float(np.median(view.joints_cam[:, CAPTURE.index("hip"), 2]))
        picture_m = float(np.hypot(EXACT_M, noise_px * away_m / view.lens.focal_px))
        fitted = fitted_to_picture(poses_cam, keypoints, view.lens, picture_m)[0]
        scale = stature_m(view.joints_cam, CAPTURE) / stature_m(fitted, CAPTURE)
        for rows, joints_cam in zip(answers.values(), (poses_cam, fitted, scale * fitted), strict=True):
            rows.append(answered(view, joints_cam))
    return answers


def _lifted(
    network: Network, views: Sequence[View], noise_px: float, drop: float, device: str
) -> Iterator[tuple[View, Keypoints2D, np.ndarray]]:
    """Each view with what was seen of it and the poses (T, J, 3) in `cam` that it was lifted to."""
    lifter = lifter_of(network, device)
    for seed, view in enumerate(views):
        keypoints = to_capture(disturbed(view.keypoints, noise_px, drop, seed))
        yield view, keypoints, lifter.lift(keypoints, view.lens, Reporter())


def answered(view: View, poses_cam: np.ndarray) -> LiftedView:
    """A view with an answer to it, (T, J, 3) metres in `cam` in the capture set."""
    poses, true = poses_cam[:, _JOINTS], view.joints_cam[:, _JOINTS]
    known = np.asarray(np.isfinite(true).all(axis=(0, 2)))
    return LiftedView(
        view.take.name,
        view.take.action,
        view.camera,
        1000.0 * (poses - poses[:, :1]).astype(np.float64)[:, known],
        1000.0 * (true - true[:, :1])[:, known],
        tuple(joint for joint, is_known in zip(H36M_17.joints, known, strict=True) if is_known),
    )
