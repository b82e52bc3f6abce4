"""Data-blocks over the time in which the user may rename, delete or undo them, and what a failure has to remove."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from .core import errors

__all__ = ["Held", "recorded", "removed_on_failure"]

_KINDS = {"ACTION": ("actions", "action"), "OBJECT": ("objects", "object"), "SCENE": ("scenes", "scene")}


@dataclass(frozen=True)
class Held:
    """An Action, object or scene to be found again. Its session_uid outlives undo and renaming, a pointer does not."""

    kind: str
    name: str
    uid: int

    @classmethod
    def of(cls, block: bpy.types.ID) -> Held:
        """Remember a data-block."""
        return cls(block.id_type, block.name, block.session_uid)

    def get(self) -> bpy.types.ID:
        """The data-block. Raises RigError where it was deleted."""
        collection, word = _KINDS[self.kind]
        for block in getattr(bpy.data, collection):
            if block.session_uid == self.uid:
                return block
        raise errors.RigError(
            f"The {word} {self.name!r} is no longer there.", hint="Apply the last capture again, where it shall go now."
        )


@contextlib.contextmanager
def recorded(made: set[int]) -> Iterator[None]:
    """Add to `made` the session_uid of every data-block made inside, also where an exception passes."""
    before = {block.session_uid for block in _data_blocks()}
    try:
        yield
    finally:
        made.update({block.session_uid for block in _data_blocks()} - before)


@contextlib.contextmanager
def removed_on_failure() -> Iterator[set[int]]:
    """Gives a set for session_uids: should an exception pass, these data-blocks are removed as far as still there."""
    made: set[int] = set()
    try:
        yield made
    except BaseException:
        # by uid, for some versions list each block twice: among its kind and among all
        ours = {block.session_uid: block for block in _data_blocks() if block.session_uid in made}
        bpy.data.batch_remove(list(ours.values()))
        raise


def _data_blocks() -> Iterator[bpy.types.ID]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            yield from getattr(bpy.data, kind.identifier)
