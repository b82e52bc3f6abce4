"""The façade of lifting: one person's 2D keypoints over a clip in, 3D joints at the same times out."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor

from ..clip import Keypoints2D
from ..errors import KeypointsError
from ..frames import Intrinsics, px_to_ray
from ..reporter import Reporter
from ..skeleton import CAPTURE
from .checkpoint import load_network
from .device import pick_device
from .network import Atcn
from .normalisation import flip_poses, flip_windows, normalise_windows, quantise_score
from .weights import BUNDLED, network_file

__all__ = ["TRAINING_FPS", "Lifter", "flip_averaged", "resample_keypoints"]

TRAINING_FPS = 30.0
_BATCH = 128
# Between two sightings further apart than this a joint counts as hidden, not as moving evenly.
_LONGEST_GAP_S = 0.25


def resample_keypoints(keypoints: Keypoints2D, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints at other times: straight between sightings.

    Returns xy_px (T', J, 2), finite everywhere, and score (T', J), 0 where the joint was not seen around that time.
    """
    frames, joints = len(times_s), len(keypoints.skeleton)
    xy_px = np.zeros((frames, joints, 2), dtype=np.float32)
    score = np.zeros((frames, joints), dtype=np.float32)
    frame_s = float(np.median(np.diff(keypoints.times_s))) if len(keypoints.times_s) > 1 else 0.0
    longest_gap_s = max(_LONGEST_GAP_S, 1.5 * frame_s)
    for joint in range(joints):
        seen = keypoints.score[:, joint] > 0
        if not seen.any():
            continue
        seen_s, seen_score = keypoints.times_s[seen], keypoints.score[seen, joint]
        for axis in range(2):
            xy_px[:, joint, axis] = np.interp(times_s, seen_s, keypoints.xy_px[seen, joint, axis])
        after = np.searchsorted(seen_s, times_s, side="left").clip(0, len(seen_s) - 1)
        before = np.searchsorted(seen_s, times_s, side="right").clip(1, len(seen_s)) - 1
        apart_s = np.maximum(seen_s[after], times_s) - np.minimum(seen_s[before], times_s)
        score[:, joint] = np.where(apart_s <= longest_gap_s, np.minimum(seen_score[before], seen_score[after]), 0.0)
    return xy_px, score


def flip_averaged(network: Atcn, inputs: Tensor) -> Tensor:
    """The mean of the pose and of the mirrored person's pose mirrored back. inputs: (B, N, J, 3). Returns (B, J, 3)."""
    mirror = torch.tensor(CAPTURE.mirror, device=inputs.device)
    flipped = network(flip_windows(inputs, mirror))
    return 0.5 * (network(inputs) + flip_poses(flipped, mirror))


class Lifter:
    """A network on a device, ready to lift clips."""

    def __init__(self, network: Atcn, device: str = "auto") -> None:
        self._device = pick_device(device)
        self._network = network.to(self._device).eval()

    @staticmethod
    def bundled(device: str = "auto") -> Lifter:
        """The network that comes with the add-on. Raises ModelError."""
        return Lifter(load_network(BUNDLED), device)

    @staticmethod
    def named(name: str, device: str = "auto") -> Lifter:
        """A bundled network by its name, or that of a weights file. Raises ModelError."""
        return Lifter(load_network(network_file(name)), device)

    @property
    def device(self) -> str:
        """The processor in use: "cuda", "mps" or "cpu"."""
        return self._device.type

    def lift(
        self, keypoints: Keypoints2D, camera: Intrinsics, reporter: Reporter, fixed_from_cam: np.ndarray | None = None
    ) -> np.ndarray:
        """3D joints at the keypoints' own times.

        keypoints: in the capture set (clip.to_capture). fixed_from_cam: (T, 3, 3), where the camera turns slowly:
        rotation from each frame's `cam` axes into fixed ones; the joints are still told in each frame's own.
        Returns (T, J, 3) float32 metres relative to the hip, in `cam` axes. Raises CancelledError, KeypointsError.
        """
        if keypoints.skeleton != CAPTURE:
            raise KeypointsError(f"The keypoints are {keypoints.skeleton.name}, not {CAPTURE.name}.")
        start_s, end_s = keypoints.times_s[0], keypoints.times_s[-1]
        # The network knows one frame rate; the clip is brought to it, and the result back to the clip's own times.
        times_s = start_s + np.arange(int(np.ceil((end_s - start_s) * TRAINING_FPS)) + 1) / TRAINING_FPS
        xy_px, score = resample_keypoints(keypoints, times_s)
        rays = torch.from_numpy(px_to_ray(xy_px, camera).astype(np.float32)).to(self._device)
        visibility = quantise_score(torch.from_numpy(score).to(self._device))
        turns = None
        if fixed_from_cam is not None:
            turns = torch.from_numpy(_turns_at(fixed_from_cam, keypoints.times_s, times_s)).to(self._device)
        poses = np.empty((len(times_s), len(CAPTURE), 3), dtype=np.float32)
        for first in range(0, len(times_s), _BATCH):
            reporter.check_cancelled()
            targets = torch.arange(first, min(first + _BATCH, len(times_s)), device=self._device)
            poses[first : first + _BATCH] = self._lift_windows(rays, visibility, targets, turns).cpu().numpy()
            reporter.progress("lift", min(first + _BATCH, len(times_s)), len(times_s))
        return _interpolated(poses, times_s, keypoints.times_s)

    @torch.inference_mode()
    def _lift_windows(self, rays: Tensor, visibility: Tensor, targets: Tensor, turns: Tensor | None) -> Tensor:
        """Poses (B, J, 3) in `cam` axes of the target frames; beyond the clip's ends its last frames are repeated."""
        config = self._network.config
        offsets = torch.arange(config.frames, device=self._device) - config.target
        index = (targets[:, None] + offsets).clamp(0, len(rays) - 1)
        seen, shown = rays[index], visibility[index]
        if turns is not None:
            seen, shown = _before_target(seen, shown, turns[index], turns[targets])
        windows = normalise_windows(seen, shown, config.target, config.root)
        poses = flip_averaged(self._network, windows.inputs)
        return (poses - poses[:, config.root : config.root + 1]) @ windows.cam_from_turned.transpose(1, 2)


def _turns_at(turns: np.ndarray, from_s: np.ndarray, to_s: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) at other times (T', 3, 3) float32, evenly between neighbours."""
    if len(from_s) == 1:
        return np.repeat(turns, len(to_s), axis=0).astype(np.float32)
    between = Slerp(from_s, Rotation.from_matrix(turns))
    return between(to_s.clip(from_s[0], from_s[-1])).as_matrix().astype(np.float32)


def _before_target(rays: Tensor, visibility: Tensor, turns: Tensor, target_turns: Tensor) -> tuple[Tensor, Tensor]:
    """Rays (B, N, J, 2) of a turning camera as it would see them had it stood as in each window's target frame.

    turns: (B, N, 3, 3) and target_turns: (B, 3, 3), rotations into common axes. What is out of sight there is hidden.
    """
    target_from_cam = target_turns.transpose(1, 2).unsqueeze(1) @ turns
    directions = torch.nn.functional.pad(rays, (0, 1), value=1.0) @ target_from_cam.transpose(2, 3)
    depth = directions[..., 2:]
    return directions[..., :2] / depth.clamp_min(0.05), visibility * (depth[..., 0] > 0.05)


def _interpolated(poses: np.ndarray, from_s: np.ndarray, to_s: np.ndarray) -> np.ndarray:
    """Poses (T, J, 3) at other times within the same span, straight between neighbours."""
    if len(from_s) == 1:
        return np.repeat(poses, len(to_s), axis=0)
    after = np.searchsorted(from_s, to_s).clip(1, len(from_s) - 1)
    share = ((to_s - from_s[after - 1]) / (from_s[after] - from_s[after - 1])).clip(0.0, 1.0)[:, None, None]
    return (poses[after - 1] * (1.0 - share) + poses[after] * share).astype(np.float32)
