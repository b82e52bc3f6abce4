"""The gallery's plan: which part of which video goes onto whom, and what of the picture is shown."""

from __future__ import annotations

import numpy as np
import pytest

from rigs.gallery.plan import AVATARS, CELL_WH_PX, Row, crop_px, frames_shown, load_rows, save_rows, takes_of

cv2 = pytest.importorskip("cv2", reason="the sheet is laid by the engine")
lay = pytest.importorskip("rigs.gallery.lay", reason="the sheet is laid by the engine")


def test_each_video_goes_onto_the_next_avatar_and_can_be_cut():
    first, second = takes_of(["a/x.mp4", "b/x.mp4@2.5-7"])
    assert (first.avatar, first.start_s, first.end_s) == (AVATARS[0], None, None)
    assert (second.avatar, second.start_s, second.end_s) == (AVATARS[1], 2.5, 7.0)
    assert first.name != second.name
    assert len({take.avatar for take in takes_of(["x.mp4"] * 6)}) == 6
    assert takes_of(["x.mp4"] * 7)[6].avatar == AVATARS[0]
    assert [take.avatar for take in takes_of(["x.mp4"], ["pip", "nuri"], every=True)] == ["pip", "nuri"]


def test_the_frames_lie_evenly_inside_the_clip():
    frames = frames_shown(1, 101, 5)
    assert frames == [11, 31, 51, 71, 91]


@pytest.mark.parametrize("wide", [True, False])
def test_the_cut_out_has_its_aspect_and_shows_all_that_was_seen(wide):
    xy_px = np.random.default_rng(3).uniform((200, 100), (900, 300) if wide else (300, 900), size=(4, 9, 2))
    score = np.ones((4, 9))
    xy_px[0, 0], score[0, 0] = (5000.0, 5000.0), 0.1
    left, top, right, bottom = crop_px(xy_px, score, (1280, 1000), 0.75)
    assert (right - left) / (bottom - top) == pytest.approx(0.75, abs=0.01)
    seen = xy_px[score > 0.5]
    assert np.all(seen > (left, top))
    assert np.all(seen < (right, bottom))


def test_where_nobody_is_seen_the_whole_picture_is_shown():
    left, top, right, bottom = crop_px(np.zeros((2, 9, 2)), np.zeros((2, 9)), (640, 480), 0.75)
    assert left <= 0 <= 640 <= right
    assert top <= 0 <= 480 <= bottom


def test_rows_come_back_from_their_file(tmp_path):
    rows = [Row("v.mp4", "k.npz", "a -> b", (0.5, 1.5), (("0.jpg", "s0.jpg"), ("1.jpg", "s1.jpg")))]
    save_rows(tmp_path / "rows.json", rows)
    assert load_rows(tmp_path / "rows.json") == rows


def test_a_cut_out_beyond_the_picture_is_filled_and_keeps_its_place():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, 50:] = 200
    part = lay.cut_out(picture, (25, -25, 75, 42))
    assert part.shape == (CELL_WH_PX[1], CELL_WH_PX[0], 3)
    assert part[:, : CELL_WH_PX[0] // 2 - 3].max() == 0
    assert part[:, CELL_WH_PX[0] // 2 + 3 :].min() == 200


def test_a_row_shows_each_video_picture_left_of_its_avatar_from_every_side():
    width, height = CELL_WH_PX
    sources = [np.full((height, width, 3), 40 + 10 * n, np.uint8) for n in range(3)]
    avatars = [[np.full((64, 48, 3), level + 10 * n, np.uint8) for level in (140, 200)] for n in range(3)]
    row = lay.lay_row(sources, avatars, "a -> b")
    line = row[-5, :, 0].astype(int)
    assert [line[5], line[width + 5], line[2 * width + 5]] == [40, 140, 200]
    assert sorted(set(line)) == [40, 50, 60, 140, 150, 160, 200, 210, 220, 255]
