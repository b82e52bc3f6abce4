"""Runs everything `make test` promises, two things at a time, and ends with one line that says how it went.

The engine's environment comes first; each Blender's tests start as soon as its environment stands. A check's whole
output goes to build/logs/NAME.log; of a failed one the end is printed. Standard library only.
"""

from __future__ import annotations

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Check", "Outcome", "pytest_counts", "summary_line"]

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build/logs"
ENGINE, BLENDER = ".venv/bin/python", ".blender/{}/bin/python"
EMBEDDED = "5.0"
SERIES = (EMBEDDED, "4.2", "5.2", "4.5")
NO_PYTHON = 3
LANES = 2

_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed|deselected)")


@dataclass(frozen=True)
class Check:
    """One command; it waits for the checks named in `after`, and is left out where one of them was."""

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    limit_s: float = 1500.0
    is_pytest: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a check ended: "ok", "failed" or "skipped", with a word for the reader and pytest's own counts."""

    state: str
    word: str
    counts: Counter[str]
    seconds: float = 0.0


def pytest_counts(output: str) -> Counter[str]:
    """The numbers of pytest's last summary line ("3 passed, 1 skipped in 2.0s"); empty where there is none."""
    lines = [line for line in output.splitlines() if re.search(r" in \d[\d.]*s", line) and _COUNT.search(line)]
    counts: Counter[str] = Counter()
    for number, kind in _COUNT.findall(lines[-1]) if lines else ():
        counts["failed" if kind.startswith("error") else kind] += int(number)
    return counts


def summary_line(outcomes: dict[str, Outcome], seconds: float) -> str:
    """The last line: the tests of all runs together, and the checks that did not pass, by name."""
    total: Counter[str] = sum((outcome.counts for outcome in outcomes.values()), Counter())
    bad = [name for name, outcome in outcomes.items() if outcome.state == "failed"]
    left_out = [name for name, outcome in outcomes.items() if outcome.state == "skipped"]
    parts = [f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped in {seconds:.0f} s"]
    parts += [f"left out: {', '.join(left_out)}"] if left_out else []
    parts += [f"NOT OK: {', '.join(bad)}"] if bad else ["all checks passed"]
    return "; ".join(parts)


def _checks() -> list[Check]:
    tool = sys.executable
    checks = [
        Check("engine", (tool, ".ci/environment.py", "engine")),
        Check("model", (ENGINE, "-m", "atcn_core.detect.model"), ("engine",)),
    ]
    for series in SERIES:
        environment = f"bpy {series}"
        checks += [
            Check(environment, (tool, ".ci/environment.py", "blender", series), ("engine",)),
            Check(
                f"tests in Blender {series}",
                (BLENDER.format(series), ".ci/pytest_in_blender.py", "tests/blender_addon", "--durations=10"),
                (environment, "model"),
                is_pytest=True,
            ),
        ]
        if series == EMBEDDED:
            checks += _engine_checks()
    return checks


def _engine_checks() -> list[Check]:
    return [
        Check("ruff check", (ENGINE, "-m", "ruff", "check", "."), ("engine",)),
        Check("ruff format", (ENGINE, "-m", "ruff", "format", "--check", "."), ("engine",)),
        Check("pyright", (ENGINE, "-m", "pyright"), ("engine",)),
        Check(
            "tests of the core",
            (ENGINE, "-m", "pytest", "tests", "--ignore=tests/blender_addon", "--durations=10"),
            ("engine", "model", f"bpy {EMBEDDED}"),
            is_pytest=True,
        ),
    ]


def _run(check: Check) -> Outcome:
    log = LOGS / (check.name.replace(" ", "_") + ".log")
    began = time.monotonic()
    with log.open("wb") as handle:
        process = subprocess.Popen(
            check.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        _processes.append(process)
        try:
            code = process.wait(check.limit_s)
            word = "ok" if code == 0 else f"exit code {code}"
        except subprocess.TimeoutExpired:
            _kill(process)
            code, word = process.wait(), f"stopped after {check.limit_s:.0f} s"
    seconds = time.monotonic() - began
    output = log.read_text(errors="replace")
    if code == NO_PYTHON and ".ci/environment.py" in check.command:
        return Outcome("skipped", output.strip(), Counter(), seconds)
    counts = pytest_counts(output) if check.is_pytest else Counter()
    if check.is_pytest and code == 0 and not counts["passed"]:
        code, word = 1, "no test ran"
    if code:
        _say(f"---- {check.name}: {word}; the end of {log.relative_to(ROOT)}:\n" + output[-6000:])
        return Outcome("failed", word, counts, seconds)
    tail = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    return Outcome("ok", tail or word, counts, seconds)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a check with all it started, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _stop_all(*_: object) -> None:
    for process in _processes:
        _kill(process)
    os._exit(130)


_processes: list[subprocess.Popen[bytes]] = []
_printing = threading.Lock()


def _say(text: str) -> None:
    with _printing:
        print(text, flush=True)


def run_all(checks: list[Check]) -> dict[str, Outcome]:
    """Run every check once those it waits for are done, LANES at a time, in the order given."""
    waiting, outcomes = list(checks), {}
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        running: dict[concurrent.futures.Future[Outcome], Check] = {}
        while waiting or running:
            for check in list(waiting):
                before = [outcomes.get(name) for name in check.after]
                stopped = [name for name, o in zip(check.after, before, strict=True) if o and o.state != "ok"]
                if stopped:
                    waiting.remove(check)
                    outcomes[check.name] = Outcome("skipped", f"without {', '.join(stopped)}", Counter())
                    _say(f"[left out] {check.name}: {outcomes[check.name].word}")
                elif None not in before and len(running) < LANES:
                    waiting.remove(check)
                    running[pool.submit(_run, check)] = check
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                check = running.pop(future)
                outcomes[check.name] = outcome = future.result()
                _say(f"[{outcome.state}] {check.name}: {outcome.word} ({outcome.seconds:.0f} s)")
    return outcomes


def main() -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _stop_all)
    began = time.monotonic()
    outcomes = run_all(_checks())
    print(summary_line(outcomes, time.monotonic() - began), flush=True)
    return int(any(outcome.state == "failed" for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
