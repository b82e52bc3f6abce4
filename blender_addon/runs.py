"""The one job that may run at a time in this Blender: its process, its folder, and what the panel shows of it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bpy

from . import engine, finishing, session
from .core import ROOT, client, clip, errors, protocol, world
from .status import Status
from .steps import Steps

__all__ = ["Run", "begin", "current", "end", "forget", "status"]

# What the panel draws; there is only this one.
status = Status()
# The last capture and its motion, to put it on another rig without capturing again.
last_capture: tuple[session.Request, clip.Motion3D | world.WorldMotion] | None = None
_current: Run | None = None
WAIT_S = 0.05


class Run:
    """One worker at its job. `outcome` is None until it has ended: then "finished", "cancelled" or "failed".

    steps: what is done with the worker's result, once that was begun.
    """

    def __init__(self, python: Path, make_job: Callable[[Path], protocol.Job]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="atcn_", dir=bpy.app.tempdir))
        self.outcome: str | None = None
        self.paths: dict[str, str] = {}
        self.failure: protocol.Failure | None = None
        self.steps: Steps[str] | None = None
        self._client = client.WorkerClient(
            python,
            make_job(self.folder),
            root=ROOT,
            log_path=self.folder / "engine.log",
            env=engine.worker_variables(),
        )

    def poll(self) -> None:
        """Take in what the worker said since the last call. Never waits."""
        for message in self._client.poll():
            match message:
                case protocol.Result():
                    self.paths = message.paths
                case protocol.Failure():
                    self.failure = message
                case protocol.Done():
                    self.outcome = message.outcome
                case _:
                    status.hear(message)

    def wait(self) -> None:
        """Poll until the worker has ended: for callers without a window."""
        while self.outcome is None:
            self.poll()
            time.sleep(WAIT_S)

    def cancel(self) -> None:
        """Ask for an end; it has come when `poll` tells it of the worker, and at the next tick for the steps."""
        status.cancelling = True
        self._client.cancel()

    def close(self) -> None:
        """End the worker and the steps now, and remove what it wrote, save the log that its failure names."""
        if self.steps is not None:
            self.steps.close()
        self._client.close()
        if self.failure is None or not self.failure.log:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for path in self.folder.iterdir():
            if path != Path(self.failure.log):
                path.unlink()


def current() -> Run | None:
    """The run that goes on now, or None."""
    return _current


def begin(python: Path, make_job: Callable[[Path], protocol.Job]) -> Run:
    """Start a job. make_job: gets the folder its files may go to. Raises EngineError."""
    global _current
    if _current is not None:
        raise errors.EngineError("A capture is already running.", hint="Wait for its end or cancel it.")
    _current = Run(python, make_job)
    status.begin()
    return _current


def forget() -> None:
    """End what runs and forget all that was: the add-on is switched off."""
    global last_capture
    end()
    last_capture = None
    finishing.forget()
    status.reset()


def end() -> None:
    """Forget the current run, ending its worker if it still works."""
    global _current
    run, _current = _current, None
    if run is not None:
        run.close()
