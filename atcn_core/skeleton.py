"""The joint sets, by name, and what follows from the names (mirror pairs, conversions). No coordinates live here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

__all__ = [
    "BODY_25",
    "CAPTURE",
    "COCO_17",
    "H36M_17",
    "LIMB_12",
    "MEDIAPIPE_33",
    "SIDES",
    "SKELETONS",
    "Skeleton",
    "mirrored_name",
]

# As names of joints and of roles begin.
SIDES = ("left", "right")


def mirrored_name(joint: str) -> str:
    """The name of the joint's left/right twin; the joint's own name on the midline."""
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if joint.startswith(side):
            return other + joint.removeprefix(side)
    return joint


@dataclass(frozen=True)
class Skeleton:
    """Joint names in array order. `parents[i]` is the name of joint i's parent; a root has None.

    Equal names mean equal anatomical points in every set, so sets convert into each other by name alone.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[str | None, ...]

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"{self.name}: a joint is named twice")
        if len(self.parents) != len(self.joints):
            raise ValueError(f"{self.name}: {len(self.joints)} joints but {len(self.parents)} parents")
        unknown = {p for p in self.parents if p is not None} - set(self.joints)
        if unknown:
            raise ValueError(f"{self.name}: parents {sorted(unknown)} are no joints")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Array index of a joint by name."""
        return self.joints.index(joint)

    def indices(self, *joints: str) -> list[int]:
        """Array indices of several joints by name."""
        return [self.index(joint) for joint in joints]

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """Index of each joint's left/right twin: the flip permutation, derived from the names."""
        return tuple(self.index(mirrored_name(joint)) for joint in self.joints)

    @cached_property
    def parent_indices(self) -> tuple[int, ...]:
        """Index of each joint's parent, -1 at a root."""
        return tuple(-1 if parent is None else self.index(parent) for parent in self.parents)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Joint indices so ordered that every parent comes before its children."""
        done: list[int] = []
        while len(done) < len(self):
            done += [
                i for i, parent in enumerate(self.parent_indices) if i not in done and (parent < 0 or parent in done)
            ]
        return tuple(done)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) index pairs: the lines to draw and the lengths to keep."""
        return tuple((parent, child) for child, parent in enumerate(self.parent_indices) if parent >= 0)


def _skeleton(name: str, *joint_and_parent: tuple[str, str | None]) -> Skeleton:
    return Skeleton(name, tuple(j for j, _ in joint_and_parent), tuple(p for _, p in joint_and_parent))


# What the bundled network takes in and gives out. Head, hands and feet carry their orientation (ears and nose,
# knuckles, heel and toe). "hip" is the middle of the hip joints; "spine", "thorax" and "head" (top of the head)
# are seen by no video detector used here, but come with Human3.6M-style input, and the network gives them out.
CAPTURE = _skeleton(
    "capture-27",
    ("hip", None),
    ("spine", "hip"),
    ("thorax", "spine"),
    ("nose", "thorax"),
    ("head", "thorax"),
    ("left_ear", "nose"),
    ("right_ear", "nose"),
    ("left_shoulder", "thorax"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("left_index", "left_wrist"),
    ("left_pinky", "left_wrist"),
    ("right_shoulder", "thorax"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
    ("right_index", "right_wrist"),
    ("right_pinky", "right_wrist"),
    ("left_hip", "hip"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("left_heel", "left_ankle"),
    ("left_toe", "left_ankle"),
    ("right_hip", "hip"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("right_heel", "right_ankle"),
    ("right_toe", "right_ankle"),
)

# Human3.6M's 17 joints in the usual order (the paper's); its ninth, "neck/nose", is a point in the face.
H36M_17 = _skeleton(
    "h36m-17",
    ("hip", None),
    ("right_hip", "hip"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("left_hip", "hip"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("spine", "hip"),
    ("thorax", "spine"),
    ("nose", "thorax"),
    ("head", "nose"),
    ("left_shoulder", "thorax"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_shoulder", "thorax"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
)

COCO_17 = _skeleton(
    "coco-17",
    ("nose", None),
    ("left_eye", "nose"),
    ("right_eye", "nose"),
    ("left_ear", "left_eye"),
    ("right_ear", "right_eye"),
    ("left_shoulder", "nose"),
    ("right_shoulder", "nose"),
    ("left_elbow", "left_shoulder"),
    ("right_elbow", "right_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_wrist", "right_elbow"),
    ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"),
    ("left_knee", "left_hip"),
    ("right_knee", "right_hip"),
    ("left_ankle", "left_knee"),
    ("right_ankle", "right_knee"),
)

# OpenPose; its "neck" is the middle of the shoulders, not the thorax joint of Human3.6M.
BODY_25 = _skeleton(
    "body-25",
    ("nose", "neck"),
    ("neck", "hip"),
    ("right_shoulder", "neck"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
    ("left_shoulder", "neck"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("hip", None),
    ("right_hip", "hip"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("left_hip", "hip"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("right_eye", "nose"),
    ("left_eye", "nose"),
    ("right_ear", "right_eye"),
    ("left_ear", "left_eye"),
    ("left_toe", "left_ankle"),
    ("left_small_toe", "left_ankle"),
    ("left_heel", "left_ankle"),
    ("right_toe", "right_ankle"),
    ("right_small_toe", "right_ankle"),
    ("right_heel", "right_ankle"),
)

# MediaPipe's pose landmarks; its "foot index" is called the toe here, as in the other sets.
MEDIAPIPE_33 = _skeleton(
    "mediapipe-33",
    ("nose", None),
    ("left_eye_inner", "nose"),
    ("left_eye", "left_eye_inner"),
    ("left_eye_outer", "left_eye"),
    ("right_eye_inner", "nose"),
    ("right_eye", "right_eye_inner"),
    ("right_eye_outer", "right_eye"),
    ("left_ear", "left_eye_outer"),
    ("right_ear", "right_eye_outer"),
    ("left_mouth", "nose"),
    ("right_mouth", "nose"),
    ("left_shoulder", "nose"),
    ("right_shoulder", "nose"),
    ("left_elbow", "left_shoulder"),
    ("right_elbow", "right_shoulder"),
    ("left_wrist", "left_elbow"),
    ("right_wrist", "right_elbow"),
    ("left_pinky", "left_wrist"),
    ("right_pinky", "right_wrist"),
    ("left_index", "left_wrist"),
    ("right_index", "right_wrist"),
    ("left_thumb", "left_wrist"),
    ("right_thumb", "right_wrist"),
    ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"),
    ("left_knee", "left_hip"),
    ("right_knee", "right_hip"),
    ("left_ankle", "left_knee"),
    ("right_ankle", "right_knee"),
    ("left_heel", "left_ankle"),
    ("right_heel", "right_ankle"),
    ("left_toe", "left_ankle"),
    ("right_toe", "right_ankle"),
)

# The limb joints every source of 3D truth has; errors on real video are scored over these.
LIMB_12 = tuple(
    f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
)

SKELETONS = {skeleton.name: skeleton for skeleton in (CAPTURE, H36M_17, COCO_17, BODY_25, MEDIAPIPE_33)}
