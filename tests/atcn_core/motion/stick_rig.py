"""A rig with the bones of tests/moving_person.py, of any roll and object transform, and its own small kinematics."""

from __future__ import annotations

import numpy as np

from atcn_core.motion.retarget import PoseTrack, RigRest
from atcn_core.motion.rigmap import ROLES, RigMap
from atcn_core.rotation import quat_to_matrix
from tests.moving_person import STILL, posed

HEADS = {
    "hips": "hip",
    "spine": "spine",
    "neck": "thorax",
    "head": "nose",
    **{
        f"{side}_{role}": f"{side}_{joint}"
        for side in ("left", "right")
        for role, joint in {
            "upper_arm": "shoulder",
            "forearm": "elbow",
            "hand": "wrist",
            "index_knuckle": "index",
            "pinky_knuckle": "pinky",
            "thigh": "hip",
            "shin": "knee",
            "foot": "ankle",
            "toe": "toe",
        }.items()
    },
}
PARENTS = {
    "spine": "hips",
    "neck": "spine",
    "head": "neck",
    **{
        f"{side}_{role}": parent if parent in ("hips", "spine") else f"{side}_{parent}"
        for side in ("left", "right")
        for role, parent in {
            "upper_arm": "spine",
            "forearm": "upper_arm",
            "hand": "forearm",
            "index_knuckle": "hand",
            "pinky_knuckle": "hand",
            "thigh": "hips",
            "shin": "thigh",
            "foot": "shin",
            "toe": "foot",
        }.items()
    },
}
RIG_MAP = RigMap({role: f"bone of {role}" for role in ROLES if role in HEADS}, "stick")


def stick_rest(roll_seed: int = 0, scale: float = 1.0, turn: np.ndarray = STILL, size: float = 1.0) -> RigRest:
    """The T-posed person as bones of random orientation, `size` times as tall, in an armature scaled and turned."""
    rng = np.random.default_rng(roll_seed)
    person = posed(np.zeros(1), np.array([0.0, 0.0, 0.895]), {})
    world_from_armature = np.eye(4)
    world_from_armature[:3, :3] = quat_to_matrix(turn) * scale
    roles = [role for role in ROLES if role in HEADS]
    matrices = np.tile(np.eye(4), (len(roles), 1, 1))
    orientation = rng.normal(size=(len(roles), 4))
    matrices[:, :3, :3] = quat_to_matrix(orientation / np.linalg.norm(orientation, axis=1, keepdims=True))
    heads = np.stack([person.point(HEADS[role])[0] for role in roles]) * size
    matrices[:, :3, 3] = heads @ np.linalg.inv(world_from_armature[:3, :3]).T
    return RigRest(
        names=tuple(RIG_MAP.bones[role] for role in roles),
        parents=tuple(RIG_MAP.bones.get(PARENTS.get(role, "")) for role in roles),
        matrices=matrices,
        world_from_armature=world_from_armature,
        inherits_turn=np.ones(len(roles), dtype=bool),
        local_location=np.ones(len(roles), dtype=bool),
        pose=np.tile(np.eye(4), (len(roles), 1, 1)),
    )


def carried(rest: RigRest, matrices: dict[str, np.ndarray], bone: str, points: np.ndarray) -> np.ndarray:
    """Where points (P, 3), at rest in the world, are (T, P, 3) as they go with a bone. matrices: `posed_world`'s."""
    moved = matrices[bone] @ np.linalg.inv(rest.world_from_armature @ rest.matrices[rest.names.index(bone)])
    return np.einsum("tij,pj->tpi", moved[:, :3, :3], points) + moved[:, None, :3, 3]


def posed_world(rest: RigRest, track: PoseTrack) -> dict[str, np.ndarray]:
    """Bone matrices (T, 4, 4) in the world by bone name, as Blender evaluates a pose."""
    frames = len(track.times_s)
    posed_armature: dict[str, np.ndarray] = {}
    for i, (bone, parent) in enumerate(zip(rest.names, rest.parents, strict=True)):
        basis = np.tile(rest.pose[i], (frames, 1, 1))
        if bone in track.quats:
            basis[:, :3, :3] = quat_to_matrix(track.quats[bone])
        if bone == track.root_bone:
            basis[:, :3, 3] = track.root_location
        if bone in track.other_locations:
            basis[:, :3, 3] = track.other_locations[bone]
        offset = rest.matrices[i]
        if parent is not None:
            offset = posed_armature[parent] @ np.linalg.inv(rest.matrices[rest.names.index(parent)]) @ offset
        posed_armature[bone] = offset @ basis
    return {bone: rest.world_from_armature @ matrix for bone, matrix in posed_armature.items()}
