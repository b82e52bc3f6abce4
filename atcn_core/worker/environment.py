"""Which packages the engine needs, and whether this Python has them. Standard library only, imports none of them."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from ..errors import EngineError

__all__ = ["MINIMUM_PYTHON", "PACKAGES", "check_packages", "missing_packages", "pinned_requirements"]

MINIMUM_PYTHON = (3, 11)

# Distribution -> the module it provides. The versions stand in the constraints file.
PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "torch": "torch",
    "safetensors": "safetensors",
    "opencv-contrib-python": "cv2",
    "mediapipe": "mediapipe",
    "av": "av",
    "tqdm": "tqdm",
}


def missing_packages() -> list[str]:
    """The needed distributions whose module this Python cannot find."""
    return [name for name, module in PACKAGES.items() if importlib.util.find_spec(module) is None]


def check_packages() -> None:
    """Raise EngineError where this Python is too old or lacks a package."""
    if sys.version_info < MINIMUM_PYTHON:
        raise EngineError(
            f"The engine runs on Python {sys.version_info.major}.{sys.version_info.minor}, which is too old.",
            hint="Choose a Python 3.11 or newer, or press Install engine.",
        )
    missing = missing_packages()
    if missing:
        raise EngineError(f"The engine lacks {', '.join(missing)}.", hint="Press Install engine.")


def pinned_requirements(constraints: Path) -> tuple[list[str], list[str]]:
    """A constraints file as two lists of "name==version": the needed distributions, and all others.

    Raises EngineError where the file is missing or names no version for a needed one.
    """
    try:
        lines = constraints.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise EngineError(f"There is no file {constraints}.", hint="Install the add-on again.") from problem
    found = [re.match(r"([A-Za-z0-9._-]+)\s*==\s*([^\s;#]+)", line.strip()) for line in lines]
    pins = {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found if pin}
    unpinned = [name for name in PACKAGES if name not in pins]
    if unpinned:
        names = ", ".join(unpinned)
        raise EngineError(f"{constraints.name} has no version of {names}.", hint="Install the add-on again.")
    needed = [f"{name}=={pins[name]}" for name in PACKAGES]
    return needed, [f"{name}=={version}" for name, version in pins.items() if name not in PACKAGES]
