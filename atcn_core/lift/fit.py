"""The lifted pose brought onto the picture: what network, picture and bones of one length say, weighed over the clip.

A network answers each frame for itself and for bodies in general. Over a whole clip more is known: one person's bones
do not change, and every seen joint lies on its ray. This finds the most likely motion (maximum a posteriori) by
Gauss-Newton with

* every joint near its ray, as near as the 2D is good, outliers weighed down (Geman-McClure),
* every bone near the network's, which errs more along the line of sight than across (`BONE_ERRORS_M`), and whose error
  changes slowly: so the fit takes over the network's calm, not the picture's jitter,
* every bone at one length, left as right, which is itself unknown and starts as the network has it.

The unknowns of a frame meet those of the next one only, so that a pass is one banded Cholesky factorisation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.linalg import cho_solve_banded, cholesky_banded

from ..clip import Keypoints2D
from ..frames import Intrinsics, px_to_ray
from ..motion.root import constant_limb_lengths, root_path_cam
from ..reporter import Reporter
from ..rotation import normalized
from ..skeleton import CAPTURE
from .normalisation import SEEN, SEEN_FOR_SURE

__all__ = ["BONE_ERRORS_M", "DETECTED_M", "fitted_to_picture"]

# How far a detector's joint lies beside its ray, as a length at the person's distance.
DETECTED_M = 0.03
# The network's error on a bone's vector, across and along the line of sight, by the bone's far joint;
# `python -m atcn_core.evaluate.fit_report` measures them.
BONE_ERRORS_M = {
    "spine": (0.016, 0.024),
    "thorax": (0.016, 0.025),
    "nose": (0.020, 0.019),
    "head": (0.023, 0.027),
    "ear": (0.019, 0.020),
    "shoulder": (0.016, 0.027),
    "elbow": (0.018, 0.049),
    "wrist": (0.020, 0.069),
    "index": (0.011, 0.026),
    "pinky": (0.013, 0.021),
    "hip": (0.006, 0.010),
    "knee": (0.018, 0.056),
    "ankle": (0.023, 0.056),
    "heel": (0.012, 0.012),
    "toe": (0.024, 0.036),
}
# The network's errors are partly those of the 2D it was given, so it is believed the less the better the 2D is; and the
# better the 2D, the rather is a change of the error a movement that the network has missed.
_BELIEF_EXPONENT, _STEP_EXPONENT = 0.5, 0.7
# A network that is unsure answers with bones that are too short. They are brought towards their lengths, by no more
# than this factor, and all the way where the 2D is without error, which alone tells lengths well.
_MOST_STRETCH = 2.0
# Its error's step from frame to frame at 30 a second, as a share of its error across.
_STEP_SHARE, _STEP_S = 1.0 / 3.0, 1.0 / 30.0
# A bone's length from frame to frame, as landmarks are no exact joints; and the network's guess at it, as a share.
_LENGTH_M, _LENGTH_SHARE = 0.008, 0.08
# The root beside where the picture has it: its step in 1/30 s, and as a share of its distance.
_ROOT_STEP_M, _ROOT_SHARE = 0.02, 0.2
# What a joint counts that is guessed rather than seen, and from how many standard errors on one is an outlier.
_GUESSED_WEIGHT, _OUTLIER = 0.3, 2.0
_NEAREST_M, _SHORTEST_M = 0.3, 0.005
_PASSES, _SETTLED_M = 8, 0.003
# What the fit changes varies slowly, so that frames closer than this take it from their neighbours.
_SPACING_S = 1.0 / 15.0
# Longer clips are done in pieces that overlap, or a minute would take hundreds of megabytes.
_PIECE, _OVERLAP = 300, 40


def _bone_rows() -> np.ndarray:
    rows = np.zeros((len(CAPTURE.bones), len(CAPTURE)))
    for row, (parent, child) in zip(rows, CAPTURE.bones, strict=True):
        row[child], row[parent] = 1.0, -1.0
    return rows


def _length_of_bone() -> np.ndarray:
    """(B,): the number of each bone's length; a bone and its twin share one."""
    children = [child for _, child in CAPTURE.bones]
    first = [min(child, CAPTURE.mirror[child]) for child in children]
    return np.unique(first, return_inverse=True)[1]


_BONES = _bone_rows()  # (B, J): bone vectors are _BONES @ joints
_LENGTHS = _length_of_bone()
_SAME_LENGTH = np.eye(_LENGTHS.max() + 1)[_LENGTHS]  # (B, L)
_ERRORS_M = np.array([BONE_ERRORS_M[CAPTURE.joints[child].rpartition("_")[2]] for _, child in CAPTURE.bones])
_J, _N = len(CAPTURE), 3 * len(CAPTURE)


@dataclass(frozen=True)
class _Piece:
    """A stretch of the clip with what does not change from pass to pass, and the joints as they are fitted so far.

    joints: (T, J, 3) metres in `cam`; bones: (T, B, 3) the network's; root: (T, 3) as the picture has it.
    slopes: (T, J, 2); weight: (T, J) 1/m^2, 0 where not seen; picture_m: the 2D's error.
    prior: (B, T, 3, 3) 1/m^2, how sure the network's bones are; step: (B,) 1/m^2, how sure it is that their error does
    not change in 1/30 s; steady: (T - 1,) how many steps between two frames would fill 1/30 s.
    """

    joints: np.ndarray
    bones: np.ndarray
    root: np.ndarray
    slopes: np.ndarray
    weight: np.ndarray
    picture_m: float
    prior: np.ndarray
    step: np.ndarray
    steady: np.ndarray


def fitted_to_picture(
    lifted_cam: np.ndarray,
    keypoints: Keypoints2D,
    camera: Intrinsics,
    picture_m: float = DETECTED_M,
    reporter: Reporter | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The motion that agrees best with the network, the picture and bones of constant length.

    lifted_cam: (T, J, 3) metres about the hip, as lifted; keypoints: in the capture set, what was lifted; picture_m:
    how far its joints lie beside the true ones, standard error as a length at the person's distance.
    Returns the joints about the hip, bones of constant length, and the hip's place before the camera, (T, J, 3) and
    (T, 3) metres in `cam`, float64. Raises CancelledError.
    """
    joints_cam, root_cam = _placed(lifted_cam.astype(np.float64), keypoints, camera)
    if len(joints_cam) < 2:
        return joints_cam, root_cam
    some = _some_frames(keypoints.times_s)
    whole = _prepared(joints_cam, root_cam, keypoints, camera, picture_m, some)
    change = _most_likely(whole, reporter or Reporter()) - joints_cam[some]
    change = make_interp_spline(keypoints.times_s[some], change, k=min(3, len(some) - 1))(keypoints.times_s)
    return _placed(joints_cam + change, keypoints, camera)


def _some_frames(times_s: np.ndarray) -> np.ndarray:
    """The frames that are fitted: not much closer than _SPACING_S, the first and the last among them."""
    every = max(round(_SPACING_S / max(float(np.median(np.diff(times_s))), 1e-6)), 1)
    return np.unique(np.append(np.arange(0, len(times_s), every), len(times_s) - 1))


def _placed(joints_cam: np.ndarray, keypoints: Keypoints2D, camera: Intrinsics) -> tuple[np.ndarray, np.ndarray]:
    joints_cam = constant_limb_lengths(joints_cam, keypoints.skeleton, keypoints.score)
    return joints_cam, root_path_cam(joints_cam, keypoints.xy_px, keypoints.score, camera, keypoints.times_s)


def _most_likely(whole: _Piece, reporter: Reporter) -> np.ndarray:
    """The joints (T, J, 3) about the hip that are likeliest."""
    spans = _spans(len(whole.joints))
    parts = [_cut(whole, span) for span in spans]
    bones_m = np.maximum(np.linalg.norm(whole.bones, axis=2).mean(axis=0), _SHORTEST_M)
    start_m = _SAME_LENGTH.T @ bones_m / _SAME_LENGTH.sum(axis=0)
    lengths_m = start_m
    for _ in range(_PASSES):
        reporter.check_cancelled()
        parts, lengths_m, moved_m = _pass(parts, lengths_m, start_m)
        if moved_m < _SETTLED_M:
            break
    joints = _joined([part.joints for part in parts], spans)
    # One camera cannot tell a tall person far away from a short one near by, and a network that is unsure answers with
    # bones that are too short. The person's distance is its best guess at the size.
    joints *= np.median(np.linalg.norm(whole.root, axis=1)) / np.median(np.linalg.norm(joints[:, 0], axis=1))
    return joints - joints[:, :1]


def _prepared(
    joints_cam: np.ndarray,
    root_cam: np.ndarray,
    keypoints: Keypoints2D,
    camera: Intrinsics,
    picture_m: float,
    some: np.ndarray,
) -> _Piece:
    """Of the frames `some` (N,)."""
    joints_cam, root_cam = joints_cam[some], root_cam[some]
    xy_px, score = keypoints.xy_px[some], keypoints.score[some]
    seen = (score > SEEN) & np.isfinite(xy_px).all(axis=2)
    sure = np.where(score > SEEN_FOR_SURE, 1.0, _GUESSED_WEIGHT)
    slopes = px_to_ray(np.where(seen[..., None], xy_px, 0.0).astype(np.float64), camera)
    better = DETECTED_M / picture_m
    across_m, along_m = better**_BELIEF_EXPONENT * _ERRORS_M.T
    sight = normalized(root_cam)
    away = np.einsum("ti,tj->tij", sight, sight)
    prior = (across_m**-2)[:, None, None, None] * np.eye(3) + (along_m**-2 - across_m**-2)[:, None, None, None] * away
    return _Piece(
        joints=joints_cam + root_cam[:, None],
        bones=_BONES @ joints_cam,
        root=root_cam,
        slopes=np.where(seen[..., None], slopes, 0.0),
        weight=np.where(seen, sure, 0.0) / picture_m**2,
        picture_m=picture_m,
        prior=prior,
        step=(_STEP_SHARE * better**_STEP_EXPONENT * across_m) ** -2,
        steady=_STEP_S / np.diff(keypoints.times_s[some]),
    )


def _spans(frames: int) -> list[slice]:
    """The pieces that a clip is done in, overlapping."""
    starts = range(0, max(1, frames - _OVERLAP), _PIECE - _OVERLAP)
    return [slice(start, min(start + _PIECE, frames)) for start in starts]


def _cut(whole: _Piece, span: slice) -> _Piece:
    return replace(
        whole,
        joints=whole.joints[span],
        bones=whole.bones[span],
        root=whole.root[span],
        slopes=whole.slopes[span],
        weight=whole.weight[span],
        prior=whole.prior[:, span],
        steady=whole.steady[span.start : span.stop - 1],
    )


def _joined(parts: list[np.ndarray], spans: list[slice]) -> np.ndarray:
    """One array (T, ...) of overlapping parts, faded into each other where they overlap."""
    total, weight = np.zeros((spans[-1].stop, *parts[0].shape[1:])), np.zeros(spans[-1].stop)
    for part, span in zip(parts, spans, strict=True):
        to_edge = np.minimum(np.arange(len(part)), np.arange(len(part))[::-1]) + 1.0
        share = np.minimum(to_edge / _OVERLAP, 1.0)
        total[span] += part * share[:, None, None]
        weight[span] += share
    return total / weight[:, None, None]


def _pass(pieces: list[_Piece], lengths_m: np.ndarray, start_m: np.ndarray) -> tuple[list[_Piece], np.ndarray, float]:
    """One Gauss-Newton step of all pieces and of the lengths they share. Returns also how far the joints moved (RMS).

    The lengths are what is left when each piece's joints are eliminated (Schur complement).
    """
    solved = [_eliminated(piece, lengths_m) for piece in pieces]
    loose = (_LENGTH_SHARE * start_m) ** -2
    matrix = np.diag(loose) + sum(part[1] for part in solved)
    change_m = np.linalg.solve(matrix, (start_m - lengths_m) * loose + sum(part[2] for part in solved))
    moves = [(answer[:, 0] - answer[:, 1:] @ change_m).reshape(-1, _J, 3) for answer, _, _ in solved]
    moved = [replace(piece, joints=piece.joints + move) for piece, move in zip(pieces, moves, strict=True)]
    moved_m = float(np.sqrt(np.mean(np.concatenate(moves) ** 2)))
    return moved, lengths_m + change_m, moved_m


def _eliminated(piece: _Piece, lengths_m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The joints' step (3JT, 1 + L): by itself, and by a change of each length; and what they leave to the lengths."""
    frames = len(piece.joints)
    piece = replace(piece, bones=_stretched(piece, lengths_m))
    matrix = np.zeros((frames, _J, 3, _J, 3))
    right = np.zeros((frames, _J, 3))
    _add_rays(piece, matrix, right)
    _add_network(piece, matrix, right)
    beside = _add_steps(piece, matrix, right)
    _add_root(piece, matrix, right)
    matrix, right = matrix.reshape(frames, _N, _N), right.reshape(frames, _N)
    rows, too_long_m = _add_lengths(piece, lengths_m, matrix, right)
    sure = _LENGTH_M**-2
    coupling = -sure * np.einsum("tbn,bl->tnl", rows, _SAME_LENGTH).reshape(-1, _SAME_LENGTH.shape[1])
    factor = cholesky_banded(_banded(matrix, beside), overwrite_ab=True, lower=True, check_finite=False)
    known = np.concatenate([right.reshape(-1, 1), coupling], axis=1)
    answer = cho_solve_banded((factor, True), known, check_finite=False)
    own = np.diag(sure * frames * _SAME_LENGTH.sum(axis=0))
    asked = sure * _SAME_LENGTH.T @ too_long_m.sum(axis=0)
    left = own - coupling.T @ answer[:, 1:], asked - coupling.T @ answer[:, 0]
    # All pieces' answers wait for the lengths' change; a step need not be told to more than seven digits.
    return answer.astype(np.float32), *left


def _stretched(piece: _Piece, lengths_m: np.ndarray) -> np.ndarray:
    """The network's bones (T, B, 3) nearer to what their lengths (L,) are found to be."""
    share = 1.0 - piece.picture_m / DETECTED_M
    if share <= 0.0:
        return piece.bones
    now_m = np.maximum(np.linalg.norm(piece.bones, axis=2), _SHORTEST_M)
    factor = np.clip(lengths_m[_LENGTHS] / now_m, 1.0 / _MOST_STRETCH, _MOST_STRETCH)
    return piece.bones * (factor**share)[..., None]


def _add_rays(piece: _Piece, matrix: np.ndarray, right: np.ndarray) -> None:
    """A joint (X, Y, Z) on the ray of slopes x, y: x Z - X = 0 and y Z - Y = 0, both lengths at the joint's depth."""
    joints = np.arange(_J)
    beside_m = piece.slopes * piece.joints[..., 2:] - piece.joints[..., :2]
    outlying = np.linalg.norm(beside_m, axis=2) / (_OUTLIER * piece.picture_m)
    weight = piece.weight / (1.0 + outlying**2)
    x, y = np.moveaxis(piece.slopes, -1, 0)
    for axis, slope in ((0, x), (1, y)):
        matrix[:, joints, axis, joints, axis] += weight
        matrix[:, joints, axis, joints, 2] -= weight * slope
        matrix[:, joints, 2, joints, axis] -= weight * slope
        matrix[:, joints, 2, joints, 2] += weight * slope**2
        right[..., axis] += weight * beside_m[..., axis]
        right[..., 2] -= weight * slope * beside_m[..., axis]


def _add_network(piece: _Piece, matrix: np.ndarray, right: np.ndarray) -> None:
    """Bones near the network's."""
    off = _BONES @ piece.joints - piece.bones
    for bone, (parent, child) in enumerate(CAPTURE.bones):
        sure = piece.prior[bone]
        for joint, other in ((parent, child), (child, parent)):
            matrix[:, joint, :, joint, :] += sure
            matrix[:, joint, :, other, :] -= sure
        pull = np.einsum("tij,tj->ti", sure, off[:, bone])
        right[:, child] -= pull
        right[:, parent] += pull


def _add_steps(piece: _Piece, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """What the bones and the root are off may change little from frame to frame.

    Returns the blocks (T - 1, 3J, 3J) of each frame with the one before it.
    """
    binding = _BONES.T @ (piece.step[:, None] * _BONES)
    binding[0, 0] += _ROOT_STEP_M**-2
    off = np.concatenate([_BONES @ piece.joints - piece.bones, (piece.joints[:, 0] - piece.root)[:, None]], axis=1)
    sure = np.append(piece.step, _ROOT_STEP_M**-2)[:, None]
    pull = piece.steady[:, None, None] * sure * np.diff(off, axis=0)
    rows = np.concatenate([_BONES, np.eye(_J)[:1]])
    pull = rows.T @ pull
    right[:-1] += pull
    right[1:] -= pull
    often = np.zeros(len(piece.joints))
    often[:-1] += piece.steady
    often[1:] += piece.steady
    for axis in range(3):
        matrix[:, :, axis, :, axis] += often[:, None, None] * binding
    one = np.einsum("jk,il->jikl", binding, np.eye(3)).reshape(_N, _N)
    return -piece.steady[:, None, None] * one


def _add_root(piece: _Piece, matrix: np.ndarray, right: np.ndarray) -> None:
    """The root not far from where it was found; it is what holds stretches in which nothing is seen."""
    sure = (_ROOT_SHARE * np.maximum(np.linalg.norm(piece.root, axis=1), _NEAREST_M)) ** -2
    matrix[:, 0, range(3), 0, range(3)] += sure[:, None]
    right[:, 0] -= sure[:, None] * (piece.joints[:, 0] - piece.root)


def _add_lengths(
    piece: _Piece, lengths_m: np.ndarray, matrix: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bones of the lengths. Returns a length's change by the joints' (T, B, 3J), and how much too long bones are."""
    bones = _BONES @ piece.joints
    now_m = np.linalg.norm(bones, axis=2)
    along = bones / np.maximum(now_m, 1e-6)[..., None]
    rows = (_BONES[:, :, None] * along[:, :, None, :]).reshape(len(bones), -1, _N)
    too_long_m = now_m - lengths_m[_LENGTHS]
    matrix += _LENGTH_M**-2 * (rows.transpose(0, 2, 1) @ rows)
    right -= _LENGTH_M**-2 * np.einsum("tbn,tb->tn", rows, too_long_m)
    return rows, too_long_m


def _banded(blocks: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """The block-tridiagonal matrix in LAPACK's lower band form (2N, TN). blocks: (T, N, N); beside: (T - 1, N, N)."""
    frames, size, _ = blocks.shape
    bands = np.zeros((2 * size, frames, size))
    for column in range(size):
        bands[: size - column, :, column] = blocks[:, column:, column].T
        bands[size - column : 2 * size - column, :-1, column] = beside[:, :, column].T
    return bands.reshape(2 * size, frames * size)
