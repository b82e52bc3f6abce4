"""The worker's ends of the two pipes: messages go out, the wish to stop comes in. Standard library only."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from ..reporter import Reporter
from .protocol import Message, Progress, WarningMessage, encode

__all__ = ["Channel", "WorkerReporter", "reserve_stdout", "watch_stdin"]

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.1
# How long a worker whose client is gone may go on before it ends itself, whatever it is doing.
ORPHAN_GRACE_S = 10.0


class Channel:
    """Writes messages, one a line. Safe to call from any thread; a client that has gone away is no error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._open = True

    def send(self, message: Message) -> None:
        """Write one message at once; after the client has closed its end, nothing."""
        with self._lock:
            if not self._open:
                return
            try:
                self._stream.write(encode(message) + "\n")
                self._stream.flush()
            except OSError:
                self._open = False
                logger.warning("nobody reads the messages any more")


def reserve_stdout() -> Channel:
    """Keep standard output for messages alone: whatever libraries print, in Python or C, goes to standard error."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Channel(stream)


def watch_stdin(grace_s: float = ORPHAN_GRACE_S) -> threading.Event:
    """An event that is set once the client closes its end of standard input, by wish or by dying.

    The process ends itself `grace_s` after that, should its job not come to an end by then.
    """
    closed = threading.Event()
    # A private copy: on Windows, a library loaded while another thread reads the standard handle would wait for it.
    watched = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        try:
            while os.read(watched, 4096):
                pass
        except OSError:
            logger.warning("standard input broke off")
        closed.set()
        time.sleep(grace_s)
        logger.error("the job did not stop within %.0f s of being asked: ending the process", grace_s)
        os._exit(1)

    threading.Thread(target=watch, name="stdin-watcher", daemon=True).start()
    return closed


class WorkerReporter(Reporter):
    """Turns a job's reports into messages, at most about ten a second; first and last step of a stage always go out."""

    def __init__(
        self,
        send: Callable[[Message], None],
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._stop = stop
        self._clock = clock
        self._stage = ""
        self._next_s = 0.0

    def progress(self, stage: str, current: int, total: int) -> None:
        now_s = self._clock()
        if stage == self._stage and current != total and now_s < self._next_s:
            return
        self._stage = stage
        self._next_s = now_s + PROGRESS_EVERY_S
        self._send(Progress(stage, int(current), int(total)))

    def warn(self, text: str) -> None:
        logger.warning("%s", text)
        self._send(WarningMessage(text))

    def cancelled(self) -> bool:
        return self._stop.is_set()
