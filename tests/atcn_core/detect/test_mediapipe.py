"""MediaPipe's joints lie on the person, in the picture's pixels."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from atcn_core.detect import Detection, create_detector
from atcn_core.detect.track import track_person
from atcn_core.errors import ModelError
from atcn_core.skeleton import LIMB_12, MEDIAPIPE_33, mirrored_name
from atcn_core.video import read_frames

from ..video_files import ONE_MAN, SHARED_VIDEOS, needs_shared


@pytest.fixture
def opened() -> Iterator:
    with closing(create_detector("mediapipe", world=True)) as detector:
        detector.open()
        yield detector


def pictures_of(name: str, start_s: float, end_s: float) -> list[tuple[float, np.ndarray]]:
    return list(read_frames(SHARED_VIDEOS / name, start_s=start_s, end_s=end_s))


def test_an_unknown_detector_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="'nobody'") as caught:
        create_detector("nobody")
    assert "mediapipe" in caught.value.hint


@needs_shared
@pytest.mark.parametrize(
    ("camera", "swapped_most"),
    [("01", 0.0), ("02", 0.5), ("03", 0.0), ("04", 0.0)],  # on camera 2 MediaPipe takes back for front at times
)
def test_joints_lie_where_the_measured_ones_project(camera: str, swapped_most: float) -> None:
    folder = SHARED_VIDEOS / "pose2sim_single"
    tracked = track_person(folder / f"cam{camera}.mp4", create_detector("mediapipe"), end_s=1.0).keypoints
    joints = [joint for joint in LIMB_12 if "hip" not in joint and "shoulder" not in joint]  # places all agree on
    true_px = _projected(folder, f"cam_{camera}", joints)[: len(tracked.times_s)]
    body_px = np.ptp(true_px[..., 1], axis=1).mean()
    miss_px, swapped_miss_px = (
        np.linalg.norm(tracked.xy_px[:, tracked.skeleton.indices(*names)] - true_px, axis=-1)
        for names in (joints, map(mirrored_name, joints))
    )
    swapped = np.median(swapped_miss_px, axis=1) < np.median(miss_px, axis=1)
    miss_px = np.where(swapped[:, None], swapped_miss_px, miss_px)
    assert swapped.mean() <= swapped_most
    assert np.median(miss_px) < 0.04 * body_px
    assert np.percentile(miss_px, 90) < 0.25 * body_px


def _projected(folder: Path, camera: str, joints: list[str]) -> np.ndarray:
    """(T, J, 2) px: the triangulated joints of the file seen by one of its cameras."""
    lines = (folder / "Pose2Sim_markers.trc").read_text().splitlines()
    names = lines[3].split()[2:]
    rows = np.array([line.split("\t")[2:] for line in lines[5:] if line.strip()], dtype=object)
    trc_m = rows[:, : 3 * len(names)].astype(float).reshape(len(rows), len(names), 3)
    trc_names = [f"{joint.split('_')[0][0].upper()}{joint.split('_')[1].capitalize()}" for joint in joints]
    world_m = trc_m[:, [names.index(name) for name in trc_names]][..., [2, 0, 1]]
    settings = tomllib.loads((folder / "Pose2Sim_cameras.toml").read_text())[camera]
    points_px, _ = cv2.projectPoints(
        world_m.reshape(-1, 3),
        np.array(settings["rotation"]),
        np.array(settings["translation"]),
        np.array(settings["matrix"]),
        np.array(settings["distortions"]),
    )
    return points_px.reshape(len(rows), len(joints), 2)


@needs_shared
@pytest.mark.parametrize(
    ("name", "start_s", "end_s", "least"),
    [
        (ONE_MAN, 0.0, 3.0, 0.95),
        ("temugeb/temugeb_portrait_rot90meta.mp4", 0.0, 3.0, 0.95),
        ("temugeb/temugeb_vfr_drop25.mp4", 5.0, 8.0, 0.95),
        ("pose2sim_multi/cam01.mp4", 0.0, 1.0, 0.95),
        ("pose2sim_multi/cam02.mp4", 0.0, 1.0, 0.95),
        ("tfjs_pose_1.mp4", 0.0, 2.0, 0.95),
        ("tfjs_pose_squats.mp4", 0.0, 13.0, 0.95),
        ("intel_one_by_one_person.mp4", 0.0, 20.0, 0.7),  # stretches with nobody
    ],
)
def test_people_in_real_videos_are_found(name: str, start_s: float, end_s: float, least: float) -> None:
    tracked = track_person(SHARED_VIDEOS / name, create_detector("mediapipe"), start_s=start_s, end_s=end_s)
    assert tracked.keypoints.seen.mean() >= least
    assert tracked.world_cam is None


@needs_shared
def test_the_picture_s_mirror_image_has_mirrored_joints() -> None:
    ((_, picture),) = pictures_of(ONE_MAN, 4.0, 4.05)
    found = [_detected_once(each) for each in (picture, np.ascontiguousarray(picture[:, ::-1]))]
    mirrored_px = found[1].xy_px[list(MEDIAPIPE_33.mirror)]
    mirrored_px[:, 0] = picture.shape[1] - mirrored_px[:, 0]
    limbs = MEDIAPIPE_33.indices(*LIMB_12)
    assert np.median(np.linalg.norm(found[0].xy_px - mirrored_px, axis=1)[limbs]) < 0.02 * picture.shape[0]
    left, right = MEDIAPIPE_33.indices("left_shoulder", "right_shoulder")
    assert found[0].xy_px[left, 0] > found[0].xy_px[right, 0]  # he faces the camera


def _detected_once(picture: np.ndarray) -> Detection:
    with closing(create_detector("mediapipe", world=True)) as detector:
        detector.open()
        detection = detector.detect(picture, 0.0)
    assert detection is not None
    return detection


@needs_shared
def test_joints_beyond_the_border_count_little() -> None:
    ((_, picture),) = pictures_of("tfjs_pose_squats.mp4", 0.0, 0.1)
    whole = _detected_once(picture)
    ankles = MEDIAPIPE_33.indices("left_ankle", "right_ankle")
    knees_px = whole.xy_px[MEDIAPIPE_33.indices("left_knee", "right_knee"), 1]
    cut = _detected_once(np.ascontiguousarray(picture[: int(knees_px.min()) - 40]))
    assert (whole.score[ankles] > 0.5).all()
    assert (cut.score[ankles] < 0.5 * whole.score[ankles]).all()
    shoulders = MEDIAPIPE_33.indices("left_shoulder", "right_shoulder")
    assert (cut.score[shoulders] > 0.9).all()


@needs_shared
def test_mediapipes_own_3d_is_in_camera_axes_and_metres(opened) -> None:
    for time_s, picture in pictures_of(ONE_MAN, 4.0, 4.5):
        found = opened.detect(picture, time_s)
    world = {joint: found.world_cam[MEDIAPIPE_33.index(joint)] for joint in MEDIAPIPE_33.joints}
    assert np.abs(0.5 * (world["left_hip"] + world["right_hip"])).max() < 0.05
    assert 0.2 < world["left_ankle"][1] < 1.1  # y down
    assert -0.9 < world["nose"][1] < -0.4
    assert world["nose"][2] < 0.05  # facing the camera: nose before the hips, z forward


@needs_shared
def test_frames_closer_than_a_millisecond_are_taken(opened) -> None:
    ((_, picture),) = pictures_of(ONE_MAN, 4.0, 4.05)
    assert all(opened.detect(picture, index * 1e-4) is not None for index in range(4))


@needs_shared
def test_a_detector_opened_again_starts_afresh() -> None:
    pictures = pictures_of(ONE_MAN, 4.0, 4.3)
    detector = create_detector("mediapipe")
    found = []
    for _ in range(2):
        with closing(detector):
            detector.open()
            found.append([detector.detect(picture, time_s).xy_px for time_s, picture in pictures])
    np.testing.assert_array_equal(found[0], found[1])
