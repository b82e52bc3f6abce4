"""Says, before anything is installed, which system libraries are missing and how to get them.

Python packages bring most of their libraries along, but not those of the desktop: mediapipe and Blender link to
the ones below even where no window is ever opened. Standard library only; no output when all is well.

    check_system.py           exit code 1 and the list where something is missing
    check_system.py --line    print the line that installs everything, and nothing else
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from atcn_core.egl import can_render

__all__ = ["DRIVER", "LIBRARIES", "Library", "can_load", "install_line", "message", "missing"]


@dataclass(frozen=True)
class Library:
    """A shared library, the Debian and Ubuntu package it is in, and who needs it."""

    soname: str
    package: str
    needed_by: str


LIBRARIES = (
    Library("libEGL.so.1", "libegl1", "mediapipe and Blender's renderer"),
    Library("libGLESv2.so.2", "libgles2", "mediapipe"),
    Library("libxcb.so.1", "libxcb1", "OpenCV"),
    Library("libglib-2.0.so.0", "libglib2.0-0", "OpenCV"),
    Library("libGL.so.1", "libgl1", "OpenCV and Blender"),
    Library("libGLX.so.0", "libglx0", "Blender"),
    Library("libOpenGL.so.0", "libopengl0", "Blender"),
    Library("libX11.so.6", "libx11-6", "Blender"),
    Library("libXext.so.6", "libxext6", "Blender"),
    Library("libXfixes.so.3", "libxfixes3", "Blender"),
    Library("libXi.so.6", "libxi6", "Blender"),
    Library("libXrender.so.1", "libxrender1", "Blender"),
    Library("libXt.so.6", "libxt6", "Blender"),
    Library("libXxf86vm.so.1", "libxxf86vm1", "Blender 4.2"),
    Library("libICE.so.6", "libice6", "Blender"),
    Library("libSM.so.6", "libsm6", "Blender"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "Blender"),
    Library("libgomp.so.1", "libgomp1", "Blender 4.2"),
)
DRIVER = Library("an OpenGL driver for EGL", "libgl1-mesa-dri", "Blender's renderer where there is no display")


def can_load(soname: str) -> bool:
    """Whether the dynamic linker finds the library and everything it needs."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def missing(loads: Callable[[str], bool] = can_load, renders: Callable[[], bool] = can_render) -> list[Library]:
    """The libraries this machine lacks. A driver is asked for only once the rest is there: it loads through them."""
    absent = [library for library in LIBRARIES if not loads(library.soname)]
    return absent if absent or renders() else [DRIVER]


def install_line() -> str:
    """The one line that installs everything on Debian and Ubuntu; it stands in the README too."""
    return "apt-get install -y --no-install-recommends " + " ".join(
        dict.fromkeys(library.package for library in (*LIBRARIES, DRIVER))
    )


def message(absent: list[Library]) -> str:
    """What to tell the user: each library with who needs it, then the line that installs them."""
    names = "".join(f"  {library.soname}  ({library.needed_by})\n" for library in absent)
    return f"System libraries are missing:\n{names}Install them (as root) with:\n  {install_line()}"


def main() -> int:
    if "--line" in sys.argv:
        print(install_line())
        return 0
    if sys.platform != "linux":
        return 0
    if absent := missing():
        print(message(absent), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
