"""Motion-capture skeletons to the capture joint set: where each source's joints and landmarks lie, and its files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import MotionError
from ..skeleton import CAPTURE
from .bvh import BvhMotion, read_bvh

__all__ = ["Take", "capture_joints", "load_split"]

# BVH axes (x left, y up, z front) to Blender's world of someone who faces -y: x left, y back, z up.
WORLD_FROM_BVH = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])

_LIMBS = {
    "hip": "UpLeg",
    "knee": "Leg",
    "ankle": "Foot",
    "shoulder": "Arm",
    "elbow": "ForeArm",
    "wrist": "Hand",
}


@dataclass(frozen=True)
class _Face:
    """The middle of the face and the top of the head: weights of Head and Head.End, plus an offset in Head's axes."""

    nose_end_share: float
    nose_cm: tuple[float, float, float]
    top_end_share: float
    top_cm: tuple[float, float, float]


# By source prefix (see the data's own notes): CMU's "Head" end lies at the height of the nose, not on top.
_CMU_FACE = _Face(0.5, (0, 0, 8), 1.5, (0, 0, 5))
_FACES = {
    "cmudaz": _Face(0.0, (0, 4.5, 6.5), 0.0, (0, 16, 3)),
    "cmuiclone": _Face(0.0, (0, 4.5, 6.5), 0.0, (0, 16, 3)),
    "fair1": _Face(0.0, (0, 0, 9), 0.6, (0, 0, 5)),
    "m2m": _Face(0.0, (0, 3.5, 5.5), 0.0, (0, 14.5, 0)),
}
# The nose's tip stands out of the face; the ears lie behind and beside it (x left, y up, z front).
_NOSE_TIP_CM = (0.0, 0.0, 3.0)
_EAR_CM = (7.5, 1.5, -7.5)

# Heel and toe in the foot's own axes, which are the world's in the zero pose: sole flat, toes to the front.
_HEEL_CM = (0.0, -6.5, -5.0)
_TOE_CM = (1.0, -6.0, 16.5)

# Knuckles in the hand's axes of a left hand in a T-pose, palm down, thumb to the front.
_INDEX_CM = (9.0, 0.0, 2.8)
_PINKY_CM = (8.0, 0.0, -3.5)


@dataclass(frozen=True)
class Take:
    """One motion file in the capture set.

    joints_world: (T, J, 3) float32 metres, z up.
    forearms:     (T, 2, 3, 3) float32, left and right forearm's turn from the T-pose, world axes.
    """

    name: str
    fps: float
    joints_world: np.ndarray
    forearms: np.ndarray


def capture_joints(motion: BvhMotion, source: str) -> np.ndarray:
    """CAPTURE joints of a mocap body in centimetres, in the file's axes.

    source: the file name's prefix ("cmuasf", "m2m", ...). Returns (T, J, 3).
    Hands follow the forearm: the sources' own hand rotations are not to be trusted.
    """
    at = {name: motion.positions[:, i] for i, name in enumerate(motion.names)}
    joints = np.empty((len(motion.positions), len(CAPTURE), 3))

    def put(joint: str, where: np.ndarray) -> None:
        joints[:, CAPTURE.index(joint)] = where

    def turned(name: str, offset_cm: tuple[float, float, float]) -> np.ndarray:
        return motion.rotations[:, motion.index(name)] @ np.array(offset_cm)

    for side, sign in (("left", 1.0), ("right", -1.0)):
        limb = side.capitalize()
        for joint, bone in _LIMBS.items():
            put(f"{side}_{joint}", at[limb + bone])
        for joint, (x, y, z) in (("heel", _HEEL_CM), ("toe", _TOE_CM)):
            put(f"{side}_{joint}", at[limb + "Foot"] + turned(limb + "Foot", (sign * x, y, z)))
        for joint, (x, y, z) in (("index", _INDEX_CM), ("pinky", _PINKY_CM)):
            put(f"{side}_{joint}", at[limb + "Hand"] + turned(limb + "ForeArm", (sign * x, y, z)))
    put("hip", (at["LeftUpLeg"] + at["RightUpLeg"]) / 2)
    put("spine", at["Spine1"] if source in ("cmuiclone", "fair1") else (at["Spine"] + at["Spine1"]) / 2)
    put("thorax", at["Neck1"] if "Neck1" in at and source != "cmuiclone" else at["Neck"])
    face = _FACES.get(source, _CMU_FACE)
    to_end = at["Head.End"] - at["Head"]
    middle = at["Head"] + face.nose_end_share * to_end + turned("Head", face.nose_cm)
    put("nose", middle + turned("Head", _NOSE_TIP_CM))
    put("head", at["Head"] + face.top_end_share * to_end + turned("Head", face.top_cm))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        put(f"{side}_ear", middle + turned("Head", (sign * _EAR_CM[0], *_EAR_CM[1:])))
    return joints


def read_take(path: Path) -> Take:
    """One file as a Take. Raises MotionError where joints are missing."""
    motion = read_bvh(path)
    try:
        joints = capture_joints(motion, Path(path).stem.split("_")[0])
        forearms = motion.rotations[:, [motion.index("LeftForeArm"), motion.index("RightForeArm")]]
    except (KeyError, ValueError) as error:
        hint = "Name the joints as in CMU's BVH files."
        raise MotionError(f"{Path(path).name} lacks the joint {error}.", hint=hint) from error
    return Take(
        Path(path).stem,
        motion.fps,
        (joints @ WORLD_FROM_BVH.T / 100.0).astype(np.float32),
        (WORLD_FROM_BVH @ forearms @ WORLD_FROM_BVH.T).astype(np.float32),
    )


def load_split(folder: Path, split: str) -> list[Take]:
    """All takes of a split ("train" or "val") of a folder with splits.json. Raises MotionError."""
    listing = Path(folder) / "splits.json"
    if not listing.is_file():
        raise MotionError(f"There is no {listing}.", hint="Give the folder that holds the BVH files and splits.json.")
    return [read_take(Path(folder) / name) for name in json.loads(listing.read_text())[split]]
