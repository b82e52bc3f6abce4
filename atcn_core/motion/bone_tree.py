"""A rig's bones at rest as plain data, and the questions recognition asks of their tree. No names are judged here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["BoneTree", "RestBone"]

Point = tuple[float, float, float]


@dataclass(frozen=True)
class RestBone:
    """One bone at rest. head, tail: in the armature's own space. deform: whether it moves the skin."""

    name: str
    parent: str | None
    head: Point
    tail: Point
    deform: bool = True


class BoneTree:
    """Bones by number, in any order. Raises ValueError for names that come twice, unknown parents and circles."""

    def __init__(self, bones: Sequence[RestBone]) -> None:
        self.bones = tuple(bones)
        self.names = tuple(bone.name for bone in bones)
        self._index = {name: i for i, name in enumerate(self.names)}
        if len(self._index) != len(self.names):
            raise ValueError("two bones have the same name")
        unknown = sorted({bone.parent for bone in bones if bone.parent is not None} - set(self._index))
        if unknown:
            raise ValueError(f"parents that are no bones: {', '.join(unknown)}")
        self.parents = tuple(None if bone.parent is None else self._index[bone.parent] for bone in bones)
        self.heads = np.array([bone.head for bone in bones], dtype=np.float64).reshape(-1, 3)
        self.tails = np.array([bone.tail for bone in bones], dtype=np.float64).reshape(-1, 3)
        children: list[list[int]] = [[] for _ in bones]
        for i, parent in enumerate(self.parents):
            if parent is not None:
                children[parent].append(i)
        self.children = tuple(tuple(below) for below in children)
        if len(self.downwards) != len(bones):
            raise ValueError("the bones are parents of each other in a circle")

    def __len__(self) -> int:
        return len(self.bones)

    def index(self, name: str) -> int:
        """Number of the bone of this name."""
        return self._index[name]

    @cached_property
    def downwards(self) -> tuple[int, ...]:
        """All bones, parents before children."""
        order = [i for i, parent in enumerate(self.parents) if parent is None]
        for i in order:
            order.extend(self.children[i])
        return tuple(order)

    @cached_property
    def depth(self) -> np.ndarray:
        """(B,) how many bones lie above each."""
        depth = np.zeros(len(self), dtype=int)
        for i in self.downwards:
            parent = self.parents[i]
            depth[i] = 0 if parent is None else depth[parent] + 1
        return depth

    @cached_property
    def descendants(self) -> np.ndarray:
        """(B,) how many bones hang below each."""
        count = np.zeros(len(self), dtype=int)
        for i in reversed(self.downwards):
            parent = self.parents[i]
            if parent is not None:
                count[parent] += count[i] + 1
        return count

    @cached_property
    def size(self) -> float:
        """The longest side of the box around all heads, at least a tiny number."""
        return float(max(np.ptp(self.heads, axis=0).max(), 1e-12)) if len(self) else 1e-12

    def above(self, bone: int) -> Iterator[int]:
        """The bone's parent, grandparent and so on."""
        parent = self.parents[bone]
        while parent is not None:
            yield parent
            parent = self.parents[parent]

    def hangs_below(self, bone: int, upper: int) -> bool:
        """Whether `upper` is one of the bone's parents, however far up."""
        return upper in self.above(bone)

    def below(self, bone: int) -> list[int]:
        """All bones that hang on this one, parents before children."""
        found = list(self.children[bone])
        for i in found:
            found.extend(self.children[i])
        return found

    def common(self, bones: Iterable[int]) -> int | None:
        """The lowest bone that all of these hang on or are; None where there is none."""
        lines = [[bone, *self.above(bone)] for bone in bones]
        shared = set(lines[0]).intersection(*lines[1:])
        return next((bone for bone in lines[0] if bone in shared), None)

    def path(self, upper: int, lower: int) -> list[int]:
        """The bones from `upper` down to `lower`, both included; empty where it does not hang on it."""
        line = [lower, *self.above(lower)]
        return line[: line.index(upper) + 1][::-1] if upper in line else []

    def only(self, kept: Iterable[int]) -> BoneTree:
        """The tree of some of its bones, each hung on the nearest of its parents that is kept."""
        names = {self.names[i] for i in kept}
        bones = []
        for i, bone in enumerate(self.bones):
            if bone.name in names:
                parent = next((self.names[j] for j in self.above(i) if self.names[j] in names), None)
                bones.append(RestBone(bone.name, parent, bone.head, bone.tail, bone.deform))
        return BoneTree(bones)
