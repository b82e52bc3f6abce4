"""The page is whole in itself, well-formed, and shows the doubtful frames of the film."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from atcn_core.capture import main
from atcn_core.clip import Keypoints2D, save_keypoints
from atcn_core.errors import CancelledError, OutputError
from atcn_core.motion.take_report import from_json
from atcn_core.motion.take_table import page_with
from atcn_core.report_page import PICTURE_HEIGHT_PX, write_report
from atcn_core.reporter import Reporter
from atcn_core.skeleton import CAPTURE
from atcn_core.video import read_frames
from tests.atcn_core.motion.test_take_report import FPS, filmed, hidden, standing_person

from .video_files import grey_of, write_video


class Listener(Reporter):
    """Keeps what it is told, and wishes to stop after so many steps."""

    def __init__(self, cancel_after: int = 1000) -> None:
        self.told: list[tuple[str, int, int]] = []
        self.cancel_after = cancel_after

    def progress(self, stage: str, current: int, total: int) -> None:
        self.told.append((stage, current, total))

    def check_cancelled(self) -> None:
        if len(self.told) >= self.cancel_after:
            raise CancelledError("Cancelled.")


@pytest.fixture
def take():
    motion, keypoints = filmed(standing_person(60))
    return motion, hidden(keypoints, 10, 40, "left_index", "left_pinky")


def test_the_page_is_well_formed_whole_in_itself_and_tells_the_figures(take, tmp_path):
    paths = write_report(tmp_path / "a <b> & c.html", *take)
    text = (tmp_path / "a <b> & c.html").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert root.findtext(".//h1") == "Take report: a <b> & c"
    sources = [element.get("src", "") for element in root.iter() if "src" in element.attrib]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert not re.search(r"https?:|<script|<link", text)
    assert "left hand unseen" in text
    report = from_json((tmp_path / "a <b> & c.json").read_text(encoding="utf-8"))
    assert f"{report.seen_percent:.1f} %" in text
    assert paths == {"report": str(tmp_path / "a <b> & c.html"), "report_data": str(tmp_path / "a <b> & c.json")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a <b> & c.html", "a <b> & c.json"]
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in tmp_path.iterdir())  # colleagues may read them


def test_the_frame_in_the_middle_of_a_doubt_is_shown_with_the_joints_drawn_over(take, tmp_path):
    film = write_video(tmp_path / "film.mp4", [frame / FPS for frame in range(60)])
    write_report(tmp_path / "r.html", *take, str(film))
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    (jpeg,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", text)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(jpeg), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == PICTURE_HEIGHT_PX


def test_the_film_beside_the_page_shows_the_motion_over_the_video_in_its_own_time(take, tmp_path):
    motion, keypoints = take
    video = write_video(tmp_path / "film.mp4", [frame / FPS for frame in range(60)], size_wh_px=(640, 360))
    listener = Listener()
    paths = write_report(tmp_path / "r & s.html", motion, keypoints, str(video), overlay=True, reporter=listener)
    film = tmp_path / "r & s_overlay.mp4"
    assert paths["report_film"] == str(film)
    assert 'src="r%20%26%20s_overlay.mp4"' in (tmp_path / "r & s.html").read_text(encoding="utf-8")
    shown = list(read_frames(film))
    np.testing.assert_allclose([time_s for time_s, _ in shown], motion.times_s, atol=2e-3)
    assert listener.told == [("overlay", done + 1, 60) for done in range(60)]
    # what is doubtful stands on black below the time
    black = [shown[number][1][30:36, 2:40].mean() for number in (5, 16, 32, 43)]  # bright frames
    assert max(black[1:3]) < 100 < min(black[0], black[3])
    # the middle of each thigh is where the camera has it, in its side's colour, on the frame's own grey
    for number in (0, 30):
        picture = shown[number][1].astype(int)
        assert abs(picture[-20:, :20].mean() - grey_of(number)) < 12
        scale = picture.shape[0] / keypoints.image_wh_px[1]
        for side, warm in (("left", True), ("right", False)):
            ends = keypoints.skeleton.indices(f"{side}_hip", f"{side}_knee")
            x, y = (keypoints.xy_px[number, ends].mean(axis=0) * scale).round().astype(int)
            blue, _, red = picture[y, x]
            assert (red > blue + 60) if warm else (blue > red + 60)


def test_a_cancelled_film_leaves_nothing(take, tmp_path):
    video = write_video(tmp_path / "film.mp4", [frame / FPS for frame in range(60)])
    with pytest.raises(CancelledError):
        write_report(tmp_path / "r.html", *take, str(video), overlay=True, reporter=Listener(cancel_after=10))
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_the_page_takes_the_figures_of_a_rig(take, tmp_path):
    write_report(tmp_path / "r.html", *take)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    report = from_json((tmp_path / "r.json").read_text(encoding="utf-8"))
    measured = replace(report, rig="<Bruno>", rig_foot_slide_cm_s=1.25, rig_below_floor_cm=0.0, rig_deepest_cm=0.3)
    for _ in range(2):
        text = page_with(text, measured)
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    rows = {row[0].text: row[1].text for row in root.iter("tr") if len(row) == 2}
    assert rows["Standing feet slide, on <Bruno>"] == "1.2 cm/s"
    assert len([row for row in rows if row.startswith("Joints")]) == 1
    assert page_with(page_with(text, report), measured) == text


def test_a_film_that_is_gone_costs_the_pictures_only_and_a_folder_in_the_way_is_told(take, tmp_path):
    write_report(tmp_path / "r.html", *take, str(tmp_path / "gone.mp4"))
    assert "jpeg" not in (tmp_path / "r.html").read_text(encoding="utf-8")
    (tmp_path / "s.json").mkdir()
    with pytest.raises(OutputError):
        write_report(tmp_path / "s.html", *take)
    assert not (tmp_path / "s.html").exists()
    assert not list(tmp_path.glob("*.part"))


def test_the_command_line_writes_page_figures_and_film(tmp_path, capsys):
    data = Path(__file__).parents[1] / "data"
    with np.load(data / "demo_truth.npz") as truth:
        score = np.ones(truth["xy_px"].shape[:2], np.float32)
        xy_px, size_px = truth["xy_px"].astype(np.float32), (int(truth["image_wh_px"][0]), int(truth["image_wh_px"][1]))
        keypoints = Keypoints2D(CAPTURE, truth["times_s"], float(truth["fps"]), size_px, xy_px, score)
    save_keypoints(tmp_path / "k.npz", keypoints)
    words = [str(data / "demo.mp4"), "--out", str(tmp_path / "m.npz"), "--keypoints", str(tmp_path / "k.npz")]
    words += ["--end", "1", "--device", "cpu", "--report", str(tmp_path / "there" / "r.html")]
    for extra, names in (([], ["r.html", "r.json", "r_overlay.mp4"]), (["--no-overlay"], ["r.html", "r.json"])):
        assert main([*words, *extra]) == 0
        assert sorted(path.name for path in (tmp_path / "there").iterdir()) == names
        report = from_json((tmp_path / "there" / "r.json").read_text(encoding="utf-8"))
        assert report.frames == 25
        assert report.found_percent == 100.0
        assert report.rig == ""
        for path in (tmp_path / "there").iterdir():
            path.unlink()
    capsys.readouterr()
