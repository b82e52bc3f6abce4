"""The page is whole in itself, well-formed, and shows the doubtful frames of the film."""

import base64
import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from atcn_core.errors import OutputError
from atcn_core.motion.take_report import from_json
from atcn_core.report_page import PICTURE_HEIGHT_PX, write_report
from tests.atcn_core.motion.test_take_report import FPS, filmed, hidden, standing_person

from .video_files import write_video


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


def test_the_frame_in_the_middle_of_a_doubt_is_shown_with_the_joints_drawn_over(take, tmp_path):
    film = write_video(tmp_path / "film.mp4", [frame / FPS for frame in range(60)])
    write_report(tmp_path / "r.html", *take, str(film), "film_preview.mp4")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    (jpeg,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", text)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(jpeg), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == PICTURE_HEIGHT_PX
    assert '<video controls="controls" src="film_preview.mp4">' in text


def test_a_film_that_is_gone_costs_the_pictures_only_and_a_folder_in_the_way_is_told(take, tmp_path):
    write_report(tmp_path / "r.html", *take, str(tmp_path / "gone.mp4"))
    assert "jpeg" not in (tmp_path / "r.html").read_text(encoding="utf-8")
    (tmp_path / "s.json").mkdir()
    with pytest.raises(OutputError):
        write_report(tmp_path / "s.html", *take)
    assert not (tmp_path / "s.html").exists()
    assert not list(tmp_path.glob("*.part"))
