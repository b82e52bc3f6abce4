"""How often hands are found in films, in squares around the wrists and in whole pictures, and what it costs.

`python -m atcn_core.detect.hands_found VIDEO ...` prints the table of docs/fingers.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import RunningMode
from mediapipe.tasks.python.vision.hand_landmarker import HandLandmarker, HandLandmarkerOptions

from ..clip import Keypoints2D
from ..console import EXIT_FAILED, complain
from ..errors import AtcnError
from ..skeleton import SIDES
from ..video import read_frames
from . import create_detector
from .enhance import enhanced
from .hands import SAME_WRIST_M, find_hands, px_per_m
from .mediapipe import stderr_hushed
from .model import HANDS, ensure_model
from .track import track_person

__all__ = ["Found", "found_in", "main"]

# A hand with this score counts as surely found.
SURE_SCORE = 0.5


@dataclass(frozen=True)
class Found:
    """One film's figures. Shares are of the two hands of every frame, times are a processor's for a frame, in ms."""

    name: str
    frames: int
    whole_share: float
    square_share: float
    sure_share: float
    pose_ms: float
    hands_ms: float


def found_in(video: Path) -> Found:
    """Look for hands in a film both ways. Raises VideoError, ModelError, NoPersonError."""
    start_s = time.process_time()
    keypoints = track_person(video, create_detector("mediapipe")).keypoints
    posed_s = time.process_time()
    hands = find_hands(video, keypoints)
    found_s = time.process_time()
    frames = len(keypoints.times_s)
    return Found(
        video.name,
        frames,
        _whole_share(video, enhanced(keypoints)),
        float((hands.score > 0).mean()),
        float((hands.score > SURE_SCORE).mean()),
        1000.0 * (posed_s - start_s) / frames,
        1000.0 * (found_s - posed_s) / frames,
    )


def _whole_share(video: Path, keypoints: Keypoints2D) -> float:
    """The share of hands that MediaPipe finds by itself in the whole picture, at the pose's wrists."""
    near_px = SAME_WRIST_M * px_per_m(keypoints)
    wrists = keypoints.skeleton.indices(*(f"{side}_wrist" for side in SIDES))
    path = ensure_model(bundle=HANDS)
    options = HandLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=path.read_bytes()), running_mode=RunningMode.VIDEO, num_hands=2
    )
    with stderr_hushed():
        landmarker = HandLandmarker.create_from_options(options)
    hits = 0
    with landmarker:
        for frame, (_, picture) in enumerate(read_frames(video)):
            shown = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            result = landmarker.detect_for_video(shown, 33 * (frame + 1))
            size_px = np.array(picture.shape[1::-1])
            found_px = np.array([(hand[0].x, hand[0].y) for hand in result.hand_landmarks]).reshape(-1, 2) * size_px
            apart_px = np.linalg.norm(found_px[:, None] - keypoints.xy_px[frame, wrists], axis=-1)
            hits += int((apart_px < near_px[frame]).any(axis=0).sum())
    return hits / (2.0 * len(keypoints.times_s))


def main(arguments: list[str]) -> int:
    """Print the table. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m atcn_core.detect.hands_found", description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    write = sys.stdout.write
    write("| film | frames | whole picture | around the wrists | surely | pose ms | hands ms |\n")
    write("|---|---|---|---|---|---|---|\n")
    try:
        for video in parser.parse_args(arguments).videos:
            row = found_in(video)
            shares = (row.whole_share, row.square_share, row.sure_share)
            cells = [row.name, str(row.frames), *(f"{100 * share:.0f} %" for share in shares)]
            write(f"| {' | '.join([*cells, f'{row.pose_ms:.0f}', f'{row.hands_ms:.0f}'])} |\n")
    except AtcnError as error:
        complain(error)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
