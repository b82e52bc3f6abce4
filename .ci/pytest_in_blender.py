"""pytest inside a bpy wheel: the same as `python -m pytest`, but out by os._exit.

The wheels of Blender 4.2 and 4.5 may crash or hang while the interpreter shuts down, after all is done.
"""

import os
import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    code = int(pytest.main(sys.argv[1:]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
