"""The same clip is looked at once; another clip, another cut or a damaged cache is looked at anew."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atcn_core.capture import capture
from atcn_core.clip import Keypoints2D, load_keypoints
from atcn_core.detect import cache
from atcn_core.detect.model import ensure_model
from atcn_core.reporter import Reporter
from atcn_core.skeleton import LIMB_12, Skeleton
from atcn_core.worker.protocol import CaptureJob

DEMO = Path(__file__).parents[2] / "data" / "demo.mp4"


class Looks(Reporter):
    """Counts the frames that were looked at one by one."""

    def __init__(self) -> None:
        self.frames = 0

    def progress(self, stage: str, done: int, total: int) -> None:
        self.frames += stage == "detect" and 0 < done < total


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; the detector's model stays where it is."""
    monkeypatch.delenv(cache.AGAIN_VARIABLE)
    model = ensure_model()
    monkeypatch.setenv("ATCN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    shutil.copy(model, tmp_path / "cache")
    return tmp_path / "cache" / "keypoints"


def job(folder: Path, video: Path = DEMO, **changes: object) -> CaptureJob:
    made = CaptureJob(str(video), str(folder / "motion.npz"), str(folder / "k.npz"), cached=True, end_s=0.5)
    return replace(made, **changes)  # type: ignore[arg-type]  # of its own fields


def looks(asked: CaptureJob) -> int:
    reporter = Looks()
    capture(asked, reporter)
    return reporter.frames


def test_a_clip_is_looked_at_once_whatever_its_name(own_cache: Path, tmp_path: Path) -> None:
    assert looks(job(tmp_path)) > 5
    first = load_keypoints(tmp_path / "k.npz")
    copy = tmp_path / "another name.mp4"
    shutil.copy(DEMO, copy)
    assert looks(job(tmp_path, copy)) == 0
    again = load_keypoints(tmp_path / "k.npz")
    assert np.array_equal(first.xy_px, again.xy_px, equal_nan=True)
    assert np.array_equal(first.times_s, again.times_s)
    assert looks(job(tmp_path, end_s=0.3)) > 3
    assert looks(job(tmp_path, cached=False)) > 5

    (kept,) = [file for file in own_cache.iterdir() if looks_whole(file)]
    kept.write_bytes(kept.read_bytes()[:100])
    assert looks(job(tmp_path)) > 5
    assert looks(job(tmp_path)) == 0


def looks_whole(file: Path) -> bool:
    return len(load_keypoints(file).times_s) > 10


def some_keypoints() -> Keypoints2D:
    limbs = Skeleton("limbs", LIMB_12, (None,) * 12)
    return Keypoints2D(
        limbs, np.arange(2.0), 1.0, (10, 10), np.ones((2, 12, 2), np.float32), np.ones((2, 12), np.float32)
    )


def test_the_longest_unused_go_first(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT_CLIPS", 2)
    files = [cache.cache_file(job(tmp_path, start_s=float(start))) for start in range(3)]
    assert len(set(files)) == 3
    for age, file in enumerate(files[:2]):
        assert file is not None
        cache.keep_keypoints(file, some_keypoints())
        os.utime(file, (1000.0 + age, 1000.0 + age))
    assert cache.kept_keypoints(files[0]) is not None
    cache.keep_keypoints(files[2], some_keypoints())
    assert [file.is_file() for file in files if file] == [True, False, True]


def test_nothing_is_kept_where_it_cannot_be_or_must_not(own_cache: Path, tmp_path: Path) -> None:
    assert cache.cache_file(job(tmp_path, tmp_path / "missing.mp4")) is None
    assert cache.kept_keypoints(None) is None
    own_cache.parent.mkdir(exist_ok=True)
    own_cache.write_text("a file where the folder should be")
    cache.keep_keypoints(cache.cache_file(job(tmp_path)), some_keypoints())
    os.environ[cache.AGAIN_VARIABLE] = "1"
    assert cache.cache_file(job(tmp_path)) is None
