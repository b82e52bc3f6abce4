"""The dependency rule: blender_addon -> the light half of atcn_core -> nothing heavy. And a few "only here" rules."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "cv2", "mediapipe", "scipy", "av", "safetensors", "tqdm", "onnxruntime"}
BLENDER = {"bpy", "mathutils", "bmesh", "gpu"}

LIGHT = (
    "atcn_core",
    "atcn_core.errors",
    "atcn_core.skeleton",
    "atcn_core.frames",
    "atcn_core.rotation",
    "atcn_core.camera_path",
    "atcn_core.clip",
    "atcn_core.files",
    "atcn_core.hands",
    "atcn_core.reporter",
    "atcn_core.egl",
    "atcn_core.worker",
    "atcn_core.worker.protocol",
    "atcn_core.worker.client",
    "atcn_core.worker.environment",
    "atcn_core.worker.install",
    *(f"atcn_core.motion.{path.stem}" for path in sorted((ROOT / "atcn_core/motion").glob("[!_]*.py"))),
)
# The worker's own Python may be a bare one while it makes the engine: not even numpy there.
BARE = ("atcn_core.worker.__main__", "atcn_core.worker.jobs", "atcn_core.worker.client", "atcn_core.worker.install")


def sources(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it, by its full name; relative ones resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def loaded_by(modules: tuple[str, ...]) -> set[str]:
    program = f"import importlib, sys\nfor m in {modules!r}: importlib.import_module(m)\nprint(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_the_light_half_loads_nothing_heavy_and_no_blender():
    assert not loaded_by(LIGHT) & (HEAVY | BLENDER)


def test_the_worker_starts_on_the_standard_library_alone():
    assert not loaded_by(BARE) & (HEAVY | BLENDER | {"numpy"})


@pytest.mark.parametrize("path", sources("atcn_core"), ids=relative)
def test_the_core_knows_neither_blender_nor_the_add_on(path):
    assert not [module for module in imports(path) if within(module, BLENDER | {"blender_addon"})]


@pytest.mark.parametrize("path", [*sources("atcn_core"), *sources("blender_addon")], ids=relative)
def test_nothing_leans_on_training_or_evaluation(path):
    own = {".".join(path.relative_to(ROOT).parts[:2])}
    others = {"atcn_core.train", "atcn_core.evaluate"} - own
    if own == {"atcn_core.evaluate"}:  # it scores what training made, on training's data
        others = set()
    assert not [module for module in imports(path) if within(module, others)]


@pytest.mark.parametrize("path", sources("blender_addon"), ids=relative)
def test_the_add_on_reaches_the_core_through_one_door_and_nothing_heavy_at_all(path):
    found = set(imports(path))
    assert not [module for module in found if within(module, HEAVY)]
    if path.name != "core.py":
        assert not [module for module in found if within(module, {"atcn_core"})]


def attributes(path: Path) -> set[str]:
    """Every dotted name in a file, as written: "bpy.app.version"."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", sources("blender_addon"), ids=relative)
def test_versions_are_asked_for_in_one_place_and_keys_written_in_one(path):
    names = attributes(path)
    if path.name != "compat.py":
        assert not [name for name in names if name.startswith("bpy.app.version")]
    if path.name not in {"bake.py", "merging.py", "bench.py"}:  # the benchmark writes keys the slow way, to compare
        assert not [name for name in names if name.endswith((".keyframe_insert", ".keyframe_points"))]


def test_the_worker_is_the_only_place_that_catches_everything():
    caught = []
    for path in [*sources("atcn_core"), *sources("blender_addon")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception"):
                caught.append(relative(path))
    assert caught == ["atcn_core/worker/__main__.py"]
