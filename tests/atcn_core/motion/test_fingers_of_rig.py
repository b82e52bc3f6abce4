"""A skeleton's own fingers, told as a hand's, are those that were put on it; what does not move is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atcn_core.hands import FINGERS, HandMotion
from atcn_core.motion.bone_tree import RestBone
from atcn_core.motion.fingers import finger_quats
from atcn_core.motion.fingers_of_rig import finger_bones, hands_of_rig
from atcn_core.motion.from_rig import RigMotion, joints_of_rig, trimmed
from atcn_core.motion.rigmap import RigMap
from atcn_core.motion.spread import chains_around

from .hand_shapes import FIST, POINTING, moving
from .humanoids import NAMINGS, Person, person
from .stick_rig import posed_world
from .test_fingers import rest_of, track_of

FRAMES = 12


def closing(left=FIST, right=POINTING) -> HandMotion:
    share = np.linspace(0.0, 1.0, FRAMES)[:, None, None, None]
    hands = moving(left, right)
    bent = (share * hands.bent_rad).astype(np.float32)
    return HandMotion(bent, np.full_like(bent, 0.1) * share.astype(np.float32), np.ones((FRAMES, 2), np.float32))


def in_motion(body: Person, hands: HandMotion | None) -> tuple[RigMotion, RigMap]:
    rest, rig_map = rest_of(body, 7)
    quats = finger_quats(hands, rest, rig_map, chains_around(rest, rig_map))
    quats = quats or {rig_map.bones["head"]: np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1))}
    world = posed_world(rest, track_of(rest, quats))
    matrices = np.stack([world[name] for name in rest.names], axis=1)
    turns = matrices[..., :3, :3] @ np.swapaxes(rest.matrices[:, :3, :3], -1, -2)
    return RigMotion(rest, np.arange(FRAMES) / 30.0, matrices[..., :3, 3], turns), rig_map


@pytest.mark.parametrize("naming", ["Mixamo", "Rigify metarig"])
def test_what_was_put_on_a_rig_is_read_off_it(naming: str) -> None:
    moved, rig_map = in_motion(person(NAMINGS[naming], arms_down_deg=35.0), closing())
    hands = hands_of_rig(moved, rig_map, finger_bones(moved.rest, rig_map))
    assert hands is not None
    assert (hands.score == 1.0).all()
    assert np.allclose(hands.bent_rad, closing().bent_rad, atol=1e-5)
    assert np.allclose(hands.aside_rad, closing().aside_rad, atol=1e-5)


def test_end_marks_give_the_last_bones_direction_and_are_no_bones() -> None:
    body = person(NAMINGS["Mixamo"])
    last = next(bone for bone in body.bones if bone.name == "middle 2 of left")
    x, y, z = last.tail
    marked = body.with_more(RestBone("middle 2 of left.End", last.name, (x, y, z - 0.01), (x, y, z - 0.02)))
    moved, rig_map = in_motion(marked, closing())
    rows = finger_bones(moved.rest, rig_map)
    assert rows["left_middle"][-1] == "middle 2 of left.End"
    hands = hands_of_rig(moved, rig_map, rows)
    assert hands is not None
    assert np.allclose(hands.bent_rad, closing().bent_rad, atol=1e-5)


def test_fingers_at_rest_are_left_alone() -> None:
    moved, rig_map = in_motion(person(NAMINGS["Mixamo"]), None)
    assert hands_of_rig(moved, rig_map, finger_bones(moved.rest, rig_map)) is None
    only_left = replace(closing(), score=np.tile(np.float32([1, 0]), (FRAMES, 1)))
    moved, rig_map = in_motion(person(NAMINGS["Mixamo"]), only_left)
    hands = hands_of_rig(moved, rig_map, finger_bones(moved.rest, rig_map))
    assert hands is not None
    assert (hands.score == [1.0, 0.0]).all()


def test_a_hand_of_four_fingers_moves_the_fifth_with_its_neighbour() -> None:
    body = person(NAMINGS["Mixamo"])
    fewer = body.without(*(bone.name for bone in body.bones if bone.name.startswith("ring")))
    moved, rig_map = in_motion(fewer, closing())
    hands = hands_of_rig(moved, rig_map, finger_bones(moved.rest, rig_map))
    assert hands is not None
    ring, middle = (FINGERS.index(finger) for finger in ("ring", "middle"))
    assert np.array_equal(hands.bent_rad[:, :, ring], hands.bent_rad[:, :, middle])


def test_a_skeleton_without_fingers_has_no_hands() -> None:
    moved, rig_map = in_motion(person(NAMINGS["CMU, Daz"], fingers=False), None)
    assert hands_of_rig(moved, rig_map, finger_bones(moved.rest, rig_map)) is None


def test_a_part_of_a_motion_keeps_its_hands() -> None:
    moved, rig_map = in_motion(person(NAMINGS["Mixamo"]), closing())
    motion = replace(joints_of_rig(moved, rig_map), hands=closing())
    part = trimmed(motion, 0.1, 0.3)
    assert part.hands is not None
    assert np.array_equal(part.hands.bent_rad, closing().bent_rad[3:9])
