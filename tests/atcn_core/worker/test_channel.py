"""Progress is thinned out by the clock; a client that has gone away is no error."""

import io
import threading

from atcn_core.worker.channel import Channel, WorkerReporter
from atcn_core.worker.protocol import Done, Message, Progress, WarningMessage


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_and_last_step_of_each_stage_always_go_out():
    sent: list[Message] = []
    reporter = WorkerReporter(sent.append, threading.Event(), Clock())
    for stage in ("detect", "lift"):
        for step in range(1, 6):
            reporter.progress(stage, step, 5)
    assert sent == [Progress("detect", 1, 5), Progress("detect", 5, 5), Progress("lift", 1, 5), Progress("lift", 5, 5)]


def test_between_them_one_a_tenth_of_a_second_goes_out():
    sent: list[Message] = []
    clock = Clock()
    reporter = WorkerReporter(sent.append, threading.Event(), clock)
    for step in range(1000):
        clock.now_s = step * 0.001
        reporter.progress("detect", step, 0)
    assert 9 <= len(sent) <= 11


def test_warnings_go_out_whole():
    sent: list[Message] = []
    WorkerReporter(sent.append, threading.Event()).warn("Half of the frames show nobody.")
    assert sent == [WarningMessage("Half of the frames show nobody.")]


def test_a_client_that_has_gone_away_is_no_error():
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    channel = Channel(Broken())
    channel.send(Done("finished"))
    channel.send(Done("finished"))
