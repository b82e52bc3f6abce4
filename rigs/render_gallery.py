"""The gallery: six videos captured onto the six avatars, laid out as one sheet of video and avatar side by side.

    .blender/5.0/bin/python rigs/render_gallery.py [VIDEO[@START-END] ...] [--out docs/gallery.jpg] [--work out/gallery]
    .blender/5.0/bin/python rigs/render_gallery.py VIDEO --avatars all --views 0 90 --out out/everyone.jpg

Each video goes onto the next avatar, or onto each of those named. The 2D keypoints are kept, so that a second run is
quick.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
import numpy as np

from blender_addon import batch, engine
from blender_addon.apply import scene_fps
from blender_addon.core import clip, errors
from blender_addon.preview import render_frames
from rigs.gallery.plan import AVATARS, CELL_WH_PX, Row, Take, frames_shown, save_rows, takes_of

ROOT = Path(__file__).resolve().parents[1]
# Times shown of each video.
COUNT = 5
VIDEOS = ROOT.parent / "shared" / "videos"
TAKES = (
    "tfjs_pose_1.mp4",
    "tfjs_pose_squats.mp4",
    "temugeb/temugeb_cam0_test.mp4",
    "pose2sim_single/cam01.mp4",
    "pose2sim_multi/cam01.mp4",
    str(ROOT / "tests" / "data" / "demo.mp4"),
)


def capture(take: Take, work: Path, views_deg: Sequence[float]) -> Row | None:
    """Capture a take and render its avatar at some times. Returns the sheet's row; None where the capture failed."""
    keypoints = work / f"{take.name}.keypoints.npz"
    words = [
        "--video",
        take.video,
        "--rig",
        take.avatar,
        "--out",
        work / f"{take.name}.blend",
        "--keypoints",
        keypoints,
    ]
    if take.start_s is not None:
        words += ["--start", take.start_s, "--end", take.end_s]
    if batch.main([str(word) for word in words]) != 0:
        return None
    scene = bpy.context.scene
    (armature,) = (thing for thing in scene.objects if thing.type == "ARMATURE")
    frames = frames_shown(scene.frame_start, scene.frame_end, COUNT)
    views = []
    for view_deg in views_deg:
        folder = work / f"{take.name}-{take.avatar}-{view_deg:g}"
        folder.mkdir(exist_ok=True)
        views.append(
            render_frames(scene, armature.name, CELL_WH_PX, np.array(frames), folder, float(np.radians(view_deg)))
        )
    first_s = float(clip.load_keypoints(keypoints).times_s[0])
    times_s = tuple(first_s + (frame - scene.frame_start) / scene_fps(scene) for frame in frames)
    label = f"{take.name} -> {take.avatar}"
    pictures = tuple(tuple(str(path) for path in sides) for sides in zip(*views, strict=True))
    return Row(str(take.video), str(keypoints), label, times_s, pictures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*", help="the videos; those beside the repository when none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "gallery.jpg")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "gallery")
    parser.add_argument("--avatars", nargs="+", metavar="NAME", help="each video goes onto all of these, or onto `all`")
    parser.add_argument(
        "--views", type=float, nargs="+", default=[0.0], metavar="DEGREES", help="0 in front, 90 from +X"
    )
    options = parser.parse_args()
    avatars = options.avatars if options.avatars and options.avatars != ["all"] else AVATARS
    videos = options.videos or [str(VIDEOS / take) for take in TAKES]
    takes = takes_of(videos, avatars, every=options.avatars is not None)
    options.work.mkdir(parents=True, exist_ok=True)
    rows = [row for take in takes if (row := capture(take, options.work, options.views)) is not None]
    if not rows:
        sys.stderr.write("Error: none of the videos could be captured.\n")
        return 1
    save_rows(options.work / "rows.json", rows)
    try:
        python = engine.find_engine().python
    except errors.AtcnError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    command = [python, "-m", "rigs.gallery.lay", options.work / "rows.json", options.out.absolute()]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    return done.returncode or int(len(rows) < len(takes))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The wheels of some Blender versions crash while the interpreter shuts down.
    os._exit(code)
