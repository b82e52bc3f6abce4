"""How a long job tells its caller where it stands and asks whether to stop. Where the words go is not decided here."""

from __future__ import annotations

from .errors import CancelledError

__all__ = ["Reporter"]


class Reporter:
    """Base: says nothing and is never cancelled. The worker and the command lines override it."""

    def progress(self, stage: str, current: int, total: int) -> None:
        """`current` of `total` steps of `stage` ("detect", "lift", ...) are done; total 0 where unknown."""

    def warn(self, text: str) -> None:
        """One sentence the user should know; the job goes on."""

    def note(self, text: str) -> None:
        """A sentence or two on what was done, for who looks on."""

    def cancelled(self) -> bool:
        """True once the user asked to stop."""
        return False

    def check_cancelled(self) -> None:
        """Raise CancelledError once the user asked to stop. Long loops call this every step."""
        if self.cancelled():
            raise CancelledError("Cancelled.")
