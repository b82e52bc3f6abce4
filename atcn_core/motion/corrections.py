"""What an animator corrects by slider: arm and leg spread, lean, foot angle, hip height. No Blender in here.

Spread and lean act on the captured joints, so that the solve follows them exactly; foot angle and hip height act on
its result, where the floor and the soles have been found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from ..rotation import normalized, quat_multiply, quat_rotate, quat_to_matrix
from ..skeleton import SIDES
from . import retarget
from .feet import FootMode
from .ground import floor_height_m
from .hierarchy import turn_in
from .landmarks import Landmarks, motion_landmarks, rest_landmarks
from .retarget import PoseTrack
from .rig_rest import RigRest, rest_axes
from .rigmap import RigMap
from .rolls import about_rad
from .smoothing import fading
from .world import WorldMotion

__all__ = ["LIMITS", "NONE", "Corrections", "corrected", "corrected_track", "solve"]

# What each correction may be at most, either way.
LIMITS = {
    "arm_spread_deg": 90.0,
    "leg_spread_deg": 45.0,
    "foot_angle_deg": 60.0,
    "hip_height_percent": 50.0,
    "lean_deg": 60.0,
}
_ARM_WORDS = ("elbow", "wrist", "hand", "thumb", "index", "middle", "ring", "pinky")
_LEG_WORDS = ("knee", "ankle", "heel", "toe", "small_toe")
_HIP_JOINTS = ("hip", "left_hip", "right_hip")
_FLOOR_WORDS = ("heel", "toe")
# A leg this near to pointing straight aside (sine) has no plane to be spread in: there the spread fades out.
_ASIDE_SINE, _CLEAR_SINE = 0.1, 0.3
_LEG_SEGMENTS = (("thigh", "shin"), ("shin", "foot"))
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Corrections:
    """Constant over the whole clip; 0 leaves everything bit for bit as it was.

    arm_spread_deg:     arms turned about the shoulders in the chest's frontal plane; positive: from hanging outwards.
    leg_spread_deg:     legs turned aside about the hips, the feet keeping their orientation; positive: apart.
    foot_angle_deg:     feet pitched about the ankles; positive: toes up, heels down.
    hip_height_percent: the whole body raised by this share of the rig's leg length (hip to ankle).
    lean_deg:           all above the hips turned about the line of the hips; positive: forward.

    Raises ValueError for a value beyond LIMITS.
    """

    arm_spread_deg: float = 0.0
    leg_spread_deg: float = 0.0
    foot_angle_deg: float = 0.0
    hip_height_percent: float = 0.0
    lean_deg: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, limit = getattr(self, field.name), LIMITS[field.name]
            if not math.isfinite(value) or abs(value) > limit:
                raise ValueError(f"{field.name} is {value}, expected -{limit:g} to {limit:g}")


NONE = Corrections()


def solve(
    motion: WorldMotion, rest: RigRest, rig_map: RigMap, corrections: Corrections, feet: FootMode | None = None
) -> PoseTrack:
    """As `retarget.solve`, with the corrections. Raises RigError."""
    track = retarget.solve(corrected(motion, corrections), rest, rig_map, feet)
    return corrected_track(track, rest, rig_map, corrections)


def corrected(motion: WorldMotion, corrections: Corrections) -> WorldMotion:
    """The motion with its arms and legs spread and its trunk leaned; limbs keep their lengths, feet their floor."""
    joints = motion.joints_world
    if corrections.arm_spread_deg:
        joints = _arms_spread(motion, joints, math.radians(corrections.arm_spread_deg))
    if corrections.leg_spread_deg:
        joints = _legs_spread(motion, joints, math.radians(corrections.leg_spread_deg))
    if corrections.lean_deg:
        joints = _leaned(motion, joints, math.radians(corrections.lean_deg))
    return motion if joints is motion.joints_world else replace(motion, joints_world=joints)


def corrected_track(track: PoseTrack, rest: RigRest, rig_map: RigMap, corrections: Corrections) -> PoseTrack:
    """The solved track with its feet pitched and its hips raised."""
    if corrections.foot_angle_deg:
        for side in SIDES:
            track = _foot_pitched(track, rest, rig_map, side, math.radians(corrections.foot_angle_deg))
    if corrections.hip_height_percent:
        track = _raised(track, rest, 0.01 * corrections.hip_height_percent * _leg_length_m(rest, rig_map))
    return track


def _of_side(motion: WorldMotion, side: str, words: tuple[str, ...]) -> list[int]:
    """Indices of a side's joints whose names begin so: "left_index", and "left_index_tip" where there is one."""
    starts = tuple(f"{side}_{word}" for word in words)
    return [i for i, joint in enumerate(motion.skeleton.joints) if joint.startswith(starts)]


def _turned(joints: np.ndarray, which: list[int], centre: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The joints (T, J, 3), some of them turned about a point. centre: (T, 3); turn: (T, 4)."""
    moved = joints.copy()
    moved[:, which] = centre[:, None] + quat_rotate(turn[:, None], joints[:, which] - centre[:, None])
    return moved


def _left(body: Landmarks, joint: str) -> np.ndarray:
    """Unit direction (T, 3) from the right to the left one of a pair."""
    return normalized(body[f"left_{joint}"] - body[f"right_{joint}"])


def _arms_spread(motion: WorldMotion, joints: np.ndarray, angle_rad: float) -> np.ndarray:
    body = motion_landmarks(motion)
    forward = normalized(np.cross(_left(body, "shoulder"), body.between("hip", "thorax")))
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        turn = about_rad(forward, np.full(len(forward), sign * angle_rad))
        joints = _turned(joints, _of_side(motion, side, _ARM_WORDS), body[f"{side}_shoulder"], turn)
    return joints


def _legs_spread(motion: WorldMotion, joints: np.ndarray, angle_rad: float) -> np.ndarray:
    """Each leg turned in the plane of itself and the line of the hips: apart, be it standing or sitting."""
    body = motion_landmarks(motion)
    left = _left(body, "hip")
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        hip, ankle = body[f"{side}_hip"], body[f"{side}_ankle"]
        along = normalized(0.5 * (body[f"{side}_knee"] + ankle) - hip)
        before_body = along - np.sum(along * left, axis=1, keepdims=True) * left
        share = fading(np.linalg.norm(before_body, axis=1), _ASIDE_SINE, _CLEAR_SINE)
        turn = about_rad(normalized(np.cross(before_body, left)), sign * angle_rad * share)
        leg = _of_side(motion, side, _LEG_WORDS)
        moved = _turned(joints, leg, hip, turn)
        ankle_at = motion.skeleton.index(f"{side}_ankle")
        foot = [i for i in leg if not motion.skeleton.joints[i].endswith(("knee", "ankle"))]
        moved[:, foot] = joints[:, foot] + (moved[:, ankle_at] - ankle)[:, None]
        joints = moved
    joints[..., 2] += _floor_m(motion, motion.joints_world) - _floor_m(motion, joints)
    return joints


def _floor_m(motion: WorldMotion, joints: np.ndarray) -> float:
    """Height of the floor under these joints (T, J, 3)."""
    feet = [i for side in SIDES for i in _of_side(motion, side, _FLOOR_WORDS)]
    return floor_height_m(joints[:, feet or motion.skeleton.indices("left_ankle", "right_ankle"), 2])


def _leaned(motion: WorldMotion, joints: np.ndarray, angle_rad: float) -> np.ndarray:
    body = motion_landmarks(motion)
    left = _left(body, "hip")
    legs = {i for side in SIDES for i in _of_side(motion, side, _LEG_WORDS)}
    above = [i for i, joint in enumerate(motion.skeleton.joints) if i not in legs and joint not in _HIP_JOINTS]
    centre = joints[:, motion.skeleton.indices("left_hip", "right_hip")].mean(axis=1)
    return _turned(joints, above, centre, about_rad(left, np.full(len(left), angle_rad)))


def _foot_pitched(track: PoseTrack, rest: RigRest, rig_map: RigMap, side: str, angle_rad: float) -> PoseTrack:
    """The foot turned further about its own axis across, which its rest pose gives; the toes go with it."""
    heads = {role: rest.head_world(bone) for role, bone in rig_map.bones.items()}
    axes = rest_axes(heads, rest)
    sole = rest_landmarks(heads, axes).between(f"{side}_heel", f"{side}_toe")
    to_right = normalized(np.cross(sole, axes.up)) @ turn_in(rest.world_from_armature[:3, :3])
    foot, toe = rig_map.bones[f"{side}_foot"], rig_map.bones.get(f"{side}_toe")
    quats, directions = dict(track.quats), dict(track.directions_world)
    for bone in (foot, toe):
        if bone is not None and (bone == foot or foot not in rest.ancestors(bone)):
            across = to_right @ turn_in(rest.matrices[rest.names.index(bone), :3, :3])
            quats[bone] = quat_multiply(quats[bone], about_rad(across[None], np.array([angle_rad])))
    if f"{side}_foot" in directions:
        across = to_right @ turn_in(rest.matrices[rest.names.index(foot), :3, :3])
        across_world = normalized(_posed_axes(track, rest, foot) @ across @ rest.world_from_armature[:3, :3].T)
        pitch = about_rad(across_world, np.full(len(across_world), angle_rad))
        directions[f"{side}_foot"] = quat_rotate(pitch, directions[f"{side}_foot"])
    return replace(track, quats=quats, directions_world=directions)


def _leg_length_m(rest: RigRest, rig_map: RigMap) -> float:
    """From hip to ankle along the resting legs, the mean of both."""
    heads = {role: rest.head_world(bone) for role, bone in rig_map.bones.items()}
    ways = [heads[f"{s}_{end}"] - heads[f"{s}_{start}"] for s in SIDES for start, end in _LEG_SEGMENTS]
    return 0.5 * float(np.linalg.norm(ways, axis=1).sum())


def _raised(track: PoseTrack, rest: RigRest, height_m: float) -> PoseTrack:
    """The whole rig higher in the world: the root, and whatever else has a place of its own beside it."""
    moved = {track.root_bone, *track.other_locations}
    way = np.linalg.solve(rest.world_from_armature[:3, :3], height_m * _UP)
    locations = {track.root_bone: track.root_location, **track.other_locations}
    for bone in moved:
        if moved.isdisjoint(rest.ancestors(bone)):
            locations[bone] = locations[bone] + np.linalg.solve(_location_axes(track, rest, bone), way[:, None])[..., 0]
    root_location = locations.pop(track.root_bone)
    return replace(track, root_location=root_location, other_locations=locations)


def _location_axes(track: PoseTrack, rest: RigRest, bone: str) -> np.ndarray:
    """Axes (T, 3, 3) or (3, 3), in armature space, in which pose_bone.location counts."""
    i, parent = rest.names.index(bone), rest.parents[rest.names.index(bone)]
    if parent is None:
        return rest.matrices[i, :3, :3] if rest.local_location[i] else np.eye(3)
    held = _posed_axes(track, rest, parent)
    if not rest.local_location[i]:
        return held
    return held @ np.linalg.inv(rest.matrices[rest.names.index(parent), :3, :3]) @ rest.matrices[i, :3, :3]


def _posed_axes(track: PoseTrack, rest: RigRest, bone: str) -> np.ndarray:
    """The bone's axes (T, 3, 3), or (3, 3) where nothing moves it, in armature space."""
    axes = np.eye(3)
    for name in [*reversed(rest.ancestors(bone)), bone]:
        i, parent = rest.names.index(name), rest.parents[rest.names.index(name)]
        if parent is not None and rest.inherits_turn[i]:
            axes = axes @ np.linalg.inv(rest.matrices[rest.names.index(parent), :3, :3]) @ rest.matrices[i, :3, :3]
        else:
            axes = rest.matrices[i, :3, :3]
        axes = axes @ (quat_to_matrix(track.quats[name]) if name in track.quats else rest.pose[i, :3, :3])
    return axes
