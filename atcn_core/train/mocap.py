"""Motion-capture skeletons to the capture joint set: where each source's joints and landmarks lie, and its files."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import MotionError
from ..motion.bvh import BvhMotion, read_bvh
from ..skeleton import CAPTURE

__all__ = ["Take", "capture_joints", "load_split", "read_take"]

# BVH axes (x left, y up, z front) to Blender's world of someone who faces -y: x left, y back, z up.
WORLD_FROM_BVH = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])

# More pictures a second than this teach nothing new: the training rate is half of it, and motion is played faster too.
_FPS = 60.0
_HINT = "Name the joints as in one of CMU's BVH releases (Hips/LeftUpLeg/... or hip/lThigh/...)."

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


@dataclass(frozen=True)
class _Source:
    """What is particular to a source of motion, beyond the names all share after `_NAMINGS`.

    spine, thorax: joints whose middle the point is; of several thorax joints the first that exists.
    """

    face: _Face
    spine: tuple[str, ...] = ("Spine", "Spine1")
    thorax: tuple[str, ...] = ("Neck1", "Neck")


# CMU's "Head" end lies at the height of the nose, not on top.
_CMU = _Source(_Face(0.5, (0, 0, 8), 1.5, (0, 0, 5)))
_DAZ = _Source(_Face(0.0, (0, 4.5, 6.5), 0.0, (0, 16, 3)))
# By file name prefix (see the data's own notes); what has none of these is CMU's, or the naming's own.
_SOURCES = {
    "cmudaz": _DAZ,
    "cmuiclone": _Source(_DAZ.face, spine=("Spine1",), thorax=("Neck",)),
    "fair1": _Source(_Face(0.0, (0, 0, 9), 0.6, (0, 0, 5)), spine=("Spine1",)),
    "m2m": _Source(_Face(0.0, (0, 3.5, 5.5), 0.0, (0, 14.5, 0))),
}
# Releases with names of their own, by a joint that tells them: the source they make up, and what their names mean.
_DAZ_NAMES = {"hip": "Hips", "abdomen": "Spine", "chest": "Spine1", "neck": "Neck", "head": "Head"} | {
    f"{side[0].lower()}{theirs}": f"{side}{ours}"
    for side in ("Left", "Right")
    for theirs, ours in (
        *(("Collar", "Shoulder"), ("Shldr", "Arm"), ("ForeArm", "ForeArm"), ("Hand", "Hand")),
        *(("Buttock", "HipJoint"), ("Thigh", "UpLeg"), ("Shin", "Leg"), ("Foot", "Foot")),
    )
}
_NAMINGS = {"lThigh": (_DAZ, _DAZ_NAMES)}

# The nose's tip stands out of the face; the ears lie behind and beside it (x left, y up, z front).
_NOSE_TIP_CM = (0.0, 0.0, 3.0)
_EAR_CM = (7.5, 1.5, -7.5)

# Heel and toe in the foot's own axes, which are the world's in the zero pose: sole flat, toes to the front.
_HEEL_CM = (0.0, -6.5, -5.0)
_TOE_CM = (1.0, -6.0, 16.5)

# Knuckles in the hand's axes of a left hand in a T-pose, palm down, thumb to the front.
_INDEX_CM = (9.0, 0.0, 2.8)
_PINKY_CM = (8.0, 0.0, -3.5)

# What files are written in, in centimetres: millimetres, centimetres, inches, CMU's ASF unit (inches / 0.45), metres.
_UNITS_CM = (0.1, 1.0, 2.54, 2.54 / 0.45, 100.0)
_LEG_CM = 83.0


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


def capture_joints(motion: BvhMotion, prefix: str) -> np.ndarray:
    """CAPTURE joints of a mocap body in centimetres, in the file's axes.

    motion: in our names and centimetres; prefix: the file name's ("cmuasf", "m2m", ...). Returns (T, J, 3).
    Hands follow the forearm: the sources' own hand rotations are not to be trusted. Raises KeyError, ValueError.
    """
    return _capture_joints(motion, _SOURCES.get(prefix, _CMU))


def _capture_joints(motion: BvhMotion, source: _Source) -> np.ndarray:
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
    put("spine", sum((at[name] for name in source.spine[1:]), at[source.spine[0]]) / len(source.spine))
    put("thorax", at[next((name for name in source.thorax if name in at), source.thorax[-1])])
    face = source.face
    # Some figures' heads have eyes in place of an end; their faces need none.
    to_end = at["Head.End"] - at["Head"] if face.nose_end_share or face.top_end_share else np.zeros(3)
    middle = at["Head"] + face.nose_end_share * to_end + turned("Head", face.nose_cm)
    put("nose", middle + turned("Head", _NOSE_TIP_CM))
    put("head", at["Head"] + face.top_end_share * to_end + turned("Head", face.top_cm))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        put(f"{side}_ear", middle + turned("Head", (sign * _EAR_CM[0], *_EAR_CM[1:])))
    return joints


def read_take(path: Path, unit_cm: float | None = None) -> Take:
    """One file as a Take, at no more than 60 frames a second.

    unit_cm: what the file's lengths count in; by default the usual unit that makes the legs most human.
    Raises MotionError where the file is no BVH or joints are missing.
    """
    path = Path(path)
    motion = read_bvh(path)
    try:
        source, motion = _in_our_names(motion, path.stem.split("_")[0])
        motion = _with_lost_bones(_without_t_pose(_in_centimetres(motion, unit_cm)))
        joints = _capture_joints(motion, source)
        forearms = motion.rotations[:, [motion.index("LeftForeArm"), motion.index("RightForeArm")]]
    except KeyError as error:
        raise MotionError(f"{path.name} lacks the joint {error}.", hint=_HINT) from error
    step = max(1, round(motion.fps / _FPS))
    return Take(
        path.stem,
        motion.fps / step,
        (joints @ WORLD_FROM_BVH.T / 100.0).astype(np.float32)[::step],
        (WORLD_FROM_BVH @ forearms @ WORLD_FROM_BVH.T).astype(np.float32)[::step],
    )


def _in_our_names(motion: BvhMotion, prefix: str) -> tuple[_Source, BvhMotion]:
    for telltale, (source, ours) in _NAMINGS.items():
        if telltale in motion.names:
            names = tuple(ours.get(name, name) for name in motion.names)
            return source, BvhMotion(names, motion.positions, motion.rotations, motion.fps)
    return _SOURCES.get(prefix, _CMU), motion


def _joint(motion: BvhMotion, name: str) -> np.ndarray:
    """(T, 3) positions. Raises KeyError where there is no such joint."""
    if name not in motion.names:
        raise KeyError(name)
    return motion.positions[:, motion.index(name)]


def _in_centimetres(motion: BvhMotion, unit_cm: float | None) -> BvhMotion:
    if unit_cm is None:
        hip, knee, ankle = (_joint(motion, f"Left{bone}") for bone in ("UpLeg", "Leg", "Foot"))
        leg = float(np.median(np.linalg.norm(knee - hip, axis=1) + np.linalg.norm(ankle - knee, axis=1)))
        unit_cm = min(_UNITS_CM, key=lambda unit: abs(np.log(max(leg * unit, 1e-9) / _LEG_CM)))
    return BvhMotion(motion.names, motion.positions * unit_cm, motion.rotations, motion.fps)


def _without_t_pose(motion: BvhMotion) -> BvhMotion:
    """CMU's BVH releases begin every take with a T-pose at the origin, one frame before the motion."""
    if len(motion.positions) < 3:
        return motion
    jump_cm, usual_cm = np.linalg.norm(np.diff(motion.positions[:3], axis=0), axis=-1).mean(axis=1)
    first = 1 if jump_cm > 10.0 + 3.0 * usual_cm else 0
    return BvhMotion(motion.names, motion.positions[first:], motion.rotations[first:], motion.fps)


def _with_lost_bones(motion: BvhMotion) -> BvhMotion:
    """The two bones that CMU's MotionBuilder-friendly release lost, put back by proportion.

    It lost the length of the ASF bones that branch: `thorax`, as long as the trunk's bone below it, and `lwrist` and
    `rwrist`, half as long as the forearm's bone above them. Such files have Neck and shoulders where Spine1 is.
    """
    names = motion.names
    if not {"Spine", "Spine1", "Neck", "LeftShoulder", "RightShoulder", "LeftHand", "RightHand"} <= set(names):
        return motion
    chest = _joint(motion, "Spine1")
    if np.abs(np.stack([_joint(motion, name) - chest for name in ("Neck", "LeftShoulder")])).max() > 0.1:
        return motion
    below_cm = float(np.median(np.linalg.norm(chest - _joint(motion, "Spine"), axis=1)))
    lifted = motion.rotations[:, motion.index("Spine1")] @ np.array([0.0, 1.006 * below_cm, 0.0])
    positions = motion.positions.copy()
    above = ("Neck", "Head", "Shoulder", "Arm", "Hand", "Finger", "Thumb")
    moved = [i for i, name in enumerate(names) if any(part in name for part in above)]
    positions[:, moved] += lifted[:, None]
    for side in ("Left", "Right"):
        elbow, wrist = (motion.index(side + bone) for bone in ("ForeArm", "Hand"))
        further = (positions[:, wrist] - positions[:, elbow]) / 2
        hand = [
            i for i, name in enumerate(names) if name.startswith((f"{side}Hand", f"{side}Finger", f"{side[0]}Thumb"))
        ]
        positions[:, hand] += further[:, None]
    return BvhMotion(names, positions, motion.rotations, motion.fps)


def load_split(folder: Path, split: str) -> list[Take]:
    """All takes of a split, "train" or "val", of a folder of BVH files. Raises MotionError.

    With a splits.json as it says. Without one, of all files below the folder, a tenth of the subjects ("07" in
    07_01.bvh) is `val`: always the same ones, whatever the files' order.
    """
    folder = Path(folder)
    listing = folder / "splits.json"
    if listing.is_file():
        return [read_take(folder / name) for name in _listed(listing, split)]
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".bvh")
    if not files:
        raise MotionError(f"There is no BVH file in {folder}.", hint="Give the folder that holds the BVH files.")
    return [read_take(path) for path in _split(files)[split]]


def _listed(listing: Path, split: str) -> list[str]:
    try:
        names = json.loads(listing.read_text())[split]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = 'It holds {"train": [file names], "val": [file names]}.'
        raise MotionError(f"{listing} has no list {split!r}.", hint=hint) from error
    return [str(name) for name in names]


def _split(files: list[Path]) -> dict[str, list[Path]]:
    """Files by "train" and "val". Raises MotionError where a split would be empty."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(path.stem.split("_")[0], []).append(path)
    if len(groups) == 1:
        groups = {path.stem: [path] for path in files}
    if len(groups) == 1:
        raise MotionError("There is only one BVH file.", hint="Training needs another one to be tried on.")
    # Order by a hash: the same in every run, and a subject more moves at most one other.
    order = sorted(groups, key=lambda name: (zlib.crc32(name.encode()), name))
    held_out = set(order[: max(1, len(order) // 10)])
    return {
        "train": [path for name, paths in groups.items() if name not in held_out for path in paths],
        "val": [path for name, paths in groups.items() if name in held_out for path in paths],
    }
