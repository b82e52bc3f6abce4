"""Less tremble and as much life: a captured motion smoothed by one slider, and what that did to it.

How much is smoothed depends on each joint and moment: a joint that rests is held calm, one that swings is let go, and
one that was hardly seen follows what its neighbours in time say. No limb changes its length.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D
from ..errors import MotionError
from ..skeleton import Skeleton
from .adaptive import accelerations, running_rms, smoothed_by_joint
from .landmarks import SIDES
from .root import with_bone_lengths

__all__ = ["DEFAULT_STRENGTH", "Effect", "check_strength", "effect_of", "steadied"]

# Chosen by measure on takes that the network was trained on; docs/smoothing.md has what it does on others.
DEFAULT_STRENGTH = 0.5
# At the default strength: what a resting joint keeps half of (Hz), and by how much that rises with its speed (Hz per
# m/s) and with the part of its acceleration that is more than tremble (Hz per m/s^2).
REST_HZ, SPEED_HZ, ACCELERATION_HZ = 2.0, 2.0, 0.15
TREMBLE_M_S2 = 6.0
# Speed and acceleration are read off the motion without what only single frames say, over so long to either side.
READ_HZ, READ_SHARE_OF_RATE, READ_REACH_S = 8.0, 0.4, 0.1
# Seen better than this a joint counts in full; one that was not seen at all is as good as the network's guess.
SURE_SCORE, GUESS_WEIGHT = 0.7, 0.2
# A swing is a movement about where the joint is in the mean over so long; smaller ones, in the mean, are none.
SWING_S, LEAST_SWING_M = 1.0, 0.03


def steadied(motion: Motion3D, strength: float = DEFAULT_STRENGTH) -> Motion3D:
    """The motion smoothed: 0 leaves it as it is (the very same), 1 is the most.

    Every joint's path before the camera is smoothed for itself, body and way through the room together, so that a foot
    that stands is at rest and is calmed, and one that comes down stops as sharply as before. Then each bone gets back
    the one length that a captured bone has. Raises MotionError for a strength outside 0..1.
    """
    check_strength(strength)
    if strength == 0.0 or len(motion.times_s) < 3:
        return motion
    before = _placed(motion)
    weights = np.clip(motion.score.astype(np.float64) / SURE_SCORE, GUESS_WEIGHT, 1.0)
    cutoff_hz = _cutoff_hz(before, motion.times_s, weights) * _softness(strength)
    after = smoothed_by_joint(before, motion.times_s, cutoff_hz, weights)
    after = with_bone_lengths(after, motion.skeleton, _bone_lengths_m(before, motion.skeleton))
    root = next(i for i, parent in enumerate(motion.skeleton.parent_indices) if parent < 0)
    return dataclasses.replace(
        motion,
        joints_cam=(after - after[:, root : root + 1]).astype(motion.joints_cam.dtype),
        root_cam=after[:, root].astype(motion.root_cam.dtype),
    )


def check_strength(strength: float) -> None:
    """Raise MotionError for a strength outside 0..1."""
    if not 0.0 <= strength <= 1.0:
        raise MotionError(f"The smoothing is {strength:g}.", hint="Give a strength between 0 and 1.")


def _softness(strength: float) -> float:
    """What all cutoffs are multiplied by: 1 at the default, without bound towards 0, a third at 1."""
    return (1.0 / strength - 0.5) / (1.0 / DEFAULT_STRENGTH - 0.5)


def _placed(motion: Motion3D) -> np.ndarray:
    """All joints before the camera (T, J, 3), float64."""
    return motion.joints_cam.astype(np.float64) + motion.root_cam.astype(np.float64)[:, None]


def _cutoff_hz(joints_cam: np.ndarray, times_s: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What every joint keeps half of at any time (T, J)."""
    step_s = float(np.median(np.diff(times_s)))
    read_hz = min(READ_HZ, READ_SHARE_OF_RATE / step_s)
    read = smoothed_by_joint(joints_cam, times_s, np.full(weights.shape, read_hz), weights)
    reach = max(round(READ_REACH_S / step_s), 1)
    speed_m_s = np.linalg.norm(np.gradient(read, times_s, axis=0), axis=2)
    acceleration_m_s2 = np.linalg.norm(accelerations(read, times_s), axis=2)
    acceleration_m_s2 = np.pad(acceleration_m_s2, ((1, 1), (0, 0)), mode="edge")
    beyond_m_s2 = np.maximum(running_rms(acceleration_m_s2, reach) - TREMBLE_M_S2, 0.0)
    return REST_HZ + SPEED_HZ * running_rms(speed_m_s, reach) + ACCELERATION_HZ * beyond_m_s2


def _bone_lengths_m(joints_cam: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The median length (J,) of the bone that ends at each joint, 0 at a root."""
    lengths_m = np.zeros(len(skeleton))
    for parent, child in skeleton.bones:
        lengths_m[child] = np.median(np.linalg.norm(joints_cam[:, child] - joints_cam[:, parent], axis=1))
    return lengths_m


@dataclass(frozen=True)
class Effect:
    """What smoothing did. jitter: mean second difference of all joints, mm a frame^2.

    swing_percent: how much of the swings of hands and feet about the trunk is left; None where there are none.
    """

    jitter_before_mm: float
    jitter_after_mm: float
    swing_percent: float | None

    @property
    def sentence(self) -> str:
        """For the panel: "Jitter 3.1 -> 1.9 mm, swing kept 98 %." """
        swing = "" if self.swing_percent is None else f", swing kept {self.swing_percent:.0f} %"
        return f"Jitter {self.jitter_before_mm:.1f} -> {self.jitter_after_mm:.1f} mm{swing}."


def effect_of(before: Motion3D, after: Motion3D) -> Effect:
    """What became of a motion on the way to another of the same frames and joints."""
    return Effect(_jitter_mm(before), _jitter_mm(after), _swing_percent(before, after))


def _jitter_mm(motion: Motion3D) -> float:
    if len(motion.times_s) < 3:
        return 0.0
    return 1000.0 * float(np.linalg.norm(np.diff(_placed(motion), n=2, axis=0), axis=2).mean())


def _swing_percent(before: Motion3D, after: Motion3D) -> float | None:
    was_m, is_m = _swings_m(before), _swings_m(after)
    square_m2 = float((was_m**2).sum(axis=-1).mean()) if was_m.size else 0.0
    if square_m2 < LEAST_SWING_M**2:
        return None
    return 100.0 * float((was_m * is_m).sum(axis=-1).mean()) / square_m2


def _swings_m(motion: Motion3D) -> np.ndarray:
    """Hands and feet (T, 4, 3) about the middle of hips and shoulders, without what is slower than a swing."""
    known = motion.skeleton.joints
    ends = [joint for joint in (f"{side}_{end}" for side in SIDES for end in ("wrist", "ankle")) if joint in known]
    trunk = [joint for joint in (f"{side}_{end}" for side in SIDES for end in ("shoulder", "hip")) if joint in known]
    if not ends or not trunk or len(motion.times_s) < 3:
        return np.zeros((0, 0, 3))
    joints = motion.joints_cam.astype(np.float64)
    about = joints[:, motion.skeleton.indices(*ends)]
    about = about - joints[:, motion.skeleton.indices(*trunk)].mean(axis=1, keepdims=True)
    return about - _running_mean(about, motion.times_s)


def _running_mean(values: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Mean over SWING_S around each frame, as far as the clip goes. values: (T, J, 3)."""
    total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    first = np.searchsorted(times_s, times_s - 0.5 * SWING_S, side="left")
    end = np.searchsorted(times_s, times_s + 0.5 * SWING_S, side="right")
    return (total[end] - total[first]) / (end - first)[:, None, None]
