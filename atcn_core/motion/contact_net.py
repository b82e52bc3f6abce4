"""How likely heels and toes stand, as learnt from captures of known motion: a small temporal convolution, in numpy.

It sees a capture as one camera gives it: sure of what happens across the line of sight, unsure along it. Nothing in it
depends on where the camera stood, on the frame rate or on the side of the body; each foot is judged for itself, with
the other one beside it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..clip import Motion3D, save_arrays
from ..errors import ModelError
from ..rotation import normalized
from ..skeleton import Skeleton
from .contacts import FOOT_POINTS, contact_chance, foot_points, hand_chance, low_enough, lowest_around, velocity_m_s

__all__ = [
    "CONTACT_NET_FILE",
    "INPUTS",
    "ContactNet",
    "bundled_net",
    "captured_chance",
    "contact_inputs",
    "judges",
    "learnt_chance",
    "read_net",
    "save_net",
]

CONTACT_NET_FILE = Path(__file__).with_name("contact_net.npz")
_SCHEMA = "atcn.contact_net/1"
# What the network was trained at; other clips are brought to it and back.
RATE_HZ = 30.0
# Frames of that rate, to either side: over which speeds are read, and around which the lowest point is looked for.
SPEED_REACHES, SIGNED_REACH, SLOW_REACH, LOWEST_REACH = (1, 2, 4), 2, 8, 15
# What is quicker or higher than this says no more; a speed counts by its logarithm, from tremble on.
MOST_M_S, MOST_M, TREMBLE_M_S = 3.0, 1.0, 0.03
FLOOR_PERCENTILE = 10.0
# What is seen of each point of the feet and of the hip, by name: speeds across the line of sight, their parts (aside
# and upwards in the picture, and away about the root), heights over the other points, over the lowest around that
# time and over the floor, and how well the point was seen.
_OF_POINT = (
    *(f"speed_{reach}" for reach in SPEED_REACHES),
    *("aside", "rise", "away"),
    *("over_others", "over_lowest", "over_floor"),
    "score",
)
_OF_HIP = ("aside", "rise", "away", "slowly_away")
INPUTS = (
    *(f"{foot}_{point}.{what}" for foot in ("own", "other") for point in ("heel", "toe") for what in _OF_POINT),
    *(f"hip.{what}" for what in _OF_HIP),
)


@dataclass(frozen=True)
class ContactNet:
    """Weights of the network.

    mean, spread: (F,) of the inputs; layers: kernels (K, C, D) and biases (D,), each layer's taps twice as far apart
    as those of the one before; out: (D, 2) and (2,), heel and toe; card: how it was made.
    """

    mean: np.ndarray
    spread: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    out: tuple[np.ndarray, np.ndarray]
    card: dict[str, object]

    @property
    def reach(self) -> int:
        """So many frames to either side are seen."""
        return sum((len(kernel) - 1) // 2 * 2**depth for depth, (kernel, _) in enumerate(self.layers))

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """(B, N, 2) of heel and toe, for inputs (B, N, F); before and after the clip all is as at its ends."""
        ends = ((0, 0), (self.reach, self.reach), (0, 0))
        values = np.pad((inputs - self.mean) / self.spread, ends, mode="edge").astype(np.float32)
        for depth, (kernel, bias) in enumerate(self.layers):
            apart = 2**depth
            length = values.shape[1] - (len(kernel) - 1) * apart
            middle = (len(kernel) - 1) // 2 * apart
            convolved = bias + sum(values[:, i * apart : i * apart + length] @ tap for i, tap in enumerate(kernel))
            passed_on = values[:, middle : middle + length] if depth else np.float32(0.0)
            values = passed_on + np.maximum(convolved, 0.0)
        kernel, bias = self.out
        return values @ kernel + bias


def captured_chance(motion: Motion3D, up_cam: np.ndarray, net: ContactNet | None = None) -> np.ndarray:
    """How likely each of contacts.CONTACT_POINTS stands on something in a capture (T, 6), 0..1.

    Feet that are low enough as the network has learnt it, where the joint set has heels and toes; all else by
    `contact_chance`.
    up_cam: (3,) unit; net: another than the bundled one, whose weights raise ModelError where they are damaged.
    """
    root_cam = motion.root_cam.astype(np.float64)
    joints_cam = motion.joints_cam.astype(np.float64) + root_cam[:, None]
    seen = (joints_cam, motion.skeleton, motion.times_s, up_cam, normalized(root_cam))
    if not judges(motion.skeleton) or len(motion.times_s) < 2:
        return contact_chance(*seen)
    # The network goes by stillness more than by height: feet stand on steps. One held up high is still as well.
    low = low_enough(foot_points(joints_cam, motion.skeleton), motion.times_s, up_cam)
    on_feet = np.minimum(low, learnt_chance(motion, up_cam, net or bundled_net()))
    return np.concatenate([on_feet, hand_chance(*seen)], axis=1)


def judges(skeleton: Skeleton) -> bool:
    """Whether the joint set has what the network looks at."""
    return {*FOOT_POINTS, "left_hip", "right_hip"} <= set(skeleton.joints)


def learnt_chance(motion: Motion3D, up_cam: np.ndarray, net: ContactNet) -> np.ndarray:
    """How likely each of contacts.FOOT_POINTS stands on something (T, 4), 0..1, in two frames or more.

    The joint set must have what `judges` asks for. up_cam: (3,) unit.
    """
    grid_s, inputs = contact_inputs(motion, up_cam)
    chance = 1.0 / (1.0 + np.exp(-np.concatenate(list(net.logits(inputs)), axis=1, dtype=np.float64)))
    return np.stack([np.interp(motion.times_s, grid_s, column) for column in chance.T], axis=1)


def contact_inputs(motion: Motion3D, up_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times at RATE_HZ (N,), and INPUTS then (2, N, F): with the left foot as a person's own, and with the right one.

    up_cam: (3,) unit.
    """
    times_s = motion.times_s
    frames = max(round(float(times_s[-1] - times_s[0]) * RATE_HZ), 1) + 1
    grid_s = times_s[0] + np.arange(frames) / RATE_HZ
    joints, root, score = (
        _at(values.astype(np.float64), times_s, grid_s) for values in (motion.joints_cam, motion.root_cam, motion.score)
    )
    axes = _axes(root, up_cam)
    seen = score[:, motion.skeleton.indices(*FOOT_POINTS)]
    feet = _of_points(foot_points(joints, motion.skeleton), root, seen, axes, up_cam).reshape(frames, 2, -1)
    hip = _of_hip(root + joints[:, motion.skeleton.indices("left_hip", "right_hip")].mean(axis=1), axes)
    return grid_s, np.stack([np.concatenate([feet[:, own], feet[:, 1 - own], hip], axis=1) for own in (0, 1)])


def _at(values: np.ndarray, times_s: np.ndarray, grid_s: np.ndarray) -> np.ndarray:
    """Values (T, ...) at other times, straight between frames."""
    after = np.searchsorted(times_s, grid_s).clip(1, len(times_s) - 1)
    share = ((grid_s - times_s[after - 1]) / (times_s[after] - times_s[after - 1])).clip(0.0, 1.0)
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return values[after - 1] * (1.0 - share) + values[after] * share


def _velocity(points: np.ndarray, reach: int) -> np.ndarray:
    """Metres a second at RATE_HZ. points: (N, ..., 3)."""
    return velocity_m_s(points, np.arange(len(points)) / RATE_HZ, reach)


def _axes(root: np.ndarray, up_cam: np.ndarray) -> np.ndarray:
    """Aside, upwards and away as the camera sees them at the root (N, 3, 3), one axis a row."""
    away = normalized(root)
    aside = normalized(np.cross(away, up_cam))
    return np.stack([aside, np.cross(aside, away), away], axis=1)


def _of_points(
    feet: np.ndarray, root: np.ndarray, score: np.ndarray, axes: np.ndarray, up_cam: np.ndarray
) -> np.ndarray:
    """_OF_POINT of each point of the feet (N, 4, features). feet: (N, 4, 3) about the root; score: (N, 4)."""
    placed = feet + root[:, None]
    seen = {reach: np.einsum("tij,tpj->tpi", axes, _velocity(placed, reach)) for reach in SPEED_REACHES}
    speeds = [np.log(TREMBLE_M_S + np.linalg.norm(velocity[..., :2], axis=2)) for velocity in seen.values()]
    aside, rise = np.moveaxis(seen[SIGNED_REACH][..., :2], -1, 0)
    away = np.einsum("ti,tpi->tp", axes[:, 2], _velocity(feet, SIGNED_REACH))
    heights = placed @ up_cam
    lowest = heights.min(axis=1)
    floors = (lowest[:, None], lowest_around(lowest, LOWEST_REACH)[:, None], np.percentile(lowest, FLOOR_PERCENTILE))
    moved = [np.clip(values, -MOST_M_S, MOST_M_S) for values in (aside, rise, away)]
    raised = [np.clip(heights - floor, -MOST_M, MOST_M) for floor in floors]
    return np.stack([*speeds, *moved, *raised, score], axis=2)


def _of_hip(hip: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """_OF_HIP (N, features). hip: (N, 3) in `cam`."""
    moved = np.einsum("tij,tj->ti", axes, _velocity(hip, SIGNED_REACH))
    slowly_away = np.einsum("ti,ti->t", axes[:, 2], _velocity(hip, SLOW_REACH))
    return np.clip(np.concatenate([moved, slowly_away[:, None]], axis=1), -MOST_M_S, MOST_M_S)


@cache
def bundled_net() -> ContactNet:
    """The network that comes along. Raises ModelError where its file is missing or damaged."""
    return read_net(CONTACT_NET_FILE)


def read_net(path: Path) -> ContactNet:
    """The network of a file that `save_net` wrote. Raises ModelError."""
    hint = "Install the add-on again, or train a network: python -m atcn_core.evaluate.contact_training."
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if str(arrays["schema"]) != _SCHEMA or tuple(arrays["inputs"]) != INPUTS:
            raise ModelError(f"{path.name} is a contact network of another version.", hint=hint)
        # In one piece: numpy multiplies transposed kernels ten times as slowly.
        single = {
            name: values.astype(np.float32, order="C") for name, values in arrays.items() if values.dtype.kind == "f"
        }
        depth = sum(name.startswith("kernel_") for name in single)
        return ContactNet(
            mean=single["mean"],
            spread=single["spread"],
            layers=tuple((single[f"kernel_{i}"], single[f"bias_{i}"]) for i in range(depth)),
            out=(single["out_kernel"], single["out_bias"]),
            card=json.loads(str(arrays["card"])),
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path.name} cannot be read as a contact network.", hint=hint) from error


def save_net(path: Path, net: ContactNet) -> None:
    """Write the weights in half precision, with their card. Raises OutputError."""
    arrays = {"schema": np.array(_SCHEMA), "inputs": np.array(INPUTS), "card": np.array(json.dumps(net.card))}
    arrays |= {"mean": net.mean.astype(np.float32), "spread": net.spread.astype(np.float32)}
    for number, (kernel, bias) in enumerate(net.layers):
        arrays |= {f"kernel_{number}": kernel.astype(np.float16), f"bias_{number}": bias.astype(np.float16)}
    arrays |= {"out_kernel": net.out[0].astype(np.float16), "out_bias": net.out[1].astype(np.float16)}
    save_arrays(path, arrays)
