"""The client against a real worker process doing the demo job: progress, cancelling, failing, dying, orphaning."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from atcn_core.errors import AtcnError, CancelledError, EngineError
from atcn_core.worker.client import WorkerClient, run_blocking
from atcn_core.worker.protocol import DemoJob, Done, Failure, Message, Progress, Result

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Path(sys.executable)


def start(folder: Path, job: DemoJob, **settings) -> WorkerClient:
    return WorkerClient(PYTHON, job, root=ROOT, log_path=folder / "worker.log", **settings)


def listen(client: WorkerClient, limit_s: float = 30.0) -> list[Message]:
    messages: list[Message] = []
    end_s = time.monotonic() + limit_s
    while client.running:
        assert time.monotonic() < end_s, f"no end after {limit_s} s: {messages}"
        messages += client.poll()
        time.sleep(0.01)
    return messages


def wait_for_progress(client: WorkerClient) -> None:
    end_s = time.monotonic() + 30.0
    while not any(isinstance(message, Progress) for message in client.poll()):
        assert time.monotonic() < end_s
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_job_reports_its_progress_its_result_and_last_of_all_that_it_is_done(tmp_path):
    messages = listen(start(tmp_path, DemoJob(steps=4, step_s=0.02, options={"result": {"motion": "m.npz"}})))
    progress = [message for message in messages if isinstance(message, Progress)]
    assert progress[0].current == 1
    assert progress[-1] == Progress("demo", 4, 4)
    assert messages[-2:] == [Result({"motion": "m.npz"}), Done("finished")]


def test_progress_comes_at_most_about_ten_times_a_second(tmp_path):
    messages = listen(start(tmp_path, DemoJob(steps=100, step_s=0.01)))
    assert 3 <= sum(isinstance(message, Progress) for message in messages) <= 25


def test_what_libraries_print_goes_to_the_log_and_never_among_the_messages(tmp_path):
    client = start(tmp_path, DemoJob(steps=3, step_s=0.0, options={"garbage": True}))
    messages = listen(client)
    assert messages[-1] == Done("finished")
    log = client.log_path.read_text()
    assert log.count("a library prints this") == 3
    assert log.count("and this from C, without a newline") == 3


def test_an_expected_failure_arrives_with_its_words_and_hint(tmp_path):
    messages = listen(start(tmp_path, DemoJob(fail_at=1)))
    assert messages[-2] == Failure("atcn", "The demo job failed, as it was asked to.", "Ask for less.")
    assert messages[-1] == Done("failed")


def test_a_bug_is_named_and_its_traceback_stands_in_the_log(tmp_path):
    client = start(tmp_path, DemoJob(options={"bug": 0}))
    failure, done = listen(client)[-2:]
    assert isinstance(failure, Failure)
    assert (failure.code, failure.log, done) == ("bug", str(client.log_path), Done("failed"))
    assert "ZeroDivisionError" in failure.message
    assert "Traceback" in client.log_path.read_text()


def test_a_worker_that_dies_is_a_crash_with_its_exit_code(tmp_path):
    client = start(tmp_path, DemoJob(crash_at=1))
    failure, done = listen(client)[-2:]
    assert isinstance(failure, Failure)
    assert (failure.code, failure.log, done) == ("crash", str(client.log_path), Done("failed"))
    assert "70" in failure.message


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_a_segmentation_fault_is_a_crash_too(tmp_path):
    client = start(tmp_path, DemoJob(steps=1000))
    wait_for_progress(client)
    os.kill(client.pid, signal.SIGSEGV)
    failure = listen(client)[-2]
    assert isinstance(failure, Failure)
    assert failure.code == "crash"
    assert "SIGSEGV" in failure.message


def test_cancelling_stops_the_worker_soon_and_without_a_kill(tmp_path):
    client = start(tmp_path, DemoJob(steps=1000))
    wait_for_progress(client)
    client.cancel()
    started_s = time.monotonic()
    assert listen(client) == [Done("cancelled")]
    assert time.monotonic() - started_s < 2.0
    assert not alive(client.pid)


def test_a_worker_deaf_to_cancelling_is_killed_after_the_grace_period_without_holding_the_caller(tmp_path):
    client = start(tmp_path, DemoJob(steps=1000, options={"deaf": True}), grace_s=0.5)
    wait_for_progress(client)
    client.cancel()
    longest_s = 0.0
    messages: list[Message] = []
    while client.running:
        before_s = time.monotonic()
        messages += client.poll()
        longest_s = max(longest_s, time.monotonic() - before_s)
        time.sleep(0.01)
    assert messages == [Done("cancelled")]
    assert longest_s < 0.05
    assert not alive(client.pid)


def test_closing_ends_the_worker_at_once(tmp_path):
    client = start(tmp_path, DemoJob(steps=1000, options={"deaf": True}))
    wait_for_progress(client)
    client.close()
    assert not alive(client.pid)
    assert client.poll() == []
    assert not client.running


def other_worker(folder: Path, program: str) -> Path:
    """A folder whose `atcn_core.worker` runs this program instead."""
    package = folder / "other" / "atcn_core" / "worker"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(program)
    return folder / "other"


def test_lines_that_are_no_messages_are_passed_over(tmp_path):
    root = other_worker(
        tmp_path,
        "import os\n"
        'os.write(1, b\'not json\\n{"kind": "unheard of"}\\n\\xff\\xfe\\n[1, 2]\\n\')\n'
        'os.write(1, b\'{"kind": "progress", "stage": "s", "current": 1, "total": 2}\\n\')\n'
        'os.write(1, b\'{"kind": "done", "outcome": "finished"}\\n\')\n',
    )
    client = WorkerClient(PYTHON, DemoJob(), root=root, log_path=tmp_path / "worker.log")
    assert listen(client) == [Progress("s", 1, 2), Done("finished")]


def test_a_worker_that_lingers_after_done_is_killed(tmp_path):
    root = other_worker(
        tmp_path,
        'import os, time\nos.write(1, b\'{"kind": "done", "outcome": "finished"}\\n\')\ntime.sleep(1000)\n',
    )
    client = WorkerClient(PYTHON, DemoJob(), root=root, log_path=tmp_path / "worker.log", grace_s=0.3)
    assert listen(client, 10.0) == [Done("finished")]
    assert not alive(client.pid)


def test_a_python_that_is_not_there_is_an_engine_error_and_leaves_no_job_file(tmp_path):
    with pytest.raises(EngineError, match="cannot be started"):
        WorkerClient(tmp_path / "no python", DemoJob(), root=ROOT, log_path=tmp_path / "worker.log")
    assert not list(tmp_path.glob("*.json"))


def test_a_python_without_the_worker_is_a_crash_that_quotes_the_log(tmp_path):
    client = WorkerClient(PYTHON, DemoJob(), root=tmp_path, log_path=tmp_path / "worker.log")
    failure = listen(client)[0]
    assert isinstance(failure, Failure)
    assert failure.code == "crash"
    assert "No module named" in failure.message


def test_folders_with_spaces_and_letters_of_other_languages_work(tmp_path):
    folder = tmp_path / "Zoë's Würfel 動画 folder"
    client = start(folder, DemoJob(steps=2, step_s=0.0, options={"result": {"motion": str(folder / "m ü.npz")}}))
    assert Result({"motion": str(folder / "m ü.npz")}) in listen(client)
    assert [path.name for path in folder.iterdir()] == ["worker.log"]


def test_many_jobs_at_once_do_not_keep_each_other_from_being_cancelled(tmp_path):
    clients = [start(tmp_path / str(number), DemoJob(steps=1000)) for number in range(3)]
    for client in clients:
        wait_for_progress(client)
    clients[0].cancel()
    assert listen(clients[0], 3.0) == [Done("cancelled")]
    for client in clients:
        client.close()


def test_blocking_gives_the_paths_and_the_progress(tmp_path):
    heard: list[Message] = []
    paths = run_blocking(
        PYTHON,
        DemoJob(steps=2, options={"result": {"motion": "m"}}),
        root=ROOT,
        log_path=tmp_path / "worker.log",
        on_message=heard.append,
    )
    assert paths == {"motion": "m"}
    assert heard
    assert all(isinstance(message, Progress) for message in heard)


def test_blocking_raises_the_jobs_failure_and_names_the_log_of_a_crash(tmp_path):
    with pytest.raises(AtcnError, match="as it was asked"):
        run_blocking(PYTHON, DemoJob(fail_at=0), root=ROOT, log_path=tmp_path / "a.log")
    with pytest.raises(AtcnError, match=r"b\.log"):
        run_blocking(PYTHON, DemoJob(crash_at=0), root=ROOT, log_path=tmp_path / "b.log")


def test_blocking_ends_the_worker_when_the_caller_breaks_off(tmp_path):
    def interrupt(message: Message) -> None:
        raise KeyboardInterrupt

    started = set(children())
    with pytest.raises(KeyboardInterrupt):
        run_blocking(PYTHON, DemoJob(steps=1000), root=ROOT, log_path=tmp_path / "w.log", on_message=interrupt)
    assert set(children()) <= started


def test_blocking_says_that_the_job_was_cancelled(tmp_path):
    root = other_worker(tmp_path, 'import os\nos.write(1, b\'{"kind": "done", "outcome": "cancelled"}\\n\')\n')
    with pytest.raises(CancelledError):
        run_blocking(PYTHON, DemoJob(), root=root, log_path=tmp_path / "w.log")


def children() -> list[int]:
    text = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [pid for pid in map(int, text.split()) if alive(pid)]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
@pytest.mark.parametrize("deaf", [False, True])
def test_a_worker_whose_parent_is_killed_ends_by_itself(tmp_path, deaf):
    """Nothing is orphaned: the parent is killed outright, as a crashing Blender would be."""
    parent = tmp_path / "parent.py"
    parent.write_text(
        textwrap.dedent(f"""
            import sys, time
            from pathlib import Path
            from atcn_core.worker.client import WorkerClient
            from atcn_core.worker.protocol import DemoJob, Progress
            client = WorkerClient(Path(sys.executable), DemoJob(steps=100000, options={{"deaf": {deaf}}}),
                                  root=Path({str(ROOT)!r}), log_path=Path({str(tmp_path)!r}) / "worker.log",
                                  env={{"ATCN_ORPHAN_GRACE_S": "1"}})
            while not any(isinstance(m, Progress) for m in client.poll()):
                time.sleep(0.01)
            print(client.pid, flush=True)
            time.sleep(1000)
            """)
    )
    process = subprocess.Popen(
        [sys.executable, parent], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    worker_pid = int(process.stdout.readline())
    assert alive(worker_pid)
    process.kill()
    process.wait()
    end_s = time.monotonic() + 10.0
    while alive(worker_pid) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not alive(worker_pid)
