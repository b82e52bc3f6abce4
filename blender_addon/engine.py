"""Where the engine's Python is, and whether it will do. Starts nothing but, on demand, one short probe."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import bpy

from .core import EXTENSION_ID, ROOT, environment, errors, install

__all__ = [
    "ENGINE_VARIABLE",
    "Engine",
    "engine_dir",
    "find_engine",
    "preference",
    "preferred_python",
    "probe",
    "user_folder",
    "worker_variables",
]

ENGINE_VARIABLE = "ATCN_ENGINE_PYTHON"
PROBE_LIMIT_S = 30.0
HINT_MISSING = "Press Install engine in the Mocap panel."


@dataclass(frozen=True)
class Engine:
    """The Python that runs the worker. origin: how it was found, in words."""

    python: Path
    origin: str


def _extension_id() -> str:
    """Blender's name of the extension this file belongs to, also when it was not started as one; "" in development."""
    if EXTENSION_ID.startswith("bl_ext."):
        return EXTENSION_ID
    for repository in bpy.context.preferences.extensions.repos:
        if repository.directory and Path(repository.directory).resolve() == ROOT.parent:
            return f"bl_ext.{repository.module}.{ROOT.name}"
    return ""


def engine_dir() -> Path | None:
    """The folder of the engine that Install engine makes; None in development, where there is no extension."""
    extension_id = _extension_id()
    return Path(bpy.utils.extension_path_user(extension_id, path="engine")) if extension_id else None


def worker_variables() -> dict[str, str]:
    """Variables for the worker. Downloads are the user's to allow; pip, which fetches the model, obeys this one.

    The bpy module has no such setting worth asking: there, whoever runs a command line has decided.
    """
    return {"PIP_NO_INDEX": "1"} if bpy.app.binary_path and not bpy.app.online_access else {}


def preference(name: str) -> str:
    """A text of the add-on's preferences; "" where it is empty or there are none."""
    addon = bpy.context.preferences.addons.get(_extension_id())
    preferences = addon.preferences if addon is not None else None
    return getattr(preferences, name) if preferences is not None else ""


def user_folder(name: str) -> Path:
    """A folder for what the user makes with the add-on; nothing is made here."""
    extension_id = _extension_id()
    if extension_id:
        return Path(bpy.utils.extension_path_user(extension_id, path=name))
    return Path(bpy.utils.user_resource("DATAFILES", path=f"atcn_{name}"))


def preferred_python() -> str:
    """What the preferences name as the engine's Python; "" where they name none."""
    chosen = preference("engine_python")
    return bpy.path.abspath(chosen) if chosen else ""


def find_engine(preferred: str | None = None, installed: Path | None = None, root: Path = ROOT) -> Engine:
    """The engine to use: the variable's, the preferences', the installed one, or the project's own environment.

    preferred: the preferences' Python, read from them where None; installed: the folder of the installed engine.
    Raises EngineError where the named one is not there, or there is none at all.
    """
    preferred = preferred_python() if preferred is None else preferred
    installed = engine_dir() if installed is None else installed
    chosen = ((os.environ.get(ENGINE_VARIABLE, ""), ENGINE_VARIABLE), (preferred, "the add-on's preferences"))
    for named, origin in chosen:
        if named:
            if not Path(named).is_file():
                raise errors.EngineError(
                    f"There is no engine Python {named} (named by {origin}).",
                    hint="Correct it, or clear it to use the installed engine.",
                )
            return Engine(Path(named), origin)
    if installed is not None and (installed / install.MARKER).is_file():
        return Engine(install.engine_python(installed), "installed")
    own = install.engine_python(root / ".venv")
    if own.is_file():
        return Engine(own, "the project's own environment")
    raise errors.EngineError("The capture engine is not installed yet.", hint=HINT_MISSING)


_PROBE = (
    "import importlib.util as u, json, sys;"
    "print(json.dumps([list(sys.version_info[:2]), [m for m in sys.argv[1:] if u.find_spec(m) is None]]))"
)


def probe(engine: Engine) -> None:
    """Ask the engine's Python for its version and packages. Takes about a tenth of a second: not for the modal path.

    Raises EngineError where it cannot run, is too old, or lacks packages.
    """
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    modules = list(environment.PACKAGES.values())
    try:
        ended = subprocess.run(
            [os.fspath(engine.python), "-c", _PROBE, *modules],
            capture_output=True,
            text=True,
            timeout=PROBE_LIMIT_S,
            env=variables,
            stdin=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        version, missing = json.loads(ended.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as problem:
        raise errors.EngineError(
            f"{engine.python} is no Python that works ({engine.origin}).", hint=HINT_MISSING
        ) from problem
    if tuple(version) < environment.MINIMUM_PYTHON:
        raise errors.EngineError(
            f"The engine's Python {engine.python} is {version[0]}.{version[1]}, which is too old.",
            hint="Choose a Python 3.11 or newer, or press Install engine.",
        )
    if missing:
        raise errors.EngineError(f"The engine's Python {engine.python} lacks {', '.join(missing)}.", hint=HINT_MISSING)
