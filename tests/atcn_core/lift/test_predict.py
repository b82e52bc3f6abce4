"""Lifting whole clips: times, gaps, and the bundled network's own quality on motion with known joints."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from atcn_core.clip import Keypoints2D, to_capture
from atcn_core.errors import CancelledError, EngineError, KeypointsError, ModelError
from atcn_core.frames import Intrinsics
from atcn_core.lift.checkpoint import load_network, save_network
from atcn_core.lift.device import pick_device
from atcn_core.lift.network import Atcn, AtcnConfig
from atcn_core.lift.predict import Lifter, resample_keypoints
from atcn_core.lift.weights import BUNDLED
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE, COCO_17, MEDIAPIPE_33, Skeleton

CAMERA = Intrinsics(900.0, (320.0, 240.0))


def keypoints(times_s: np.ndarray, skeleton: Skeleton = CAPTURE) -> Keypoints2D:
    rng = np.random.default_rng(0)
    base = rng.uniform(100, 300, (1, len(skeleton), 2))
    drift = np.stack([10 * np.sin(times_s), 5 * times_s], axis=1)[:, None]
    score = np.ones((len(times_s), len(skeleton)), dtype=np.float32)
    return Keypoints2D(skeleton, times_s, 25.0, (640, 480), (base + drift).astype(np.float32), score)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    torch.manual_seed(0)
    config = AtcnConfig(len(CAPTURE), len(CAPTURE), stages=3, values_per_joint=3, channels=16, groups=4, reduction=8)
    return Lifter(Atcn(config), "cpu")


@pytest.mark.parametrize(
    "times_s",
    [
        np.arange(40) / 25.0,
        np.arange(7) / 5.0,
        np.arange(100) / 60.0 + 3.0,
        np.array([0.0]),
        np.cumsum([0.1, 0.3, 0.02]),
    ],
    ids=["25 fps", "5 fps", "60 fps from 3 s", "one frame", "uneven"],
)
def test_there_is_one_finite_pose_for_each_frame_about_the_hip(lifter: Lifter, times_s: np.ndarray) -> None:
    joints_cam = lifter.lift(keypoints(times_s), CAMERA, Reporter())
    assert joints_cam.shape == (len(times_s), len(CAPTURE), 3)
    assert np.isfinite(joints_cam).all()
    assert np.abs(joints_cam[:, CAPTURE.index("hip")]).max() == 0.0


@pytest.mark.parametrize("skeleton", [MEDIAPIPE_33, COCO_17], ids=lambda s: s.name)
def test_other_joint_sets_are_lifted_as_well(lifter: Lifter, skeleton: Skeleton) -> None:
    clip = to_capture(keypoints(np.arange(30) / 25.0, skeleton))
    assert np.isfinite(lifter.lift(clip, CAMERA, Reporter())).all()


def test_frames_without_anybody_are_filled(lifter: Lifter) -> None:
    clip = keypoints(np.arange(60) / 25.0)
    clip.score[20:45] = 0.0
    clip.xy_px[20:45] = np.nan
    assert np.isfinite(lifter.lift(clip, CAMERA, Reporter())).all()


def test_the_mirrored_person_is_lifted_to_the_mirrored_pose(lifter: Lifter) -> None:
    clip = keypoints(np.arange(30) / 25.0)
    mirror = list(CAPTURE.mirror)
    flipped_px = clip.xy_px[:, mirror] * [-1.0, 1.0] + [2 * CAMERA.centre_px[0], 0.0]
    flipped = Keypoints2D(CAPTURE, clip.times_s, clip.fps, clip.image_wh_px, flipped_px.astype(np.float32), clip.score)
    pose = lifter.lift(clip, CAMERA, Reporter())
    twin = lifter.lift(flipped, CAMERA, Reporter())
    assert np.allclose(twin, pose[:, mirror] * [-1.0, 1.0, 1.0], atol=1e-4)


def test_another_joint_set_is_refused(lifter: Lifter) -> None:
    with pytest.raises(KeypointsError, match="coco-17"):
        lifter.lift(keypoints(np.arange(3) / 25.0, COCO_17), CAMERA, Reporter())


def test_lifting_stops_when_it_is_cancelled(lifter: Lifter) -> None:
    class Cancelled(Reporter):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(CancelledError):
        lifter.lift(keypoints(np.arange(30) / 25.0), CAMERA, Cancelled())


def test_resampling_keeps_even_motion_and_marks_long_gaps() -> None:
    times_s = np.arange(61) / 60.0
    clip = keypoints(times_s)
    clip.xy_px[:, 3, 0] = 100.0 + 60.0 * times_s
    clip.score[20:50, 5] = 0.0
    clip.xy_px[20:50, 5] = np.nan
    wanted_s = np.arange(31) / 30.0
    xy_px, score = resample_keypoints(clip, wanted_s)
    assert np.allclose(xy_px[:, 3, 0], 100.0 + 60.0 * wanted_s, atol=1e-3)
    assert (score[11:24, 5] == 0).all()
    assert (score[:9, 5] == 1).all()
    assert np.isfinite(xy_px).all()


def test_weights_come_back_as_they_were_but_for_half_precision(tmp_path) -> None:
    network = Atcn(AtcnConfig(27, 27, stages=3, values_per_joint=3, channels=16, groups=4, reduction=8)).eval()
    save_network(tmp_path / "w.safetensors", network)
    again = load_network(tmp_path / "w.safetensors")
    assert again.config == network.config
    window = torch.randn(2, 27, 27, 3)
    assert torch.allclose(again(window), network(window), atol=5e-3)
    assert {p.dtype for p in again.parameters()} == {torch.float32}


def test_missing_and_damaged_weights_are_told_in_words(tmp_path) -> None:
    with pytest.raises(ModelError, match="missing"):
        load_network(tmp_path / "no.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense" * 40)
    with pytest.raises(ModelError, match="damaged"):
        load_network(tmp_path / "bad.safetensors")


def test_no_gpu_is_never_an_error() -> None:
    assert pick_device("auto").type in ("cuda", "mps", "cpu")
    assert pick_device("cuda").type in ("cuda", "mps", "cpu")
    with pytest.raises(EngineError, match="no device"):
        pick_device("abacus")


def test_the_bundled_network_is_the_non_causal_l6xv4_in_half_precision() -> None:
    network = load_network(BUNDLED)
    assert network.config.name == "L6xV4xN243"
    assert BUNDLED.stat().st_size < 2.3 * sum(p.numel() for p in network.parameters())
