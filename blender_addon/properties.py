"""What the user sets for a capture, kept with the scene. What a running capture shows is in status.py."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import corrections, panel_camera, panel_finish, panel_result, pose_preview, report_panel, rig_roles, rigs
from .motion_source import MotionSource
from .session import Request, RigChoice

__all__ = ["AtcnSettings", "refresh_avatars", "request_of"]

# Blender keeps pointers into the texts of a dynamic list, so they must live as long as the add-on.
_avatar_items: list[tuple[str, str, str]] = []
_NO_AVATAR = ("NONE", "No avatar", "The rigs folder is empty")


def refresh_avatars() -> None:
    """Read the rigs folders anew."""
    known = [*rigs.list_rigs(), *rigs.list_rigs(rigs.user_rigs_dir())]
    avatars = {rig.name: rig for rig in reversed(known) if rig.avatar is not None}
    found = [(name, name.capitalize(), f"Avatar {name}, {avatars[name].licence}") for name in sorted(avatars)]
    _avatar_items[:] = found or [_NO_AVATAR]


def _avatars(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    return _avatar_items


def _is_armature(settings: bpy.types.PropertyGroup, candidate: bpy.types.Object) -> bool:
    return candidate.type == "ARMATURE"


class AtcnSettings(bpy.types.PropertyGroup):
    """The panel's settings."""

    source: bpy.props.EnumProperty(
        name="Source",
        description="Where the movement comes from",
        items=[
            ("VIDEO", "Video", "A film of a person"),
            ("BVH", "BVH File", "A motion file of any skeleton of a person"),
            ("ARMATURE", "Armature", "An animated armature that is in the scene, from whatever file"),
        ],
    )
    bvh: bpy.props.StringProperty(
        name="BVH File", description="The motion file whose movement to take", subtype="FILE_PATH"
    )
    source_armature: bpy.props.PointerProperty(
        name="Armature",
        description="The animated armature whose movement to take",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    video: bpy.props.StringProperty(
        name="Video", description="The film of the person whose movement to take", subtype="FILE_PATH"
    )
    target: bpy.props.EnumProperty(
        name="Rig",
        description="Whom the movement is for",
        items=[
            ("AVATAR", "Avatar", "Bring one of the add-on's own characters into the scene"),
            ("ARMATURE", "Armature", "An armature that is in the scene"),
        ],
    )
    avatar: bpy.props.EnumProperty(name="Avatar", description="The character to bring into the scene", items=_avatars)
    armature: bpy.props.PointerProperty(
        name="Armature",
        description="The armature to animate",
        type=bpy.types.Object,
        poll=_is_armature,
        update=rig_roles.handle_armature_chosen,
    )
    roles: bpy.props.CollectionProperty(type=rig_roles.AtcnRole)
    family: bpy.props.StringProperty(name="Rig Family", description="What the armature was recognised as")
    show_roles: bpy.props.BoolProperty(name="Bones", description="Show which bone plays which part", default=False)
    use_range: bpy.props.BoolProperty(name="Only a part", description="Capture only a part of the video", default=False)
    start_s: bpy.props.FloatProperty(
        name="Start", description="Where in the video to begin, in seconds", min=0.0, step=10, precision=2
    )
    end_s: bpy.props.FloatProperty(
        name="End", description="Where in the video to stop, in seconds", min=0.0, default=10.0, step=10, precision=2
    )
    camera: bpy.props.PointerProperty(type=panel_camera.AtcnCamera)
    fingers: bpy.props.BoolProperty(
        name="Fingers",
        description="Also find the fingers, which takes about as long again; rigs without fingers stay as they are",
        default=False,
    )
    result: bpy.props.PointerProperty(type=panel_result.AtcnResult)
    finish: bpy.props.PointerProperty(type=panel_finish.AtcnFinish)
    corrections: bpy.props.PointerProperty(type=corrections.AtcnCorrections)
    report: bpy.props.PointerProperty(type=report_panel.AtcnReport)
    feet: bpy.props.EnumProperty(
        name="Feet",
        description="How feet that stand are held",
        items=[
            ("auto", "Auto", "What stands stays where it stands, flat and on the floor; what slides may slide"),
            ("always", "Always", "What is nearly still stands as well: no foot slides at all"),
            ("grounding", "Grounding", "Feet are kept on and above the floor, but may slide"),
            ("never", "Never", "Legs point exactly as the performer's do"),
        ],
        update=pose_preview.handle_setting_changed,
    )
    start_frame: bpy.props.IntProperty(
        name="First Frame",
        description="The scene's frame on which the movement begins",
        default=1,
        update=pose_preview.handle_setting_changed,
    )


def _motion_of(settings: AtcnSettings) -> MotionSource | None:
    """The movement to take instead of a video's, or None."""
    if settings.source == "BVH":
        return MotionSource(bvh=Path(bpy.path.abspath(settings.bvh)))
    if settings.source == "ARMATURE":
        return MotionSource(armature=settings.source_armature.name if settings.source_armature is not None else "")
    return None


def request_of(scene: bpy.types.Scene) -> Request:
    """The capture that the scene's settings ask for."""
    settings = scene.atcn
    if settings.target == "AVATAR":
        rig = RigChoice(avatar=settings.avatar)
    else:
        rig = RigChoice(armature=settings.armature.name if settings.armature is not None else "")
    return Request(
        video=Path(bpy.path.abspath(settings.video)),
        rig=rig,
        start_s=settings.start_s if settings.use_range else None,
        end_s=settings.end_s if settings.use_range else None,
        start_frame=settings.start_frame,
        corrections=settings.corrections.to_corrections(),
        parts=settings.corrections.to_parts(),
        feet=settings.feet,
        fingers=settings.fingers,
        camera=settings.camera.mode,
        fov_deg=settings.camera.fov_deg,
        height_m=settings.finish.known_height_m,
        smooth=settings.finish.smooth,
        result=panel_result.options_of(settings.result, settings.armature if settings.target == "ARMATURE" else None),
        motion=_motion_of(settings),
        report=settings.report.make,
        report_film=settings.report.film,
    )
