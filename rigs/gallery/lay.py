"""Lays the gallery's sheet: for each time the video's picture and beside it the avatar's. Runs in the engine's Python.

.venv/bin/python -m rigs.gallery.lay ROWS.json SHEET.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from atcn_core.clip import load_keypoints
from atcn_core.errors import OutputError
from atcn_core.preview import frames_at
from atcn_core.video import read_frames

from .plan import CELL_WH_PX, Row, crop_px, load_rows

__all__ = ["lay_row", "main"]

QUALITY = 82
_GAP_PX, _LABEL_PX = 6, 22
_PAPER, _INK = 255, (60, 60, 60)


def cut_out(picture: np.ndarray, box_px: tuple[int, int, int, int]) -> np.ndarray:
    """The part of a picture inside a box, at a cell's size; what lies beyond the picture repeats its rim."""
    left, top, right, bottom = box_px
    height, width = picture.shape[:2]
    pad = max(0, -left, -top, right - width, bottom - height)
    wide = cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    part = wide[top + pad : bottom + pad, left + pad : right + pad]
    return cv2.resize(part, CELL_WH_PX, interpolation=cv2.INTER_AREA)


def lay_row(sources: Sequence[np.ndarray], avatars: Sequence[Sequence[np.ndarray]], label: str) -> np.ndarray:
    """One row: for each time the video and the avatar from every side, under a label. Returns (H, W, 3) uint8 BGR."""
    gap = np.full((CELL_WH_PX[1], _GAP_PX, 3), _PAPER, dtype=np.uint8)
    cells = [
        part
        for source, avatar in zip(sources, avatars, strict=True)
        for part in (source, *(cv2.resize(side, CELL_WH_PX, interpolation=cv2.INTER_AREA) for side in avatar), gap)
    ]
    row = np.hstack(cells[:-1])
    head = np.full((_LABEL_PX, row.shape[1], 3), _PAPER, dtype=np.uint8)
    cv2.putText(head, label, (2, _LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return np.vstack([head, row])


def _row(row: Row) -> np.ndarray:
    keypoints = load_keypoints(Path(row.keypoints))
    shown = np.maximum(np.searchsorted(keypoints.times_s, np.asarray(row.times_s) + 1e-6, side="right") - 1, 0)
    aspect = CELL_WH_PX[0] / CELL_WH_PX[1]
    box_px = crop_px(keypoints.xy_px[shown], keypoints.score[shown], keypoints.image_wh_px, aspect)
    sources = [cut_out(picture, box_px) for picture in frames_at(read_frames(row.video), row.times_s)]
    return lay_row(sources, [[_picture(path) for path in sides] for sides in row.pictures], row.label)


def _picture(path: str) -> np.ndarray:
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise OutputError(f"The rendered picture {path} cannot be read.", hint="Is the disk full?")
    return picture


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("sheet", type=Path)
    options = parser.parse_args()
    rows = [_row(row) for row in load_rows(options.rows)]
    done, coded = cv2.imencode(options.sheet.suffix, np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise OutputError(f"The sheet {options.sheet.name} cannot be written.", hint="Name it .jpg or .png.")
    options.sheet.parent.mkdir(parents=True, exist_ok=True)
    part = options.sheet.with_name(options.sheet.name + ".part")
    part.write_bytes(coded.tobytes())
    part.replace(options.sheet)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
