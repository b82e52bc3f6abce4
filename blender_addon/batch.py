"""Videos to .blend files without a window: the operator's own capture, one line a job, an exit code that tells.

blender --background [scene.blend] --python blender_addon/batch.py -- --video a.mp4 b.mp4 --rig NAME --out DIR
python -m blender_addon.batch --video a.mp4 --rig NAME --out a.blend      (with the bpy module)
python -m blender_addon.batch --bvh a.bvh --rig NAME --out a.blend --export fbx glb      (no engine needed)
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TextIO

import bpy

if not __package__:  # started as a file by Blender: the package is entered here
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    __package__ = "blender_addon"

from . import (
    corrections,
    engine,
    exporting,
    finishing,
    footage,
    motion_source,
    panel_camera,
    panel_finish,
    result,
    session,
    take_reports,
)
from .core import ROOT, client, clip, errors, feet, protocol, world
from .hush import silent
from .preview import render_preview, require_renderer
from .status import Status
from .steps import finish

__all__ = ["main", "run_as_program"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Do all jobs, the later ones also where an earlier one failed. Returns 0 only when all were done."""
    options = _options(arguments)
    start_scene = Path(options.scene or bpy.data.filepath).absolute() if options.scene or bpy.data.filepath else None
    try:
        python = _engine_python() if options.video else Path()
        if options.preview:
            require_renderer()
        for kind in options.export:
            exporting.require_exporter(kind)
    except errors.AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
        return EXIT_FAILED
    failed = 0
    sources = options.video or options.bvh
    for source, out in zip(sources, _outputs(sources, options.out), strict=True):
        try:
            line = _Job(options, source, out, start_scene, python).run()
        except errors.AtcnError as error:
            failed += 1
            _say(sys.stderr, f"{source.name}: {error}")
        else:
            _say(sys.stdout, f"{source.name}: {line}")
    return EXIT_FAILED if failed else 0


def _engine_python() -> Path:
    """The engine's Python, found to work. Raises EngineError."""
    found = engine.find_engine()
    engine.probe(found)
    return found.python


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="batch", description="Videos of a person to .blend files with an animated rig."
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--video", nargs="+", type=Path, default=[], metavar="FILE", help="the videos")
    source.add_argument("--bvh", nargs="+", type=Path, default=[], metavar="FILE", help="BVH motions in their place")
    rig = parser.add_mutually_exclusive_group(required=True)
    rig.add_argument("--rig", default="", metavar="NAME", help="an avatar of the rigs folder")
    rig.add_argument("--armature", default="", metavar="OBJECT", help="an armature of the opened scene")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder; for one video also a .blend")
    parser.add_argument("--scene", type=Path, metavar="FILE", help="the .blend to start each job from")
    parser.add_argument(
        "--keypoints", type=Path, metavar="FILE", help="2D keypoints (.npz): read where it exists, else written"
    )
    parser.add_argument("--again", action="store_true", help="look at videos anew, also where their joints are kept")
    parser.add_argument("--fingers", action="store_true", help="also find the fingers, which takes about as long again")
    panel_camera.add_arguments(parser)
    parser.add_argument("--start", type=float, metavar="S", help="begin at this time of the video")
    parser.add_argument("--end", type=float, metavar="S", help="end before this time of the video")
    network = protocol.DEFAULT_NETWORK
    parser.add_argument("--network", default=network, metavar="NAME", help="a bundled network, or a weights file")
    modes = list(feet.FOOT_MODES)
    parser.add_argument("--feet", choices=modes, default="auto", help=f"how standing feet are held: {', '.join(modes)}")
    parser.add_argument("--preview", action="store_true", help="also make a film of the avatar beside the video")
    parser.add_argument(
        "--report", type=Path, metavar="PATH", help="also write take reports: a folder; for one video also an .html"
    )
    parser.add_argument("--no-overlay", action="store_true", help="leave out the film of the report")
    parser.add_argument("--footage", action="store_true", help="also add the video's camera, the video and its sound")
    kinds = [kind.lower() for kind in exporting.KINDS]
    parser.add_argument(
        "--export",
        nargs="+",
        choices=kinds,
        default=[],
        metavar="TYPE",
        help=f"files beside the .blend: {' '.join(kinds)}",
    )
    panel_finish.add_arguments(parser)
    corrections.add_arguments(parser)
    result.add_arguments(parser)
    options = parser.parse_args(arguments)
    options.export = [kind.upper() for kind in options.export]
    if len(options.video or options.bvh) > 1 and options.out.suffix == ".blend":
        parser.error("--out must be a folder for several videos")
    if options.bvh and (options.keypoints or options.preview or options.footage or options.report):
        parser.error("--keypoints, --preview, --footage and --report are for videos")
    if len(options.video) > 1 and options.report is not None and options.report.suffix == ".html":
        parser.error("--report must be a folder for several videos")
    if len(options.video) > 1 and options.keypoints is not None:
        parser.error("--keypoints is for one video")
    return options


def _outputs(videos: list[Path], out: Path) -> list[Path]:
    """A .blend for each video; videos of one name get numbers."""
    if out.suffix == ".blend":
        return [out]
    paths: list[Path] = []
    for video in videos:
        path, number = out / f"{video.stem}.blend", 2
        while path in paths:
            path, number = out / f"{video.stem}-{number}.blend", number + 1
        paths.append(path)
    return paths


class _Job:
    """One video or motion to one .blend. python: the engine's; no motion file needs it."""

    def __init__(
        self, options: argparse.Namespace, source: Path, out: Path, start_scene: Path | None, python: Path
    ) -> None:
        kept = options.keypoints
        self._request = session.Request(
            video=source if options.video else Path(),
            motion=motion_source.MotionSource(bvh=source) if options.bvh else None,
            rig=session.RigChoice(armature=options.armature, avatar=options.rig),
            start_s=options.start,
            end_s=options.end,
            keypoints=kept if kept is not None and kept.is_file() else None,
            network=options.network,
            corrections=corrections.corrections_of_arguments(options),
            parts=corrections.parts_of_arguments(options),
            result=result.options_of_arguments(options),
            feet=options.feet,
            height_m=options.height,
            smooth=options.smooth,
            cached=not options.again,
            fingers=options.fingers,
            camera=options.camera,
            fov_deg=options.fov,
            report=options.report is not None,
            report_film=not options.no_overlay,
        )
        self._keypoints_out = kept if self._request.keypoints is None else None
        self._out = out.absolute()
        self._log = self._out.with_suffix(".log")
        self._start_scene = start_scene
        self._python = python
        self._exports = options.export
        self._footage = options.footage
        self._preview = self._out.with_name(self._out.stem + "_preview.mp4") if options.preview else None
        self._page = _page(options.report, self._out.stem)

    def run(self) -> str:
        """Capture, apply, save, and make the preview. Returns the rest of the job's line. Raises AtcnError."""
        _open(self._start_scene)
        session.check(self._request, bpy.context.scene)
        _prepare_output(self._out, self._start_scene)
        with tempfile.TemporaryDirectory(prefix="atcn_batch_") as folder:
            scene = bpy.context.scene
            motion, fps, keypoints_path = self._taken(Path(folder))
            if self._start_scene is None:
                session.set_scene_rate(scene, fps)
            found = finish(take_reports.figures(self._request, motion))
            applied = session.apply_capture(self._request, motion, scene)
            if found is not None:
                take_reports.mark(scene, found.report, self._request.clip_name, applied.first_frame)
                finish(take_reports.measuring(scene, applied, found))
            motion = finishing.ready(motion, self._request.height_m, self._request.smooth).motion
            if self._start_scene is None:
                scene.frame_start, scene.frame_end = applied.first_frame, applied.last_frame
            if self._footage and isinstance(motion, clip.Motion3D):
                self._add_footage(scene, scene.objects[applied.armature], motion)
            _save(self._out)
            written = [_short(self._out), *self._exported(scene.objects[applied.armature])]
            if self._preview is not None and isinstance(motion, clip.Motion3D):
                render_preview(
                    scene,
                    applied.armature,
                    bpy.data.actions[applied.action],
                    motion,
                    video=self._request.video.absolute(),
                    keypoints_path=keypoints_path,
                    out=self._preview,
                    run_job=self._work,
                )
        line = f"{applied.frames} frames on {applied.armature} -> {', '.join(written)}"
        told = " ".join(filter(None, (applied.keys, applied.note)))
        return f"{line}. {told}" if told else line

    def _taken(self, folder: Path) -> tuple[clip.Motion3D | world.WorldMotion, float, str]:
        """The movement, its frame rate, and the file of the 2D keypoints it came from ("" where it came from none)."""
        request = self._request
        if request.motion is not None:
            there = motion_source.motion_of(request.motion, bpy.context.scene, request.start_s, request.end_s)
            return there, motion_source.rate_of(there), ""
        paths = self._work(session.capture_job(request, folder, self._keypoints_out, self._page.stem))
        finish(take_reports.keeping(paths, self._page.parent.absolute()))
        captured = clip.load_motion(Path(paths["motion"]))
        return captured, captured.fps, paths["keypoints"]

    def _add_footage(self, scene: bpy.types.Scene, armature: bpy.types.Object, motion: clip.Motion3D) -> None:
        """The video's camera, the video and its sound; a scene of the batch's own also takes the video's size."""
        video, own = self._request.video.absolute(), self._start_scene is None
        for note in footage.add_footage(scene, armature, motion, video, self._request.start_frame, set_size=own).notes:
            _say(sys.stderr, f"{video.name}: note: {note}")

    def _exported(self, armature: bpy.types.Object) -> list[str]:
        """Write the clip beside the .blend in the formats asked for. Returns the files' names."""
        names = []
        for kind in self._exports:
            path = exporting.with_ending(self._out, kind)
            exporting.export_animation(armature, bpy.context.scene, path, kind)
            names.append(path.name)
        return names

    def _work(self, job: protocol.Job) -> dict[str, str]:
        """Have the engine do a job. Its log stays only where an error names it."""
        shown = _Shown(self._request.video.name)
        try:
            paths = client.run_blocking(
                self._python,
                job,
                root=ROOT,
                log_path=self._log,
                env=engine.worker_variables(),
                on_message=shown.hear,
            )
        except errors.AtcnError as error:
            if str(self._log) not in str(error):
                self._log.unlink(missing_ok=True)
            raise
        finally:
            shown.clear()
        self._log.unlink(missing_ok=True)
        return paths


class _Shown:
    """Progress as one line that is written over, where somebody looks on; warnings as lines of their own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._status = Status()
        self._status.begin()

    def hear(self, message: protocol.Message) -> None:
        if isinstance(message, protocol.WarningMessage):
            _say(sys.stderr, f"{self._name}: note: {message.text}")
        self._status.hear(message)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{self._name}: {self._status.text}")
            sys.stderr.flush()

    def clear(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")


def _page(wanted: Path | None, name: str) -> Path:
    """The take report's page of a job whose .blend has this name. wanted: a folder or an .html file."""
    if wanted is None:
        return Path()
    return wanted if wanted.suffix == ".html" else wanted / f"{name}.html"


def _say(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _open(start_scene: Path | None) -> None:
    """The start scene as it is on disk, or an empty one."""
    if start_scene is None:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        return
    hint = "Choose another .blend file."
    if not start_scene.is_file():
        raise errors.RigError(f"There is no scene file {start_scene}.", hint=hint)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(start_scene), load_ui=False)
    except RuntimeError as problem:
        raise errors.RigError(f"The scene file {start_scene.name} cannot be opened: {problem}", hint=hint) from problem


def _prepare_output(out: Path, start_scene: Path | None) -> None:
    """Find out before the work whether the file can be written."""
    if start_scene is not None and out.resolve() == start_scene.resolve():
        raise errors.OutputError(f"{out} is the scene file itself.", hint="Choose another name for the result.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as problem:
        raise errors.OutputError(
            f"Cannot write into {out.parent}: {problem.strerror or problem}.", hint="Choose another folder."
        ) from problem


def _save(out: Path) -> None:
    """Save a copy under a temporary name, then rename it: never half a file, and the opened one is not touched."""
    part = out.with_name(out.stem + ".part.blend")
    try:
        with silent():
            bpy.ops.wm.save_as_mainfile(filepath=str(part), copy=True, compress=True)
        part.replace(out)
    except (RuntimeError, OSError) as problem:
        raise errors.OutputError(f"Cannot write {out}: {problem}", hint="Free some space on the disk.") from problem
    finally:
        part.unlink(missing_ok=True)


def run_as_program() -> None:
    """Do the jobs of the command line and end the process with their exit code, whatever happens."""
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    code = EXIT_FAILED
    try:
        code = main(arguments)
    except SystemExit as end:  # argparse: usage or help
        code = end.code if isinstance(end.code, int) else EXIT_USAGE
    except KeyboardInterrupt:
        sys.stderr.write("Cancelled.\n")
        code = EXIT_INTERRUPTED
    finally:
        if sys.exc_info()[0] is not None:  # a bug: Blender itself would end with 0
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        if bpy.app.binary_path:
            sys.exit(code)
        os._exit(code)  # the bpy module of some versions crashes or hangs when the interpreter ends


if __name__ == "__main__":
    run_as_program()
