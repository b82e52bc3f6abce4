"""A detector's finding beside the true joints: errors, speeds and the body's own axes in the picture.

Lengths are shares of the person's own standing height in the picture ("heights"), the unit of train/noise.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clip import Keypoints2D, to_capture
from ..errors import MotionError
from ..rotation import normalized
from ..skeleton import CAPTURE

__all__ = [
    "AXES",
    "JOINTS",
    "LIMBS",
    "DetectedClip",
    "Truth2D",
    "compare",
    "films_with_truth",
    "load_truth",
    "stature_m",
    "swapped_frames",
]

TRUTH_SCHEMA, _TRUTH_ENDING = "atcn.truth/1", "_truth.npz"

# What the detector gives of the capture set; "hip" is made of two of them.
JOINTS = tuple(joint for joint in CAPTURE.joints if joint not in ("hip", "spine", "thorax", "head"))
LIMBS = {"legs": ("hip", "knee", "ankle", "heel", "toe"), "arms": ("shoulder", "elbow", "wrist", "index", "pinky")}

_TRUNK, _HEAD, _LEG = ("up", "front", "outward"), ("outward", "front", "up"), ("down", "front", "outward")
_ARM, _HAND, _FOOT = ("along", "front", "across"), ("along", "thumbward", "across"), ("front", "up", "outward")
# What the three axes of `DetectedClip.axes` are for a joint.
AXES = {
    **dict.fromkeys(("hip", "shoulder"), _TRUNK),
    **dict.fromkeys(("nose", "ear"), _HEAD),
    **dict.fromkeys(("knee", "ankle"), _LEG),
    **dict.fromkeys(("elbow", "wrist"), _ARM),
    **dict.fromkeys(("index", "pinky"), _HAND),
    **dict.fromkeys(("heel", "toe"), _FOOT),
}
# A limb counts as swapped where its twin's places explain the finding this much better, and the twins lie apart.
_SWAP_GAIN, _SWAP_APART = 0.5, 0.05


@dataclass(frozen=True)
class Truth2D:
    """What was before the camera (schema atcn.truth/1).

    times_s:    (T,).
    joints_cam: (T, 27, 3) metres, camera axes.
    xy_px:      (T, 27, 2).
    hidden:     (T, 27) bool, something solid lay before the joint; None where the file does not say.
    cam_from_world, place_world: (3, 3) and (3,), how the camera stands over the floor at z 0; None likewise.
    """

    times_s: np.ndarray
    joints_cam: np.ndarray
    xy_px: np.ndarray
    focal_px: float
    image_wh_px: tuple[int, int]
    hidden: np.ndarray | None = None
    cam_from_world: np.ndarray | None = None
    place_world: np.ndarray | None = None

    @property
    def height_px(self) -> np.ndarray:
        """(T,): how high the person would be in the picture, standing upright where the hip is."""
        return stature_m(self.joints_cam) * self.focal_px / self.joints_cam[:, CAPTURE.index("hip"), 2]


@dataclass(frozen=True)
class DetectedClip:
    """A detector's errors over a clip, in heights, joints in CAPTURE's order.

    error:    (T, J, 2) found minus true; NaN where the joint was not found, or is not the detector's to find.
    true:     (T, J, 2) true places.
    velocity: (T, J, 2) of the true joint, heights/s.
    axes:     (T, J, 3, 2) a step of one height along each of the joint's own three axes (AXES), in the picture.
    score:    (T, J) 0..1.
    outside:  (T, J) bool, the true joint is not in the picture.
    hidden:   (T, J) bool; all False where nothing is known about it.
    """

    name: str
    fps: float
    error: np.ndarray
    true: np.ndarray
    velocity: np.ndarray
    axes: np.ndarray
    score: np.ndarray
    outside: np.ndarray
    hidden: np.ndarray


def films_with_truth(folder: Path) -> list[tuple[Path, Path]]:
    """Every NAME.mp4 of a folder that has its NAME_truth.npz beside it, sorted. Raises MotionError if there is none."""
    truths = sorted(Path(folder).glob(f"*{_TRUTH_ENDING}"))
    pairs = [(truth.with_name(truth.name.removesuffix(_TRUTH_ENDING) + ".mp4"), truth) for truth in truths]
    pairs = [(film, truth) for film, truth in pairs if film.is_file()]
    if not pairs:
        raise MotionError(
            f"There is no film with its truth in {folder}.", hint="Make some with rigs/render_noise_clips.py."
        )
    return pairs


def load_truth(path: Path) -> Truth2D:
    """Read a film's true joints. Raises MotionError where the file is missing or not of this schema."""
    hint = "Make it with rigs/render_demo.py or rigs/render_noise_clips.py."
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise MotionError(f"{Path(path).name} cannot be read as true joints.", hint=hint) from error
    if str(arrays.get("schema")) != TRUTH_SCHEMA or tuple(arrays["joint_names"]) != CAPTURE.joints:
        raise MotionError(f"{Path(path).name} holds no true joints of the capture set.", hint=hint)
    width_px, height_px = (int(side) for side in arrays["image_wh_px"])
    return Truth2D(
        arrays["times_s"].astype(np.float64),
        arrays["joints_cam"].astype(np.float64),
        arrays["xy_px"].astype(np.float64),
        float(arrays["focal_px"]),
        (width_px, height_px),
        arrays.get("hidden"),
        arrays.get("cam_from_world"),
        arrays.get("place_world"),
    )


def stature_m(joints: np.ndarray) -> float:
    """Standing height from the bones' median lengths, the ankle's height taken from the heel. joints: (T, 27, 3)."""

    def length_m(*chain: str) -> float:
        places = joints[:, CAPTURE.indices(*chain)]
        return float(np.median(np.linalg.norm(np.diff(places, axis=1), axis=-1), axis=0).sum())

    legs_m = [
        length_m(*(f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "heel"))) for side in ("left", "right")
    ]
    return length_m("hip", "spine", "thorax", "head") + float(np.mean(legs_m))


def compare(name: str, keypoints: Keypoints2D, truth: Truth2D) -> DetectedClip:
    """A detector's finding beside the truth. Raises MotionError where they are not of the same length."""
    if len(keypoints.times_s) != len(truth.times_s):
        raise MotionError(
            f"{name} has {len(keypoints.times_s)} frames and {len(truth.times_s)} true poses.",
            hint="Film and truth must come from one run of the script.",
        )
    found = to_capture(keypoints)
    height_px = truth.height_px[:, None, None]
    inside = np.all((truth.xy_px >= 0) & (truth.xy_px < np.array(truth.image_wh_px)), axis=-1)
    return DetectedClip(
        name,
        found.fps,
        error=(found.xy_px - truth.xy_px) / height_px,
        true=truth.xy_px / height_px,
        velocity=np.gradient(truth.xy_px, truth.times_s, axis=0) / height_px,
        axes=_own_axes(truth.joints_cam),
        score=found.score,
        outside=~inside,
        hidden=np.zeros(inside.shape, dtype=bool) if truth.hidden is None else truth.hidden,
    )


def _own_axes(joints_cam: np.ndarray) -> np.ndarray:
    """See DetectedClip.axes. joints_cam: (T, J, 3). Joints without axes of their own have zeros."""
    at = {joint: joints_cam[:, i] for i, joint in enumerate(CAPTURE.joints)}
    axes = np.zeros((len(joints_cam), len(CAPTURE), 3, 3))
    trunk_up = at["thorax"] - at["hip"]
    trunk_front = np.cross(at["left_shoulder"] - at["right_shoulder"] + at["left_hip"] - at["right_hip"], trunk_up)
    head_left, head_front = at["left_ear"] - at["right_ear"], at["nose"] - 0.5 * (at["left_ear"] + at["right_ear"])
    axes[:, CAPTURE.index("nose")] = _frame(head_left, head_front, -1.0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shin, foot = at[f"{side}_ankle"] - at[f"{side}_knee"], at[f"{side}_toe"] - at[f"{side}_heel"]
        thumb = at[f"{side}_index"] - at[f"{side}_pinky"]
        hand = 0.5 * (at[f"{side}_index"] + at[f"{side}_pinky"]) - at[f"{side}_wrist"]
        forearm = at[f"{side}_wrist"] - at[f"{side}_elbow"]
        for joints, first, second, twist in (
            (("hip", "shoulder"), trunk_up, trunk_front, sign),
            (("ear",), sign * head_left, head_front, -sign),
            (("knee", "ankle"), shin, foot, -sign),
            (("elbow", "wrist"), forearm, trunk_front, sign),
            (("index", "pinky"), hand, thumb, sign),
            (("heel", "toe"), foot, -shin, -sign),
        ):
            for joint in joints:
                axes[:, CAPTURE.index(f"{side}_{joint}")] = _frame(first, second, twist)
    return axes[..., :2]


def _frame(first: np.ndarray, second: np.ndarray, sign: float) -> np.ndarray:
    """(T, 3, 3), axes as rows: along first, along second as far as it is at right angles, and `sign` their cross."""
    one = normalized(first)
    two = normalized(second - (second * one).sum(-1, keepdims=True) * one)
    return np.stack([one, two, sign * np.cross(one, two)], axis=1)


def swapped_frames(clip: DetectedClip, chain: tuple[str, ...]) -> np.ndarray:
    """(T,) bool: left and right of these limbs (LIMBS) lie clearly nearer to each other's true places."""
    left, right = (CAPTURE.indices(*(f"{side}_{joint}" for joint in chain)) for side in ("left", "right"))
    found = clip.true + clip.error

    def far(one: list[int], other: list[int]) -> np.ndarray:
        return np.linalg.norm(found[:, one] - clip.true[:, other], axis=-1).mean(axis=1)

    apart = np.linalg.norm(clip.true[:, left] - clip.true[:, right], axis=-1).mean(axis=1)
    crossed, straight = far(left, right) + far(right, left), far(left, left) + far(right, right)
    return (crossed < _SWAP_GAIN * straight) & (apart > _SWAP_APART)
