"""Real video files for tests: the ones beside the repository, and small ones written here with every frame known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

SHARED_VIDEOS = Path(__file__).parents[3] / "shared" / "videos"
ONE_MAN = "temugeb/temugeb_cam0_test.mp4"
needs_shared = pytest.mark.skipif(not SHARED_VIDEOS.is_dir(), reason="the folder of real videos is not there")

SIZE_WH_PX = (96, 64)


def grey_of(index: int) -> int:
    """The grey a frame of `write_video` is filled with: frames can be told apart after lossy coding."""
    return 20 + (index * 37) % 200


def write_video(
    path: Path,
    times_s: Sequence[float],
    *,
    codec: str = "mpeg4",
    form: str | None = None,
    ticks_per_s: int = 1000,
    size_wh_px: tuple[int, int] = SIZE_WH_PX,
) -> Path:
    """A video of plain grey frames with these time stamps."""
    width_px, height_px = size_wh_px
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, ticks_per_s)
        stream.codec_context.max_b_frames, stream.bit_rate = 0, 4_000_000
        for index, time_s in enumerate(times_s):
            picture = np.full((height_px, width_px, 3), grey_of(index), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round(time_s * ticks_per_s), Fraction(1, ticks_per_s)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """An .mp4 with a sound track and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        for index in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_click(
    path: Path,
    click_s: float,
    *,
    picture_s: float = 0.0,
    sound_s: float = 0.0,
    seconds: float = 2.0,
    fps: int = 25,
    form: str = "mov",
    codec: str = "pcm_s16le",
) -> Path:
    """A film with sound, silent but for a click of 10 ms at the file's time click_s.

    picture_s, sound_s: when the two streams begin, each of them `seconds` long.
    """
    rate, (width_px, height_px) = 48000, SIZE_WH_PX
    wave = np.zeros(round(seconds * rate), np.float32)
    begin = round((click_s - sound_s) * rate)
    wave[begin : begin + rate // 100] = 0.8 * np.sin(0.6 * np.arange(len(wave[begin : begin + rate // 100])))
    with av.open(str(path), "w", format=form) as container:
        film, sound = container.add_stream("mpeg4", rate=fps), container.add_stream(codec, rate=rate)
        film.width, film.height, film.pix_fmt, sound.layout = width_px, height_px, "yuv420p", "mono"
        film.codec_context.time_base = film.time_base = Fraction(1, 1000)
        film.codec_context.max_b_frames = 0
        packets = []
        for index in range(round(seconds * fps)):
            picture = np.full((height_px, width_px, 3), grey_of(index), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round((picture_s + index / fps) * 1000), Fraction(1, 1000)
            packets += film.encode(frame)
        for first in range(0, len(wave), 1024):
            samples = wave[None, first : first + 1024]
            if codec.startswith("pcm"):
                part = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16), format="s16", layout="mono")
            else:
                part = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            part.sample_rate, part.pts, part.time_base = rate, round(sound_s * rate) + first, Fraction(1, rate)
            packets += sound.encode(part)
        packets += [*film.encode(None), *sound.encode(None)]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def index_first(source: Path, path: Path) -> Path:
    """The same video with its index at the file's beginning, so that a cut-off copy still plays."""
    with av.open(str(source)) as given, av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        track = given.streams.video[0]
        stream = container.add_stream_from_template(track)
        for packet in given.demux(track):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    return path


def cut_off(source: Path, path: Path, part: float) -> Path:
    """The first `part` of the file's bytes."""
    content = source.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    return path


def bad_file(kind: str, folder: Path) -> Path:
    """A real file (or folder, or nothing) that is no video to read."""
    path = folder / f"{kind}.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "sound":
        write_sound(path)
    elif kind == "text":
        path.write_text("This is no video.\n" * 100, encoding="utf-8")
    elif kind == "cut off":
        cut_off(write_video(folder / "whole.mp4", np.arange(50) / 25), path, 0.6)
    elif kind == "picture":
        path = folder / "picture.png"
        with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
            stream = container.add_stream("png", rate=1)
            stream.width, stream.height, stream.pix_fmt = 8, 8, "rgb24"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8), format="rgb24")))
            container.mux(stream.encode(None))
    return path


# Kind of bad file -> a word its message must hold.
BAD_FILES = {
    "missing": "no file",
    "empty": "empty",
    "folder": "folder",
    "sound": "sound",
    "text": "not a video",
    "cut off": "cut off",
    "picture": "still picture",
}
