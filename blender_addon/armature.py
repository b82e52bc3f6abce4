"""Reads bones: an armature object's rest pose as plain arrays. The only reader of bones; nothing is changed here."""

from __future__ import annotations

import bpy
import numpy as np

from .core import bone_tree, errors, retarget

__all__ = ["bone_names", "require_armature", "rest_bones", "rest_of"]


def require_armature(armature: bpy.types.Object | None) -> None:
    """Raise RigError where this is no armature object that can be animated."""
    if armature is None or armature.type != "ARMATURE":
        what = "Nothing is chosen" if armature is None else f"{armature.name!r} is no armature"
        raise errors.RigError(f"{what}.", hint="Choose an armature object.")
    if armature.library is not None:
        raise errors.RigError(
            f"The armature {armature.name!r} is linked from another file and cannot be animated as it is.",
            hint="Make a library override of it first (Object > Library Override > Make).",
        )
    if armature.override_library is not None and armature.override_library.is_system_override:
        raise errors.RigError(
            f"The library override of {armature.name!r} is not editable: what is changed on it would be lost.",
            hint="Make it editable first (Object > Library Override > Make).",
        )


def bone_names(armature: bpy.types.Object) -> list[str]:
    """Names of all bones, parents before children."""
    return [bone.name for bone in armature.data.bones]


def rest_bones(armature: bpy.types.Object) -> list[bone_tree.RestBone]:
    """All bones at rest in the armature's own space, for recognising it. Raises RigError where it is no armature."""
    require_armature(armature)
    return [
        bone_tree.RestBone(
            name=bone.name,
            parent=bone.parent.name if bone.parent else None,
            head=tuple(bone.head_local),
            tail=tuple(bone.tail_local),
            deform=bone.use_deform,
        )
        for bone in armature.data.bones
    ]


def rest_of(armature: bpy.types.Object) -> retarget.RigRest:
    """The rest pose of an armature object, where it stands in its world. Raises RigError where it is no armature."""
    require_armature(armature)
    bones = _parents_first(armature.data.bones)
    return retarget.RigRest(
        names=tuple(bone.name for bone in bones),
        parents=tuple(bone.parent.name if bone.parent else None for bone in bones),
        matrices=np.array([bone.matrix_local for bone in bones], dtype=np.float64),
        world_from_armature=np.array(armature.matrix_world, dtype=np.float64),
        inherits_turn=np.array([bone.use_inherit_rotation for bone in bones], dtype=bool),
        local_location=np.array([bone.use_local_location for bone in bones], dtype=bool),
        pose=np.array([armature.pose.bones[bone.name].matrix_basis for bone in bones], dtype=np.float64),
    )


def _parents_first(bones: bpy.types.ArmatureBones) -> list[bpy.types.Bone]:
    roots = [bone for bone in bones if bone.parent is None]
    return [bone for root in roots for bone in (root, *root.children_recursive)]
