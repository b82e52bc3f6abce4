"""Reading motion to score on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.evaluate.takes import action_of, load_takes, read_positions, resampled
from atcn_core.skeleton import CAPTURE, H36M_17
from atcn_core.train.mocap import load_split

from .people import walking, write_positions

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"


def test_positions_come_in_by_joint_name_and_other_joints_are_hidden(tmp_path: Path) -> None:
    (take, _) = read_positions(write_positions(tmp_path / "p.npz", walking(), walking(seed=1)))
    for joint in H36M_17.joints:
        assert np.allclose(take.joints_world[:, CAPTURE.index(joint)], walking()[:, H36M_17.index(joint)])
    hidden = [joint for joint, shown in zip(CAPTURE.joints, take.shown, strict=True) if not shown]
    assert set(hidden) == set(CAPTURE.joints) - set(H36M_17.joints)
    assert (take.name, take.action) == ("S9_Walking", "Walking")


@pytest.mark.parametrize("fps", [25.0, 50.0, 60.0, 120.0])
def test_even_motion_stays_even_at_the_trained_rate(fps: float) -> None:
    times_s = np.arange(100) / fps
    line = np.repeat((2.0 * times_s)[:, None, None], 3, axis=2)
    again = resampled(line, fps)
    assert np.allclose(np.diff(again, axis=0), 2.0 / 30.0)
    assert abs(len(again) / 30.0 - len(line) / fps) < 2 / 25.0


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("cmutxt_jumping_t03", "jumping"),
        ("cmudaz_salsa_01a", "salsa"),
        ("cmuasf_03_01", "cmuasf 03"),
        ("S9/Walking 1", "Walking"),
        ("S11_WalkDog.54138969", "WalkDog"),
        ("Walking 1", "Walking"),
    ],
)
def test_the_action_is_in_the_name(name: str, action: str) -> None:
    assert action_of(name) == action


def test_only_the_start_of_each_take_is_scored_where_that_is_asked(tmp_path: Path) -> None:
    path = write_positions(tmp_path / "p.npz", walking(90), walking(20))
    assert [len(take.joints_world) for take in load_takes([path], seconds=1.0)] == [30, 20]


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"fps": np.array(30.0)}, "no pos_0"),
        ({"pos_0": np.zeros((5, 17, 3))}, "no pos_0 or no fps"),
        ({"pos_0": np.zeros((5, 16, 3)), "fps": np.array(30.0)}, r"not \(T, 17, 3\)"),
        ({"pos_0": np.full((5, 17, 3), np.nan), "fps": np.array(30.0)}, "finite"),
        ({"pos_0": np.zeros((5, 17, 3)), "fps": np.array(0.0)}, "frames per second"),
        ({"pos_0": np.zeros((2, 17, 3)), "fps": np.array(30.0)}, "no motion"),
    ],
)
def test_wrong_positions_are_told_in_words(arrays: dict, problem: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", **arrays)
    with pytest.raises(MotionError, match=problem):
        load_takes([tmp_path / "p.npz"])


def test_missing_files_and_other_files_are_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "p.npz").write_bytes(b"nothing")
    for path, problem in ((tmp_path / "p.npz", "readable"), (tmp_path / "no.bvh", "no no.bvh")):
        with pytest.raises(MotionError, match=problem):
            load_takes([path])
    (tmp_path / "p.npz").unlink()
    with pytest.raises(MotionError, match="no motion"):
        load_takes([tmp_path])


@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion files are not here")
def test_single_motion_files_are_takes_too() -> None:
    (take,) = load_takes([MOCAP / "m2m_reject_01.bvh"])
    assert take.action == "reject"
    assert not take.shown[CAPTURE.index("spine")]
    assert 0.7 < np.median(take.joints_world[:, CAPTURE.index("hip"), 2]) < 1.2


@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion files are not here")
def test_a_folders_held_out_files_are_scored_and_no_trained_ones(tmp_path: Path) -> None:
    for name in ("m2m_reject_01", "m2m_bow_01", "fair1_zombie_01"):
        if (MOCAP / f"{name}.bvh").is_file():
            (tmp_path / f"{name}.bvh").symlink_to(MOCAP / f"{name}.bvh")
    write_positions(tmp_path / "p.npz", walking())
    names = [take.name for take in load_takes([tmp_path])]
    trained = {take.name for take in load_split(tmp_path, "train")}
    assert trained
    assert len(names) > 1
    assert not trained & set(names)
    assert names[-1] == "S9_Walking"
