"""What stands before the first import: finding Python, naming missing libraries, pins, and the one line at the end."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


check_system, environment, check = _script("check_system"), _script("environment"), _script("check")


def _find_python(version: str, path: str, home: Path) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": path, "HOME": str(home)}
    return subprocess.run([ROOT / ".ci/find_python", version], env=variables, capture_output=True, text=True)


# --- system libraries


def test_a_missing_library_is_named_with_its_package_and_who_needs_it():
    absent = check_system.missing(loads=lambda soname: soname != "libEGL.so.1", renders=lambda: True)
    assert [library.soname for library in absent] == ["libEGL.so.1"]
    words = check_system.message(absent)
    assert "libEGL.so.1" in words
    assert "mediapipe" in words
    assert words.splitlines()[-1].strip() == check_system.install_line()
    assert " libegl1 " in check_system.install_line() + " "


def test_a_driver_is_asked_for_once_every_library_is_there():
    assert check_system.missing(loads=lambda _: True, renders=lambda: False) == [check_system.DRIVER]
    assert check_system.missing(loads=lambda _: True, renders=lambda: True) == []


def test_the_linker_decides_what_is_there():
    assert not check_system.can_load("libthere-is-no-such-thing.so.9")
    if sys.platform == "linux":
        assert check_system.can_load("libc.so.6")


def test_the_readme_has_the_line_that_installs_the_libraries():
    assert check_system.install_line() in (ROOT / "README.md").read_text()


# --- Python


def test_a_shim_that_fails_is_passed_over(tmp_path):
    shim = tmp_path / "python3.11"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    real = tmp_path / "other" / "python3"
    real.parent.mkdir()
    real.symlink_to(Path(sys._base_executable))  # type: ignore[attr-defined]
    found = _find_python("3.11", f"{tmp_path}:{real.parent}:/usr/bin:/bin", tmp_path)
    assert found.returncode == 0
    assert found.stdout.strip() != str(shim)
    asked = subprocess.run([found.stdout.strip(), "--version"], capture_output=True, text=True)
    assert asked.stdout.startswith("Python 3.11.")


def test_a_python_that_is_not_there_is_not_found(tmp_path):
    found = _find_python("3.99", "/usr/bin:/bin", tmp_path)
    assert (found.returncode, found.stdout) == (1, "")


def test_a_python_of_another_version_does_not_pass_for_it(tmp_path):
    (tmp_path / "python3.99").symlink_to(Path(sys._base_executable))  # type: ignore[attr-defined]
    assert _find_python("3.99", f"{tmp_path}:/usr/bin:/bin", tmp_path).returncode == 1


# --- pins


def _pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_every_requirement_of_the_project_is_pinned_once():
    names = [line.split("==")[0] for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    assert len(names) == len(set(names))
    wanted = environment.engine_requirements((ROOT / "pyproject.toml").read_text())
    for requirement in wanted:
        name = re.split(r"[\[<>=!~ ]", requirement)[0].lower()
        assert name in _pins(CONSTRAINTS), name
    assert _pins(CONSTRAINTS)["torch"] == "2.13.0"


def test_the_package_s_own_range_is_wider_than_the_pins():
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert "torch>=2.9" in dependencies


def test_each_blender_has_its_own_numpy_and_shares_the_other_pins():
    blenders = environment.parse_blender_pins(CONSTRAINTS)
    assert sorted(blenders) == ["4.2", "4.5", "5.0", "5.2"]
    assert [blenders[series].python for series in sorted(blenders)] == ["3.11", "3.11", "3.11", "3.13"]
    for series, pins in blenders.items():
        seen = _pins(environment.blender_constraints(CONSTRAINTS, pins))
        assert seen["bpy"].startswith(series + ".")
        assert seen["numpy"] == dict(pin.split("==") for pin in pins.requirements)["numpy"]
        assert seen["pytest"] == _pins(CONSTRAINTS)["pytest"]


@pytest.fixture
def wheel(tmp_path) -> Path:
    """A package of one line, so that an environment can be made without asking anyone."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "tiny.py").write_text("")
    import zipfile

    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "VALUE = 1\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return path


def test_an_environment_is_made_once_and_again_when_its_pins_change(tmp_path, wheel, monkeypatch, capsys):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    folder, python = tmp_path / "env", sys._base_executable  # type: ignore[attr-defined]
    said = []
    for constraints in ("tiny==1.0\n", "tiny==1.0\n", "tiny==1.0\nother==2.0\n"):
        environment.install(folder, python, [str(wheel)], constraints)
        said.append("installing" in capsys.readouterr().out)
    assert said == [True, False, True]
    subprocess.run([folder / "bin/python", "-c", "import tiny"], check=True)


# --- the last line


def test_pytest_s_own_last_line_is_read():
    output = "..F.\n1 failed, 2 passed, 3 skipped, 1 error in 12.3s\n"
    assert check.pytest_counts(output) == {"failed": 2, "passed": 2, "skipped": 3}
    assert check.pytest_counts("3 passed in 0.1s (0:00:00)")["passed"] == 3
    assert check.pytest_counts("killed") == {}


def test_the_last_line_adds_up_and_names_what_failed():
    outcomes = {
        "a": check.Outcome("ok", "", Counter(passed=3, skipped=1)),
        "b": check.Outcome("failed", "", Counter(passed=2, failed=1)),
        "c": check.Outcome("skipped", "", Counter()),
    }
    line = check.summary_line(outcomes, 61.2)
    assert line == "5 passed, 1 failed, 1 skipped in 61 s; left out: c; NOT OK: b"
    assert check.summary_line({"a": outcomes["a"]}, 1.0).endswith("all checks passed")


def test_checks_wait_for_one_another_and_a_failure_stops_what_needs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "LOGS", tmp_path)

    def program(name: str, code: str, after: tuple[str, ...] = (), **options) -> object:
        return check.Check(name, (sys.executable, "-c", code), after, **options)

    outcomes = check.run_all(
        [
            program("needs write", f"open({str(tmp_path / 'made')!r})", ("write",)),
            program("write", f"open({str(tmp_path / 'made')!r}, 'w')"),
            program("fails", "raise SystemExit(4)"),
            program("needs fails", "", ("fails",)),
            program("hangs", "import time; time.sleep(60)", limit_s=0.5),
            program("no tests", "print('no tests ran in 0.01s')", is_pytest=True),
        ]
    )
    states = {name: outcome.state for name, outcome in outcomes.items()}
    assert states == {
        "write": "ok",
        "needs write": "ok",
        "fails": "failed",
        "needs fails": "skipped",
        "hangs": "failed",
        "no tests": "failed",
    }


@pytest.mark.skipif(os.name == "nt", reason="the project's commands are make's")
def test_make_help_names_every_command():
    said = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in ("capture", "test", "bench", "addon", "train", "model", "lint", "clean"):
        assert f"make {command}" in said
