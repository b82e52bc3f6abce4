"""The commands on a user's own data sets, from the files to the paper's tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from atcn_core.evaluate.__main__ import main as evaluate
from atcn_core.lift.checkpoint import read_weights
from atcn_core.train.__main__ import main as train

from ..evaluate.test_recordings import eva_2d, eva_3d, h36m_2d, h36m_3d

SMALL = ["--config", "l4xv2", "--steps", "2", "--device", "cpu"]
SMALL += [word for change in ("channels=16", "groups=8", "reduction=8") for word in ("--set", f"network.{change}")]
SMALL += [word for change in ("batch=4", "spread=2", "compiled=false") for word in ("--set", f"train.{change}")]
LOSSES = [word for name in ("velocity", "bone", "projection") for word in ("--set", f"losses.{name}=0.1")]


def test_training_on_the_data_sets_and_scoring_on_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    h36m, eva = h36m_3d(tmp_path), eva_3d(tmp_path)
    run = tmp_path / "run"
    assert train(["--human36m", str(h36m), "--humaneva", str(eva), "--run", str(run), *SMALL, *LOSSES]) == 0
    weights = run / "weights.safetensors"
    card = read_weights(weights).card
    # Five training subjects of three recordings, three of three.
    assert str(card["data"]).startswith("data_3d_h36m.npz, data_3d_humaneva15.npz: 24 takes")
    assert all(0 < value < 2000 for value in card["val_mm"].values())
    assert all(p.isfinite().all() for p in torch.load(run / "checkpoint.pt", weights_only=True)["average"].values())

    words = ["--weights", str(weights), "--human36m", str(h36m), "--human36m-2d", str(h36m_2d(tmp_path, h36m))]
    words += ["--humaneva", str(eva), "--noise-px", "0", "5", "--per", "action", "joint", "time", "--tables"]
    words += ["--attention", "--json", str(tmp_path / "f.json"), "--plots", str(tmp_path / "plots")]
    assert evaluate(words) == 0
    printed = capsys.readouterr().out
    tables = json.loads((tmp_path / "f.json").read_text())["tables"]
    for dataset in ("human36m", "humaneva"):
        assert {f"{dataset}_{name}" for name in ("takes", "protocol_1", "protocol_2", "noise", "joint")} <= set(tables)
    assert "takes" not in tables
    assert list(tables["human36m_protocol_1"]["rows"][0]) == ["network", "SitD.", "Walk", "Avg"]
    assert "paper: ATCN (CPN)" in {row["network"] for row in tables["human36m_protocol_2"]["rows"]}
    assert "2D of data_2d_h36m_h36m.npz" in tables["human36m_takes"]["title"]
    assert "HumanEva, Protocol 2 (Table 8)" in printed
    assert "nan" not in printed
    assert (tmp_path / "plots" / "over_frames.png").is_file()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--humaneva", "{eva}", "--humaneva-2d", "{eva_2d}"], "comes without its focal length"),
        (["--human36m-2d", "{h36m_2d}"], "2D files go with their 3D files"),
        (["--human36m", "{eva}"], "lacks subject S9"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    words: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h36m, eva = h36m_3d(tmp_path), eva_3d(tmp_path)
    named = {"eva": eva, "eva_2d": eva_2d(tmp_path, eva, 760.0), "h36m_2d": h36m_2d(tmp_path, h36m)}
    assert evaluate([word.format(**named) for word in words]) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert "Traceback" not in error


def test_training_on_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(["--run", str(tmp_path / "run"), *SMALL]) == 2
    assert "no motion to train on" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_can_begin_with_other_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--human36m", str(h36m_3d(tmp_path)), *SMALL]
    assert train([*data, "--run", str(tmp_path / "first")]) == 0
    first = tmp_path / "first" / "weights.safetensors"

    still = ["--set", "train.rate=1e-9", "--set", "train.last_rate=1e-9"]
    # The causal twin has the same weights, read in another order.
    begun = [*data, *still, "--set", "network.causal=true", "--start", str(first)]
    assert train([*begun, "--run", str(tmp_path / "second")]) == 0
    second = read_weights(tmp_path / "second" / "weights.safetensors")
    assert second.config["causal"]
    assert second.card["start"] == first.name
    for name, parameter in read_weights(first).tensors.items():
        if "running" not in name:
            torch.testing.assert_close(second.tensors[name], parameter, atol=2e-3, rtol=0.0, msg=name)

    capsys.readouterr()
    assert train([*data, "--set", "network.channels=32", "--start", str(first), "--run", str(tmp_path / "third")]) == 2
    assert "do not fit the network" in capsys.readouterr().err
