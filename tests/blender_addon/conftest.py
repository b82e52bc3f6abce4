"""Every test starts from an empty Blender. Runs in the bpy environments only; elsewhere these tests are left out."""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import sys
import tempfile

import pytest

HAS_BPY = importlib.util.find_spec("bpy") is not None
collect_ignore_glob = [] if HAS_BPY else ["test_*.py"]
# A wheel that hangs in C ends here with a traceback instead of holding up the whole run.
HANG_LIMIT_S = 900

# Tests that detect shall detect, and leave the developer's own cache alone.
os.environ["ATCN_DETECT_AGAIN"] = "1"

if HAS_BPY:
    # Before bpy is imported: nobody's own preferences and extensions take part.
    os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="blender_user_"))


@pytest.fixture(autouse=True)
def empty_blender():
    """A factory-fresh scene without objects."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy


def pytest_sessionstart(session: pytest.Session) -> None:
    if HAS_BPY:
        faulthandler.dump_traceback_later(HANG_LIMIT_S, exit=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Some bpy wheels crash or hang when the interpreter shuts down: leave without shutting it down."""
    if HAS_BPY:
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash.get(_EXIT_STATUS, 1))


_EXIT_STATUS = pytest.StashKey[int]()
