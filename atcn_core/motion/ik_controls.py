"""Keys for a control rig's IK controls (hands, feet, poles) in place of its FK limbs, in the same pose. No Blender.

Sources: Rigify's limb rigs (`IK_FK`, `IK_parent`, `pole_parent`, `pole_vector` on a limb's parent bone); for Auto-Rig
Pro the names in other public tools' maps, never tried on the rig itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..rotation import matrix_to_quat, normalized, quat_to_matrix, quat_unrolled
from ..skeleton import SIDES
from .retarget import PoseTrack
from .rig_rest import RigRest
from .rigmap import RigMap, SwitchedBone

__all__ = ["IkLimb", "has_both", "ik_limbs", "on_fk_controls", "switches", "to_ik"]

# A limb straighter than about this share of its length bends where its upper bone's own front is: its three joints
# hardly tell, and a pole that followed them would jump.
_STRAIGHT = 0.004


@dataclass(frozen=True)
class IkLimb:
    """One limb's controls. Names of bones.

    upper, lower, end: its FK controls. control, pole: what moves it as IK. toe: the FK and the IK control of
    what follows the end, or None.
    switches: what must be set for the IK controls to lead. still: helpers of the control that must stay at rest.
    """

    upper: str
    lower: str
    end: str
    control: str
    pole: str
    switches: tuple[SwitchedBone, ...]
    still: tuple[str, ...] = ()
    toe: tuple[str, str] | None = None

    @property
    def fk_controls(self) -> tuple[str, ...]:
        """The FK controls that the IK ones stand for."""
        return (self.upper, self.lower, self.end, *((self.toe[0],) if self.toe else ()))


@dataclass(frozen=True)
class _Family:
    """A limb's controls in one family of rigs, without the ending that tells the side: "hand_fk" of "hand_fk.L".

    chain: the bones that the IK turns, which may stretch: they would rather shrink than bend.
    """

    role: str
    fk: tuple[str, str, str]
    control: str
    pole: str
    switch_bone: str
    settings: Mapping[str, float]
    still: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    toe: tuple[str, str] | None = None


# IK_parent and pole_parent: 1 is the root bone. It carries the torso too, by constraints, so the tree does not tell.
_RIGIFY = {"IK_FK": 0.0, "IK_parent": 1.0, "pole_parent": 1.0, "pole_vector": 1.0}
_ARP = {"ik_fk_switch": 0.0}
_FAMILIES = (
    _Family(
        "upper_arm", ("upper_arm_fk", "forearm_fk", "hand_fk"), "hand_ik", "upper_arm_ik_target", "upper_arm_parent",
        _RIGIFY, ("upper_arm_ik",), ("upper_arm_ik", "MCH-forearm_ik"),
    ),
    _Family(
        "thigh", ("thigh_fk", "shin_fk", "foot_fk"), "foot_ik", "thigh_ik_target", "thigh_parent",
        _RIGIFY, ("thigh_ik", "foot_spin_ik", "foot_heel_ik"), ("thigh_ik", "MCH-shin_ik"),
        ("toe_fk", "toe_ik"),
    ),
    _Family(
        "upper_arm", ("c_arm_fk", "c_forearm_fk", "c_hand_fk"), "c_hand_ik", "c_arms_pole", "c_hand_ik", _ARP
    ),
    _Family(
        "thigh", ("c_thigh_fk", "c_leg_fk", "c_foot_fk"), "c_foot_ik", "c_leg_pole", "c_foot_ik",
        _ARP, toe=("c_toes_fk", "c_toes_ik"),
    ),
)  # fmt: skip
_SIDED = tuple((side, family) for side in SIDES for family in _FAMILIES)


def ik_limbs(rig_map: RigMap, bone_names: Iterable[str]) -> list[IkLimb]:
    """The limbs whose mapped bones are FK controls beside which the rig has IK ones; empty for any other rig."""
    names = set(bone_names)
    found = [
        _limb(family, rig_map.bones[f"{side}_{family.role}"].removeprefix(family.fk[0]), names)
        for side, family in _SIDED
        if rig_map.bones.get(f"{side}_{family.role}", "").startswith(family.fk[0])
    ]
    return [limb for limb in found if limb is not None]


def on_fk_controls(rig_map: RigMap) -> bool:
    """Whether any of the mapped bones is an FK control of a family that has IK ones as well."""
    return any(rig_map.bones.get(f"{side}_{family.role}", "").startswith(family.fk[0]) for side, family in _SIDED)


def has_both(bone_names: Iterable[str]) -> bool:
    """Whether bones of these names are a rig with FK and IK controls for its limbs, as far as names tell."""
    names = set(bone_names)
    return any(
        _limb(family, bone.removeprefix(family.fk[0]), names) is not None
        for family in _FAMILIES
        for bone in names
        if bone.startswith(family.fk[0])
    )


def _limb(family: _Family, ending: str, names: set[str]) -> IkLimb | None:
    upper, lower, end = (stem + ending for stem in family.fk)
    control, pole, switch_bone = (stem + ending for stem in (family.control, family.pole, family.switch_bone))
    if not {upper, lower, end, control, pole, switch_bone} <= names:
        return None
    toe = (family.toe[0] + ending, family.toe[1] + ending) if family.toe else None
    switches = [SwitchedBone(switch_bone, name, value) for name, value in family.settings.items()]
    switches += [SwitchedBone(stem + ending, "ik_stretch", 0.0) for stem in family.chain]
    return IkLimb(
        upper, lower, end, control, pole,
        switches=tuple(switches),
        still=tuple(stem + ending for stem in family.still if stem + ending in names),
        toe=toe if toe is not None and set(toe) <= names else None,
    )  # fmt: skip


def switches(rig_map: RigMap, limbs: Iterable[IkLimb], track: PoseTrack, *, ik: bool) -> list[SwitchedBone]:
    """What must be set for the solved track's keys to show, on the FK controls or, by `to_ik`, on the IK ones.

    limbs: `ik_limbs`'s. A limb without keys is left as the animator has set it.
    """
    known = {limb.switches[0].bone: limb for limb in limbs}
    idle = {bone for bone, limb in known.items() if not _has_keys(limb, track)}
    fk = [switch for switch in rig_map.switches if switch.bone not in idle]
    if not ik:
        return fk
    led = [switch for bone, limb in known.items() if bone not in idle for switch in limb.switches]
    return [*(switch for switch in fk if switch.bone not in known), *led]


def _has_keys(limb: IkLimb, track: PoseTrack) -> bool:
    return {limb.upper, limb.lower, limb.end} <= set(track.quats)


def to_ik(track: PoseTrack, rest: RigRest, limbs: Iterable[IkLimb]) -> PoseTrack:
    """The same pose with keys on the limbs' IK controls; limbs without keys on all their FK controls stay as they are.

    The controls are placed where the FK controls have the limb's end, the poles on the side to which it bends, as far
    from the elbow or knee as at rest.
    """
    quats, locations = dict(track.quats), dict(track.other_locations)
    for limb in limbs:
        if not _has_keys(limb, track):
            continue
        pose = _poses(rest, track, limb.fk_controls)
        moved = pose[limb.end] @ np.linalg.inv(_rest(rest, limb.end))
        quats[limb.control] = _local_turns(rest, limb.control, _carried(rest, limb.control), moved)
        head = _points(moved, _rest(rest, limb.control)[:3, 3])
        locations[limb.control] = _local_place(rest, limb.control, head)
        locations[limb.pole] = _local_place(rest, limb.pole, _pole_places(rest, limb, pose))
        still = np.tile([1.0, 0.0, 0.0, 0.0], (len(track.times_s), 1))
        quats.update(dict.fromkeys((limb.pole, *limb.still), still))
        if limb.toe is not None and limb.toe[0] in quats:
            toe_moved = pose[limb.toe[0]] @ np.linalg.inv(_rest(rest, limb.toe[0]))
            quats[limb.toe[1]] = _local_turns(rest, limb.toe[1], moved, toe_moved)
        for bone in _fk_bones(rest, limb):
            quats.pop(bone, None)
            locations.pop(bone, None)
    return replace(track, quats=quats, other_locations=locations)


def _fk_bones(rest: RigRest, limb: IkLimb) -> set[str]:
    """The limb's FK controls and the bones between them, of which none is needed with IK."""
    found = set(limb.fk_controls)
    for bone in limb.fk_controls:
        above = rest.ancestors(bone)
        if limb.upper in above:
            found.update(above[: above.index(limb.upper)])
    return found


def _rest(rest: RigRest, bone: str) -> np.ndarray:
    return rest.matrices[rest.names.index(bone)]


def _poses(rest: RigRest, track: PoseTrack, bones: Iterable[str]) -> dict[str, np.ndarray]:
    """Where the track has these bones: {bone: (T, 4, 4)} in armature space, along the tree, without constraints."""
    wanted = set(bones).union(*(rest.ancestors(bone) for bone in bones))
    frames = len(track.times_s)
    poses: dict[str, np.ndarray] = {}
    for i, bone in enumerate(rest.names):
        if bone not in wanted:
            continue
        parent = rest.parents[i]
        above = np.eye(4) if parent is None else poses[parent] @ np.linalg.inv(_rest(rest, parent))
        held = np.broadcast_to(above @ rest.matrices[i], (frames, 4, 4)).copy()
        if not rest.inherits_turn[i]:
            held[:, :3, :3] = rest.matrices[i, :3, :3]
        poses[bone] = held @ rest.pose[i] if bone not in track.quats else _keyed(rest, i, held, above, track)
    return poses


def _keyed(rest: RigRest, i: int, held: np.ndarray, above: np.ndarray, track: PoseTrack) -> np.ndarray:
    """A bone's pose (T, 4, 4) with its keys, `held` being the pose without them, `above` what its parent has moved."""
    bone = rest.names[i]
    pose = held.copy()
    pose[:, :3, :3] = held[:, :3, :3] @ quat_to_matrix(track.quats[bone])
    location = track.root_location if bone == track.root_bone else track.other_locations.get(bone)
    if location is not None:
        way = location @ _location_axes(rest, bone).T
        pose[:, :3, 3] += np.einsum("...ij,...j->...i", np.broadcast_to(above, pose.shape)[:, :3, :3], way)
    return pose


def _location_axes(rest: RigRest, bone: str) -> np.ndarray:
    """The axes (3, 3) in which a bone's location counts while its parents are at rest."""
    i = rest.names.index(bone)
    if rest.local_location[i]:
        return rest.matrices[i, :3, :3]
    parent = rest.parents[i]
    return np.eye(3) if parent is None else _rest(rest, parent)[:3, :3]


def _points(matrices: np.ndarray, point: np.ndarray) -> np.ndarray:
    """A point (3,) or (T, 3) moved by matrices (T, 4, 4) or (4, 4)."""
    return np.einsum("...ij,...j->...i", matrices[..., :3, :3], point) + matrices[..., :3, 3]


def _rotation(matrices: np.ndarray) -> np.ndarray:
    """The turns (..., 3, 3) in matrices (..., 4, 4) that may scale evenly."""
    turn = matrices[..., :3, :3]
    return turn / np.cbrt(np.linalg.det(turn))[..., None, None]


def _carried(rest: RigRest, bone: str) -> np.ndarray:
    """How the bone's parents have moved it from rest: (4, 4) in armature space."""
    return rest.held_by_parents(bone) @ np.linalg.inv(_rest(rest, bone))


def _local_turns(rest: RigRest, bone: str, carried: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """pose_bone.rotation_quaternion (T, 4) of a bone that is carried so and shall have moved so from its rest."""
    own = _rest(rest, bone)[:3, :3]
    turn = np.swapaxes(_rotation(carried), -1, -2) @ _rotation(moved)
    return quat_unrolled(matrix_to_quat(own.T @ turn @ own))


def _local_place(rest: RigRest, bone: str, head: np.ndarray) -> np.ndarray:
    """pose_bone.location (T, 3) of a bone whose head shall be there (T, 3)."""
    way = _points(np.linalg.inv(_carried(rest, bone)), head) - _rest(rest, bone)[:3, 3]
    return way @ np.linalg.inv(_location_axes(rest, bone)).T


def _pole_places(rest: RigRest, limb: IkLimb, pose: dict[str, np.ndarray]) -> np.ndarray:
    """Where the pole shall be (T, 3): beyond the limb's middle joint, in the plane of its three joints."""
    start, middle, end = (pose[bone][:, :3, 3] for bone in (limb.upper, limb.lower, limb.end))
    upper_moved = pose[limb.upper] @ np.linalg.inv(_rest(rest, limb.upper))
    at_rest = [_rest(rest, bone)[:3, 3] for bone in (limb.upper, limb.lower, limb.end, limb.pole)]
    front = _rotation(upper_moved) @ _across(at_rest[3] - at_rest[1], at_rest[2] - at_rest[0])
    line = normalized(end - start)
    length = np.linalg.norm(middle - start, axis=1) + np.linalg.norm(end - middle, axis=1)
    bend = _across(middle - start, line)
    away = normalized(bend + _STRAIGHT * length[:, None] * normalized(_across(front, line)))
    scale = length / (np.linalg.norm(at_rest[1] - at_rest[0]) + np.linalg.norm(at_rest[2] - at_rest[1]))
    return middle + away * (scale * np.linalg.norm(at_rest[3] - at_rest[1]))[:, None]


def _across(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The part of vectors (..., 3) that is at right angles to a line (..., 3)."""
    line = normalized(line)
    return vectors - np.sum(vectors * line, axis=-1, keepdims=True) * line
