"""One capture from its settings to its Action: what the operator and the batch share. Starts no process itself."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import rigs
from .apply import apply_motion, scene_fps
from .bake import frame_times_s
from .core import clip, errors, protocol, rigmap

__all__ = ["Applied", "Request", "RigChoice", "apply_capture", "capture_job", "check", "set_scene_rate", "with_rig"]


@dataclass(frozen=True)
class RigChoice:
    """Whom the motion is for: an armature in the scene, or an avatar of the rigs folder. Names, never objects."""

    armature: str = ""
    avatar: str = ""


@dataclass(frozen=True)
class Request:
    """One capture, wholly described. keypoints: a file of 2D keypoints to use instead of detecting, or None."""

    video: Path
    rig: RigChoice
    start_s: float | None = None
    end_s: float | None = None
    keypoints: Path | None = None
    start_frame: int = 1


@dataclass(frozen=True)
class Applied:
    """What a capture left in the scene, by name. first_frame, last_frame: where the clip lies in the scene."""

    armature: str
    action: str
    first_frame: int
    last_frame: int

    @property
    def frames(self) -> int:
        """How many frames of the scene the clip is long."""
        return self.last_frame - self.first_frame + 1


def check(request: Request, scene: bpy.types.Scene) -> None:
    """Say at once what would otherwise be found out only after minutes of capturing.

    Raises VideoError, KeypointsError, RigError.
    """
    if not str(request.video) or request.video == Path():
        raise errors.VideoError("No video is chosen.", hint="Choose a video file.")
    if not request.video.is_file():
        raise errors.VideoError(f"There is no video file {request.video}.", hint="Choose another file.")
    if request.keypoints is not None and not request.keypoints.is_file():
        raise errors.KeypointsError(f"There is no keypoint file {request.keypoints}.", hint="Choose another file.")
    if request.start_s is not None and request.end_s is not None and request.end_s <= request.start_s:
        raise errors.VideoError("The end of the range is not after its start.", hint="Correct the range.")
    if request.rig.avatar:
        rigs.find_rig(request.rig.avatar)
    else:
        rigs.map_of_armature(_armature(request.rig.armature, scene))


def capture_job(request: Request, folder: Path, keypoints_out: Path | None = None) -> protocol.CaptureJob:
    """The worker's part of a capture; its files go into `folder`, save the keypoints where they shall be kept."""
    return protocol.CaptureJob(
        video=str(request.video.absolute()),
        motion_out=str(folder / "motion.npz"),
        keypoints_out=str((keypoints_out or folder / "keypoints.npz").absolute()),
        keypoints_in=str(request.keypoints.absolute()) if request.keypoints is not None else "",
        start_s=request.start_s,
        end_s=request.end_s,
    )


def apply_capture(request: Request, motion: clip.Motion3D, scene: bpy.types.Scene) -> Applied:
    """Put a captured motion on its rig as a new Action; where that fails, the scene is as it was.

    Raises RigError and what else apply_motion raises.
    """
    with _nothing_left_behind():
        armature, rig_map = _target(request.rig, scene)
        action = apply_motion(
            armature,
            rig_map,
            motion,
            scene=scene,
            action_name=request.video.stem,
            start_frame=request.start_frame,
        )
    frames = len(frame_times_s(motion.times_s, scene_fps(scene)))
    return Applied(armature.name, action.name, request.start_frame, request.start_frame + frames - 1)


def with_rig(request: Request, rig: RigChoice) -> Request:
    """The same capture for another rig."""
    return dataclasses.replace(request, rig=rig)


def set_scene_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Set the scene to a video's nominal frame rate: the nearest whole or NTSC rate, else exactly this one."""
    whole = max(round(fps), 1)
    rates = [(whole, 1.0), (whole, 1.001), (whole + 1, 1.001)]
    rate, base = min(rates, key=lambda pair: abs(pair[0] / pair[1] - fps))
    if base != 1.0 and rate not in (24, 30, 48, 60, 120):
        rate, base = whole, 1.0
    if abs(rate / base - fps) > 0.02 * fps:
        rate, base = whole, whole / fps
    scene.render.fps = rate
    scene.render.fps_base = base


def _armature(name: str, scene: bpy.types.Scene) -> bpy.types.Object:
    if not name:
        raise errors.RigError("No armature is chosen.", hint="Choose an armature or an avatar.")
    found = scene.objects.get(name)
    if found is None:
        raise errors.RigError(f"There is no object {name!r} in the scene.", hint="Choose an armature.")
    return found


def _target(choice: RigChoice, scene: bpy.types.Scene) -> tuple[bpy.types.Object, rigmap.RigMap]:
    if choice.avatar:
        rig = rigs.find_rig(choice.avatar)
        return rigs.append_avatar(rig, scene), rig.map
    armature = _armature(choice.armature, scene)
    return armature, rigs.map_of_armature(armature)


@contextlib.contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Remove every data-block made inside, should an exception pass."""
    before = {block.as_pointer() for block in _data_blocks()}
    try:
        yield
    except BaseException:
        bpy.data.batch_remove([block for block in _data_blocks() if block.as_pointer() not in before])
        raise


def _data_blocks() -> Iterator[bpy.types.ID]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            yield from getattr(bpy.data, kind.identifier)
