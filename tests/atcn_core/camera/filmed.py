"""A textured room filmed by a virtual camera with known turns, with somebody in it who moves."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from atcn_core.camera.background import BackgroundTracks, BackgroundWatch
from atcn_core.evaluate.backdrop import Backdrop
from atcn_core.frames import Intrinsics

SIZE_WH_PX = (400, 240)
FPS = 20.0


def turning(yaw_deg: object = 0.0, pitch_deg: object = 0.0, roll_deg: object = 0.0, frames: int = 40) -> np.ndarray:
    """(T, 3, 3) rotations from each frame's camera into the room."""
    angles = [np.broadcast_to(np.asarray(angle, float), frames) for angle in (yaw_deg, pitch_deg, roll_deg)]
    return Rotation.from_euler("yxz", np.stack(angles, axis=1), degrees=True).as_matrix()


def film(
    room_from_cam: np.ndarray, lens: Intrinsics, zoom: np.ndarray | None = None, place_m: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, float, np.ndarray]]:
    """Pictures, their times, and the corners of the person's outline, as a detector's joints might be."""
    room, rng = Backdrop(3), np.random.default_rng(0)
    frames = len(room_from_cam)
    zoom = np.ones(frames) if zoom is None else zoom
    place_m = np.zeros((frames, 3)) if place_m is None else place_m
    for frame in range(frames):
        now = Intrinsics(lens.focal_px * zoom[frame], lens.centre_px)
        picture = room.picture(SIZE_WH_PX, now, room_from_cam[frame], place_m[frame])
        x = int(180 + 60 * np.sin(frame / 8))
        cv2.rectangle(picture, (x - 20, 60), (x + 20, 220), (40, 60, 200), -1)
        cv2.circle(picture, (x, 120 + 3 * (frame % 20)), 12, (220, 200, 0), -1)
        noisy = picture + rng.normal(0.0, 4.0, picture.shape)
        yield noisy.clip(0, 255).astype(np.uint8), frame / FPS, np.array([[x - 18.0, 62.0], [x + 18.0, 218.0]])


def followed(room_from_cam: np.ndarray, lens: Intrinsics, **how: np.ndarray) -> tuple[BackgroundTracks, np.ndarray]:
    """What the tracker sees of the film, and its times."""
    watch = BackgroundWatch(SIZE_WH_PX)
    times_s = []
    for picture, time_s, person_px in film(room_from_cam, lens, **how):
        watch.see(picture, time_s, person_px)
        times_s.append(time_s)
    return watch.tracks, np.array(times_s)


def off_deg(path_turns: np.ndarray, room_from_cam: np.ndarray) -> float:
    """The largest angle between turns that were found and the true ones, both about the first frame."""
    true = room_from_cam[0].T @ room_from_cam
    return float(np.degrees(Rotation.from_matrix(true.transpose(0, 2, 1) @ path_turns).magnitude()).max())
