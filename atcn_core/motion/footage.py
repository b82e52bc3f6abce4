"""Where the video's camera stands beside a rig that has the motion. No Blender in here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D
from ..rotation import matrix_to_quat, quat_multiply, quat_slerp, quat_unrolled
from . import retarget
from .rig_rest import RigRest
from .rigmap import RigMap
from .world import to_world_with_camera

__all__ = ["Lens", "RigCamera", "camera_for_rig", "camera_turns", "lens_of", "shown_frames"]

# Blender's own default; only its ratio to the focal length counts.
_SENSOR_MM = 36.0


@dataclass(frozen=True)
class RigCamera:
    """The camera from which a rig covers the performer in the picture; as it stands in the first frame, if it turns.

    world_from_cam: (3, 3) rotation from `cam` axes (x right, y down, z forward) into Blender's world.
    place_world_m:  (3,) where it stands.
    """

    world_from_cam: np.ndarray
    place_world_m: np.ndarray


@dataclass(frozen=True)
class Lens:
    """A pinhole camera in Blender's terms: the sensor fills the picture's `fit` side ("HORIZONTAL" or "VERTICAL").

    shift_x, shift_y: of that side's length, as Blender counts them.
    """

    fit: str
    sensor_mm: float
    focal_mm: float
    shift_x: float
    shift_y: float


def camera_for_rig(motion: Motion3D, rest: RigRest, rig_map: RigMap) -> RigCamera:
    """The camera beside a rig with the uncorrected motion: scaled and shifted as the rig's way through the room is.

    Raises MotionError, RigError.
    """
    world, world_from_cam, place = to_world_with_camera(motion)
    scale, shift = retarget.solve(world, rest, rig_map).placement or (1.0, np.zeros(3))
    return RigCamera(world_from_cam, scale * place + shift)


def camera_turns(motion: Motion3D, placed: RigCamera, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """How a camera that turns or zooms does so, at times within the clip (N,); None for one that stands still.

    Returns world_from_cam as quaternions (N, 4), neighbours in one hemisphere, and the focal length over the first
    frame's (N,).
    """
    path = motion.video_camera.path if motion.video_camera is not None else None
    if path is None:
        return None
    turns = quat_unrolled(matrix_to_quat(path.first_from_cam))
    after = np.searchsorted(motion.times_s, times_s).clip(1, max(len(turns) - 1, 1)).clip(max=len(turns) - 1)
    before = np.maximum(after - 1, 0)
    step_s = np.maximum(motion.times_s[after] - motion.times_s[before], 1e-9)
    share = ((times_s - motion.times_s[before]) / step_s).clip(0.0, 1.0)
    turned = quat_multiply(matrix_to_quat(placed.world_from_cam), quat_slerp(turns[before], turns[after], share))
    return quat_unrolled(turned), np.exp(np.interp(times_s, motion.times_s, np.log(path.zoom)))


def lens_of(motion: Motion3D, frame_wh_px: tuple[float, float]) -> Lens:
    """The motion's camera for a render of another size, in the middle of which the whole picture of the video lies."""
    width_px, height_px = motion.image_wh_px
    upright = width_px * frame_wh_px[1] < height_px * frame_wh_px[0]
    side_px = height_px if upright else width_px
    centre_x_px, centre_y_px = motion.camera.centre_px
    return Lens(
        fit="VERTICAL" if upright else "HORIZONTAL",
        sensor_mm=_SENSOR_MM,
        focal_mm=_SENSOR_MM * motion.camera.focal_px / side_px,
        shift_x=(0.5 * width_px - centre_x_px) / side_px,
        shift_y=(centre_y_px - 0.5 * height_px) / side_px,
    )


def shown_frames(times_s: np.ndarray, video_fps: float, video_frames: int) -> np.ndarray:
    """The frame (N,) of a video, counted from 1, that is nearest to each time (N,) since its first."""
    return np.clip(np.floor(times_s * video_fps + 0.5).astype(int), 0, video_frames - 1) + 1
