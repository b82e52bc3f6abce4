"""Films an avatar in Blender: floor, wall, light, camera, keys, and the true places of its joints before the camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from atcn_core.clip import save_arrays
from atcn_core.frames import Intrinsics, cam_to_px
from atcn_core.motion.rigmap import Rig
from atcn_core.skeleton import CAPTURE
from blender_addon.rigs import append_avatar

from .acting import Pose

__all__ = [
    "Camera",
    "figure_box_px",
    "film_of",
    "joints_in_world",
    "key_poses",
    "lone_avatar",
    "open_stage",
    "render_pictures",
    "save_truth",
    "true_joints_cam",
]

TRUTH_SCHEMA = "atcn.truth/1"

# Room round the joints for hands, hair and clothes.
_MARGIN_PX = 44.0
# Mean changes (of 0..1) over a few pixels up to this are the renderer's noise.
_NOISE = 0.012


class Camera:
    """A pinhole camera looking along world +y, pitched down. Sizes in px, places in metres."""

    def __init__(self, wh_px: tuple[int, int], fov_deg: float, place_m: Sequence[float], pitch_deg: float) -> None:
        self.wh_px, self.place_m = wh_px, np.asarray(place_m, float)
        self.fov_rad, self.pitch_rad = float(np.deg2rad(fov_deg)), float(np.deg2rad(pitch_deg))
        self.focal_px = 0.5 * max(wh_px) / np.tan(0.5 * self.fov_rad)

    @property
    def cam_from_world(self) -> np.ndarray:
        """(3, 3): world axes to x right, y down, z forward."""
        c, s = np.cos(self.pitch_rad), np.sin(self.pitch_rad)
        return np.array([[1.0, 0.0, 0.0], [0.0, -s, -c], [0.0, c, -s]])

    def see(self, points_world: np.ndarray) -> np.ndarray:
        """(..., 3) world to camera axes, metres."""
        return (points_world - self.place_m) @ self.cam_from_world.T


def open_stage(scene: bpy.types.Scene, camera: Camera) -> None:
    """Floor, wall, sun, sky light and the camera."""
    _slab(scene, "floor", (0.0, 2.0, 0.0), (0.0, 0.0, 0.0), (0.42, 0.40, 0.37))
    _slab(scene, "wall", (0.0, 3.2, 0.0), (np.pi / 2, 0.0, 0.0), (0.62, 0.66, 0.70))
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 2.6, 0.15
    sun_object = bpy.data.objects.new("sun", sun)
    sun_object.rotation_euler = (0.75, 0.25, -0.45)
    scene.collection.objects.link(sun_object)
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.80, 0.88, 1.0, 1.0)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.75
    scene.world = world
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit = "VERTICAL" if camera.wh_px[1] >= camera.wh_px[0] else "HORIZONTAL"
    lens.angle = camera.fov_rad
    eye = bpy.data.objects.new("camera", lens)
    eye.location = camera.place_m.tolist()
    eye.rotation_euler = (np.pi / 2 - camera.pitch_rad, 0.0, 0.0)
    scene.collection.objects.link(eye)
    scene.camera = eye
    scene.render.resolution_x, scene.render.resolution_y = camera.wh_px
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Standard"


def _slab(scene: bpy.types.Scene, name: str, place: tuple, turn: tuple, colour: tuple) -> None:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-20, -20, 0), (20, -20, 0), (20, 20, 0), (-20, 20, 0)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (*colour, 1.0)
    surface.inputs["Roughness"].default_value = 0.9
    mesh.materials.append(material)
    slab = bpy.data.objects.new(name, mesh)
    slab.location, slab.rotation_euler = place, turn
    scene.collection.objects.link(slab)


def key_poses(
    armature: bpy.types.Object,
    bone_of_role: dict[str, str],
    poses: Sequence[Pose],
    first_frame: int = 1,
) -> None:
    """Key the poses, a frame each, on the bones of an armature that stands at the origin."""
    bones = armature.data.bones
    role_of_bone = {name: role for role, name in bone_of_role.items()}
    rest = {bone.name: np.array(bone.matrix_local.to_3x3()) for bone in bones}
    hips = bone_of_role["hips"]
    for frame, pose in enumerate(poses, start=first_frame):
        turns: dict[str, np.ndarray] = {}
        for bone in bones:
            above = turns[bone.parent.name] if bone.parent else np.eye(3)
            turns[bone.name] = pose.turns.get(role_of_bone.get(bone.name, ""), above)
            if bone.name not in role_of_bone:
                continue
            local = np.linalg.inv(above @ rest[bone.name]) @ turns[bone.name] @ rest[bone.name]
            _key_turn(armature.pose.bones[bone.name], local, frame)
        offset = np.linalg.inv(rest[hips]) @ (pose.hips_m - np.array(bones[hips].head_local))
        armature.pose.bones[hips].location = offset.tolist()
        armature.pose.bones[hips].keyframe_insert("location", frame=frame)


def _key_turn(bone: bpy.types.PoseBone, local: np.ndarray, frame: int) -> None:
    matrix = bone.matrix_basis.to_3x3()
    for row in range(3):
        matrix[row] = local[row].tolist()
    quat = matrix.to_quaternion()
    quat.make_compatible(bone.rotation_quaternion)
    bone.rotation_quaternion = quat
    bone.keyframe_insert("rotation_quaternion", frame=frame)


def lone_avatar(rig: Rig) -> bpy.types.Object:
    """The rig's armature with its body, alone in an empty scene. Raises RigError."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = append_avatar(rig, bpy.context.scene)
    bpy.context.view_layer.update()
    return armature


def true_joints_cam(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    carried: Sequence[tuple[str, np.ndarray]],
    camera: Camera,
    frames: Sequence[int],
) -> np.ndarray:
    """`joints_in_world` before a camera: (T, J, 3) metres, camera axes."""
    return camera.see(joints_in_world(scene, armature, carried, frames))


def joints_in_world(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    carried: Sequence[tuple[str, np.ndarray]],
    frames: Sequence[int],
) -> np.ndarray:
    """Where Blender itself puts the points on their bones (T, J, 3), metres.

    carried: (bone name, rest place (3,)) for each joint.
    """
    found = np.empty((len(frames), len(carried), 3))
    for row, frame in enumerate(frames):
        scene.frame_set(frame)
        pose = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
        for column, (name, place_m) in enumerate(carried):
            moved = np.array(armature.matrix_world @ pose[name].matrix @ pose[name].bone.matrix_local.inverted())
            found[row, column] = moved[:3, :3] @ place_m + moved[:3, 3]
    return found


def save_truth(
    path: Path,
    joints_cam: np.ndarray,
    camera: Camera,
    times_s: np.ndarray,
    fps: float,
    licence: str,
    **more: np.ndarray,
) -> None:
    """Write a film's truth (schema atcn.truth/1). joints_cam: (T, J, 3) metres, the capture set; more: by key."""
    width_px, height_px = camera.wh_px
    lens = Intrinsics(camera.focal_px, (0.5 * width_px, 0.5 * height_px))
    save_arrays(
        path,
        {
            "schema": np.array(TRUTH_SCHEMA),
            "joint_names": np.array(CAPTURE.joints),
            "joints_cam": joints_cam.astype(np.float32),
            "xy_px": cam_to_px(joints_cam, lens).astype(np.float32),
            "times_s": times_s,
            "fps": np.array(float(fps)),
            "image_wh_px": np.array(camera.wh_px),
            "focal_px": np.array(lens.focal_px),
            "centre_px": np.array(lens.centre_px),
            "cam_from_world": camera.cam_from_world,
            "place_world": camera.place_m,
            "licence": np.array(licence),
            **more,
        },
    )


def figure_box_px(scene: bpy.types.Scene, joints_cam: np.ndarray, camera: Camera) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of all that moves in a frame: the figure and its shadow on the floor, with a margin.

    joints_cam: (J, 3) metres, camera axes.
    """
    joints_world = joints_cam @ camera.cam_from_world + camera.place_m
    light = np.array(scene.objects["sun"].matrix_world.to_3x3())[:, 2]
    shadow_world = joints_world - joints_world[:, 2:] / light[2] * light
    points_cam = np.concatenate([joints_cam, camera.see(shadow_world)])
    xy_px = points_cam[:, :2] / points_cam[:, 2:] * camera.focal_px + 0.5 * np.array(camera.wh_px)
    low = np.floor(np.clip(xy_px.min(axis=0) - _MARGIN_PX, 0, camera.wh_px)).astype(int)
    high = np.ceil(np.clip(xy_px.max(axis=0) + _MARGIN_PX, 0, camera.wh_px)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _use_cycles(scene: bpy.types.Scene) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 2
    scene.cycles.seed = 7
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "PNG"


def _render(scene: bpy.types.Scene, path: Path, samples: int) -> np.ndarray:
    """The picture (H, W, 4) as stored values 0..1, top row first."""
    scene.cycles.samples = samples
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    width_px, height_px = image.size
    flat = np.empty(width_px * height_px * 4, dtype=np.float32)
    image.pixels.foreach_get(flat)
    bpy.data.images.remove(image)
    return flat.reshape(height_px, width_px, 4)[::-1]


def _save_picture(picture: np.ndarray, path: Path) -> None:
    height_px, width_px = picture.shape[:2]
    image = bpy.data.images.new("frame", width_px, height_px)
    image.pixels.foreach_set(np.ascontiguousarray(picture[::-1], dtype=np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def render_pictures(
    scene: bpy.types.Scene,
    folder: Path,
    boxes_px: Sequence[tuple[int, int, int, int]],
    samples: int,
    figure: Sequence[bpy.types.Object],
) -> list[Path]:
    """Render a picture for each frame from 1 on. The empty stage is rendered once, well; then only what moves."""
    _use_cycles(scene)
    for shape in figure:
        shape.hide_render = True
    empty = _render(scene, folder / "empty.png", 12 * samples)
    for shape in figure:
        shape.hide_render = False
    scene.render.use_border, scene.render.use_crop_to_border = True, False
    height_px, width_px = empty.shape[:2]
    paths = []
    for frame, (left, top, right, bottom) in enumerate(boxes_px, start=1):
        scene.frame_set(frame)
        scene.cycles.seed = frame
        scene.render.border_min_x, scene.render.border_max_x = left / width_px, right / width_px
        scene.render.border_min_y, scene.render.border_max_y = 1.0 - bottom / height_px, 1.0 - top / height_px
        paths.append(folder / f"frame_{frame:04d}.png")
        picture = _render(scene, paths[-1], samples)
        share = _changed(empty, picture, (left, top, right, bottom))[..., None]
        _save_picture(empty + share * (picture - empty), paths[-1])
    return paths


def _changed(empty: np.ndarray, picture: np.ndarray, box_px: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W): 1 where the figure or its shadow is, 0 where the frame shows nothing but the empty stage's noise."""
    left, top, right, bottom = box_px
    inside = np.zeros(empty.shape[:2])
    inside[top:bottom, left:right] = 1.0
    change = np.abs(_blurred((picture - empty)[..., :3] * inside[..., None])).max(axis=-1)
    share = np.clip((change - _NOISE) / _NOISE, 0.0, 1.0)
    return inside * np.clip(2.0 * _blurred(share[..., None])[..., 0], 0.0, 1.0)


def _blurred(values: np.ndarray, reach: int = 4) -> np.ndarray:
    """Mean over a square of 2 reach + 1 pixels. values: (H, W, C)."""
    size = 2 * reach + 1
    for axis in (0, 1):
        pad = [(reach + 1, reach) if a == axis else (0, 0) for a in range(3)]
        total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis)
        count = values.shape[axis]
        values = (np.take(total, range(size, size + count), axis) - np.take(total, range(count), axis)) / size
    return values


def film_of(pictures: Sequence[Path], path: Path, fps: int) -> None:
    """Put the pictures together to an H.264 .mp4."""
    scene = bpy.data.scenes.new("film")
    size = bpy.data.images.load(str(pictures[0])).size
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image("film", str(pictures[0]), channel=1, frame_start=1)
    for picture in pictures[1:]:
        strip.elements.append(picture.name)
    scene.frame_start, scene.frame_end = 1, len(pictures)
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.fps = fps
    scene.view_settings.view_transform = "Standard"
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    film = scene.render.ffmpeg
    film.format, film.codec, film.audio_codec = "MPEG4", "H264", "NONE"
    film.constant_rate_factor, film.ffmpeg_preset, film.gopsize = "HIGH", "BEST", 25
    scene.render.use_file_extension = False
    scene.render.filepath = str(path)
    bpy.ops.render.render(animation=True, scene=scene.name)
