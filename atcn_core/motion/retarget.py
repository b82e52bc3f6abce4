"""A person's motion on a rig: rest-relative turns down the bone tree, and the root's path. No Blender in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ..rotation import normalized, quat_rotate, quat_slerp, quat_unrolled
from ..skeleton import SIDES
from .arms_held import Arm, Shoulders, hands_flat, hands_shown, held_hands, palms_m, rest_arms, standing_hands
from .contacts import FOOT_POINTS
from .feet import FootMode, Leg, Stand, held_feet, rest_legs, standing_feet, toes_on_floor
from .fingers import finger_quats, flat_finger_quats
from .ground import floor_height_m
from .hierarchy import posed, turn_in
from .landmarks import BodyAxes, Landmarks, motion_landmarks, rest_landmarks
from .recognition import Chains
from .rig_rest import RigRest, rest_axes
from .rigmap import TRUNK_ROLES, RigMap
from .spread import bone_turns, chains_around, trunk_turns
from .trunk import chest_on_line
from .turns import BodyTurns, body_turns
from .world import WorldMotion

__all__ = ["PoseTrack", "RigRest", "next_roles", "resample", "solve", "standing_legs"]

# Down each chain of the body; a bone's direction is the one to the next of these that the rig has.
_CHAINS = (
    (*TRUNK_ROLES, "neck", "head"),
    *((f"{side}_shoulder", f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand") for side in SIDES),
    *((f"{side}_thigh", f"{side}_shin", f"{side}_foot", f"{side}_toe") for side in SIDES),
)


@dataclass(frozen=True)
class PoseTrack:
    """Keys-to-be of a rig.

    times_s:          (T,).
    quats:            {bone: (T, 4)} wxyz, local turns as pose_bone.rotation_quaternion wants them, sign-unrolled.
    root_bone:        the bone that carries the way through the room.
    root_location:    (T, 3) as its pose_bone.location wants it.
    directions_world: {role: (T, 3)} unit, from each mapped bone's head to the next one's: for checking.
    other_locations:  {bone: (T, 3)}, pose_bone.location of bones that are no children of what they are joined to.
    unplaced:         bones that turn where the animator has put them: their place is not to be keyed, not even to rest.
    placement:        how a point (3,) of the motion's world lies in the rig's: (scale, shift (3,)), scale first.
    """

    times_s: np.ndarray
    quats: dict[str, np.ndarray]
    root_bone: str
    root_location: np.ndarray
    directions_world: dict[str, np.ndarray]
    other_locations: dict[str, np.ndarray] = field(default_factory=dict)
    unplaced: frozenset[str] = frozenset()
    placement: tuple[float, np.ndarray] | None = None

    def __post_init__(self) -> None:
        frames = len(self.times_s)
        for name, quats in self.quats.items():
            if quats.shape != (frames, 4):
                raise ValueError(f"quats of {name} have shape {quats.shape}, expected {(frames, 4)}")
        for name, location in self.other_locations.items():
            if location.shape != (frames, 3):
                raise ValueError(f"location of {name} has shape {location.shape}, expected {(frames, 3)}")
        if self.root_location.shape != (frames, 3):
            raise ValueError(f"root_location has shape {self.root_location.shape}, expected {(frames, 3)}")


def next_roles(rig_map: RigMap) -> dict[str, str]:
    """The role whose bone's head a role's bone points to, for the rig's roles that have one."""
    following = {}
    for chain in _CHAINS:
        present = [role for role in chain if role in rig_map.bones]
        following.update(pairwise(present))
    return following


def solve(motion: WorldMotion, rest: RigRest, rig_map: RigMap, feet: FootMode | None = None) -> PoseTrack:
    """The motion as local turns and root path of a rig.

    Each bone keeps its rest roll and is turned as the body's part it plays has turned from the rig's rest pose.
    The way through the room is scaled by the leg's length, so that strides fit. feet: how feet and hands that stand
    are held; without it limbs point exactly where the performer's do, and may slide. Raises RigError.
    """
    rig_map.require(rest.names, rig_map.name or "of this rig")
    heads = {role: rest.head_world(bone) for role, bone in rig_map.bones.items()}
    axes = rest_axes(heads, rest)
    body, resting = motion_landmarks(motion), rest_landmarks(heads, axes)
    chains = chains_around(rest, rig_map)
    carriers = _carriers(rig_map)
    turned = chest_on_line(
        body_turns(body, resting, axes, motion.times_s),
        lambda led: trunk_turns(led, rig_map, chains),
        body.between("hip", "thorax"),
        rest,
        rig_map,
        carriers,
    )
    turns = bone_turns(turned, rest, rig_map, chains)
    part_turns = {role: turns[bone] for role, bone in rig_map.bones.items() if bone in turns}
    origin = rest.world_from_armature[:3, 3]
    standing_m = _standing_heights_m(_feet_at_rest_m(heads, rest, axes), _half_leg_m(heads))
    arms, shoulders = rest_arms(heads, resting, axes), _shoulders(rest, rig_map, chains, carriers)
    floor_over_hips_m = _under_hands_m(motion, turned, arms, shoulders)
    hips_world, placement = _hips_path(motion, part_turns, heads, standing_m, floor_over_hips_m, origin)
    fingers = finger_quats(motion.hands, rest, rig_map, chains)
    if feet is not None:
        stand = Stand(heads["hips"], rest_legs(heads, standing_m, axes.forward), float(origin[2]))
        turned, hips_world = _held(motion, body, feet, turned, hips_world, stand, arms, shoulders)
        turned = toes_on_floor(turned, hips_world, stand)
        on_floor = hands_flat(turned, hips_world, arms, shoulders, stand.floor_m)
        fingers = flat_finger_quats(on_floor, rest, rig_map, chains) | fingers
        turns = bone_turns(turned, rest, rig_map, chains)
    moved = posed(rest, turns, rig_map.bones["hips"], hips_world, carriers)
    world_turn = turn_in(rest.world_from_armature[:3, :3])
    directions = {
        role: normalized(moved.heads[rig_map.bones[following]] - moved.heads[rig_map.bones[role]]) @ world_turn.T
        for role, following in next_roles(rig_map).items()
    }
    root = rig_map.bones["hips"]
    others = {bone: location for bone, location in moved.locations.items() if bone != root}
    root_location = moved.locations[root]
    return PoseTrack(
        motion.times_s, moved.quats | fingers, root, root_location, directions, others, placement=placement
    )


def _held(
    motion: WorldMotion,
    body: Landmarks,
    mode: FootMode,
    turned: BodyTurns,
    hips_world: np.ndarray,
    stand: Stand,
    arms: dict[str, Arm],
    shoulders: Shoulders,
) -> tuple[BodyTurns, np.ndarray]:
    """The body's turns and its hips' way (T, 3) with feet, and then hands, held as the mode asks for.

    body: the motion's landmarks.
    """
    chance, times_s = motion.standing_chance(), motion.times_s
    on_feet, on_hands = standing_feet(chance, times_s, mode), standing_hands(chance, times_s, mode)
    turned, hips_world = held_feet(turned, hips_world, stand, on_feet, times_s, still=mode.still)
    if mode.still and not any(flags.any() for flags in on_hands.values()):
        return turned, hips_world
    shown = hands_shown(body, motion.hands)
    return held_hands(turned, hips_world, stand, arms, shoulders, on_hands, shown, times_s, still=mode.still)


def standing_legs(rest: RigRest, rig_map: RigMap) -> dict[str, Leg]:
    """The rig's legs at rest by side, with where their heels and toes touch the floor. Raises RigError."""
    rig_map.require(rest.names, rig_map.name or "of this rig")
    heads = {role: rest.head_world(bone) for role, bone in rig_map.bones.items()}
    axes = rest_axes(heads, rest)
    return rest_legs(heads, _standing_heights_m(_feet_at_rest_m(heads, rest, axes), _half_leg_m(heads)), axes.forward)


def _carriers(rig_map: RigMap) -> dict[str, str]:
    """The bone that each mapped bone's head is joined to, whatever its parents are."""
    bones = rig_map.bones
    carriers = {bones[end]: bones[start] for start, end in next_roles(rig_map).items()}
    chest = [bones[role] for role in TRUNK_ROLES if role in bones][-1]
    for side in SIDES:
        carriers[bones[f"{side}_thigh"]] = bones["hips"]
        carriers[bones.get(f"{side}_shoulder", bones[f"{side}_upper_arm"])] = chest
    return carriers


def _hips_path(
    motion: WorldMotion,
    turns: dict[str, np.ndarray],
    heads: dict[str, np.ndarray],
    standing_m: dict[str, float],
    floor_over_hips_m: np.ndarray,
    origin: np.ndarray,
) -> tuple[np.ndarray, tuple[float, np.ndarray]]:
    """Where the hips bone's head is to be (T, 3) in the world, and the track's placement.

    standing_m: `_standing_heights_m`; floor_over_hips_m: `_under_hands_m`; origin: (3,), the armature object's place.
    The middle of the rig's thigh heads follows the captured hip, scaled; then the whole path is raised or lowered by
    one constant so that the lowest feet stand as high as at rest. It starts where the armature object stands.
    """
    points = {f"{s}_{joint}": motion.points(f"{s}_{joint}") for s in SIDES for joint in ("hip", "knee", "ankle")}
    captured_m = np.mean(
        [
            np.median(np.linalg.norm(points[f"{side}_{end}"] - points[f"{side}_{start}"], axis=1))
            for side in SIDES
            for start, end in (("hip", "knee"), ("knee", "ankle"))
        ]
    )
    rig_m = _half_leg_m(heads)
    scale = float(rig_m / max(captured_m, 1e-9))
    middle = 0.5 * (points["left_hip"] + points["right_hip"]) * scale
    middle[:, :2] += origin[:2]
    rest_middle = 0.5 * (heads["left_thigh"] + heads["right_thigh"])
    feet_m = _feet_world_m(middle, rest_middle, turns, heads)
    hips_world = middle + quat_rotate(turns["hips"], heads["hips"] - rest_middle)
    above_m = np.stack([feet_m[role] - standing_m[role] for role in feet_m], axis=1)
    hands_m = hips_world[:, 2:] + floor_over_hips_m
    raised_m = origin[2] - floor_height_m(np.concatenate([above_m, hands_m], axis=1))
    hips_world[:, 2] += raised_m
    return hips_world, (scale, np.array([origin[0], origin[1], raised_m]))


def _shoulders(rest: RigRest, rig_map: RigMap, chains: Chains, carriers: dict[str, str]) -> Shoulders:
    """Finds where the rig's upper arms begin."""
    bones = {side: rig_map.bones[f"{side}_upper_arm"] for side in SIDES}
    to_world, origin = rest.world_from_armature[:3, :3], rest.world_from_armature[:3, 3]

    def begin(turned: BodyTurns, hips_world: np.ndarray) -> dict[str, np.ndarray]:
        turns = trunk_turns(turned, rig_map, chains)
        turns |= {bone: turned.parts[f"{side}_upper_arm"] for side, bone in bones.items()}
        found = posed(rest, turns, rig_map.bones["hips"], hips_world, carriers).heads
        return {side: found[bone] @ to_world.T + origin for side, bone in bones.items()}

    return begin


def _under_hands_m(motion: WorldMotion, turned: BodyTurns, arms: dict[str, Arm], shoulders: Shoulders) -> np.ndarray:
    """How high over the hips (T, 2) the floor is under hands on which alone the person stands; infinite elsewhere."""
    alone = motion.bearing()[:, len(FOOT_POINTS) :]
    if not alone.any():
        return np.full(alone.shape, np.inf)
    return np.where(alone, palms_m(turned, arms, shoulders), np.inf)


def _half_leg_m(heads: dict[str, np.ndarray]) -> float:
    """The mean length of the rig's thighs and shins."""
    ends = [(f"{side}_{a}", f"{side}_{b}") for side in SIDES for a, b in (("thigh", "shin"), ("shin", "foot"))]
    return float(np.mean([np.linalg.norm(heads[end] - heads[start]) for start, end in ends]))


def _feet_at_rest_m(heads: dict[str, np.ndarray], rest: RigRest, axes: BodyAxes) -> dict[str, float]:
    """How high ankles and toe joints are over the object's origin at rest, by role."""
    origin = rest.world_from_armature[:3, 3]
    feet = [role for side in SIDES for role in (f"{side}_foot", f"{side}_toe") if role in heads]
    return {role: float((heads[role] - origin) @ axes.up) for role in feet}


def _feet_world_m(
    middle: np.ndarray, rest_middle: np.ndarray, turns: dict[str, np.ndarray], heads: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Height (T,) of each ankle and toe joint by role, the middle of the thigh heads being at `middle`."""
    heights_m = {}
    for side in SIDES:
        chain = [f"{side}_{part}" for part in ("thigh", "shin", "foot", "toe") if f"{side}_{part}" in heads]
        at = middle + quat_rotate(turns["hips"], heads[f"{side}_thigh"] - rest_middle)
        for start, end in pairwise(chain):
            at = at + quat_rotate(turns[start], heads[end] - heads[start])
            if start != chain[0]:
                heights_m[end] = at[:, 2]
    return heights_m


def _standing_heights_m(rest_m: dict[str, float], half_leg_m: float) -> dict[str, float]:
    """How high above the floor the foot's joints are on a standing rig, by role.

    rest_m: their heights over the object's origin at rest: that is the floor, unless they lie far above or below it.
    """
    lowest_m = min(rest_m.values())
    if -0.1 * half_leg_m <= lowest_m <= 0.5 * half_leg_m:
        return rest_m
    sole_m = 0.1 * half_leg_m if any(role.endswith("toe") for role in rest_m) else 0.2 * half_leg_m
    return {role: height_m - lowest_m + sole_m for role, height_m in rest_m.items()}


def resample(track: PoseTrack, times_s: np.ndarray) -> PoseTrack:
    """The track at other times (N,): turns by spherical interpolation, path and directions by straight lines."""
    after = np.clip(np.searchsorted(track.times_s, times_s, side="right"), 1, max(len(track.times_s) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(track.times_s) - 1)
    step_s = track.times_s[after] - track.times_s[before]
    share = np.clip((times_s - track.times_s[before]) / np.maximum(step_s, 1e-12), 0.0, 1.0)

    def between(values: np.ndarray) -> np.ndarray:
        return values[before] + (values[after] - values[before]) * share[:, None]

    return PoseTrack(
        np.asarray(times_s, dtype=np.float64),
        {bone: quat_unrolled(quat_slerp(q[before], q[after], share)) for bone, q in track.quats.items()},
        track.root_bone,
        between(track.root_location),
        {role: normalized(between(d)) for role, d in track.directions_world.items()},
        {bone: between(location) for bone, location in track.other_locations.items()},
        track.unplaced,
        track.placement,
    )
