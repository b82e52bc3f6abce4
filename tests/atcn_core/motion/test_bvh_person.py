"""A known person written as a BVH file in many ways, and read back as joints in Blender's world."""

from pathlib import Path

import numpy as np
import pytest

from atcn_core.errors import MotionError
from atcn_core.motion.bvh_person import bvh_person
from atcn_core.skeleton import LIMB_12
from tests.atcn_core.motion.person_as_rig import person_as_bvh
from tests.moving_person import Person, dancing

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"
# The world (x left, y back, z up) in a file's axes.
Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
Z_UP = np.eye(3)
# Looks along x.
Y_UP_ASIDE = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])


def read(folder: Path, text: str):
    (folder / "person.bvh").write_text(text)
    return bvh_person(folder / "person.bvh")


def farthest_m(motion, person: Person) -> float:
    """How far limb joints are apart at most, both from the hip of the first frame on."""
    found = np.stack([motion.points(joint) - motion.points("hip")[:1] for joint in LIMB_12])
    wanted = np.stack([person.point(joint) - person.point("hip")[:1] for joint in LIMB_12])
    return float(np.linalg.norm(found - wanted, axis=-1).max())


@pytest.mark.parametrize("file_from_world", [Y_UP, Z_UP, Y_UP_ASIDE], ids=["y up", "z up", "aside"])
@pytest.mark.parametrize(("units_a_metre", "order"), [(100.0, "ZXY"), (1 / 0.0254, "XYZ"), (1.0, "YXZ")])
def test_any_axes_unit_and_channel_order_give_the_same_person(tmp_path, file_from_world, units_a_metre, order):
    person = dancing(0.5, seed=1)
    text = person_as_bvh(person, file_from_world=file_from_world, units_a_metre=units_a_metre, order=order)
    motion = read(tmp_path, text)
    assert np.allclose(motion.times_s, person.times_s, atol=1e-3)
    assert farthest_m(motion, person) < 1e-4


def test_a_skeleton_that_stands_only_in_its_frames_is_taken_all_the_same(tmp_path):
    person = dancing(0.5, seed=2)
    motion = read(tmp_path, person_as_bvh(person, file_from_world=Y_UP, folded=True))
    found = motion.joints_world - motion.points("hip")[:1, None]
    wanted = person.motion()
    # Which way the file looks is not written in it: the frame it was recognised in decides, to a quarter turn.
    apart = []
    for quarter in range(4):
        c, s = np.cos(quarter * np.pi / 2), np.sin(quarter * np.pi / 2)
        turned = found @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T
        limbs = [wanted.skeleton.index(joint) for joint in LIMB_12]
        true = wanted.joints_world - wanted.points("hip")[:1, None]
        apart.append(np.abs(turned[:, limbs] - true[:, limbs]).max())
    assert min(apart) < 1e-4


def test_what_is_no_movement_of_a_person_is_told_in_words(tmp_path):
    text = person_as_bvh(dancing(0.2), file_from_world=Y_UP)
    head, _, rows = text.partition("MOTION")
    first = rows.splitlines()[3]
    with pytest.raises(MotionError, match=r"person\.bvh has only one frame"):
        read(tmp_path, f"{head}MOTION\nFrames: 1\nFrame Time: 0.033333\n{first}\n")
    for broken in ("", head, text[: len(text) // 2]):
        with pytest.raises(MotionError, match=r"person\.bvh is not a complete BVH file"):
            read(tmp_path, broken)
    with pytest.raises(MotionError, match=r"nothing\.bvh is not a complete BVH file"):
        bvh_person(tmp_path / "nothing.bvh")
    worm = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xrotation Yrotation Zrotation\n}\n"
    with pytest.raises(MotionError, match=r"No person is recognised in person\.bvh\."):
        read(tmp_path, worm + "MOTION\nFrames: 2\nFrame Time: 0.1\n1 0 0\n0 0 0\n")


@pytest.mark.parametrize(
    ("name", "fps"),
    [
        *(("cmuasf_02_01", 60), ("cmudaz_indian_04a", 60), ("cmufbx_07_01", 60), ("cmuiclone_006_01", 60)),
        *(("cmumisc_131_01", 60), ("cmutxt_walking_e01", 60), ("fair1_dab_01", 60), ("m2m_bow_01", 60)),
    ],
)
def test_every_source_of_shared_motion_stands_on_the_floor_in_metres(name, fps):
    path = MOCAP / f"{name}.bvh"
    if not path.is_file():
        pytest.skip("the shared motion capture is not here")
    motion = bvh_person(path)
    assert np.isclose(1 / np.median(np.diff(motion.times_s)), fps)
    hip_m, head_m = (float(np.median(motion.points(joint)[:, 2])) for joint in ("hip", "head"))
    assert 0.6 < hip_m < 1.2
    assert 1.2 < head_m < 2.0
    feet_m = np.stack([motion.points(f"{s}_{p}")[:, 2] for s in ("left", "right") for p in ("heel", "toe")])
    assert abs(np.percentile(feet_m.min(axis=0), 10)) < 0.01
