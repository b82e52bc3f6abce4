"""FK keys turned into IK ones, on a plain rig with Auto-Rig Pro's names, against bone places worked out apart."""

import numpy as np
import pytest

from atcn_core.motion.ik_controls import has_both, ik_limbs, on_fk_controls, switches, to_ik
from atcn_core.motion.retarget import PoseTrack
from atcn_core.motion.rig_rest import RigRest
from atcn_core.motion.rigmap import RigMap, SwitchedBone
from atcn_core.rotation import normalized, quat_multiply, quat_rotate, quat_to_matrix
from tests.moving_person import about

FRAMES = 25
X, Y, Z = np.eye(3)
TRUNK = {"hips": "c_root_master.x", "spine": "c_spine_01.x", "neck": "c_neck.x", "head": "c_head.x"}
LIMBS = {
    "upper_arm": "c_arm_fk",
    "forearm": "c_forearm_fk",
    "hand": "c_hand_fk",
    "thigh": "c_thigh_fk",
    "shin": "c_leg_fk",
    "foot": "c_foot_fk",
    "toe": "c_toes_fk",
}
HEADS = {
    "c_arm_fk": (0.2, 0.0, 1.4),
    "c_forearm_fk": (0.45, 0.03, 1.4),
    "c_hand_fk": (0.7, 0.0, 1.4),
    "c_hand_ik": (0.7, 0.0, 1.4),
    "c_arms_pole": (0.45, 0.6, 1.4),
    "c_thigh_fk": (0.1, 0.0, 0.9),
    "c_leg_fk": (0.1, -0.03, 0.5),
    "c_foot_fk": (0.1, 0.0, 0.1),
    "c_toes_fk": (0.1, -0.12, 0.02),
    "c_foot_ik": (0.1, 0.0, 0.1),
    "c_toes_ik": (0.1, -0.12, 0.02),
    "c_leg_pole": (0.1, -0.7, 0.5),
}
PARENTS = {
    "c_arm_fk": "c_spine_01.x",
    "c_forearm_fk": "c_arm_fk",
    "c_hand_fk": "c_forearm_fk",
    "c_thigh_fk": "c_root_master.x",
    "c_leg_fk": "c_thigh_fk",
    "c_foot_fk": "c_leg_fk",
    "c_toes_fk": "c_foot_fk",
    "c_toes_ik": "c_foot_ik",
}


def arp_like(traj_pose=None):
    """(RigMap, RigRest); every bone has another roll; the IK controls hang on c_traj, which is posed so."""
    bones = [("c_traj", None, (0, 0, 0))]
    above = None
    for height, bone in zip((0.95, 1.1, 1.45, 1.55), TRUNK.values(), strict=True):
        bones.append((bone, above, (0.0, 0.0, height)))
        above = bone
    for side, sign in (("l", 1.0), ("r", -1.0)):
        for stem, (x, y, z) in HEADS.items():
            parent = PARENTS.get(stem, "c_traj")
            name = parent if parent.endswith((".x", "c_traj")) else f"{parent}.{side}"
            bones.append((f"{stem}.{side}", name, (sign * x, y, z)))
    random = np.random.default_rng(0)
    matrices = np.tile(np.eye(4), (len(bones), 1, 1))
    matrices[:, :3, :3] = quat_to_matrix(normalized(random.normal(size=(len(bones), 4))))
    matrices[:, :3, 3] = [head for _, _, head in bones]
    names = tuple(name for name, _, _ in bones)
    pose = np.tile(np.eye(4), (len(bones), 1, 1))
    if traj_pose is not None:
        pose[0] = traj_pose
    local = np.array(["_ik" not in name for name in names])
    rest = RigRest(
        names, tuple(parent for _, parent, _ in bones), matrices, np.eye(4), np.ones(len(bones), bool), local, pose
    )
    sides = {"left": "l", "right": "r"}
    roles = TRUNK | {f"{side}_{role}": f"{bone}.{end}" for side, end in sides.items() for role, bone in LIMBS.items()}
    fk = tuple(
        SwitchedBone(f"{stem}.{side}", "ik_fk_switch", 1.0) for stem in ("c_hand_ik", "c_foot_ik") for side in "lr"
    )
    return RigMap(roles, "arp", fk), rest


def in_motion(rig_map, rest, seed=0):
    """A track in which every FK control and the hips turn, and the hips go their way."""
    random = np.random.default_rng(seed)
    t = np.linspace(0, 2, FRAMES)
    quats = {}
    for role, bone in rig_map.bones.items():
        if role.split("_", 1)[-1] in LIMBS or role == "hips":
            wave = 0.4 * np.sin(t[:, None] * random.uniform(1, 3, 3) + random.uniform(0, 6, 3))
            quats[bone] = normalized(np.concatenate([np.ones((FRAMES, 1)), wave], axis=1))
    return PoseTrack(t, quats, rig_map.bones["hips"], np.stack([t, 0.1 * t, np.sin(t)], axis=1), {})


def poses(rest, track):
    """{bone: (T, 4, 4)} down the tree, a bone and a frame at a time."""
    found = {}
    for i, (bone, parent) in enumerate(zip(rest.names, rest.parents, strict=True)):
        found[bone] = np.empty((FRAMES, 4, 4))
        for f in range(FRAMES):
            basis = rest.pose[i].copy()
            if bone in track.quats:
                basis[:3, :3] = quat_to_matrix(track.quats[bone][f])
            location = track.root_location if bone == track.root_bone else track.other_locations.get(bone)
            moved = (
                np.eye(4)
                if parent is None
                else found[parent][f] @ np.linalg.inv(rest.matrices[rest.names.index(parent)])
            )
            shift = np.zeros(3)
            if location is not None:
                held = i if rest.local_location[i] or parent is None else rest.names.index(parent)
                shift = rest.matrices[held, :3, :3] @ location[f]
            here = rest.matrices[i].copy()
            here[:3, 3] += shift
            found[bone][f] = moved @ here @ basis
    return found


@pytest.mark.parametrize("moved", [False, True])
def test_controls_end_where_the_fk_bones_are_and_poles_lie_in_the_limbs_plane(moved):
    traj = np.eye(4)
    if moved:
        traj[:3, :3], traj[:3, 3] = quat_to_matrix(about(normalized(X + 2 * Z), 0.8)), (0.3, -0.5, 0.2)
    rig_map, rest = arp_like(traj)
    track = in_motion(rig_map, rest)
    limbs = ik_limbs(rig_map, rest.names)
    assert len(limbs) == 4
    ik = to_ik(track, rest, limbs)
    by_fk, by_ik = poses(rest, track), poses(rest, ik)
    for limb in limbs:
        pairs = [(limb.end, limb.control), *([limb.toe] if limb.toe else [])]
        for fk_bone, ik_bone in pairs:
            turned = [
                by[bone] @ np.linalg.inv(rest.matrices[rest.names.index(bone)])
                for by, bone in ((by_fk, fk_bone), (by_ik, ik_bone))
            ]
            assert np.abs(turned[0] - turned[1])[:, :3, :3].max() < 1e-9
            assert np.abs(by_fk[fk_bone] - by_ik[ik_bone])[:, :3, 3].max() < 1e-9
        start, middle, end = (by_fk[bone][:, :3, 3] for bone in (limb.upper, limb.lower, limb.end))
        pole = by_ik[limb.pole][:, :3, 3]
        across = normalized(np.cross(middle - start, end - middle))
        bent = np.linalg.norm(np.cross(normalized(middle - start), normalized(end - middle)), axis=1) > 0.3
        assert np.abs(np.sum(normalized(pole - middle) * across, axis=1))[bent].max() < 0.05
        assert (np.sum((pole - middle) * (middle - 0.5 * (start + end)), axis=1)[bent] > 0).all()
        assert not {limb.upper, limb.lower, limb.end} & set(ik.quats)
    assert np.array_equal(ik.root_location, track.root_location)


def test_a_straight_limbs_pole_stands_where_the_upper_bones_front_is():
    rig_map, rest = arp_like()
    twist = about(X, np.linspace(0.0, 1.0, FRAMES))
    i = rest.names.index("c_arm_fk.l")
    own = rest.matrices[i, :3, :3]
    axis_turn = np.concatenate([twist[:, :1], twist[:, 1:] @ own], axis=1)
    still = np.tile([1.0, 0, 0, 0], (FRAMES, 1))
    quats = {"c_arm_fk.l": axis_turn, "c_forearm_fk.l": still, "c_hand_fk.l": still}
    matrices = rest.matrices.copy()
    matrices[rest.names.index("c_forearm_fk.l"), :3, 3] = (0.45, 0.0, 1.4)  # quite straight
    rest = RigRest(rest.names, rest.parents, matrices, np.eye(4), rest.inherits_turn, rest.local_location, rest.pose)
    track = PoseTrack(np.arange(FRAMES) / 30, quats, "c_root_master.x", np.zeros((FRAMES, 3)), {})
    ik = to_ik(track, rest, ik_limbs(rig_map, rest.names))
    pole = poses(rest, ik)["c_arms_pole.l"][:, :3, 3]
    assert np.allclose(pole - (0.45, 0.0, 1.4), quat_rotate(twist, 0.6 * Y), atol=1e-9)


def test_switches_are_turned_to_ik_and_the_rest_of_the_map_keeps_its_own():
    rig_map, rest = arp_like()
    track = in_motion(rig_map, rest)
    limbs = ik_limbs(rig_map, rest.names)
    assert switches(rig_map, limbs, track, ik=False) == list(rig_map.switches)
    led = switches(rig_map, limbs, track, ik=True)
    assert {(s.bone, s.value) for s in led} == {(s.bone, 0.0) for s in rig_map.switches}


def test_rigs_without_fk_and_ik_controls_have_no_such_limbs():
    rig_map, rest = arp_like()
    assert has_both(rest.names)
    assert on_fk_controls(rig_map)
    plain = [name for name in rest.names if "pole" not in name]
    assert not has_both(plain)
    assert ik_limbs(rig_map, plain) == []
    mixamo = RigMap({role: f"{role} bone" for role in rig_map.bones}, "plain")
    assert not on_fk_controls(mixamo)
    assert ik_limbs(mixamo, mixamo.bones.values()) == []


def test_turns_do_not_jump_their_sign():
    rig_map, rest = arp_like()
    track = in_motion(rig_map, rest, seed=2)
    spun = quat_multiply(about(Z, np.linspace(0, 7, FRAMES)), track.quats["c_root_master.x"])
    track = PoseTrack(track.times_s, {**track.quats, "c_root_master.x": spun}, track.root_bone, track.root_location, {})
    ik = to_ik(track, rest, ik_limbs(rig_map, rest.names))
    for quats in ik.quats.values():
        assert (np.sum(quats[1:] * quats[:-1], axis=1) > 0).all()
