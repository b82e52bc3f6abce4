"""How exactly a rig follows a motion, as Blender's own evaluation has it: angles between wanted and seen directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np
from mathutils import Vector

from atcn_core.motion import retarget
from atcn_core.motion.landmarks import motion_landmarks, rest_landmarks
from atcn_core.motion.limbs import rest_arm_hinge, rest_leg_hinge
from atcn_core.motion.rig_rest import rest_axes
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized
from atcn_core.skeleton import Skeleton, mirrored_name
from blender_addon.armature import rest_of
from blender_addon.bake import bake
from tests.blender_addon.armatures import evaluated_heads
from tests.moving_person import UP, about

__all__ = [
    "Errors",
    "Seen",
    "degrees_between",
    "end_errors_deg",
    "follow",
    "heads_at",
    "length_errors",
    "mirror_errors_deg",
    "parity_errors_deg",
    "roll_errors_deg",
    "seen_at",
    "segment_errors_deg",
    "trunk_errors_deg",
]

# A limb's segments on the rig and on the body: from role to role, from joint to joint.
SEGMENTS = {
    (f"{side}_{start}", f"{side}_{end}"): (f"{side}_{joint}", f"{side}_{next_joint}")
    for side in ("left", "right")
    for start, end, joint, next_joint in (
        ("upper_arm", "forearm", "shoulder", "elbow"),
        ("forearm", "hand", "elbow", "wrist"),
        ("thigh", "shin", "hip", "knee"),
        ("shin", "foot", "knee", "ankle"),
    )
}
# The bones of a motion of the rig's own that are turned, and which bone carries each joint.
TURNED = (
    "hips",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("upper_arm", "hand", "thigh", "foot")),
)
CARRIERS = {
    "hip": "hips",
    "thorax": "hips",
    **dict.fromkeys(("nose", "left_ear", "right_ear"), "head"),
    **{
        f"{side}_{joint}": f"{side}_{role}"
        for side in ("left", "right")
        for joint, role in (
            *(("shoulder", "upper_arm"), ("elbow", "forearm"), ("wrist", "hand"), ("index", "hand"), ("pinky", "hand")),
            *(("hip", "thigh"), ("knee", "shin"), ("ankle", "foot"), ("heel", "foot"), ("toe", "foot")),
        )
    },
}
Heads = dict[str, np.ndarray]

# A foot above this does not stand; one that stands is laid level on the floor, whatever its points show.
OFF_FLOOR_M = 0.2


@dataclass(frozen=True)
class Errors:
    """Angles between wanted and evaluated directions, in degrees."""

    mean: float
    p95: float
    worst: float

    @classmethod
    def of(cls, errors_deg: np.ndarray) -> Errors:
        return cls(float(np.mean(errors_deg)), float(np.percentile(errors_deg, 95)), float(np.max(errors_deg)))

    def __str__(self) -> str:
        return f"{self.mean:.3f} / {self.p95:.3f} / {self.worst:.3f}"


def degrees_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles (...) between directions (..., 3), exact for small ones too."""
    first, second = normalized(first), normalized(second)
    return np.degrees(
        2.0 * np.arctan2(np.linalg.norm(first - second, axis=-1), np.linalg.norm(first + second, axis=-1))
    )


def follow(
    armature: bpy.types.Object, rig_map: RigMap, motion: WorldMotion, frames: Sequence[int]
) -> tuple[Heads, retarget.PoseTrack]:
    """Heads (N, 3) in the world by role, evaluated at some of the frames after the motion was solved and baked."""
    track = retarget.solve(motion, rest_of(armature), rig_map)
    bake(armature, track, action_name="Motion", start_frame=0)
    return heads_at(armature, rig_map, frames), track


def heads_at(armature: bpy.types.Object, rig_map: RigMap, frames: Sequence[int]) -> Heads:
    """Heads (N, 3) in the world by role at these frames of the scene."""
    seen = [evaluated_heads(armature, frame) for frame in frames]
    return {role: np.stack([heads[bone] for heads in seen]) for role, bone in rig_map.bones.items()}


@dataclass(frozen=True)
class Seen:
    """A rig in some frames, as Blender shows it.

    heads: (N, 3) in the world by role. turns: (N, 3, 3) by role, how far the bone has turned from rest in the world.
    rest_heads: (3,) by role.
    """

    heads: Heads
    turns: dict[str, np.ndarray]
    rest_heads: Heads


def seen_at(armature: bpy.types.Object, bones: dict[str, str], frames: Sequence[int]) -> Seen:
    """What Blender makes of an armature's present Action at these frames. bones: by role, those that are looked at."""
    world = np.array(armature.matrix_world)
    rests = {role: world @ np.array(armature.data.bones[bone].matrix_local) for role, bone in bones.items()}
    found: dict[str, list[np.ndarray]] = {role: [] for role in bones}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for role, bone in bones.items():
            found[role].append(np.array(shown.matrix_world @ shown.pose.bones[bone].matrix))
    matrices = {role: np.stack(of_role) for role, of_role in found.items()}
    return Seen(
        {role: matrix[:, :3, 3] for role, matrix in matrices.items()},
        {role: matrix[:, :3, :3] @ np.linalg.inv(rests[role][:3, :3]) for role, matrix in matrices.items()},
        {role: rest[:3, 3] for role, rest in rests.items()},
    )


def segment_errors_deg(heads: Heads, motion: WorldMotion, frames: Sequence[int]) -> np.ndarray:
    """Angle of each limb segment to the body's (N, 8)."""
    errors_deg = [
        degrees_between(heads[end] - heads[start], (motion.points(next_joint) - motion.points(joint))[list(frames)])
        for (start, end), (joint, next_joint) in SEGMENTS.items()
    ]
    return np.stack(errors_deg, axis=1)


def trunk_errors_deg(heads: Heads, motion: WorldMotion, frames: Sequence[int]) -> np.ndarray:
    """Angle of the line from between the thighs to the neck to the body's from hip to thorax (N,)."""
    middle = 0.5 * (heads["left_thigh"] + heads["right_thigh"])
    shoulders = 0.5 * (heads["left_upper_arm"] + heads["right_upper_arm"])
    on_body = motion.points("thorax") - motion.points("hip")
    return degrees_between(heads.get("neck", shoulders) - middle, on_body[list(frames)])


def end_errors_deg(seen: Seen, rest: retarget.RigRest, motion: WorldMotion, frames: Sequence[int]) -> Heads:
    """Angles (N,) between where head, hands and soles point and where the body's do: "head", "left_hand" ...

    On the rig they point from rest as `rest_landmarks` has it; the frames in which a foot is on the floor are left out.
    """
    at_rest = rest_landmarks(seen.rest_heads, rest_axes(seen.rest_heads, rest))
    body = motion_landmarks(motion)
    lines = {"head": (("left_ear", "right_ear"), ("nose",))}
    for side in ("left", "right"):
        lines[f"{side}_hand"] = ((f"{side}_wrist",), (f"{side}_index", f"{side}_pinky"))
        lines[f"{side}_foot"] = ((f"{side}_heel",), (f"{side}_toe",))
    errors_deg = {}
    for role, (start, end) in lines.items():
        aims = [
            np.mean([of[point] for point in end], axis=0) - np.mean([of[point] for point in start], axis=0)
            for of in (at_rest, body)
        ]
        kept = _off_floor(motion, role, frames) if role.endswith("foot") else slice(None)
        errors_deg[role] = degrees_between(seen.turns[role] @ aims[0], aims[1][list(frames)])[kept]
    return errors_deg


def roll_errors_deg(seen: Seen, rest: retarget.RigRest, motion: WorldMotion, frames: Sequence[int]) -> np.ndarray:
    """How far feet off the floor are rolled aside (N,) against the body's, whose ankles lie over their soles."""
    axes = rest_axes(seen.rest_heads, rest)
    at_rest = rest_landmarks(seen.rest_heads, axes)
    errors_deg = []
    for side in ("left", "right"):
        heel, toe, ankle = (motion.points(f"{side}_{joint}")[list(frames)] for joint in ("heel", "toe", "ankle"))
        sole = normalized(toe - heel)
        aside = np.cross(sole, ankle - heel)
        at_side = np.cross(at_rest.between(f"{side}_heel", f"{side}_toe"), axes.up)
        on_rig = seen.turns[f"{side}_foot"] @ at_side
        on_rig = on_rig - np.sum(on_rig * sole, axis=-1, keepdims=True) * sole
        errors_deg.append(degrees_between(on_rig, aside)[_off_floor(motion, f"{side}_foot", frames)])
    return np.concatenate(errors_deg)


def _off_floor(motion: WorldMotion, role: str, frames: Sequence[int]) -> np.ndarray:
    side = role.partition("_")[0]
    lowest_m = np.minimum(motion.points(f"{side}_heel")[:, 2], motion.points(f"{side}_toe")[:, 2])
    return lowest_m[list(frames)] > OFF_FLOOR_M


def length_errors(seen: Seen) -> np.ndarray:
    """How much longer or shorter than at rest each limb's segment (N, 8) is seen, as a share of its length."""
    errors = []
    for start, end in SEGMENTS:
        length = np.linalg.norm(seen.heads[end] - seen.heads[start], axis=1)
        errors.append(np.abs(length / np.linalg.norm(seen.rest_heads[end] - seen.rest_heads[start]) - 1.0))
    return np.stack(errors, axis=1)


def mirror_errors_deg(rest: retarget.RigRest, rig_map: RigMap, motion: WorldMotion) -> np.ndarray:
    """Angles (T, S) between the limbs of a motion mirrored after solving and of one mirrored before."""
    flip = np.diag([-1.0, 1.0, 1.0])
    order = list(motion.skeleton.mirror)
    mirrored = replace(motion, joints_world=motion.joints_world[:, order] @ flip, score=motion.score[:, order])
    first, second = (retarget.solve(of, rest, rig_map).directions_world for of in (motion, mirrored))
    return np.stack(
        [degrees_between(first[start] @ flip, second[mirrored_name(start)]) for start, _ in SEGMENTS], axis=1
    )


def own_motion(
    armature: bpy.types.Object, rig_map: RigMap, frames: Sequence[int], seed: int = 0
) -> tuple[WorldMotion, Heads]:
    """A motion of the rig's own: bones turned at random, its joints read as a person's; and its heads (N, 3) by role.

    Trunk and head are turned as a whole, knees and elbows bend as they do: joints do not tell how a back and a neck
    bend.
    What no bone marks (face, knuckles, sole) is carried along from where it is at rest, off the floor.
    """
    _to_rest(armature)
    rest = rest_of(armature)
    rest_heads = {role: rest.head_world(bone) for role, bone in rig_map.bones.items()}
    axes = rest_axes(rest_heads, rest)
    resting = rest_landmarks(rest_heads, axes)
    at_rest = resting.points | _soles_below(resting.points, axes.up)
    # Ankles turn less far than other joints.
    much = {rig_map.bones[role]: 0.08 if role.endswith("foot") else 0.15 for role in TURNED}
    _turn_at_random(armature, much, frames, seed)
    for side in ("left", "right"):
        _bend(armature, rig_map.bones[f"{side}_shin"], rest_leg_hinge(resting, side, axes), frames)
        _bend(armature, rig_map.bones[f"{side}_forearm"], rest_arm_hinge(resting, side, axes), frames)
    paths: dict[str, list[np.ndarray]] = {joint: [] for joint in CARRIERS}
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        for joint, role in CARRIERS.items():
            bone = armature.pose.bones[rig_map.bones[role]]
            moved = (
                armature.matrix_world
                @ bone.matrix
                @ bone.bone.matrix_local.inverted()
                @ armature.matrix_world.inverted()
            )
            paths[joint].append(np.array(moved @ Vector(at_rest[joint])))
    skeleton = Skeleton("own", tuple(CARRIERS), (None,) * len(CARRIERS))
    joints = np.stack([np.stack(path) for path in paths.values()], axis=1)
    # A person in metres, high off the floor: standing feet are laid level.
    joints *= 1.7 / np.ptp(np.stack(list(rest_heads.values())) @ axes.up)
    joints += (1.0 - joints[..., 2].min()) * UP
    motion = WorldMotion(np.asarray(frames) / 30.0, skeleton, joints, np.ones(joints.shape[:2]))
    return motion, heads_at(armature, rig_map, frames)


def _soles_below(at_rest: Heads, up: np.ndarray) -> Heads:
    """Heels and toes of a foot, where the landmarks of a rig at rest only tell which way it points."""
    return {
        f"{side}_{joint}": at_rest[f"{side}_{joint}"] - 0.3 * length * up
        for side in ("left", "right")
        for length in [np.linalg.norm(at_rest[f"{side}_toe"] - at_rest[f"{side}_heel"])]
        for joint in ("heel", "toe")
    }


def _to_rest(armature: bpy.types.Object) -> None:
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()


def _turn_at_random(armature: bpy.types.Object, bones: dict[str, float], frames: Sequence[int], seed: int) -> None:
    """Slow turns of bones {name: how much}."""
    rng = np.random.default_rng(seed)
    for name, most in bones.items():
        bone = armature.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        middle, reach = rng.normal(scale=most, size=(2, 4))
        for frame in frames:
            bone.rotation_quaternion = normalized(np.array([1.0, 0, 0, 0]) + middle + reach * np.sin(0.2 * frame))
            bone.keyframe_insert("rotation_quaternion", frame=frame)


def _bend(armature: bpy.types.Object, name: str, axis_world: np.ndarray, frames: Sequence[int]) -> None:
    bone = armature.pose.bones[name]
    bone.rotation_mode = "QUATERNION"
    at_rest = normalized(np.array((armature.matrix_world @ bone.bone.matrix_local).to_3x3()).T).T
    for frame in frames:
        bone.rotation_quaternion = about(at_rest.T @ axis_world, 0.8 + 0.4 * np.sin(0.3 * frame))
        bone.keyframe_insert("rotation_quaternion", frame=frame)


def parity_errors_deg(
    make: Callable[[], tuple[bpy.types.Object, RigMap]], frames: Sequence[int]
) -> dict[tuple[str, str], np.ndarray]:
    """A rig's own motion against what the solve makes of it on the same rig: angles (N,) by bone and the next one."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature, rig_map = make()
    motion, wanted = own_motion(armature, rig_map, frames)
    _to_rest(armature)
    found, _ = follow(armature, rig_map, motion, range(len(frames)))
    return {
        (start, end): degrees_between(found[end] - found[start], wanted[end] - wanted[start])
        for start, end in retarget.next_roles(rig_map).items()
    }
