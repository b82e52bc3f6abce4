"""What every button with a worker behind it does: start it, listen to it on a timer, conclude. No job in particular."""

from __future__ import annotations

import bpy

from . import report, runs, steps
from .core import errors

__all__ = ["WorkerOperator", "redraw"]

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

    def succeed(self, paths: dict[str, str]) -> steps.Steps[str]:
        """Use the job's files, in short steps; their value is the sentence that tells of it. Raises AtcnError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Run to the end, holding Blender: for scripts and without a window."""
        try:
            self._run = self.start(context)
            self._run.wait()
            return self._worker_ended() or report.finished(self, steps.finish(self._run.steps))
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
        """On each tick: hear the worker, or take some steps with its result, and show where it stands."""
        if self._run is not runs.current():
            self._tidy(context)
            return report.cancelled(self, self.cancelled_headline)
        if event.type == "ESC" and event.value == "PRESS":
            self._run.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        result = None
        try:
            result = self._tick()
        except errors.AtcnError as error:
            result = report.failed(self, self.failed_headline, error)
        finally:
            if result == {"PASS_THROUGH"}:
                redraw(context)
            else:
                self._tidy(context)
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself: another file is loaded, or Blender quits."""
        runs.status.end(self.cancelled_headline)
        self._tidy(context)

    def _tick(self) -> set[str]:
        run = self._run
        if run.outcome is None:
            run.poll()
            if run.outcome is None:
                return {"PASS_THROUGH"}
        ended = self._worker_ended()
        if ended is not None:
            return ended
        try:
            steps.advance(run.steps)
        except StopIteration as end:
            return report.finished(self, end.value)
        return {"PASS_THROUGH"}

    def _worker_ended(self) -> set[str] | None:
        """What comes after the worker: the operator's result, or None where `run.steps` go on with what it made."""
        run = self._run
        if run.failure is not None and run.outcome != "cancelled":
            failure = run.failure
            error = errors.error_from_code(failure.code, failure.message, failure.hint)
            return report.failed(self, self.failed_headline, error, failure.log)
        if run.outcome == "cancelled" or runs.status.cancelling:
            return report.cancelled(self, self.cancelled_headline)
        if run.steps is None:
            run.steps = self.succeed(run.paths)
        return None

    def _tidy(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if self._run is not None and self._run is runs.current():
            runs.end()
        if runs.status.running:  # neither an end nor an expected failure: an error flies on to Blender's console
            runs.status.fail(self.failed_headline, "The add-on met an error of its own; the system console tells more.")
        redraw(context)


def redraw(context: bpy.types.Context) -> None:
    """Have the panel drawn anew, wherever it is seen."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":  # the sidebar alone: to draw the scene anew may take long
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
