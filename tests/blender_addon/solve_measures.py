"""How exactly a rig follows a motion, as Blender's own evaluation has it; the table over every rig in reach.

python -m tests.blender_addon.solve_measures      (with the bpy module, from the repository's root)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from atcn_core.motion import retarget
from atcn_core.motion.landmarks import rest_landmarks
from atcn_core.motion.limbs import rest_leg_hinge
from atcn_core.motion.rig_rest import rest_axes
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import normalized
from atcn_core.skeleton import Skeleton
from blender_addon.armature import rest_of
from blender_addon.bake import bake
from tests.blender_addon.armatures import evaluated_heads
from tests.blender_addon.rigs_in_reach import rig_makers
from tests.moving_person import UP, about, dancing

__all__ = ["Errors", "follow", "parity_errors_deg", "segment_errors_deg", "trunk_errors_deg"]

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
    *(f"{side}_{part}" for side in ("left", "right") for part in ("upper_arm", "forearm", "hand", "thigh", "foot")),
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
        return f"{self.mean:6.3f} {self.p95:6.3f} {self.worst:6.3f}"


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


def own_motion(
    armature: bpy.types.Object, rig_map: RigMap, frames: Sequence[int], seed: int = 0
) -> tuple[WorldMotion, Heads]:
    """A motion of the rig's own: bones turned at random, its joints read as a person's; and its heads (N, 3) by role.

    Trunk and head are turned as a whole and knees bend as knees do: joints do not tell how a back and a neck bend.
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
    joints = np.stack([np.stack(path) for path in paths.values()], axis=1) + 1.0 * UP
    motion = WorldMotion(np.arange(len(frames)) / 30.0, skeleton, joints, np.ones(joints.shape[:2]))
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


def measured(make: Callable[[], tuple[bpy.types.Object, RigMap]], motion: WorldMotion) -> str:
    """One line of the table: limbs and trunk on a motion, and the rig's own motion solved back onto it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    frames = range(0, len(motion.times_s), 3)
    armature, rig_map = make()
    heads, _ = follow(armature, rig_map, motion, frames)
    limbs, trunk = segment_errors_deg(heads, motion, frames), trunk_errors_deg(heads, motion, frames)
    own = np.stack(list(parity_errors_deg(make, range(0, 40, 2)).values()))
    return f"{Errors.of(limbs)} | {Errors.of(trunk)} | {Errors.of(own)}"


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


def main() -> None:
    motion = dancing(2.0, seed=5).motion()
    print("direction error in degrees, mean 95th worst: limbs | trunk | own motion")
    for name, make in rig_makers().items():
        print(f"{name:28s} {measured(make, motion)}", flush=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Some wheels of Blender crash while the interpreter shuts down.
    os._exit(0)
