"""The paper's tables: sizes as printed, and our networks in the rows they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest

from atcn_core.evaluate.networks import Candidate, load_candidates
from atcn_core.evaluate.tables import ablation_tables, causal_rows, noise_rows

from .people import small_atcn, write_weights


def candidate(label: str, card: dict | None = None, **changes: object) -> Candidate:
    network = small_atcn(**{"reduction": 128, **changes})
    return Candidate(label, Path(f"{label}.safetensors"), network, network.config, card or {})


def test_the_sizes_are_the_papers() -> None:
    for rows in ablation_tables([], {}).values():
        for row in rows:
            if row.get("paper's", "-") != "-":
                ours, printed = (float(str(row[column]).rstrip("M")) for column in ("parameters", "paper's"))
                assert ours == pytest.approx(printed, abs=0.035)  # the paper's 44.25M computes to 44.28M


def test_each_network_stands_in_its_own_row_of_the_ablations() -> None:
    given = [
        candidate("whole"),
        candidate("no attention", temporal_attention="off"),
        candidate("no dilation", dilated_units=False),
        candidate("two kernels", kernels=2, groups=4),
        candidate("causal", causal=True),
    ]
    p1_mm = {one.label: 10.0 + number for number, one in enumerate(given)}
    tables = ablation_tables(given, p1_mm)
    table_4 = {(row["frames"], row["attention"], row["dilated units"]): row["ours P1"] for row in tables["table_4"]}
    assert table_4[27, "on", "on"] == "10.0"
    assert table_4[27, "off", "on"] == "11.0"
    assert table_4[27, "on", "off"] == "12.0"
    assert {value for (frames, *_), value in table_4.items() if frames > 27} == {"-"}
    assert [row["ours P1"] for row in tables["table_3"]][1] == "13.0"
    rows = {(row["frames"], row["causal"]): row["ours P1"] for row in causal_rows(given, p1_mm)}
    assert (rows[27, "yes"], rows[27, "no"], rows[243, "no"]) == ("14.0", "10.0, 13.0", "-")


def test_the_steps_of_table_5_are_read_from_configuration_and_card() -> None:
    given = [
        candidate("plain", stages=5),
        candidate("projected", {"config": {"losses": {"projection": 0.5}}}, stages=5),
        candidate("no dilation", stages=5, dilated_units=False),
    ]
    rows = ablation_tables(given, {"plain": 1.0, "projected": 2.0, "no dilation": 3.0})["table_5"]
    assert [row["ours P1"] for row in rows] == ["-", "-", "3.0", "1.0", "2.0", "-"]


def test_the_noise_table_ends_with_how_much_worse_the_highest_level_is() -> None:
    *levels, factor = noise_rows({"ours": {0.0: 40.0, 20.0: 60.0, 7.0: 44.0}})
    assert [row["noise px"] for row in levels] == ["0", "7", "20"]
    assert levels[1]["paper: ATCN"] == "-"
    assert factor["ours"] == "1.50"
    assert factor["paper: ATCN"] == "2.15"


def test_networks_given_twice_can_be_told_apart(tmp_path: Path) -> None:
    atcn, rival = write_weights(tmp_path)
    labels = [one.label for one in load_candidates([atcn, rival, atcn])]
    assert len(set(labels)) == 3
    assert labels[0].startswith("ATCN L4xV2xN27 C16")
    assert labels[1] == "VideoPose3D N27 C16"
