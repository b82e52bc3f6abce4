"""Errors made of known parts come apart into those parts again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import Keypoints2D
from atcn_core.errors import MotionError
from atcn_core.evaluate.detected import AXES, JOINTS, DetectedClip, Truth2D, compare, load_truth, stature_m
from atcn_core.evaluate.detector_noise import noise_statistics, parts_of, stretches
from atcn_core.evaluate.noise_report import as_markdown, main, proposal
from atcn_core.skeleton import CAPTURE

DATA = Path(__file__).resolve().parents[2] / "data"
FPS = 30.0


@pytest.fixture(scope="module")
def truth() -> Truth2D:
    return load_truth(DATA / "demo_truth.npz")


def wander(random: np.random.Generator, shape: tuple[int, ...], std: float, time_s: float) -> np.ndarray:
    """A first-order process (T, ...) of this standard deviation and time constant."""
    keep = np.exp(-1.0 / FPS / time_s)
    values = np.empty(shape)
    values[0] = random.normal(0.0, std, shape[1:])
    for frame in range(1, shape[0]):
        values[frame] = keep * values[frame - 1] + random.normal(0.0, std * np.sqrt(1.0 - keep**2), shape[1:])
    return values


def found_with(truth: Truth2D, error_px: np.ndarray, score: float = 1.0) -> Keypoints2D:
    frames = len(truth.times_s)
    xy_px = (truth.xy_px + error_px).astype(np.float32)
    return Keypoints2D(
        CAPTURE, truth.times_s, FPS, truth.image_wh_px, xy_px, np.full((frames, len(CAPTURE)), score, np.float32)
    )


def clip_with(truth: Truth2D, error_px: np.ndarray) -> DetectedClip:
    return compare("made", found_with(truth, error_px), truth)


def test_bias_wander_and_jitter_are_told_apart() -> None:
    random = np.random.default_rng(1)
    clips = [
        random.normal(0.0, 0.006, 2)
        + wander(random, (300, 2), 0.009, 0.12)
        + wander(random, (300, 2), 0.005, 1.0)
        + random.normal(0.0, 0.003, (300, 2))
        for _ in range(120)
    ]
    parts = parts_of(clips, FPS)
    assert parts.jitter == pytest.approx(0.003, abs=0.0006)
    assert parts.quick == pytest.approx(0.009, rel=0.2)
    assert parts.quick_s == pytest.approx(0.12, abs=0.05)
    assert np.hypot(parts.slow, parts.bias) == pytest.approx(np.hypot(0.005, 0.006), rel=0.2)
    assert parts.bias == pytest.approx(0.006, rel=0.35)
    assert parts.total == pytest.approx(np.sqrt(6**2 + 9**2 + 5**2 + 3**2) / 1000, rel=0.1)


def test_white_errors_are_all_jitter() -> None:
    random = np.random.default_rng(2)
    parts = parts_of([random.normal(0.0, 0.01, (200, 2)) for _ in range(30)], FPS)
    assert parts.jitter == pytest.approx(0.01, rel=0.05)
    assert max(parts.bias, parts.slow, parts.quick) < 0.002


def test_gaps_do_not_count() -> None:
    random = np.random.default_rng(3)
    values = random.normal(0.0, 0.01, (400, 2))
    values[100:200] = np.nan
    assert parts_of([values], FPS).total == pytest.approx(0.01, rel=0.1)


def test_a_detector_that_trails_by_40_ms_is_found_out(truth: Truth2D) -> None:
    velocity_px = np.gradient(truth.xy_px, truth.times_s, axis=0)
    statistics = noise_statistics([clip_with(truth, -0.04 * velocity_px)])
    for name, group in statistics["groups"].items():
        assert group["lag_s"] == pytest.approx(0.04, abs=1e-3), name


def test_a_point_that_sits_elsewhere_on_the_body_is_an_offset_and_no_bias(truth: Truth2D) -> None:
    clip = clip_with(truth, np.zeros_like(truth.xy_px))
    step = np.array([0.01, -0.02, 0.015])
    error = np.einsum("tjka,k->tja", clip.axes, step)
    moved = DetectedClip(**{**vars(clip), "error": error})
    group = noise_statistics([moved])["groups"]["toe"]
    assert list(group["offset"]) == list(AXES["toe"])
    assert list(group["offset"].values()) == pytest.approx(step.tolist(), abs=1e-4)
    assert group["total"] < 1e-4


def test_axes_follow_the_person(truth: Truth2D) -> None:
    clip = clip_with(truth, np.zeros_like(truth.xy_px))
    upright = clip.axes[-1]  # at the end the person stands upright and faces the camera
    up = upright[CAPTURE.index("left_hip"), AXES["hip"].index("up")]
    assert up[1] < -0.95
    for side, towards in (("left", 1.0), ("right", -1.0)):
        for joint in ("hip", "knee", "ear", "toe"):
            outward = upright[CAPTURE.index(f"{side}_{joint}"), AXES[joint].index("outward")]
            assert outward[0] * towards > 0.9, (side, joint)
    assert upright[CAPTURE.index("nose"), AXES["nose"].index("up")][1] < -0.9


def test_swapped_legs_are_counted_and_set_aside(truth: Truth2D) -> None:
    error_px = np.zeros_like(truth.xy_px)
    swap = slice(90, 100)  # the legs stand apart there
    twins = list(CAPTURE.mirror)
    legs = CAPTURE.indices(*(f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle", "heel", "toe")))
    error_px[swap, legs] = (truth.xy_px[:, twins] - truth.xy_px)[swap, legs]
    statistics = noise_statistics([clip_with(truth, error_px)])
    assert statistics["swaps"]["legs"]["longest_frames"] == 10
    assert statistics["swaps"]["arms"]["share"] == 0
    assert statistics["groups"]["ankle"]["total"] < 1e-4


def test_gross_errors_are_counted_and_set_aside(truth: Truth2D) -> None:
    error_px = np.zeros_like(truth.xy_px)
    error_px[20:26, CAPTURE.index("left_wrist"), 0] = 0.2 * truth.height_px[20:26]
    group = noise_statistics([clip_with(truth, error_px)])["groups"]["wrist"]
    assert group["gross"]["share"] == pytest.approx(6 / (2 * len(truth.times_s)))
    assert group["gross"]["median_frames"] == 6
    assert group["gross_size"] == pytest.approx(0.2, abs=1e-4)
    assert group["total"] < 1e-4


def test_stretches_are_the_runs() -> None:
    assert stretches(np.array([1, 1, 0, 0, 1, 0, 1], bool)).tolist() == [2, 1, 1]
    assert stretches(np.zeros(4, bool)).tolist() == []


def test_the_demo_avatar_is_as_tall_as_it_was_built(truth: Truth2D) -> None:
    assert stature_m(truth.joints_cam) == pytest.approx(1.68, rel=0.02)


def test_film_and_truth_must_be_of_one_length(truth: Truth2D) -> None:
    found = found_with(truth, np.zeros_like(truth.xy_px))
    short = Truth2D(truth.times_s[:-1], truth.joints_cam[:-1], truth.xy_px[:-1], truth.focal_px, truth.image_wh_px)
    with pytest.raises(MotionError, match="frames"):
        compare("demo", found, short)


def test_a_file_that_is_no_truth_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x_truth.npz").write_bytes(b"nothing")
    with pytest.raises(MotionError):
        load_truth(tmp_path / "x_truth.npz")


def test_a_folder_without_films_is_an_error_and_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", str(tmp_path)]) == 2
    assert "Error:" in capsys.readouterr().err


def test_the_report_names_every_joint_and_the_detector_is_good_on_the_demo(tmp_path: Path) -> None:
    out = tmp_path / "noise.md"
    assert main(["--clips", str(DATA), "--sensor-noise", "4", "--markdown", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert all(f"| {joint.split('_')[-1]} |" in text for joint in JOINTS)
    assert "| demo | 140 |" in text


def test_the_proposal_holds_the_groups_against_each_other(truth: Truth2D) -> None:
    random = np.random.default_rng(4)
    error_px = random.normal(0.0, 1.0, truth.xy_px.shape)
    toes = CAPTURE.indices("left_toe", "right_toe")
    error_px[:, toes] *= 3.0
    statistics = noise_statistics([clip_with(truth, error_px)])
    factors = proposal(statistics)["factors"]
    assert factors["toe"] == pytest.approx(3.0, rel=0.15)
    assert factors["hip"] == pytest.approx(1.0, rel=0.15)
    assert "toe" in as_markdown({"as_found": statistics, "enhanced": statistics})
