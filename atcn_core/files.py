"""Files that are there whole or not at all, and what is in them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .errors import OutputError

__all__ = ["sha256", "whole_file"]


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, under a temporary name in the path's folder, which is made; renamed at the end of the block.

    Raises OutputError where the folder cannot be made or written to, or the disk is full; nothing is left then.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".part", delete=False) as handle:
            temporary = Path(handle.name)
            yield handle  # type: ignore[misc]  # a wrapper that is as good as a file
        temporary.chmod(0o644)  # temporary files are for nobody else's eyes
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}.", hint="Free some space or choose another folder."
        ) from error


def sha256(path: Path | str) -> str:
    """A file's hash in hexadecimal digits; it is read piece by piece. Raises OSError."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
