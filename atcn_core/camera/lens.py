"""How wide a video's camera sees: as given, else as the file says, else as a turning camera tells, else as assumed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from ..errors import VideoError
from ..frames import ASSUMED_FOV_RAD, Intrinsics
from .focal import MeasuredFocal

__all__ = ["FOVS_DEG", "FileLens", "Lens", "check_fov", "choose_lens", "lens_of_file"]

# The fields of view that can be given, along the picture's longer side.
FOVS_DEG = (5.0, 150.0)
# "Equivalent" compares diagonals: that of 35 mm film; what is filmed is as wide as the 4:3 sensor it is cut from.
_FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
_SENSOR_WIDTH_SHARE = 0.8
# Stabilising cuts a tenth or so off the picture, which no tag tells.
_FILE_OFF = 0.12
_EQUIVALENT = re.compile(r"focal.?length.*35|35.?mm.*focal", re.IGNORECASE)
# What turning tells is believed when it is this sure, of a field of view that cameras have.
_SURE_OFF = 0.08
_LIKELY_RAD = (np.deg2rad(14.0), np.deg2rad(110.0))
_ASSUMED_OFF = 0.25


@dataclass(frozen=True)
class FileLens:
    """What a file's tags say of its lens: focal length as of a 35 mm film camera, and the tag's name."""

    equivalent_mm: float
    tag: str


@dataclass(frozen=True)
class Lens:
    """The lens to go on with. source: "given", "file", "turning" or "assumed"; off: likely error, as a share of the
    focal length. note: a sentence for the user."""

    camera: Intrinsics
    source: str
    off: float
    note: str


def lens_of_file(video: Path | str) -> FileLens | None:
    """What the video's own tags say of the lens; None where they say nothing, or the file cannot be read."""
    try:
        with av.open(str(video)) as container:
            tags = dict(container.metadata)
            for stream in container.streams.video:
                tags |= stream.metadata
    except (OSError, av.error.FFmpegError):
        return None
    for name, value in tags.items():
        number = re.match(r"\s*(\d+(?:\.\d+)?)", value)
        if _EQUIVALENT.search(name) and number and 4.0 <= float(number.group(1)) <= 600.0:
            return FileLens(float(number.group(1)), name)
    return None


def check_fov(given_fov_deg: float) -> None:
    """Raise VideoError for a field of view that nobody can mean; 0 stands for none given."""
    low_deg, high_deg = FOVS_DEG
    if given_fov_deg and not low_deg <= given_fov_deg <= high_deg:
        raise VideoError(
            f"The field of view is {given_fov_deg:g} degrees.",
            hint=f"Give one between {low_deg:g} and {high_deg:g}, along the picture's longer side.",
        )


def choose_lens(
    image_wh_px: tuple[int, int], given_fov_deg: float, in_file: FileLens | None, measured: MeasuredFocal | None
) -> Lens:
    """The best that is known. given_fov_deg: along the longer side, 0 where it is not given. Raises VideoError."""
    if given_fov_deg:
        check_fov(given_fov_deg)
        camera = Intrinsics.assumed(image_wh_px, math.radians(given_fov_deg))
        return Lens(camera, "given", 0.0, f"Field of view {given_fov_deg:.0f}°, as given.")
    if in_file is not None:
        width_mm = _SENSOR_WIDTH_SHARE * _FILM_DIAGONAL_MM
        fov_rad = 2.0 * math.atan(0.5 * width_mm / in_file.equivalent_mm)
        words = f"from the file ({in_file.equivalent_mm:g} mm), to about a tenth."
        return _lens(image_wh_px, fov_rad, "file", _FILE_OFF, words)
    if measured is not None and measured.off < _SURE_OFF:
        fov_rad = 2.0 * math.atan(0.5 * max(image_wh_px) / measured.focal_px)
        if _LIKELY_RAD[0] < fov_rad < _LIKELY_RAD[1]:
            off = max(measured.off, 0.02)
            return _lens(image_wh_px, fov_rad, "turning", off, f"from its turns, to about {100 * off:.0f} %.")
    return _lens(image_wh_px, ASSUMED_FOV_RAD, "assumed", _ASSUMED_OFF, "assumed.")


def _lens(image_wh_px: tuple[int, int], fov_rad: float, source: str, off: float, words: str) -> Lens:
    camera = Intrinsics.assumed(image_wh_px, fov_rad)
    return Lens(camera, source, off, f"Field of view {math.degrees(fov_rad):.0f}°, {words}")
