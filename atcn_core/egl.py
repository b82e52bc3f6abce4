"""Whether this machine can render without a display. Standard library only, so that it can be asked before all else."""

from __future__ import annotations

import ctypes

__all__ = ["can_render"]

_PLATFORM_SURFACELESS_MESA = 0x31DD


def can_render() -> bool:
    """Whether EGL and a driver for it are here (Linux). Blender without a display aborts where they are not.

    The display is left initialised: Blender may be using it.
    """
    try:
        egl = ctypes.CDLL("libEGL.so.1")
        get_display = egl.eglGetPlatformDisplay
    except (OSError, AttributeError):
        return False
    get_display.restype = ctypes.c_void_p
    get_display.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p]
    egl.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    display = get_display(_PLATFORM_SURFACELESS_MESA, None, None)
    return bool(display) and bool(egl.eglInitialize(display, None, None))
