"""The measured joints of the four-camera clip as its cameras see them: truth for detections, worked out by OpenCV."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

import cv2
import numpy as np

from ..video_files import SHARED_VIDEOS

FOLDER = SHARED_VIDEOS / "pose2sim_single"


def projected_px(camera: str, joints: Sequence[str]) -> np.ndarray:
    """(T, J, 2) px: the triangulated joints of the file seen by camera "01" to "04"."""
    lines = (FOLDER / "Pose2Sim_markers.trc").read_text().splitlines()
    names = lines[3].split()[2:]
    rows = np.array([line.split("\t")[2:] for line in lines[5:] if line.strip()], dtype=object)
    trc_m = rows[:, : 3 * len(names)].astype(float).reshape(len(rows), len(names), 3)
    trc_names = [f"{joint.split('_')[0][0].upper()}{joint.split('_')[1].capitalize()}" for joint in joints]
    world_m = trc_m[:, [names.index(name) for name in trc_names]][..., [2, 0, 1]]
    settings = tomllib.loads((FOLDER / "Pose2Sim_cameras.toml").read_text())[f"cam_{camera}"]
    points_px, _ = cv2.projectPoints(
        world_m.reshape(-1, 3),
        np.array(settings["rotation"]),
        np.array(settings["translation"]),
        np.array(settings["matrix"]),
        np.array(settings["distortions"]),
    )
    return points_px.reshape(len(rows), len(joints), 2)
