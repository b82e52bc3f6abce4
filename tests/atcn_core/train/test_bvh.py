"""BVH reading against hand-worked forward kinematics, and the takes at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.skeleton import CAPTURE
from atcn_core.train.bvh import read_bvh
from atcn_core.train.mocap import load_split, read_take

MOCAP = Path(__file__).parents[3] / ".." / "shared" / "mocap"
needs_mocap = pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion files are not here")

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 5 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0166667
1 2 3 0 0 0 0 0 0
0 0 0 90 0 0 0 90 0
"""


def test_forward_kinematics_of_two_joints_by_hand(tmp_path: Path) -> None:
    (tmp_path / "arm.bvh").write_text(ARM)
    motion = read_bvh(tmp_path / "arm.bvh")
    assert motion.names == ("Hips", "Arm", "Arm.End")
    assert motion.fps == 60.0
    assert np.allclose(motion.positions[0], [[1, 2, 3], [11, 2, 3], [11, 7, 3]])
    # The hips turn x into y; the arm's own quarter turn about its x then takes the tip out of the plane.
    assert np.allclose(motion.positions[1], [[0, 0, 0], [0, 10, 0], [0, 10, 5]])


@pytest.mark.parametrize("text", ["", "HIERARCHY\nMOTION\n", ARM[:-8], "not motion at all"])
def test_an_incomplete_file_is_told_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.bvh").write_text(text)
    with pytest.raises(MotionError, match=r"bad\.bvh"):
        read_bvh(tmp_path / "bad.bvh")


def test_a_skeleton_of_other_names_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "arm.bvh").write_text(ARM)
    with pytest.raises(MotionError, match="lacks the joint"):
        read_take(tmp_path / "arm.bvh")


def test_a_folder_without_a_split_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r"splits\.json"):
        load_split(tmp_path, "train")


@needs_mocap
@pytest.mark.parametrize("name", ["cmuasf_02_01", "cmudaz_salsa_01a", "cmuiclone_006_01", "fair1_dab_01", "m2m_bow_01"])
def test_every_source_is_a_person_upright_in_the_world(name: str) -> None:
    take = read_take(MOCAP / f"{name}.bvh")
    joints = take.joints_world

    def at(joint: str) -> np.ndarray:
        return joints[:, CAPTURE.index(joint)]

    assert (at("head")[..., 2] > at("hip")[..., 2]).mean() > 0.9
    shin_m = np.linalg.norm(at("left_ankle") - at("left_knee"), axis=-1)
    assert 0.36 < np.median(shin_m) < 0.52
    assert shin_m.std() < 1e-3
    # The left side is where the front (the nose) and up say it is.
    front = at("nose") - (at("left_ear") + at("right_ear")) / 2
    up = at("head") - at("thorax")
    leftwards = np.cross(up, front)
    assert (np.sum(leftwards * (at("left_ear") - at("right_ear")), axis=-1) > 0).all()
