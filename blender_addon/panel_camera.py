"""What the film's camera does and how wide it sees: in the panel and on the command line."""

from __future__ import annotations

import argparse
import math

import bpy

from .core import protocol

__all__ = ["AtcnCamera", "add_arguments", "draw"]


class AtcnCamera(bpy.types.PropertyGroup):
    """The film's camera, as far as the user knows of it."""

    mode: bpy.props.EnumProperty(
        name="Camera",
        description="What the film's camera does",
        items=[
            ("auto", "Auto", "As the background shows: what a camera on one spot turns and zooms is taken out"),
            ("still", "Still", "It stands still, whatever moves behind the person"),
            ("pan", "Pan", "It turns or zooms on one spot, also where the background shows little of it"),
        ],
    )
    fov_rad: bpy.props.FloatProperty(
        name="Field of View",
        description="How wide the film's camera sees along the picture's longer side; 0 where it is not known: then "
        "from the file, or from the camera's turns, or 60 degrees",
        subtype="ANGLE",
        min=0.0,
        max=math.radians(150.0),
    )

    @property
    def fov_deg(self) -> float:
        """As the worker's job has it."""
        return round(math.degrees(self.fov_rad), 3)


def draw(layout: bpy.types.UILayout, settings: AtcnCamera) -> None:
    """Both settings."""
    layout.prop(settings, "mode")
    layout.prop(settings, "fov_rad")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The same on the command line."""
    modes = protocol.CAMERA_MODES
    parser.add_argument(
        "--camera", choices=modes, default="auto", help=f"what the film's camera does: {', '.join(modes)}"
    )
    parser.add_argument(
        "--fov", type=float, default=0.0, metavar="DEG", help="its field of view along the picture's longer side"
    )
