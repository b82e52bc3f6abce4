"""One capture from its settings to its Action: what the operator and the batch share. Starts no process itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import blocks, finishing, motion_source, rigs, steps
from .apply import posing, scene_fps
from .bake import frame_times_s
from .core import clip, corrections, errors, feet, finish, parts, protocol, world
from .result import NEW_ACTION, ResultOptions, place, require_ik_controls, require_writable
from .steps import Steps, aside

__all__ = [
    "Applied",
    "Request",
    "RigChoice",
    "apply_capture",
    "applying",
    "as_wished",
    "capture_job",
    "check",
    "set_scene_rate",
]


@dataclass(frozen=True)
class RigChoice:
    """Whom the motion is for: an armature in the scene, or an avatar of the rigs folder. Names, never objects."""

    armature: str = ""
    avatar: str = ""


@dataclass(frozen=True)
class Request:
    """One capture, wholly described.

    keypoints: a file of 2D keypoints to use instead of detecting, or None. network: as in the worker's job.
    motion: a movement that is there already, to be taken instead of the video's, or None; no worker is needed then.
    corrections: the animator's own, over the whole clip. parts: those of the body that get keys, of `parts.PARTS`.
    result: how the keys are written. feet: how feet that stand are held, one of `feet.FOOT_MODES`.
    report: whether a take report is made, report_film: with its film. cached, fingers, camera, fov_deg: as in the
    worker's job.
    height_m: the performer's, 0 where it is not known; smooth: how much a captured movement is smoothed, 0..1.
    """

    video: Path
    rig: RigChoice
    start_s: float | None = None
    end_s: float | None = None
    keypoints: Path | None = None
    start_frame: int = 1
    network: str = protocol.DEFAULT_NETWORK
    motion: motion_source.MotionSource | None = None
    corrections: corrections.Corrections = corrections.NONE
    parts: frozenset[str] = parts.WHOLE
    result: ResultOptions = NEW_ACTION
    feet: str = "auto"
    cached: bool = True
    report: bool = False
    report_film: bool = True
    height_m: float = 0.0
    smooth: float = finish.DEFAULT_STRENGTH
    fingers: bool = False
    camera: str = "auto"
    fov_deg: float = 0.0

    @property
    def clip_name(self) -> str:
        """What the movement is called, and so its Action."""
        return self.motion.name if self.motion is not None else self.video.stem


@dataclass(frozen=True)
class Applied:
    """What a capture left in the scene, by name. first_frame, last_frame: where the clip lies in the scene.

    keys: a sentence on how many keys there are and how far they are off, "" where every frame has its own.
    note: what was done to a captured movement before, "" for others.
    """

    armature: str
    action: str
    first_frame: int
    last_frame: int
    keys: str = ""
    note: str = ""

    @property
    def frames(self) -> int:
        """How many frames of the scene the clip is long."""
        return self.last_frame - self.first_frame + 1


def check(request: Request, scene: bpy.types.Scene) -> None:
    """Say at once what would otherwise be found out only after minutes of capturing.

    Raises VideoError, KeypointsError, MotionError, RigError.
    """
    finish.check_wishes(request.height_m, request.smooth)
    if request.motion is not None:
        motion_source.check(request.motion, request.rig.armature, scene)
    else:
        _check_video(request)
    if request.start_s is not None and request.end_s is not None and request.end_s <= request.start_s:
        raise errors.VideoError("The end of the range is not after its start.", hint="Correct the range.")
    if request.rig.avatar:
        require_ik_controls(request.rig.avatar, rigs.find_rig(request.rig.avatar).map, request.result)
    else:
        armature = _armature(request.rig.armature, scene)
        require_ik_controls(armature.name, rigs.map_of_armature(armature), request.result, armature)
        require_writable(armature, request.result)


def _check_video(request: Request) -> None:
    if not str(request.video) or request.video == Path():
        raise errors.VideoError("No video is chosen.", hint="Choose a video file.")
    if not request.video.is_file():
        raise errors.VideoError(f"There is no video file {request.video}.", hint="Choose another file.")
    if request.keypoints is not None and not request.keypoints.is_file():
        raise errors.KeypointsError(f"There is no keypoint file {request.keypoints}.", hint="Choose another file.")


def capture_job(
    request: Request, folder: Path, keypoints_out: Path | None = None, report_name: str = ""
) -> protocol.CaptureJob:
    """The worker's part of a capture; its files go into `folder`, save the keypoints where they shall be kept.

    report_name: of the take report's files, "" for the clip's own.
    """
    return protocol.CaptureJob(
        video=str(request.video.absolute()),
        motion_out=str(folder / "motion.npz"),
        keypoints_out=str((keypoints_out or folder / "keypoints.npz").absolute()),
        keypoints_in=str(request.keypoints.absolute()) if request.keypoints is not None else "",
        network=request.network,
        cached=request.cached,
        fingers=request.fingers,
        camera=request.camera,
        fov_deg=request.fov_deg,
        height_m=request.height_m,
        smooth=request.smooth,
        finish_later=True,
        start_s=request.start_s,
        end_s=request.end_s,
        report_out=str(folder / f"{report_name or request.clip_name}.html") if request.report else "",
        report_film=request.report_film,
    )


def apply_capture(request: Request, motion: clip.Motion3D | world.WorldMotion, scene: bpy.types.Scene) -> Applied:
    """Put a captured motion on its rig as a new Action; where that fails, the scene is as it was.

    Raises RigError and what else applying raises.
    """
    return steps.finish(applying(request, motion, scene))


def applying(request: Request, motion: clip.Motion3D | world.WorldMotion, scene: bpy.types.Scene) -> Steps[Applied]:
    """As `apply_capture`, in short steps. What is in the scene changes in the last one only.

    Ended early, what was made is removed again, and nothing else. Raises RigError, MotionError.
    """
    held_scene, fps = blocks.Held.of(scene), scene_fps(scene)
    last_frame = request.start_frame + len(frame_times_s(motion.times_s, fps)) - 1
    with blocks.removed_on_failure() as made:
        rig = rigs.find_rig(request.rig.avatar) if request.rig.avatar else None
        with blocks.recorded(made):
            things = rigs.load_avatar(rig) if rig is not None else [_armature(request.rig.armature, scene)]
        rig_map = rig.map if rig is not None else rigs.map_of_armature(things[0])
        held = [blocks.Held.of(thing) for thing in things]
        yield
        placed = yield from aside(finishing.ready_world, motion, request.height_m, request.smooth)
        action, kept = yield from posing(
            held[0].get(),
            rig_map,
            placed,
            fps=fps,
            action_name=request.clip_name,
            start_frame=request.start_frame,
            correction=request.corrections,
            keyed=request.parts,
            result=request.result,
            foot_mode=feet.FOOT_MODES[request.feet],
        )
        made.add(action.session_uid)
        scene, things = held_scene.get(), [thing.get() for thing in held]
        if rig is None:
            _require_in_scene(things[0], scene)
        else:
            with blocks.recorded(made):
                rigs.show_avatar(rig, things, scene)
        action = place(
            things[0],
            action,
            clip_name=request.clip_name,
            options=request.result,
            first_frame=request.start_frame,
            last_frame=last_frame,
            in_part=request.parts != parts.WHOLE,
        )
    keys = kept.sentence if kept is not None else ""
    note = finishing.ready(motion, request.height_m, request.smooth).note
    return Applied(things[0].name, action.name, request.start_frame, last_frame, keys, note)


def as_wished(captured: Request, wished: Request) -> Request:
    """A capture to be applied again: what was captured, put on a rig as is wished now."""
    return dataclasses.replace(
        captured,
        rig=wished.rig,
        start_frame=wished.start_frame,
        corrections=wished.corrections,
        parts=wished.parts,
        result=wished.result,
        feet=wished.feet,
        height_m=wished.height_m,
        smooth=wished.smooth,
    )


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


def _require_in_scene(armature: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """What the user deletes may live on outside the scene, where something still points to it."""
    if armature not in scene.objects.values():
        raise errors.RigError(f"{armature.name!r} is no longer in the scene.", hint="Choose an armature.")
