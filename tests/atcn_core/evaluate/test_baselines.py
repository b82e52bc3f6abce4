"""The baselines of the held-out table."""

from __future__ import annotations

import pytest
import torch

from atcn_core.evaluate.baselines import LinearLifter, MeanPose
from atcn_core.train.sampler import CLEAN_VIEW, MotionBank, WindowSampler
from tests.atcn_core.train.test_sampler import CPU, a_take


@pytest.mark.parametrize("target", [0, 13, 26], ids=["first", "middle", "last, as a causal network's"])
def test_the_linear_lifter_beats_the_mean_pose_wherever_the_target_is(target: int) -> None:
    sampler = WindowSampler(
        MotionBank([a_take(90)], CPU), CLEAN_VIEW, frames=27, target=target, generator=torch.Generator().manual_seed(0)
    )
    linear, mean = LinearLifter(sampler, 2048), MeanPose(sampler, 512)
    batch = sampler.draw(256)
    errors = {type(one): (one(batch.inputs) - batch.poses).norm(dim=-1).mean() for one in (linear, mean)}
    assert errors[LinearLifter] < errors[MeanPose]
