"""Real video with measured 3D: the four pose2sim_single cameras, ours beside MediaPipe's own world landmarks."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..clip import Keypoints2D, to_capture
from ..detect.enhance import enhanced
from ..detect.mediapipe import MediapipeDetector
from ..detect.track import track_person
from ..errors import MotionError
from ..frames import Intrinsics, cam_to_px
from ..lift.fit import fitted_to_picture
from ..lift.predict import Lifter
from ..reporter import Reporter
from ..skeleton import CAPTURE, LIMB_12, MEDIAPIPE_33
from .metrics import acceleration_error, inner_angle_deg, mpjpe, p_mpjpe

__all__ = ["score_pose2sim"]

# The points of the true 2D row: the limb joints, and the nose, without which no detector's joints ever come.
_TRUE_POINTS = (*LIMB_12, "nose")
# How far they lie beside the network's joints: they are a detector's, seen by four cameras, and no bone's ends.
_TRIANGULATED_M = 0.012
# A limb that is truly straighter than this is held against what is made of it.
_STRAIGHT_DEG = 160.0


@dataclass(frozen=True)
class _Camera:
    name: str
    cam_from_world: np.ndarray
    translation_m: np.ndarray
    intrinsics: Intrinsics


def _trc_name(joint: str) -> str:
    """The file's name of a joint: "left_elbow" is "LElbow" there, "nose" is "Nose"."""
    side, _, part = joint.rpartition("_")
    return side[:1].upper() + part.capitalize()


def _read_trc(path: Path) -> np.ndarray:
    """(T, 13, 3) metres in the calibration's world (z up), points as _TRUE_POINTS."""
    lines = path.read_text().splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name]
    values = np.array([[float(v) for v in line.split("\t")[2:] if v] for line in lines[5:] if line.strip()])
    points = values.reshape(len(values), -1, 3)[..., [2, 0, 1]]
    return points[:, [names.index(_trc_name(joint)) for joint in _TRUE_POINTS]]


def _read_cameras(path: Path) -> list[_Camera]:
    with path.open("rb") as handle:
        data = tomllib.load(handle)
    return [
        _Camera(
            name,
            Rotation.from_rotvec(entry["rotation"]).as_matrix(),
            np.array(entry["translation"]),
            Intrinsics(entry["matrix"][0][0], (entry["matrix"][0][2], entry["matrix"][1][2])),
        )
        for name, entry in data.items()
        if name.startswith("cam_")
    ]


def _held(points: np.ndarray) -> np.ndarray:
    """Frames without a pose filled straight between their neighbours: every method answers for every frame."""
    seen = np.isfinite(points).all(axis=(1, 2))
    frames = np.arange(len(points))
    filled = points.copy()
    for joint in range(points.shape[1]):
        for axis in range(3):
            filled[:, joint, axis] = np.interp(frames, frames[seen], points[seen, joint, axis])
    return filled


def _scores_mm(points: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """points, true: (T, 12, 3) metres in camera axes. Root: the middle of the hips."""
    hips = [LIMB_12.index("left_hip"), LIMB_12.index("right_hip")]
    points = 1000.0 * (points - points[:, hips].mean(axis=1, keepdims=True))
    true = 1000.0 * (true - true[:, hips].mean(axis=1, keepdims=True))
    return {
        "MPJPE": round(mpjpe(points, true), 1),
        "P-MPJPE": round(p_mpjpe(points, true), 1),
        "accel": round(acceleration_error(points, true), 1),
    }


def _straight_off_deg(points: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """How much too bent (minus) straight knees and elbows come out in the mean. points, true: (T, 12, 3)."""
    off_deg = {}
    for name, limb in (("knees", ("hip", "knee", "ankle")), ("elbows", ("shoulder", "elbow", "wrist"))):
        ends = [[LIMB_12.index(f"{side}_{joint}") for side in ("left", "right")] for joint in limb]
        found, wanted = (inner_angle_deg(*(of[:, end] for end in ends)) for of in (points, true))
        straight = wanted > _STRAIGHT_DEG
        off_deg[f"straight {name} deg"] = round(float((found - wanted)[straight].mean()), 1)
    return off_deg


def _miss_px(keypoints: Keypoints2D, true_px: np.ndarray) -> dict[str, float]:
    """How far the limb joints lie off their true pictures (T, 12, 2), frames without a person left out."""
    found_px = keypoints.xy_px[: len(true_px), keypoints.skeleton.indices(*LIMB_12)]
    miss_px = np.linalg.norm(found_px - true_px, axis=-1)
    return {"2D median px": round(float(np.nanmedian(miss_px)), 1), "2D mean px": round(float(np.nanmean(miss_px)), 1)}


def score_pose2sim(folder: Path, lifter: Lifter) -> list[dict[str, object]]:
    """One row a camera and method, in mm (acceleration mm/frame^2). Raises MotionError where files are missing.

    MediaPipe's own 3D comes as MediaPipe gives it, smoothing and all. Ours is lifted from its landmarks as found
    before that smoothing, from the same put right by `detect.enhance`, and then brought onto the picture by `lift.fit`
    (what a capture does), with the intrinsics assumed for any video, not with the calibration. The true 2D rows show
    what would be made of a perfect detector of these few points, calibration given.
    """
    folder = Path(folder)
    if not (folder / "Pose2Sim_markers.trc").is_file():
        raise MotionError(f"There is no Pose2Sim_markers.trc in {folder}.", hint="Give the pose2sim_single folder.")
    world = _read_trc(folder / "Pose2Sim_markers.trc")
    rows: list[dict[str, object]] = []
    for number, camera in enumerate(_read_cameras(folder / "Pose2Sim_cameras.toml"), start=1):
        true = world @ camera.cam_from_world.T + camera.translation_m
        rows += _score_camera(folder / f"cam{number:02d}.mp4", camera, true, lifter)
    return rows


def _score_camera(video: Path, camera: _Camera, true: np.ndarray, lifter: Lifter) -> list[dict[str, object]]:
    """One camera's rows. true: (T, 13, 3) metres in camera axes, points as _TRUE_POINTS."""
    theirs = track_person(video, MediapipeDetector(world=True, smoothed=True))
    if theirs.world_cam is None:
        raise MotionError("The detector gave no 3D of its own.", hint="Use MediaPipe's pose landmarker.")
    found = track_person(video, MediapipeDetector()).keypoints
    put_right = enhanced(found)
    frames = min(len(true), len(found.times_s))
    perfect = _true_keypoints(true, found, camera.intrinsics)
    assumed = Intrinsics.assumed(found.image_wh_px)
    limbs = CAPTURE.indices(*LIMB_12)
    mediapipe = _held(theirs.world_cam[:, MEDIAPIPE_33.indices(*LIMB_12)])
    true_px = cam_to_px(true[:frames, : len(LIMB_12)], camera.intrinsics)
    rows: list[dict[str, object]] = []
    raw = lifter.lift(to_capture(found), assumed, Reporter())
    lifted = lifter.lift(to_capture(put_right), assumed, Reporter())
    captured, _ = fitted_to_picture(lifted, to_capture(put_right), assumed)
    best = lifter.lift(perfect, camera.intrinsics, Reporter())
    best_fitted, _ = fitted_to_picture(best, perfect, camera.intrinsics, _TRIANGULATED_M)
    for method, keypoints, points in (
        ("MediaPipe world landmarks", theirs.keypoints, mediapipe),
        ("ATCN, MediaPipe 2D as found", found, raw[:, limbs]),
        ("ATCN, MediaPipe 2D enhanced", put_right, lifted[:, limbs]),
        ("ATCN, MediaPipe 2D enhanced, fitted", put_right, captured[:, limbs]),
        ("ATCN, true 2D of 13 points", perfect, best[:, limbs]),
        ("ATCN, true 2D of 13 points, fitted", perfect, best_fitted[:, limbs]),
    ):
        against = points[:frames], true[:frames, : len(LIMB_12)]
        scores = _scores_mm(*against) | _straight_off_deg(*against)
        rows.append({"camera": camera.name, "method": method, **scores, **_miss_px(keypoints, true_px)})
    return rows


def _true_keypoints(true_cam: np.ndarray, like: Keypoints2D, camera: Intrinsics) -> Keypoints2D:
    """The true points' pictures as capture-set keypoints; everything else unseen."""
    frames = min(len(true_cam), len(like.times_s))
    xy_px = np.full((frames, len(CAPTURE), 2), np.nan, dtype=np.float32)
    score = np.zeros((frames, len(CAPTURE)), dtype=np.float32)
    xy_px[:, CAPTURE.indices(*_TRUE_POINTS)] = cam_to_px(true_cam[:frames], camera)
    score[:, CAPTURE.indices(*_TRUE_POINTS)] = 1.0
    return to_capture(Keypoints2D(CAPTURE, like.times_s[:frames], like.fps, like.image_wh_px, xy_px, score))
