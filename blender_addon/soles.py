"""Where a rig's soles are in each frame, as Blender evaluates it. What is measured leaves no trace in the scene."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import bpy
import numpy as np

from . import armature as armatures
from . import motion_source
from .blocks import Held
from .core import take_rig
from .steps import Steps

__all__ = ["measuring"]

# Of longer clips so many frames are looked at, in stretches spread over the clip: rigs with much in them are slow.
MOST_FRAMES, STRETCH_FRAMES = 600, 12
# So long Blender may be held at a time.
STEP_S = 0.08


def measuring(held: Held, first_frame: int, last_frame: int, fps: float, start_s: float) -> Steps[take_rig.Soles]:
    """Heels and toes of an armature that has its movement, in short steps. start_s: the clip's time of the first frame.

    Ended early, nothing is left. Raises RigError where the armature is deleted on the way or has not the bones.
    """
    armature = held.get()
    rest = armatures.rest_of(armature)
    points = take_rig.soles_at_rest(rest, motion_source.map_of_shown_bones(armature))
    frames, places = _frames(first_frame, last_frame), []
    while len(places) < len(frames):
        yield
        places += _places(held.get(), points, frames[len(places) :])
    times_s = start_s + (frames - first_frame) / fps
    return take_rig.Soles(times_s, np.array(places), float(rest.world_from_armature[2, 3]), 1.0 / fps)


def _frames(first: int, last: int) -> np.ndarray:
    """The frames to look at, rising."""
    frames = np.arange(first, last + 1)
    if len(frames) <= MOST_FRAMES:
        return frames
    starts = np.linspace(0, len(frames) - STRETCH_FRAMES, MOST_FRAMES // STRETCH_FRAMES).astype(int)
    return np.unique(frames[starts[:, None] + np.arange(STRETCH_FRAMES)])


def _places(armature: bpy.types.Object, points: list[tuple[str, np.ndarray]], frames: np.ndarray) -> list[np.ndarray]:
    """The points, each of its bone, (4, 3) in the world at as many of the frames as there is time for, at least one."""
    places, end_s = [], time.perf_counter() + STEP_S
    with _alone(armature) as stage:
        layer = stage.view_layers[0]
        for frame in frames:
            stage.frame_set(int(frame))  # ViewLayer.update would write the pose back on the armature itself
            posed = armature.evaluated_get(layer.depsgraph)
            place = np.array(posed.matrix_world)
            matrices = {bone: place @ np.array(posed.pose.bones[bone].matrix) for bone, _ in points}
            places.append(np.stack([matrices[bone][:3, :3] @ at + matrices[bone][:3, 3] for bone, at in points]))
            if time.perf_counter() > end_s:
                break
    return places


@contextlib.contextmanager
def _alone(armature: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """A scene with nothing but the armature, for as long as a step lasts: bones alone are evaluated fast."""
    stage = bpy.data.scenes.new("atcn_measure")
    try:
        stage.collection.objects.link(armature)
        yield stage
    finally:
        bpy.data.scenes.remove(stage)
