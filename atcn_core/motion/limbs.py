"""How each part of the body is turned: orthonormal frames from landmarks, for a person and for a rig at rest alike.

A limb's direction is known wherever its two joints are. Its twist is read off the bend of the elbow or the knee, and
where the limb is nearly straight off the frames around and the rest of the body.
"""

from __future__ import annotations

import numpy as np

from ..rotation import frame_from_axes, normalized, quat_between, quat_rotate
from .landmarks import BodyAxes, Landmarks
from .smoothing import fading, smoothed

__all__ = [
    "arm_hinge",
    "carried_hinge",
    "chest_frame",
    "hand_frame",
    "head_frame",
    "leg_hinge",
    "pelvis_frame",
    "rest_arm_hinge",
    "rest_leg_hinge",
    "spine_directions",
]

# Sine of the bend below which a resting limb's plane says nothing, and above which it says all (9 and 30 degrees).
STRAIGHT_SINE, BENT_SINE = 0.15, 0.5
# In motion: where the bend has this sine, waves of the cutoff in the limb's plane keep half their height; the plane's
# weight grows with a power of the sine.
STEADY_SINE, STEADY_POWER, HINGE_CUTOFF_HZ = 0.3, 4, 3.0
# Of the axis that the trunk suggests, against the plane at STEADY_SINE.
PRIOR_WEIGHT = 0.1
# Cosines between a plane's axis and the suggested one where trust in the plane ends and where it is full: no joint of
# the body bends that way, so a plane beyond it is noise.
ARM_DOUBT_AT, LEG_DOUBT_AT = (-0.6, -0.2), (-0.5, 0.2)
# Cosines between upper arm and forearm from where on no noise can bend an elbow that far the wrong way: the shoulder
# is turned further than usual.
ARM_SURE_AT = (0.5, -0.2)

# In the chest's axes (left, up, forward): where the left arm points in the middle of its range, and the axis its
# elbow then bends about. Turned from there by the shortest way, the axis is right for an arm that hangs (forearm to
# the front), points ahead (upwards and in), aside (to the front) and up (over the head), with no jump between.
_ARM_AHEAD = normalized(np.array([1.0, 0.0, 1.0]))
_ARM_TILT_RAD = np.deg2rad(35.0)
_ARM_HINGE = np.cos(_ARM_TILT_RAD) * np.array([0.0, -1.0, 0.0]) + np.sin(_ARM_TILT_RAD) * normalized(
    np.array([-1.0, 0.0, 1.0])
)
# The same for a thigh in the hips' axes: the knee bends about the line from right to left.
_THIGH_AHEAD = normalized(np.array([0.0, -1.0, 1.0]))
_KNEE_HINGE = np.array([1.0, 0.0, 0.0])


def spine_directions(body: Landmarks) -> tuple[np.ndarray, np.ndarray]:
    """Where the lower and the upper spine point (T, 3) each.

    Both follow the trunk (hip to thorax) and are turned out of it by how far the spine joint has left its usual place
    in the clip: its place in the body differs between skeletons, its movement does not.
    """
    trunk = body.between("hip", "thorax")
    frame = frame_from_axes(trunk, body["left_shoulder"] - body["right_shoulder"])
    directions = []
    for start, end in (("hip", "spine"), ("spine", "thorax")):
        in_trunk = np.einsum("...ji,...j->...i", frame, body.between(start, end))
        usual = normalized(np.median(in_trunk, axis=0))
        directions.append(quat_rotate(_swing_in(frame, usual, in_trunk), trunk))
    return directions[0], directions[1]


def _swing_in(frame: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Shortest turn (..., 4) between two directions given in a frame's own axes, as a turn in the world."""
    return quat_between(frame @ start, np.einsum("...ij,...j->...i", frame, end))


def pelvis_frame(body: Landmarks, up: np.ndarray) -> np.ndarray:
    """Columns left, up, forward (..., 3, 3); left is exactly the hip line."""
    rolled = frame_from_axes(body["left_hip"] - body["right_hip"], up)
    return np.stack([rolled[..., 1], rolled[..., 0], -rolled[..., 2]], axis=-1)


def chest_frame(body: Landmarks, up: np.ndarray) -> np.ndarray:
    """Columns left, up, forward (..., 3, 3); up is exactly `up`: one raised arm lifts its shoulder, not the chest."""
    return frame_from_axes(up, body["left_shoulder"] - body["right_shoulder"])


def head_frame(body: Landmarks) -> np.ndarray:
    """Head frame (..., 3, 3) from the line of the ears and the nose."""
    ears = 0.5 * (body["left_ear"] + body["right_ear"])
    return frame_from_axes(body["left_ear"] - body["right_ear"], body["nose"] - ears)


def hand_frame(body: Landmarks, side: str) -> np.ndarray:
    """Hand frame (..., 3, 3): y from the wrist between the knuckles, x along them from index to little finger."""
    index, pinky = body[f"{side}_index"], body[f"{side}_pinky"]
    return frame_from_axes(0.5 * (index + pinky) - body[f"{side}_wrist"], pinky - index)


def carried_hinge(part: str, side: str, trunk_frame: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The bending axis (..., 3) of an "arm" or "leg" that points along `direction`, as the trunk alone suggests it.

    trunk_frame: (..., 3, 3), columns left, up, forward, of the chest or the pelvis.
    """
    ahead, hinge = (_ARM_AHEAD, _ARM_HINGE) if part == "arm" else (_THIGH_AHEAD, _KNEE_HINGE)
    if side == "right":
        # Mirrored left to right; an axis of turning is mirrored the other way round than a direction.
        ahead, hinge = ahead * [-1.0, 1.0, 1.0], hinge * [1.0, -1.0, -1.0]
    swing = quat_between(trunk_frame @ ahead, direction)
    return quat_rotate(swing, trunk_frame @ hinge)


def _across(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The part of the vectors at right angles to a unit direction, made unit."""
    return normalized(vectors - np.sum(vectors * direction, axis=-1, keepdims=True) * direction)


def _hinge(upper: np.ndarray, lower: np.ndarray, prior: np.ndarray, doubt_at: tuple[float, float]) -> np.ndarray:
    """Bending axis (3,) of a limb at rest: from its own plane where it is bent, from `prior` where it is straight."""
    plane, sine, agreement = _plane(upper, lower, prior)
    trust = (fading(sine, STRAIGHT_SINE, BENT_SINE) * fading(agreement, *doubt_at))[..., None]
    return normalized(trust * plane + (1.0 - trust) * prior)


def _plane(upper: np.ndarray, lower: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The limb's own axis, the sine of its bend, and the cosine between the axis and `prior` (across `upper`)."""
    plane = np.cross(upper, lower)
    sine = np.linalg.norm(plane, axis=-1)
    plane = normalized(plane)
    return plane, sine, np.sum(plane * prior, axis=-1)


def _steady_hinge(
    upper: np.ndarray,
    lower: np.ndarray,
    prior: np.ndarray,
    times_s: np.ndarray,
    doubt_at: tuple[float, float],
    sure_at: tuple[float, float] | None = None,
) -> np.ndarray:
    """Bending axis (T, 3) of a moving limb: its plane as far as the bend shows it, else that of the frames around.

    The plane is a turn about the limb away from `prior`. Errors of the joints turn it the more the straighter the limb
    is, so its weight rises with the bend; far from any bend a little trust in `prior` decides. doubt_at, sure_at: see
    above.
    """
    plane, sine, agreement = _plane(upper, lower, prior)
    trust = fading(agreement, *doubt_at)
    if sure_at is not None:
        trust = np.maximum(trust, fading(np.sum(upper * lower, axis=-1), *sure_at))
    weight = (sine / STEADY_SINE) ** STEADY_POWER * trust
    away = np.sum(plane * np.cross(upper, prior), axis=-1)
    pull = weight + PRIOR_WEIGHT
    turned = np.stack([weight * agreement + PRIOR_WEIGHT, weight * away], axis=-1) / pull[:, None]
    turned = normalized(smoothed(turned, times_s, HINGE_CUTOFF_HZ, pull))
    return turned[:, :1] * prior + turned[:, 1:] * np.cross(upper, prior)


def arm_hinge(body: Landmarks, side: str, chest: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Axis (T, 3) about which the elbow bends: upper arm x forearm."""
    upper, lower = body.between(f"{side}_shoulder", f"{side}_elbow"), body.between(f"{side}_elbow", f"{side}_wrist")
    prior = _across(carried_hinge("arm", side, chest, upper), upper)
    return _steady_hinge(upper, lower, prior, times_s, ARM_DOUBT_AT, ARM_SURE_AT)


def leg_hinge(
    body: Landmarks, side: str, pelvis: np.ndarray, sole: np.ndarray, sole_trust: np.ndarray, times_s: np.ndarray
) -> np.ndarray:
    """Axis (T, 3) about which the knee bends, towards the person's left: thigh x shin.

    A straight leg's knee points where its toes point, as far as the foot is known and not stretched along the leg.
    """
    upper, lower = body.between(f"{side}_hip", f"{side}_knee"), body.between(f"{side}_knee", f"{side}_ankle")
    carried = _across(carried_hinge("leg", side, pelvis, upper), upper)
    by_foot = np.cross(sole, lower)
    sine = np.linalg.norm(by_foot, axis=-1)
    by_foot = _across(normalized(by_foot), upper)
    agreement = np.sum(by_foot * carried, axis=-1)
    trust = (0.7 * sole_trust * fading(sine, 0.3, 0.7) * fading(agreement, 0.0, 0.5))[..., None]
    prior = normalized(trust * by_foot + (1.0 - trust) * carried)
    return _steady_hinge(upper, lower, prior, times_s, LEG_DOUBT_AT)


def rest_arm_hinge(body: Landmarks, side: str, axes: BodyAxes) -> np.ndarray:
    """The same axis (3,) of a rig at rest: its own bend where it has one, else the elbow bends to the front."""
    upper, lower = body.between(f"{side}_shoulder", f"{side}_elbow"), body.between(f"{side}_elbow", f"{side}_wrist")
    chest = np.stack([axes.left, axes.up, axes.forward], axis=-1)
    # The carried axis counts only for a rest pose whose arms point ahead, where "to the front" says nothing.
    prior = np.cross(upper, axes.forward) + 1e-3 * carried_hinge("arm", side, chest, upper)
    return _hinge(upper, lower, _across(prior, upper), (0.0, 0.5))


def rest_leg_hinge(body: Landmarks, side: str, axes: BodyAxes) -> np.ndarray:
    """The same axis (3,) of a rig at rest: its own bend where it has one, else the knee bends to the back."""
    upper, lower = body.between(f"{side}_hip", f"{side}_knee"), body.between(f"{side}_knee", f"{side}_ankle")
    return _hinge(upper, lower, _across(np.cross(axes.forward, upper), upper), (0.0, 0.5))
