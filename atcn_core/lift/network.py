"""The attention temporal convolutional network (ATCN) of Liu et al.: shapes and arithmetic only, no data, no files.

Equation numbers are the paper's. Tensors inside run (B, F, C), time before channels, so that every 1x1
convolution is one matrix product.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name PyTorch's own documentation uses

__all__ = ["PROTOTYPES", "Atcn", "AtcnConfig", "BatchNorm", "frame_similarity", "set_momentum"]

_EPS = 1e-6


@dataclass(frozen=True)
class AtcnConfig:
    """What makes one network of the family.

    stages:             S = L - 1 temporal stages of width 3; the window is N = 3^S frames.
    values_per_joint:   2 (x, y) or 3 (x, y, visibility; 0 means not seen).
    root:               index of the input joint that eq. 2 centres the poses on.
    kernels, groups, reduction: M, G and r of the kernel attention (eqs. 4-6).
    kernel_form:        "separable" (depthwise + grouped 1x1) or "grouped" (one grouped K3 convolution: the form
                        whose parameter counts the paper prints; its convolutions have a bias, and its input
                        unit is one K3 convolution).
    temporal_attention: "direct" (every layer's weights from W_0), "chain" (from the layer before, eq. 3 as
                        printed) or "off".
    dilated_units:      the multi-scale dilation of section 4.
    causal:             the target is the window's last frame, and no later frame is read.
    """

    joints_in: int
    joints_out: int
    stages: int = 5
    values_per_joint: int = 2
    root: int = 0
    channels: int = 1024
    kernels: int = 3
    groups: int = 8
    reduction: int = 128
    dropout: float = 0.2
    kernel_form: str = "separable"
    temporal_attention: str = "direct"
    dilated_units: bool = True
    causal: bool = False

    def __post_init__(self) -> None:
        if self.stages < 2:
            raise ValueError(f"stages is {self.stages}, the smallest network has 2")
        if self.values_per_joint not in (2, 3):
            raise ValueError(f"values_per_joint is {self.values_per_joint}, expected 2 or 3")
        if self.channels % self.groups:
            raise ValueError(f"{self.channels} channels do not split into {self.groups} groups")
        if self.kernel_form not in ("separable", "grouped"):
            raise ValueError(f"kernel_form {self.kernel_form!r} is neither 'separable' nor 'grouped'")
        if self.temporal_attention not in ("direct", "chain", "off"):
            raise ValueError(f"temporal_attention {self.temporal_attention!r} is not 'direct', 'chain' or 'off'")

    @property
    def frames(self) -> int:
        """N, the window's length."""
        return 3**self.stages

    @property
    def target(self) -> int:
        """Index of the target frame in the window."""
        return self.frames - 1 if self.causal else self.frames // 2

    @property
    def levels(self) -> int:
        """V = L - 2: dilation levels with the main path as level 0; 1 without dilated units."""
        return self.stages - 1 if self.dilated_units else 1

    @property
    def name(self) -> str:
        """The paper's way of naming it, for example "L6xV4xN243"."""
        return f"L{self.stages + 1}xV{self.stages - 1}xN{self.frames}" + ("-causal" if self.causal else "")


# The paper's three prototypes: stages by name.
PROTOTYPES = {"L4xV2": 3, "L5xV3": 4, "L6xV4": 5}


def frame_similarity(window: Tensor, target: int, root: int) -> Tensor:
    """W_0 (eq. 2): cosine similarity of every frame's root-centred 2D pose to the target frame's.

    window: (B, N, J, 2 or 3); with a third value, only joints whose third value is above 0 in both frames count.
    Returns: (B, N), signed; the same for scaled and shifted poses.
    """
    xy = window[..., :2] - window[:, :, root : root + 1, :2]
    if window.shape[-1] == 3:
        seen = (window[..., 2:] > 0).to(xy.dtype)
        xy = xy * seen
        # Each side must leave out what the other has not seen, also in its length.
        dot = (xy * xy[:, target : target + 1]).sum((-1, -2))
        length = (xy.square() * seen[:, target : target + 1]).sum((-1, -2)).sqrt()
        target_length = (xy[:, target : target + 1].square() * seen).sum((-1, -2)).sqrt()
        return dot / (length * target_length).clamp_min(_EPS)
    flat = xy.flatten(2)
    return F.cosine_similarity(flat, flat[:, target : target + 1], dim=-1, eps=_EPS)


class BatchNorm(nn.BatchNorm1d):
    """BatchNorm over the last axis of (B, F, C) or (B, C).

    rate: the momentum once more, as a tensor: a compiled step would be compiled anew for every other number.
    """

    rate: Tensor

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.register_buffer("rate", torch.tensor(0.1), persistent=False)

    def set_momentum(self, momentum: float) -> None:
        """How far the running mean and variance follow each batch."""
        self.momentum = momentum
        self.rate.fill_(momentum)

    def forward(self, input: Tensor) -> Tensor:
        rows = input.flatten(0, -2)
        if not (self.training and torch.compiler.is_compiling()):
            return super().forward(rows).view(input.shape)
        rows = rows.float()
        variance, mean = torch.var_mean(rows, dim=0, correction=0)
        if self.running_mean is not None and self.running_var is not None:
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.rate)
                self.running_var.lerp_(variance * (len(rows) / (len(rows) - 1)), self.rate)
        scaled = (rows - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias
        return scaled.to(input.dtype).view(input.shape)


def set_momentum(network: nn.Module, momentum: float) -> None:
    """BatchNorm's momentum in the whole network."""
    for module in network.modules():
        if isinstance(module, BatchNorm):
            module.set_momentum(momentum)


def _block_tap(blocks: Tensor, offset: int) -> Tensor:
    """The tensor `offset` places after the start of each block of three, the first or last one beyond the ends.

    blocks: (B, K, 3, C). Returns (B, K, C).
    """
    shift, place = divmod(offset, 3)
    count = blocks.shape[1]
    tap = blocks[:, :, place]
    if shift < 0:
        first = blocks[:, :1, 0].expand(-1, min(-shift, count), -1)
        return torch.cat([first, tap[:, : count - first.shape[1]]], dim=1)
    if shift > 0:
        last = blocks[:, -1:, 2].expand(-1, min(shift, count), -1)
        return torch.cat([tap[:, last.shape[1] :], last], dim=1)
    return tap


class _Mish(nn.Module):
    """x tanh(softplus(x)), which is x n / (n + 2) with n = e^x (e^x + 2)."""

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            return F.mish(x)
        # One exponential and one quotient, which the compiler makes vector code of; its own rule for mish is slower.
        power = x.clamp_max(20.0).exp()
        numerator = power * (power + 2.0)
        return x * (numerator / (numerator + 2.0))


class _Depthwise(nn.Module):
    """Depthwise K3 convolution of stride 3 and dilation m; replicate padding of m - 1 (causal: 2(m - 1) left)."""

    def __init__(self, channels: int, dilation: int = 1, causal: bool = False) -> None:
        super().__init__()
        conv = nn.Conv1d(channels, channels, 3, groups=channels, bias=False)
        self.weight = nn.Parameter(conv.weight.detach()[:, 0].t().contiguous())  # (3, C): one row a tap
        self.dilation = dilation
        self.left = (2 if causal else 1) * (dilation - 1)

    def forward(self, x: Tensor) -> Tensor:
        # Slices instead of an index: their gradients are slices too, not a scatter over the whole input.
        blocks = x.unflatten(1, (-1, 3))
        taps = [_block_tap(blocks, k * self.dilation - self.left) for k in range(3)]
        weight = self.weight.to(x.dtype)  # under autocast a float32 weight would turn the product into float32
        return torch.addcmul(torch.addcmul(taps[0] * weight[0], taps[1], weight[1]), taps[2], weight[2])


class _GroupedLinear(nn.Module):
    """1x1 convolution C -> C in groups, without bias."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        conv = nn.Conv1d(channels, channels, 1, groups=groups, bias=False)
        weight = conv.weight.detach()[..., 0].view(groups, channels // groups, channels // groups)
        self.weight = nn.Parameter(weight.transpose(1, 2).contiguous())  # (G, in, out)

    def forward(self, x: Tensor) -> Tensor:
        groups, width, _ = self.weight.shape
        by_group = x.reshape(-1, groups, width).transpose(0, 1)
        return torch.bmm(by_group, self.weight.to(x.dtype)).transpose(0, 1).reshape(x.shape)


class _Conv3(nn.Module):
    """Full or grouped K3 convolution of stride 3 and dilation m, padded as in `_Depthwise`."""

    def __init__(
        self, channels_in: int, channels_out: int, *, groups: int, dilation: int, causal: bool, bias: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels_in, channels_out, 3, stride=3, dilation=dilation, groups=groups, bias=bias)
        pad = dilation - 1
        self.pad = (2 * pad, 0) if causal else (pad, pad)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x.transpose(1, 2), self.pad, mode="replicate")).transpose(1, 2)


def _separable(channels_in: int, channels_out: int) -> nn.Sequential:
    """Sep: depthwise K3 stride 3 -> BN -> 1x1 -> BN."""
    return nn.Sequential(
        _Depthwise(channels_in),
        BatchNorm(channels_in),
        nn.Linear(channels_in, channels_out, bias=False),
        BatchNorm(channels_out),
    )


def _activation(dropout: float) -> nn.Sequential:
    return nn.Sequential(_Mish(), nn.Dropout(dropout))


def _pointwise(channels: int, dropout: float) -> nn.Sequential:
    """PW: 1x1 C -> C -> BN -> activation -> dropout."""
    return nn.Sequential(nn.Linear(channels, channels, bias=False), BatchNorm(channels), _Mish(), nn.Dropout(dropout))


def _input_unit(config: AtcnConfig) -> nn.Sequential:
    """The convolution of one InUnit_v; its tap is taken outside."""
    values_in = config.joints_in * config.values_per_joint
    if config.kernel_form == "separable":
        body = _separable(values_in, config.channels)
    else:
        conv = _Conv3(values_in, config.channels, groups=1, dilation=1, causal=config.causal, bias=False)
        body = nn.Sequential(conv, BatchNorm(config.channels))
    return nn.Sequential(body, _activation(config.dropout))


def _dilated_unit(config: AtcnConfig) -> nn.Sequential:
    """DCU: PW(dropout(act(Sep)))."""
    channels, dropout = config.channels, config.dropout
    return nn.Sequential(_separable(channels, channels), _activation(dropout), _pointwise(channels, dropout))


class _KernelAttention(nn.Module):
    """KA (eqs. 4-6): M branches of growing dilation, mixed channel by channel by a softmax over the branches."""

    def __init__(self, config: AtcnConfig) -> None:
        super().__init__()
        self.branches = nn.ModuleList(self._branch(config, m) for m in range(1, config.kernels + 1))
        self.reduce = nn.Linear(config.channels, config.reduction)
        self.expand = nn.ModuleList(nn.Linear(config.reduction, config.channels) for _ in range(config.kernels))

    @staticmethod
    def _branch(config: AtcnConfig, dilation: int) -> nn.Sequential:
        channels, groups = config.channels, config.groups
        if config.kernel_form == "separable":
            return nn.Sequential(
                _Depthwise(channels, dilation, config.causal),
                BatchNorm(channels),
                _GroupedLinear(channels, groups),
                BatchNorm(channels),
                _Mish(),
            )
        conv = _Conv3(channels, channels, groups=groups, dilation=dilation, causal=config.causal, bias=True)
        return nn.Sequential(conv, BatchNorm(channels), _Mish())

    def forward(self, x: Tensor) -> Tensor:
        outputs = [branch(x) for branch in self.branches]
        pooled = sum(output.mean(dim=1) for output in outputs)
        reduced = self.reduce(pooled)
        weights = torch.stack([expand(reduced) for expand in self.expand]).softmax(dim=0)  # (M, B, C)
        mixed = outputs[0] * weights[0].unsqueeze(1)
        for output, weight in zip(outputs[1:], weights[1:], strict=True):
            mixed = mixed + output * weight.unsqueeze(1)
        return mixed


class _TemporalAttention(nn.Module):
    """theta_l (eq. 3): one weight in 0..1 for each tensor of a layer, from the frame similarities.

    Without the BatchNorm the weights are all but constant over samples at the start, and the attention is dead.
    """

    def __init__(self, frames_in: int, frames_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(frames_in, frames_out)
        self.norm = BatchNorm(frames_out)

    def forward(self, weights: Tensor) -> Tensor:
        return torch.sigmoid(self.norm(self.linear(weights)))


class Atcn(nn.Module):
    """A window of 2D poses to the 3D pose of its target frame."""

    def __init__(self, config: AtcnConfig) -> None:
        super().__init__()
        self.config = config
        stages, frames = config.stages, config.frames
        self.inputs = nn.ModuleList(_input_unit(config) for _ in range(config.levels))
        self.attention = nn.ModuleList()
        if config.temporal_attention != "off":
            for layer in range(1, stages):
                frames_in = frames if config.temporal_attention == "direct" else frames // 3 ** (layer - 1)
                self.attention.append(_TemporalAttention(frames_in, frames // 3**layer))
        self.kernels = nn.ModuleList(_KernelAttention(config) for _ in range(1, stages))
        self.mixers = nn.ModuleList(_pointwise(config.channels, config.dropout) for _ in range(1, stages))
        # Unit (layer, level >= 1) exists where its output still meets a later layer.
        self.dilated = nn.ModuleDict(
            {
                f"{layer}_{level}": _dilated_unit(config)
                for layer in range(1, stages)
                for level in range(1, config.levels)
                if layer + level + 1 <= stages - 1
            }
        )
        self.head = nn.Linear(config.channels, 3 * config.joints_out)
        # The residual path grows with depth; a small head starts near the root instead of metres away.
        nn.init.normal_(self.head.weight, std=0.1 * config.channels**-0.5)
        nn.init.zeros_(self.head.bias)

    def receptive_field(self) -> int:
        """Frames of the window: what one output pose depends on."""
        return self.config.frames

    def _tap(self, x: Tensor, level: int) -> Tensor:
        """One tensor out of every block of 3^level: the centre one, or the last one of a causal network."""
        if level == 0:
            return x
        block = 3**level
        return x[:, block - 1 if self.config.causal else block // 2 :: block]

    def attention_weights(self, window: Tensor) -> list[Tensor]:
        """W_l for l = 1..S-1, each (B, N / 3^l). window: (B, N, J_in, c). Empty where attention is off."""
        if not self.attention:
            return []
        weights = frame_similarity(window.float(), self.config.target, self.config.root)
        layers: list[Tensor] = []
        for theta in self.attention:
            chained = self.config.temporal_attention == "chain" and layers
            layers.append(theta(layers[-1] if chained else weights))
        return layers

    def forward(self, window: Tensor) -> Tensor:
        """window: (B, N, J_in, c), normalised as in `normalisation.py`. Returns (B, J_out, 3) for the target frame."""
        return self.head(self.features(window)[-1][:, 0]).unflatten(-1, (self.config.joints_out, 3))

    def features(self, window: Tensor) -> list[Tensor]:
        """The main path after every layer: (B, N / 3^l, C) for l = 1..S. The head reads the last one."""
        config = self.config
        expected = (config.frames, config.joints_in, config.values_per_joint)
        if tuple(window.shape[1:]) != expected:
            raise ValueError(f"window has shape {tuple(window.shape)}, expected (B, {', '.join(map(str, expected))})")
        attention = self.attention_weights(window)
        frames = window.flatten(2)
        pending: dict[int, list[Tensor]] = defaultdict(list)
        hidden = self.inputs[0](frames)
        for level in range(1, config.levels):
            pending[level + 1].append(self.inputs[level](self._tap(frames, level)))
        path = [hidden]
        for layer in range(1, config.stages):
            weight = attention[layer - 1].unsqueeze(-1).to(hidden.dtype) if attention else 1.0
            residual = self._tap(hidden, 1)
            attended = hidden * weight
            for level in range(1, config.levels):
                key = f"{layer}_{level}"
                if key in self.dilated:
                    unit = self.dilated[key](self._tap(attended, level))
                    pending[layer + level + 1].append(self._tap(hidden, level + 1) + unit)
            gathered = hidden
            for tensors in pending.pop(layer, []):
                gathered = gathered + tensors
            hidden = residual + self.mixers[layer - 1](self.kernels[layer - 1](gathered * weight))
            path.append(hidden)
        return path
