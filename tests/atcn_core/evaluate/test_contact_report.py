"""What is said of those that tell standing feet: of ones whose errors are known, and the command as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atcn_core.evaluate.contact_report import in_the_air, main, rows_of, tuned_chance
from atcn_core.evaluate.world_metrics import true_contacts

from .people import filmed_walker, write_weights

MOCAP = Path(__file__).parents[4] / "shared" / "mocap"


def test_each_judge_gets_what_it_deserves() -> None:
    staged, standing = filmed_walker()
    true = true_contacts(staged.joints_world, 30.0).astype(float)
    judges = {"truth": lambda *_: true, "all": lambda *_: np.ones_like(true), "tuned": tuned_chance}
    rows = rows_of([staged], judges)
    assert [row["motion"] for row in rows] == ["walk", "all"]
    assert rows[0]["truth precision"] == rows[0]["truth recall"] == "100.0"
    assert rows[1]["all recall"] == "100.0"
    assert float(rows[1]["all precision"]) == pytest.approx(100 * standing.mean(), abs=5)  # type: ignore[arg-type]
    assert float(rows[1]["tuned recall"]) > 85  # type: ignore[arg-type]
    assert rows[0]["all in the air"] == "-"


def test_a_jump_is_in_the_air_and_a_stair_is_not() -> None:
    staged, _ = filmed_walker(2.0)
    times_s = staged.motion.times_s
    flight_m = np.where((times_s > 0.5) & (times_s < 1.1), 4.9 * (times_s - 0.5) * (1.1 - times_s), 0.0)
    still = np.repeat(staged.joints_world[:1], len(times_s), axis=0)
    up = np.array([0.0, 0.0, 1.0])
    air = in_the_air(still + flight_m[:, None, None] * up, 30.0)
    assert 8 <= air.sum() <= 16
    assert not air[(times_s < 0.5) | (times_s > 1.1)].any()
    stair_m = 0.4 * (times_s > 1.0)
    assert in_the_air(still + stair_m[:, None, None] * up, 30.0).sum() <= 2


@pytest.mark.skipif(not MOCAP.is_dir(), reason="needs the motion beside the repository")
def test_the_command_fills_its_own_table_of_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    other = "<!-- figures: world -->\nkept\n<!-- end figures -->\n"
    page.write_text(f"{other}<!-- figures: contacts -->\nold\n<!-- end figures -->\n")
    weights, _ = write_weights(tmp_path)
    words = ["--motion", str(MOCAP / "m2m_reject_01.bvh"), "--cameras", "1", "--network", str(weights)]
    assert main([*words, "--into", str(page), "--json", str(tmp_path / "t.json")]) == 0
    assert [row["motion"] for row in json.loads((tmp_path / "t.json").read_text())] == ["stand", "all"]
    assert page.read_text().startswith(other)
    assert "| learnt precision |" in page.read_text()
    assert "old" not in page.read_text()
    assert capsys.readouterr().out.count("|\n") == 4
    assert main([*words, "--weights", str(tmp_path / "none.npz")]) == 2
    assert "none.npz" in capsys.readouterr().err
