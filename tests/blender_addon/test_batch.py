"""The batch as it is really used: a process of its own, real videos, real bad input, its lines and its exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

from blender_addon import rigs
from blender_addon.batch import _outputs
from blender_addon.core import egl

from .addon import ENGINE_PYTHON, ROOT, make_armature, needs_engine, short_clip

pytestmark = needs_engine

# The default embedded version answers for all where the version cannot matter.
default_version_only = pytest.mark.skipif(bpy.app.version[:2] != (5, 0), reason="the same on every version")
RIG = rigs.list_rigs()[0].name


def batch(*arguments: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "blender_addon.batch", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, timeout=300
    )


def lines_of(ended: subprocess.CompletedProcess[str], name: str) -> list[str]:
    return [line for line in (ended.stdout + ended.stderr).splitlines() if line.startswith(name + ": ")]


def facts_of(blend: Path) -> dict:
    """What a saved file holds, read by another process."""
    program = (
        "import bpy, json, os, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1]); s = bpy.context.scene;"
        "a = [o for o in s.objects if o.type == 'ARMATURE' and o.animation_data and o.animation_data.action];"
        "print('FACTS' + json.dumps({'fps': s.render.fps / s.render.fps_base, 'end': s.frame_end,"
        " 'actions': {o.name: list(o.animation_data.action.frame_range) for o in a},"
        " 'objects': sorted(o.name for o in s.objects)}), flush=True); os._exit(0)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(blend)], capture_output=True, text=True, check=True)
    return json.loads(ended.stdout.partition("FACTS")[2].splitlines()[0])


def test_a_video_becomes_a_blend_with_an_action_as_long_as_its_part_at_its_own_rate(tmp_path):
    clip = short_clip()
    out = tmp_path / "a folder" / "dance.blend"
    ended = batch("--video", clip, "--rig", RIG, "--out", out, "--end", "0.5")
    assert ended.returncode == 0, ended.stderr
    (line,) = lines_of(ended, clip.name)
    assert f"frames on {RIG} -> {out}. Jitter " in line
    assert "The performer is taken to be 1.70 m tall." in line
    assert ended.stdout.splitlines() == [line]
    frames = int(line.split()[1])
    facts = facts_of(out)
    assert facts["actions"][RIG] == [1.0, frames]
    assert facts["end"] == frames
    assert abs(frames / facts["fps"] - 0.5) <= 1.5 / facts["fps"]
    assert [path.name for path in out.parent.iterdir()] == ["dance.blend"]


@default_version_only
@pytest.mark.skipif(not egl.can_render(), reason="nothing here to render with")
def test_a_preview_film_lies_beside_the_blend_and_leaves_nothing_in_it(tmp_path):
    clip = short_clip()
    ended = batch("--video", clip, "--rig", RIG, "--out", tmp_path, "--end", "0.3", "--preview")
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{clip.stem}.blend", f"{clip.stem}_preview.mp4"]
    assert not [name for name in facts_of(tmp_path / f"{clip.stem}.blend")["objects"] if "preview" in name.lower()]


@default_version_only
def test_bad_videos_fail_in_words_the_good_one_is_done_and_nothing_half_written_stays(tmp_path):
    kinds = ("missing", "empty", "folder", "sound", "text", "cut off", "picture", "nobody")
    subprocess.run(
        [
            ENGINE_PYTHON,
            "-c",
            "import sys, pathlib; from tests.atcn_core.video_files import bad_file, write_video\n"
            "folder = pathlib.Path(sys.argv[1])\n"
            "for kind in sys.argv[2:]: bad_file(kind, folder)\n"
            "write_video(folder / 'nobody.mp4', [i / 25 for i in range(10)])",
            tmp_path,
            *kinds[:-1],
        ],
        cwd=ROOT,
        check=True,
    )
    clip = short_clip()
    paths = [tmp_path / ("picture.png" if kind == "picture" else f"{kind}.mp4") for kind in kinds]
    out = tmp_path / "out"
    ended = batch("--video", *paths[:4], clip, *paths[4:], "--rig", RIG, "--out", out, "--end", "0.3")
    assert ended.returncode == 1
    said = {path.stem: lines_of(ended, path.name) for path in paths}
    for kind, word in {"missing": "no video file", "sound": "sound", "nobody": "nobody", "empty": "empty"}.items():
        assert word in said[kind][0], said[kind]
    for kind, lines in said.items():
        assert len(lines) == 1, (kind, ended.stderr)
        assert "Choose" in lines[0] or "Check" in lines[0] or "Copy" in lines[0] or kind == "nobody", lines
    assert "Traceback" not in ended.stderr
    assert " frames on " in lines_of(ended, clip.name)[0]
    assert [path.name for path in out.iterdir()] == [clip.stem + ".blend"]


@default_version_only
def test_an_armature_of_an_opened_scene_is_animated_in_a_copy_and_the_scene_file_is_untouched(tmp_path):
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    armature = rigs.append_avatar(rigs.find_rig(RIG), bpy.context.scene)
    armature.name = "Hero"
    make_armature("sticks", ["hips"])
    bpy.context.scene.render.fps = 12
    scene = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    before = scene.read_bytes()
    clip = short_clip()
    out = tmp_path / "out"
    ended = batch("--scene", scene, "--video", clip, clip, "--armature", "Hero", "--out", out, "--end", "0.5")
    assert ended.returncode == 0, ended.stderr
    assert scene.read_bytes() == before
    for name in (clip.stem, clip.stem + "-2"):
        facts = facts_of(out / f"{name}.blend")
        assert facts["fps"] == 12
        assert facts["end"] == 250
        assert facts["actions"]["Hero"][1] == pytest.approx(6, abs=1)

    for wrong, word in {"sticks": "left_thigh", "Nobody": "no object 'Nobody'"}.items():
        ended = batch("--scene", scene, "--video", clip, "--armature", wrong, "--out", tmp_path / "wrong")
        assert ended.returncode == 1
        assert word in lines_of(ended, clip.name)[0]
        assert not (tmp_path / "wrong").exists()
    ended = batch("--scene", scene, "--video", clip, "--armature", "Hero", "--out", scene)
    assert ended.returncode == 1
    assert "is the scene file itself" in ended.stderr
    assert scene.read_bytes() == before


@default_version_only
def test_keypoints_are_kept_and_used_again_without_detecting(tmp_path):
    clip = short_clip()
    keypoints = tmp_path / "keypoints.npz"
    common = ("--video", clip, "--rig", RIG, "--keypoints", keypoints, "--end", "0.3")
    assert batch(*common, "--out", tmp_path / "a.blend").returncode == 0
    written = keypoints.read_bytes()
    no_model = {"ATCN_CACHE_DIR": str(tmp_path / "empty"), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    again = batch(*common, "--out", tmp_path / "b.blend", **no_model, PIP_FIND_LINKS="")
    assert again.returncode == 0, again.stderr
    assert keypoints.read_bytes() == written
    other = tmp_path / "other.npz"
    other.write_text("no keypoints")
    ended = batch("--video", clip, "--rig", RIG, "--keypoints", other, "--out", tmp_path / "c.blend")
    assert ended.returncode == 1
    assert "other.npz is not a readable .npz file" in ended.stderr
    assert not (tmp_path / "c.blend").exists()


@default_version_only
def test_an_unknown_network_is_answered_with_the_known_ones(tmp_path):
    ended = batch("--video", short_clip(), "--rig", RIG, "--out", tmp_path, "--network", "l9xv9")
    assert ended.returncode == 1
    assert "l9xv9" in ended.stdout + ended.stderr
    assert "l6xv4" in ended.stdout + ended.stderr
    assert not list(tmp_path.glob("*.blend"))


@default_version_only
def test_a_missing_model_that_cannot_be_fetched_is_told(tmp_path):
    clip = short_clip()
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    ended = batch("--video", clip, "--rig", RIG, "--out", tmp_path, **offline, ATCN_CACHE_DIR=str(tmp_path / "cache"))
    assert ended.returncode == 1
    assert "model" in lines_of(ended, clip.name)[0]
    assert not list(tmp_path.glob("*.blend"))


@default_version_only
def test_a_wrong_engine_is_told_before_any_job_starts(tmp_path):
    clip = short_clip()
    for python, word in ((sys.executable, "lacks"), (str(tmp_path / "none"), "There is no engine Python")):
        ended = batch("--video", clip, "--rig", RIG, "--out", tmp_path / "out", ATCN_ENGINE_PYTHON=python)
        assert ended.returncode == 1
        assert word in ended.stderr
    assert not (tmp_path / "out").exists()


@default_version_only
def test_a_rig_json_with_a_wrong_key_is_told_with_its_file_and_key(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "blender_addon", project / "blender_addon", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "atcn_core").symlink_to(ROOT / "atcn_core")
    (project / "rigs" / "mine").mkdir(parents=True)
    data = json.loads((rigs.rigs_dir() / RIG / "rig.json").read_text())
    (project / "rigs" / "mine" / "rig.json").write_text(json.dumps({**data, "bonez": {}}))
    ended = batch(
        *("--video", short_clip(), "--rig", "mine", "--out", tmp_path / "out"),
        cwd=project,
        ATCN_ENGINE_PYTHON=str(ENGINE_PYTHON),
    )
    assert ended.returncode == 1
    assert "mine/rig.json has unknown keys: bonez" in ended.stderr
    assert not (tmp_path / "out").exists()


@default_version_only
@pytest.mark.skipif(os.name == "nt", reason="no such limits")
def test_a_file_that_cannot_be_written_whole_is_told_and_no_half_of_it_stays(tmp_path):
    """Stands for a full disk: no file may grow past 100 kB."""
    import resource

    clip = short_clip()
    ended = subprocess.run(
        [sys.executable, "-m", "blender_addon.batch", "--video", clip, "--rig", RIG, "--out", tmp_path, "--end", "0.2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert ended.returncode == 1
    assert "Cannot write" in lines_of(ended, clip.name)[0]
    assert list(tmp_path.iterdir()) == []


@default_version_only
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--video", "a.mp4", "--out", "x"),
        ("--video", "a.mp4", "b.mp4", "--rig", RIG, "--out", "x.blend"),
        ("--video", "a.mp4", "--rig", RIG, "--armature", "Hero", "--out", "x"),
    ],
)
def test_wrong_usage_ends_with_2(arguments):
    ended = batch(*arguments)
    assert ended.returncode == 2
    assert "usage" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_videos_of_one_name_do_not_overwrite_each_other():
    videos = [Path("a/walk.mp4"), Path("b/walk.mp4"), Path("run.mov"), Path("c/walk.mov")]
    assert [path.name for path in _outputs(videos, Path("out"))] == [
        "walk.blend",
        "walk-2.blend",
        "run.blend",
        "walk-3.blend",
    ]
