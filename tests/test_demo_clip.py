"""The demo clip shows a person a detector finds, where the stored joints say; its feet stand still while they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.detect import create_detector
from atcn_core.detect.track import track_person
from atcn_core.frames import Intrinsics, cam_to_px
from atcn_core.skeleton import CAPTURE, LIMB_12
from atcn_core.video import frame_times, probe

DATA = Path(__file__).parent / "data"
CLIP, TRUTH = DATA / "demo.mp4", DATA / "demo_truth.npz"
LARGEST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    with np.load(TRUTH, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def test_the_clip_is_small_and_as_long_as_its_truth(truth: dict[str, np.ndarray]) -> None:
    assert CLIP.stat().st_size <= LARGEST_BYTES
    assert probe(CLIP).image_wh_px == tuple(truth["image_wh_px"])
    times_s = frame_times(CLIP)
    assert 4.0 <= times_s[-1] <= 6.5
    assert np.allclose(times_s - times_s[0], truth["times_s"], atol=1e-3)


def test_the_truth_names_the_capture_joints_and_projects_onto_itself(truth: dict[str, np.ndarray]) -> None:
    assert str(truth["schema"]) == "atcn.truth/1"
    assert str(truth["licence"]).startswith("CC0-1.0")
    assert tuple(truth["joint_names"]) == CAPTURE.joints
    assert truth["joints_cam"].shape == (len(truth["times_s"]), len(CAPTURE), 3)
    lens = Intrinsics(float(truth["focal_px"]), tuple(truth["centre_px"]))
    assert np.allclose(cam_to_px(truth["joints_cam"], lens), truth["xy_px"], atol=0.01)
    assert np.all((truth["xy_px"] > 0) & (truth["xy_px"] < truth["image_wh_px"]))


def test_its_limbs_keep_their_lengths(truth: dict[str, np.ndarray]) -> None:
    for side in ("left", "right"):
        for chain in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "heel")):
            places = truth["joints_cam"][:, CAPTURE.indices(*(f"{side}_{joint}" for joint in chain))]
            lengths_m = np.linalg.norm(np.diff(places, axis=1), axis=-1)
            assert np.ptp(lengths_m, axis=0).max() < 1e-3


def test_it_shows_lively_motion(truth: dict[str, np.ndarray]) -> None:
    places_m = truth["joints_cam"]
    hip, wrist, nose = (places_m[:, CAPTURE.index(joint)] for joint in ("hip", "right_wrist", "nose"))
    assert np.ptp(hip[:, 0]) > 0.5, "walks across"
    assert np.ptp(hip[:, 1]) > 0.2, "squats"
    assert (wrist[:, 1] < nose[:, 1] - 0.2).mean() > 0.1, "raises an arm (y points down)"


def test_the_detector_finds_the_person_with_every_landmark_on_its_joint(truth: dict[str, np.ndarray]) -> None:
    keypoints = track_person(CLIP, create_detector("mediapipe")).keypoints
    assert keypoints.seen.mean() >= 0.95
    joints = [joint for joint in CAPTURE.joints if joint in keypoints.skeleton.joints]
    found_px = keypoints.xy_px[:, keypoints.skeleton.indices(*joints)]
    true_px = truth["xy_px"][:, CAPTURE.indices(*joints)]
    height_px = np.median(np.ptp(truth["xy_px"][..., 1], axis=1))
    error = np.linalg.norm(found_px - true_px, axis=-1) / height_px
    assert np.nanmedian(error) < 0.015
    by_joint = dict(zip(joints, np.nanmedian(error, axis=0), strict=True))
    assert max(by_joint[joint] for joint in LIMB_12) < 0.03, by_joint
    assert max(by_joint.values()) < 0.05, by_joint
