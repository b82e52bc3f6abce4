"""Motion to score on: held-out takes of a folder, single BVH files, or a plain .npz of joint positions."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..errors import MotionError
from ..lift.predict import TRAINING_FPS
from ..skeleton import CAPTURE, H36M_17, MEDIAPIPE_33
from ..train.mocap import load_split, read_take

__all__ = ["KnownTake", "action_of", "evenly_chosen", "has_split", "load_takes", "read_positions", "resampled"]

_T = TypeVar("_T")
_HINT = "Give BVH files, a folder of them, or an .npz with pos_0 (T, 17, 3), fps and take_0."
# What no detector of ours gives stays hidden, so that scores are those of real use.
_DETECTED = tuple(joint in MEDIAPIPE_33.joints or joint == "hip" for joint in CAPTURE.joints)
_SHORTEST = 3


@dataclass(frozen=True)
class KnownTake:
    """A take with known joints.

    joints_world: (T, J, 3) metres, z up, in the capture set; NaN where the source has no such joint.
    shown:        (J,) bool, the joints that the network gets to see in 2D.
    activity:     what the performer does, where the source says so.
    """

    name: str
    joints_world: np.ndarray
    shown: np.ndarray
    fps: float = TRAINING_FPS
    activity: str = ""

    def __post_init__(self) -> None:
        if self.joints_world.ndim != 3 or self.joints_world.shape[1:] != (len(CAPTURE), 3):
            raise ValueError(f"joints_world has shape {self.joints_world.shape}, expected (T, {len(CAPTURE)}, 3)")
        if not np.isfinite(self.joints_world[:, self.shown]).all():
            raise ValueError("joints that are shown must be finite")

    @property
    def action(self) -> str:
        """What the performer does, as the source says or from the name."""
        return self.activity or action_of(self.name)


def action_of(name: str) -> str:
    """The action in a take's name: "cmutxt_jumping_t03" is "jumping", "S9/Walking 1" and "Walking 1" are "Walking".

    A name that has only a source and numbers keeps the first of them: "cmuasf_03_01" is "cmuasf 03".
    """
    words = [word for word in re.split(r"[\s_/.-]+", name) if word]
    named = [word for word in words if not re.fullmatch(r"[A-Za-z]?\d+[a-z]?", word)]
    if len(named) > 1:
        return " ".join(named[1:])
    of_the_source_alone = len(words) > 2 and words[0] in named
    return " ".join(words[:2]) if of_the_source_alone or not named else named[0]


def load_takes(paths: Sequence[Path], seconds: float = 0.0, split: str = "val") -> list[KnownTake]:
    """The takes of files and folders; of a folder's BVH files those of `split`: what training leaves out, or "train".

    seconds: only so much from the start of each take; 0 for all of it. Raises MotionError.
    """
    takes = [take for path in paths for take in _load(Path(path), split)]
    frames = round(seconds * TRAINING_FPS)
    if frames:
        takes = [replace(take, joints_world=take.joints_world[:frames]) for take in takes]
    takes = [take for take in takes if len(take.joints_world) >= _SHORTEST]
    if not takes:
        raise MotionError("There is no motion to score on.", hint=_HINT)
    return takes


def evenly_chosen(items: Sequence[_T], most: int) -> list[_T]:
    """So many of the items at most, evenly over their order, the first and the last among them."""
    return [items[at] for at in np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).astype(int))]


def has_split(path: Path) -> bool:
    """Whether it is a folder of BVH files, some of which are for training and some for scoring."""
    return path.is_dir() and any(file.suffix.lower() == ".bvh" for file in path.rglob("*"))


def _load(path: Path, split: str) -> list[KnownTake]:
    if path.is_dir():
        of_split = load_split(path, split) if has_split(path) else []
        plain = [take for file in sorted(path.glob("*.npz")) for take in read_positions(file)]
        return [_shown_to_a_detector(take.name, take.joints_world, take.fps) for take in of_split] + plain
    if not path.is_file():
        raise MotionError(f"There is no {path.name}.", hint=_HINT)
    if path.suffix == ".npz":
        return read_positions(path)
    take = read_take(path)
    return [_shown_to_a_detector(take.name, take.joints_world, take.fps)]


def _shown_to_a_detector(name: str, joints_world: np.ndarray, fps: float) -> KnownTake:
    return KnownTake(name, resampled(joints_world, fps), np.array(_DETECTED))


def read_positions(path: Path) -> list[KnownTake]:
    """Takes of an .npz with pos_<i> (T, 17, 3), metres, z up, Human3.6M's joints, `fps`, and names take_<i>.

    Raises MotionError.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise MotionError(f"{path.name} is not a readable .npz file.", hint=_HINT) from error
    numbers = sorted(int(name[4:]) for name in arrays if re.fullmatch(r"pos_\d+", name))
    if not numbers or "fps" not in arrays:
        raise MotionError(f"{path.name} has no pos_0 or no fps.", hint=_HINT)
    columns = CAPTURE.indices(*H36M_17.joints)
    shown = np.zeros(len(CAPTURE), dtype=bool)
    shown[columns] = True
    takes = []
    for number in numbers:
        positions = arrays[f"pos_{number}"]
        if positions.ndim != 3 or positions.shape[1:] != (len(H36M_17), 3) or not np.isfinite(positions).all():
            raise MotionError(f"pos_{number} of {path.name} is not (T, 17, 3) finite metres.", hint=_HINT)
        joints_world = np.full((len(positions), len(CAPTURE), 3), np.nan)
        joints_world[:, columns] = positions
        fps = float(np.atleast_1d(arrays["fps"])[min(number, np.size(arrays["fps"]) - 1)])
        name = str(arrays.get(f"take_{number}", f"{path.stem}_{number}"))
        takes.append(KnownTake(name, resampled(joints_world, fps), shown))
    return takes


def resampled(joints_world: np.ndarray, fps: float) -> np.ndarray:
    """(T, J, 3) at `fps` to TRAINING_FPS, straight between neighbours. Raises MotionError for an impossible rate."""
    if not fps > 0:
        raise MotionError(f"The motion has {fps} frames per second.", hint="Give a rate above 0.")
    if len(joints_world) < 2:
        return joints_world
    at = np.arange(int((len(joints_world) - 1) / fps * TRAINING_FPS) + 1) * (fps / TRAINING_FPS)
    first = np.floor(at).astype(int).clip(max=len(joints_world) - 2)
    share = (at - first)[:, None, None]
    return joints_world[first] * (1.0 - share) + joints_world[first + 1] * share
