"""Puts a new Action's keys among those of an armature's present one. With bake.py the only writer of keys."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from . import compat

__all__ = ["merge_keys"]

# What a key is, as foreach_get and foreach_set have it: numbers each, and their kind.
_PROPERTIES = {
    "co": (2, np.float32),
    "handle_left": (2, np.float32),
    "handle_right": (2, np.float32),
    "handle_left_type": (1, np.intc),
    "handle_right_type": (1, np.intc),
    "interpolation": (1, np.intc),
    "easing": (1, np.intc),
    "back": (1, np.float32),
    "amplitude": (1, np.float32),
    "period": (1, np.float32),
    "type": (1, np.intc),
}
_CONSTANT = 0
_POSE = ("location", "scale", "rotation_quaternion", "rotation_euler", "rotation_axis_angle")


@dataclass(frozen=True)
class _Keys:
    """An F-curve's keys. columns: {property: (K, 1 or 2)}, by frame ascending."""

    columns: dict[str, np.ndarray]

    @classmethod
    def of(cls, curve: bpy.types.FCurve) -> _Keys:
        keys = curve.keyframe_points
        columns = {}
        for name, (size, kind) in _PROPERTIES.items():
            values = np.empty(len(keys) * size, dtype=kind)
            keys.foreach_get(name, values)
            columns[name] = values.reshape(-1, size)
        return cls(columns)

    @property
    def frames(self) -> np.ndarray:
        """(K,)."""
        return self.columns["co"][:, 0]

    def outside(self, first: float, last: float) -> _Keys:
        """The keys before and after these frames."""
        frames = self.frames
        return self.taken(np.flatnonzero((frames < first) | (frames > last)))

    def taken(self, rows: np.ndarray) -> _Keys:
        return _Keys({name: values[rows] for name, values in self.columns.items()})

    def joined(self, other: _Keys) -> _Keys:
        """These and the others, by frame."""
        both = _Keys({name: np.concatenate([values, other.columns[name]]) for name, values in self.columns.items()})
        return both.taken(np.argsort(both.frames, kind="stable"))

    def again_at(self, frame: float) -> _Keys:
        """With its last key once more at a later frame: what is a single key must hold on until there."""
        if self.frames[-1] >= frame:
            return self
        again = self.taken(np.array([-1]))
        for name in ("co", "handle_left", "handle_right"):
            again.columns[name][:, 0] += frame - self.frames[-1]
        return self.joined(again)

    def with_key(self, frame: float, value: float) -> _Keys:
        """With another key like the first one."""
        new = self.taken(np.array([0]))
        for name in ("co", "handle_left", "handle_right"):
            new.columns[name][:] = (frame, value)
        return self.joined(new)

    def stepped(self) -> _Keys:
        """Each value held until the next key."""
        held = np.full_like(self.columns["interpolation"], _CONSTANT)
        return _Keys({**self.columns, "interpolation": held})

    def write(self, curve: bpy.types.FCurve) -> None:
        """Make these the curve's keys."""
        keys = curve.keyframe_points
        keys.clear()
        keys.add(len(self.frames))
        for name, (_, kind) in _PROPERTIES.items():
            keys.foreach_set(name, np.ascontiguousarray(self.columns[name], dtype=kind).ravel())


def merge_keys(armature: bpy.types.Object, source: bpy.types.Action, first_frame: int, last_frame: int) -> None:
    """Put an Action of `bake.baking` into the armature's own: its channels' keys within these frames give way to it.

    A setting of the rig that it keys (FK or IK) has outside of them what it had before. Other channels and keys stay.
    """
    present = {(curve.data_path, curve.array_index): curve for curve in compat.action_curves(armature)}
    spans = [curve.range() for curve in present.values() if len(curve.keyframe_points)]
    goes_on = any(start < first_frame or end > last_frame for start, end in spans)
    new_curve = compat.own_curve_maker(armature)
    for made in compat.curves_in(source):
        place, keys = (made.data_path, made.array_index), _Keys.of(made)
        curve = present.get(place)
        if goes_on and not made.data_path.endswith(_POSE):
            keys = _setting_keys(armature, keys, made.data_path, curve, first_frame, last_frame)
        if curve is None:
            curve = new_curve(*place, made.group.name if made.group else "")
        else:
            others = _Keys.of(curve).outside(first_frame, last_frame)
            others = others.taken(np.flatnonzero(~np.isin(others.frames, keys.frames)))
            keys = others.joined(keys.again_at(last_frame)) if len(others.frames) else keys
        keys.write(curve)


def _setting_keys(
    armature: bpy.types.Object, keys: _Keys, path: str, curve: bpy.types.FCurve | None, first: int, last: int
) -> _Keys:
    """Keys of a rig's setting that go back, on the frames next to the clip, to what the setting has there."""
    here = float(armature.path_resolve(path)) if curve is None else 0.0
    before, after = (here if curve is None else curve.evaluate(frame) for frame in (first - 1, last + 1))
    return keys.again_at(last).with_key(first - 1, before).with_key(last + 1, after).stepped()
