"""The benchmark's own clips are what they claim: so many frames, one after the other, the source's pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from atcn_core.bench import loop_clip
from atcn_core.video import read_frames


def _write_steps(path: Path, frames: int) -> None:
    """Frame i is plain grey of 20 * i."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(frames):
            picture = np.full((48, 64, 3), 20 * i, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def test_a_looped_clip_has_the_frames_asked_for_in_even_time(tmp_path):
    _write_steps(tmp_path / "steps.mp4", 10)
    assert loop_clip(tmp_path / "steps.mp4", tmp_path / "long.mp4", 37) == {"frames": 37}
    times_s, greys = zip(
        *((time_s, picture.mean()) for time_s, picture in read_frames(tmp_path / "long.mp4")), strict=True
    )
    assert len(times_s) == 37
    np.testing.assert_allclose(np.diff(times_s)[:-8], 0.1, atol=0.002)
    np.testing.assert_allclose(greys[:30], np.tile(20.0 * np.arange(10), 3), atol=4.0)
