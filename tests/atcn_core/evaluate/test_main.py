"""The command: tables on the screen, the same in the file, plots, and one clear sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atcn_core.errors import OutputError
from atcn_core.evaluate.__main__ import main
from atcn_core.evaluate.output import markdown, read_figures, write_bytes

from .people import walking, write_positions, write_weights

LOG = "step,windows,minutes,train_mm,val_clean_mm,val_noisy_mm\n50,3200,0.1,300,,\n100,6400,0.2,200,210,250\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    atcn, rival = write_weights(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.csv").write_text(LOG)
    motion = write_positions(tmp_path / "p.npz", walking(30), walking(20, seed=1))
    return {"atcn": atcn, "rival": rival, "motion": motion, "log": tmp_path / "run" / "log.csv"}


def test_everything_at_once(files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--weights", str(files["atcn"]), str(files["rival"]), "--motion", str(files["motion"]), "--cameras", "1"]
    words += ["--noise-px", "0", "10", "--drop", "0.1", "--per", "action", "joint", "time", "--tables", "--attention"]
    words += ["--json", str(tmp_path / "f.json"), "--plots", str(tmp_path / "plots"), "--logs", str(files["log"])]
    assert main(words) == 0
    printed = capsys.readouterr().out
    content = json.loads((tmp_path / "f.json").read_text())
    wanted = {"takes", "noise", "action", "joint", "time", "causal", "attention"}
    assert set(content["tables"]) == wanted | {f"table_{number}" for number in (2, 3, 4, 5)}
    for table in content["tables"].values():
        assert markdown(table["rows"]) in printed
    assert [network["label"] for network in content["networks"]] == list(content["series"])
    assert content["networks"][0]["card"]["windows"] == 1234
    assert all(len(content["series"][label]["S9_Walking"]) == 30 for label in content["series"])
    assert read_figures(tmp_path / "f.json").tables["takes"][1] == content["tables"]["takes"]["rows"]
    for name in ("joints", "over_frames", "noise", "convergence"):
        assert (tmp_path / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "nothing to score on"),
        (["--motion", "no.bvh"], "no no.bvh"),
        (["--motion", "{motion}", "--weights", "no.safetensors"], "missing"),
        (["--motion", "{motion}", "--weights", "{motion}"], "damaged"),
        (["--motion", "{motion}", "--drop", "1.5"], "not seen"),
        (["--motion", "{motion}", "--noise-px", "-3"], "noise"),
        (["--motion", "{motion}", "--cameras", "0"], "camera"),
        (["--plots", "{folder}", "--logs", "{motion}"], "no training log"),
        (["--logs", "{log}"], "--plots"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    words: list[str], problem: str, files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {**{name: str(path) for name, path in files.items()}, "folder": str(tmp_path)}
    assert main([word.format(**named) for word in words]) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert "Traceback" not in error


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(OutputError, match="Cannot write"):
        write_bytes(tmp_path / "taken" / "f.json", b"x")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OutputError, match="Cannot write"):
        write_bytes(tmp_path / "folder.json", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.json", "taken"]


def test_a_file_that_holds_no_figures_is_told_in_words(tmp_path: Path) -> None:
    for content in ("[]", "{", '{"schema": "other/1"}'):
        (tmp_path / "f.json").write_text(content)
        with pytest.raises(OutputError):
            read_figures(tmp_path / "f.json")
