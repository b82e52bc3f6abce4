"""Makes the project's private environments (.venv and .blender/SERIES) from pyproject.toml and constraints.txt.

    environment.py engine             the engine, development tools and all, in .venv
    environment.py blender 5.0        bpy 5.0 and pytest in .blender/5.0

Nothing is done while an environment still is what the two files say. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NO_PYTHON", "BlenderPins", "blender_constraints", "parse_blender_pins"]

ROOT = Path(__file__).resolve().parent.parent
NO_PYTHON = 3
"""Exit code where the Python an environment needs is not on this machine."""

_BLENDER_LINE = re.compile(
    r"^#@ blender (?P<series>\S+)\s+python (?P<python>\S+)\s+(?P<requirements>.+)$", re.MULTILINE
)


@dataclass(frozen=True)
class BlenderPins:
    """What one "#@ blender" line says: the series ("5.0"), its Python ("3.11") and its own pins."""

    series: str
    python: str
    requirements: tuple[str, ...]


def parse_blender_pins(constraints: str) -> dict[str, BlenderPins]:
    """The "#@ blender" lines of constraints.txt, by series."""
    found = (match.groupdict() for match in _BLENDER_LINE.finditer(constraints))
    return {
        line["series"]: BlenderPins(line["series"], line["python"], tuple(line["requirements"].split()))
        for line in found
    }


def blender_constraints(constraints: str, pins: BlenderPins) -> str:
    """constraints.txt as one Blender environment sees it: its own pins in place of the engine's of the same name."""
    own = {requirement.split("==")[0] for requirement in pins.requirements}
    shared = [line for line in constraints.splitlines() if line.split("==")[0] not in own and not line.startswith("#")]
    return "\n".join([*filter(None, shared), *pins.requirements, ""])


def engine_requirements(pyproject: str) -> list[str]:
    """What pyproject.toml asks for, with its development extra."""
    project = tomllib.loads(pyproject)["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def find_python(version: str) -> str | None:
    """A working Python of that version; PYTHON311 / PYTHON313 in the environment go first."""
    named = os.environ.get("PYTHON" + version.replace(".", ""))
    if named:
        return named
    found = subprocess.run([ROOT / ".ci/find_python", version], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def install(folder: Path, python: str, requirements: list[str], constraints: str) -> None:
    """Make or mend the environment in `folder`. Raises SystemExit with pip's own words where pip fails."""
    wanted = hashlib.sha256("\n".join([*requirements, constraints]).encode()).hexdigest()
    stamp, interpreter = folder / "installed.sha256", folder / "bin/python"
    works = interpreter.exists() and subprocess.run([interpreter, "-c", ""], check=False).returncode == 0
    if works and stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"{folder.relative_to(ROOT)}: installing {', '.join(requirements[:3])} ...", flush=True)
    stamp.unlink(missing_ok=True)
    if not works:
        _run([python, "-m", "venv", "--clear", str(folder)])
    pins = folder / "constraints.txt"
    pins.write_text(constraints)
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
          "--constraint", str(pins), *requirements])  # fmt: skip
    stamp.write_text(wanted)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("engine")
    constraints = (ROOT / "constraints.txt").read_text()
    blenders = parse_blender_pins(constraints)
    kinds.add_parser("blender").add_argument("series", choices=sorted(blenders))
    arguments = parser.parse_args()
    pins = blenders[arguments.series] if arguments.kind == "blender" else None

    version = pins.python if pins else "3.11"
    python = find_python(version)
    if python is None:
        print(f"There is no Python {version} here; name one with PYTHON{version.replace('.', '')}=/path/to/python.")
        return NO_PYTHON
    if pins:
        requirements = [*pins.requirements, "pytest"]
        install(ROOT / ".blender" / pins.series, python, requirements, blender_constraints(constraints, pins))
    else:
        requirements = engine_requirements((ROOT / "pyproject.toml").read_text())
        install(ROOT / ".venv", python, requirements, constraints)
    return 0


if __name__ == "__main__":
    sys.exit(main())
