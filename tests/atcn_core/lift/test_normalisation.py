"""Ray normalisation: it must take away place, size and view, and nothing else."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from atcn_core.lift.normalisation import flip_poses, flip_windows, normalise_windows, quantise_score, turn_to_axis
from atcn_core.skeleton import CAPTURE

HIP = CAPTURE.index("hip")


def a_person(frames: int = 27) -> torch.Tensor:
    """(1, N, J, 3) points before the camera, wandering a little."""
    generator = torch.Generator().manual_seed(4)
    pose = torch.randn(1, 1, len(CAPTURE), 3, generator=generator) * 0.4
    pose[:, :, HIP] = 0.0
    wander = torch.cumsum(torch.randn(1, frames, 1, 3, generator=generator) * 0.02, dim=1)
    return pose + wander + torch.tensor([0.3, -0.2, 5.0])


def slopes(points: torch.Tensor) -> torch.Tensor:
    return points[..., :2] / points[..., 2:]


def test_turning_to_the_axis_is_a_rotation_that_takes_the_ray_there() -> None:
    rays = torch.randn(20, 2)
    turn = turn_to_axis(rays)
    direction = torch.nn.functional.normalize(torch.nn.functional.pad(rays, (0, 1), value=1.0), dim=-1)
    assert torch.allclose((turn @ direction[..., None])[..., 0], torch.tensor([0.0, 0.0, 1.0]).expand(20, 3), atol=1e-5)
    assert torch.allclose(turn @ turn.transpose(1, 2), torch.eye(3).expand(20, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(turn), torch.ones(20), atol=1e-5)


def test_the_target_root_becomes_the_axis_and_the_size_one() -> None:
    rays = slopes(a_person())
    inputs = normalise_windows(rays, torch.ones(rays.shape[:3]), 13, HIP).inputs
    assert inputs[0, 13, HIP, :2].abs().max() < 1e-5
    offsets = inputs[..., :2] - inputs[:, :, HIP : HIP + 1, :2]
    assert torch.allclose(offsets.square().sum(-1).mean().sqrt(), torch.tensor(1.0), atol=1e-4)


def test_turning_the_camera_changes_nothing_but_roll() -> None:
    points = a_person()
    # A camera turned about its own centre sees the same rays in other coordinates.
    turn = torch.from_numpy(Rotation.from_rotvec([0.2, -0.25, 0.0]).as_matrix()).float()
    seen = torch.ones(points.shape[:3])
    straight = normalise_windows(slopes(points), seen, 13, HIP)
    turned = normalise_windows(slopes(points @ turn.T), seen, 13, HIP)
    # The two views of the axis differ by a turn about it alone.
    a, b = straight.inputs[..., :2].flatten(0, 2), turned.inputs[..., :2].flatten(0, 2)
    assert torch.allclose(a.norm(dim=-1), b.norm(dim=-1), atol=2e-3)
    root = points[0, 13, HIP] / points[0, 13, HIP].norm()
    assert torch.allclose(straight.cam_from_turned[0] @ torch.tensor([0.0, 0.0, 1.0]), root, atol=1e-5)


def test_what_is_not_seen_has_no_influence() -> None:
    rays = slopes(a_person())
    visibility = torch.ones(rays.shape[:3])
    visibility[:, 3:9, 11] = 0.0
    visibility[:, 5] = 0.0
    wild = rays.clone()
    wild[visibility == 0] = 77.0
    clean, disturbed = (normalise_windows(r, visibility, 13, HIP).inputs for r in (rays, wild))
    hidden = visibility == 0
    hidden[:, :, HIP] = False  # the root is filled in from its neighbours
    assert torch.equal(clean, disturbed)
    assert clean[..., :2][hidden].abs().max() == 0.0


def test_a_hip_that_is_never_seen_is_stood_in_for() -> None:
    rays = slopes(a_person())
    visibility = torch.ones(rays.shape[:3])
    visibility[:, :, CAPTURE.indices("hip", "left_hip", "right_hip")] = 0.0
    assert normalise_windows(rays, visibility, 13, HIP).inputs.isfinite().all()


def test_flipping_twice_is_the_identity() -> None:
    mirror = torch.tensor(CAPTURE.mirror)
    windows, poses = torch.randn(2, 27, len(CAPTURE), 3), torch.randn(2, len(CAPTURE), 3)
    assert torch.equal(flip_windows(flip_windows(windows, mirror), mirror), windows)
    assert torch.equal(flip_poses(flip_poses(poses, mirror), mirror), poses)
    assert torch.equal(flip_windows(windows, mirror)[..., 2], windows[:, :, mirror, 2])


def test_scores_become_three_steps() -> None:
    assert quantise_score(torch.tensor([0.0, 0.02, 0.3, 0.9])).tolist() == np.array([0.0, 0.0, 0.5, 1.0]).tolist()
