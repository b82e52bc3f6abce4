"""The preview film's right half: the baked avatar rendered from where the video's camera stood, in a scene of its own.

The other half, and the film itself, are made by the engine (atcn_core/preview.py). Nothing of it stays in the file.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler

from .apply import scene_fps
from .bake import frame_times_s
from .core import clip, egl, errors, protocol
from .hush import silent

__all__ = ["RunJob", "fit_camera", "render_frames", "render_preview", "require_renderer"]

RunJob = Callable[[protocol.Job], dict[str, str]]

# Half as high again as the film: the engine's scaling smooths edges far faster than Blender's own samples do.
HEIGHT_PX = 720
# The film shows every frame of the scene up to this rate, above it every second, third, ...
MAX_FPS = 30.0
# How far the camera looks down, how wide it sees along the picture's longer side, and the empty rim of the picture.
PITCH_RAD = np.deg2rad(8.0)
VIEW_RAD = np.deg2rad(50.0)
RIM = 0.08
# At most so many frames are looked at to find out where the figure goes.
SAMPLES = 40
# Skin, hair and soles lie outside the bones: this part of the figure's height is added around them.
FLESH = 0.07
TILE_M = 0.5
MAX_TILES = 60
MARGIN_TILES = 10
SKY_RGB = (0.80, 0.84, 0.88)
FLOOR_RGB = ((0.72, 0.74, 0.76), (0.86, 0.88, 0.90))


def require_renderer() -> None:
    """Raise OutputError where Blender would abort the process when asked to render without a display."""
    if sys.platform == "linux" and bpy.app.background and not egl.can_render():
        raise errors.OutputError(
            "The preview cannot be rendered: this machine has no EGL, or no graphics driver for it.",
            hint="Install libegl1 and libgl1-mesa-dri, or leave the preview out.",
        )


def fit_camera(points: np.ndarray, slope_x: float, slope_y: float) -> np.ndarray:
    """The nearest place (3,) from which a camera sees all points, in the camera's own axes (x right, y up, z back).

    points: (N, 3) in those axes, metres. slope_x, slope_y: half the picture's width and height at distance 1.
    """
    ahead = -points[:, 2]
    place, distances = np.zeros(3), []
    for axis, slope in ((0, slope_x), (1, slope_y)):
        high = (points[:, axis] - slope * ahead).max()
        low = (-points[:, axis] - slope * ahead).max()
        place[axis] = 0.5 * (high - low)
        distances.append(0.5 * (high + low) / slope)
    place[2] = max(distances)
    return place


def render_preview(
    scene: bpy.types.Scene,
    armature_name: str,
    action: bpy.types.Action,
    motion: clip.Motion3D,
    *,
    video: Path | str,
    keypoints_path: Path | str,
    out: Path | str,
    run_job: RunJob,
) -> Path:
    """Render the baked avatar and have the engine lay it beside the video. Returns the film's path.

    action: the motion's Action, assigned to the armature. run_job: does a job in the engine and waits for it.
    Raises OutputError where there is nothing to render with, and what the engine raises.
    """
    require_renderer()
    fps = scene_fps(scene)
    step = max(1, int(np.ceil(fps / MAX_FPS - 1e-6)))
    times_s = frame_times_s(motion.times_s, fps)[::step]
    frames = round(action.frame_range[0]) + step * np.arange(len(times_s))
    with tempfile.TemporaryDirectory(prefix="atcn_preview_") as folder:
        render_frames(scene, armature_name, motion.image_wh_px, frames, Path(folder))
        run_job(
            protocol.PreviewJob(
                video=os.fspath(video),
                keypoints=os.fspath(keypoints_path),
                frames_dir=folder,
                times_s=[float(time_s) for time_s in times_s],
                fps=fps / step,
                out=os.fspath(out),
            )
        )
    return Path(out)


def render_frames(
    scene: bpy.types.Scene,
    armature_name: str,
    aspect_wh: tuple[int, int],
    frames: np.ndarray,
    folder: Path,
    yaw_rad: float = 0.0,
) -> list[Path]:
    """Render the avatar at these frames, from near enough for all of them. Returns the pictures.

    aspect_wh: the pictures' width and height, of which only the ratio counts. yaw_rad: from which side, 0 from in front
    (from -Y), a quarter turn from +X. Raises OutputError where there is nothing to render with.
    """
    require_renderer()
    with _stage(scene.objects[armature_name], scene, aspect_wh, frames, yaw_rad) as stage:
        _render(stage, frames, folder)
    return [folder / f"{number:06d}.jpg" for number in range(len(frames))]


@contextlib.contextmanager
def _stage(
    armature: bpy.types.Object,
    scene: bpy.types.Scene,
    image_wh_px: tuple[int, int],
    frames: np.ndarray,
    yaw_rad: float,
) -> Iterator[bpy.types.Scene]:
    """A scene with the avatar, a floor and a camera of the video's aspect; removed again whatever happens."""
    before = {kind: set(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "cameras", "materials", "worlds")}
    stage = bpy.data.scenes.new("atcn_preview")
    try:
        for body in (armature, *_bodies(armature, scene)):
            stage.collection.objects.link(body)
        _look(stage, image_wh_px)
        points = _points_on_the_way(stage, armature, frames)
        _add_floor(stage, points)
        _add_camera(stage, points, yaw_rad)
        yield stage
    finally:
        bpy.data.scenes.remove(stage)
        for kind, present in before.items():
            blocks = getattr(bpy.data, kind)
            for block in set(blocks) - present:
                blocks.remove(block)


def _bodies(armature: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """What the armature moves and a render shows; where that is nothing, a stick for each bone."""
    moved = [
        thing
        for thing in scene.objects
        if thing.type in {"MESH", "CURVE", "SURFACE", "META", "FONT"}
        and not thing.hide_render
        and (_hangs_on(thing, armature) or any(getattr(m, "object", None) == armature for m in thing.modifiers))
    ]
    return moved or _sticks(armature)


def _hangs_on(thing: bpy.types.Object, armature: bpy.types.Object) -> bool:
    while thing.parent is not None:
        thing = thing.parent
        if thing == armature:
            return True
    return False


def _sticks(armature: bpy.types.Object) -> list[bpy.types.Object]:
    """A spindle along every deforming bone: what is shown of an armature without a skin."""
    mesh = bpy.data.meshes.new("atcn_preview_bone")
    rim = [(x, 0.15, z) for x, z in ((0.1, 0.0), (0.0, 0.1), (-0.1, 0.0), (0.0, -0.1))]
    sides = [(i, (i + 1) % 4) for i in range(4)]
    mesh.from_pydata([*rim, (0, 0, 0), (0, 1, 0)], [], [(a, b, 4) for a, b in sides] + [(b, a, 5) for a, b in sides])
    sticks = []
    for bone in armature.data.bones:
        if bone.use_deform:
            stick = bpy.data.objects.new("atcn_preview_bone", mesh)
            stick.parent, stick.parent_type, stick.parent_bone = armature, "BONE", bone.name
            stick.location, stick.scale = (0.0, -bone.length, 0.0), (bone.length,) * 3  # a child hangs on the tail
            sticks.append(stick)
    return sticks


def _look(stage: bpy.types.Scene, image_wh_px: tuple[int, int]) -> None:
    """Plain clean shading, at the video's aspect."""
    render, shading = stage.render, stage.display.shading
    render.engine = "BLENDER_WORKBENCH"
    render.resolution_y = HEIGHT_PX
    render.resolution_x = 2 * round(HEIGHT_PX * image_wh_px[0] / image_wh_px[1] / 2)
    render.resolution_percentage = 100
    render.image_settings.file_format = "JPEG"
    render.image_settings.quality = 92
    stage.view_settings.view_transform = "Standard"
    stage.display.render_aa = "OFF"
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.show_shadows, shading.show_cavity = True, True
    shading.shadow_intensity = 0.35
    stage.world = bpy.data.worlds.new("atcn_preview")
    stage.world.color = SKY_RGB


def _points_on_the_way(stage: bpy.types.Scene, armature: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """(N, 3) world: the box around the posed bones at frames spread over the clip, flesh added."""
    corners, layer = [], stage.view_layers[0]
    for frame in frames[:: max(1, len(frames) // SAMPLES)]:
        stage.frame_set(int(frame))
        posed = armature.evaluated_get(layer.depsgraph)
        ends = [posed.matrix_world @ end for bone in posed.pose.bones for end in (bone.head, bone.tail)]
        low, high = np.min(ends, axis=0), np.max(ends, axis=0)
        flesh_m = FLESH * (high - low).max()
        corners.append(_box(low - flesh_m, high + flesh_m))
    return np.concatenate(corners)


def _box(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.stack(np.meshgrid(*zip(low, high, strict=True)), axis=-1).reshape(-1, 3)


def _add_camera(stage: bpy.types.Scene, points: np.ndarray, yaw_rad: float) -> None:
    """Where the video's camera was, in front, looking along world +y, or turned about the figure; as near as its whole
    way allows."""
    data = bpy.data.cameras.new("atcn_preview")
    data.angle = VIEW_RAD
    camera = bpy.data.objects.new("atcn_preview", data)
    camera.rotation_euler = (0.5 * np.pi - PITCH_RAD, 0.0, yaw_rad)
    turn = np.array(Euler(camera.rotation_euler).to_matrix())
    wh_px = np.array([stage.render.resolution_x, stage.render.resolution_y])
    slope_x, slope_y = np.tan(0.5 * VIEW_RAD) * wh_px / wh_px.max() * (1.0 - RIM)
    camera.location = turn @ fit_camera(points @ turn, slope_x, slope_y)
    data.clip_end = 10.0 * float(np.linalg.norm(np.ptp(points, axis=0))) + 100.0
    stage.collection.objects.link(camera)
    stage.camera = camera


def _add_floor(stage: bpy.types.Scene, points: np.ndarray) -> None:
    """A chequered floor under the whole way, so that steps and sliding feet show."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    tile_m = max(TILE_M, float((high - low).max()) / MAX_TILES)
    first = np.floor(low / tile_m).astype(int) - MARGIN_TILES
    count = np.ceil(high / tile_m).astype(int) + MARGIN_TILES - first
    grid = [
        ((first[0] + i) * tile_m, (first[1] + j) * tile_m, 0.0)
        for j in range(count[1] + 1)
        for i in range(count[0] + 1)
    ]
    row = count[0] + 1
    corners = [j * row + i for j in range(count[1]) for i in range(count[0])]
    mesh = bpy.data.meshes.new("atcn_preview_floor")
    mesh.from_pydata(grid, [], [(c, c + 1, c + row + 1, c + row) for c in corners])
    for rgb in FLOOR_RGB:
        material = bpy.data.materials.new("atcn_preview_floor")
        material.diffuse_color = (*rgb, 1.0)
        mesh.materials.append(material)
    odd = [(c % row + c // row) % 2 for c in corners]
    mesh.polygons.foreach_set("material_index", odd)
    stage.collection.objects.link(bpy.data.objects.new("atcn_preview_floor", mesh))


def _render(stage: bpy.types.Scene, frames: np.ndarray, folder: Path) -> None:
    # render(scene=...) would take the frame number from the context's scene
    with silent(), bpy.context.temp_override(scene=stage, view_layer=stage.view_layers[0]):
        for number, frame in enumerate(frames):
            stage.frame_set(int(frame))
            stage.render.filepath = str(folder / f"{number:06d}.jpg")
            bpy.ops.render.render(write_still=True)
