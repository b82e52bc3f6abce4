"""The engine's half of `make bench`: one measurement a call, as one line of JSON. Nothing imports this module.

python -m atcn_core.bench clip FROM OUT FRAMES    a clip of so many frames, FROM over and over
python -m atcn_core.bench plain VIDEO             decode and detect, with OpenCV and MediaPipe alone
python -m atcn_core.bench lift FRAMES             lift so many frames
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from .errors import VideoError

__all__ = ["lift_speed", "loop_clip", "main", "plain_detection"]

LIFT_FPS = 30.0
LIFT_WH_PX = (1280, 720)


def loop_clip(source: Path, out: Path, frames: int) -> dict[str, float]:
    """Write `frames` frames of the source, again and again, without encoding anything anew."""
    import av

    first, length = _first_and_length(source)
    written = lap = 0
    with av.open(str(out), "w", format="mp4") as writer:
        copy = None
        while written < frames:
            with av.open(str(source)) as reader:
                stream = reader.streams.video[0]
                copy = copy or writer.add_stream_from_template(stream)
                for packet in reader.demux(stream):
                    if packet.dts is None or packet.pts is None or written == frames:
                        continue
                    packet.dts += lap * length - first
                    packet.pts += lap * length - first
                    packet.stream = copy
                    writer.mux(packet)
                    written += 1
            lap += 1
    return {"frames": written}


def _first_and_length(source: Path) -> tuple[int, int]:
    """A video's first decoding stamp and its length, in its own time base."""
    import av

    with av.open(str(source)) as reader:
        stamps = [packet.dts for packet in reader.demux(reader.streams.video[0]) if packet.dts is not None]
    if len(stamps) < 2:
        raise VideoError(f"{source.name} holds no moving picture.", hint="Choose another video.")
    return stamps[0], round((stamps[-1] - stamps[0]) * len(stamps) / (len(stamps) - 1))


def plain_detection(video: Path) -> dict[str, float]:
    """The loop anybody would write: every frame from OpenCV to MediaPipe's landmarker, results thrown away."""
    import cv2
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import RunningMode
    from mediapipe.tasks.python.vision.pose_landmarker import PoseLandmarker, PoseLandmarkerOptions

    from .detect.model import ensure_model

    options = PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(ensure_model())), running_mode=RunningMode.VIDEO
    )
    capture = cv2.VideoCapture(str(video))
    frames = found = 0
    began_s = time.perf_counter()
    with PoseLandmarker.create_from_options(options) as landmarker:
        while True:
            more, picture = capture.read()
            if not more:
                break
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            found += bool(landmarker.detect_for_video(image, frames * 20).pose_landmarks)
            frames += 1
    return {"frames": frames, "found": found, "seconds": time.perf_counter() - began_s}


def lift_speed(frames: int) -> dict[str, float]:
    """Lift a made-up walk of keypoints, once to warm up and once by the clock."""
    from .clip import Keypoints2D
    from .frames import Intrinsics
    from .lift.predict import Lifter
    from .reporter import Reporter
    from .skeleton import CAPTURE

    random = np.random.default_rng(1)
    xy_px = 400.0 + np.cumsum(random.normal(size=(frames, len(CAPTURE), 2)), axis=0) * 0.2
    keypoints = Keypoints2D(
        CAPTURE,
        np.arange(frames) / LIFT_FPS,
        LIFT_FPS,
        LIFT_WH_PX,
        (xy_px + random.normal(size=(len(CAPTURE), 2)) * 80.0).astype(np.float32),
        np.ones((frames, len(CAPTURE)), dtype=np.float32),
    )
    lifter, camera = Lifter.bundled(), Intrinsics.assumed(LIFT_WH_PX)
    lifter.lift(keypoints, camera, Reporter())
    began_s = time.perf_counter()
    lifter.lift(keypoints, camera, Reporter())
    return {"frames": frames, "seconds": time.perf_counter() - began_s}


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m atcn_core.bench", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    clip = kinds.add_parser("clip")
    clip.add_argument("source", type=Path)
    clip.add_argument("out", type=Path)
    clip.add_argument("frames", type=int)
    kinds.add_parser("plain").add_argument("video", type=Path)
    kinds.add_parser("lift").add_argument("frames", type=int)
    options = parser.parse_args(arguments)
    if options.kind == "clip":
        measured = loop_clip(options.source, options.out, options.frames)
    elif options.kind == "plain":
        measured = plain_detection(options.video)
    else:
        measured = lift_speed(options.frames)
    sys.stdout.write(json.dumps(measured) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
