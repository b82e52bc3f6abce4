"""Makes the engine: a private environment with the pinned packages, and the detector's model. Standard library only."""

from __future__ import annotations

import json
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import EngineError
from ..reporter import Reporter
from .environment import pinned_requirements
from .protocol import InstallJob

__all__ = ["ENGINE_SCHEMA", "MARKER", "engine_python", "install_engine", "run_command"]

logger = logging.getLogger(__name__)

ENGINE_SCHEMA = "atcn.engine/1"
# Written last: an engine folder without it is one whose making broke off.
MARKER = "engine.json"
MODEL_MODULE = "atcn_core.detect.model"
LOOK_EVERY_S = 0.2
STOP_GRACE_S = 3.0


def engine_python(engine_dir: Path) -> Path:
    """Where an environment in this folder has its Python on this system."""
    return engine_dir / "Scripts" / "python.exe" if os.name == "nt" else engine_dir / "bin" / "python"


def run_command(command: list[str], reporter: Reporter, on_line: Callable[[str], None]) -> int:
    """Run a command with its output line by line; stopped when the user asks for it. Returns its exit code.

    Raises CancelledError.
    """
    logger.info("running %s", command)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, name="command-reader", daemon=True).start()
    try:
        while True:
            reporter.check_cancelled()
            try:
                line = lines.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            if line is None:
                return process.wait()
            logger.info("| %s", line)
            on_line(line)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def install_engine(job: InstallJob, reporter: Reporter) -> dict[str, str]:
    """Make the environment, install the pinned packages, make the model. What is unfinished is removed again.

    Returns {"engine": folder}. Raises EngineError, CancelledError.
    """
    engine_dir = Path(job.engine_dir)
    needed, others = pinned_requirements(Path(job.constraints))
    _remove(engine_dir)
    try:
        _make_environment(engine_dir, reporter)
        _install_packages(engine_dir, needed, others, reporter)
        _make_model(engine_dir, reporter)
        marker = {"schema": ENGINE_SCHEMA, "python": sys.version.split()[0], "packages": needed}
        (engine_dir / MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")
    except BaseException:
        _remove(engine_dir)
        raise
    return {"engine": str(engine_dir)}


def _remove(engine_dir: Path) -> None:
    if not engine_dir.exists():
        return
    (engine_dir / MARKER).unlink(missing_ok=True)
    shutil.rmtree(engine_dir, ignore_errors=True)


def _make_environment(engine_dir: Path, reporter: Reporter) -> None:
    reporter.progress("environment", 0, 1)
    tail: list[str] = []
    if run_command([sys.executable, "-m", "venv", str(engine_dir)], reporter, tail.append) != 0:
        raise EngineError(
            f"Python could not make an environment in {engine_dir}: {_last(tail)}.",
            hint="Install Python 3.11 or newer and choose it as the engine's Python in the preferences.",
        )
    reporter.progress("environment", 1, 1)


def _install_packages(engine_dir: Path, needed: list[str], others: list[str], reporter: Reporter) -> None:
    collected: set[str] = set()
    tail: list[str] = []

    def on_line(line: str) -> None:
        tail.append(line)
        if line.startswith("Collecting "):
            collected.add(line.split()[1])
            reporter.progress("packages", len(collected), 0)

    reporter.progress("packages", 0, 0)
    # pip calls a pin that stands in both places a conflict when all that is missing is the internet
    constraints = engine_dir / "constraints.txt"
    constraints.write_text("\n".join(others) + "\n", encoding="utf-8")
    command = [str(engine_python(engine_dir)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--constraint", str(constraints), *needed]
    if run_command(command, reporter, on_line) != 0:
        errors = [line.removeprefix("ERROR: ") for line in tail if line.startswith("ERROR: ")]
        raise EngineError(
            f"The engine's packages could not be installed: {_last(errors or tail)}.",
            hint="Check the internet connection and the free space on the disk, then press Install engine again.",
        )


def _make_model(engine_dir: Path, reporter: Reporter) -> None:
    reporter.progress("model", 0, 1)
    tail: list[str] = []
    if run_command([str(engine_python(engine_dir)), "-m", MODEL_MODULE], reporter, tail.append) != 0:
        raise EngineError(
            f"The detector's model could not be made: {_last(tail)}.",
            hint="Check the internet connection, then press Install engine again.",
        )
    reporter.progress("model", 1, 1)


def _last(lines: list[str]) -> str:
    return next((line.strip().rstrip(".") for line in reversed(lines) if line.strip()), "it did not say why")
