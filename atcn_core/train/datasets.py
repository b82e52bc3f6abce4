"""A user's own Human3.6M and HumanEva in VideoPose3D's .npz layout, with the paper's subjects and joints.

Neither may be passed on, so none of their motion is here: only how their files are read, and the cameras' calibration
(`dataset_cameras.json`). The layout is that of VideoPose3D's data preparation: `positions_3d` (subject -> action ->
(T, J, 3) metres, z up) and `positions_2d` (subject -> action -> one (T, K, 2) px a camera) with `metadata`.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import MotionError
from ..rotation import quat_to_matrix
from ..skeleton import CAPTURE, COCO_17, H36M_17, Skeleton
from .mocap import Take

__all__ = [
    "HUMAN36M_SUBJECTS",
    "CameraView",
    "DatasetCamera",
    "DatasetTake",
    "Recording",
    "capture_take",
    "load_human36m",
    "load_humaneva",
]

# The paper's (5.2), as everybody's since Martinez et al. 2017.
HUMAN36M_SUBJECTS = {"train": ("S1", "S5", "S6", "S7", "S8"), "test": ("S9", "S11")}
HUMANEVA_SUBJECTS = {
    "train": ("Train/S1", "Train/S2", "Train/S3"),
    "test": ("Validate/S1", "Validate/S2", "Validate/S3"),
}
HUMANEVA_ACTIONS = ("Walking", "Jog", "Box")
_HUMAN36M_FPS, _HUMANEVA_FPS = 50.0, 60.0

# The 17 of Human3.6M's 32 points that are joints and move, in H36M_17's order; the others repeat these or stand still.
_OF_32 = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
_HUMANEVA_15 = (
    "hip",
    "thorax",
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")),
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle")),
    "head",
)
# Names of 2D joint sets in the files' metadata.
_LAYOUTS: dict[str, tuple[str, ...]] = {
    "h36m": H36M_17.joints,
    "coco": COCO_17.joints,
    "humaneva15": _HUMANEVA_15,
}
_HINT = "Prepare the data set as VideoPose3D's DATASETS.md says."


@dataclass(frozen=True)
class DatasetCamera:
    """A calibrated camera.

    cam_from_world: (3, 3); position_world: (3,) metres.
    matrix_px:      (3, 3) pinhole matrix, None where it is not published with the layout (HumanEva).
    distortion:     (5,) k1 k2 p1 p2 k3, as OpenCV counts them.
    """

    name: str
    image_wh_px: tuple[int, int]
    cam_from_world: np.ndarray
    position_world: np.ndarray
    matrix_px: np.ndarray | None = None
    distortion: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not np.allclose(self.cam_from_world @ self.cam_from_world.T, np.eye(3), atol=1e-5):
            raise ValueError("cam_from_world is no rotation")
        if self.position_world.shape != (3,):
            raise ValueError(f"position_world has shape {self.position_world.shape}, expected (3,)")

    def to_cam(self, points_world: np.ndarray) -> np.ndarray:
        """Camera axes, metres. points_world: (..., 3)."""
        return (points_world - self.position_world) @ self.cam_from_world.T

    def to_px(self, points_cam: np.ndarray) -> np.ndarray:
        """The picture, lens distortion included. points_cam: (..., 3). Raises MotionError without a calibrated lens."""
        matrix, distortion = self._lens()
        x, y = (points_cam[..., :2] / points_cam[..., 2:]).reshape(-1, 2).T
        k1, k2, p1, p2, k3 = distortion
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        bent = np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
                y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
                np.ones_like(x),
            ]
        )
        return (matrix @ bent)[:2].T.reshape(*points_cam.shape[:-1], 2)

    def to_rays(self, xy_px: np.ndarray) -> np.ndarray:
        """Ray slopes x/z, y/z without distortion. xy_px: (..., 2). Raises MotionError without a calibrated lens."""
        import cv2

        matrix, distortion = self._lens()
        flat = np.asarray(xy_px, dtype=np.float64).reshape(-1, 1, 2)
        return cv2.undistortPoints(flat, matrix, distortion).reshape(xy_px.shape)

    def _lens(self) -> tuple[np.ndarray, np.ndarray]:
        if self.matrix_px is None or self.distortion is None:
            raise MotionError(f"Camera {self.name} comes without its focal length.", hint="Use the positions in 3D.")
        return self.matrix_px, self.distortion


@dataclass(frozen=True)
class CameraView:
    """What one camera has of a recording.

    joints_cam:   (T, 17, 3) metres, camera axes; NaN where the data set has no such joint. Protocol 1 compares it after
                  taking off the hip, Protocol 2 after a similarity.
    keypoints_px: (T, K, 2) px in the order of `keypoint_joints`, or None.
    """

    camera: DatasetCamera
    joints_cam: np.ndarray
    keypoints_px: np.ndarray | None
    keypoint_joints: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """One action of one subject.

    joints_world:    (T, 17, 3) metres, z up, H36M_17; NaN where the data set has no such joint.
    keypoints_px:    one (T, K, 2) for each camera, in the order of `keypoint_joints`; none without a 2D file.
    """

    subject: str
    action: str
    fps: float
    joints_world: np.ndarray
    cameras: tuple[DatasetCamera, ...]
    keypoints_px: tuple[np.ndarray, ...] = ()
    keypoint_joints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.joints_world.ndim != 3 or self.joints_world.shape[1:] != (len(H36M_17), 3):
            raise ValueError(f"joints_world has shape {self.joints_world.shape}, expected (T, {len(H36M_17)}, 3)")
        for keypoints in self.keypoints_px:
            expected = (len(self.joints_world), len(self.keypoint_joints), 2)
            if keypoints.shape != expected:
                raise ValueError(f"keypoints_px has shape {keypoints.shape}, expected {expected}")
        if self.keypoints_px and len(self.keypoints_px) != len(self.cameras):
            raise ValueError(f"keypoints of {len(self.keypoints_px)} cameras, but {len(self.cameras)} cameras")

    @property
    def name(self) -> str:
        """Subject and action, as in "S9 Walking 1"."""
        return f"{self.subject} {self.action}"

    def views(self) -> list[CameraView]:
        """The recording as each of its cameras sees it."""
        seen = self.keypoints_px or (None,) * len(self.cameras)
        return [
            CameraView(camera, camera.to_cam(self.joints_world), keypoints, self.keypoint_joints)
            for camera, keypoints in zip(self.cameras, seen, strict=True)
        ]


@dataclass(frozen=True)
class DatasetTake(Take):
    """A Take of a data set that lacks joints of the capture set.

    seen: (J,) bool. Where False, joints_world holds a finite stand-in (so that bodies can still be reshaped), which is
    neither to be shown in the input nor to be learnt from.
    """

    seen: np.ndarray

    def __post_init__(self) -> None:
        if self.seen.shape != (len(CAPTURE),) or not np.isfinite(self.joints_world).all():
            raise ValueError("seen is (J,), and joints_world finite even where not seen")


def capture_take(recording: Recording) -> DatasetTake:
    """A recording in the capture set. Raises MotionError where the data set's own joints have gaps."""
    finite = np.asarray(np.isfinite(recording.joints_world).all(axis=2))
    own = np.asarray(finite.any(axis=0))
    if not finite[:, own].all() or not own[H36M_17.index("hip")]:
        raise MotionError(f"{recording.name} has gaps.", hint=_HINT)
    joints = np.full((len(recording.joints_world), len(CAPTURE), 3), np.nan)
    seen = np.zeros(len(CAPTURE), dtype=bool)
    for place, joint in enumerate(H36M_17.joints):
        joints[:, CAPTURE.index(joint)] = recording.joints_world[:, place]
        seen[CAPTURE.index(joint)] = own[place]
    spine, hip, thorax = CAPTURE.indices("spine", "hip", "thorax")
    if not seen[spine]:
        joints[:, spine] = (joints[:, hip] + joints[:, thorax]) / 2
    # Other joints stand in at the joint they hang on, so that the bones of those that are seen stay as they are.
    for joint in CAPTURE.order:
        if np.isnan(joints[:, joint]).any():
            joints[:, joint] = joints[:, CAPTURE.parent_indices[joint]]
    turns = np.broadcast_to(np.eye(3, dtype=np.float32), (len(joints), 2, 3, 3)).copy()
    return DatasetTake(recording.name, recording.fps, joints.astype(np.float32), turns, seen)


def load_human36m(path_3d: Path, path_2d: Path | None = None, *, split: str) -> list[Recording]:
    """Human3.6M's recordings of "train" (S1 S5 S6 S7 S8) or "test" (S9 S11).

    path_3d: data_3d_h36m.npz, of 32 or 17 joints; path_2d: data_2d_h36m_<detector>.npz. Raises MotionError.
    """
    found = _positions(path_3d, HUMAN36M_SUBJECTS[split])
    cameras = _cameras("human36m")
    recordings = []
    for (subject, action), positions in found.items():
        if positions.shape[1] not in (len(H36M_17), 32):
            raise MotionError(f"{subject} {action} has {positions.shape[1]} joints, not 32.", hint=_HINT)
        joints = positions if positions.shape[1] == len(H36M_17) else positions[:, _OF_32]
        recordings.append(Recording(subject, action, _HUMAN36M_FPS, joints, cameras[subject]))
    return recordings if path_2d is None else _with_keypoints(recordings, path_2d)


def load_humaneva(
    path_3d: Path, path_2d: Path | None = None, *, split: str, actions: tuple[str, ...] = HUMANEVA_ACTIONS
) -> list[Recording]:
    """HumanEva's recordings (S1 to S3, cut at gaps of the capture) of "train" or "test" (its validation part).

    path_3d: data_3d_humaneva15.npz; path_2d: data_2d_humaneva15_<detector>.npz. Raises MotionError.
    """
    found = _positions(path_3d, HUMANEVA_SUBJECTS[split])
    cameras = _cameras("humaneva")
    recordings = []
    for (subject, action), positions in found.items():
        if not action.startswith(actions):
            continue
        if positions.shape[1] != len(_HUMANEVA_15):
            raise MotionError(f"{subject} {action} has {positions.shape[1]} joints, not 15.", hint=_HINT)
        joints = _rearranged(positions, _HUMANEVA_15, H36M_17)
        recordings.append(Recording(subject, action, _HUMANEVA_FPS, joints, cameras[subject.split("/")[1]]))
    return recordings if path_2d is None else _with_keypoints(recordings, path_2d)


def _rearranged(points: np.ndarray, joints: tuple[str, ...], skeleton: Skeleton) -> np.ndarray:
    """(T, K, D) in a skeleton's order, NaN where it has joints that `joints` lacks."""
    arranged = np.full((len(points), len(skeleton), points.shape[2]), np.nan, dtype=points.dtype)
    for place, joint in enumerate(joints):
        arranged[:, skeleton.index(joint)] = points[:, place]
    return arranged


def _positions(path: Path, subjects: tuple[str, ...]) -> dict[tuple[str, str], np.ndarray]:
    """(T, J, 3) by subject and action."""
    tree = _table(path, "positions_3d")
    found: dict[tuple[str, str], np.ndarray] = {}
    for subject in subjects:
        for action, positions in _branch(tree, subject, path).items():
            if not isinstance(positions, np.ndarray) or positions.ndim != 3 or positions.shape[2] != 3:
                raise MotionError(f"{path.name}: {subject} {action} is not (T, J, 3).", hint=_HINT)
            found[subject, str(action)] = positions.astype(np.float32)
    return found


def _with_keypoints(recordings: list[Recording], path: Path) -> list[Recording]:
    tree, metadata = _table(path, "positions_2d"), _table(path, "metadata")
    joints = _LAYOUTS.get(str(metadata.get("layout_name")))
    if joints is None or metadata.get("num_joints") != len(joints):
        raise MotionError(
            f"{path.name} has keypoints of the layout {metadata.get('layout_name')!r}.",
            hint=f"Known are {', '.join(_LAYOUTS)}.",
        )
    seen = []
    for one in recordings:
        cameras = _branch(tree, one.subject, path).get(one.action)
        frames = len(one.joints_world)
        if not isinstance(cameras, list | tuple | np.ndarray) or len(cameras) != len(one.cameras):
            raise MotionError(f"{path.name} lacks {one.name} of {len(one.cameras)} cameras.", hint=_HINT)
        for keypoints in cameras:
            if not isinstance(keypoints, np.ndarray) or keypoints.ndim != 3 or keypoints.shape[1] != len(joints):
                raise MotionError(f"{path.name}: {one.name} is not (T, {len(joints)}, 2).", hint=_HINT)
            # Videos may be longer than the capture, never shorter.
            if len(keypoints) < frames:
                raise MotionError(f"{path.name}: {one.name} has fewer frames than the capture.", hint=_HINT)
        points = tuple(np.asarray(keypoints[:frames, :, :2], dtype=np.float32) for keypoints in cameras)
        seen.append(Recording(one.subject, one.action, one.fps, one.joints_world, one.cameras, points, joints))
    return seen


def _branch(tree: dict[str, Any], subject: str, path: Path) -> dict[str, Any]:
    actions = tree.get(subject)
    if not isinstance(actions, dict):
        raise MotionError(f"{path.name} lacks subject {subject}.", hint=_HINT)
    return actions


class _ArraysOnly(pickle.Unpickler):
    """Builds numpy arrays and Python's own containers, nothing else."""

    _ALLOWED = frozenset(
        {
            *(("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")),
            *(("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar")),
            ("numpy._core.numeric", "_frombuffer"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        # numpy 2 moved its inner modules; files of before name the old place.
        module = module.replace("numpy.core", "numpy._core")
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return super().find_class(module, name)


def _table(path: Path, key: str) -> dict[str, Any]:
    """A dict stored in an .npz. Raises MotionError.

    VideoPose3D keeps dicts of arrays as pickles, which np.load only reads by running whatever they say. These come
    from anywhere, so the pickle is read here by hand, and may hold nothing but arrays.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as stored:
            value = _unpickled(stored)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise MotionError(f"{path.name} has no readable {key}.", hint=_HINT) from error
    if not isinstance(value, dict):
        raise MotionError(f"{path.name}: {key} is not a table of subjects.", hint=_HINT)
    return value


def _unpickled(stored: IO[bytes]) -> Any:
    version = np.lib.format.read_magic(stored)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stored)
    if shape != () or dtype != np.dtype(object):
        raise ValueError("not a single object")
    # latin1: numpy arrays written by Python 2.
    value = _ArraysOnly(stored, encoding="latin1").load()
    return value.item() if isinstance(value, np.ndarray) else value


def _cameras(dataset: str) -> dict[str, tuple[DatasetCamera, ...]]:
    """The calibrated cameras by subject."""
    known = json.loads(Path(__file__).with_name("dataset_cameras.json").read_text())[dataset]
    return {
        subject: tuple(_camera(lens, place) for lens, place in zip(known["lenses"], places, strict=True))
        for subject, places in known["places"].items()
    }


def _camera(lens: dict[str, Any], place: dict[str, Any]) -> DatasetCamera:
    width_px, height_px = lens["image_wh_px"]
    quaternion = np.array(place["quaternion"])
    matrix = distortion = None
    if "focal_px" in lens:
        (fx, fy), (cx, cy) = lens["focal_px"], lens["centre_px"]
        matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
        distortion = np.array([*lens["k"][:2], *lens["p"], lens["k"][2]])
    return DatasetCamera(
        lens["name"],
        (width_px, height_px),
        quat_to_matrix(quaternion / np.linalg.norm(quaternion)).T,
        np.array(place["position_mm"]) / 1000.0,
        matrix,
        distortion,
    )
