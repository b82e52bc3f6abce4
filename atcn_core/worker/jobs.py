"""What the worker can do: one function for each kind of job. Heavy modules are imported only when their job runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from ..errors import AtcnError
from ..reporter import Reporter
from .environment import check_packages
from .install import install_engine
from .protocol import CaptureJob, DemoJob, InstallJob, Job, PreviewJob

__all__ = ["perform"]

CRASH_EXIT_CODE = 70


def _capture(job: CaptureJob, reporter: Reporter) -> dict[str, str]:
    check_packages()
    from ..capture import capture

    return capture(job, reporter)


def _preview(job: PreviewJob, reporter: Reporter) -> dict[str, str]:
    check_packages()
    from ..preview import compose

    return compose(job, reporter)


def _demo(job: DemoJob, reporter: Reporter) -> dict[str, str]:
    """Steps without work. Options: "garbage" prints on standard output from Python and from below it,
    "bug" raises at that step, "deaf" true makes it ignore the wish to stop, "result" is the result's paths."""
    for step in range(job.steps):
        if job.options.get("garbage"):
            print("a library prints this")  # noqa: T201  the very thing the reserved output must survive
            os.write(1, b"and this from C, without a newline")
        if not job.options.get("deaf"):
            reporter.check_cancelled()
        if step == job.fail_at:
            raise AtcnError("The demo job failed, as it was asked to.", hint="Ask for less.")
        if step == job.crash_at:
            os._exit(CRASH_EXIT_CODE)
        if step == job.options.get("bug", -1):
            raise ZeroDivisionError("a bug, as asked")
        reporter.progress("demo", step + 1, job.steps)
        time.sleep(job.step_s)
    return dict(job.options.get("result", {}))


_RUNNERS: dict[type[Job], Callable[[Any, Reporter], dict[str, str]]] = {
    CaptureJob: _capture,
    PreviewJob: _preview,
    DemoJob: _demo,
    InstallJob: install_engine,
}


def perform(job: Job, reporter: Reporter) -> dict[str, str]:
    """Do the job and return its files by role. Raises AtcnError for what can be expected to go wrong."""
    return _RUNNERS[type(job)](job, reporter)
