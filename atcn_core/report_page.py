"""The take report as files: JSON, and one HTML page that needs nothing beside it, with curves and doubtful frames."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .clip import Keypoints2D, Motion3D
from .errors import VideoError
from .files import whole_file
from .motion.contacts import FOOT_POINTS
from .motion.take_doubts import MISS_SHARE, Doubt
from .motion.take_report import TakeReport, take_report, to_json
from .motion.take_series import TakeSeries, take_series
from .motion.take_table import table
from .motion.world import to_world
from .overlay import write_overlay
from .preview import draw_skeleton
from .reporter import Reporter
from .video import read_frames

__all__ = ["overlay_beside", "page", "write_report"]

MAX_PICTURES = 12
PICTURE_HEIGHT_PX = 300
JPEG_QUALITY = 80
_DPI = 100
_STYLE = (
    "body{font:15px/1.45 sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "table{border-collapse:collapse}td,th{padding:.25em 1em .25em 0;text-align:left;border-bottom:1px solid #ddd}"
    "td.n{text-align:right;white-space:nowrap}img,video{max-width:100%}"
    "figure{display:inline-block;margin:0 1em 1em 0;vertical-align:top}figcaption{font-size:13px}"
    "video{max-height:480px}"
)

_LEGEND = (
    "<p>Lines: the motion as a rig gets it (left orange, right blue). Dots: the joints as they were found, darker the "
    "less sure. Green rings: feet that are taken to stand. Green lines: the floor.</p>"
)


def write_report(
    path: Path,
    motion: Motion3D,
    keypoints: Keypoints2D,
    video: str = "",
    *,
    overlay: bool = False,
    reporter: Reporter | None = None,
) -> dict[str, str]:
    """Write `path` (HTML) and the same name with .json. Returns both by role: "report", "report_data".

    keypoints: as found, with the motion's frames. video: where pictures come from; "" for none. overlay: also write
    `overlay_beside(path)`, which the page shows, by the role "report_film"; without a readable video there is none.
    Raises OutputError, EngineError, CancelledError; nothing half-written stays.
    """
    world = to_world(motion)
    series = take_series(motion, keypoints, world)
    report = take_report(motion, keypoints, world, series=series)
    pictures = _pictures(report.doubtful, keypoints, series, video) if video else {}
    film = (
        overlay_beside(path)
        if video and overlay and _overlay(path, motion, keypoints, video, report, reporter)
        else None
    )
    title = Path(video).name or path.stem
    data = path.with_suffix(".json")
    for place, text in (
        (data, to_json(report)),
        (path, page(title, report, series, pictures, film.name if film else "")),
    ):
        with whole_file(place) as handle:
            handle.write(text.encode())
    paths = {"report": str(path), "report_data": str(data)}
    return paths | ({"report_film": str(film)} if film else {})


def overlay_beside(page: Path) -> Path:
    """Where a page's overlay film lies."""
    return page.with_name(f"{page.stem}_overlay.mp4")


def _overlay(
    page: Path, motion: Motion3D, keypoints: Keypoints2D, video: str, report: TakeReport, reporter: Reporter | None
) -> bool:
    try:
        write_overlay(overlay_beside(page), motion, keypoints, video, report.doubtful, reporter)
    except VideoError:  # the motion is there: a report without its film is still one
        return False
    return True


def page(title: str, report: TakeReport, series: TakeSeries, pictures: dict[int, bytes], film: str = "") -> str:
    """The whole page, well-formed also as XML.

    pictures: JPEG files by the number of the doubt they show. film: the file name of a film beside the page.
    """
    shown = "".join(_figure(report.doubtful[number], jpeg) for number, jpeg in sorted(pictures.items()))
    parts = [
        f"<h1>Take report: {escape(title)}</h1>",
        f"<p>{report.frames} frames, {report.first_s:.2f} s to {report.last_s:.2f} s of the video."
        f" {escape(report.camera_note)}</p>",
        table(report),
        *(
            [f'<h2>Laid over the video</h2><video controls="controls" src="{quote(film)}"></video>{_LEGEND}']
            if film
            else []
        ),
        "<h2>Frames to look at</h2>",
        _doubts_table(report.doubtful),
        f"<div>{shown}</div>",
        "<h2>Over time</h2>",
        f'<img alt="curves over time" src="data:image/png;base64,{_base64(_curves_png(series, report.doubtful))}"/>',
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f"<title>Take report: {escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _doubts_table(doubts: tuple[Doubt, ...]) -> str:
    if not doubts:
        return "<p>None.</p>"
    rows = "".join(
        f'<tr><td class="n">{doubt.first_s:.2f} s</td><td class="n">{doubt.last_s:.2f} s</td>'
        f"<td>{escape(doubt.reason)}</td></tr>"
        for doubt in doubts
    )
    return f"<table><tr><th>from</th><th>to</th><th>why</th></tr>{rows}</table>"


def _figure(doubt: Doubt, jpeg: bytes) -> str:
    caption = f"{escape(doubt.reason)}, {doubt.first_s:.2f} s to {doubt.last_s:.2f} s"
    source = f"data:image/jpeg;base64,{_base64(jpeg)}"
    return f'<figure><img alt="{caption}" src="{source}"/><figcaption>{caption}</figcaption></figure>'


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _curves_png(series: TakeSeries, doubts: tuple[Doubt, ...]) -> bytes:
    """Four curves over the video's time; doubtful stretches are shaded."""
    figure = Figure(figsize=(10.0, 9.5), layout="constrained")
    miss, seen, feet, speed = figure.subplots(4, 1, sharex=True)
    times_s = series.times_s
    miss.plot(times_s, 100.0 * series.miss_share, linewidth=1.0)
    miss.axhline(100.0 * MISS_SHARE, color="tab:red", linewidth=0.8, linestyle=":")
    miss.set_ylabel("beside the picture\n(% of height)")
    seen.plot(times_s, 100.0 * series.coverage, linewidth=1.0)
    seen.set_ylabel("joints seen (%)")
    _feet_curves(feet, series)
    speed.plot(times_s, series.root_speed_m_s, linewidth=1.0)
    speed.set_ylabel("hip's speed (m/s)")
    speed.set_xlabel("time of the video (s)")
    for axes in (miss, seen, feet, speed):
        axes.grid(alpha=0.3)
        axes.margins(x=0)
        for doubt in doubts:
            axes.axvspan(doubt.first_s, doubt.last_s, color="tab:red", alpha=0.12, linewidth=0)
    miss.set_ylim(bottom=0)
    seen.set_ylim(0, 103)
    speed.set_ylim(bottom=0)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DPI)
    return content.getvalue()


def _feet_curves(axes: Axes, series: TakeSeries) -> None:
    """Heights of heels and toes, thick where they stand."""
    for point, name in enumerate(FOOT_POINTS):
        colour, style = ("tab:orange", "tab:blue")[point // 2], ("-", "--")[point % 2]
        heights_cm = 100.0 * series.foot_heights_m[:, point]
        axes.plot(series.times_s, heights_cm, style, color=colour, linewidth=0.9, label=name.replace("_", " "))
        standing_cm = np.where(series.standing[:, point], heights_cm, np.nan)
        axes.plot(series.times_s, standing_cm, color=colour, linewidth=3.5, alpha=0.5)
    axes.set_ylabel("height over the floor (cm)\nthick: stands")
    axes.legend(fontsize=8, ncols=4, loc="upper right")


def _pictures(doubts: tuple[Doubt, ...], keypoints: Keypoints2D, series: TakeSeries, video: str) -> dict[int, bytes]:
    """A JPEG for each of the longest doubts, of the frame in its middle, with the joints as found drawn over."""
    longest = sorted(range(len(doubts)), key=lambda n: doubts[n].first_s - doubts[n].last_s)[:MAX_PICTURES]
    middle_s = {n: 0.5 * (doubts[n].first_s + doubts[n].last_s) for n in longest}
    wanted: dict[int, list[int]] = {}
    for number, time_s in middle_s.items():
        wanted.setdefault(int(np.abs(series.times_s - time_s).argmin()), []).append(number)
    pictures: dict[int, bytes] = {}
    if not wanted:
        return pictures
    try:
        for time_s, picture in read_frames(
            video, start_s=float(series.times_s[0]), end_s=float(series.times_s[max(wanted)]) + 1e-3
        ):
            frame = int(np.abs(series.times_s - time_s).argmin())
            for number in wanted.pop(frame, []):
                pictures[number] = _drawn_over(picture, keypoints, frame)
    except VideoError:  # the motion is there: a report without all its pictures is still one
        return pictures
    return pictures


def _drawn_over(picture: np.ndarray, keypoints: Keypoints2D, frame: int) -> bytes:
    scale = PICTURE_HEIGHT_PX / picture.shape[0]
    size = (max(round(picture.shape[1] * scale), 1), PICTURE_HEIGHT_PX)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    draw_skeleton(small, keypoints.skeleton.joints, keypoints.xy_px[frame] * scale, keypoints.score[frame])
    _, content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return content.tobytes()
