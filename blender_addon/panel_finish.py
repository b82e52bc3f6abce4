"""The performer's height and the smoothing in the panel and on the command line."""

from __future__ import annotations

import argparse

import bpy

from . import pose_preview
from .core import finish, stature

__all__ = ["AtcnFinish", "add_arguments", "draw"]

# A clip of more frames than these is shown anew only when the slider has rested so long: it takes up to half a second.
FRAMES_AT_ONCE, QUIET_S = 900, 0.3


def show_anew() -> None:
    """Show the pose with the present settings: for a timer."""
    pose_preview.handle_setting_changed(None, None)


def _handle_changed(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    if bpy.app.timers.is_registered(show_anew):
        bpy.app.timers.unregister(show_anew)
    if pose_preview.frames_shown() <= FRAMES_AT_ONCE:
        show_anew()
    else:
        bpy.app.timers.register(show_anew, first_interval=QUIET_S)


class AtcnFinish(bpy.types.PropertyGroup):
    """What becomes of a capture before it goes on a rig."""

    use_height: bpy.props.BoolProperty(
        name="Height (m)",
        description="Whether it is known how tall the performer is; else 1.70 m is taken",
        default=False,
        update=_handle_changed,
    )
    height_m: bpy.props.FloatProperty(
        name="Height (m)",
        description="How tall the performer is, in metres",
        default=stature.ASSUMED_HEIGHT_M,
        min=stature.HEIGHTS_M[0],
        max=stature.HEIGHTS_M[1],
        step=1,
        precision=2,
        update=_handle_changed,
    )
    smooth: bpy.props.FloatProperty(
        name="Smooth",
        description="How much tremble is taken off what rests; quick movements are let go. 0 leaves all as captured",
        subtype="FACTOR",
        default=finish.DEFAULT_STRENGTH,
        min=0.0,
        max=1.0,
        update=_handle_changed,
    )

    @property
    def known_height_m(self) -> float:
        """The performer's height, 0 where it is not known."""
        return self.height_m if self.use_height else 0.0


def draw(layout: bpy.types.UILayout, settings: AtcnFinish) -> None:
    """All of them."""
    row = layout.row(heading="Height (m)")
    row.prop(settings, "use_height", text="")
    value = row.row()
    value.active = settings.use_height
    value.prop(settings, "height_m", text="")
    layout.prop(settings, "smooth")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The same on the command line."""
    parser.add_argument("--height", type=float, default=0.0, metavar="M", help="how tall the performer is, in metres")
    parser.add_argument(
        "--smooth",
        type=float,
        default=finish.DEFAULT_STRENGTH,
        metavar="0..1",
        help="how much tremble is taken off a video's movement (default: %(default)s)",
    )
