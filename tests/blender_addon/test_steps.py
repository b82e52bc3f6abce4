"""Work in short steps: by the clock, beside a thread, and all at once."""

import threading
import time

import pytest

from blender_addon import steps


def counting(seen, count, step_s=0.0):
    for number in range(count):
        seen.append(number)
        time.sleep(step_s)
        yield
    return "done"


def test_finish_takes_all_steps_and_returns_their_value():
    seen = []
    assert steps.finish(counting(seen, 5)) == "done"
    assert seen == [0, 1, 2, 3, 4]


def test_a_turn_takes_quick_steps_together_and_ends_when_its_time_is_spent():
    quick, slow = [], []
    with pytest.raises(StopIteration, match="done"):
        steps.advance(counting(quick, 5), budget_s=10.0)
    assert len(quick) == 5
    steps.advance(counting(slow, 100, step_s=0.02), budget_s=0.03)
    assert len(slow) <= 2


def test_what_runs_aside_is_in_another_thread_and_a_turn_does_not_wait_for_it():
    go_on = threading.Event()

    def work(first, second):
        go_on.wait(10.0)
        return first + second, threading.current_thread()

    waiting = steps.aside(work, 1, second=2)
    began_s = time.perf_counter()
    steps.advance(waiting, budget_s=5.0)
    assert time.perf_counter() - began_s < 2.0
    go_on.set()
    total, thread = steps.finish(waiting)
    assert total == 3
    assert thread != threading.main_thread()


def test_an_error_aside_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        steps.finish(steps.aside(lambda: 1 / 0))


def test_steps_given_up_are_closed():
    closed = []

    def interrupted():
        try:
            yield
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        steps.finish(interrupted())
    assert closed
