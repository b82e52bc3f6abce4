"""The field of view: given, from the file, measured, assumed, in this order; and said so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from atcn_core.camera.focal import MeasuredFocal
from atcn_core.camera.lens import FileLens, choose_lens, lens_of_file
from atcn_core.errors import VideoError
from atcn_core.frames import Intrinsics

from ..video_files import SHARED_VIDEOS, needs_shared

WH_PX = (1920, 1080)
TAG = "com.apple.quicktime.camera.focal_length.35mm_equivalent"


def fov_deg(camera: Intrinsics) -> float:
    return float(np.degrees(2 * np.arctan(0.5 * max(WH_PX) / camera.focal_px)))


def tagged(path: Path, **tags: str) -> Path:
    """A short film whose container has these tags."""
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_phone_s_tag_is_read(tmp_path: Path) -> None:
    assert lens_of_file(tagged(tmp_path / "phone.mov", **{TAG: "26"})) == FileLens(26.0, TAG)
    assert lens_of_file(tagged(tmp_path / "plain.mov")) is None
    assert lens_of_file(tagged(tmp_path / "odd.mov", **{TAG: "no number"})) is None
    assert lens_of_file(tmp_path / "missing.mov") is None


@needs_shared
def test_films_without_tags_say_nothing() -> None:
    assert lens_of_file(SHARED_VIDEOS / "tfjs_pose_1.mp4") is None


def test_what_is_given_goes_before_all_else() -> None:
    lens = choose_lens(WH_PX, 47.0, FileLens(26.0, TAG), MeasuredFocal(1500.0, 0.01, 0.1))
    assert (lens.source, lens.note) == ("given", "Field of view 47°, as given.")
    assert fov_deg(lens.camera) == pytest.approx(47.0)


def test_the_file_goes_before_what_was_measured() -> None:
    lens = choose_lens(WH_PX, 0.0, FileLens(26.0, TAG), MeasuredFocal(1500.0, 0.01, 0.1))
    assert lens.source == "file"
    assert "26 mm" in lens.note
    # An iPhone's main camera, 26 mm equivalent, sees 65 to 70 degrees across.
    assert 64 < fov_deg(lens.camera) < 71


@pytest.mark.parametrize(
    ("measured", "source"),
    [
        (MeasuredFocal(1500.0, 0.01, 0.1), "turning"),
        (MeasuredFocal(1500.0, 0.3, 0.1), "assumed"),
        (MeasuredFocal(20000.0, 0.01, 0.1), "assumed"),
        (None, "assumed"),
    ],
)
def test_what_turning_tells_counts_where_it_is_sure_and_likely(measured: MeasuredFocal | None, source: str) -> None:
    lens = choose_lens(WH_PX, 0.0, None, measured)
    assert lens.source == source
    assert lens.camera.focal_px == pytest.approx(1500.0 if source == "turning" else Intrinsics.assumed(WH_PX).focal_px)


def test_impossible_fields_of_view_are_refused() -> None:
    with pytest.raises(VideoError, match="200 degrees"):
        choose_lens(WH_PX, 200.0, None, None)
