"""What a video's camera does, in one answer: its lens, its turns where there are any, and sentences for the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..camera_path import CameraPath, VideoCamera
from ..frames import Intrinsics
from .background import LOOKED_AT_PX, LOST, PASSED, BackgroundTracks
from .focal import focal_by_turning
from .lens import Lens, choose_lens, lens_of_file
from .solve import SolvedCamera, solve_camera

__all__ = ["CameraReading", "read_camera"]

# A background that stays within so much of its place (px of a picture LOOKED_AT_PX long) belongs to a still camera:
# less than a knock against the tripod, more than what following points is off by.
STILL_PX = 2.0
STILL_PERCENTILE = 98.0
# Turning and zooming leave this much unexplained; where more than such a share of the background lies further off,
# the camera goes about.
EXPLAINED_PX, EXPLAINED_OF_WAY = 1.2, 0.04
UNEXPLAINED = 0.25
# Below this part of frames in which the background was followed nothing is said of it.
LEAST_SEEN = 0.3


@dataclass(frozen=True)
class CameraReading:
    """lens: in the first frame. camera: what goes into the motion. warning: a sentence, "" where all is well."""

    lens: Lens
    camera: VideoCamera
    warning: str = ""


def read_camera(
    tracks: BackgroundTracks | None,
    times_s: np.ndarray,
    image_wh_px: tuple[int, int],
    *,
    video: Path | str = "",
    mode: str = "auto",
    fov_deg: float = 0.0,
) -> CameraReading:
    """What the camera of a clip does.

    tracks: of the frames at times_s (T,); None where there was nothing to look at. mode: one of the job's CAMERA_MODES.
    fov_deg: the field of view along the longer side where it is given, else 0. Raises VideoError.
    """
    in_file = lens_of_file(video) if video and not fov_deg else None
    guess = choose_lens(image_wh_px, fov_deg, in_file, None)
    if mode == "still":
        return CameraReading(guess, VideoCamera("still", f"The camera is taken to stand still, as told. {guess.note}"))
    if tracks is None:
        return CameraReading(guess, VideoCamera("unknown", f"{_NO_VIDEO} {guess.note}"))
    solved = solve_camera(tracks, guess.camera, times_s)
    seen = np.asarray(tracks.key[tracks.key != PASSED] != LOST).mean()
    if seen < LEAST_SEEN:
        return CameraReading(guess, VideoCamera("unknown", f"{_NOTHING_SEEN} {guess.note}"))
    if mode == "auto" and _shift_px(solved.path, guess.camera, image_wh_px) < STILL_PX:
        note = f"The camera stands still: so does the background in {100 * seen:.0f} % of the frames."
        return CameraReading(guess, VideoCamera("still", f"{note} {guess.note}"))
    return _turning(tracks, times_s, solved, guess, on_one_spot=mode == "pan")


_NO_VIDEO = "The camera is taken to stand still: there was no video to look at."
_NOTHING_SEEN = "The camera is taken to stand still: too little of the background could be followed."


def _turning(
    tracks: BackgroundTracks, times_s: np.ndarray, solved: SolvedCamera, guess: Lens, *, on_one_spot: bool
) -> CameraReading:
    """on_one_spot: the camera is known to go nowhere."""
    lens = guess
    if guess.source == "assumed":
        measured = focal_by_turning(tracks, solved.path.zoom, guess.camera.centre_px)
        lens = choose_lens(tracks.image_wh_px, 0.0, None, measured)
        if lens.source != "assumed":
            solved = solve_camera(tracks, lens.camera, times_s)
    share = _unexplained(tracks, solved)
    evidence = _evidence(solved, share)
    if share > UNEXPLAINED and not on_one_spot:
        warning = (
            f"The camera itself goes about ({100 * share:.0f} % of the background moves as no turning explains): "
            "the person's way through the room is only rough."
        )
        return CameraReading(lens, VideoCamera("moving", f"{warning} {lens.note}", solved.path), warning)
    note = f"The camera turns on one spot, which is taken out: {evidence}. {lens.note}"
    warning = ""
    if solved.begun:
        warning = f"The background could not be followed throughout ({solved.begun} breaks): directions may be off."
        note = f"{note} {warning}"
    return CameraReading(lens, VideoCamera("turning", note, solved.path), warning)


def _shift_px(path: CameraPath, camera: Intrinsics, image_wh_px: tuple[int, int]) -> float:
    """How far the background of most frames lies from where it was in the first, px of the small picture."""
    focal_px = camera.focal_px * LOOKED_AT_PX / max(image_wh_px)
    shift_px = focal_px * path.turned_rad + 0.25 * LOOKED_AT_PX * np.abs(np.log(path.zoom))
    return float(np.percentile(shift_px, STILL_PERCENTILE))


def _unexplained(tracks: BackgroundTracks, solved: SolvedCamera) -> float:
    """The share of the followed points, of all frames that moved, that turning and zooming leave unexplained."""
    small = LOOKED_AT_PX / max(tracks.image_wh_px)
    way_px = np.linalg.norm(tracks.xy_px - tracks.key_xy_px, axis=2) * small
    there = np.isfinite(solved.miss_px)
    moved = there & (way_px > STILL_PX)
    if not moved.any():
        return 0.0
    allowed_px = EXPLAINED_PX + EXPLAINED_OF_WAY * np.where(moved, way_px, 0.0)
    return float((solved.miss_px[moved] > allowed_px[moved]).mean())


def _evidence(solved: SolvedCamera, share: float) -> str:
    path = solved.path
    words = [f"up to {np.degrees(path.turned_rad.max()):.1f}°"]
    if np.ptp(np.log(path.zoom)) > 0.02:
        words.append(f"zoom {path.zoom.min():.2f} to {path.zoom.max():.2f}")
    words.append(f"{100 * (1 - share):.0f} % of the background agrees")
    return ", ".join(words)
