"""The batch with motion files in place of videos, and its exports: a process of its own, and no engine to ask."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from atcn_core.motion.bvh import read_bvh
from blender_addon import engine, exporting, rigs
from blender_addon.batch import main

from .armatures import evaluated_heads
from .test_batch import RIG, batch, facts_of, lines_of
from .test_motion_source import waving_rig

NO_ENGINE = {engine.ENGINE_VARIABLE: "no such python"}


def exported_motion(path: Path) -> Path:
    exporting.export_animation(waving_rig(), bpy.context.scene, path, "BVH")
    return path


def test_motion_files_become_blends_and_exports_at_their_own_rate_without_an_engine(tmp_path):
    good, broken, out = exported_motion(tmp_path / "wave.bvh"), tmp_path / "cut.bvh", tmp_path / "out"
    broken.write_text(good.read_text()[:2000])
    kinds = ("bvh", "fbx", "glb", "usd")
    ended = batch("--bvh", broken, good, "--rig", RIG, "--out", out, "--export", *kinds, **NO_ENGINE)
    assert ended.returncode == 1
    (said,) = lines_of(ended, "cut.bvh")
    assert "is not a complete BVH file" in said
    (line,) = lines_of(ended, "wave.bvh")
    assert line.endswith("wave.blend, wave.bvh, wave.fbx, wave.glb, wave.usd")
    assert "Traceback" not in ended.stderr
    assert sorted(path.name for path in out.iterdir()) == sorted(f"wave.{ending}" for ending in ("blend", *kinds))
    facts = facts_of(out / "wave.blend")
    assert (facts["fps"], facts["end"], facts["actions"][RIG]) == (30.0, 30, [1.0, 30.0])
    motion = read_bvh(out / "wave.bvh")
    assert (motion.fps, len(motion.positions)) == (30.0, 30)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(out / "wave.blend")) as (_, wanted):
        wanted.objects = [RIG]
    armature = bpy.data.objects[RIG]
    bpy.context.scene.collection.objects.link(armature)
    hand = rigs.find_rig(RIG).map.bones["left_hand"]
    for frame in (1, 15, 30):
        x, y, z = motion.positions[frame - 1, motion.index(hand)] / 100
        found = np.array([x, -z, y])
        assert np.linalg.norm(found - evaluated_heads(armature, frame)[hand]) < 1e-3


def test_a_part_of_a_motion_can_be_taken(tmp_path):
    good = exported_motion(tmp_path / "wave.bvh")
    ended = batch("--bvh", good, "--rig", RIG, "--out", tmp_path / "a.blend", "--start", 0.2, "--end", 0.5, **NO_ENGINE)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("wave.bvh: 9 frames on ")


def test_what_is_only_for_videos_is_refused(tmp_path, capsys):
    options = ["--bvh", "a.bvh", "--rig", RIG, "--out", str(tmp_path / "b.blend")]
    for wrong in (["--preview"], ["--keypoints", "k.npz"], ["--video", "a.mp4"], ["--export", "docx"]):
        with pytest.raises(SystemExit) as ended:
            main([*options, *wrong])
        assert ended.value.code == 2
        assert wrong[0] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
