"""A capture's take report: its files, a rig's figures in it, and its doubtful stretches as markers of the timeline."""

from __future__ import annotations

import functools
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import finishing, session, soles
from .apply import scene_fps
from .blocks import Held
from .core import clip, errors, files, take_report, take_table, world
from .modal import redraw
from .steps import TICK_S, Steps, advance, aside, finish

__all__ = [
    "Figures",
    "Taken",
    "figures",
    "forget",
    "frame_of",
    "is_kept",
    "keeping",
    "mark",
    "marks_of",
    "measure_on_rig",
    "measuring",
    "present",
    "read",
    "unmark",
]

logger = logging.getLogger(__name__)

FOLDER = "take_reports"
MARK = "Check: "
# What a marker's name may hold in every version, in bytes, and what of it the clip's name may take.
NAME_BYTES, CLIP_BYTES = 63, 24


@dataclass(frozen=True)
class Taken:
    """The page on a capture, and the joints as they were found, of which its figures are made."""

    page: Path
    keypoints: clip.Keypoints2D

    @property
    def data(self) -> Path:
        """The figures' file."""
        return self.page.with_suffix(".json")


@dataclass(frozen=True)
class Figures:
    """A report before it knows of a rig, where it goes, and the movement in the world that it is of."""

    taken: Taken
    report: take_report.TakeReport
    placed: world.WorldMotion


# Of the last capture; None where no report was asked for.
taken: Taken | None = None
# What measures the rig just now, or did so last.
_course: Steps[None] | None = None
# The file that was read last, when it was written, and what was in it: the panel asks for it whenever it is drawn.
_read: tuple[Path, int, take_report.TakeReport] | None = None


def forget() -> None:
    """There is no report any more."""
    global taken, _course, _read
    taken = _course = _read = None


def keeping(paths: dict[str, str], folder: Path | None = None) -> Steps[None]:
    """Take a capture's report out of its run's folder, which does not last.

    paths: the worker's, with "report" where there is one. folder: where to; None: beside the .blend, or where that
    cannot be, into Blender's own folder for this session. Raises OutputError for a folder that was given.
    """
    forget()
    if "report" not in paths:
        return
    keypoints = yield from aside(clip.load_keypoints, Path(paths["keypoints"]))
    beside = [Path(bpy.data.filepath).parent / FOLDER] if bpy.data.filepath else []
    for place in [folder] if folder is not None else [*beside, Path(bpy.app.tempdir) / FOLDER]:
        try:
            page = yield from aside(_copied, paths, place)
        except errors.OutputError as problem:  # beside the .blend: a folder that may only be read
            if folder is not None:
                raise
            logger.warning("The take report was not written: %s", problem)
        else:
            _remember(Taken(page, keypoints))
            return


def _remember(kept: Taken) -> None:
    global taken
    taken = kept


def _copied(paths: dict[str, str], folder: Path) -> Path:
    """The report's files in this folder, the page last. Returns the page. Raises OutputError."""
    for role in ("report_film", "report_data", "report"):
        if role in paths:
            with Path(paths[role]).open("rb") as source, files.whole_file(folder / Path(paths[role]).name) as target:
                shutil.copyfileobj(source, target)
    return folder / Path(paths["report"]).name


def is_kept(data: Path) -> bool:
    """Whether a report outlasts this Blender."""
    return not data.is_relative_to(bpy.app.tempdir)


def figures(request: session.Request, motion: clip.Motion3D | world.WorldMotion) -> Steps[Figures | None]:
    """What there is to say of the last capture as it goes on a rig now; None where no report was asked for.

    motion: the capture's, as the worker gave it. Raises MotionError.
    """
    current = taken
    if current is None or request.motion is not None or not isinstance(motion, clip.Motion3D):
        return None
    ready = yield from aside(finishing.ready, motion, request.height_m, request.smooth)
    placed = yield from aside(finishing.ready_world, motion, request.height_m, request.smooth)
    report = yield from aside(take_report.take_report, ready.motion, current.keypoints, placed)
    return Figures(current, report, placed)


def present(scene: bpy.types.Scene, request: session.Request, applied: session.Applied, found: Figures | None) -> None:
    """Have the scene's panel show the report, and mark the doubtful stretches where that is wished.

    A capture without a report loses the markers that one of the same video has set.
    """
    settings = scene.atcn.report
    if found is None:
        settings.data = ""
        if request.motion is None:
            unmark(scene, request.clip_name)
        return
    data = str(found.taken.data)
    settings.data = bpy.path.relpath(data) if bpy.data.filepath and is_kept(found.taken.data) else data
    settings.first_frame = applied.first_frame
    unmark(scene, request.clip_name)
    if settings.marks:
        mark(scene, found.report, request.clip_name, applied.first_frame)


def measure_on_rig(scene: bpy.types.Scene, applied: session.Applied, found: Figures | None) -> None:
    """Write the report with the figures of the rig that has just got its movement.

    Where there is a window, this goes on in short steps after the caller is done, until it is called again. Nothing of
    the scene changes.
    """
    global _course
    _course = measuring(scene, applied, found) if found is not None else None
    if _course is not None and bpy.app.background:
        finish(_course)
    elif _course is not None:
        bpy.app.timers.register(functools.partial(_tick, _course), first_interval=TICK_S)


def measuring(scene: bpy.types.Scene, applied: session.Applied, found: Figures) -> Steps[None]:
    """As `measure_on_rig`, in short steps. Of a rig that is no longer there the figures are left out."""
    fps, held = scene_fps(scene), Held.of(scene.objects[applied.armature])
    report, start_s = found.report, found.report.first_s
    try:
        measured = yield from soles.measuring(held, applied.first_frame, applied.last_frame, fps, start_s)
        report = yield from aside(take_report.on_rig, report, applied.armature, measured, found.placed)
    except errors.RigError as problem:
        logger.info("The rig was not measured: %s", problem)
    try:
        yield from aside(_write, found.taken, report)
    except errors.OutputError as problem:
        logger.warning("The take report was not written: %s", problem)


def _tick(steps: Steps[None]) -> float | None:
    if steps is not _course:
        return None
    try:
        advance(steps)
    except StopIteration:
        redraw(bpy.context)
        return None
    return TICK_S


def _write(current: Taken, report: take_report.TakeReport) -> None:
    """The figures into their file, and into the page where it is still there."""
    texts = {current.data: take_report.to_json(report)}
    if current.page.is_file():
        texts[current.page] = take_table.page_with(current.page.read_text(encoding="utf-8"), report)
    for path, text in texts.items():
        with files.whole_file(path) as handle:
            handle.write(text.encode())


def read(data: Path) -> take_report.TakeReport | None:
    """The figures of a report's file, read again only when it has changed; None where there is none."""
    global _read
    try:
        written = data.stat().st_mtime_ns
        if _read is None or _read[:2] != (data, written):
            _read = (data, written, take_report.from_json(data.read_text(encoding="utf-8")))
    except (OSError, ValueError, errors.MotionError):
        return None
    return _read[2]


def mark(scene: bpy.types.Scene, report: take_report.TakeReport, clip_name: str, first_frame: int) -> None:
    """A marker where each doubtful stretch begins, in place of those set for a clip of this name before.

    first_frame: where the clip begins. Stretches that begin on one frame share a marker.
    """
    unmark(scene, clip_name)
    reasons: dict[int, list[str]] = {}
    for doubt in report.doubtful:
        reasons.setdefault(frame_of(scene, report, doubt.first_s, first_frame), []).append(doubt.reason)
    ending = _ending(clip_name)
    room = NAME_BYTES - len(f"{MARK}{ending}".encode())
    for frame, words in reasons.items():
        scene.timeline_markers.new(f"{MARK}{_cut(', '.join(words), room)}{ending}", frame=frame)


def frame_of(scene: bpy.types.Scene, report: take_report.TakeReport, time_s: float, first_frame: int) -> int:
    """The frame on which a time of the clip falls that begins on this one."""
    return first_frame + round((time_s - report.first_s) * scene_fps(scene))


def unmark(scene: bpy.types.Scene, clip_name: str | None = None) -> None:
    """Remove the markers that `mark` has set and nobody has renamed: of a clip, or all."""
    for marker in marks_of(scene, clip_name):
        scene.timeline_markers.remove(marker)


def marks_of(scene: bpy.types.Scene, clip_name: str | None = None) -> list[bpy.types.TimelineMarker]:
    """The markers that `mark` has set and nobody has renamed: of a clip, or all."""
    ending = ")" if clip_name is None else _ending(clip_name)
    return [mark for mark in scene.timeline_markers if mark.name.startswith(MARK) and mark.name.endswith(ending)]


def _ending(clip_name: str) -> str:
    return f" ({_cut(clip_name, CLIP_BYTES)})"


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")
