"""The table says of every report what its file says, and goes where a page wants it."""

from pathlib import Path

import pytest

from atcn_core.evaluate.report_table import main
from atcn_core.motion.take_report import take_report, to_json
from tests.atcn_core.motion.test_take_report import filmed, hidden, standing_person


@pytest.fixture
def reports(tmp_path: Path) -> list[Path]:
    motion, keypoints = filmed(standing_person(60))
    gone = hidden(hidden(keypoints, 5, 20, "left_elbow", "left_wrist"), 40, 55, "left_elbow", "left_wrist")
    paths = [tmp_path / "whole.json", tmp_path / "hidden.json"]
    for path, found in zip(paths, (keypoints, gone), strict=True):
        path.write_text(to_json(take_report(motion, found)), encoding="utf-8")
    return paths


def test_each_report_is_a_row_with_its_figures_and_reasons(reports, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures: reports -->\nold\n<!-- end figures -->\nafter\n", encoding="utf-8")
    assert main([*map(str, reports), "--into", str(page)]) == 0
    printed = capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == (
        f"before\n<!-- figures: reports -->\n{printed}<!-- end figures -->\nafter\n"
    )
    head, _, whole, gone = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in printed.strip().splitlines()
    )
    assert dict(zip(head, whole, strict=True)) | {"video": "whole", "seen %": "100", "to look at": "-"} == dict(
        zip(head, whole, strict=True)
    )
    assert gone[head.index("to look at")] == "left arm unseen (2)"
    assert gone[head.index("on the rig cm/s")] == "-"


def test_what_is_no_report_is_told_and_changes_nothing(reports, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- figures: reports -->\nold\n<!-- end figures -->\n", encoding="utf-8")
    (tmp_path / "else.json").write_text("{}", encoding="utf-8")
    for wrong in ("else.json", "missing.json"):
        assert main([str(reports[0]), str(tmp_path / wrong), "--into", str(page)]) == 2
        assert capsys.readouterr().err
    assert "old" in page.read_text(encoding="utf-8")
