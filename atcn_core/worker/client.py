"""Starts the worker and listens to it without ever waiting. Standard library only; knows nothing of Blender."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import AtcnError, CancelledError, EngineError, error_from_code
from .protocol import Done, Failure, Job, Message, Result, decode_message, encode

__all__ = ["WorkerClient", "error_of", "run_blocking"]

logger = logging.getLogger(__name__)

# How long the worker may go on after it was asked to stop, or has said that it is done, before it is killed.
GRACE_S = 5.0
BLOCKING_POLL_S = 0.05
LOG_TAIL_BYTES = 4000

# Settings of Blender's own Python that would mislead the engine's.
_FOREIGN_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV")


class WorkerClient:
    """One worker process doing one job. Raises EngineError where it cannot be started at all.

    python:   the engine's Python.
    root:     the folder that holds atcn_core.
    log_path: where the worker's log goes; the job's file lies beside it while the worker runs.
    env:      variables set for the worker on top of this process's own.
    """

    def __init__(
        self,
        python: Path,
        job: Job,
        *,
        root: Path,
        log_path: Path,
        env: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.log_path = Path(log_path)
        self._job_path = self.log_path.with_name(self.log_path.stem + ".job.json")
        self._grace_s = grace_s
        self._queue: queue.Queue[Message | None] = queue.Queue()
        self._deadline_s: float | None = None
        self._cancelled = False
        self._output_ended = False
        self._done: Done | None = None
        self._closed = False
        self._process = self._start(Path(python), job, Path(root), env or {})
        threading.Thread(target=self._read, name="worker-reader", daemon=True).start()

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """False once `poll` has given out Done, or after `close`."""
        return not self._closed

    def poll(self) -> list[Message]:
        """What the worker said since the last call, without waiting. The last message ever is Done.

        Done is given out when the process has really ended. A worker that asked too long, or lingers, is killed here.
        """
        if self._closed:
            return []
        messages = self._received()
        if self._process.poll() is None:
            if self._deadline_s is not None and time.monotonic() > self._deadline_s:
                logger.warning("the worker did not stop in time and is killed")
                self._process.kill()
            return messages
        if not self._output_ended:
            return messages
        if not self._cancelled and self._done is None:
            messages.append(self._crash())
        messages.append(Done("cancelled") if self._cancelled else self._done or Done("failed"))
        self._clean_up()
        return messages

    def cancel(self) -> None:
        """Ask the worker to stop, without waiting; `poll` kills it if it does not. Its results are dropped."""
        if not self._closed and not self._cancelled:
            self._cancelled = True
            self._let_go()

    def close(self) -> None:
        """End the worker now and wait for its end: for when nobody will poll any more."""
        if self._closed:
            return
        self._let_go()
        self._process.kill()
        self._process.wait()
        self._clean_up()

    def _start(self, python: Path, job: Job, root: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        variables = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
        variables |= {"PYTHONPATH": str(root), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1"}
        variables["PYTHONSAFEPATH"] = "1"  # nothing that happens to lie in the log's folder
        variables |= dict(env)
        # Nothing of Windows' console may show.
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        try:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self._job_path.write_text(encode(job), encoding="utf-8")
            with self.log_path.open("wb") as log:
                return subprocess.Popen(
                    [str(python), "-m", "atcn_core.worker", str(self._job_path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=str(self.log_path.parent),
                    env=variables,
                    # A Ctrl-C meant for this process must not reach the worker: it stops when its input closes.
                    start_new_session=True,
                    creationflags=flags,
                )
        except OSError as problem:
            self._job_path.unlink(missing_ok=True)
            raise EngineError(
                f"The engine cannot be started with {python}: {problem.strerror or problem}.",
                hint="Press Install engine, or choose another engine Python in the preferences.",
            ) from problem

    def _read(self) -> None:
        """In a thread of its own: the worker's lines into the queue, then None."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._queue.put(decode_message(line.decode("utf-8", errors="replace")))
            except ValueError as problem:
                logger.warning("the worker said something unknown: %s", problem)
        self._queue.put(None)

    def _received(self) -> list[Message]:
        messages: list[Message] = []
        while True:
            try:
                message = self._queue.get_nowait()
            except queue.Empty:
                return messages
            if message is None:
                self._output_ended = True
            elif isinstance(message, Done):
                self._done = message
                self._let_go()
            elif not self._cancelled:
                messages.append(self._with_log(message))

    def _with_log(self, message: Message) -> Message:
        if isinstance(message, Failure) and message.code == "bug" and not message.log:
            return Failure(message.code, message.message, message.hint, str(self.log_path))
        return message

    def _let_go(self) -> None:
        """Close the worker's standard input and start the clock."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._deadline_s is None:
            self._deadline_s = time.monotonic() + self._grace_s

    def _crash(self) -> Failure:
        code = self._process.returncode
        how = f"exit code {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        last = _last_line(self.log_path)
        why = f": {last}" if last else ""
        return Failure("crash", f"The engine ended unexpectedly ({how}){why}.", "", str(self.log_path))

    def _clean_up(self) -> None:
        self._closed = True
        self._job_path.unlink(missing_ok=True)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def _last_line(log_path: Path) -> str:
    """The last line of a log with words in it, "" where there is none."""
    try:
        tail = log_path.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:200] if lines else ""


def error_of(failure: Failure) -> AtcnError:
    """The exception that says what a failure message says."""
    hint = failure.hint
    if failure.log:
        hint = f"{hint} The log is {failure.log}.".strip()
    return error_from_code(failure.code, failure.message, hint)


def run_blocking(
    python: Path,
    job: Job,
    *,
    root: Path,
    log_path: Path,
    env: Mapping[str, str] | None = None,
    on_message: Callable[[Message], None] | None = None,
) -> dict[str, str]:
    """Do a job and wait for its end. Returns the result's paths by role.

    on_message: called with every message but the result, failure and done.
    Raises the AtcnError of the job's failure; the worker is ended whatever is raised.
    """
    client = WorkerClient(python, job, root=root, log_path=log_path, env=env)
    paths: dict[str, str] = {}
    failure: Failure | None = None
    try:
        while client.running:
            for message in client.poll():
                match message:
                    case Result():
                        paths = message.paths
                    case Failure():
                        failure = message
                    case Done(outcome="cancelled"):
                        raise CancelledError("Cancelled.")
                    case Done():
                        pass
                    case _ if on_message is not None:
                        on_message(message)
            time.sleep(BLOCKING_POLL_S)
    finally:
        client.close()
    if failure is not None:
        raise error_of(failure)
    return paths
