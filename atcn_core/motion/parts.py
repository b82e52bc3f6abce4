"""The body in parts that an animator keys or leaves alone: which bone belongs to which, and tracks of some parts."""

from __future__ import annotations

from dataclasses import replace

from ..errors import RigError
from ..skeleton import SIDES
from .fingers import finger_rows
from .retarget import PoseTrack
from .rig_rest import RigRest
from .rigmap import TRUNK_ROLES, RigMap
from .spread import chains_around

__all__ = ["PARTS", "PRESETS", "WHOLE", "only", "part_of_bones"]

# What can be keyed or left alone, and what it is called. "path" is the way through the room; the hips' turn is their
# own part, for it moves the legs as well.
PARTS = {
    "path": "Root path",
    "hips": "Hips",
    "trunk": "Trunk",
    "head": "Head and neck",
    "left_arm": "Left arm",
    "right_arm": "Right arm",
    "hands": "Hands",
    "fingers": "Fingers",
    "left_leg": "Left leg",
    "right_leg": "Right leg",
    "feet": "Feet",
}
WHOLE = frozenset(PARTS)
_ARMS = frozenset({"left_arm", "right_arm", "hands", "fingers"})
_LEGS = frozenset({"left_leg", "right_leg", "feet"})
PRESETS: dict[str, frozenset[str]] = {
    "whole": WHOLE,
    "upper": frozenset({"trunk", "head"}) | _ARMS,
    "arms_and_head": frozenset({"head"}) | _ARMS,
    "legs": frozenset({"path", "hips"}) | _LEGS,
}
_SIDE_ROLES = {
    "arm": ("shoulder", "upper_arm", "forearm"),
    "leg": ("thigh", "shin"),
}
_PART_OF_ROLE = {
    "hips": "hips",
    **{role: "trunk" for role in TRUNK_ROLES if role != "hips"},
    "neck": "head",
    "head": "head",
    **{f"{s}_{role}": f"{s}_{limb}" for s in SIDES for limb, roles in _SIDE_ROLES.items() for role in roles},
    **{f"{s}_{role}": "feet" for s in SIDES for role in ("foot", "toe")},
    **{f"{s}_hand": "hands" for s in SIDES},
    **{f"{s}_{finger}_knuckle": "fingers" for s in SIDES for finger in ("index", "pinky")},
}


def part_of_bones(rest: RigRest, rig_map: RigMap) -> dict[str, str]:
    """The part of every bone of a rig that belongs to one: {bone: part}.

    Bones that play no role go with the row or limb they are in, else with the nearest bone above that plays one.
    """
    chains = chains_around(rest, rig_map)
    found = {bone: _PART_OF_ROLE[role] for role, bone in rig_map.bones.items()}
    rows = [(chains.spine, "trunk"), (chains.neck, "head")]
    rows += [(row, _PART_OF_ROLE[role]) for role, row in chains.twist.items()]
    rows += [(row, "fingers") for row in finger_rows(rest, rig_map, chains).values()]
    for row, part in rows:
        found = {**dict.fromkeys(row, part), **found}
    for bone, parent in zip(rest.names, rest.parents, strict=True):
        if bone not in found and parent in found:
            found[bone] = found[parent]
    return found


def only(track: PoseTrack, rest: RigRest, rig_map: RigMap, parts: frozenset[str]) -> PoseTrack:
    """The track without the keys of other parts; what remains is as it was, turn by turn.

    Without the "path" the rig stays where it is: no bone is the root bone any more, and nothing beside it has a place
    of its own. The path goes with the turn of the hips and is left out without them. Raises RigError for no part.
    """
    if not parts:
        raise RigError("No part of the body is chosen.", hint="Choose at least one under Corrections.")
    if parts >= WHOLE:
        return track
    part_of = part_of_bones(rest, rig_map)

    def kept(bone: str) -> bool:
        return part_of.get(bone, "hips") in parts

    moves = {"path", "hips"} <= parts

    def stays(bone: str) -> bool:
        return moves or track.root_bone in rest.ancestors(bone)

    return replace(
        track,
        root_bone=track.root_bone if moves else "",
        unplaced=track.unplaced if moves else track.unplaced | {track.root_bone},
        quats={bone: quats for bone, quats in track.quats.items() if kept(bone)},
        other_locations={b: way for b, way in track.other_locations.items() if kept(b) and stays(b)},
        directions_world={role: way for role, way in track.directions_world.items() if kept(rig_map.bones[role])},
    )
