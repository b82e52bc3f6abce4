"""Detected keypoints, kept by the content of what they were found in: the same clip is never looked at twice.

Detecting is most of a capture's time; all that follows it is quick. Only joints are kept, no picture.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

from ..clip import Keypoints2D, load_keypoints, save_keypoints
from ..errors import AtcnError
from ..files import sha256
from ..worker.protocol import CaptureJob
from .model import cache_dir

__all__ = ["AGAIN_VARIABLE", "cache_file", "keep_keypoints", "kept_keypoints", "with_hands"]

logger = logging.getLogger(__name__)

# Set to anything, every video is looked at anew and nothing is kept.
AGAIN_VARIABLE = "ATCN_DETECT_AGAIN"
# To be raised whenever the same video would give other keypoints.
DETECTION = "atcn.detection/1"
# The same for hands; what is kept with them is another file than what is kept without.
HANDS = "hands1"
# So many clips are kept; of half a minute each they take some 20 MB.
KEPT_CLIPS = 200


def cache_file(job: CaptureJob) -> Path | None:
    """Where the job's keypoints without hands are or would be kept; None where that is not wished or not possible."""
    if not job.cached or os.environ.get(AGAIN_VARIABLE):
        return None
    try:
        asked = [DETECTION, sha256(job.video), job.detector, sha256(job.model) if job.model else ""]
    except OSError:
        return None
    asked += [repr(job.start_s), repr(job.end_s)]
    return cache_dir() / "keypoints" / f"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}.npz"


def with_hands(file: Path | None) -> Path | None:
    """Where the same keypoints are kept together with hands. file: `cache_file`'s."""
    return None if file is None else file.with_stem(f"{file.stem}_{HANDS}")


def kept_keypoints(file: Path | None) -> Keypoints2D | None:
    """The keypoints kept in `cache_file`'s file, or None; a damaged one is removed."""
    if file is None or not file.is_file():
        return None
    try:
        keypoints = load_keypoints(file)
        file.touch()
    except (AtcnError, OSError) as problem:
        logger.warning("Kept keypoints are not used: %s", problem)
        file.unlink(missing_ok=True)
        return None
    return keypoints


def keep_keypoints(file: Path | None, keypoints: Keypoints2D) -> None:
    """Keep keypoints for the next time; the longest unused ones go. A disk that is full only costs the next time."""
    if file is None:
        return
    try:
        save_keypoints(file, keypoints)
        by_age = sorted(file.parent.glob("*.npz"), key=lambda kept: kept.stat().st_mtime, reverse=True)
        for old in by_age[KEPT_CLIPS:]:
            old.unlink(missing_ok=True)
    except (AtcnError, OSError) as problem:
        logger.warning("The keypoints were not kept: %s", problem)
