"""BVH motion files: any hierarchy, any channels in any order. What joints mean, unit and what is up: not known here.

Written from the format's description by its users; where those differ: position channels stand in for the joint's
OFFSET (as exporters that key every joint mean it), they are not added to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import MotionError

__all__ = ["END_SUFFIX", "BvhMotion", "BvhSkeleton", "read_bvh", "read_bvh_skeleton", "z_up_to_y_up"]

END_SUFFIX = ".End"
# What each channel of a file with z up becomes in one with y up (x, z, -y): its new axis, and whether its sign changes.
_TO_Y_UP = {"X": ("X", False), "Y": ("Z", True), "Z": ("Y", False)}


@dataclass(frozen=True)
class BvhSkeleton:
    """The hierarchy of a BVH file with no joint turned, in the file's own axes and unit.

    names:    joint names, parents before children; the end site of X is called "X.End".
    parents:  number of each joint's parent, -1 at a root.
    heads:    (J, 3) float64, where the OFFSETs put each joint.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: np.ndarray

    def __post_init__(self) -> None:
        if len(self.parents) != len(self.names) or self.heads.shape != (len(self.names), 3):
            raise ValueError(f"{len(self.names)} names, {len(self.parents)} parents, heads {self.heads.shape}")
        if any(parent >= i for i, parent in enumerate(self.parents)):
            raise ValueError("a joint comes before its parent")


@dataclass(frozen=True)
class BvhMotion:
    """Forward kinematics of a BVH file, in the file's own axes and unit.

    names:      joint names; the end site of X is called "X.End".
    positions:  (T, J, 3) float64, global.
    rotations:  (T, J, 3, 3) float64, global; an end site turns with its parent.
    fps:        frames per second.
    """

    names: tuple[str, ...]
    positions: np.ndarray
    rotations: np.ndarray
    fps: float

    def index(self, name: str) -> int:
        """Array index of a joint by name."""
        return self.names.index(name)


@dataclass
class _Joint:
    name: str
    parent: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()


def read_bvh(path: Path) -> BvhMotion:
    """Read one file's motion. Raises MotionError where it is missing or not a complete BVH."""
    return read_bvh_skeleton(path)[1]


def read_bvh_skeleton(path: Path) -> tuple[BvhSkeleton, BvhMotion]:
    """Read one file, what is at rest and what moves. Raises MotionError where it is missing or not a complete BVH."""
    path = Path(path)
    try:
        head, _, tail = path.read_text(encoding="utf-8", errors="replace").partition("MOTION")
        joints = _parse_hierarchy(head)
        fps, values = _parse_motion(tail, sum(len(j.channels) for j in joints))
        return _at_rest(joints), _forward_kinematics(joints, values, fps)
    except (OSError, ValueError, IndexError, StopIteration, ZeroDivisionError) as error:
        raise MotionError(f"{path.name} is not a complete BVH file.", hint="Choose another motion file.") from error


def _parse_hierarchy(text: str) -> list[_Joint]:
    joints: list[_Joint] = []
    open_joints: list[int] = []
    # Names may hold blanks, so a name is what stands before the bracket.
    words = iter(text.replace("{", " { ").replace("}", " } ").split())
    for word in words:
        if word in ("ROOT", "JOINT"):
            name = " ".join(iter(lambda: next(words), "{"))
            joints.append(_Joint(name, open_joints[-1] if open_joints else -1))
            open_joints.append(len(joints) - 1)
        elif word == "End":
            while next(words) != "{":
                pass
            joints.append(_Joint(joints[open_joints[-1]].name + END_SUFFIX, open_joints[-1]))
            open_joints.append(len(joints) - 1)
        elif word == "}":
            open_joints.pop()
        elif word == "OFFSET":
            joints[-1].offset = (float(next(words)), float(next(words)), float(next(words)))
        elif word == "CHANNELS":
            joints[-1].channels = tuple(next(words) for _ in range(int(next(words))))
    if not joints or open_joints:
        raise ValueError("no joints, or brackets left open")
    return joints


def _parse_motion(text: str, channels: int) -> tuple[float, np.ndarray]:
    lines = [line for line in text.splitlines() if line.strip()]
    frames = int(lines[0].split(":")[1])
    frame_time_s = float(lines[1].split(":")[1])
    values = np.array(" ".join(lines[2:]).split(), dtype=np.float64)
    if frames < 1 or values.size != frames * channels or not np.isfinite(values).all():
        raise ValueError("the values do not fit the hierarchy")
    # Files round the frame time (0.0166667 s); the rate meant is the nearest hundredth of a frame.
    return round(1.0 / frame_time_s, 2), values.reshape(frames, channels)


def _at_rest(joints: list[_Joint]) -> BvhSkeleton:
    heads = np.array([joint.offset for joint in joints], dtype=np.float64)
    for index, joint in enumerate(joints):
        if joint.parent >= 0:
            heads[index] += heads[joint.parent]
    return BvhSkeleton(tuple(j.name for j in joints), tuple(j.parent for j in joints), heads)


def _forward_kinematics(joints: list[_Joint], values: np.ndarray, fps: float) -> BvhMotion:
    frames = len(values)
    positions = np.zeros((frames, len(joints), 3))
    rotations = np.zeros((frames, len(joints), 3, 3))
    first = 0
    for index, joint in enumerate(joints):
        mine = values[:, first : first + len(joint.channels)]
        first += len(joint.channels)
        offset, local = _local_transform(joint, mine)
        if joint.parent < 0:
            positions[:, index], rotations[:, index] = offset, local
        else:
            parent = rotations[:, joint.parent]
            positions[:, index] = positions[:, joint.parent] + np.einsum("tij,tj->ti", parent, offset)
            rotations[:, index] = parent @ local
    return BvhMotion(tuple(j.name for j in joints), positions, rotations, fps)


def _local_transform(joint: _Joint, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offset (T, 3) and rotation (T, 3, 3) in the parent's axes; rotation channels apply in the order written."""
    offset = np.broadcast_to(np.array(joint.offset), (len(values), 3)).copy()
    local = np.broadcast_to(np.eye(3), (len(values), 3, 3))
    for column, channel in enumerate(joint.channels):
        axis, kind = channel[0].upper(), channel[1:].lower()
        if kind not in ("position", "rotation") or axis not in "XYZ":
            raise ValueError(f"unknown channel {channel}")
        if kind == "position":
            offset[:, "XYZ".index(axis)] = values[:, column]
        else:
            local = local @ _turns_about("XYZ".index(axis), np.deg2rad(values[:, column]))
    return offset, local


def _turns_about(axis: int, angles_rad: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) about one of the axes."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turns = np.zeros((len(angles_rad), 3, 3))
    turns[:, axis, axis] = 1.0
    turns[:, one, one] = turns[:, two, two] = np.cos(angles_rad)
    turns[:, two, one] = np.sin(angles_rad)
    turns[:, one, two] = -turns[:, two, one]
    return turns


def z_up_to_y_up(text: str) -> str:
    """A BVH file with z up, turned so that y is up and what looked along -y looks along z, as most programs expect.

    A turn about an axis becomes one about that axis' new place, so the angles stay as they are written, save for their
    sign; the channels' order follows.
    """
    head, _, tail = text.partition("MOTION")
    lines, columns = [], []
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["OFFSET"]:
            line = f"{_indent(line)}OFFSET {words[1]} {words[3]} {_negated(words[2])}"
        elif words[:1] == ["CHANNELS"]:
            turned = [_TO_Y_UP[channel[0]][0] + channel[1:] for channel in words[2:]]
            # Positions stay in the order X Y Z, which some readers take for granted.
            places = [i for i, channel in enumerate(turned) if channel.endswith("position")]
            order = [*sorted(places, key=turned.__getitem__), *(i for i in range(len(turned)) if i not in places)]
            columns += [(len(columns) + i, _TO_Y_UP[words[2 + i][0]][1]) for i in order]
            line = " ".join([f"{_indent(line)}CHANNELS {words[1]}", *(turned[i] for i in order)])
        lines.append(line)
    frames, frame_time, *rows = [line for line in tail.splitlines() if line.strip()]
    lines += ["MOTION", frames, frame_time]
    for row in rows:
        values = row.split()
        lines.append(" ".join(_negated(values[i]) if negative else values[i] for i, negative in columns))
    return "\n".join(lines) + "\n"


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _negated(number: str) -> str:
    return number[1:] if number.startswith("-") else f"-{number}"
