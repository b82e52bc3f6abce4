"""From camera axes into Blender's world: upright, feet on the floor, starting at the origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import Motion3D
from ..errors import MotionError
from ..hands import HandMotion
from ..rotation import normalized
from ..skeleton import LIMB_12, Skeleton
from .contact_net import captured_chance
from .contacts import CONTACT_POINTS, FOOT_POINTS, bearing, contact_chance, contact_points
from .ground import CAMERA_UP_CAM, floor_height_m, levelled_by_feet, up_direction_cam, up_error_rad
from .hidden_arm import with_hidden_arms
from .planted import planted_path_cam
from .smoothing import smoothed

__all__ = ["WorldMotion", "to_world", "to_world_with_camera", "world_from_cam"]

# Where a skeleton has neither heels nor toes, its ankles stand in for them, so high above the floor.
_ANKLE_HEIGHT_M = 0.08
_UP = np.array([0.0, 0.0, 1.0])
# A foot that is taken for still hands its tremble on to the whole body; the body itself is not so quick.
_PATH_CUTOFF_HZ = 6.0
# A floor that slopes by more than this is worth another look at what stands on it.
_LEVEL_PASSES, _LEVEL_RAD = 2, np.deg2rad(2.0)


@dataclass(frozen=True)
class WorldMotion:
    """One person's joints in Blender's world over a clip.

    times_s:      (T,)      float64, strictly increasing.
    joints_world: (T, J, 3) float64, metres, z up, floor at z = 0.
    score:        (T, J)    0..1; 0 where a joint was not seen but filled in.
    standing:     (T, 6)    chance 0..1 that each of contacts.CONTACT_POINTS stands on something; None: from the
                            joints.
    hands:        the same person's fingers, which no turn of the world changes; None where they are not known.
    """

    times_s: np.ndarray
    skeleton: Skeleton
    joints_world: np.ndarray
    score: np.ndarray
    standing: np.ndarray | None = None
    hands: HandMotion | None = None

    def __post_init__(self) -> None:
        frames, joints = len(self.times_s), len(self.skeleton)
        if self.joints_world.shape != (frames, joints, 3):
            raise ValueError(f"joints_world has shape {self.joints_world.shape}, expected {(frames, joints, 3)}")
        if self.score.shape != (frames, joints):
            raise ValueError(f"score has shape {self.score.shape}, expected {(frames, joints)}")
        if not np.isfinite(self.joints_world).all():
            raise ValueError("joints_world must be finite")
        if self.hands is not None and len(self.hands.score) != frames:
            raise ValueError(f"hands have {len(self.hands.score)} frames, expected {frames}")
        if self.standing is not None and self.standing.shape != (frames, len(CONTACT_POINTS)):
            raise ValueError(f"standing has shape {self.standing.shape}, expected {(frames, len(CONTACT_POINTS))}")

    def at(self, keep: np.ndarray | slice) -> WorldMotion:
        """Some of the frames; keep: (T,) bool, indices or a slice."""
        return WorldMotion(
            self.times_s[keep],
            self.skeleton,
            self.joints_world[keep],
            self.score[keep],
            None if self.standing is None else self.standing[keep],
            None if self.hands is None else self.hands.at(keep),
        )

    def standing_chance(self) -> np.ndarray:
        """(T, 6) `standing`, or where it is not given what the joints' own movement says."""
        if self.standing is not None:
            return self.standing
        return contact_chance(self.joints_world, self.skeleton, self.times_s, _UP)

    def bearing(self) -> np.ndarray:
        """(T, 6) bool, on which of contacts.CONTACT_POINTS the person is."""
        return bearing(self.standing_chance(), contact_points(self.joints_world, self.skeleton, _UP)[..., 2])

    def points(self, joint: str) -> np.ndarray:
        """One joint's path (T, 3)."""
        return self.joints_world[:, self.skeleton.index(joint)]


def world_from_cam(up_cam: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) into a world whose z is `up_cam` and whose y is the camera's view without its tilt."""
    forward_cam = np.array([0.0, 0.0, 1.0])
    # A camera that looks straight down has no level view; the top of its picture takes that part.
    ahead = forward_cam if abs(up_cam[2]) < 0.99 else CAMERA_UP_CAM * -np.sign(up_cam[2])
    y = normalized(ahead - (ahead @ up_cam) * up_cam)
    return np.stack([np.cross(y, up_cam), y, up_cam])


def to_world(motion: Motion3D | WorldMotion) -> WorldMotion:
    """The motion upright in Blender's world, feet on z = 0, hip over the origin in the first frame.

    Who faces the camera faces -y. What is in the world already stays as it is.
    Raises MotionError where the joint set lacks a limb joint.
    """
    return motion if isinstance(motion, WorldMotion) else to_world_with_camera(motion)[0]


def to_world_with_camera(motion: Motion3D) -> tuple[WorldMotion, np.ndarray, np.ndarray]:
    """As `to_world`, and where the video's camera stands there: world_from_cam (3, 3) and its place (3,), metres."""
    joints, turn, shift, standing = _placed(motion)
    score = motion.score.astype(np.float64)
    joints, standing = with_hidden_arms(joints, motion.skeleton, score, standing, motion.times_s)
    world = WorldMotion(motion.times_s, motion.skeleton, joints, score, standing, motion.hands)
    return world, turn, -shift


def _placed(motion: Motion3D) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The joints (T, J, 3) in the world, its turn from `cam` (3, 3) and shift (3,), and what stands (T, 6).

    A point that stays in `cam` is at turn @ point - shift.
    """
    missing = sorted(set(LIMB_12) - set(motion.skeleton.joints))
    if missing:
        raise MotionError(
            f"The motion has no {', '.join(missing)}.", hint="Retargeting needs shoulders, elbows, wrists and legs."
        )
    joints_cam = motion.joints_cam.astype(np.float64)
    up_cam, root_cam, standing = _levelled(motion, joints_cam)
    turn = world_from_cam(up_cam)
    joints = (joints_cam + root_cam[:, None]) @ turn.T
    has_feet = any(point in motion.skeleton.joints for point in FOOT_POINTS)
    heights_m = contact_points(joints, motion.skeleton, _UP)[..., 2]
    lowest_m = floor_height_m(np.where(bearing(standing, heights_m), heights_m, np.inf))
    floor_m = lowest_m - (0.0 if has_feet else _ANKLE_HEIGHT_M)
    hip = joints[0, motion.skeleton.indices("left_hip", "right_hip")].mean(axis=0)
    shift = np.array([hip[0], hip[1], floor_m])
    return joints - shift, turn, shift, standing


def _levelled(motion: Motion3D, joints_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Up (3,) and the root's path (T, 3) in `cam`, and the chance (T, 6) of what stands.

    What stands tells where the floor is, and how the floor lies what stands: with a floor that turned out to slope all
    is asked once more.
    """
    seen = (joints_cam, motion.skeleton, motion.score, motion.times_s)
    pose_up_cam, error_rad = up_direction_cam(*seen), up_error_rad(*seen)
    up_cam = pose_up_cam
    root_cam, standing = _held(motion, joints_cam, up_cam)
    for _ in range(_LEVEL_PASSES):
        contacts_cam = contact_points(joints_cam, motion.skeleton, up_cam) + root_cam[:, None]
        taken_cam, up_cam = up_cam, levelled_by_feet(pose_up_cam, contacts_cam, standing, motion.times_s, error_rad)
        if taken_cam @ up_cam > np.cos(_LEVEL_RAD):
            break
        root_cam, standing = _held(motion, joints_cam, up_cam)
    return up_cam, root_cam, standing


def _held(motion: Motion3D, joints_cam: np.ndarray, up_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The root's path (T, 3) in `cam`, held by what stands, and the chance (T, 6) that it does."""
    root_cam = motion.root_cam.astype(np.float64)
    standing = captured_chance(motion, up_cam)
    contacts_cam = contact_points(joints_cam, motion.skeleton, up_cam)
    path_cam = planted_path_cam(root_cam, contacts_cam, standing, motion.times_s, up_cam)
    return smoothed(path_cam, motion.times_s, _PATH_CUTOFF_HZ), standing
