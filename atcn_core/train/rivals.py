"""The networks the paper compares with, written from their papers; the same window and output as `lift.network.Atcn`.

Pavllo et al., "3D human pose estimation in video with temporal convolutions and semi-supervised training" (2019);
Martinez et al., "A simple yet effective baseline for 3d human pose estimation" (2017); Hossain and Little,
"Exploiting temporal information for 3D human pose estimation" (2018). Losses, optimiser and samples are those of the
training loop, the same for all networks, so Martinez' weight norm limit and Hossain's loss on the steps between
frames are not part of this: what is compared is the networks.
Tensors inside run (B, F, C), time before channels, so that every convolution is one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name PyTorch's own documentation uses

from ..lift.network import BatchNorm

__all__ = ["KINDS", "Rival", "RivalConfig", "build_rival"]

# Each kind's printed name and the dropout of its paper.
KINDS = {
    "videopose3d": ("VideoPose3D", 0.25),
    "martinez": ("Martinez", 0.5),
    "hossain": ("Hossain LSTM", 0.5),
}
# Hossain and Little's window: "sequences of length 5".
_LSTM_FRAMES = 5
_LSTM_FORGET_BIAS = 1.0


@dataclass(frozen=True)
class RivalConfig:
    """One rival network.

    kind:     a key of KINDS.
    frames:   N, the window's length; a power of 3 for VideoPose3D, at least 5 for Hossain's (which reads 5 of them,
              about the target, or up to it where causal), any for Martinez' (which reads the target frame alone).
    root:     index of the root joint, as in AtcnConfig; the networks themselves do not use it.
    dropout:  KINDS has the papers' own.
    causal:   the target is the window's last frame.
    """

    kind: str
    joints_in: int
    joints_out: int
    frames: int = 243
    values_per_joint: int = 3
    root: int = 0
    channels: int = 1024
    dropout: float = 0.25
    causal: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        if self.values_per_joint not in (2, 3):
            raise ValueError(f"values_per_joint is {self.values_per_joint}, expected 2 or 3")
        if min(self.joints_in, self.joints_out, self.channels, self.frames) < 1:
            raise ValueError("joints, channels and frames must be at least 1")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout}, expected 0 to below 1")
        if self.kind == "videopose3d" and (self.stages < 1 or 3**self.stages != self.frames):
            raise ValueError(f"{self.frames} frames are no power of 3, which VideoPose3D's window must be")
        if self.kind == "hossain" and self.frames < _LSTM_FRAMES:
            raise ValueError(f"{self.frames} frames are too few, the LSTM reads {_LSTM_FRAMES}")

    @property
    def target(self) -> int:
        """Index of the target frame in the window."""
        return self.frames - 1 if self.causal else self.frames // 2

    @property
    def stages(self) -> int:
        """The power of 3 that the window's length is (rounded down)."""
        stages = 0
        while 3 ** (stages + 1) <= self.frames:
            stages += 1
        return stages

    @property
    def frames_read(self) -> int:
        """How many frames of the window one pose depends on."""
        return {"videopose3d": self.frames, "martinez": 1, "hossain": _LSTM_FRAMES}[self.kind]

    @property
    def name(self) -> str:
        """For tables, for example "VideoPose3D N243"."""
        return f"{KINDS[self.kind][0]} N{self.frames_read}" + ("-causal" if self.causal else "")


def build_rival(config: RivalConfig) -> Rival:
    """The network: forward takes (B, N, J_in, c) and returns (B, J_out, 3); its `config` is the one given."""
    return {"videopose3d": VideoPose3D, "martinez": Martinez, "hossain": HossainLstm}[config.kind](config)


class Rival(nn.Module):
    """What the three have in common: the window's check, and the head."""

    config: RivalConfig

    def __init__(self, config: RivalConfig) -> None:
        super().__init__()
        self.config = config
        self.values_in = config.joints_in * config.values_per_joint
        self.head = nn.Linear(config.channels, 3 * config.joints_out)

    @property
    def receptive_field(self) -> int:
        """How many frames one output pose depends on."""
        return self.config.frames_read

    def _features(self, frames: Tensor) -> Tensor:
        """(B, C) for the head. frames: (B, N, J c)."""
        raise NotImplementedError

    def forward(self, window: Tensor) -> Tensor:
        """window: (B, N, J_in, c), normalised as in `normalisation.py`. Returns (B, J_out, 3) for the target frame."""
        config = self.config
        expected = (config.frames, config.joints_in, config.values_per_joint)
        if tuple(window.shape[1:]) != expected:
            raise ValueError(f"window has shape {tuple(window.shape)}, expected (B, {', '.join(map(str, expected))})")
        return self.head(self._features(window.flatten(2))).unflatten(-1, (config.joints_out, 3))


def _unit(values_in: int, config: RivalConfig) -> nn.Sequential:
    """Matrix product without bias -> BN -> ReLU -> dropout."""
    return nn.Sequential(
        nn.Linear(values_in, config.channels, bias=False),
        BatchNorm(config.channels),
        nn.ReLU(),
        nn.Dropout(config.dropout),
    )


class VideoPose3D(Rival):
    """Dilated temporal convolutions, in the strided form that makes one pose of each window.

    K3 convolution -> S - 1 residual blocks of a K3 and a K1 convolution -> K1 convolution with bias. Every
    convolution of width 3 and stride 3 is a product with three frames side by side.
    """

    def __init__(self, config: RivalConfig) -> None:
        super().__init__(config)
        channels = config.channels
        self.expand = _unit(3 * self.values_in, config)
        self.wide = nn.ModuleList(_unit(3 * channels, config) for _ in range(config.stages - 1))
        self.narrow = nn.ModuleList(_unit(channels, config) for _ in range(config.stages - 1))

    def _features(self, frames: Tensor) -> Tensor:
        hidden = self.expand(_threes(frames))
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            residual = hidden[:, 2 if self.config.causal else 1 :: 3]
            hidden = residual + narrow(wide(_threes(hidden)))
        return hidden[:, 0]


def _threes(x: Tensor) -> Tensor:
    """Three neighbouring frames side by side. x: (B, F, C). Returns (B, F / 3, 3 C)."""
    return x.unflatten(1, (-1, 3)).flatten(2)


class Martinez(Rival):
    """Each frame by itself: a layer of 1024, two residual blocks of two, and the head; the layers have a bias."""

    def __init__(self, config: RivalConfig) -> None:
        super().__init__(config)
        self.expand = self._layer(self.values_in)
        self.blocks = nn.ModuleList(
            nn.Sequential(self._layer(config.channels), self._layer(config.channels)) for _ in range(2)
        )

    def _layer(self, values_in: int) -> nn.Sequential:
        layer = _unit(values_in, self.config)
        layer[0] = nn.Linear(values_in, self.config.channels)
        return layer

    def _features(self, frames: Tensor) -> Tensor:
        hidden = self.expand(frames[:, self.config.target])
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return hidden


class _NormalisedLstmCell(nn.Module):
    """LSTM whose gates and cell state are layer-normalised (Ba et al. 2016), with dropout on the new content alone
    (Semeniuta et al. 2016), so that nothing is forgotten by chance. Input and hidden state are equally wide."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.gates = nn.Linear(2 * channels, 4 * channels, bias=False)
        self.gate_scale = nn.Parameter(torch.ones(4, channels))
        self.gate_shift = nn.Parameter(torch.zeros(4, channels))
        self.state_norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """x, hidden, cell: (B, C). Returns the new hidden and cell states."""
        channels = x.shape[1]
        raw = self.gates(torch.cat([x, hidden], dim=1)).unflatten(1, (4, channels))
        normal = F.layer_norm(raw, (channels,)) * self.gate_scale + self.gate_shift
        take, new, forget, show = normal.unbind(1)
        cell = cell * torch.sigmoid(forget + _LSTM_FORGET_BIAS) + torch.sigmoid(take) * self.dropout(torch.tanh(new))
        return torch.tanh(self.state_norm(cell)) * torch.sigmoid(show), cell


class HossainLstm(Rival):
    """Sequence to sequence: an LSTM reads 5 frames, another one, started from its state, says their poses in turn.

    The decoder's step is residual (its input is added to its output), and its output is its next input. Only the
    target's pose is asked for, so the decoder stops there.
    The literature's 16.96 million parameters (and 33.88 million floating point operations for a frame) come out with
    the 32 joints of Human3.6M's full skeleton on both sides; with 17 joints there are 16.89 million.
    """

    def __init__(self, config: RivalConfig) -> None:
        super().__init__(config)
        self.embed = nn.Linear(self.values_in, config.channels)
        self.encoder = _NormalisedLstmCell(config.channels, config.dropout)
        self.decoder = _NormalisedLstmCell(config.channels, config.dropout)

    def _features(self, frames: Tensor) -> Tensor:
        config = self.config
        first = config.target - (_LSTM_FRAMES - 1 if config.causal else _LSTM_FRAMES // 2)
        embedded = self.embed(frames[:, first : first + _LSTM_FRAMES])
        hidden = cell = torch.zeros_like(embedded[:, 0])
        for step in range(_LSTM_FRAMES):
            hidden, cell = self.encoder(embedded[:, step], hidden, cell)
        said = torch.zeros_like(hidden)
        for _ in range(config.target - first + 1):
            hidden, cell = self.decoder(said, hidden, cell)
            said = said + hidden
        return said
