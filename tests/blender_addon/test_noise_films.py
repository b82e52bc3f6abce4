"""The films the detector is measured on: their truth is where the avatar's joints are, and the film is there."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from atcn_core import egl
from atcn_core.clip import save_arrays
from atcn_core.skeleton import CAPTURE
from rigs import render_noise_clips
from rigs.figure.joints import landmarks_of
from rigs.figure.people import MIRA
from rigs.noise.shots import Shot

SHOT = Shot("standing", "mira", 0.0, 0.1, 0.0, 10.0, 3.0, wh_px=(96, 128))
FRAMES = 3
needs_renderer = pytest.mark.skipif(
    bpy.app.background and not egl.can_render(), reason="Blender has nothing to render with"
)


@needs_renderer
def test_an_avatar_that_stands_as_it_was_built_is_filmed_with_its_joints_where_they_were_built(tmp_path: Path) -> None:
    places = landmarks_of(MIRA)
    standing = np.array([places[joint][1] for joint in CAPTURE.joints])
    way = np.array([0.3, -0.2, 0.0]) + np.arange(FRAMES)[:, None] * np.array([0.05, 0.0, 0.0])
    save_arrays(tmp_path / f"{SHOT.name}_motion.npz", {"joints_world": standing + way[:, None]})
    assert render_noise_clips.film(SHOT, tmp_path, 0) == FRAMES
    assert (tmp_path / f"{SHOT.name}.mp4").stat().st_size > 500
    assert not list(tmp_path.glob("*.part*"))
    with np.load(tmp_path / f"{SHOT.name}_truth.npz") as truth:
        pitch = np.deg2rad(SHOT.pitch_deg)
        right, down = np.array([1.0, 0.0, 0.0]), np.array([0.0, -np.sin(pitch), -np.cos(pitch)])
        ahead = np.cross(right, down)
        eye = np.array([0.0, -SHOT.distance_m, SHOT.aim_m + SHOT.distance_m * np.tan(pitch)])
        expected = (standing + way[:, None] - eye) @ np.stack([right, down, ahead]).T
        limbs = [i for i, joint in enumerate(CAPTURE.joints) if joint.split("_")[-1] not in ("toe", "nose", "ear")]
        assert np.abs(truth["joints_cam"] - expected)[:, limbs].max() < 0.03
        hidden = truth["hidden"][:, CAPTURE.indices("nose", "left_wrist", "right_knee")]
        assert not hidden.any(), "in T-pose before the camera nothing covers these"


def test_a_folder_without_cut_motions_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["render_noise_clips.py", "--out", str(tmp_path)])
    assert render_noise_clips.main() == 1
    assert "cut_noise_motions.py" in capsys.readouterr().err
