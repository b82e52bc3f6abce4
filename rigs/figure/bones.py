"""A person's bones by the name of their convention, and which of them a rig.json names."""

from __future__ import annotations

from .bone import Bone, Joints
from .game_rigs import biped, kaykit, unreal, vroid
from .mixamo_and_rigify import mixamo, rigify
from .person import Person

__all__ = ["Bone", "bones_of", "role_bones"]

# The bone roles that a rig.json may name; the avatar's finger weights use further ones.
_RIG_ROLES = ("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")
_SPINE_ROLES = ("hips", "spine", "chest", "upper_chest", "neck", "head")
_MAKERS = {"mixamo": mixamo, "rigify": rigify, "vroid": vroid, "unreal": unreal, "biped": biped, "kaykit": kaykit}


def bones_of(person: Person, joints: Joints) -> list[Bone]:
    """All bones of the person's rig, parents before children."""
    return _MAKERS[person.naming](person, joints)


def role_bones(bones: list[Bone]) -> dict[str, str]:
    """The rig.json map: role to bone name, in a fixed order; roles without a bone are left out."""
    by_role = {bone.role: bone.name for bone in bones if bone.role}
    wanted = list(_SPINE_ROLES)
    for side in ("left", "right"):
        wanted += [f"{side}_{role}" for role in _RIG_ROLES]
    found = {role: by_role[role] for role in wanted if role in by_role}
    for side in ("left", "right"):
        for finger in ("index", "pinky"):
            if f"{side}_{finger}_1" in by_role:
                found[f"{side}_{finger}_knuckle"] = by_role[f"{side}_{finger}_1"]
    return found
