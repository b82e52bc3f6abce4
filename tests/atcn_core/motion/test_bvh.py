"""BVH reading against hand-worked forward kinematics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.motion.bvh import read_bvh, read_bvh_skeleton, z_up_to_y_up

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


def test_the_skeleton_at_rest_is_that_of_the_offsets_whatever_the_motion_does(tmp_path: Path) -> None:
    (tmp_path / "arm.bvh").write_text(ARM.replace("OFFSET 0 0 0", "OFFSET 0 90 0"))
    skeleton, motion = read_bvh_skeleton(tmp_path / "arm.bvh")
    assert skeleton.names == motion.names
    assert skeleton.parents == (-1, 0, 1)
    assert np.allclose(skeleton.heads, [[0, 90, 0], [10, 90, 0], [10, 95, 0]])


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "ZXZ", "YZ", "X"])
def test_rotation_channels_apply_in_the_order_written(tmp_path: Path, order: str) -> None:
    angles_deg = dict(zip("XYZ", (20.0, -50.0, 110.0), strict=True))
    channels = " ".join(f"{axis}rotation" for axis in order)
    values = " ".join(str(angles_deg[axis]) for axis in order)
    (tmp_path / "one.bvh").write_text(
        f"HIERARCHY\nROOT Only One{{\nOFFSET 1 2 3\nCHANNELS {len(order)} {channels}\nEnd Site\n"
        f"{{ OFFSET 1 0 2 }}}}\nMOTION\n\nFrames: 1\nFrame Time: 0.04\n{values}\n\n"
    )
    motion = read_bvh(tmp_path / "one.bvh")
    expected = np.eye(3)
    for axis in order:
        turn = np.eye(3)
        angle = np.deg2rad(angles_deg[axis])
        i, j = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[j, i], turn[i, j] = np.sin(angle), -np.sin(angle)
        expected = expected @ turn
    assert motion.names == ("Only One", "Only One.End")
    # No position channels: the offset holds.
    assert np.allclose(motion.positions[0], [[1, 2, 3], np.array([1, 2, 3]) + expected @ [1, 0, 2]])


def test_position_channels_of_any_joint_stand_in_for_its_offset(tmp_path: Path) -> None:
    moving = ARM.replace("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 2 Yposition Xrotation")
    moving = moving[: moving.index("1 2 3 0")] + "1 2 3 0 0 0 4 0\n0 0 0 0 0 0 0 90\n"
    (tmp_path / "arm.bvh").write_text(moving)
    motion = read_bvh(tmp_path / "arm.bvh")
    assert np.allclose(motion.positions[0], [[1, 2, 3], [11, 6, 3], [11, 11, 3]])
    assert np.allclose(motion.positions[1], [[0, 0, 0], [10, 0, 0], [10, 0, 5]])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HIERARCHY\nMOTION\n",
        ARM[:-8],
        "not motion at all",
        ARM.replace("Zrotation", "Zscale"),
        ARM.replace("0.0166667", "0"),
        ARM.replace("90 0 0", "nan 0 0"),
        ARM.replace("}\nMOTION", "MOTION"),
    ],
)
def test_an_incomplete_file_is_told_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.bvh").write_text(text)
    with pytest.raises(MotionError, match=r"bad\.bvh"):
        read_bvh(tmp_path / "bad.bvh")


@pytest.mark.parametrize("order", ["XYZ", "ZXY", "YZX"])
def test_a_file_with_z_up_turned_to_y_up_holds_the_same_motion(tmp_path: Path, order: str) -> None:
    rng = np.random.default_rng(0)
    spins = " ".join(f"{axis}rotation" for axis in order)
    rows = "\n".join(" ".join(f"{value:.4f}" for value in row) for row in rng.normal(scale=60.0, size=(5, 12)))
    text = ARM.replace("Zrotation Xrotation Yrotation", spins).replace("OFFSET 10 0 0", "OFFSET 10 -3 2")
    text = text.replace(f"CHANNELS 3 {spins}", f"CHANNELS 6 Xposition Yposition Zposition {spins}")
    text = text[: text.index("Frames")] + f"Frames: 5\nFrame Time: 0.04\n{rows}\n"
    (tmp_path / "z.bvh").write_text(text)
    (tmp_path / "y.bvh").write_text(z_up_to_y_up(text))
    (at_rest, before), (turned, after) = (read_bvh_skeleton(tmp_path / f"{up}.bvh") for up in "zy")
    y_up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    assert np.allclose(turned.heads, at_rest.heads @ y_up.T)
    assert np.allclose(after.positions, before.positions @ y_up.T)
    assert np.allclose(after.rotations, y_up @ before.rotations @ y_up.T)
    assert (after.names, after.fps) == (before.names, before.fps)
    assert "Xposition Yposition Zposition" in (tmp_path / "y.bvh").read_text()
