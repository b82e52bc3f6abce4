"""Known motion played before a virtual camera and captured by the product's own path: what `world_report` judges.

The detector is the noise that training draws, at its usual size, and not drawn by training's own sampler: one long clip
is disturbed as a whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..capture import solve_motion
from ..clip import Keypoints2D, Motion3D, to_capture
from ..detect.enhance import enhanced
from ..detect.mediapipe import MediapipeDetector
from ..detect.track import track_person
from ..errors import MotionError
from ..frames import Intrinsics, cam_to_px
from ..lift.predict import Lifter
from ..motion.finish import DEFAULT_STRENGTH, finished
from ..motion.stature import stature_m
from ..reporter import Reporter
from ..skeleton import CAPTURE
from ..train.noise import NoiseOptions, disturb, draw_visibility, move_landmarks
from .detected import load_truth
from .takes import KnownTake
from .views import CAMERA, PICTURE_WH_PX, make_views

__all__ = ["StagedTake", "detected", "filmed", "stage"]

_HEIGHT_M = 1.7


@dataclass(frozen=True)
class StagedTake:
    """A take and what was captured of it.

    joints_world: (T, J, 3) the truth, metres, z up; joints_cam: (T, J, 3) the same in `cam`; up_cam: (3,) unit.
    motion: the capture, at the same times.
    """

    take: KnownTake
    joints_cam: np.ndarray
    up_cam: np.ndarray
    motion: Motion3D

    @property
    def joints_world(self) -> np.ndarray:
        return self.take.joints_world

    def finished(self, smooth: float = DEFAULT_STRENGTH) -> Motion3D:
        """The capture made ready as a user's is, the performer's height known."""
        return finished(self.motion, stature_m(self.joints_world, CAPTURE), smooth).motion


def stage(takes: Sequence[KnownTake], lifter: Lifter, *, noise: NoiseOptions | None, cameras: int) -> list[StagedTake]:
    """Each take before `cameras` fixed cameras, seen with a detector's errors (None: without), lifted and placed.

    The 2D is put right before it is lifted, as a user's is; the camera's focal length is known.
    """
    staged = []
    for view in make_views(takes, cameras):
        seed = zlib.crc32(f"{view.take.name} {view.camera}".encode())
        keypoints = (
            view.keypoints if noise is None else enhanced(detected(view.joints_cam, view.keypoints, noise, seed))
        )
        motion = solve_motion(to_capture(keypoints), lifter, Reporter(), CAMERA)
        staged.append(StagedTake(view.take, view.joints_cam, _up_cam(view.take, view.joints_cam), motion))
    return staged


def filmed(video: Path, truth: Path, lifter: Lifter) -> StagedTake:
    """A film of somebody whose joints are known, through the real detector and all that follows it.

    truth: as `load_truth` reads it. The camera's focal length is assumed, as where a user says nothing of it. Raises
    AtcnError.
    """
    known = load_truth(truth)
    if known.cam_from_world is None or known.place_world is None:
        raise MotionError(f"{truth.name} does not say how the camera stood.", hint="Make it with rigs/render_demo.py.")
    found = track_person(video, MediapipeDetector()).keypoints
    if len(found.times_s) != len(known.times_s):
        raise MotionError(
            f"{video.name} has {len(found.times_s)} frames, {truth.name} {len(known.times_s)}.",
            hint="Give the truth of this very film.",
        )
    keypoints = to_capture(enhanced(found))
    motion = solve_motion(keypoints, lifter, Reporter(), Intrinsics.assumed(keypoints.image_wh_px))
    joints_world = known.joints_cam @ known.cam_from_world + known.place_world
    take = KnownTake(truth.stem, joints_world, np.ones(len(CAPTURE), dtype=bool), found.fps)
    return StagedTake(take, known.joints_cam, known.cam_from_world[:, 2], motion)


def detected(
    joints_cam: np.ndarray, shown: Keypoints2D, noise: NoiseOptions, seed: int, lens: Intrinsics = CAMERA
) -> Keypoints2D:
    """What a detector makes of joints (T, J, 3) before a camera of this lens, where they are `shown` at all."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.from_numpy(joints_cam.astype(np.float32))[None]
    moved = move_landmarks(points, noise, generator)
    visibility = draw_visibility(1, len(joints_cam), noise, generator, any_set=False)
    rays = moved[..., :2] / moved[..., 2:]
    height = torch.tensor([_HEIGHT_M / float(np.median(joints_cam[:, CAPTURE.index("hip"), 2]))])
    rays = disturb(rays, visibility, height, noise, generator)[0].numpy()
    score = np.where(shown.score > 0, visibility[0].numpy(), 0.0).astype(np.float32)
    xy_px = cam_to_px(np.concatenate([rays, np.ones_like(rays[..., :1])], axis=-1), lens).astype(np.float32)
    xy_px[score == 0] = np.nan
    return Keypoints2D(CAPTURE, shown.times_s, shown.fps, PICTURE_WH_PX, xy_px, score)


def _up_cam(take: KnownTake, joints_cam: np.ndarray) -> np.ndarray:
    """The truth's vertical in `cam`: what the camera, which does not move, made of z."""
    joints_world = take.joints_world[:, take.shown].reshape(-1, 3)
    seen = joints_cam[:, take.shown].reshape(-1, 3)
    centred = joints_world - joints_world.mean(axis=0)
    world_to_cam = np.linalg.lstsq(centred, seen - seen.mean(axis=0), rcond=None)[0]
    return world_to_cam[2] / np.linalg.norm(world_to_cam[2])
