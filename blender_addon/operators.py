"""The buttons: capture, cancel, apply the last capture again, install the engine. Thin: the work is elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

from . import engine, pose_preview, properties, report, runs, session, take_reports
from .blocks import Held
from .core import ROOT, clip, errors, protocol
from .modal import WorkerOperator
from .steps import Steps, aside, finish

__all__ = [
    "ATCN_OT_apply_last",
    "ATCN_OT_cancel",
    "ATCN_OT_capture",
    "ATCN_OT_install_engine",
    "applying_last",
    "handle_load_pre",
]


class ATCN_OT_capture(WorkerOperator, bpy.types.Operator):  # noqa: N801  Blender's own naming
    """Take the person's movement from the video and put it on the rig as a new Action"""

    bl_idname = "atcn.capture"
    bl_label = "Capture from Video"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  read by Blender
    failed_headline = "The capture failed."
    cancelled_headline = "The capture was cancelled."

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if runs.current() is not None:
            cls.poll_message_set("A capture is already running")
            return False
        return True

    def start(self, context: bpy.types.Context) -> runs.Run:
        self._scene = Held.of(context.scene)
        self._request = properties.request_of(context.scene)
        session.check(self._request, context.scene)
        found = engine.find_engine()
        return runs.begin(found.python, lambda folder: session.capture_job(self._request, folder))

    def succeed(self, paths: dict[str, str]) -> Steps[str]:
        runs.status.hear(protocol.Progress("apply", 0, 0))
        motion = yield from aside(clip.load_motion, Path(paths["motion"]))
        runs.last_capture = (self._request, motion)
        yield from take_reports.keeping(paths)
        return (yield from applying_last(self._scene.get()))


class ATCN_OT_apply_last(bpy.types.Operator):  # noqa: N801
    """Put the last captured movement on the chosen rig, without capturing again"""

    bl_idname = "atcn.apply_last"
    bl_label = "Apply Last Capture"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if runs.last_capture is None or runs.current() is not None:
            cls.poll_message_set("Nothing was captured yet" if runs.last_capture is None else "A capture is running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            runs.status.begin()
            request, motion = runs.last_capture
            wished = session.as_wished(request, properties.request_of(context.scene))
            runs.last_capture = (wished, motion)
            return report.finished(self, finish(applying_last(context.scene)))
        except errors.AtcnError as error:
            return report.failed(self, "The capture does not go on this rig.", error)


class ATCN_OT_cancel(bpy.types.Operator):  # noqa: N801
    """Stop what is running; the scene stays as it is"""

    bl_idname = "atcn.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Nothing is running")
        return runs.current() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        runs.current().cancel()
        return {"FINISHED"}


class ATCN_OT_install_engine(WorkerOperator, bpy.types.Operator):  # noqa: N801
    """Download the capture engine's packages into the add-on's own folder; Blender's Python is left alone"""

    bl_idname = "atcn.install_engine"
    bl_label = "Install Engine"
    failed_headline = "The engine was not installed."
    cancelled_headline = "The installation was cancelled."

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if runs.current() is not None:
            cls.poll_message_set("Wait until what is running has ended")
            return False
        if not bpy.app.online_access:
            cls.poll_message_set("Needs the internet: switch on Allow Online Access in the preferences, under System")
            return False
        if engine.engine_dir() is None:
            cls.poll_message_set("Only for the installed extension; in development the project's .venv is the engine")
            return False
        return True

    def start(self, context: bpy.types.Context) -> runs.Run:
        job = protocol.InstallJob(str(engine.engine_dir()), str(ROOT / "constraints.txt"))
        return runs.begin(Path(sys.executable), lambda folder: job)

    def succeed(self, paths: dict[str, str]) -> Steps[str]:
        yield
        return "The engine is installed."


@bpy.app.handlers.persistent
def handle_load_pre(*_: object) -> None:
    """Another file is about to be loaded: what runs was for the old one."""
    if runs.current() is not None:
        runs.end()
        runs.status.end("The capture was cancelled: another file was opened.")


def applying_last(scene: bpy.types.Scene) -> Steps[str]:
    """Put the last capture on its rig; returns the sentence that tells of it."""
    request, motion = runs.last_capture
    held = Held.of(scene)
    pose_preview.switch_off()
    found = yield from take_reports.figures(request, motion)
    applied = yield from session.applying(request, motion, scene)
    # so that the next capture goes on the same character instead of bringing in a second one
    scene = held.get()
    scene.atcn.armature = scene.objects[applied.armature]
    scene.atcn.target = "ARMATURE"
    take_reports.present(scene, request, applied, found)
    take_reports.measure_on_rig(scene, applied, found)
    runs.status.note = applied.note
    return f"{applied.frames} frames on {applied.armature}. {applied.keys}".rstrip()
