"""How command lines report: a bar on stderr, warnings and errors as sentences. Nothing else prints from here."""

from __future__ import annotations

import sys

from tqdm import tqdm

from .errors import AtcnError
from .reporter import Reporter

__all__ = ["EXIT_CANCELLED", "EXIT_FAILED", "ConsoleReporter", "complain"]

EXIT_FAILED = 2
EXIT_CANCELLED = 130


class ConsoleReporter(Reporter):
    """Shows one progress bar for each stage on stderr. Use as a context manager, so that the last bar is closed."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm | None = None

    def __enter__(self) -> ConsoleReporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def progress(self, stage: str, current: int, total: int) -> None:
        """Move the stage's bar; a new stage closes the bar of the one before."""
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage, self._bar = stage, tqdm(desc=stage, unit=" steps", file=sys.stderr, mininterval=0.5)
        self._bar.total = total or None
        self._bar.update(current - self._bar.n)

    def warn(self, text: str) -> None:
        """Say it above the bar."""
        tqdm.write(f"Warning: {text}", file=sys.stderr)

    def note(self, text: str) -> None:
        """Say it above the bar."""
        tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        """Finish the bar that is shown, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def complain(error: AtcnError) -> None:
    """One sentence and its hint on stderr."""
    sys.stderr.write(f"Error: {error}\n")
