"""What the panel says of a running job, by a clock that is set here."""

import pytest

from blender_addon.core import protocol
from blender_addon.status import Status, duration_text


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (7.6, "8 s"),
        (59.4, "59 s"),
        (61.0, "1 min"),
        (83.0, "1 min 20 s"),
        (3599.0, "60 min"),
        (7500.0, "2 h 5 min"),
    ],
)
def test_durations_are_as_coarse_as_is_useful(seconds, text):
    assert duration_text(seconds) == text


def test_the_remaining_time_follows_the_pace_of_the_stage_not_of_the_start():
    clock = Clock()
    status = Status(clock)
    status.begin()
    clock.now_s += 60.0  # loading, which says nothing about the pace
    status.hear(protocol.Progress("detect", 1, 101))
    assert status.remaining_s is None
    clock.now_s += 10.0
    status.hear(protocol.Progress("detect", 51, 101))
    assert status.remaining_s == pytest.approx(10.0)
    assert status.fraction == pytest.approx(51 / 101)
    assert status.text == "Finding the person  50%, 10 s left"


def test_an_unknown_length_shows_the_count_and_no_time():
    clock = Clock()
    status = Status(clock)
    status.begin()
    status.hear(protocol.Progress("packages", 3, 0))
    clock.now_s += 10.0
    status.hear(protocol.Progress("packages", 7, 0))
    assert (status.fraction, status.remaining_s) == (0.0, None)
    assert status.text == "Installing packages  7"


def test_a_new_job_forgets_the_errors_and_warnings_of_the_last():
    status = Status()
    status.begin()
    status.hear(protocol.WarningMessage("Half of the frames show nobody."))
    status.fail("The capture failed.", "The video has no frames.", "Choose another file.", "a.log")
    assert not status.running
    status.begin()
    assert status.running
    assert (status.headline, status.error, status.hint, status.log, status.warnings) == ("", "", "", "", [])
