"""What travels between the stages: frozen dataclasses that check themselves, and their .npz files."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .camera_path import VideoCamera, camera_arrays, video_camera_of
from .errors import AtcnError, KeypointsError, MotionError
from .files import whole_file
from .frames import Intrinsics
from .hands import FoundHands, HandMotion, arrays_of, found_hands_of, hand_motion_of
from .skeleton import CAPTURE, SKELETONS, Skeleton

__all__ = [
    "Keypoints2D",
    "Motion3D",
    "load_keypoints",
    "load_motion",
    "save_arrays",
    "save_keypoints",
    "save_motion",
    "to_capture",
]

KEYPOINTS_SCHEMA = "atcn.keypoints2d/1"
MOTION_SCHEMA = "atcn.motion3d/1"


def _check(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")


def _check_hands(hands: FoundHands | HandMotion | None, frames: int) -> None:
    if hands is not None and len(hands.score) != frames:
        raise ValueError(f"hands has {len(hands.score)} frames, expected {frames}")


def _check_times(times_s: np.ndarray) -> None:
    if times_s.ndim != 1 or len(times_s) == 0:
        raise ValueError(f"times_s has shape {times_s.shape}, expected (T,) with T >= 1")
    if np.any(np.diff(times_s) <= 0):
        raise ValueError("times_s must increase from frame to frame")


@dataclass(frozen=True)
class Keypoints2D:
    """One person's 2D joints over a clip.

    times_s:     (T,)      float64, the video's own time stamps, strictly increasing.
    fps:         frames per second, nominal (1 / median frame time).
    image_wh_px: width and height of the upright picture.
    xy_px:       (T, J, 2) float32, pixels of the full frame, x right, y down; NaN where score is 0.
    score:       (T, J)    float32, 0..1; 0 where the joint was not seen.
    hands:       the same person's hands; None where they were not looked for.
    """

    skeleton: Skeleton
    times_s: np.ndarray
    fps: float
    image_wh_px: tuple[int, int]
    xy_px: np.ndarray
    score: np.ndarray
    hands: FoundHands | None = None

    def __post_init__(self) -> None:
        _check_times(self.times_s)
        frames = len(self.times_s)
        _check("xy_px", self.xy_px, (frames, len(self.skeleton), 2))
        _check("score", self.score, (frames, len(self.skeleton)))
        if not np.isfinite(self.xy_px[self.score > 0]).all():
            raise ValueError("xy_px must be finite wherever score > 0")
        _check_hands(self.hands, frames)

    @property
    def seen(self) -> np.ndarray:
        """(T,) bool: frames in which any joint was seen."""
        return np.asarray((self.score > 0).any(axis=1))


@dataclass(frozen=True)
class Motion3D:
    """One person's 3D joints over a clip, in camera axes: those of the first frame, where the camera turns.

    times_s:     (T,)      float64, the video's own time stamps, strictly increasing.
    fps:         frames per second, nominal.
    joints_cam:  (T, J, 3) float32, metres, relative to the root joint (the skeleton's first).
    root_cam:    (T, 3)    float32, metres, the root joint's place before the camera.
    score:       (T, J)    float32, 0..1, how well each joint was seen in 2D; 0 where it was filled in.
    camera:      the intrinsics assumed for the root path, in the first frame.
    video_camera: what is known of how the camera moved; None where nobody looked.
    sound_late_s: how much later than the first picture the film's sound begins.
    hands:       the same person's fingers; None where they were not looked for.
    """

    skeleton: Skeleton
    times_s: np.ndarray
    fps: float
    image_wh_px: tuple[int, int]
    joints_cam: np.ndarray
    root_cam: np.ndarray
    score: np.ndarray
    camera: Intrinsics
    video_camera: VideoCamera | None = None
    sound_late_s: float = 0.0
    hands: HandMotion | None = None

    def __post_init__(self) -> None:
        _check_times(self.times_s)
        frames, joints = len(self.times_s), len(self.skeleton)
        _check("joints_cam", self.joints_cam, (frames, joints, 3))
        _check("root_cam", self.root_cam, (frames, 3))
        _check("score", self.score, (frames, joints))
        if self.video_camera is not None and self.video_camera.path is not None:
            _check("video_camera's zoom", self.video_camera.path.zoom, (frames,))
        if not (np.isfinite(self.joints_cam).all() and np.isfinite(self.root_cam).all()):
            raise ValueError("joints_cam and root_cam must be finite")
        _check_hands(self.hands, frames)


def to_capture(keypoints: Keypoints2D) -> Keypoints2D:
    """The same keypoints in the capture set: joints are taken over by name, unknown ones get score 0.

    "hip" is made here, the middle of the two hip joints in the picture, as the network was trained to expect.
    """
    frames = len(keypoints.times_s)
    xy_px = np.full((frames, len(CAPTURE), 2), np.nan, dtype=np.float32)
    score = np.zeros((frames, len(CAPTURE)), dtype=np.float32)
    for to, joint in enumerate(CAPTURE.joints):
        if joint in keypoints.skeleton.joints:
            xy_px[:, to] = keypoints.xy_px[:, keypoints.skeleton.index(joint)]
            score[:, to] = keypoints.score[:, keypoints.skeleton.index(joint)]
    hip, sides = CAPTURE.index("hip"), CAPTURE.indices("left_hip", "right_hip")
    xy_px[:, hip] = xy_px[:, sides].mean(axis=1)
    score[:, hip] = score[:, sides].min(axis=1)
    xy_px[score == 0] = np.nan
    return replace(keypoints, skeleton=CAPTURE, xy_px=xy_px, score=score)


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an .npz under a temporary name in the same folder, then rename it: never half a file.

    Raises OutputError where the folder is missing, read-only, or the disk is full.
    """
    with whole_file(Path(path)) as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]  # numpy's stub takes no ** of arrays


def _load_arrays(path: Path, schema: str, error: type[AtcnError], what: str) -> dict[str, np.ndarray]:
    path = Path(path)
    hint = f"Choose a {what} file written by this add-on (schema {schema})."
    if not path.is_file():
        raise error(f"There is no file {path}.", hint=hint)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise error(f"{path.name} is not a readable .npz file.", hint=hint) from problem
    found = str(arrays.get("schema", "none"))
    if found != schema:
        raise error(f"{path.name} has schema {found}, not {schema}.", hint=hint)
    return arrays


def _skeleton_of(arrays: dict[str, np.ndarray]) -> Skeleton:
    """The joint set of a file: a known one by name, else one made of the file's own joint names (no bones)."""
    joints = tuple(str(name) for name in arrays["joint_names"])
    known = SKELETONS.get(str(arrays["skeleton"]))
    if known is not None and known.joints == joints:
        return known
    return Skeleton(str(arrays["skeleton"]), joints, (None,) * len(joints))


def save_keypoints(path: Path, keypoints: Keypoints2D) -> None:
    """Write 2D keypoints as .npz (see docs/formats.md). Raises OutputError."""
    save_arrays(
        path,
        {
            "schema": np.array(KEYPOINTS_SCHEMA),
            "skeleton": np.array(keypoints.skeleton.name),
            "joint_names": np.array(keypoints.skeleton.joints),
            "times_s": keypoints.times_s.astype(np.float64),
            "fps": np.array(keypoints.fps),
            "image_wh_px": np.array(keypoints.image_wh_px),
            "xy_px": keypoints.xy_px.astype(np.float32),
            "score": keypoints.score.astype(np.float32),
            **arrays_of(keypoints.hands),
        },
    )


def load_keypoints(path: Path) -> Keypoints2D:
    """Read 2D keypoints. Raises KeypointsError where the file is missing or not of this format."""
    arrays = _load_arrays(path, KEYPOINTS_SCHEMA, KeypointsError, "keypoint")
    try:
        return Keypoints2D(
            skeleton=_skeleton_of(arrays),
            times_s=arrays["times_s"],
            fps=float(arrays["fps"]),
            image_wh_px=(int(arrays["image_wh_px"][0]), int(arrays["image_wh_px"][1])),
            xy_px=arrays["xy_px"],
            score=arrays["score"],
            hands=found_hands_of(arrays),
        )
    except (KeyError, ValueError, IndexError) as problem:
        raise KeypointsError(f"{Path(path).name} is damaged: {problem}.", hint="Detect the video again.") from problem


def save_motion(path: Path, motion: Motion3D) -> None:
    """Write 3D motion as .npz (see docs/formats.md). Raises OutputError."""
    save_arrays(
        path,
        {
            "schema": np.array(MOTION_SCHEMA),
            "skeleton": np.array(motion.skeleton.name),
            "joint_names": np.array(motion.skeleton.joints),
            "times_s": motion.times_s.astype(np.float64),
            "fps": np.array(motion.fps),
            "image_wh_px": np.array(motion.image_wh_px),
            "joints_cam": motion.joints_cam.astype(np.float32),
            "root_cam": motion.root_cam.astype(np.float32),
            "score": motion.score.astype(np.float32),
            "focal_px": np.array(motion.camera.focal_px),
            "centre_px": np.array(motion.camera.centre_px),
            **camera_arrays(motion.video_camera),
            "sound_late_s": np.array(motion.sound_late_s),
            **arrays_of(motion.hands),
        },
    )


def load_motion(path: Path) -> Motion3D:
    """Read 3D motion. Raises MotionError where the file is missing or not of this format."""
    arrays = _load_arrays(path, MOTION_SCHEMA, MotionError, "motion")
    try:
        return Motion3D(
            skeleton=_skeleton_of(arrays),
            times_s=arrays["times_s"],
            fps=float(arrays["fps"]),
            image_wh_px=(int(arrays["image_wh_px"][0]), int(arrays["image_wh_px"][1])),
            joints_cam=arrays["joints_cam"],
            root_cam=arrays["root_cam"],
            score=arrays["score"],
            camera=Intrinsics(
                float(arrays["focal_px"]), (float(arrays["centre_px"][0]), float(arrays["centre_px"][1]))
            ),
            sound_late_s=float(arrays.get("sound_late_s", 0.0)),
            video_camera=video_camera_of(arrays),
            hands=hand_motion_of(arrays),
        )
    except (KeyError, ValueError, IndexError) as problem:
        raise MotionError(f"{Path(path).name} is damaged: {problem}.", hint="Capture the video again.") from problem
