"""A person's motion on a rig: rest-relative turns down the bone tree, and the root's path. No Blender in here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..rotation import matrix_to_quat, normalized, quat_rotate, quat_slerp, quat_to_matrix, quat_unrolled
from .ground import floor_height_m
from .landmarks import SIDES, motion_landmarks, rest_landmarks
from .rig_rest import RigRest, rest_axes
from .rigmap import TRUNK_ROLES, RigMap
from .turns import body_turns
from .world import WorldMotion

__all__ = ["PoseTrack", "RigRest", "next_roles", "resample", "solve"]

# Landmark roles: their bones tell where a hand's knuckles are, and are not turned themselves.
_LANDMARK_ROLES = tuple(f"{side}_{finger}_knuckle" for side in SIDES for finger in ("index", "pinky"))

# Down each chain of the body; a bone's direction is the one to the next of these that the rig has.
_CHAINS = (
    (*TRUNK_ROLES, "neck", "head"),
    *((f"{side}_shoulder", f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand") for side in SIDES),
    *((f"{side}_thigh", f"{side}_shin", f"{side}_foot", f"{side}_toe") for side in SIDES),
)


@dataclass(frozen=True)
class PoseTrack:
    """Keys-to-be of a rig.

    times_s:          (T,).
    quats:            {bone: (T, 4)} wxyz, local turns as pose_bone.rotation_quaternion wants them, sign-unrolled.
    root_bone:        the bone that carries the way through the room.
    root_location:    (T, 3) as its pose_bone.location wants it.
    directions_world: {role: (T, 3)} unit, from each mapped bone's head to the next one's: for checking.
    """

    times_s: np.ndarray
    quats: dict[str, np.ndarray]
    root_bone: str
    root_location: np.ndarray
    directions_world: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        frames = len(self.times_s)
        for name, quats in self.quats.items():
            if quats.shape != (frames, 4):
                raise ValueError(f"quats of {name} have shape {quats.shape}, expected {(frames, 4)}")
        if self.root_location.shape != (frames, 3):
            raise ValueError(f"root_location has shape {self.root_location.shape}, expected {(frames, 3)}")


def next_roles(rig_map: RigMap) -> dict[str, str]:
    """The role whose bone's head a role's bone points to, for the rig's roles that have one."""
    following = {}
    for chain in _CHAINS:
        present = [role for role in chain if role in rig_map.bones]
        following.update(pairwise(present))
    return following


def solve(motion: WorldMotion, rest: RigRest, rig_map: RigMap) -> PoseTrack:
    """The motion as local turns and root path of a rig.

    Each bone keeps its rest roll and is turned as the body's part it plays has turned from the rig's rest pose.
    The way through the room is scaled by the leg's length, so that strides fit. Raises RigError.
    """
    rig_map.require(rest.names, rig_map.name or "of this rig")
    heads = {role: rest.head_world(bone) for role, bone in rig_map.bones.items()}
    axes = rest_axes(heads, rest)
    body, resting = motion_landmarks(motion), rest_landmarks(heads, axes)
    trunk = tuple(role for role in TRUNK_ROLES if role in rig_map.bones)
    turns = body_turns(body, resting, axes, trunk, motion.times_s)
    turns = {role: turns[role] for role in rig_map.bones if role not in _LANDMARK_ROLES}
    quats = _local_quats(turns, rest, rig_map)
    directions = {
        role: quat_rotate(turns[role], normalized(heads[following] - heads[role]))
        for role, following in next_roles(rig_map).items()
    }
    standing_m = {role: float((heads[role] - rest.world_from_armature[:3, 3]) @ axes.up) for role in _feet(heads)}
    hips_world = _hips_path(motion, turns, heads, standing_m, rest.world_from_armature[:3, 3])
    root = rig_map.bones["hips"]
    return PoseTrack(motion.times_s, quats, root, _location(hips_world, rest, root), directions)


def _local_quats(turns: dict[str, np.ndarray], rest: RigRest, rig_map: RigMap) -> dict[str, np.ndarray]:
    """Local turns of the mapped bones, and no turn for the unmapped ones between them (twist bones)."""
    role_of = {rig_map.bones[role]: role for role in turns}
    chain = {bone for bone in role_of} | {parent for bone in role_of for parent in rest.ancestors(bone)}
    armature_from_world = _turn_in(rest.world_from_armature[:3, :3]).T
    turns_armature = {
        role: armature_from_world @ quat_to_matrix(turn) @ armature_from_world.T for role, turn in turns.items()
    }
    posed: dict[str, np.ndarray] = {}
    quats: dict[str, np.ndarray] = {}
    frames = len(next(iter(turns.values())))
    for i, (bone, parent) in enumerate(zip(rest.names, rest.parents, strict=True)):
        if bone not in chain:
            continue
        at_rest = rest.matrices[i, :3, :3]
        unturned = at_rest
        if parent is not None and rest.inherits_turn[i]:
            # Blender's rest matrices are a little off orthonormal: the inverse, not the transpose.
            unturned = posed[parent] @ (np.linalg.inv(rest.matrices[rest.names.index(parent), :3, :3]) @ at_rest)
        if bone in role_of:
            wanted = turns_armature[role_of[bone]] @ at_rest
            quats[bone] = quat_unrolled(matrix_to_quat(np.linalg.inv(unturned) @ wanted))
            posed[bone] = unturned @ quat_to_matrix(quats[bone])
        elif any(above in role_of for above in rest.ancestors(bone)):
            quats[bone] = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 1))
            posed[bone] = unturned
        else:
            posed[bone] = unturned @ _turn_in(rest.pose[i, :3, :3])
    return quats


def _turn_in(matrix: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) nearest to a matrix that may scale as well."""
    into, _, out_of = np.linalg.svd(matrix)
    return into @ out_of


def _hips_path(
    motion: WorldMotion,
    turns: dict[str, np.ndarray],
    heads: dict[str, np.ndarray],
    at_rest_m: dict[str, float],
    origin: np.ndarray,
) -> np.ndarray:
    """Where the hips bone's head is to be (T, 3) in the world. at_rest_m: `_standing_heights_m`'s; origin: (3,).

    The middle of the rig's thigh heads follows the captured hip, scaled; then the whole path is raised or lowered by
    one constant so that the lowest feet stand as high as at rest. It starts where the armature object stands.
    """
    points = {f"{s}_{joint}": motion.points(f"{s}_{joint}") for s in SIDES for joint in ("hip", "knee", "ankle")}
    captured_m = np.mean(
        [
            np.median(np.linalg.norm(points[f"{side}_{end}"] - points[f"{side}_{start}"], axis=1))
            for side in SIDES
            for start, end in (("hip", "knee"), ("knee", "ankle"))
        ]
    )
    rig_m = float(
        np.mean(
            [
                np.linalg.norm(heads[f"{side}_{end}"] - heads[f"{side}_{start}"])
                for side in SIDES
                for start, end in (("thigh", "shin"), ("shin", "foot"))
            ]
        )
    )
    middle = 0.5 * (points["left_hip"] + points["right_hip"]) * (rig_m / max(captured_m, 1e-9))
    middle[:, :2] += origin[:2]
    rest_middle = 0.5 * (heads["left_thigh"] + heads["right_thigh"])
    feet_m = _feet_world_m(middle, rest_middle, turns, heads)
    standing_m = _standing_heights_m(at_rest_m, rig_m)
    above_m = np.stack([feet_m[role] - standing_m[role] for role in feet_m], axis=1)
    middle[:, 2] += origin[2] - floor_height_m(above_m)
    return middle + quat_rotate(turns["hips"], heads["hips"] - rest_middle)


def _feet(heads: dict[str, np.ndarray]) -> list[str]:
    return [role for side in SIDES for role in (f"{side}_foot", f"{side}_toe") if role in heads]


def _feet_world_m(
    middle: np.ndarray, rest_middle: np.ndarray, turns: dict[str, np.ndarray], heads: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Height (T,) of each ankle and toe joint by role, the middle of the thigh heads being at `middle`."""
    heights_m = {}
    for side in SIDES:
        chain = [f"{side}_{part}" for part in ("thigh", "shin", "foot", "toe") if f"{side}_{part}" in heads]
        at = middle + quat_rotate(turns["hips"], heads[f"{side}_thigh"] - rest_middle)
        for start, end in pairwise(chain):
            at = at + quat_rotate(turns[start], heads[end] - heads[start])
            if start != chain[0]:
                heights_m[end] = at[:, 2]
    return heights_m


def _standing_heights_m(rest_m: dict[str, float], half_leg_m: float) -> dict[str, float]:
    """How high above the floor the foot's joints are on a standing rig, by role.

    rest_m: their heights over the object's origin at rest: that is the floor, unless they lie far above or below it.
    """
    lowest_m = min(rest_m.values())
    if -0.1 * half_leg_m <= lowest_m <= 0.5 * half_leg_m:
        return rest_m
    sole_m = 0.1 * half_leg_m if any(role.endswith("toe") for role in rest_m) else 0.2 * half_leg_m
    return {role: height_m - lowest_m + sole_m for role, height_m in rest_m.items()}


def _location(head_world: np.ndarray, rest: RigRest, bone: str) -> np.ndarray:
    """pose_bone.location (T, 3) that brings a bone's head to `head_world`, its parents as they are posed now."""
    i = rest.names.index(bone)
    world, held = rest.world_from_armature, rest.held_by_parents(bone)
    head_armature = (head_world - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    axes = held[:3, :3] if rest.local_location[i] else held[:3, :3] @ np.linalg.inv(rest.matrices[i, :3, :3])
    return (head_armature - held[:3, 3]) @ np.linalg.inv(axes).T


def resample(track: PoseTrack, times_s: np.ndarray) -> PoseTrack:
    """The track at other times (N,): turns by spherical interpolation, path and directions by straight lines."""
    after = np.clip(np.searchsorted(track.times_s, times_s, side="right"), 1, max(len(track.times_s) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(track.times_s) - 1)
    step_s = track.times_s[after] - track.times_s[before]
    share = np.clip((times_s - track.times_s[before]) / np.maximum(step_s, 1e-12), 0.0, 1.0)

    def between(values: np.ndarray) -> np.ndarray:
        return values[before] + (values[after] - values[before]) * share[:, None]

    return PoseTrack(
        np.asarray(times_s, dtype=np.float64),
        {bone: quat_unrolled(quat_slerp(q[before], q[after], share)) for bone, q in track.quats.items()},
        track.root_bone,
        between(track.root_location),
        {role: normalized(between(d)) for role, d in track.directions_world.items()},
    )
