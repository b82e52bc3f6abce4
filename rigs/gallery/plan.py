"""What goes onto the gallery's sheet: which video onto which avatar, at which times, which part of the picture."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

__all__ = ["AVATARS", "CELL_WH_PX", "Row", "Take", "crop_px", "frames_shown", "load_rows", "save_rows", "takes_of"]

CELL_WH_PX = (168, 224)
# The avatars in the order in which the videos are given to them.
AVATARS = ("nuri", "otto", "gorm", "pip", "mira", "bruno")
# Room round the person's joints, as a share of their box's longer side.
_ROOM = 0.14
_SEEN = 0.3
_TAKE = re.compile(r"(?P<video>.+?)(?:@(?P<start>[\d.]+)-(?P<end>[\d.]+))?$")


@dataclass(frozen=True)
class Take:
    """A video, or a part of it in seconds, and the avatar it is captured onto."""

    video: Path
    avatar: str
    start_s: float | None = None
    end_s: float | None = None

    @property
    def name(self) -> str:
        """What its files are called: the last folder tells videos of one name apart."""
        cut = "" if self.start_s is None else f"-{self.start_s:g}-{self.end_s:g}"
        return f"{self.video.parent.name}-{self.video.stem}{cut}"


@dataclass(frozen=True)
class Row:
    """One row of the sheet. times_s: of the video; pictures: for each time the avatar's, one from each side shown."""

    video: str
    keypoints: str
    label: str
    times_s: tuple[float, ...]
    pictures: tuple[tuple[str, ...], ...]


def takes_of(words: Sequence[str], avatars: Sequence[str] = AVATARS, *, every: bool = False) -> list[Take]:
    """The takes named by "file.mp4" or "file.mp4@START-END" (seconds), each with the next avatar in turn or with all.

    Raises ValueError for what names no video.
    """
    takes = []
    for number, word in enumerate(words):
        found = _TAKE.match(word)
        if found is None:
            raise ValueError(f"not a video: {word!r}")
        cut = [float(found[key]) if found[key] else None for key in ("start", "end")]
        whose = avatars if every else (avatars[number % len(avatars)],)
        takes += [Take(Path(found["video"]), avatar, *cut) for avatar in whose]
    return takes


def frames_shown(first: int, last: int, count: int) -> list[int]:
    """Frames spread over a clip, clear of its ends, where a person is often half out of the picture."""
    shares = (np.arange(count) + 0.5) / count
    return [round(first + float(share) * (last - first)) for share in shares]


def crop_px(
    xy_px: np.ndarray, score: np.ndarray, image_wh_px: Sequence[int], aspect: float
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the picture's part that shows the person, `aspect` wide for each 1 in height.

    xy_px: (N, J, 2). score: (N, J), 0..1; the whole picture's box where nothing was seen. May reach beyond the picture.
    """
    seen = xy_px[score > _SEEN]
    if len(seen) == 0:
        seen = np.array([[0.0, 0.0], list(image_wh_px)])
    low, high = seen.min(axis=0), seen.max(axis=0)
    room = _ROOM * float((high - low).max())
    width, height = (high - low) + 2 * room
    height = max(height, width / aspect)
    middle, half = 0.5 * (low + high), 0.5 * np.array([aspect * height, height])
    left, top = np.round(middle - half).astype(int)
    right, bottom = np.round(middle + half).astype(int)
    return int(left), int(top), int(right), int(bottom)


def save_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows for `lay.py`, which runs in the engine's Python."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


def load_rows(path: Path) -> list[Row]:
    """The rows of `save_rows`."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return [
        Row(**{**row, "times_s": tuple(row["times_s"]), "pictures": tuple(map(tuple, row["pictures"]))})
        for row in found
    ]
