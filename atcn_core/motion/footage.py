"""Where the video's camera stands beside a rig that has the motion. No Blender in here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D
from . import retarget
from .rig_rest import RigRest
from .rigmap import RigMap
from .world import to_world_with_camera

__all__ = ["Lens", "RigCamera", "camera_for_rig", "lens_of", "shown_frames"]

# Blender's own default; only its ratio to the focal length counts.
_SENSOR_MM = 36.0


@dataclass(frozen=True)
class RigCamera:
    """The camera from which a rig covers the performer in the picture.

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
