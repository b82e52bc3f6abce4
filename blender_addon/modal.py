"""What every button with a worker behind it does: start it, listen to it on a timer, conclude. No job in particular."""

from __future__ import annotations

import bpy

from . import report, runs
from .core import errors

__all__ = ["WorkerOperator"]

TIMER_S = 0.1


class WorkerOperator:
    """One job of the worker: modal where there is a window, to its end otherwise. Concrete ones give the two hooks."""

    failed_headline = ""
    cancelled_headline = ""
    _timer: bpy.types.Timer | None = None
    _run: runs.Run | None = None

    def start(self, context: bpy.types.Context) -> runs.Run:
        """Begin the job. Raises AtcnError."""
        raise NotImplementedError

    def succeed(self, paths: dict[str, str]) -> str:
        """Use the job's files; returns the sentence that tells of it. Raises AtcnError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Run to the end, holding Blender: for scripts and without a window."""
        try:
            self._run = self.start(context)
            self._run.wait()
            return self._conclude()
        except errors.AtcnError as error:
            return report.failed(self, self.failed_headline, error)
        finally:
            self._tidy(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin, and leave the rest to the timer."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        try:
            self._run = self.start(context)
        except errors.AtcnError as error:
            return report.failed(self, self.failed_headline, error)
        manager = context.window_manager
        self._timer = manager.event_timer_add(TIMER_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """On each tick: hear the worker, show where it stands, and conclude when it has ended."""
        if self._run is not runs.current():
            self._tidy(context)
            return report.cancelled(self, self.cancelled_headline)
        if event.type == "ESC" and event.value == "PRESS":
            self._run.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        self._run.poll()
        _redraw(context)
        if self._run.outcome is None:
            return {"PASS_THROUGH"}
        try:
            return self._conclude()
        except errors.AtcnError as error:
            return report.failed(self, self.failed_headline, error)
        finally:
            self._tidy(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself: another file is loaded, or Blender quits."""
        runs.status.end(self.cancelled_headline)
        self._tidy(context)

    def _conclude(self) -> set[str]:
        run = self._run
        if run.outcome == "cancelled":
            return report.cancelled(self, self.cancelled_headline)
        if run.failure is not None:
            failure = run.failure
            error = errors.error_from_code(failure.code, failure.message, failure.hint)
            return report.failed(self, self.failed_headline, error, failure.log)
        return report.finished(self, self.succeed(run.paths))

    def _tidy(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if self._run is not None and self._run is runs.current():
            runs.end()
        if runs.status.running:  # neither an end nor an expected failure: an error flies on to Blender's console
            runs.status.fail(self.failed_headline, "The add-on met an error of its own; the system console tells more.")
        _redraw(context)


def _redraw(context: bpy.types.Context) -> None:
    """Have the panel drawn anew, wherever it is seen."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":  # the sidebar alone: to draw the scene anew may take long
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
