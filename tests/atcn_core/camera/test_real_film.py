"""A real film of a still camera, seen through a virtual one that turns and zooms: the same motion comes out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from atcn_core.capture import capture
from atcn_core.clip import Motion3D, load_motion
from atcn_core.frames import Intrinsics
from atcn_core.motion.world import to_world
from atcn_core.reporter import Reporter
from atcn_core.video import read_frames
from atcn_core.worker.protocol import CaptureJob

from ..video_files import SHARED_VIDEOS, needs_shared
from .filmed import off_deg

FILM, FILM_FOV_DEG, SECONDS = SHARED_VIDEOS / "tfjs_pose_1.mp4", 60.0, 2.0
WH_PX = (400, 480)


@dataclass(frozen=True)
class Filmed:
    """turns: (T, 3, 3), zoom (T,) and field of view of the camera that filmed `film`."""

    film: Path
    turns: np.ndarray
    zoom: np.ndarray
    fov_deg: float


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    """The film by a camera with the same focal length and a smaller picture, which swings and zooms."""
    frames = list(read_frames(FILM, end_s=SECONDS))
    times_s = np.array([time_s for time_s, _ in frames])
    height_px, width_px = frames[0][1].shape[:2]
    own = Intrinsics.assumed((width_px, height_px), np.deg2rad(FILM_FOV_DEG))
    angles = np.stack([2.5 * np.sin(3 * times_s), 1.0 * np.sin(4 * times_s), 2.0 * np.sin(2 * times_s)], axis=1)
    turns = Rotation.from_euler("YXZ", angles, degrees=True).as_matrix()
    zoom = 1.0 + 0.06 * np.sin(3 * times_s)
    out = tmp_path_factory.mktemp("filmed") / "turned.mp4"
    with av.open(str(out), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = *WH_PX, "yuv420p"
        stream.bit_rate = 6_000_000
        for number, (_, picture) in enumerate(frames):
            lens = Intrinsics(own.focal_px * zoom[number], (0.5 * WH_PX[0], 0.5 * WH_PX[1]))
            through = _matrix(own) @ turns[number] @ np.linalg.inv(_matrix(lens))
            seen = cv2.warpPerspective(picture, through, WH_PX, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            frame = av.VideoFrame.from_ndarray(seen, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Filmed(out, turns, zoom, float(np.degrees(2 * np.arctan(0.5 * max(WH_PX) / own.focal_px))))


def _matrix(lens: Intrinsics) -> np.ndarray:
    """For whole numbers as the middles of pixels, as OpenCV counts them."""
    x_px, y_px = lens.centre_px
    return np.array([[lens.focal_px, 0.0, x_px - 0.5], [0.0, lens.focal_px, y_px - 0.5], [0.0, 0.0, 1.0]])


def captured(film: Path, out: Path, **how: object) -> Motion3D:
    job = CaptureJob(str(film), str(out), end_s=SECONDS, **how)  # type: ignore[arg-type]
    return load_motion(Path(capture(job, Reporter())["motion"]))


def hip_world(motion: Motion3D) -> np.ndarray:
    """(T, 3) metres, about its mean: where the clip's first frame is does not matter."""
    hip = to_world(motion).joints_world[:, 0]
    return hip - hip.mean(axis=0)


@needs_shared
def test_the_motion_before_a_turning_camera_is_that_before_a_still_one(filmed: Filmed, tmp_path: Path) -> None:
    still = captured(FILM, tmp_path / "still.npz", fov_deg=FILM_FOV_DEG, keypoints_out=str(tmp_path / "k.npz"))
    keypoints = tmp_path / "turned_k.npz"
    found = captured(filmed.film, tmp_path / "found.npz", keypoints_out=str(keypoints))
    assert found.video_camera is not None
    assert found.video_camera.kind == "turning"
    path = found.video_camera.path
    assert path is not None
    assert off_deg(path.first_from_cam, filmed.turns) < 0.3
    assert np.abs(path.zoom / filmed.zoom * filmed.zoom[0] - 1.0).max() < 0.01
    # the lens, which nobody said, from the turns
    fov_deg = np.degrees(2 * np.arctan(0.5 * max(WH_PX) / found.camera.focal_px))
    assert fov_deg == pytest.approx(filmed.fov_deg, abs=2.0)
    left_in = captured(
        filmed.film, tmp_path / "left.npz", camera="still", fov_deg=filmed.fov_deg, keypoints_in=str(keypoints)
    )
    off_m = np.linalg.norm(hip_world(found) - hip_world(still), axis=1).mean()
    left_off_m = np.linalg.norm(hip_world(left_in) - hip_world(still), axis=1).mean()
    assert off_m < 0.05
    assert left_off_m > 2 * off_m
