"""Makes the extension's zip from blender_addon/, atcn_core/ and rigs/: `python build_addon.py [--out FOLDER]`.

The same files always give the same bytes. Standard library only.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["build", "contents"]

ROOT = Path(__file__).resolve().parent
MANIFEST = "blender_addon/blender_manifest.toml"
ENTRY = '"""Video to keyframes on your own rig."""\nfrom .blender_addon import register, unregister  # noqa: F401\n'
# What of the packages and the rigs goes along; the rest (caches, notes, build scripts) stays behind.
PACKAGES = ("blender_addon", "atcn_core")
PACKAGE_SUFFIXES = {".py", ".safetensors", ".json", ".npz"}
RIG_SUFFIXES = {".json", ".blend"}
PLAIN_FILES = ("LICENSE", "constraints.txt")
# The earliest date a zip can hold: not the time of building.
DATE = (1980, 1, 1, 0, 0, 0)


def contents(root: Path = ROOT) -> Iterator[tuple[str, bytes]]:
    """Name in the zip and content of each file, in order."""
    files: dict[str, bytes] = {"__init__.py": ENTRY.encode(), "blender_manifest.toml": (root / MANIFEST).read_bytes()}
    for name in PLAIN_FILES:
        files[name] = (root / name).read_bytes()
    for package in PACKAGES:
        files |= _below(root, root / package, PACKAGE_SUFFIXES)
    for rig in sorted(root.glob("rigs/*/rig.json")):
        files |= _below(root, rig.parent, RIG_SUFFIXES)
    yield from sorted(files.items())


def _below(root: Path, folder: Path, suffixes: set[str]) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    }


def build(out_folder: Path, root: Path = ROOT) -> Path:
    """Write the zip into the folder, under a temporary name first. Returns its path."""
    manifest = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
    out_folder.mkdir(parents=True, exist_ok=True)
    path = out_folder / f"{manifest['id']}-{manifest['version']}.zip"
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in contents(root):
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    part.replace(path)
    return path


def main(arguments: list[str]) -> int:
    """Build, and say where the zip is."""
    parser = argparse.ArgumentParser(description="Make the extension's zip.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where to (default: dist)")
    path = build(parser.parse_args(arguments).out)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
