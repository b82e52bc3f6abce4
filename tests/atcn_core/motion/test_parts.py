"""Which bones get keys when only some parts of the body are wanted."""

import numpy as np
import pytest

from atcn_core.errors import RigError
from atcn_core.motion.parts import PARTS, PRESETS, WHOLE, only, part_of_bones
from atcn_core.motion.retarget import RigRest, resample, solve
from atcn_core.motion.rigmap import RigMap
from tests.atcn_core.motion.stick_rig import RIG_MAP, stick_rest
from tests.moving_person import dancing, posed


def bones_of(track, rig_map=RIG_MAP):
    names = {bone: role for role, bone in rig_map.bones.items()}
    return {names.get(bone, bone) for bone in track.quats}


def rich_rest() -> tuple[RigRest, RigMap]:
    """The stick rig with a second spine bone, a neck row, twist bones in and beside limbs, and a finger."""
    plain = stick_rest(1)
    person = posed(np.zeros(1), np.array([0.0, 0.0, 0.895]), {})
    at = {bone: plain.head_world(bone) for bone in plain.names}
    parents = dict(zip(plain.names, plain.parents, strict=True))

    def between(start, end, share):
        return at[f"bone of {start}"] * (1 - share) + at[f"bone of {end}"] * share

    def add(name, parent, head, *, holds=()):
        at[name], parents[name] = head, parent
        parents.update(dict.fromkeys(holds, name))

    add("spine row", "bone of hips", between("hips", "spine", 0.5), holds=["bone of spine"])
    add("neck row", "bone of neck", between("neck", "head", 0.5), holds=["bone of head"])
    add("arm twist", "bone of left_upper_arm", between("left_upper_arm", "left_forearm", 0.5))
    add("thigh twist", "bone of left_thigh", between("left_thigh", "left_shin", 0.5), holds=["bone of left_shin"])
    add("index tip", "bone of left_index_knuckle", person.point("left_index")[0] + [0.03, 0, 0])
    order: list[str] = []
    while len(order) < len(at):
        order += [bone for bone in at if bone not in order and parents[bone] in (None, *order)]
    matrices = np.tile(np.eye(4), (len(order), 1, 1))
    matrices[:, :3, 3] = [at[bone] for bone in order]
    return RigRest(
        names=tuple(order),
        parents=tuple(parents[bone] for bone in order),
        matrices=matrices,
        world_from_armature=np.eye(4),
        inherits_turn=np.ones(len(order), dtype=bool),
        local_location=np.ones(len(order), dtype=bool),
        pose=np.tile(np.eye(4), (len(order), 1, 1)),
    ), RIG_MAP  # fmt: skip


def test_every_role_belongs_to_a_part_and_every_part_but_the_path_has_a_role():
    rest = stick_rest()
    assert set(part_of_bones(rest, RIG_MAP).values()) == set(PARTS) - {"path"}
    assert all(preset <= WHOLE for preset in PRESETS.values())


def test_the_whole_body_is_the_track_itself():
    rest = stick_rest()
    track = solve(dancing(0.2).motion(), rest, RIG_MAP)
    assert only(track, rest, RIG_MAP, WHOLE) is track


def test_no_part_at_all_is_refused():
    rest = stick_rest()
    track = solve(dancing(0.2).motion(), rest, RIG_MAP)
    with pytest.raises(RigError, match="No part"):
        only(track, rest, RIG_MAP, frozenset())


def test_what_is_kept_keeps_its_turns_and_the_rest_is_gone():
    rest = stick_rest()
    track = solve(dancing(0.2).motion(), rest, RIG_MAP)
    upper = only(track, rest, RIG_MAP, PRESETS["upper"])
    kept = {"spine", "neck", "head"} | {f"{s}_{r}" for s in ("left", "right") for r in ("upper_arm", "forearm", "hand")}
    assert kept <= bones_of(upper) <= kept | {f"{s}_{f}_knuckle" for s in ("left", "right") for f in ("index", "pinky")}
    assert all(upper.quats[bone] is track.quats[bone] for bone in upper.quats)
    assert upper.root_bone == ""
    assert set(upper.directions_world) <= kept
    legs = only(track, rest, RIG_MAP, PRESETS["legs"])
    assert legs.root_bone == track.root_bone
    assert bones_of(legs) == {"hips"} | {
        f"{s}_{r}" for s in ("left", "right") for r in ("thigh", "shin", "foot", "toe")
    }


def test_without_the_path_the_hips_still_turn():
    rest = stick_rest()
    track = solve(dancing(0.2).motion(), rest, RIG_MAP)
    on_the_spot = only(track, rest, RIG_MAP, WHOLE - {"path"})
    assert on_the_spot.quats.keys() == track.quats.keys()
    assert on_the_spot.root_bone == ""
    assert on_the_spot.unplaced == {track.root_bone}
    assert resample(on_the_spot, track.times_s[:2]).unplaced == {track.root_bone}


def test_bones_without_a_role_go_with_their_row_or_limb():
    rest, rig_map = rich_rest()
    part_of = part_of_bones(rest, rig_map)
    assert part_of["spine row"] == "trunk"
    assert part_of["neck row"] == "head"
    assert part_of["arm twist"] == "left_arm"
    assert part_of["thigh twist"] == "left_leg"
    assert part_of["index tip"] == "fingers"
    track = solve(dancing(0.2).motion(), rest, rig_map)
    assert {"spine row", "neck row", "arm twist", "thigh twist"} <= set(track.quats)
    assert "arm twist" not in only(track, rest, rig_map, WHOLE - {"left_arm"}).quats
    assert "thigh twist" not in only(track, rest, rig_map, PRESETS["upper"]).quats
    assert "spine row" not in only(track, rest, rig_map, PRESETS["legs"]).quats
