"""Overload is seen on a clock that the test moves: nothing here waits."""

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from lightweight.web.overload import (
    BEHIND,
    FULL,
    LAG_SECONDS,
    LATE_TICKS,
    MEMORY_TICKS,
    TICK_SECONDS,
    Overload,
)

MARK = 1000
ON_TIME = TICK_SECONDS
AT_THE_EDGE = TICK_SECONDS + LAG_SECONDS - 0.01
LATE = TICK_SECONDS + LAG_SECONDS + 0.01


class Machine:
    """A process whose loop and memory do what the test says."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.used = 0
        self.overload = Overload(self.clock, memory=lambda: self.used, mark=MARK)
        self.overload.start()

    def ticks(self, *seconds: float) -> str | None:
        """Let the loop come round after each of these; give the last verdict."""
        for each in seconds:
            self.clock.advance(each)
        return self.overload.reason


@contextmanager
def said() -> Iterator[list[str]]:
    lines: list[str] = []

    @implementer(ILogObserver)
    def hear(event: LogEvent) -> None:
        if event["log_namespace"].endswith("Overload"):
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(hear)
    yield lines
    globalLogPublisher.removeObserver(hear)


def test_a_loop_on_time_takes_calls() -> None:
    assert Machine().ticks(*[ON_TIME] * 50) is None


def test_one_long_turn_is_no_overload() -> None:
    machine = Machine()
    assert machine.ticks(10.0) is None
    assert machine.ticks(ON_TIME) is None


def test_a_loop_that_stays_behind_takes_no_calls_until_it_is_on_time() -> None:
    machine = Machine()
    assert machine.ticks(*[LATE] * (LATE_TICKS - 1)) is None
    assert machine.ticks(LATE) == BEHIND
    assert machine.ticks(LATE) == BEHIND
    assert machine.ticks(ON_TIME) is None


def test_the_late_turns_must_be_in_a_row() -> None:
    machine = Machine()
    assert machine.ticks(LATE, LATE, ON_TIME, LATE, LATE) is None


def test_a_little_late_is_on_time() -> None:
    assert Machine().ticks(*[AT_THE_EDGE] * 20) is None


def test_the_worst_lag_is_told_once() -> None:
    machine = Machine()
    machine.ticks(ON_TIME, ON_TIME + 2, ON_TIME + 1)
    assert machine.overload.worst_lag() == 2
    assert machine.overload.worst_lag() == 0


def test_memory_at_the_mark_takes_no_calls_until_it_is_freed() -> None:
    machine = Machine()
    machine.used = MARK - 1
    assert machine.ticks(*[ON_TIME] * MEMORY_TICKS) is None
    machine.used = MARK
    assert machine.ticks(*[ON_TIME] * MEMORY_TICKS) == FULL
    machine.used = MARK - 1
    assert machine.ticks(*[ON_TIME] * MEMORY_TICKS) is None


def test_each_change_is_told_once() -> None:
    machine = Machine()
    with said() as lines:
        machine.ticks(*[LATE] * 10)
        machine.ticks(*[ON_TIME] * 10)
    assert lines == [
        f"New calls are refused: {BEHIND}",
        "New calls are taken again.",
    ]


def test_after_the_stop_nothing_is_looked_at() -> None:
    machine = Machine()
    machine.ticks(*[LATE] * LATE_TICKS)
    machine.overload.stop()
    assert machine.clock.getDelayedCalls() == []
    assert machine.overload.reason is None
    machine.overload.stop()
