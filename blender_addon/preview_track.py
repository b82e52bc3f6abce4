"""The solve behind the pose preview: at once around a frame, then of the whole clip in a thread. Never touches bpy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from .core import retarget, rotation, world

__all__ = ["LiveTrack", "pose_at"]

# A slider must not wait: a clip of more frames than these is solved around the present frame first, and solved again
# where the frame comes nearer to the end of that stretch than the margin, in which smoothing misses what lies beyond.
FRAMES_AT_ONCE = 120
SPAN_S, MARGIN_S = 3.0, 0.75


class LiveTrack:
    """A motion solved with some settings. What only the whole clip tells (the floor) is a little off until it is known.

    solve: makes a track of a motion or of a part of it; plain numpy, for it also runs in a thread.
    """

    def __init__(self, motion: world.WorldMotion, solve: Callable[[world.WorldMotion], retarget.PoseTrack]) -> None:
        self._motion = motion
        self._solve = solve
        self._near: retarget.PoseTrack | None = None
        self._whole: retarget.PoseTrack | None = None
        self._future: Future[retarget.PoseTrack] | None = None
        if len(motion.times_s) <= FRAMES_AT_ONCE:
            self._whole = solve(motion)

    @property
    def whole(self) -> bool:
        """Whether it is the whole clip's, as the keys would be."""
        return self._whole is not None

    def begin_whole(self, pool: ThreadPoolExecutor) -> None:
        """Have the whole clip solved in a thread; done already, or begun, it is not begun again."""
        if self._whole is None and self._future is None:
            self._future = pool.submit(self._solve, self._motion)

    def take_whole(self) -> bool:
        """Whether the thread has just brought the whole clip's. Raises what the solve raised. Never waits."""
        if self._whole is not None or self._future is None or not self._future.done():
            return False
        self._whole, self._near = self._future.result(), None
        return True

    def forget(self) -> None:
        """Its settings are no longer those wanted: do not begin with what was not begun yet."""
        if self._future is not None:
            self._future.cancel()

    def at(self, time_s: float) -> retarget.PoseTrack:
        """The pose at a time of the clip: a track of one frame. Raises what the solve raises."""
        if self._whole is None and not self._covers(time_s):
            self._near = self._solve(_around(self._motion, time_s))
        return pose_at(self._whole or self._near, time_s)

    def _covers(self, time_s: float) -> bool:
        if self._near is None:
            return False
        first_s, last_s = self._near.times_s[0], self._near.times_s[-1]
        early = time_s < first_s + MARGIN_S and first_s > self._motion.times_s[0]
        late = time_s > last_s - MARGIN_S and last_s < self._motion.times_s[-1]
        return not early and not late


def _around(motion: world.WorldMotion, time_s: float) -> world.WorldMotion:
    """The part of a motion around a time."""
    return motion.at(np.abs(motion.times_s - time_s) <= 0.5 * SPAN_S)


def pose_at(track: retarget.PoseTrack, time_s: float) -> retarget.PoseTrack:
    """`retarget.resample` to a single time, all bones in one go: for every frame of a playback."""
    last = len(track.times_s) - 1
    after = int(np.clip(np.searchsorted(track.times_s, time_s, side="right"), min(1, last), last))
    pair = [max(after - 1, 0), after]
    step_s = max(track.times_s[pair[1]] - track.times_s[pair[0]], 1e-12)
    share = float(np.clip((time_s - track.times_s[pair[0]]) / step_s, 0.0, 1.0))

    def between(values: np.ndarray) -> np.ndarray:
        return (values[pair[0]] + (values[pair[1]] - values[pair[0]]) * share)[None]

    bones = list(track.quats)
    ends = np.array([track.quats[bone][pair] for bone in bones]).reshape(-1, 2, 4)
    quats = rotation.quat_slerp(ends[:, 0], ends[:, 1], share)
    return replace(
        track,
        times_s=np.array([time_s]),
        quats={bone: quat[None] for bone, quat in zip(bones, quats, strict=True)},
        root_location=between(track.root_location),
        other_locations={bone: between(location) for bone, location in track.other_locations.items()},
        directions_world={},
    )
