"""The worker's own process, without the client: what it says and with which exit code it ends."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from atcn_core.worker.__main__ import _failure
from atcn_core.worker.protocol import DemoJob, encode

ROOT = Path(__file__).resolve().parents[3]


def work(job_path: Path, keep_open: bool = True) -> tuple[int, list[dict], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "atcn_core.worker", job_path],
        cwd=ROOT,
        stdin=subprocess.PIPE if keep_open else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    messages = [json.loads(line) for line in process.stdout]
    return process.wait(), messages, process.stderr.read()


def job_file(folder: Path, job: DemoJob) -> Path:
    path = folder / "job.json"
    path.write_text(encode(job))
    return path


def test_a_finished_job_ends_with_exit_code_0(tmp_path):
    code, messages, _ = work(job_file(tmp_path, DemoJob(steps=2, step_s=0.0)))
    assert code == 0
    assert [message["kind"] for message in messages][-2:] == ["result", "done"]


def test_a_failed_job_ends_with_exit_code_1_and_done_is_last(tmp_path):
    code, messages, log = work(job_file(tmp_path, DemoJob(fail_at=0)))
    assert code == 1
    assert messages[-1] == {"kind": "done", "outcome": "failed"}
    assert "as it was asked" in log


def test_a_closed_standard_input_cancels(tmp_path):
    code, messages, _ = work(job_file(tmp_path, DemoJob(steps=1000)), keep_open=False)
    assert code == 1
    assert messages[-1] == {"kind": "done", "outcome": "cancelled"}


def test_a_job_file_that_is_missing_or_of_another_version_is_an_engine_failure(tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"kind": "demo", "unheard_of": 1}')
    for path in (tmp_path / "none.json", other):
        code, messages, _ = work(path)
        assert code == 1
        assert [message["kind"] for message in messages] == ["failure", "done"]
        assert messages[0]["code"] == "engine"


def test_without_a_job_file_it_says_how_it_is_used():
    ended = subprocess.run([sys.executable, "-m", "atcn_core.worker"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "JOBFILE" in ended.stderr


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (
            ImportError("libGL.so.1: cannot open shared object file: No such file"),
            "engine",
            "system library libGL.so.1",
        ),
        (OSError("libGLESv2.so.2: cannot open shared object file: No such file"), "engine", "libGLESv2.so.2"),
        (ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe"), "engine", "mediapipe"),
        (ModuleNotFoundError("No module named 'atcn_core.x'", name="atcn_core.x"), "bug", "atcn_core.x"),
        (OSError(errno.ENOSPC, "No space left on device"), "output", "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "bug", "Permission denied"),
        (ZeroDivisionError("division by zero"), "bug", "ZeroDivisionError"),
    ],
)
def test_what_the_system_refuses_is_told_in_words_and_everything_else_is_called_a_bug(problem, code, words):
    failure = _failure(problem)
    assert failure.code == code
    assert words in failure.message
