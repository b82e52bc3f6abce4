"""The network's shapes, counts and properties, as the specification and the paper's tables state them."""

from __future__ import annotations

import pytest
import torch

from atcn_core.lift.network import PROTOTYPES, Atcn, AtcnConfig, frame_similarity

PAPER = {"kernel_form": "grouped", "temporal_attention": "chain", "dilated_units": False}


def parameters(**options: object) -> int:
    return sum(p.numel() for p in Atcn(AtcnConfig(17, 17, **options)).parameters())  # type: ignore[arg-type]


def small(**options: object) -> Atcn:
    torch.manual_seed(0)
    defaults = {"stages": 3, "channels": 16, "groups": 4, "reduction": 8, "dropout": 0.0}
    return Atcn(AtcnConfig(17, 17, **{**defaults, **options})).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize(("stages", "count"), [(3, 4_112_367), (4, 8_251_517), (5, 14_520_363)])
def test_the_three_prototypes_have_the_specified_parameter_counts(stages: int, count: int) -> None:
    assert parameters(stages=stages) == count


@pytest.mark.parametrize(("stages", "count"), [(3, 5_693_029), (4, 8_462_273), (5, 11_249_175)])
def test_the_grouped_form_reproduces_the_papers_table_1(stages: int, count: int) -> None:
    assert parameters(stages=stages, **PAPER) == count


@pytest.mark.parametrize(
    ("options", "millions"),
    [
        ({"kernels": 2}, 9.14),
        ({"kernels": 4}, 13.36),
        ({"groups": 1}, 44.28),
        ({"groups": 2}, 25.40),
        ({"groups": 4}, 15.97),
        ({"groups": 16}, 8.89),
        ({"reduction": 64}, 10.20),
        ({"reduction": 256}, 13.35),
        ({"temporal_attention": "off"}, 11.23),
        ({"stages": 3, "kernels": 2, "groups": 4}, 6.21),
    ],
)
def test_the_ablations_have_the_papers_parameter_counts(options: dict, millions: float) -> None:
    assert parameters(**{"stages": 5, **PAPER, **options}) / 1e6 == pytest.approx(millions, abs=0.006)


@pytest.mark.parametrize(("prototype", "frames"), [("L4xV2", 27), ("L5xV3", 81), ("L6xV4", 243)])
def test_the_prototypes_windows_are_27_81_and_243_frames(prototype: str, frames: int) -> None:
    assert small(stages=PROTOTYPES[prototype]).receptive_field() == frames


@pytest.mark.parametrize("stages", [3, 4, 5])
@pytest.mark.parametrize("causal", [False, True])
def test_every_frame_of_the_window_and_no_other_matters(stages: int, causal: bool) -> None:
    network = small(stages=stages, causal=causal, temporal_attention="off")
    window = torch.randn(2, 3**stages, 17, 2, requires_grad=True)
    network(window).sum().backward()
    assert window.grad is not None
    assert (window.grad.abs().sum((0, 2, 3)) > 0).all()


@pytest.mark.parametrize("form", ["separable", "grouped"])
@pytest.mark.parametrize("attention", ["direct", "chain", "off"])
@pytest.mark.parametrize("dilated", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("values", [2, 3])
def test_every_configuration_gives_one_pose_a_window(
    form: str, attention: str, dilated: bool, causal: bool, values: int
) -> None:
    network = small(
        kernel_form=form,
        temporal_attention=attention,
        dilated_units=dilated,
        causal=causal,
        values_per_joint=values,
    )
    assert network(torch.randn(3, 27, 17, values)).shape == (3, 17, 3)


def test_the_target_of_a_causal_network_is_its_last_frame() -> None:
    assert small(causal=True).config.target == 26
    assert small(causal=False).config.target == 13


def _branch_reads(causal: bool, dilation: int) -> list[set[int]]:
    """Which input frames each output of a kernel-attention branch reads."""
    branch = small(causal=causal).kernels[0].branches[dilation - 1]
    frames = torch.randn(1, 9, 16, requires_grad=True)
    outputs = branch(frames)
    reads = []
    for k in range(3):
        (gradient,) = torch.autograd.grad(outputs[0, k].sum(), frames, retain_graph=True)
        reads.append({int(i) for i in gradient[0].abs().sum(-1).nonzero()})
    return reads


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_causal_branch_reads_its_blocks_last_frame_and_earlier_ones_only(dilation: int) -> None:
    expected = [{max(3 * k + 2 - step * dilation, 0) for step in range(3)} for k in range(3)]
    assert _branch_reads(True, dilation) == expected


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_branch_reads_around_its_blocks_centre(dilation: int) -> None:
    expected = [{min(max(3 * k + 1 + step * dilation, 0), 8) for step in (-1, 0, 1)} for k in range(3)]
    assert _branch_reads(False, dilation) == expected


def test_no_output_of_a_causal_network_over_a_clip_changes_when_a_later_frame_does() -> None:
    network = small(causal=True)
    clip = torch.randn(40, 17, 2)
    changed = clip.clone()
    changed[30:] += 5.0

    def outputs(frames: torch.Tensor) -> torch.Tensor:
        index = (torch.arange(40)[:, None] + torch.arange(-26, 1)).clamp_min(0)
        return network(frames[index])

    before, after = outputs(clip), outputs(changed)
    assert torch.equal(before[:30], after[:30])
    assert not torch.equal(before[30:], after[30:])


def test_frame_similarity_is_one_at_the_target_and_ignores_scale_and_shift() -> None:
    window = torch.randn(4, 27, 17, 2)
    similarity = frame_similarity(window, 13, 0)
    assert torch.allclose(similarity[:, 13], torch.ones(4), atol=1e-5)
    assert similarity.min() < 0  # signed
    factor, shift = torch.rand(4, 27, 1, 1) + 0.5, torch.randn(4, 27, 1, 2)
    assert torch.allclose(frame_similarity(window * factor + shift, 13, 0), similarity, atol=1e-4)


def test_frame_similarity_counts_only_joints_seen_in_both_frames() -> None:
    window = torch.cat([torch.randn(2, 27, 17, 2), torch.ones(2, 27, 17, 1)], dim=-1)
    window[:, 5, 3, 2] = 0.0
    window[:, 13, 7, 2] = 0.0
    kept = [j for j in range(17) if j not in (3, 7)]
    expected = frame_similarity(window[:, :, kept, :2], 13, 0)[:, 5]
    assert torch.allclose(frame_similarity(window, 13, 0)[:, 5], expected, atol=1e-5)


def test_attention_varies_between_samples_from_the_start() -> None:
    network = small(stages=5, temporal_attention="direct").train()
    for weights in network.attention_weights(torch.randn(64, 243, 17, 2)):
        assert weights.std(dim=0).mean() > 0.1


def test_a_window_of_the_wrong_shape_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"expected \(B, 27, 17, 2\)"):
        small()(torch.randn(2, 81, 17, 2))


@pytest.mark.parametrize(
    "options", [{"kernel_form": "dense"}, {"temporal_attention": "soft"}, {"values_per_joint": 4}, {"groups": 3}]
)
def test_a_wrong_configuration_is_refused(options: dict) -> None:
    with pytest.raises(ValueError, match=r"neither|not|expected"):
        small(**options)
