"""What is said of a capture in the room: of the truth itself, of known faults, and the command as a whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import load_motion, save_arrays
from atcn_core.errors import MotionError
from atcn_core.evaluate.staged import filmed
from atcn_core.evaluate.world_metrics import true_contacts, world_errors
from atcn_core.evaluate.world_report import kind_of, main, measured
from atcn_core.lift.predict import Lifter
from atcn_core.motion.world import WorldMotion
from atcn_core.rotation import quat_rotate
from atcn_core.skeleton import CAPTURE
from tests.moving_person import UP, about, striding

from .people import walking, write_positions, write_weights

MARKS = ("<!-- figures: world -->", "<!-- end figures -->")
MOCAP = Path(__file__).parents[4] / "shared" / "mocap"
DATA = Path(__file__).parents[2] / "data"


def errors_of(joints_world: np.ndarray, contacts: np.ndarray | None = None) -> dict[str, float]:
    person, standing = striding()
    world = WorldMotion(person.times_s, CAPTURE, joints_world, np.ones(joints_world.shape[:2]))
    return asdict(world_errors(world, standing if contacts is None else contacts, person.joints_world, 0.0))


def test_the_truth_turned_and_shifted_on_the_floor_has_no_error() -> None:
    person, standing = striding()
    moved = quat_rotate(about(UP, 0.8), person.joints_world) + np.array([3.0, -2.0, 0.0])
    found = errors_of(moved, true_contacts(person.joints_world, 30.0))
    assert found["root_cm"] < 1e-6
    assert found["drift_percent"] < 1e-6
    assert found["height_cm"] < 1e-6
    assert found["precision"] == found["recall"] == 100
    assert found["slide_cm_s"] < 4.0  # frames at which a foot lands or leaves
    assert found["jitter"] == pytest.approx(1.0)
    assert np.isnan(found["arms"])  # they do not move
    assert (true_contacts(person.joints_world, 30.0) == standing).mean() > 0.9


def test_each_fault_shows_in_its_own_figure() -> None:
    person, _ = striding()
    true = person.joints_world
    assert errors_of(true + 0.05 * UP)["height_cm"] == pytest.approx(5.0)
    assert errors_of(true - 0.03 * UP)["sink_cm"] > 2.5
    longer = true * [1.0, 1.1, 1.0]
    assert errors_of(longer)["drift_percent"] == pytest.approx(10.0, abs=1.5)
    pushed = true + 0.1 * person.times_s[:, None, None] * [0.0, 1.0, 0.0]
    assert errors_of(pushed)["slide_cm_s"] == pytest.approx(10.0, abs=1.0)
    shaken = true + 0.01 * np.random.default_rng(0).normal(size=true.shape)
    assert errors_of(shaken)["jitter"] > 3.0


def test_takes_are_sorted_by_what_their_names_say() -> None:
    kinds = {"cmutxt_jumping_t02": "jump", "fair1_zombie_01": "walk", "m2m_pushup_01": "floor", "x": "stand"}
    kinds |= {"cmu_running_01": "run", "bruno_m2m_reject_01_320_truth": "stand"}
    assert {name: kind_of(name) for name in kinds} == kinds


@pytest.mark.skipif(not MOCAP.is_dir(), reason="needs the motion beside the repository")
def test_the_command_prints_saves_and_fills_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n")
    weights, _ = write_weights(tmp_path)
    words = ["--motion", str(MOCAP / "m2m_reject_01.bvh"), "--cameras", "1", "--network", str(weights)]
    words += ["--save", str(tmp_path / "clips"), "--into", str(page), "--json", str(tmp_path / "t.json")]
    assert main(words) == 0
    assert [row["motion"] for row in json.loads((tmp_path / "t.json").read_text())] == ["stand", "all"]
    assert page.read_text().startswith(f"before\n{MARKS[0]}\n| motion | clips |")
    assert page.read_text().endswith(f"{MARKS[1]}\nafter\n")
    saved = load_motion(tmp_path / "clips" / "000_stand_m2m_reject_01.motion.npz")
    with np.load(tmp_path / "clips" / "000_stand_m2m_reject_01.truth.npz") as truth:
        assert truth["standing"].shape == (len(saved.times_s), 4)
    assert capsys.readouterr().out.count("|\n") == 4
    assert main([*words, "--smooth", "0"]) == 0
    calm, rough = saved.joints_cam, load_motion(tmp_path / "clips" / "000_stand_m2m_reject_01.motion.npz").joints_cam
    assert np.abs(np.diff(calm, n=2, axis=0)).mean() < np.abs(np.diff(rough, n=2, axis=0)).mean()
    assert main([*words, "--smooth", "7"]) == 2
    page.write_text(page.read_text().replace("world", "smooth"))
    assert main([*words, "--smooth", "0", "1"]) == 0
    rows = json.loads((tmp_path / "t.json").read_text())
    assert [(row["smooth"], row["motion"]) for row in rows] == [(s, m) for s in (0.0, 1.0) for m in ("stand", "all")]
    assert rows[3]["jitter"] < rows[1]["jitter"]
    assert "| smooth | motion |" in page.read_text()


def test_motion_without_hands_and_feet_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion = write_positions(tmp_path / "p.npz", walking(60))
    assert main(["--motion", str(motion)]) == 2
    assert "lacks joints" in capsys.readouterr().err


def test_a_rendered_film_comes_back_as_it_was_acted() -> None:
    staged = filmed(DATA / "demo.mp4", DATA / "demo_truth.npz", Lifter.bundled("cpu"))
    errors = measured(staged)
    assert errors.tilt_deg < 4.0
    assert errors.root_cm < 20.0
    assert errors.height_cm < 15.0
    assert errors.recall > 80.0
    assert errors.precision > 75.0
    assert errors.sink_cm < 1.0
    assert 0.8 < errors.jitter < 1.3
    assert errors.arms > 85.0


def test_a_film_whose_camera_nobody_knows_is_refused(tmp_path: Path) -> None:
    with np.load(DATA / "demo_truth.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    lifter = Lifter.bundled("cpu")
    save_arrays(tmp_path / "blind.npz", {name: arrays[name] for name in arrays if name != "cam_from_world"})
    with pytest.raises(MotionError, match=r"blind.npz does not say how the camera stood"):
        filmed(DATA / "demo.mp4", tmp_path / "blind.npz", lifter)
