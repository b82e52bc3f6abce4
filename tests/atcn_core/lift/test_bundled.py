"""The bundled network's own quality, on motion it was not trained on and whose joints are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from atcn_core.clip import Keypoints2D, to_capture
from atcn_core.evaluate.held_out import score_held_out
from atcn_core.evaluate.metrics import mpjpe, p_mpjpe
from atcn_core.frames import Intrinsics
from atcn_core.lift.checkpoint import load_network
from atcn_core.lift.predict import Lifter
from atcn_core.lift.weights import BUNDLED
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE, LIMB_12, MEDIAPIPE_33

ROOT = Path(__file__).parents[3]
MOCAP = ROOT / ".." / "shared" / "mocap"
DEMO = ROOT / "tests" / "data" / "demo_truth.npz"


def _demo() -> tuple[Keypoints2D, Intrinsics, np.ndarray]:
    """The demo clip's true picture of the joints a detector sees, its camera, and the limbs in 3D about the hips."""
    with np.load(DEMO, allow_pickle=False) as truth:
        joints = [str(name) for name in truth["joint_names"]]
        score = np.array([float(joint in MEDIAPIPE_33.joints) for joint in joints], dtype=np.float32)
        frames = len(truth["times_s"])
        keypoints = Keypoints2D(
            CAPTURE,
            truth["times_s"],
            float(truth["fps"]),
            (int(truth["image_wh_px"][0]), int(truth["image_wh_px"][1])),
            truth["xy_px"].astype(np.float32),
            np.tile(score, (frames, 1)),
        )
        camera = Intrinsics(float(truth["focal_px"]), (float(truth["centre_px"][0]), float(truth["centre_px"][1])))
        true_cam = truth["joints_cam"][:, CAPTURE.indices(*LIMB_12)]
    return to_capture(keypoints), camera, true_cam


def _about_hips(points: np.ndarray) -> np.ndarray:
    hips = [LIMB_12.index("left_hip"), LIMB_12.index("right_hip")]
    return points - points[:, hips].mean(axis=1, keepdims=True)


def test_the_demo_is_lifted_to_where_its_joints_are() -> None:
    keypoints, camera, true_cam = _demo()
    lifted = Lifter.bundled("cpu").lift(keypoints, camera, Reporter())[:, CAPTURE.indices(*LIMB_12)]
    lifted, true_cam = _about_hips(lifted), _about_hips(true_cam)
    still = np.tile(true_cam.mean(axis=0), (len(true_cam), 1, 1))
    assert mpjpe(lifted, true_cam) < 0.100
    assert p_mpjpe(lifted, true_cam) < 0.065
    # Even the clip's own true mean pose, which nobody knows beforehand, is further off.
    assert mpjpe(lifted, true_cam) < 0.7 * mpjpe(still, true_cam)


@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion files are not here")
def test_held_out_motion_is_lifted_far_better_than_by_a_linear_map_or_the_mean_pose() -> None:
    errors_mm = {
        (row["2D input"], str(row["method"]).split()[0]): float(str(row["MPJPE"]))
        for row in score_held_out(load_network(BUNDLED), MOCAP, 256, fit_windows=2560)
    }
    for view in ("clean", "detector-like"):
        assert errors_mm[view, "ATCN"] < 0.8 * errors_mm[view, "linear"]
        assert errors_mm[view, "ATCN"] < 0.5 * errors_mm[view, "mean"]


def test_its_attention_is_alive() -> None:
    # Dead attention would be the same for every frame; over one calm clip the weights differ by some hundredths.
    network = load_network(BUNDLED)
    keypoints, camera, _ = _demo()
    seen: list[list[torch.Tensor]] = [[] for _ in network.attention]
    for layer, kept in zip(network.attention, seen, strict=True):
        layer.register_forward_hook(lambda _module, _inputs, output, kept=kept: kept.append(output))
    Lifter(network, "cpu").lift(keypoints, camera, Reporter())
    spread = [torch.cat(kept).std(dim=0).mean().item() for kept in seen]
    assert min(spread) > 0.005, spread
    assert sum(spread) / len(spread) > 0.015, spread
