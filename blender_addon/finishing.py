"""A capture as the settings want it, as tall as the performer and smoothed; made anew only when they change."""

from __future__ import annotations

from dataclasses import dataclass

from .core import clip, finish, world

__all__ = ["Ready", "forget", "ready", "ready_world"]


@dataclass(frozen=True)
class Ready:
    """A movement to be put on a rig. note: what was done to it and what is known of its film's camera, for the user; ""
    for one that was no capture."""

    motion: clip.Motion3D | world.WorldMotion
    note: str = ""


# The last answers, as the preview asks again for every slider: what for, and what was made of it.
_ready: tuple[object, float, float, Ready] | None = None
_in_world: tuple[object, world.WorldMotion] | None = None


def ready(motion: clip.Motion3D | world.WorldMotion, height_m: float, smooth: float) -> Ready:
    """The movement made ready. What is in the world already, from a file or an armature, stays as it is.

    height_m: 0 where it is not known; smooth: 0..1. Plain numpy: it may run in a thread. Raises MotionError.
    """
    global _ready
    if isinstance(motion, world.WorldMotion):
        return Ready(motion)
    known = _ready
    if known is not None and known[0] is motion and known[1:3] == (height_m, smooth):
        return known[3]
    made = finish.finished(motion, height_m, smooth)
    seen = motion.video_camera
    answer = Ready(made.motion, made.sentence if seen is None else f"{made.sentence} {seen.note}")
    _ready = (motion, height_m, smooth, answer)
    return answer


def ready_world(motion: clip.Motion3D | world.WorldMotion, height_m: float, smooth: float) -> world.WorldMotion:
    """As `ready`, upright on the floor. Raises MotionError."""
    global _in_world
    made = ready(motion, height_m, smooth).motion
    known = _in_world
    if known is None or known[0] is not made:
        known = (made, world.to_world(made))
        _in_world = known
    return known[1]


def forget() -> None:
    """Keep no movement any longer."""
    global _ready, _in_world
    _ready = _in_world = None
