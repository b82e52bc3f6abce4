"""Keeps Blender's own words off the caller's streams where there is no window. Says nothing itself."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

import bpy

__all__ = ["silent"]


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """In the background, keep Blender's own words off the caller's streams: a line for each frame, EGL's grumbling."""
    if not bpy.app.background:
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in kept:
            os.dup2(nowhere, stream)
        yield
    finally:
        if os.name == "posix":  # what Blender's C side still holds back would come out after the streams are back
            ctypes.CDLL(None).fflush(None)
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)
