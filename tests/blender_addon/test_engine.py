"""Which Python is taken for the engine, and what is said of one that will not do."""

import sys
from pathlib import Path

import pytest

from blender_addon import engine
from blender_addon.core import errors, install

from .addon import ENGINE_PYTHON, needs_engine

HERE = Path(sys.executable)


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(engine.ENGINE_VARIABLE, raising=False)


def make_engine(folder: Path) -> Path:
    python = install.engine_python(folder)
    python.parent.mkdir(parents=True)
    python.touch()
    (folder / install.MARKER).write_text("{}")
    return python


def test_the_variable_comes_before_the_preferences_these_before_the_installed_and_that_before_the_projects_own(
    tmp_path, monkeypatch
):
    installed = make_engine(tmp_path / "engine")
    own = make_engine(tmp_path / ".venv")
    folders = {"installed": tmp_path / "engine", "root": tmp_path}
    preferred = tmp_path / "preferred"
    preferred.touch()
    assert engine.find_engine(preferred="", installed=tmp_path / "none", root=tmp_path).python == own
    assert engine.find_engine(preferred="", **folders).python == installed
    assert engine.find_engine(preferred=str(preferred), **folders).python == preferred
    monkeypatch.setenv(engine.ENGINE_VARIABLE, sys.executable)
    assert engine.find_engine(preferred=str(preferred), **folders).python == HERE


def test_an_installation_that_broke_off_does_not_count(tmp_path):
    make_engine(tmp_path / "engine")
    (tmp_path / "engine" / install.MARKER).unlink()
    with pytest.raises(errors.EngineError, match="not installed yet") as caught:
        engine.find_engine(preferred="", installed=tmp_path / "engine", root=tmp_path)
    assert "Install engine" in caught.value.hint


@pytest.mark.parametrize("where", ["variable", "preferences"])
def test_a_named_python_that_is_not_there_is_an_error_and_not_passed_over(tmp_path, monkeypatch, where):
    if where == "variable":
        monkeypatch.setenv(engine.ENGINE_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(errors.EngineError, match="no engine Python"):
        engine.find_engine(preferred=str(tmp_path / "none") if where == "preferences" else "", root=tmp_path)


@needs_engine
def test_the_projects_own_environment_will_do():
    engine.probe(engine.Engine(ENGINE_PYTHON, "test"))


def test_a_python_without_the_packages_is_told_which_are_missing():
    with pytest.raises(errors.EngineError, match=r"lacks.*torch.*mediapipe"):
        engine.probe(engine.Engine(HERE, "test"))


def test_what_is_no_python_or_too_old_a_one_is_refused(tmp_path):
    text = tmp_path / "text"
    text.write_text("no program")
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho '[[3, 9], []]'\n")
    for path in (text, old):
        path.chmod(0o755)
    with pytest.raises(errors.EngineError, match="no Python that works"):
        engine.probe(engine.Engine(text, "test"))
    with pytest.raises(errors.EngineError, match=r"3\.9, which is too old"):
        engine.probe(engine.Engine(old, "test"))
