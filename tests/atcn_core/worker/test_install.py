"""Making the engine: what is pinned, what happens when it fails or is cancelled. The real thing takes too long here."""

import sys
import threading
import time
from pathlib import Path

import pytest

from atcn_core.errors import CancelledError, EngineError
from atcn_core.reporter import Reporter
from atcn_core.worker.environment import PACKAGES, check_packages, missing_packages, pinned_requirements
from atcn_core.worker.install import install_engine, run_command
from atcn_core.worker.protocol import InstallJob

ROOT = Path(__file__).resolve().parents[3]


class Stoppable(Reporter):
    def __init__(self) -> None:
        self.event = threading.Event()
        self.stages: list[str] = []

    def progress(self, stage: str, current: int, total: int) -> None:
        self.stages.append(stage)

    def cancelled(self) -> bool:
        return self.event.is_set()


def test_the_projects_constraints_pin_every_package_the_engine_needs():
    needed, others = pinned_requirements(ROOT / "constraints.txt")
    assert [line.partition("==")[0] for line in needed] == list(PACKAGES)
    assert all(line.partition("==")[2] for line in needed + others)
    assert not {line.partition("==")[0] for line in others} & set(PACKAGES)


def test_a_package_without_a_pin_and_a_missing_file_are_engine_errors(tmp_path):
    short = tmp_path / "constraints.txt"
    short.write_text("numpy==2.0 # a comment\nTorch == 2.13.0\n")
    with pytest.raises(EngineError, match=r"no version of scipy, safetensors, opencv-contrib-python, mediapipe"):
        pinned_requirements(short)
    with pytest.raises(EngineError, match="no file"):
        pinned_requirements(tmp_path / "none.txt")


def test_this_environment_has_every_package():
    assert missing_packages() == []
    check_packages()


def test_a_missing_package_is_an_engine_error_that_names_it(monkeypatch):
    monkeypatch.setitem(PACKAGES, "a-package-nobody-has", "a_package_nobody_has")
    with pytest.raises(EngineError, match="lacks a-package-nobody-has"):
        check_packages()


def test_a_command_is_ended_when_the_user_asks_for_it():
    reporter = Stoppable()
    started_s = time.monotonic()

    def stop(line: str) -> None:
        reporter.event.set()

    with pytest.raises(CancelledError):
        run_command([sys.executable, "-u", "-c", "print('up'); import time; time.sleep(1000)"], reporter, on_line=stop)
    assert time.monotonic() - started_s < 10.0


def test_a_failed_install_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("".join(f"{name}==1.0\n" for name in PACKAGES))
    reporter = Stoppable()
    engine = tmp_path / "the engine"
    with pytest.raises(EngineError, match="No matching distribution found for numpy"):
        install_engine(InstallJob(str(engine), str(constraints)), reporter)
    assert not engine.exists()
    assert reporter.stages[:2] == ["environment", "environment"]
