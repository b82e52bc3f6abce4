"""MediaPipe's joints lie on the person, in the picture's pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from atcn_core.detect import Detection, create_detector
from atcn_core.detect.mediapipe import MediapipeDetector
from atcn_core.detect.track import track_person
from atcn_core.errors import ModelError
from atcn_core.skeleton import LIMB_12, MEDIAPIPE_33, mirrored_name
from atcn_core.video import read_frames

from ..video_files import ONE_MAN, SHARED_VIDEOS, needs_shared
from .pose2sim_truth import FOLDER, projected_px


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
    tracked = track_person(FOLDER / f"cam{camera}.mp4", create_detector("mediapipe"), end_s=1.0).keypoints
    joints = [joint for joint in LIMB_12 if "hip" not in joint and "shoulder" not in joint]  # places all agree on
    true_px = projected_px(camera, joints)[: len(tracked.times_s)]
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


@needs_shared
def test_joints_do_not_trail_behind_the_motion_unless_mediapipe_smooths_them() -> None:
    joints = ["left_wrist", "right_wrist", "right_ankle", "right_knee", "left_elbow", "right_elbow"]
    true_px = projected_px("04", joints)[:60]
    speed_px = np.gradient(true_px, axis=0)

    def trail_frames(smoothed: bool) -> float:
        found = track_person(FOLDER / "cam04.mp4", MediapipeDetector(smoothed=smoothed), end_s=0.999).keypoints
        error_px = true_px - found.xy_px[:, found.skeleton.indices(*joints)]
        error_px -= np.median(error_px, axis=0)
        return float((error_px * speed_px).sum() / (speed_px**2).sum())

    assert trail_frames(False) < trail_frames(True) - 0.25
