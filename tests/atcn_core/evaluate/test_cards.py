"""Documents filled from figures: what stands in them is what was measured, and stays so."""

from __future__ import annotations

from pathlib import Path

import pytest

from atcn_core.evaluate.cards import main
from atcn_core.evaluate.networks import BUNDLED_NAME, load_candidates
from atcn_core.evaluate.output import Figures
from atcn_core.files import sha256
from atcn_core.lift.weights import BUNDLED

TAKES = [{"network": "Net", "P1": 41.5, "P2": 30.2}, {"network": "Other", "P1": 99.9, "P2": 88.8}]
NETWORK = {
    "label": "Net",
    "file": "run/weights.safetensors",
    "sha256": "0123456789abcdef" * 4,
    "parameters": 1_234_567,
    "config": {"channels": 256, "causal": False},
    "card": {"windows": 9_000_000, "val_mm": {"clean": 40.25}, "config": {"train": {"rate": 0.001, "batch": 64}}},
}
DOCUMENT = "Before.\n<!-- figures: takes -->\nold\n<!-- end figures -->\nAfter.\n"


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    Figures([NETWORK], {"takes": ("Whole takes", TAKES)}).write(tmp_path / "f.json")
    return tmp_path / "f.json"


def test_a_card_says_what_the_weights_and_the_scores_say(figures: Path, tmp_path: Path) -> None:
    assert main([str(figures), "--models", str(tmp_path / "models.md")]) == 0
    page = (tmp_path / "models.md").read_text()
    for said in ("## Net", "1,234,567", "0123456789abcdef", "9,000,000", "clean 40.25", "rate 0.001, batch 64", "41.5"):
        assert said in page
    assert "99.9" not in page  # another network's


def test_a_table_takes_the_place_between_its_marks_and_nothing_else_moves(figures: Path, tmp_path: Path) -> None:
    (tmp_path / "d.md").write_text(DOCUMENT)
    assert main([str(figures), "--into", str(tmp_path / "d.md")]) == 0
    text = (tmp_path / "d.md").read_text()
    assert text.startswith("Before.\n<!-- figures: takes -->\n| network | P1 | P2 |\n")
    assert text.endswith("| Other | 99.9 | 88.8 |\n<!-- end figures -->\nAfter.\n")
    assert "old" not in text


def test_a_document_that_is_not_up_to_date_is_found_and_left_alone(figures: Path, tmp_path: Path) -> None:
    (tmp_path / "d.md").write_text(DOCUMENT)
    words = [str(figures), "--into", str(tmp_path / "d.md")]
    assert main([*words, "--check"]) == 1
    assert (tmp_path / "d.md").read_text() == DOCUMENT
    assert main(words) == 0
    assert main([*words, "--check"]) == 0


def test_a_table_that_was_not_measured_is_told_and_no_document_is_touched(
    figures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "d.md").write_text(DOCUMENT.replace("takes", "speed"))
    assert main([str(figures), "--models", str(tmp_path / "m.md"), "--into", str(tmp_path / "d.md")]) == 2
    assert "the table speed" in capsys.readouterr().err
    assert not (tmp_path / "m.md").exists()


def test_figures_of_weights_that_were_replaced_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundled,) = load_candidates([Path(BUNDLED_NAME)])
    assert bundled.file_name == BUNDLED.name
    for digest, code in ((sha256(BUNDLED), 0), ("0" * 64, 2)):
        network = NETWORK | {"file": bundled.file_name, "sha256": digest}
        Figures([network], {"takes": ("Whole takes", TAKES)}).write(tmp_path / "f.json")
        assert main([str(tmp_path / "f.json"), "--models", str(tmp_path / "m.md")]) == code
    assert "Evaluate again" in capsys.readouterr().err
