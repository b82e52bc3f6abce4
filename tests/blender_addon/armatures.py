"""Small armatures to test with: a T-pose with Mixamo's names and odd rolls, an A-pose with Rigify's and twist bones."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from atcn_core.motion.rigmap import RigMap
from atcn_core.rotation import normalized

SIDES = (("left", "Left", "L", 1.0), ("right", "Right", "R", -1.0))


def build(name: str, bones: list[tuple[str, str | None, tuple[float, float, float], float]]) -> bpy.types.Object:
    """An armature object of (bone, parent, head, roll); tails point anywhere, as importers leave them."""
    data = bpy.data.armatures.new(name)
    armature = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for i, (bone, parent, head, roll) in enumerate(bones):
        edit = data.edit_bones.new(bone)
        edit.head = head
        edit.tail = Vector(head) + 0.08 * Vector((np.cos(2.1 * i), np.sin(1.3 * i), 0.9 + 0.3 * np.cos(i)))
        edit.roll = roll
        edit.parent = data.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    for pose_bone in armature.pose.bones:
        pose_bone.rotation_mode = "QUATERNION"
    return armature


def t_pose() -> tuple[bpy.types.Object, RigMap]:
    """Mixamo's names, arms level, no twist bones."""
    bones = [
        ("mixamorig:Hips", None, (0, 0, 0.98), 0.3),
        ("mixamorig:Spine", "mixamorig:Hips", (0, 0.01, 1.08), 0.0),
        ("mixamorig:Spine1", "mixamorig:Spine", (0, 0.01, 1.2), 1.1),
        ("mixamorig:Spine2", "mixamorig:Spine1", (0, 0.01, 1.32), 0.0),
        ("mixamorig:Neck", "mixamorig:Spine2", (0, 0.02, 1.47), 0.0),
        ("mixamorig:Head", "mixamorig:Neck", (0, 0.0, 1.56), 2.0),
    ]
    roles = dict(zip(("hips", "spine", "chest", "upper_chest", "neck", "head"), (b[0] for b in bones), strict=True))
    for side, word, _, s in SIDES:
        limbs = (
            ("shoulder", "Shoulder", "mixamorig:Spine2", (s * 0.05, 0.02, 1.42)),
            ("upper_arm", "Arm", f"mixamorig:{word}Shoulder", (s * 0.17, 0.03, 1.42)),
            ("forearm", "ForeArm", f"mixamorig:{word}Arm", (s * 0.44, 0.03, 1.42)),
            ("hand", "Hand", f"mixamorig:{word}ForeArm", (s * 0.68, 0.03, 1.42)),
            ("index_knuckle", "HandIndex1", f"mixamorig:{word}Hand", (s * 0.77, 0.0, 1.42)),
            ("pinky_knuckle", "HandPinky1", f"mixamorig:{word}Hand", (s * 0.76, 0.06, 1.42)),
            ("thigh", "UpLeg", "mixamorig:Hips", (s * 0.09, 0, 0.93)),
            ("shin", "Leg", f"mixamorig:{word}UpLeg", (s * 0.09, 0, 0.51)),
            ("foot", "Foot", f"mixamorig:{word}Leg", (s * 0.09, 0.02, 0.08)),
            ("toe", "ToeBase", f"mixamorig:{word}Foot", (s * 0.1, -0.1, 0.02)),
        )
        for i, (role, bone, parent, head) in enumerate(limbs):
            bones.append((f"mixamorig:{word}{bone}", parent, head, s * 0.7 * i))
            roles[f"{side}_{role}"] = f"mixamorig:{word}{bone}"
    return build("Mixamo", bones), RigMap(roles, "t_pose")


def a_pose() -> tuple[bpy.types.Object, RigMap]:
    """Rigify's names, arms down and a little bent, a twist bone in each limb, a root bone under all."""
    bones = [
        ("root", None, (0, 0, 0), 0.0),
        ("spine", "root", (0, 0.05, 1.0), 0.0),
        ("spine.001", "spine", (0, 0.02, 1.12), 0.0),
        ("spine.003", "spine.001", (0, 0.02, 1.3), 0.4),
        ("spine.004", "spine.003", (0, 0.02, 1.5), 0.0),
        ("spine.006", "spine.004", (0, 0.0, 1.6), 0.0),
    ]
    names = ("spine", "spine.001", "spine.003", "spine.004", "spine.006")
    roles = dict(zip(("hips", "spine", "upper_chest", "neck", "head"), names, strict=True))
    for side, _, letter, s in SIDES:
        limbs = (
            ("shoulder", "shoulder", "spine.003", (s * 0.02, -0.02, 1.42)),
            ("upper_arm", "upper_arm", f"shoulder.{letter}", (s * 0.17, 0.04, 1.42)),
            (None, "upper_arm_twist", f"upper_arm.{letter}", (s * 0.27, 0.05, 1.35)),
            ("forearm", "forearm", f"upper_arm_twist.{letter}", (s * 0.38, 0.06, 1.28)),
            (None, "forearm_twist", f"forearm.{letter}", (s * 0.48, 0.04, 1.21)),
            ("hand", "hand", f"forearm_twist.{letter}", (s * 0.58, 0.02, 1.14)),
            ("thigh", "thigh", "spine", (s * 0.1, 0.01, 0.95)),
            (None, "thigh_twist", f"thigh.{letter}", (s * 0.1, -0.01, 0.75)),
            ("shin", "shin", f"thigh_twist.{letter}", (s * 0.1, -0.02, 0.52)),
            ("foot", "foot", f"shin.{letter}", (s * 0.1, 0.03, 0.09)),
            ("toe", "toe", f"foot.{letter}", (s * 0.1, -0.1, 0.02)),
        )
        for i, (role, bone, parent, head) in enumerate(limbs):
            bones.append((f"{bone}.{letter}", parent, head, s * 0.5 * i))
            if role:
                roles[f"{side}_{role}"] = f"{bone}.{letter}"
    return build("Rigify", bones), RigMap(roles, "a_pose")


def evaluated_heads(armature: bpy.types.Object, frame: int) -> dict[str, np.ndarray]:
    """Every bone's head in the world at a frame, by Blender's own evaluation."""
    bpy.context.scene.frame_set(frame)
    seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: np.array(seen.matrix_world @ bone.head) for bone in seen.pose.bones}


def vertices_m(body: bpy.types.Object) -> np.ndarray:
    """(V, 3) world metres, as posed."""
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(3 * len(evaluated.data.vertices), dtype=np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world)
    return flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def degrees_apart(first: np.ndarray, second: np.ndarray) -> float:
    """Angle between two directions."""
    cosine = float(np.clip(normalized(np.asarray(first)) @ normalized(np.asarray(second)), -1, 1))
    return float(np.degrees(np.arccos(cosine)))
