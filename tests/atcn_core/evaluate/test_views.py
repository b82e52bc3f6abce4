"""Virtual cameras: what they see must be what stands before them, and noise of the size that was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.evaluate.protocols import p2_mm
from atcn_core.evaluate.takes import KnownTake, load_takes
from atcn_core.evaluate.views import (
    PICTURE_WH_PX,
    disturbed,
    lift_and_fit_views,
    lift_views,
    make_views,
    typical_height_px,
)
from atcn_core.motion.stature import stature_m
from atcn_core.skeleton import CAPTURE, H36M_17

from .people import small_atcn, walking, write_positions


@pytest.fixture
def take(tmp_path: Path) -> KnownTake:
    return load_takes([write_positions(tmp_path / "p.npz", walking(120))])[0]


def test_all_of_a_take_is_in_every_picture_upright(take: KnownTake) -> None:
    for view in make_views([take], 5):
        seen_px = view.keypoints.xy_px[:, take.shown]
        assert seen_px.min() >= 0
        assert seen_px.max() <= PICTURE_WH_PX[0]
        head, ankle = (view.keypoints.xy_px[:, CAPTURE.index(joint), 1] for joint in ("head", "left_ankle"))
        assert (head < ankle).all()


def test_a_camera_moves_the_person_rigidly_and_without_mirroring(take: KnownTake) -> None:
    joints = CAPTURE.indices(*H36M_17.joints)
    world = take.joints_world[:, joints].reshape(-1, 3)
    for view in make_views([take], 3):
        cam = view.joints_cam[:, joints].reshape(-1, 3)
        affine, *_ = np.linalg.lstsq(np.c_[world, np.ones(len(world))], cam, rcond=None)
        rotation = affine[:3].T
        assert np.allclose(np.c_[world, np.ones(len(world))] @ affine, cam, atol=1e-9)
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_cameras_stand_around_the_person_at_even_angles_and_always_the_same(take: KnownTake) -> None:
    first, again = make_views([take], 4), make_views([take], 4)
    across = CAPTURE.indices("left_hip", "right_hip")
    angles = []
    for view, twin in zip(first, again, strict=True):
        assert np.array_equal(view.joints_cam, twin.joints_cam, equal_nan=True)
        left, right = view.joints_cam[0, across]
        angles.append(np.arctan2((left - right)[2], (left - right)[0]))
    turns = np.diff(np.unwrap(angles))
    assert np.allclose(np.abs(turns), np.pi / 2, atol=0.1)


def test_noise_and_gaps_have_the_size_asked_for_and_grow_alike(take: KnownTake) -> None:
    keypoints = make_views([take], 1)[0].keypoints
    shown = keypoints.score > 0
    small, large = (disturbed(keypoints, px, 0.0, 7) for px in (5.0, 20.0))
    off = [(noisy.xy_px - keypoints.xy_px)[shown] for noisy in (small, large)]
    assert off[0].std() == pytest.approx(5.0, rel=0.05)
    assert np.allclose(4 * off[0], off[1], atol=1e-2)
    gaps = disturbed(keypoints, 0.0, 0.1, 7)
    lost = (gaps.score == 0)[shown].mean()
    assert lost == pytest.approx(0.1, abs=0.02)
    assert np.isnan(gaps.xy_px[gaps.score == 0]).all()


def test_lifted_views_are_about_the_hip_in_millimetres_in_the_pictures_axes(take: KnownTake) -> None:
    views = make_views([take], 2)
    for lifted, view in zip(lift_views(small_atcn(), views), views, strict=True):
        assert lifted.predicted_mm.shape == lifted.true_mm.shape == (len(view.joints_cam), 17, 3)
        assert np.abs(lifted.predicted_mm[:, 0]).max() == 0
        head = view.joints_cam[:, CAPTURE.index("head")] - view.joints_cam[:, CAPTURE.index("hip")]
        assert np.allclose(lifted.true_mm[:, H36M_17.index("head")], 1000 * head)


def test_a_given_height_changes_the_size_of_what_is_fitted_and_nothing_else(take: KnownTake) -> None:
    views = make_views([take], 2)
    answers = lift_and_fit_views(small_atcn(), views)
    for bare, again in zip(answers[""], lift_views(small_atcn(), views), strict=True):
        assert np.array_equal(bare.predicted_mm, again.predicted_mm)
    fitted, tall = answers["fitted"], answers["fitted, height given"]
    assert p2_mm(fitted) < 0.9 * p2_mm(answers[""])  # a network with random weights, but the picture is exact
    for one, other in zip(fitted, tall, strict=True):
        scale = other.predicted_mm[:, 1:] / one.predicted_mm[:, 1:]
        assert np.allclose(scale, scale[0, 0, 0])
        found_m, true_m = (stature_m(mm / 1000, H36M_17) for mm in (other.predicted_mm, other.true_mm))
        assert found_m == pytest.approx(true_m, rel=0.01)


def test_a_person_at_the_usual_distance_is_as_tall_as_in_the_papers_data(tmp_path: Path) -> None:
    standing = load_takes([write_positions(tmp_path / "p.npz", np.repeat(walking(1), 9, axis=0))])
    assert 330 < typical_height_px(make_views(standing, 2)) < 450
