"""The messages and jobs that travel between Blender and the worker: the only place where their kinds are spelt.

Worker to client: one JSON object a line on stdout, a closed set of kinds; `done` is always last.
Client to worker: one job file on the command line; closing the worker's stdin asks it to stop.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

__all__ = [
    "CAMERA_MODES",
    "DEFAULT_NETWORK",
    "PROTOCOL_VERSION",
    "CaptureJob",
    "DemoJob",
    "Done",
    "Failure",
    "InstallJob",
    "Job",
    "Message",
    "PreviewJob",
    "Progress",
    "Result",
    "WarningMessage",
    "decode_job",
    "decode_message",
    "encode",
]

PROTOCOL_VERSION = 1

# The network that is used where none is named; the names are those of lift/checkpoint.py.
DEFAULT_NETWORK = "l6xv4"
# What a film's camera is taken to do. auto: as its background shows; still: it does not move, whatever is behind the
# person; pan: it turns and zooms on one spot.
CAMERA_MODES = ("auto", "still", "pan")


@dataclass(frozen=True)
class Message:
    """Anything the worker says. `kind` names it on the wire."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Progress(Message):
    """`current` of `total` steps of `stage` are done; total 0 where it is not known."""

    kind: ClassVar[str] = "progress"
    stage: str
    current: int
    total: int


@dataclass(frozen=True)
class WarningMessage(Message):
    """Something the user should know; the job goes on."""

    kind: ClassVar[str] = "warning"
    text: str


@dataclass(frozen=True)
class Result(Message):
    """The job's files by role (for a capture: "motion", "keypoints")."""

    kind: ClassVar[str] = "result"
    paths: dict[str, str]


@dataclass(frozen=True)
class Failure(Message):
    """The job failed. `code` is an AtcnError's code, or "bug" / "crash"; `log` is a file's path or empty."""

    kind: ClassVar[str] = "failure"
    code: str
    message: str
    hint: str = ""
    log: str = ""


@dataclass(frozen=True)
class Done(Message):
    """The last message. outcome: "finished", "cancelled" or "failed"."""

    kind: ClassVar[str] = "done"
    outcome: str


@dataclass(frozen=True)
class Job:
    """Anything the worker can be asked to do. `kind` names it on the wire."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class CaptureJob(Job):
    """Video (or keypoints) to motion.npz. `start_s` / `end_s` cut the clip; None means its own start / end.

    network: a bundled network's name, or a weights file. enhance: put the 2D joints right before they are lifted.
    cached: use the keypoints found in the same clip before, and keep those that are found now.
    fingers: also look for the hands and their fingers.
    camera: what the film's camera does, one of CAMERA_MODES; fov_deg: its field of view along the picture's longer
    side, 0 where it is not known.
    report_out: the take report's page (.html), its figures beside it (.json); report_film: and a film of the motion
    laid over the video, for it to show.
    height_m: how tall the performer is, 0 where it is not known; smooth: how much the motion is smoothed, 0..1.
    finish_later: the motion file is left as captured, for one who does both anew whenever they change; the report is
    of the finished motion.
    """

    kind: ClassVar[str] = "capture"
    video: str
    motion_out: str
    keypoints_out: str = ""
    keypoints_in: str = ""
    device: str = "auto"
    detector: str = "mediapipe"
    model: str = ""
    network: str = DEFAULT_NETWORK
    enhance: bool = True
    cached: bool = False
    start_s: float | None = None
    end_s: float | None = None
    report_out: str = ""
    report_film: bool = False
    height_m: float = 0.0
    smooth: float = 0.0
    finish_later: bool = False
    fingers: bool = False
    camera: str = "auto"
    fov_deg: float = 0.0


@dataclass(frozen=True)
class PreviewJob(Job):
    """Source frames with the 2D skeleton on the left, rendered avatar frames on the right, as one .mp4.

    frames_dir holds the rendered pictures, one for each time in `times_s`, in name order.
    """

    kind: ClassVar[str] = "preview"
    video: str
    keypoints: str
    frames_dir: str
    times_s: list[float]
    fps: float
    out: str


@dataclass(frozen=True)
class InstallJob(Job):
    """Make an environment in `engine_dir` with the packages at the versions of `constraints`, and the model."""

    kind: ClassVar[str] = "install"
    engine_dir: str
    constraints: str


@dataclass(frozen=True)
class DemoJob(Job):
    """Steps without any model, to try progress, cancelling, failing and dying.

    fail_at: step at which an expected failure is raised; crash_at: step at which the process dies; -1 for never.
    """

    kind: ClassVar[str] = "demo"
    steps: int = 10
    step_s: float = 0.05
    fail_at: int = -1
    crash_at: int = -1
    options: dict[str, Any] = field(default_factory=dict)


_MESSAGES = {cls.kind: cls for cls in (Progress, WarningMessage, Result, Failure, Done)}
_JOBS = {cls.kind: cls for cls in (CaptureJob, PreviewJob, InstallJob, DemoJob)}


def encode(item: Message | Job) -> str:
    """One line of JSON, without the newline."""
    return json.dumps({"kind": item.kind, **asdict(item)}, ensure_ascii=True)


def _decode(line: str, kinds: dict[str, Any]) -> Any:
    data = json.loads(line)
    if not isinstance(data, dict) or data.get("kind") not in kinds:
        raise ValueError(f"not a known kind: {line[:200]!r}")
    cls = kinds[data.pop("kind")]
    unknown = set(data) - {f.name for f in fields(cls)}
    if unknown:
        raise ValueError(f"unknown fields {sorted(unknown)} in: {line[:200]!r}")
    try:
        return cls(**data)
    except TypeError as error:
        raise ValueError(f"{error} in: {line[:200]!r}") from error


def decode_message(line: str) -> Message:
    """The message of one line. Raises ValueError for anything outside the closed set."""
    return _decode(line, _MESSAGES)


def decode_job(text: str) -> Job:
    """The job of a job file. Raises ValueError for anything outside the closed set."""
    return _decode(text, _JOBS)
