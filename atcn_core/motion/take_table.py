"""The take report's figures in words: as lines for a panel, and as the page's table, which may be put in anew."""

from __future__ import annotations

import re
from html import escape

from .take_report import TakeReport

__all__ = ["figures", "page_with", "table"]

# Field, form, words.
_ROWS = (
    ("found_percent", "{:.1f} %", "Frames in which the person was found"),
    ("seen_percent", "{:.1f} %", "Joints that were seen"),
    ("reprojection_px", "{:.1f} px", "Motion beside the found joints in the picture, mean"),
    ("reprojection_percent", "{:.1f} %", "The same, of the person's height"),
    ("rig_foot_slide_cm_s", "{:.1f} cm/s", "Standing feet slide, on {rig}"),
    ("rig_below_floor_cm", "{:.2f} cm", "Feet below the floor, on {rig}, mean"),
    ("rig_deepest_cm", "{:.1f} cm", "Feet below the floor, on {rig}, worst"),
    ("foot_slide_cm_s", "{:.1f} cm/s", "Standing feet slide, before a rig holds them"),
    ("hand_slide_cm_s", "{:.1f} cm/s", "Hands on the floor slide, before a rig holds them"),
    ("below_floor_cm", "{:.2f} cm", "Feet below the floor, before a rig, mean"),
    ("deepest_cm", "{:.1f} cm", "Feet below the floor, before a rig, worst"),
    ("jitter_mm", "{:.1f} mm/frame²", "Mean second difference of all joints"),
    ("way_m", "{:.2f} m", "Way gone along the floor"),
    ("limb_length_percent", "{:.2f} %", "Deviation of limb lengths"),
    ("arm_swing_percent", "{:.0f} %", "Arm swing kept, of what was found in the picture"),
    ("doubtful_percent", "{:.0f} %", "Of the clip's time is doubtful"),
)
# By these the table is found in a page.
_BEGIN, _END = "<!--figures-->", "<!--/figures-->"
_TABLE = re.compile(re.escape(_BEGIN) + ".*?" + re.escape(_END), re.DOTALL)


def figures(report: TakeReport) -> list[tuple[str, str, str]]:
    """Each figure that the report has: its field, what it is in words, and its value with its unit."""
    return [
        (name, words.format(rig=report.rig), form.format(getattr(report, name)))
        for name, form, words in _ROWS
        if getattr(report, name) is not None
    ]


def table(report: TakeReport) -> str:
    """All figures as HTML."""
    rows = "".join(
        f'<tr><td>{escape(words)}</td><td class="n">{value}</td></tr>' for _, words, value in figures(report)
    )
    return f"{_BEGIN}<table>{rows}</table>{_END}"


def page_with(page: str, report: TakeReport) -> str:
    """A page with the figures of another report in place of its own; without a table in it, as it is."""
    return _TABLE.sub(lambda _: table(report), page, count=1)
