"""What the network that tells which feet stand is trained on, and the command as a whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from atcn_core.evaluate.contact_training import example, main
from atcn_core.motion.contact_net import read_net

from .people import filmed_walker

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"


@pytest.mark.parametrize(("pace", "every"), [(1.0, 1), (1.0, 2), (0.75, 1), (1.3, 2)])
def test_the_truth_stays_in_time_at_any_pace_and_rate(pace: float, every: int) -> None:
    staged, standing = filmed_walker()
    made = example(staged, 0.5, pace=pace, every=every)
    assert made.inputs.shape[1] == pytest.approx(len(standing) / pace, abs=3)
    at = (np.arange(made.inputs.shape[1]) * pace).round().astype(int).clip(max=len(standing) - 1)
    for foot in (0, 1):
        wanted = standing[at, 2 * foot : 2 * foot + 2]
        assert ((made.standing[foot] > 0.5) == wanted).mean() > 0.85


@pytest.mark.skipif(not MOCAP.is_dir(), reason="needs the motion beside the repository")
def test_the_command_trains_on_a_folder_and_refuses_what_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "motion"
    folder.mkdir()
    for name in ("m2m_reject_01.bvh", "cmutxt_jumping_t04.bvh"):
        shutil.copy(MOCAP / name, folder)
    words = ["--motion", str(folder), "--out", str(tmp_path / "net.npz"), "--network", "l6xv4", "--seconds", "2"]
    assert main([*words, "--looks", "2", "--epochs", "1"]) == 0
    first = (tmp_path / "net.npz").read_bytes()
    assert main([*words, "--looks", "2", "--epochs", "1"]) == 0
    assert (tmp_path / "net.npz").read_bytes() == first
    card = read_net(tmp_path / "net.npz").card
    assert card["recipe"]["looks"] == 2  # type: ignore[index]
    assert card["frames"] == 2 * 60
    assert main([*words, "--looks", "0"]) == 2
    assert "nothing to train on" in capsys.readouterr().err
    assert main([*words[:5], str(tmp_path / "no.safetensors")]) == 2
    assert main(["--motion", str(tmp_path / "none"), *words[2:]]) == 2
