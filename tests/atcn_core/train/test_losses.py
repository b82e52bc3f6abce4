"""The loss terms against hand-made cases."""

from __future__ import annotations

from dataclasses import replace

import torch

from atcn_core.lift.network import Atcn, AtcnConfig
from atcn_core.skeleton import CAPTURE
from atcn_core.train.losses import LossOptions, SupervisedNetwork, joint_weights, total_loss
from atcn_core.train.sampler import Batch

OFF = LossOptions(context=0.0)


def a_batch(windows: int = 8, *, causal: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(3)
    context = torch.randn(windows, 9, 27, 3, generator=generator)
    depth = torch.full((windows,), 8.0)
    inputs = torch.zeros(windows, 27, 27, 3)
    known = torch.ones(windows, 27, dtype=torch.bool)
    return Batch(inputs, context[:, 8 if causal else 4], context, depth, known, causal)


def loss_of(poses: torch.Tensor, contexts: list[torch.Tensor], batch: Batch, options: LossOptions) -> float:
    return total_loss(poses, contexts, batch, options, joint_weights(torch.device("cpu")), 0.0)[0].item()


def test_the_true_poses_cost_nothing_in_any_term() -> None:
    for causal in (False, True):
        batch = a_batch(causal=causal)
        place = 2 if causal else 1
        contexts = [batch.context, batch.context[:, place::3]]
        everything = LossOptions(1.0, velocity=1.0, bone=1.0, projection=1.0)
        assert loss_of(batch.poses, contexts, batch, everything) < 1e-6


def test_a_shift_costs_its_length_but_no_velocity_and_no_bone() -> None:
    batch = a_batch()
    shifted = batch.poses + torch.tensor([0.0, 0.03, 0.04])
    plain = loss_of(shifted, [], batch, OFF)
    assert abs(plain - 0.05) < 1e-5
    assert abs(loss_of(shifted, [], batch, LossOptions(0.0, velocity=1.0, bone=1.0)) - plain) < 1e-5


def test_depth_along_the_line_of_sight_is_no_matter_to_the_projection() -> None:
    batch = a_batch()
    distance = batch.depth[:, None, None]
    # Pushed along its own ray, every joint is seen where it was.
    away = batch.poses.clone()
    factor = 1.1
    away[..., :2] *= factor
    away[..., 2:] = (batch.poses[..., 2:] + distance) * factor - distance
    with_projection = loss_of(away, [], batch, LossOptions(0.0, projection=1.0))
    assert abs(with_projection - loss_of(away, [], batch, OFF)) < 1e-4


def test_a_joint_that_the_take_lacks_reaches_no_term() -> None:
    batch = a_batch()
    lacking = CAPTURE.indices("spine", "nose", "left_toe")
    known = batch.known.clone()
    known[::2, lacking] = False
    batch = replace(batch, known=known)
    poses = torch.randn(batch.poses.shape, generator=torch.Generator().manual_seed(5)).requires_grad_()
    context = torch.randn(batch.context.shape, generator=torch.Generator().manual_seed(6)).requires_grad_()
    everything = LossOptions(1.0, velocity=1.0, bone=1.0, projection=1.0)
    loss, main = total_loss(poses, [context], batch, everything, joint_weights(torch.device("cpu")), 0.0)
    loss.backward()
    for gradient in (poses.grad, context.grad.transpose(1, 2)):
        moved = gradient.flatten(2).any(dim=-1)
        assert torch.equal(moved, known)
    # Neither does what stands in for the truth there.
    spoilt = batch.poses.clone()
    spoilt[~known] = 100.0
    again = total_loss(
        poses, [context], replace(batch, poses=spoilt), everything, joint_weights(torch.device("cpu")), 0.0
    )
    assert torch.equal(again[1], main)


def test_the_error_is_the_mean_of_the_joints_that_are_known() -> None:
    batch = a_batch()
    known = torch.zeros_like(batch.known)
    known[:, CAPTURE.indices("hip", "left_knee")] = True
    weights = torch.ones(27)
    shifted = batch.poses + torch.tensor([0.0, 0.03, 0.04])
    assert abs(total_loss(shifted, [], replace(batch, known=known), OFF, weights, 0.0)[1].item() - 0.05) < 1e-6


def test_the_weights_of_the_joints_have_mean_one() -> None:
    weights = joint_weights(torch.device("cpu"))
    assert abs(weights.mean().item() - 1.0) < 1e-6
    assert weights[CAPTURE.index("left_toe")] < weights[CAPTURE.index("left_ankle")]


def test_each_layer_answers_for_its_own_frames() -> None:
    config = AtcnConfig(27, 27, stages=3, values_per_joint=3, channels=16, groups=4, reduction=8, dropout=0.0)
    network = Atcn(config).eval()
    supervised = SupervisedNetwork(network, context=True)
    inputs = torch.randn(2, 27, 27, 3)
    poses, contexts = supervised(inputs)
    assert torch.equal(poses, network(inputs))
    assert [c.shape for c in contexts] == [(2, 9, 27, 3), (2, 3, 27, 3)]
    # The first layer's k-th tensor sees the three frames of its block.
    inputs.requires_grad_()
    supervised(inputs)[1][0][0, 4].sum().backward()
    frames = inputs.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()
    assert frames == [12, 13, 14]
    plain = SupervisedNetwork(network, context=False)
    assert plain(inputs)[1] == []
