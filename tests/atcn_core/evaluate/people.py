"""Made-up persons that move, and small networks with random weights, for the evaluation's tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from atcn_core.clip import Motion3D
from atcn_core.evaluate.staged import StagedTake
from atcn_core.evaluate.takes import KnownTake
from atcn_core.frames import WORLD_FROM_CAM, Intrinsics
from atcn_core.lift.checkpoint import save_network
from atcn_core.lift.network import Atcn, AtcnConfig
from atcn_core.skeleton import CAPTURE, H36M_17
from atcn_core.train.rivals import RivalConfig, build_rival

from ...moving_person import striding

_STANDING_M = {
    "hip": (0.0, 0.0, 0.95),
    "hip_side": (0.11, 0.0, 0.95),
    "knee": (0.12, 0.0, 0.5),
    "ankle": (0.12, 0.05, 0.08),
    "spine": (0.0, 0.02, 1.2),
    "thorax": (0.0, 0.0, 1.45),
    "nose": (0.0, -0.1, 1.62),
    "head": (0.0, 0.0, 1.75),
    "shoulder": (0.18, 0.0, 1.42),
    "elbow": (0.3, 0.0, 1.18),
    "wrist": (0.35, -0.1, 0.95),
}


def walking(frames: int = 45, seed: int = 0) -> np.ndarray:
    """(T, 17, 3) metres, z up, Human3.6M's joints: a standing pose that sways and drifts."""
    rng = np.random.default_rng(seed)
    pose = []
    for joint in H36M_17.joints:
        side, _, part = joint.partition("_")
        x, y, z = _STANDING_M["hip_side" if part == "hip" else part or side]
        pose.append((-x if side == "right" else x, y, z))
    t = np.arange(frames)[:, None, None] / 30.0
    sway = 0.08 * np.sin(2 * t + rng.uniform(0, 6, (1, 17, 3)))
    sway[:, [H36M_17.index(j) for j in ("hip", "left_hip", "right_hip")]] = 0.0
    return np.array(pose) + sway + np.concatenate([0.6 * t, 0 * t, 0 * t], axis=2)


def write_positions(path: Path, *takes: np.ndarray, fps: float = 30.0) -> Path:
    """The plain .npz of joint positions."""
    arrays = {f"pos_{i}": take for i, take in enumerate(takes)}
    names = {f"take_{i}": np.array(f"S9_Walking{i or ''}") for i in range(len(takes))}
    np.savez(path, fps=np.array(fps), **arrays, **names)
    return path


def small_atcn(seed: int = 0, **changes: object) -> Atcn:
    """A tiny ATCN for the capture set, in evaluation mode."""
    torch.manual_seed(seed)
    sizes = {"stages": 3, "values_per_joint": 3, "channels": 16, "groups": 8, "reduction": 8, **changes}
    return Atcn(AtcnConfig(len(CAPTURE), len(CAPTURE), **sizes)).eval()  # type: ignore[arg-type]


def write_weights(folder: Path) -> tuple[Path, Path]:
    """Weights files of a tiny ATCN and of a tiny VideoPose3D."""
    torch.manual_seed(1)
    rival = build_rival(RivalConfig("videopose3d", len(CAPTURE), len(CAPTURE), 27, channels=16)).eval()
    save_network(folder / "a.safetensors", small_atcn(), {"windows": 1234, "minutes": 1.5})
    save_network(folder / "b.safetensors", rival)
    return folder / "a.safetensors", folder / "b.safetensors"


def filmed_walker(seconds: float = 4.0) -> tuple[StagedTake, np.ndarray]:
    """Somebody who walks before a level camera, and which points stand."""
    person, standing = striding(seconds)
    joints_cam = (person.joints_world + np.array([0.0, 8.0, -1.0])) @ WORLD_FROM_CAM
    root_cam = joints_cam[:, 0].astype(np.float32)
    about_root = (joints_cam - joints_cam[:, :1]).astype(np.float32)
    score = np.ones(joints_cam.shape[:2], dtype=np.float32)
    camera = Intrinsics(1000.0, (500.0, 500.0))
    motion = Motion3D(CAPTURE, person.times_s, 30.0, (1000, 1000), about_root, root_cam, score, camera)
    take = KnownTake("walk_01", person.joints_world, np.ones(len(CAPTURE), dtype=bool))
    return StagedTake(take, joints_cam, -np.eye(3)[1], motion), standing
