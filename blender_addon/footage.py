"""The video's camera beside a rig that has its motion, with the video behind and its sound below.

The numbers come from atcn_core/motion/footage.py; here they become Blender's camera, image and strip.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from . import armature as armatures
from . import compat, finishing, report, rigs, runs
from .apply import scene_fps
from .bake import frame_times_s, key_every_frame, key_held
from .blocks import recorded, removed_on_failure
from .core import clip, errors, rotation
from .core import footage as matched

__all__ = ["ATCN_OT_add_footage", "Added", "add_footage", "can_add"]

# From camera axes (x right, y down, z forward) to Blender's cameras (x right, y up, z back).
_BLENDER_CAMERA_AXES = np.diag([1.0, -1.0, -1.0])
# A focal length that stays within this (logarithm) is no zoom.
_LEAST_ZOOM = 0.002
_OFFSET = "background_images[0].image_user.frame_offset"


@dataclass(frozen=True)
class Added:
    """What `add_footage` left in the scene, and a sentence for each thing that could not be done as wished."""

    camera: str
    notes: tuple[str, ...]


def add_footage(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    motion: clip.Motion3D,
    video: Path,
    start_frame: int,
    *,
    set_size: bool = False,
) -> Added:
    """Put the video's camera where the rig covers the performer, the video behind it and its sound into the sequencer.

    start_frame: where the motion begins. set_size: have the scene render pictures of the video's size.
    The new camera becomes the scene's. What fails changes nothing. Raises RigError, MotionError, VideoError.
    """
    if not video.is_file():
        raise errors.VideoError(f"There is no video file {video}.", hint="The footage needs the film itself.")
    placed = matched.camera_for_rig(motion, armatures.rest_of(armature), rigs.map_of_armature(armature))
    with removed_on_failure() as made, recorded(made):
        image = _film(video)
        data = bpy.data.cameras.new(f"{video.stem} camera")
        camera = bpy.data.objects.new(data.name, data)
        scene.collection.objects.link(camera)
        camera.matrix_world = _matrix(placed)
        _set_lens(data, matched.lens_of(motion, motion.image_wh_px if set_size else _frame_wh_px(scene)))
        data.clip_end = max(data.clip_end, 10.0 * float(np.linalg.norm(placed.place_world_m)))
        rate = _show_behind(data, image, motion, scene_fps(scene), start_frame)
        _key_turns(camera, matched.camera_turns(motion, placed, _times_s(motion, scene)), start_frame)
        sound = _add_sound(scene, video, motion, start_frame)
        scene.camera = camera
        if set_size:
            _set_picture_size(scene, motion)
    notes = [_turned_note(image, motion), rate, sound]
    return Added(camera.name, tuple(note for note in notes if note))


def _set_picture_size(scene: bpy.types.Scene, motion: clip.Motion3D) -> None:
    render = scene.render
    render.resolution_x, render.resolution_y = motion.image_wh_px
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0


def _film(video: Path) -> bpy.types.Image:
    """The video as an image. Raises VideoError where Blender cannot read it."""
    try:
        image = bpy.data.images.load(str(video.absolute()))
    except RuntimeError as problem:
        raise errors.VideoError(f"Blender cannot read {video.name}: {problem}", hint="Convert it to .mp4.") from problem
    if image.source != "MOVIE" or 0 in image.size[:]:
        raise errors.VideoError(f"Blender cannot read {video.name} as a film.", hint="Convert it to .mp4.")
    return image


def _matrix(placed: matched.RigCamera) -> Matrix:
    matrix = Matrix((placed.world_from_cam @ _BLENDER_CAMERA_AXES).tolist()).to_4x4()
    matrix.translation = placed.place_world_m.tolist()
    return matrix


def _times_s(motion: clip.Motion3D, scene: bpy.types.Scene) -> np.ndarray:
    return frame_times_s(motion.times_s, scene_fps(scene))


def _key_turns(camera: bpy.types.Object, turns: tuple[np.ndarray, np.ndarray] | None, start_frame: int) -> None:
    """Key the camera's turns, and its lens if it zooms, one key a frame. turns: quaternions (N, 4) and zoom (N,)."""
    if turns is None:
        return
    camera.rotation_mode = "QUATERNION"
    axes = np.array(Matrix(_BLENDER_CAMERA_AXES.tolist()).to_quaternion())
    key_every_frame(camera, "rotation_quaternion", start_frame, rotation.quat_multiply(turns[0], axes))
    if np.ptp(np.log(turns[1])) > _LEAST_ZOOM:
        key_every_frame(camera.data, "lens", start_frame, camera.data.lens * turns[1][:, None])


def _frame_wh_px(scene: bpy.types.Scene) -> tuple[float, float]:
    render = scene.render
    return render.resolution_x * render.pixel_aspect_x, render.resolution_y * render.pixel_aspect_y


def _set_lens(data: bpy.types.Camera, lens: matched.Lens) -> None:
    data.sensor_fit = lens.fit
    data.sensor_width = data.sensor_height = lens.sensor_mm
    data.lens = lens.focal_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y


def _show_behind(
    data: bpy.types.Camera, image: bpy.types.Image, motion: clip.Motion3D, fps: float, start_frame: int
) -> str:
    """Show the film behind the camera's view, each scene frame the picture of its own time.

    Blender counts a film's frames, not its time: where the rates differ, or the file's frames come irregularly, the
    offset between the two is keyed. Returns a sentence on it, "" where one picture follows the other.
    """
    behind = data.background_images.new()
    behind.source, behind.image = "IMAGE", image
    behind.frame_method, behind.alpha, behind.display_depth = "FIT", 1.0, "BACK"
    data.show_background_images = True
    film_fps = compat.film_fps(image)
    times_s = frame_times_s(motion.times_s, fps)
    offsets = matched.shown_frames(times_s, film_fps, image.frame_duration) - 1 - np.arange(len(times_s))
    user = behind.image_user
    user.frame_start, user.frame_duration, user.frame_offset = start_frame, len(times_s), int(offsets[0])
    user.use_auto_refresh = True
    changes = np.flatnonzero(np.diff(offsets, prepend=offsets[0] - 1))
    if len(changes) > 1:
        key_held(data, _OFFSET, start_frame + changes, offsets[changes])
    if abs(film_fps - fps) <= 1e-3 * film_fps:
        return ""
    return (
        f"The film has {film_fps:.4g} frames a second and the scene {fps:.4g}: each shows the picture nearest in time."
    )


def _turned_note(image: bpy.types.Image, motion: clip.Motion3D) -> str:
    width_px, height_px = image.size
    if width_px == height_px or (width_px > height_px) == (motion.image_wh_px[0] > motion.image_wh_px[1]):
        return ""
    return "This Blender shows the film on its side: it was filmed upright, which later versions heed."


def _add_sound(scene: bpy.types.Scene, video: Path, motion: clip.Motion3D, start_frame: int) -> str:
    """The film's sound, if it has any and it is not there yet, as a strip that sounds in time with the motion.

    Blender lays a sound from its first sample on, whenever the film has it begin. What sounds before the motion is left
    out. Returns a sentence where there is sound that cannot be added.
    """
    strips = compat.strips_of(scene)
    path = video.absolute()
    if any(strip.type == "SOUND" and Path(bpy.path.abspath(strip.sound.filepath)) == path for strip in strips):
        return ""
    before = {sound.session_uid for sound in bpy.data.sounds}
    late_frames = (motion.sound_late_s - float(motion.times_s[0])) * scene_fps(scene)
    first_frame = start_frame + round(late_frames)
    try:
        strip = strips.new_sound(f"{video.stem} sound", str(path), compat.free_channel(scene), first_frame)
    except RuntimeError:
        return "This Blender is built without sound: the film's, if it has any, is left out."
    if strip.sound.channels == "INVALID":
        strips.remove(strip)
        bpy.data.batch_remove([sound for sound in bpy.data.sounds if sound.session_uid not in before])
        return ""
    compat.place_sound(strip, (late_frames - round(late_frames)) / scene_fps(scene), max(start_frame - first_frame, 0))
    return ""


class ATCN_OT_add_footage(bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Add the video's camera, the video behind it and its sound, so that the rig lies over the performer"""

    bl_idname = "atcn.add_footage"
    bl_label = "Add Camera and Footage"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  read by Blender

    set_size: bpy.props.BoolProperty(
        name="Render at the Video's Size",
        description="Change the scene's resolution to the video's",
        default=False,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if runs.current() is not None:
            cls.poll_message_set("A capture is running")
            return False
        if not can_add():
            cls.poll_message_set("No video was captured yet")
            return False
        if context.scene.atcn.target != "ARMATURE" or context.scene.atcn.armature is None:
            cls.poll_message_set("Choose the armature that has the movement")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        request, motion = runs.last_capture
        motion = finishing.ready(motion, request.height_m, request.smooth).motion
        scene = context.scene
        try:
            added = add_footage(
                scene, scene.atcn.armature, motion, request.video, request.start_frame, set_size=self.set_size
            )
        except errors.AtcnError as error:
            return report.failed(self, "The footage was not added.", error)
        for note in added.notes:
            self.report({"WARNING"}, note)
        return report.finished(self, " ".join([f"{added.camera!r} looks at {scene.atcn.armature.name}.", *added.notes]))


def can_add() -> bool:
    """Whether the last capture was one of a video."""
    if runs.last_capture is None:
        return False
    request, motion = runs.last_capture
    return request.motion is None and isinstance(motion, clip.Motion3D)
