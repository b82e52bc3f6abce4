"""The rivals' sizes are those of their papers, and each reads exactly the frames it should."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from atcn_core.train.rivals import KINDS, RivalConfig, build_rival


def parameters(kind: str, joints: int = 17, frames: int = 243, values: int = 2) -> int:
    network = build_rival(RivalConfig(kind, joints, joints, frames, values))
    return sum(p.numel() for p in network.parameters())


def small(kind: str, frames: int = 27, causal: bool = False, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_rival(RivalConfig(kind, 5, 4, frames, channels=16, causal=causal)).eval()


@pytest.mark.parametrize(("frames", "count"), [(27, 8_555_571), (81, 12_753_971), (243, 16_952_371)])
def test_videopose3d_has_its_papers_parameters(frames: int, count: int) -> None:
    assert parameters("videopose3d", frames=frames) == count


@pytest.mark.parametrize(("joints", "millions"), [(16, 4.29), (17, 4.30)])
def test_martinez_has_its_papers_parameters(joints: int, millions: float) -> None:
    width = 1024
    closed_form = (2 * joints + 1) * width + 4 * (width + 1) * width + 5 * 2 * width + (width + 1) * 3 * joints
    assert parameters("martinez", joints) == closed_form
    assert round(closed_form / 1e6, 2) == pytest.approx(millions, abs=0.006)


@pytest.mark.parametrize(("joints", "millions"), [(32, 16.96), (17, 16.89)])
def test_hossains_has_the_literatures_parameters_with_all_of_human36ms_joints(joints: int, millions: float) -> None:
    width = 1024
    cell = 2 * width * 4 * width + 2 * 5 * width  # the gates' products; scale and shift of four gates and the state
    closed_form = (2 * joints + 1) * width + 2 * cell + (width + 1) * 3 * joints
    assert parameters("hossain", joints) == closed_form
    assert round(closed_form / 1e6, 2) == millions


@pytest.mark.parametrize("causal", [False, True], ids=["centred", "causal"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pose_depends_on_exactly_the_frames_it_should(kind: str, causal: bool) -> None:
    network = small(kind, causal=causal)
    window = torch.randn(3, 27, 5, 3, requires_grad=True)
    network(window).square().sum().backward()
    assert window.grad is not None
    read = window.grad.abs().sum((0, 2, 3)).nonzero().flatten().tolist()
    config = network.config
    assert isinstance(config, RivalConfig)
    reach = {"videopose3d": 27, "martinez": 1, "hossain": 5}[kind]
    first = config.target - (reach - 1 if causal else reach // 2)
    assert read == list(range(first, first + reach))
    assert config.frames_read == reach


def test_videopose3d_is_the_dilated_convolution_of_its_paper() -> None:
    """Against torch's own Conv1d, dilated as in the paper's figure, at the one frame the strided form computes."""
    network = small("videopose3d")
    window = torch.randn(2, 27, 5, 3)
    x = window.flatten(2).transpose(1, 2)
    for level, block in enumerate([network.expand, *network.wide]):
        linear, norm = block[0], block[1]
        conv = nn.Conv1d(x.shape[1], 16, 3, dilation=3**level, bias=False)
        conv.weight.data = linear.weight.detach().view(16, 3, -1).transpose(1, 2)
        wide = nn.functional.relu(nn.functional.batch_norm(conv(x), norm.running_mean, norm.running_var))
        if level == 0:
            x = wide
            continue
        narrow = network.narrow[level - 1](wide.transpose(1, 2)).transpose(1, 2)
        x = x[:, :, 3**level : -(3**level)] + narrow
    expected = network.head(x[:, :, 0]).unflatten(-1, (4, 3))
    assert torch.allclose(network(window), expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_windows_go_in_and_poses_come_out_as_with_atcn(kind: str) -> None:
    network = small(kind, frames=243)
    assert network(torch.randn(3, 243, 5, 3)).shape == (3, 4, 3)
    with pytest.raises(ValueError, match="window has shape"):
        network(torch.randn(3, 242, 5, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_each_learns_something(kind: str) -> None:
    network = small(kind).train()
    window = torch.randn(64, 27, 5, 3)
    wanted = torch.tanh(window[:, 13, :4])
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = (network(window) - wanted).norm(dim=-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"kind": "other"}, "none of"),
        ({"kind": "videopose3d", "frames": 100}, "power of 3"),
        ({"kind": "hossain", "frames": 3}, "too few"),
        ({"kind": "martinez", "values_per_joint": 4}, "values_per_joint"),
        ({"kind": "martinez", "dropout": 1.0}, "dropout"),
    ],
)
def test_a_wrong_configuration_is_refused(changes: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RivalConfig(**{"joints_in": 17, "joints_out": 17, **changes})
