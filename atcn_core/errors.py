"""Expected failures, each one sentence for the user and a hint what to do; bugs never live here."""

from __future__ import annotations

__all__ = [
    "AtcnError",
    "CancelledError",
    "EngineError",
    "KeypointsError",
    "ModelError",
    "MotionError",
    "NoPersonError",
    "OutputError",
    "RigError",
    "VideoError",
    "error_from_code",
]


class AtcnError(Exception):
    """An expected failure. `hint` tells the user what to do next; `code` names the kind on the wire."""

    code = "atcn"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class VideoError(AtcnError):
    """The video cannot be read, or holds no picture."""

    code = "video"


class NoPersonError(AtcnError):
    """The detector saw nobody in the whole clip."""

    code = "no_person"


class KeypointsError(AtcnError):
    """A 2D keypoint file is missing, of another format, or does not fit the video."""

    code = "keypoints"


class MotionError(AtcnError):
    """A motion file is missing or of another format."""

    code = "motion"


class ModelError(AtcnError):
    """A detector model or network weights are missing or damaged."""

    code = "model"


class RigError(AtcnError):
    """An armature lacks needed bones, or a rig.json is wrong."""

    code = "rig"


class EngineError(AtcnError):
    """The worker's environment is missing, wrong, or died."""

    code = "engine"


class OutputError(AtcnError):
    """A result cannot be written (disk full, no permission, no such folder)."""

    code = "output"


class CancelledError(AtcnError):
    """The user asked the job to stop."""

    code = "cancelled"


def error_from_code(code: str, message: str, hint: str) -> AtcnError:
    """The error of kind `code` (a plain AtcnError where the kind is unknown), as it came over the wire."""
    kinds = {cls.code: cls for cls in AtcnError.__subclasses__()}
    return kinds.get(code, AtcnError)(message, hint=hint)
