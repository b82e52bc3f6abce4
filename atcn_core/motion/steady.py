"""Less tremble and as much life: a captured motion smoothed by one slider, and what that did to it.

How much is smoothed depends on each joint and moment: a joint that rests is held calm, one that swings is let go, and
one that was hardly seen follows what its neighbours in time say. It also depends on how much the joint trembles in this
clip, along the line of sight, where one camera sees little, and across it. No limb changes its length.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D
from ..errors import MotionError
from ..skeleton import SIDES, Skeleton
from .adaptive import accelerations, running_rms, smoothed_by_joint
from .root import with_bone_lengths
from .smoothing import smoothed

__all__ = ["DEFAULT_STRENGTH", "Effect", "check_strength", "effect_of", "steadied"]

# Chosen by measure on takes that the network was trained on; docs/smoothing.md has what it does on others.
DEFAULT_STRENGTH = 0.5
# At the default strength: what a joint that rests keeps half of (Hz), and by how much that rises with its speed (Hz per
# m/s) and with the part of its acceleration that is more than tremble (Hz per m/s^2).
REST_HZ, SPEED_HZ, ACCELERATION_HZ = 1.7, 3.5, 0.21
TREMBLE_M_S2 = 8.0
# Speed and acceleration are read off the motion without what only single frames say, over so long to either side.
READ_HZ, READ_SHARE_OF_RATE, READ_REACH_S = 8.0, 0.4, 0.1
# What is quicker than this and there in half of the clip is tremble. With so much of it (m) rest and speed let through
# 2^-power of what they do in a clean clip, along and across the line of sight; more of it counts no further.
QUICK_HZ, TREMBLE_M, TREMBLE_POWERS, MOST_TREMBLES = 5.0, 0.0006, (0.6, 0.3), 1.7
# Tremble looks like speed: m/s per metre of it along and across the line of sight, and at most so much along it.
AS_SPEED_PER_S, MOST_AS_SPEED_M_S = (450.0, 170.0), (0.45, np.inf)
# The median length of normally distributed vectors of one axis and of two.
_MEDIAN_OF_NORMAL = np.array([0.6745, 1.1774])
# Seen better than this a joint counts in full; one that was not seen at all is as good as the network's guess.
SURE_SCORE, GUESS_WEIGHT = 0.7, 0.05
# Joints that hardly any detector gives, and those that they lie between.
BETWEEN = {
    "spine": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    "thorax": ("left_shoulder", "right_shoulder"),
    "head": ("left_ear", "right_ear"),
}
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
    weights = np.clip(_score(motion) / SURE_SCORE, GUESS_WEIGHT, 1.0)
    root = next(i for i, parent in enumerate(motion.skeleton.parent_indices) if parent < 0)
    sighted_from_cam = _sight_axes(before[:, root])
    sighted = before @ sighted_from_cam.T
    cutoffs_hz = _cutoffs_hz(sighted, motion.times_s, weights) * _softness(strength)
    after = _smoothed_both(sighted, motion.times_s, cutoffs_hz, weights) @ sighted_from_cam
    after = with_bone_lengths(after, motion.skeleton, _bone_lengths_m(before, motion.skeleton))
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


def _score(motion: Motion3D) -> np.ndarray:
    """How well each joint was seen (T, J), what no detector gives as well as what it lies between."""
    score = motion.score.astype(np.float64)
    known = motion.skeleton.joints
    for joint, around in BETWEEN.items():
        there = [name for name in around if name in known]
        if joint in known and there and not motion.score[:, known.index(joint)].any():
            score[:, known.index(joint)] = motion.score[:, motion.skeleton.indices(*there)].mean(axis=1)
    return score


def _sight_axes(path_cam: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) into axes of which the first lies along the line of sight to the middle of a path (T, 3)."""
    sight = np.median(path_cam, axis=0)
    return np.linalg.qr(np.column_stack([sight, np.eye(3)]))[0].T


def _both(sighted: np.ndarray) -> np.ndarray:
    """How long vectors (..., 3) are along the line of sight and across it (2, ...)."""
    return np.stack([np.abs(sighted[..., 0]), np.hypot(sighted[..., 1], sighted[..., 2])])


def _cutoffs_hz(sighted: np.ndarray, times_s: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What every joint keeps half of at any time, along the line of sight and across it (2, T, J).

    sighted: (T, J, 3) metres in `_sight_axes`.
    """
    step_s = float(np.median(np.diff(times_s)))
    read_hz = min(READ_HZ, READ_SHARE_OF_RATE / step_s)
    read = smoothed_by_joint(sighted, times_s, np.full(weights.shape, read_hz), weights)
    reach = max(round(READ_REACH_S / step_s), 1)
    speed_m_s = running_rms(_both(np.gradient(read, times_s, axis=0)), reach)
    tremble_m = _tremble_m(sighted, times_s)[:, None]
    as_speed_m_s = np.minimum(_column(AS_SPEED_PER_S) * tremble_m, _column(MOST_AS_SPEED_M_S))
    square = np.maximum(speed_m_s**2 - as_speed_m_s**2, 0.0).sum(axis=0)
    clean = (1.0 + np.minimum(tremble_m / TREMBLE_M, MOST_TREMBLES)) ** -_column(TREMBLE_POWERS)
    steady_hz = (REST_HZ + SPEED_HZ * np.sqrt(square)) * clean
    acceleration_m_s2 = _both(np.pad(accelerations(read, times_s), ((1, 1), (0, 0), (0, 0)), mode="edge"))
    beyond_m_s2 = np.maximum(running_rms(acceleration_m_s2, reach) - TREMBLE_M_S2, 0.0)
    return steady_hz + ACCELERATION_HZ * beyond_m_s2


def _tremble_m(sighted: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """How much each joint trembles in the median of the clip: standard deviation (2, J) on an axis along the line of
    sight and on one across it."""
    # Twice, so that slower swings leave next to nothing. Films too slow to show tremble are left as they are: none.
    quick = sighted
    for _ in range(2):
        quick = quick - smoothed(quick.reshape(len(quick), -1), times_s, QUICK_HZ).reshape(quick.shape)
    return np.median(_both(quick), axis=1) / _MEDIAN_OF_NORMAL[:, None]


def _column(pair: tuple[float, float]) -> np.ndarray:
    """What goes with along and across the line of sight, (2, 1, 1)."""
    return np.array(pair)[:, None, None]


def _smoothed_both(sighted: np.ndarray, times_s: np.ndarray, cutoffs_hz: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`sighted` (T, J, 3) with the cutoffs (2, T, J) along the line of sight and across it."""
    along, across = np.zeros_like(sighted[..., :2]), sighted[..., 1:]
    along[..., 0] = sighted[..., 0]
    both = smoothed_by_joint(
        np.concatenate([along, across], axis=1), times_s, np.concatenate(cutoffs_hz, axis=1), np.tile(weights, (1, 2))
    )
    along, across = np.split(both, 2, axis=1)
    return np.concatenate([along[..., :1], across], axis=-1)


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
