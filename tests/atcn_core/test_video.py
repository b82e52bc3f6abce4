"""Videos are read upright, whole, at their own times; what is no video is refused in a sentence."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest

from atcn_core.errors import VideoError
from atcn_core.reporter import Reporter
from atcn_core.video import frame_times, probe, read_frames, sound_late_s

from .video_files import (
    BAD_FILES,
    ONE_MAN,
    SHARED_VIDEOS,
    SIZE_WH_PX,
    bad_file,
    cut_off,
    grey_of,
    index_first,
    needs_shared,
    write_click,
    write_sound,
    write_video,
)

EVEN_S = np.arange(50) / 25
REAL_VIDEOS = sorted(path.relative_to(SHARED_VIDEOS).as_posix() for path in SHARED_VIDEOS.rglob("*.m[po][4v]"))
ROTATED = [name for name in REAL_VIDEOS if "formats" in name or "rot90" in name]


class Listener(Reporter):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def test_every_frame_comes_once_in_order_with_its_own_time(tmp_path: Path) -> None:
    times_s = np.cumsum(np.random.default_rng(7).choice([0.02, 0.04, 0.12, 0.5], size=60)).round(3)
    path = write_video(tmp_path / "uneven.mp4", times_s)
    read = list(read_frames(path))
    np.testing.assert_allclose([time_s for time_s, _ in read], times_s - times_s[0], atol=1e-3)
    assert [round(float(picture.mean())) for _, picture in read] == pytest.approx([*map(grey_of, range(60))], abs=6)
    np.testing.assert_array_equal(frame_times(path), [time_s for time_s, _ in read])


def test_the_header_is_told_as_it_is(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "even.mp4", EVEN_S))
    assert info.image_wh_px == SIZE_WH_PX
    assert info.fps == pytest.approx(25.0, rel=0.05)
    assert info.frame_estimate == 50
    assert info.duration_s == pytest.approx(2.0, rel=0.05)
    assert info.frames_between(0.5, 1.5) == pytest.approx(25, abs=1)
    assert info.frames_between() == 50


@needs_shared
@pytest.mark.parametrize("name", REAL_VIDEOS)
def test_times_of_real_videos_are_those_of_another_decoder(name: str) -> None:
    with av.open(str(SHARED_VIDEOS / name)) as container:
        stamps_s = [frame.time for frame in container.decode(video=0)][:150]
    times_s = frame_times(SHARED_VIDEOS / name)
    assert np.all(np.diff(times_s) > 0)
    np.testing.assert_allclose(times_s[: len(stamps_s)], np.array(stamps_s) - stamps_s[0], atol=1e-3)


@needs_shared
@pytest.mark.parametrize("name", ROTATED)
def test_pictures_stand_upright_and_have_the_size_told(name: str) -> None:
    with av.open(str(SHARED_VIDEOS / name)) as container:
        stored = next(container.decode(video=0))
    upright = np.rot90(stored.to_ndarray(format="bgr24"), stored.rotation // 90)
    _, picture = next(read_frames(SHARED_VIDEOS / name))
    width_px, height_px = probe(SHARED_VIDEOS / name).image_wh_px
    assert stored.rotation % 360 != 0
    assert picture.shape == upright.shape == (height_px, width_px, 3)
    assert np.abs(picture.astype(int) - upright).mean() < 8  # the two decoders' colours differ a little


def test_frames_without_time_stamps_step_evenly(tmp_path: Path) -> None:
    path = write_video(tmp_path / "bare.m2v", EVEN_S, codec="mpeg2video", form="mpeg2video", ticks_per_s=25)
    times_s = frame_times(path)
    assert len(times_s) >= 49  # a bare stream may keep its last frame
    np.testing.assert_allclose(np.diff(times_s), 1 / 25, rtol=1e-6)


def test_time_stamps_that_start_again_go_on(tmp_path: Path) -> None:
    once = write_video(tmp_path / "once.ts", EVEN_S, codec="mpeg2video", form="mpegts", ticks_per_s=25)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(once.read_bytes() * 2)
    times_s = frame_times(twice)
    assert len(times_s) == 2 * len(frame_times(once))
    np.testing.assert_allclose(np.diff(times_s), 1 / 25, atol=0.011)


def test_time_stamps_that_start_late_start_at_zero(tmp_path: Path) -> None:
    times_s = frame_times(write_video(tmp_path / "late.mkv", EVEN_S + 7.0))
    np.testing.assert_allclose(times_s, EVEN_S, atol=2e-3)


@pytest.mark.parametrize("form", ["mov", "matroska"])
@pytest.mark.parametrize(("picture_s", "sound_s"), [(0.0, 0.0), (0.0, 0.5), (0.4, 0.0), (3.0, 3.0)])
def test_it_is_known_how_much_later_the_sound_begins(
    picture_s: float, sound_s: float, form: str, tmp_path: Path
) -> None:
    path = write_click(tmp_path / "click", 3.5, picture_s=picture_s, sound_s=sound_s, form=form)
    assert sound_late_s(path) == pytest.approx(sound_s - picture_s, abs=0.001)


def test_films_without_sound_and_sounds_without_film_have_nothing_that_is_late(tmp_path: Path) -> None:
    assert sound_late_s(write_video(tmp_path / "silent.mp4", EVEN_S)) == 0.0
    assert sound_late_s(write_sound(tmp_path / "sound.mp4")) == 0.0
    assert sound_late_s(bad_file("text", tmp_path)) == 0.0


def test_a_wrong_frame_count_neither_adds_nor_drops_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "uneven.avi", np.arange(20) / 10)
    assert probe(path).frame_estimate != 20
    assert len(list(read_frames(path))) == 20


def test_a_cut_holds_the_same_frames_as_the_whole(tmp_path: Path) -> None:
    path = write_video(tmp_path / "even.mp4", EVEN_S)
    whole = [(t, picture) for t, picture in read_frames(path) if 0.4 <= t < 1.2]
    part = list(read_frames(path, start_s=0.4, end_s=1.2))
    assert [t for t, _ in part] == [t for t, _ in whole]
    assert [t for t, _ in part] == pytest.approx(EVEN_S[10:30], abs=1e-6)
    assert all((a == b).all() for (_, a), (_, b) in zip(part, whole, strict=True))
    np.testing.assert_array_equal(frame_times(path, start_s=0.4, end_s=1.2), [t for t, _ in part])


def test_a_cut_without_a_frame_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "even.mp4", EVEN_S)
    with pytest.raises(VideoError, match=r"last frame at 1\.96 s"):
        list(read_frames(path, start_s=5.0))
    with pytest.raises(VideoError, match="not after its start"):
        list(read_frames(path, start_s=1.0, end_s=0.5))


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", np.arange(400) / 25)
    frame_bytes = 3 * SIZE_WH_PX[0] * SIZE_WH_PX[1]
    tracemalloc.start()
    try:
        frames = sum(1 for _ in read_frames(path))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert frames == 400
    assert peak_bytes < 20 * frame_bytes


@pytest.mark.parametrize(("kind", "word"), BAD_FILES.items())
def test_what_is_no_video_is_refused_in_a_sentence(kind: str, word: str, tmp_path: Path) -> None:
    path = bad_file(kind, tmp_path)
    for read in (probe, lambda path: list(read_frames(path))):
        with pytest.raises(VideoError, match=word) as caught:
            read(path)
        assert path.name in caught.value.message
        assert caught.value.hint
        assert "\n" not in str(caught.value)


def test_a_broken_off_copy_gives_the_frames_it_has_and_a_warning(tmp_path: Path) -> None:
    whole = index_first(write_video(tmp_path / "whole.mp4", EVEN_S), tmp_path / "index_first.mp4")
    listener = Listener()
    frames = len(list(read_frames(cut_off(whole, tmp_path / "part.mp4", 0.6), reporter=listener)))
    assert 0 < frames < 45
    assert len(listener.warnings) == 1
    assert "breaks off" in listener.warnings[0]
    assert len(list(read_frames(whole, reporter=listener))) == 50
    list(read_frames(whole, end_s=0.5, reporter=listener))
    assert len(listener.warnings) == 1


@needs_shared
def test_a_broken_off_copy_of_a_real_video_plays_to_its_end(tmp_path: Path) -> None:
    whole = index_first(SHARED_VIDEOS / ONE_MAN, tmp_path / "index_first.mp4")
    listener = Listener()
    times_s = [t for t, _ in read_frames(cut_off(whole, tmp_path / "part.mp4", 0.33), reporter=listener)]
    assert 40 < len(times_s) < 80
    assert times_s == pytest.approx(np.arange(len(times_s)) / 20)
    assert "header says 9.3 s" in listener.warnings[0] or "header says 9.4 s" in listener.warnings[0]


def test_the_decoder_keeps_quiet(tmp_path: Path) -> None:
    path = bad_file("cut off", tmp_path)
    code = (
        f"from atcn_core.video import probe\ntry: probe({str(path)!r})\nexcept Exception as e: print(type(e).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "VideoError"
    assert done.stderr == ""
