"""The known moving person as a skeleton of bones with Mixamo's names, and as the text of a BVH file."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from atcn_core.motion.from_rig import RigMotion
from atcn_core.motion.rig_rest import RigRest
from atcn_core.motion.rigmap import RigMap
from atcn_core.rotation import quat_to_matrix
from tests.moving_person import Person, posed

# By role: the joint at the bone's head, what turns it (by the person's own roles), Mixamo's name, and its parent.
_TRUNK = (
    ("hips", "hip", "hips", "Hips", None),
    ("spine", "spine", "chest", "Spine", "hips"),
    ("neck", "thorax", "head", "Neck", "spine"),
    ("head", "head_joint", "head", "Head", "neck"),
)
_LIMBS = (
    ("upper_arm", "shoulder", "Arm", "spine"),
    ("forearm", "elbow", "ForeArm", "upper_arm"),
    ("hand", "wrist", "Hand", "forearm"),
    ("index_knuckle", "index", "HandIndex1", "hand"),
    ("pinky_knuckle", "pinky", "HandPinky1", "hand"),
    ("thigh", "hip", "UpLeg", "hips"),
    ("shin", "knee", "Leg", "thigh"),
    ("foot", "ankle", "Foot", "shin"),
    ("toe", "toe", "ToeBase", "foot"),
)
_TURNED_BY = {"index_knuckle": "hand", "pinky_knuckle": "hand", "toe": "foot"}
HEADS = (
    *_TRUNK,
    *(
        (
            f"{side}_{role}",
            f"{side}_{joint}",
            f"{side}_{_TURNED_BY.get(role, role)}",
            side.capitalize() + name,
            parent if parent in ("spine", "hips") else f"{side}_{parent}",
        )
        for side in ("left", "right")
        for role, joint, name, parent in _LIMBS
    ),
)
RIG_MAP = RigMap({role: name for role, _, _, name, _ in HEADS}, "person")
_NAMES = {role: name for role, _, _, name, _ in HEADS}


def _head(person: Person, joint: str) -> np.ndarray:
    """(T, 3); the head's own joint lies between the ears, a little below them."""
    if joint != "head_joint":
        return person.point(joint)
    up = quat_to_matrix(person.turns["head"]) @ [0.0, 0.0, -0.02]
    return 0.5 * (person.point("left_ear") + person.point("right_ear")) + up


def _at_rest() -> Person:
    return posed(np.zeros(1), np.array([0.0, 0.0, 0.92]), {})


def person_as_rig(person: Person, units_a_metre: float = 1.0) -> tuple[RigMotion, RigMap]:
    """The person's bones in motion, at rest in a T-pose, and which is which."""
    names = tuple(name for *_, name, _ in HEADS)
    parents = tuple(_NAMES.get(parent) if parent else None for *_, parent in HEADS)
    matrices = np.tile(np.eye(4), (len(HEADS), 1, 1))
    matrices[:, :3, 3] = units_a_metre * np.stack([_head(_at_rest(), joint)[0] for _, joint, *_ in HEADS])
    yes = np.ones(len(HEADS), dtype=bool)
    unposed = np.tile(np.eye(4), (len(HEADS), 1, 1))
    rest = RigRest(names, parents, matrices, np.eye(4), yes, yes, unposed)
    heads = units_a_metre * np.stack([_head(person, joint) for _, joint, *_ in HEADS], axis=1)
    turns = np.stack([quat_to_matrix(person.turns[turned_by]) for _, _, turned_by, *_ in HEADS], axis=1)
    return RigMotion(rest, person.times_s, heads, turns), RIG_MAP


def person_as_bvh(
    person: Person,
    *,
    file_from_world: np.ndarray,
    units_a_metre: float = 100.0,
    order: str = "ZXY",
    folded: bool = False,
    fps: float = 30.0,
) -> str:
    """The person as a BVH file. folded: at no turn at all every bone lies along x, as in some studios' files."""
    moving, _ = person_as_rig(person, units_a_metre)
    names, parents = moving.rest.names, moving.rest.parents
    at_rest = moving.rest.matrices[:, :3, 3] @ file_from_world.T
    at = [names.index(parent) if parent else -1 for parent in parents]
    axes = [_along_x(at_rest, at, i) if folded else np.eye(3) for i in range(len(names))]
    turns = [file_from_world @ moving.turns[:, i] @ file_from_world.T @ axes[i] for i in range(len(names))]
    path = moving.heads[:, 0] @ file_from_world.T
    columns, lines = [path], ["HIERARCHY"]

    def write(i: int, depth: int) -> None:
        pad = "  " * depth
        offset = at_rest[i] if at[i] < 0 else axes[at[i]].T @ (at_rest[i] - at_rest[at[i]])
        local = turns[i] if at[i] < 0 else np.swapaxes(turns[at[i]], 1, 2) @ turns[i]
        columns.append(Rotation.from_matrix(local).as_euler(order, degrees=True))
        spins = " ".join(f"{axis}rotation" for axis in order)
        moves = "6 Xposition Yposition Zposition " if at[i] < 0 else "3 "
        lines.extend([f"{pad}{'ROOT' if at[i] < 0 else 'JOINT'} {names[i]}", f"{pad}{{"])
        lines.extend([f"{pad}  OFFSET {_numbers(offset)}", f"{pad}  CHANNELS {moves}{spins}"])
        below = [j for j, parent in enumerate(at) if parent == i]
        for j in below:
            write(j, depth + 1)
        if not below:
            lines.append(f"{pad}  End Site\n{pad}  {{\n{pad}    OFFSET {_numbers(0.05 * offset)}\n{pad}  }}")
        lines.append(f"{pad}}}")

    write(0, 0)
    rows = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / fps:.6f}", *(_numbers(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.8f}" for value in values)


def _along_x(at_rest: np.ndarray, at: list[int], i: int) -> np.ndarray:
    """Axes (3, 3) of a joint, the first towards the joint that hangs on it."""
    below = [j for j, parent in enumerate(at) if parent == i]
    way = at_rest[below[0]] - at_rest[i] if below else np.array([1.0, 0.0, 0.0])
    x = way / np.linalg.norm(way)
    aside = np.eye(3)[int(np.argmin(np.abs(x)))]
    y = np.cross(aside, x) / np.linalg.norm(np.cross(aside, x))
    return np.stack([x, y, np.cross(x, y)], axis=1)
