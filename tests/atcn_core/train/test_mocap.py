"""Takes of every source are people of human size, whatever names, unit and lost bones their files come with."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.skeleton import CAPTURE
from atcn_core.train.mocap import load_split, read_take

MOCAP = Path(__file__).parents[3] / ".." / "shared" / "mocap"
needs_mocap = pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion files are not here")


def rewritten(name: str, frames: int, change: Callable[[str], str]) -> str:
    """The beginning of a take, its hierarchy changed."""
    head, _, tail = (MOCAP / name).read_text().partition("MOTION")
    lines = tail.strip().splitlines()
    kept = "\n".join([f"Frames: {frames}", lines[1], *lines[2 : 2 + frames]])
    return f"{change(head)}MOTION\n{kept}\n"


def offsets(head: str, factor: Callable[[str], float]) -> str:
    """The hierarchy with every offset times what `factor` says of its joint."""
    out, joint = [], ""
    for line in head.splitlines():
        words = line.split()
        joint = (
            words[1]
            if words and words[0] in ("ROOT", "JOINT")
            else joint + ".End"
            if words == ["End", "Site"]
            else joint
        )
        if words and words[0] == "OFFSET":
            line = "OFFSET " + " ".join(f"{float(word) * factor(joint):.6f}" for word in words[1:])
        out.append(line)
    return "\n".join(out) + "\n"


def in_other_unit(text: str, factor: float) -> str:
    """The file with all its lengths times `factor`, the root's way (its first three values) included."""
    head, _, tail = text.partition("MOTION")
    lines = tail.strip().splitlines()
    frames = [line.split() for line in lines[2:]]
    moved = [" ".join([*(f"{float(v) * factor:.6f}" for v in words[:3]), *words[3:]]) for words in frames]
    return offsets(head, lambda _: factor) + "MOTION\n" + "\n".join([*lines[:2], *moved]) + "\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


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


@needs_mocap
@pytest.mark.parametrize("unit_cm", [0.1, 2.54, 5.6444, 100.0])
def test_the_unit_is_told_by_the_legs(tmp_path: Path, unit_cm: float) -> None:
    text = rewritten("cmuasf_02_01.bvh", 10, lambda head: head)
    known = read_take(write(tmp_path / "cm.bvh", text)).joints_world
    other = write(tmp_path / "other.bvh", in_other_unit(text, 1 / unit_cm))
    assert np.allclose(read_take(other).joints_world, known, atol=2e-4 * max(unit_cm / 10, 1))
    assert np.allclose(read_take(other, unit_cm=2 * unit_cm).joints_world[:, 18], 2 * known[:, 18], atol=2e-2)


@needs_mocap
def test_the_motionbuilder_release_gets_its_lost_bones_back_and_loses_its_t_pose(tmp_path: Path) -> None:
    # A take mended by its own rule, once more as the release has it: in its unit, the bones lost, a T-pose in front.
    def lost(joint: str) -> float:
        return {"Neck": 0.0, "LeftShoulder": 0.0, "RightShoulder": 0.0, "LeftHand": 2 / 3, "RightHand": 2 / 3}.get(
            joint, 1
        )

    name = "cmumisc_131_01.bvh"
    text = in_other_unit(rewritten(name, 40, lambda head: offsets(head, lost)), 1 / 5.64444)
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    t_pose = " ".join("0" for _ in lines[first].split())
    lines[first - 2 : first + 1] = ["Frames: 41", "Frame Time: .0083333", t_pose, lines[first]]
    take = read_take(write(tmp_path / "131" / "131_01.bvh", "\n".join(lines)))
    known = read_take(MOCAP / name).joints_world[:40:2]
    assert take.fps == pytest.approx(60.0)
    assert take.joints_world.shape == known.shape
    assert np.abs(take.joints_world - known).max() < 3e-3


@needs_mocap
def test_the_daz_release_is_read_by_its_own_names(tmp_path: Path) -> None:
    names = {"Hips": "hip", "Spine": "abdomen", "Spine1": "chest", "Neck": "neck", "Head": "head"}
    for side in ("Left", "Right"):
        s = side[0].lower()
        names |= {f"{side}Shoulder": f"{s}Collar", f"{side}Arm": f"{s}Shldr", f"{side}ForeArm": f"{s}ForeArm"}
        names |= {f"{side}Hand": f"{s}Hand", f"{side[0]}HipJoint": f"{s}Buttock", f"{side}UpLeg": f"{s}Thigh"}
        names |= {f"{side}Leg": f"{s}Shin", f"{side}Foot": f"{s}Foot"}
    text = rewritten("cmudaz_salsa_01a.bvh", 20, lambda head: head)
    renamed = re.sub(r"(ROOT|JOINT) (\w+)", lambda m: f"{m[1]} {names.get(m[2], m[2])}", text)
    take = read_take(write(tmp_path / "60_01.bvh", renamed))
    assert "LeftUpLeg" not in renamed
    assert np.array_equal(take.joints_world, read_take(MOCAP / "cmudaz_salsa_01a.bvh").joints_world[:20])


@needs_mocap
def test_a_release_without_a_split_is_split_by_subject_and_always_the_same(tmp_path: Path) -> None:
    text = rewritten("cmuasf_02_01.bvh", 5, lambda head: head)
    for subject in range(1, 31):
        for take in (1, 2):
            write(tmp_path / f"{subject:02d}" / f"{subject:02d}_{take:02d}.BVH", text)
    train, val = ({take.name for take in load_split(tmp_path, split)} for split in ("train", "val"))
    assert len(train) == 54
    assert len(val) == 6
    assert not train & val
    assert not {name[:2] for name in train} & {name[:2] for name in val}
    write(tmp_path / "77" / "77_01.bvh", text)
    assert len(val & {take.name for take in load_split(tmp_path, "val")}) >= 4


def test_what_is_no_folder_of_motion_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="no BVH file"):
        load_split(tmp_path, "train")
    write(tmp_path / "splits.json", '{"train": []}')
    with pytest.raises(MotionError, match="'val'"):
        load_split(tmp_path, "val")


BODY = """HIERARCHY
ROOT Hips
{ OFFSET 0 0 0
  CHANNELS 3 Zrotation Xrotation Yrotation
  JOINT LeftUpLeg
  { OFFSET 10 0 0
    JOINT LeftLeg
    { OFFSET 0 -40 0
      End Site
      { OFFSET 0 -40 0 } } } }
MOTION
Frames: 2
Frame Time: 0.0166667
0 0 0
0 0 0
"""


def test_an_unknown_skeleton_is_told_by_the_joint_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r"arm\.bvh lacks the joint 'LeftFoot'"):
        read_take(write(tmp_path / "arm.bvh", BODY))
    with pytest.raises(MotionError, match="lacks the joint 'LeftFoot'"):
        read_take(tmp_path / "arm.bvh", unit_cm=1.0)
