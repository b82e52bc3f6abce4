"""The zip as a user gets it: validates, installs, enables, captures, goes off and on again, in a Blender of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import bpy
import pytest

import build_addon

from .addon import ENGINE_PYTHON, ROOT, needs_engine, short_clip

MODULE = "bl_ext.user_default.atcn_capture"

USE_IT = f"""
import json, os, sys
import bpy
import addon_utils  # only there once bpy is
archive, video = sys.argv[1:3]
facts = {{}}
bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
facts["enabled"] = "{MODULE}" in bpy.context.preferences.addons
facts["preferences"] = hasattr(bpy.context.preferences.addons["{MODULE}"].preferences, "engine_python")
settings = bpy.context.scene.atcn
settings.video, settings.use_range, settings.end_s = video, True, 0.4
facts["capture"] = list(bpy.ops.atcn.capture())
facts["frames"] = list(settings.armature.animation_data.action.frame_range)
from importlib import import_module
engine = import_module("{MODULE}.blender_addon.engine")
facts["engine_dir"] = str(engine.engine_dir())
facts["heavy"] = sorted({{"torch", "cv2", "mediapipe", "scipy"}} & set(sys.modules))
facts["path"] = [entry for entry in sys.path if "atcn" in entry]
addon_utils.disable("{MODULE}", default_set=True)
facts["gone"] = not hasattr(bpy.types.Scene, "atcn") and not hasattr(bpy.types, "ATCN_PT_capture")
facts["handlers"] = [str(handler) for handler in bpy.app.handlers.load_pre if "atcn" in str(handler)]
addon_utils.enable("{MODULE}", default_set=True)
facts["again"] = hasattr(bpy.types.Scene, "atcn") and hasattr(bpy.types, "ATCN_PT_capture")
try:
    bpy.context.scene.atcn.video = video + ".none"
    bpy.ops.atcn.capture()
except RuntimeError as error:
    facts["error"] = str(error)
addon_utils.disable("{MODULE}", default_set=True)
print("FACTS" + json.dumps(facts), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    return build_addon.build(tmp_path_factory.mktemp("dist"))


def test_the_zip_holds_what_is_needed_and_nothing_else(archive):
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        assert len(opened.read("__init__.py").splitlines()) == 2
    wanted = {"blender_manifest.toml", "constraints.txt", "LICENSE", "atcn_core/worker/__main__.py"}
    assert wanted <= set(names)
    assert {Path(name).parts[1] for name in names if name.startswith("rigs/")} == {
        path.parent.name for path in ROOT.glob("rigs/*/rig.json")
    }
    assert any(name.endswith(".safetensors") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests", "docs", "."))]


def test_the_same_files_give_the_same_bytes(archive, tmp_path):
    assert build_addon.build(tmp_path).read_bytes() == archive.read_bytes()


def test_blenders_own_checker_accepts_it(archive):
    tool = Path(bpy.utils.resource_path("LOCAL")) / "scripts/addons_core/bl_pkg/cli/blender_ext.py"
    ended = subprocess.run([sys.executable, tool, "validate", archive], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@needs_engine
def test_it_installs_captures_goes_off_and_on_again(archive, tmp_path):
    script = tmp_path / "use_it.py"
    script.write_text(USE_IT)
    home = tmp_path / "a home"
    home.mkdir()
    ended = subprocess.run(
        [sys.executable, script, archive, short_clip()],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "BLENDER_USER_RESOURCES": str(home),
            "ATCN_ENGINE_PYTHON": str(ENGINE_PYTHON),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "FACTS" in ended.stdout, ended.stdout + ended.stderr
    facts = json.loads(ended.stdout.partition("FACTS")[2].splitlines()[0])
    assert facts["enabled"]
    assert facts["preferences"]
    assert facts["capture"] == ["FINISHED"]
    assert facts["frames"][1] > 5
    assert Path(facts["engine_dir"]).is_relative_to(home)
    assert (facts["heavy"], facts["path"], facts["handlers"]) == ([], [], [])
    assert facts["gone"]
    assert facts["again"]
    assert "There is no video file" in facts["error"]
