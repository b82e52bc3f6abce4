"""What the panel shows of a running or ended job. Plain Python: it survives undo and is never saved with the scene."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .core import protocol

__all__ = ["Status", "duration_text"]

STAGES = {
    "": "Starting the engine",
    "model": "Making the detector's model",
    "detect": "Finding the person",
    "hands": "Finding the fingers",
    "camera": "Following the background",
    "track": "Following the person",
    "lift": "Lifting to 3D",
    "root": "Solving the path",
    "solve": "Solving the path",
    "report": "Writing the take report",
    "overlay": "Filming the overlay",
    "apply": "Putting it on the rig",
    "environment": "Making the environment",
    "packages": "Installing packages",
}
# A stage must have run this long before its remaining time is worth telling.
ESTIMATE_AFTER_S = 1.5


def duration_text(seconds: float) -> str:
    """A length of time in words, as coarse as is useful: "8 s", "1 min 20 s", "2 h 5 min"."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(round(whole / 10) * 10, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole // 60, 60)
    return f"{hours} h {rest} min"


@dataclass
class Status:
    """`headline` is what goes on or how it ended; `error`, `hint`, `log` say what went wrong and what to do.

    note: what was done, in figures, where it ended well.
    """

    clock: Callable[[], float] = time.monotonic
    running: bool = False
    cancelling: bool = False
    stage: str = ""
    current: int = 0
    total: int = 0
    headline: str = ""
    well: bool = False
    error: str = ""
    hint: str = ""
    log: str = ""
    note: str = ""
    warnings: list[str] = field(default_factory=list)
    _stage_since_s: float = 0.0
    _stage_from: int = 0

    def reset(self) -> None:
        """Forget the last job."""
        for name, value in vars(Status(self.clock)).items():
            setattr(self, name, value)

    def begin(self) -> None:
        """Forget the last job: a new one starts."""
        self.reset()
        self.running = True
        self._stage_since_s = self.clock()

    def end(self, headline: str, well: bool = False) -> None:
        """The job is over; well: it did what it should."""
        self.running = self.cancelling = False
        self.headline, self.well = headline, well

    def fail(self, headline: str, error: str, hint: str = "", log: str = "") -> None:
        """The job, or the attempt to start one, went wrong."""
        self.end(headline)
        self.error, self.hint, self.log = error, hint, log

    def hear(self, message: protocol.Message) -> None:
        """Take in what the worker says on its way."""
        if isinstance(message, protocol.WarningMessage):
            self.warnings.append(message.text)
        if isinstance(message, protocol.Progress):
            if message.stage != self.stage:
                self._stage_since_s, self._stage_from = self.clock(), message.current
            self.stage, self.current, self.total = message.stage, message.current, message.total

    @property
    def fraction(self) -> float:
        """How much of the stage is done, 0..1; 0 where its length is not known."""
        return min(self.current / self.total, 1.0) if self.total > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the stage ends at its pace so far; None while that is not known."""
        elapsed_s = self.clock() - self._stage_since_s
        steps = self.current - self._stage_from
        if self.total <= 0 or steps <= 0 or elapsed_s < ESTIMATE_AFTER_S:
            return None
        return elapsed_s / steps * max(self.total - self.current, 0)

    @property
    def text(self) -> str:
        """One line for the progress bar."""
        if self.cancelling:
            return "Stopping"
        words = STAGES.get(self.stage, self.stage.capitalize())
        if self.total > 0:
            words += f"  {self.fraction:.0%}"
        elif self.current > 0:
            words += f"  {self.current}"
        remaining_s = self.remaining_s
        return f"{words}, {duration_text(remaining_s)} left" if remaining_s is not None else words
