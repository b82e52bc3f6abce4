"""An animated armature and its meshes as BVH, FBX, glTF or USD, through Blender's own exporters."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
from mathutils import Vector

from .core import bvh, errors
from .hush import silent
from .motion_source import animated_range, kept_frame

__all__ = ["KINDS", "Kind", "export_animation", "require_exporter", "with_ending"]

_BVH_UNITS_A_METRE = 100.0


@dataclass(frozen=True)
class Kind:
    """A file format. operator: Blender's, "module.name"; switch_on: its name in the preferences, if it is an add-on."""

    label: str
    ending: str
    operator: str
    switch_on: str
    write: Callable[[str, bpy.types.Object, tuple[int, int]], object]


def _write_bvh(filepath: str, armature: bpy.types.Object, frames: tuple[int, int]) -> object:
    # The exporter writes the armature's own space: its object's scale would be lost.
    scale = _BVH_UNITS_A_METRE * armature.matrix_world.median_scale
    done = bpy.ops.export_anim.bvh(
        filepath=filepath, check_existing=False, frame_start=frames[0], frame_end=frames[1], global_scale=scale
    )
    # Nor does it turn anything, and other programs have y up. Armatures that were imported often have it themselves.
    up = armature.matrix_world.to_3x3().inverted() @ Vector((0.0, 0.0, 1.0))
    if up.z == max(up, key=abs):
        path = Path(filepath)
        path.write_text(bvh.z_up_to_y_up(path.read_text(encoding="utf-8")), encoding="utf-8")
    return done


def _write_fbx(filepath: str, armature: bpy.types.Object, frames: tuple[int, int]) -> object:
    return bpy.ops.export_scene.fbx(
        filepath=filepath,
        check_existing=False,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_simplify_factor=0.0,
    )


def _gltf_writer(form: str) -> Callable[[str, bpy.types.Object, tuple[int, int]], object]:
    def write(filepath: str, armature: bpy.types.Object, frames: tuple[int, int]) -> object:
        return bpy.ops.export_scene.gltf(
            filepath=filepath,
            check_existing=False,
            export_format=form,
            use_active_scene=True,
            export_animation_mode="SCENE",
            export_frame_range=True,
            export_force_sampling=True,
            export_optimize_animation_size=False,
            export_anim_slide_to_zero=True,
        )

    return write


def _write_usd(filepath: str, armature: bpy.types.Object, frames: tuple[int, int]) -> object:
    return bpy.ops.wm.usd_export(filepath=filepath, check_existing=False, export_animation=True)


_GLTF_ADDON = "glTF 2.0 format"
KINDS = {
    "BVH": Kind("BVH", ".bvh", "export_anim.bvh", "BioVision Motion Capture (BVH) format", _write_bvh),
    "FBX": Kind("FBX", ".fbx", "export_scene.fbx", "FBX format", _write_fbx),
    "GLB": Kind("glTF Binary", ".glb", "export_scene.gltf", _GLTF_ADDON, _gltf_writer("GLB")),
    "GLTF": Kind("glTF Separate", ".gltf", "export_scene.gltf", _GLTF_ADDON, _gltf_writer("GLTF_SEPARATE")),
    "USD": Kind("USD", ".usd", "wm.usd_export", "", _write_usd),
}


def export_animation(armature: bpy.types.Object, scene: bpy.types.Scene, path: Path, kind: str) -> None:
    """Write an armature, its meshes (all but BVH have them) and its clip, from first key to last, at the scene's rate.

    kind: of KINDS. The scene is as before. There is a whole file at the end, or none; BVH is in centimetres, y up.
    Raises MotionError where nothing is animated, RigError in Edit Mode, OutputError where it cannot be written.
    """
    frames = animated_range(armature)
    if frames is None:
        raise errors.MotionError(
            f"The armature {armature.name!r} has no Action to export.", hint="Capture or transfer a movement first."
        )
    if armature.mode == "EDIT":
        raise errors.RigError(f"The armature {armature.name!r} is in Edit Mode.", hint="Leave Edit Mode first (Tab).")
    require_exporter(kind)
    with _written_whole(path) as part, kept_frame(scene), _scene_of_its_own(armature, scene, frames, kind):
        try:
            with silent():
                KINDS[kind].write(str(part), armature, frames)
        except RuntimeError as problem:
            raise _unwritable(path, str(problem).strip().splitlines()[0]) from problem


def with_ending(path: Path, kind: str) -> Path:
    """The path with the kind's ending, in place of another kind's."""
    ending = KINDS[kind].ending
    if path.suffix.lower() == ending:
        return path
    others = {other.ending for other in KINDS.values()} | {".blend"}
    return path.with_suffix(ending) if path.suffix.lower() in others else path.with_name(path.name + ending)


def require_exporter(kind: str) -> None:
    """Raise OutputError where this Blender cannot write files of a kind."""
    module, _, name = KINDS[kind].operator.partition(".")
    if name in dir(getattr(bpy.ops, module)):
        return
    add_on = KINDS[kind].switch_on
    hint = f"Switch on {add_on!r} in the preferences, under Add-ons." if add_on else "Choose another file type."
    raise errors.OutputError(f"This Blender has no exporter for {KINDS[kind].label} files.", hint=hint)


def _unwritable(path: Path, why: str) -> errors.OutputError:
    return errors.OutputError(f"{path.name} cannot be written: {why}.", hint="Choose another file or folder.")


@contextlib.contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    """Gives a path to write to, in a folder of its own; all that is there at the end goes where it belongs."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".atcn_", dir=path.parent) as folder:
            part = Path(folder) / path.name
            yield part
            if not part.is_file():
                raise _unwritable(path, "the exporter wrote nothing")
            # Textures and the like first, so that the file itself never refers to what is not there yet.
            for found in sorted(Path(folder).rglob("*"), key=lambda found: found == part):
                if found.is_file():
                    place = path.parent / found.relative_to(folder)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    found.replace(place)
    except OSError as problem:
        raise _unwritable(path, problem.strerror or str(problem)) from problem


@contextlib.contextmanager
def _scene_of_its_own(
    armature: bpy.types.Object, scene: bpy.types.Scene, frames: tuple[int, int], kind: str
) -> Iterator[None]:
    """A scene with nothing but the armature, its meshes and its clip: the user's own need not be changed at all."""
    shown = [(window, window.scene) for window in bpy.context.window_manager.windows]
    own = bpy.data.scenes.new(_clip_name(armature))
    try:
        own.render.fps, own.render.fps_base = scene.render.fps, scene.render.fps_base
        own.unit_settings.system = scene.unit_settings.system
        own.unit_settings.scale_length = scene.unit_settings.scale_length
        own.frame_start, own.frame_end = frames
        for thing in [armature, *_meshes_of(armature, scene)]:
            own.collection.objects.link(thing)
        # The BVH exporter takes the present object; the others would take it out of its mode.
        present = armature if kind == "BVH" else None
        with bpy.context.temp_override(scene=own, view_layer=own.view_layers[0], object=present, active_object=present):
            # Exporters read poses off the armature itself, which only the present dependency graph writes to.
            bpy.context.evaluated_depsgraph_get()
            yield
    finally:
        # The glTF exporter shows the scene that it writes.
        for window, before in shown:
            if window.scene != before:
                window.scene = before
        bpy.data.scenes.remove(own)


def _clip_name(armature: bpy.types.Object) -> str:
    action = armature.animation_data.action
    return action.name if action is not None else armature.name


def _meshes_of(armature: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The meshes in the scene that hang on an armature or are bent by it."""
    hanging = set(armature.children_recursive)
    return [
        thing
        for thing in scene.objects
        if thing.type == "MESH"
        and (thing in hanging or any(m.type == "ARMATURE" and m.object == armature for m in thing.modifiers))
    ]
