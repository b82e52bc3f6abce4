"""A user's own Human3.6M and HumanEva as takes before their own cameras: the paper's test subjects, nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..clip import Keypoints2D
from ..errors import MotionError
from ..frames import Intrinsics, cam_to_px
from ..skeleton import CAPTURE, H36M_17
from ..train.datasets import CameraView, DatasetCamera, Recording, load_human36m, load_humaneva
from .takes import KnownTake
from .views import View

__all__ = ["human36m_views", "humaneva_views", "known_take", "recording_views"]

_SHORTEST = 3


def human36m_views(path_3d: Path, path_2d: Path | None = None, seconds: float = 0.0) -> list[View]:
    """S9 and S11 before all four cameras, at the capture's own rate, with the file's 2D or the true picture.

    seconds: only so much from the start of each recording; 0 for all of it. Raises MotionError.
    """
    recordings = load_human36m(path_3d, path_2d, split="test")
    return [
        view
        for recording in recordings
        for view in recording_views(recording, activity=recording.action.split()[0], seconds=seconds)
    ]


def humaneva_views(
    path_3d: Path, path_2d: Path | None = None, seconds: float = 0.0, focal_px: float = 0.0
) -> list[View]:
    """HumanEva's validation part before all three cameras; an activity is one of a subject, as in the paper's Table 8.

    focal_px: assumed of all cameras, whose own is not published with this layout; needed for 2D of a file alone, as the
    true picture's rays follow from the places of joints and cameras. Raises MotionError.
    """
    recordings = load_humaneva(path_3d, path_2d, split="test")
    views = []
    for recording in recordings:
        activity = f"{recording.action.split()[0].replace('Walking', 'Walk')} {recording.subject.split('/')[-1]}"
        views += recording_views(recording, activity=activity, seconds=seconds, focal_px=focal_px)
    return views


def known_take(recording: Recording, activity: str, seconds: float = 0.0) -> KnownTake:
    """The recording's joints in the capture set, NaN where it has none. Raises MotionError where it has gaps."""
    frames = round(seconds * recording.fps) or len(recording.joints_world)
    joints = recording.joints_world[:frames].astype(np.float64)
    finite = np.asarray(np.isfinite(joints).all(axis=2))
    if (finite.any(axis=0) != finite.all(axis=0)).any() or not finite[:, H36M_17.index("hip")].all():
        raise MotionError(f"{recording.name} has gaps.", hint="Cut the recording at its gaps, as VideoPose3D does.")
    columns = CAPTURE.indices(*H36M_17.joints)
    joints_world = np.full((len(joints), len(CAPTURE), 3), np.nan)
    joints_world[:, columns] = joints
    shown = np.zeros(len(CAPTURE), dtype=bool)
    shown[columns] = finite.all(axis=0)
    return KnownTake(recording.name, joints_world, shown, recording.fps, activity)


def recording_views(recording: Recording, *, activity: str, seconds: float = 0.0, focal_px: float = 0.0) -> list[View]:
    """The recording before each of its cameras, none where it is too short to have an acceleration.

    Pictures are straightened: pinhole cameras without distortion. Raises MotionError as `humaneva_views` does.
    """
    take = known_take(recording, activity, seconds)
    if len(take.joints_world) < _SHORTEST:
        return []
    views = []
    for number, seen in enumerate(recording.views()):
        joints_cam = seen.camera.to_cam(take.joints_world)
        lens = _lens(seen.camera, focal_px)
        if seen.keypoints_px is None:
            xy_px = np.full((*joints_cam.shape[:2], 2), np.nan)
            xy_px[:, take.shown] = cam_to_px(joints_cam[:, take.shown], lens)
        else:
            xy_px = _straightened(seen, len(joints_cam), lens, focal_px)
        views.append(View(take, number, joints_cam, _keypoints(xy_px, recording.fps, seen.camera.image_wh_px), lens))
    return views


def _lens(camera: DatasetCamera, focal_px: float) -> Intrinsics:
    """The camera without its distortion; of an unknown one the assumed lens."""
    width_px, height_px = camera.image_wh_px
    if camera.matrix_px is not None:
        (fx, _, cx), (_, fy, cy), _ = camera.matrix_px.tolist()
        return Intrinsics((fx + fy) / 2, (cx, cy))
    if focal_px:
        return Intrinsics(focal_px, (width_px / 2, height_px / 2))
    return Intrinsics.assumed(camera.image_wh_px)


def _straightened(seen: CameraView, frames: int, lens: Intrinsics, focal_px: float) -> np.ndarray:
    """The file's keypoints as the lens would show them, (T, J, 2) px, NaN where the file has no such joint."""
    keypoints_px = np.asarray(seen.keypoints_px, dtype=np.float64)[:frames]
    if seen.camera.matrix_px is not None:
        keypoints_px = seen.camera.to_rays(keypoints_px) * lens.focal_px + np.array(lens.centre_px)
    elif not focal_px:
        raise MotionError(
            f"Camera {seen.camera.name} comes without its focal length, so its 2D cannot be lifted.",
            hint="Give --humaneva-focal-px, or leave out the 2D file to score on the true joints' picture.",
        )
    xy_px = np.full((frames, len(CAPTURE), 2), np.nan)
    places: Sequence[int] = [i for i, joint in enumerate(seen.keypoint_joints) if joint in CAPTURE.joints]
    xy_px[:, CAPTURE.indices(*(seen.keypoint_joints[i] for i in places))] = keypoints_px[:, places]
    return xy_px


def _keypoints(xy_px: np.ndarray, fps: float, image_wh_px: tuple[int, int]) -> Keypoints2D:
    score = np.asarray(np.isfinite(xy_px).all(axis=2), dtype=np.float32)
    times_s = np.arange(len(xy_px)) / fps
    return Keypoints2D(CAPTURE, times_s, fps, image_wh_px, xy_px.astype(np.float32), score)
