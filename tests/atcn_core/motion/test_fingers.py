"""Fingers on a rig's own palm: exact whatever the bones' roll and the hand's pose, the same in the mirror."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from atcn_core.hands import FINGERS, HandMotion
from atcn_core.motion.bone_tree import RestBone
from atcn_core.motion.feet import AUTO
from atcn_core.motion.fingers import finger_quats, finger_rows, flat_finger_quats
from atcn_core.motion.fingers_palm import finger_directions, palm_axes, to_palm
from atcn_core.motion.retarget import PoseTrack, RigRest, solve
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.spread import chains_around
from atcn_core.rotation import normalized
from atcn_core.skeleton import SIDES
from tests.moving_person import dancing, pressing_up

from .hand_shapes import FIST, FLAT, POINTING, SHAPES, hand, moving
from .humanoids import NAMINGS, Person, person
from .stick_rig import posed_world


def rest_of(body: Person, roll_seed: int = 0) -> tuple[RigRest, RigMap]:
    """A body's bones as an armature has them: each along its own length, rolled at random."""
    rng = np.random.default_rng(roll_seed)
    matrices = np.tile(np.eye(4), (len(body.bones), 1, 1))
    for matrix, bone in zip(matrices, body.bones, strict=True):
        along = normalized(np.array(bone.tail) - np.array(bone.head))
        axes = np.linalg.qr(np.column_stack([along, rng.normal(size=(3, 2))]))[0]
        axes *= np.sign(axes[:, 0] @ along)
        matrix[:3, :3] = axes[:, [1, 0, 2]] * (1.0, 1.0, -np.sign(np.linalg.det(axes)))
        matrix[:3, 3] = bone.head
        assert np.isclose(np.linalg.det(matrix), 1.0)
    flags = np.ones(len(body.bones), dtype=bool)
    rest = RigRest(
        names=tuple(bone.name for bone in body.bones),
        parents=tuple(bone.parent for bone in body.bones),
        matrices=matrices,
        world_from_armature=np.eye(4),
        inherits_turn=flags,
        local_location=flags,
        pose=np.tile(np.eye(4), (len(body.bones), 1, 1)),
    )
    return rest, RigMap(body.roles, "built")


def track_of(rest: RigRest, quats: dict[str, np.ndarray]) -> PoseTrack:
    frames = len(next(iter(quats.values())))
    return PoseTrack(np.arange(frames, dtype=float), quats, "", np.zeros((frames, 3)), {})


def seen_in_palm(rest: RigRest, rig_map: RigMap, track: PoseTrack, side: str) -> dict[str, np.ndarray]:
    """Where each finger's bones point (T, 3, 3) in the palm's axes, as the posed bones lie; the last along itself."""
    world = posed_world(rest, track)
    rows = finger_rows(rest, rig_map, chains_around(rest, rig_map))
    wrist, index, pinky = (
        world[rig_map.bones[f"{side}_{role}"]][:, :3, 3] for role in ("hand", "index_knuckle", "pinky_knuckle")
    )
    axes = palm_axes(wrist, index, pinky, side)
    pointing = {}
    for finger in FINGERS:
        row = rows[f"{side}_{finger}"]
        heads = np.stack([world[bone][:, :3, 3] for bone in row], axis=1)
        last = world[row[-1]][:, :3, 1]
        ways = np.concatenate([normalized(np.diff(heads, axis=1)), last[:, None]], axis=1)
        pointing[finger] = ways @ axes
    return pointing


def apart_deg(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(np.sum(first * second, axis=-1), -1.0, 1.0)).max()))


@pytest.mark.parametrize("naming", ["Mixamo", "Rigify metarig", "Unreal 4"])
@pytest.mark.parametrize("shape", SHAPES)
def test_fingers_point_in_the_rigs_palm_as_in_the_persons(shape: str, naming: str) -> None:
    rest, rig_map = rest_of(person(NAMINGS[naming], arms_down_deg=40.0))
    quats = finger_quats(moving(SHAPES[shape], SHAPES[shape]), rest, rig_map, chains_around(rest, rig_map))
    for side in SIDES:
        wanted = finger_directions(to_palm(hand(SHAPES[shape], side), side))
        seen = seen_in_palm(rest, rig_map, track_of(rest, quats), side)
        for number, finger in enumerate(FINGERS):
            assert apart_deg(seen[finger][0], wanted[number]) < 0.01, (side, finger)


def test_the_hands_are_each_for_itself() -> None:
    rest, rig_map = rest_of(person(NAMINGS["Unreal 4"]))
    quats = finger_quats(moving(FIST, FLAT), rest, rig_map, chains_around(rest, rig_map))
    track = track_of(rest, quats)
    closed, open_ = (seen_in_palm(rest, rig_map, track, side)["middle"][0, 1] for side in SIDES)
    assert closed[1] < 0.0, "a fist's fingers point back to the wrist"
    assert open_[1] > 0.99


@settings(deadline=None, max_examples=10)
@given(roll_seed=st.integers(1, 10_000))
def test_rolls_change_nothing(roll_seed: int) -> None:
    body = person(NAMINGS["Mixamo"], arms_down_deg=20.0)
    rest, rig_map = rest_of(body, 0)
    rolled, _ = rest_of(body, roll_seed)
    chains = chains_around(rest, rig_map)
    one, other = (track_of(r, finger_quats(moving(POINTING, FIST), r, rig_map, chains)) for r in (rest, rolled))
    for side in SIDES:
        first, second = seen_in_palm(rest, rig_map, one, side), seen_in_palm(rolled, rig_map, other, side)
        assert all(np.allclose(first[finger], second[finger], atol=1e-9) for finger in FINGERS)


def test_a_mirrored_motion_gives_the_mirrored_hands() -> None:
    rest, rig_map = rest_of(person(NAMINGS["Mixamo"], arms_down_deg=30.0))
    chains = chains_around(rest, rig_map)
    rng = np.random.default_rng(5)
    bent = rng.uniform(-0.1, 1.5, size=(20, 2, 5, 3)).astype(np.float32)
    aside = rng.uniform(-0.2, 0.2, size=(20, 2, 5, 3)).astype(np.float32)
    hands = HandMotion(bent, aside, np.ones((20, 2), dtype=np.float32))
    mirrored = HandMotion(bent[:, ::-1], aside[:, ::-1], hands.score)
    one, other = (posed_world(rest, track_of(rest, finger_quats(h, rest, rig_map, chains))) for h in (hands, mirrored))
    rows = finger_rows(rest, rig_map, chains)
    for finger in FINGERS:
        for left, right in zip(rows[f"left_{finger}"], rows[f"right_{finger}"], strict=True):
            assert np.allclose(one[left][:, :3, 3], other[right][:, :3, 3] * (-1.0, 1.0, 1.0), atol=1e-6)


def curled() -> tuple[RigRest, RigMap]:
    """A rig whose left fingers are each curled at rest about their own knuckles."""
    body = person(NAMINGS["Rigify metarig"])
    bent = []
    heads: dict[str, np.ndarray] = {}
    for bone in body.bones:
        if " of left" in bone.name or "f_index" in bone.name or "f_pinky" in bone.name:
            head, way = heads.get(bone.parent or "", np.array(bone.head)), np.array(bone.tail) - np.array(bone.head)
            depth = 0 if bone.parent not in heads else 1 + sum(bone.parent == b.name for b in bent)
            way = Rotation.from_euler("y", 20 + 25 * depth, degrees=True).apply(way)
            heads[bone.name] = head + way
            bent.append(replace(bone, head=tuple(head), tail=tuple(head + way)))
        else:
            bent.append(bone)
    return rest_of(Person(tuple(bent), body.roles))


def test_a_bent_rest_pose_makes_no_difference_to_where_fingers_point() -> None:
    rest, rig_map = curled()
    quats = finger_quats(moving(POINTING, POINTING), rest, rig_map, chains_around(rest, rig_map))
    seen = seen_in_palm(rest, rig_map, track_of(rest, quats), "left")
    wanted = finger_directions(to_palm(hand(POINTING), "left"))
    assert all(apart_deg(seen[finger][0], wanted[number]) < 0.01 for number, finger in enumerate(FINGERS))


def test_fingers_that_nobody_captured_lie_in_their_palm_s_plane_on_the_floor_and_rest_elsewhere() -> None:
    rest, rig_map = curled()
    share = np.linspace(0.0, 1.0, 30)
    quats = flat_finger_quats({"left": share, "right": 0.0 * share}, rest, rig_map, chains_around(rest, rig_map))
    assert quats
    assert not any("right" in bone or bone.endswith(".R") for bone in quats)
    assert max(np.abs(np.diff(quat, axis=0)).max() for quat in quats.values()) < 0.05
    seen = seen_in_palm(rest, rig_map, track_of(rest, quats), "left")
    for finger in FINGERS:
        out_of_palm = seen[finger][..., 2]
        assert out_of_palm[-1].min() > -np.sin(np.deg2rad(1.0)), finger
        assert out_of_palm[0].min() < -np.sin(np.deg2rad(15.0)), finger
    assert all(np.abs(np.abs(quat[0, 0]) - 1.0) < 1e-9 for quat in quats.values())


def test_a_solve_lays_the_fingers_of_hands_on_the_floor_flat_unless_they_were_captured() -> None:
    rest, rig_map = rest_of(person(NAMINGS["Mixamo"]))
    body, standing = pressing_up(2.0)
    on_hands = replace(body.motion(), standing=standing.astype(float))
    rows = [bone for row in finger_rows(rest, rig_map, chains_around(rest, rig_map)).values() for bone in row]
    assert set(solve(on_hands, rest, rig_map, AUTO).quats) & set(rows)
    assert not set(solve(on_hands, rest, rig_map).quats) & set(rows)
    assert not set(solve(dancing(1.0).motion(), rest, rig_map, AUTO).quats) & set(rows)
    fists = moving(FIST, FIST, len(body.times_s))
    captured = solve(replace(on_hands, hands=fists), rest, rig_map, AUTO).quats
    wanted = finger_quats(fists, rest, rig_map, chains_around(rest, rig_map))
    assert all(np.array_equal(captured[bone], quat) for bone, quat in wanted.items())


def test_turns_are_continuous_from_flat_to_fist() -> None:
    rest, rig_map = rest_of(person(NAMINGS["Mixamo"]), 3)
    share = np.linspace(0.0, 1.0, 40)[:, None, None, None]
    fist = moving(FIST, FIST)
    hands = HandMotion((share * fist.bent_rad).astype(np.float32), np.zeros((40, 2, 5, 3)), np.ones((40, 2)))
    quats = finger_quats(hands, rest, rig_map, chains_around(rest, rig_map))
    assert max(np.abs(np.diff(quat, axis=0)).max() for quat in quats.values()) < 0.05


def test_a_hand_that_was_not_seen_gets_no_keys() -> None:
    rest, rig_map = rest_of(person(NAMINGS["Mixamo"]))
    hands = moving(FIST, FIST)
    hands.score[:, 1] = 0.0
    quats = finger_quats(hands, rest, rig_map, chains_around(rest, rig_map))
    assert quats
    assert not any("Right" in bone or "of right" in bone for bone in quats)
    assert finger_quats(None, rest, rig_map, chains_around(rest, rig_map)) == {}


def test_rigs_without_fingers_are_left_as_they_are() -> None:
    rest, rig_map = rest_of(person(NAMINGS["CMU, Daz"], fingers=False))
    assert finger_quats(moving(FIST, FIST), rest, rig_map, chains_around(rest, rig_map)) == {}


def test_a_thumb_that_begins_within_the_palm_bends_from_there() -> None:
    body = person(NAMINGS["Mixamo"])
    thumb = next(bone for bone in body.bones if bone.name == "thumb 2 of left")
    tip = RestBone("thumb 3 of left", thumb.name, thumb.tail, tuple(2 * np.array(thumb.tail) - np.array(thumb.head)))
    rest, rig_map = rest_of(body.with_more(tip))
    rows = finger_rows(rest, rig_map, chains_around(rest, rig_map))
    assert rows["left_thumb"] == tuple(f"thumb {i} of left" for i in range(4))
    quats = finger_quats(moving(FIST, FIST), rest, rig_map, chains_around(rest, rig_map))
    assert {"thumb 0 of left", "thumb 1 of left", "thumb 2 of left"} <= set(quats)
    assert "thumb 3 of left" not in quats


def test_a_solve_turns_fingers_and_all_else_stays() -> None:
    rest, rig_map = rest_of(person(NAMINGS["Mixamo"]))
    motion = dancing(1.0, seed=2).motion()
    without = solve(motion, rest, rig_map)
    hands = moving(POINTING, FIST, len(motion.times_s))
    track = solve(replace(motion, hands=hands), rest, rig_map)
    assert all(np.array_equal(track.quats[bone], quat) for bone, quat in without.quats.items())
    assert len(set(track.quats) - set(without.quats)) == 30
    seen = seen_in_palm(rest, rig_map, track, "left")
    wanted = finger_directions(to_palm(hand(POINTING), "left"))
    assert all(apart_deg(seen[finger], wanted[number]) < 0.01 for number, finger in enumerate(FINGERS))


def test_controls_that_do_not_hang_on_the_hands_control_are_found_by_name_and_turned_alike() -> None:
    body = person(NAMINGS["Unreal 4"])
    names: dict[str, str] = {}
    for bone in body.bones:  # parents first
        side = "l" if bone.name.endswith(("_l", "left")) else "r"
        finger = next((word for word in FINGERS if bone.name.startswith(word)), None)
        number = 1 + sum(name.startswith(f"c_{finger}") and name.endswith(side) for name in names.values())
        names[bone.name] = f"c_{finger}{number}.{side}" if finger else bone.name
    named = body.renamed(names)
    hung_elsewhere = replace(
        named,
        bones=tuple(
            replace(bone, parent="root") if bone.parent in ("hand_l", "hand_r") and bone.name.startswith("c_") else bone
            for bone in named.bones
        ),
    )
    (rest, rig_map), (other, other_map) = rest_of(named), rest_of(hung_elsewhere)
    assert not chains_around(other, other_map).fingers
    rows = finger_rows(other, other_map, chains_around(other, other_map))
    assert rows["right_pinky"] == ("c_pinky1.r", "c_pinky2.r", "c_pinky3.r")
    assert len(rows) == 10
    on_hand = finger_quats(moving(POINTING, FIST), rest, rig_map, chains_around(rest, rig_map))
    elsewhere = finger_quats(moving(POINTING, FIST), other, other_map, chains_around(other, other_map))
    assert set(on_hand) == set(elsewhere)
    assert all(np.allclose(elsewhere[bone], quat) for bone, quat in on_hand.items())
