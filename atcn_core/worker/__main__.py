"""`python -m atcn_core.worker JOBFILE`: does one job and reports it as JSON lines; ends when standard input closes."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import AtcnError, CancelledError, EngineError, OutputError
from ..reporter import Reporter
from .channel import ORPHAN_GRACE_S, WorkerReporter, reserve_stdout, watch_stdin
from .jobs import perform
from .protocol import Done, Failure, Job, Message, Result, decode_job

logger = logging.getLogger("atcn_core.worker")


def _read_job(path: Path) -> Job:
    try:
        return decode_job(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise EngineError(
            f"The engine was given a job it does not understand: {problem}.",
            hint="Install the add-on again: its parts are of different versions.",
        ) from problem


def _expected(problem: OSError | ImportError) -> AtcnError | None:
    """The expected failure behind an error of the system or of a missing package, or None where it is a bug."""
    library = re.match(r"(\S+): cannot open shared object file", str(problem))
    if library:
        return EngineError(
            f"The engine needs the system library {library[1]}, which is not there.",
            hint="Install it with the system's package manager (on Debian and Ubuntu: libgl1 libegl1 libgles2).",
        )
    if isinstance(problem, ImportError):
        if (problem.name or "").startswith("atcn_core"):
            return None
        return EngineError(f"The engine cannot load a package: {problem}.", hint="Press Install engine.")
    if problem.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return OutputError("The disk is full.", hint="Free some space and try again.")
    return None


def _failure(problem: BaseException) -> Failure:
    if isinstance(problem, (OSError, ImportError)):
        problem = _expected(problem) or problem
    if isinstance(problem, AtcnError):
        logger.error("%s: %s", problem.code, problem)
        return Failure(problem.code, problem.message, problem.hint)
    logger.error("a bug ended the job", exc_info=problem)
    return Failure("bug", f"The engine stopped on a bug: {type(problem).__name__}: {problem}.")


def _run(job_path: Path, reporter: Reporter, send: Callable[[Message], None]) -> str:
    try:
        paths = perform(_read_job(job_path), reporter)
    except CancelledError:
        return "cancelled"
    except Exception as problem:  # noqa: BLE001  the one place where bugs end: logged in full and told to the client
        send(_failure(problem))
        return "failed"
    send(Result(paths))
    return "finished"


def main(arguments: list[str]) -> int:
    """Do the job of the file named on the command line. Returns the exit code: 0 only when it was finished."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(arguments) != 1:
        print("usage: python -m atcn_core.worker JOBFILE", file=sys.stderr)
        return 2
    channel = reserve_stdout()
    grace_s = float(os.environ.get("ATCN_ORPHAN_GRACE_S", ORPHAN_GRACE_S))
    reporter = WorkerReporter(channel.send, watch_stdin(grace_s))
    outcome = _run(Path(arguments[0]), reporter, channel.send)
    channel.send(Done(outcome))
    return 0 if outcome == "finished" else 1


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    logging.shutdown()
    sys.stderr.flush()
    # Nothing is left to do, and an exit handler of a native library that hangs would outlive Blender.
    os._exit(exit_code)
