"""What the documents say about files is what the code reads and writes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from atcn_core.clip import Keypoints2D, Motion3D, save_keypoints, save_motion
from atcn_core.frames import Intrinsics
from atcn_core.motion.rigmap import REQUIRED_ROLES, ROLES, load_rig
from atcn_core.skeleton import CAPTURE, SKELETONS

ROOT = Path(__file__).resolve().parents[1]
FORMATS = (ROOT / "docs/formats.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]


def _section(title: str) -> str:
    return FORMATS.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def _keys(section: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def _check_arrays(path: Path, section: str) -> None:
    with np.load(path) as stored:
        assert sorted(_keys(section)) == sorted(stored.files)
        for name, shape, kind in re.findall(r"^\| `(\w+)` \| (\(.*?\)) \| (\w+) \|", section, re.MULTILINE):
            dimensions = [part for part in re.split(r"[(), ]+", shape) if part]
            sizes = {"T": 4, "J": len(CAPTURE)}
            assert stored[name].shape == tuple(sizes.get(part) or int(part) for part in dimensions), name
            assert stored[name].dtype.kind == {"text": "U", "int": "i"}.get(kind, "f"), name


def test_keypoint_files_are_as_described(tmp_path):
    xy_px, score = np.zeros((4, len(CAPTURE), 2), np.float32), np.ones((4, len(CAPTURE)), np.float32)
    save_keypoints(tmp_path / "k.npz", Keypoints2D(CAPTURE, np.arange(4.0), 1.0, (64, 48), xy_px, score))
    _check_arrays(tmp_path / "k.npz", _section("Keypoints"))


def test_motion_files_are_as_described(tmp_path):
    joints, root = np.zeros((4, len(CAPTURE), 3), np.float32), np.ones((4, 3), np.float32)
    score, camera = np.ones((4, len(CAPTURE)), np.float32), Intrinsics.assumed((64, 48))
    save_motion(tmp_path / "m.npz", Motion3D(CAPTURE, np.arange(4.0), 1.0, (64, 48), joints, root, score, camera))
    _check_arrays(tmp_path / "m.npz", _section("Motion"))


def test_the_example_rig_json_is_read(tmp_path):
    (tmp_path / "rig.json").write_text(re.search(r"```json\n(.*?)```", FORMATS, re.DOTALL)[1])
    rig = load_rig(tmp_path / "rig.json")
    assert set(rig.map.bones) == set(REQUIRED_ROLES)


def test_all_roles_are_described_and_the_required_ones_are_bold():
    words = _section("rig.json")
    for role in ROLES:
        name = re.sub("^(left|right)_", "", role)
        assert f"`{name}`" in words
        assert (f"**`{name}`**" in words) == (role in REQUIRED_ROLES)


@pytest.mark.parametrize("name", SKELETONS)
def test_every_joint_set_is_named(name):
    assert f"`{name}`" in FORMATS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        assert "://" in target or (document.parent / target).exists(), target
