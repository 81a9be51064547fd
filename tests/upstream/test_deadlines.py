"""Deadlines: when they expire, wherever they were moved, and what they leave behind."""

import math
from collections.abc import Callable
from functools import partial

from twisted.internet.task import Clock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.upstream.deadlines import FEW, SPARE, Deadline, Deadlines


class Timer:
    """A deadline by what is left until it expires."""

    def __init__(self, clock: Clock, deadline: Deadline) -> None:
        self._clock = clock
        self._deadline = deadline
        self.stop = deadline.stop

    def set(self, seconds: float) -> None:
        self._deadline.move(self._clock.seconds() + seconds)


def made(clock: Clock) -> tuple[Deadlines, list[str], Callable[[str], Timer]]:
    deadlines, expired = Deadlines(clock), list[str]()

    def make(name: str) -> Timer:
        return Timer(clock, deadlines.make(lambda: expired.append(name)))

    return deadlines, expired, make


def test_they_expire_in_order_and_once() -> None:
    clock = Clock()
    _, expired, make = made(clock)
    make("later").set(2)
    make("sooner").set(1)
    make("at the same time").set(2)
    clock.advance(0.9)
    assert expired == []
    clock.advance(0.2)
    assert expired == ["sooner"]
    clock.advance(5)
    assert expired == ["sooner", "later", "at the same time"]
    assert clock.getDelayedCalls() == []


def test_one_that_expired_can_be_set_again() -> None:
    clock = Clock()
    _, expired, make = made(clock)
    deadline = make("a")
    for _ in range(3):
        deadline.set(1)
        clock.advance(1)
    assert expired == ["a"] * 3


def test_none_set_leaves_the_clock_alone() -> None:
    clock = Clock()
    _, expired, make = made(clock)
    one, other = make("one"), make("other")
    one.set(1)
    other.set(2)
    assert len(clock.getDelayedCalls()) == 1
    one.stop()
    other.set(math.inf)
    assert clock.getDelayedCalls() == []
    one.set(5)
    clock.advance(4)
    one.stop()
    one.set(7)
    clock.advance(6)
    assert expired == []
    clock.advance(1)
    assert expired == ["one"]


def test_stopped_ones_do_not_pile_up() -> None:
    deadlines, _, make = made(Clock())
    make("stays").set(3600)
    for _ in range(10 * FEW):
        deadline = make("goes")
        deadline.set(1800)
        deadline.stop()
    assert len(deadlines._heap) <= FEW + 1


def test_one_that_fails_does_not_stop_the_others() -> None:
    clock = Clock()
    deadlines, expired, make = made(clock)
    deadlines.make(expired.pop).move(1)
    make("other").set(1)
    with pytest.raises(IndexError):
        clock.advance(1)
    clock.advance(0)
    assert expired == ["other"]


def test_it_may_be_moved_to_sooner_and_to_later() -> None:
    clock = Clock()
    _, expired, make = made(clock)
    deadline = make("a")
    for seconds in (5, 9, 3, 4):
        deadline.set(seconds)
    clock.advance(3.9)
    assert expired == []
    clock.advance(0.2)
    assert expired == ["a"]
    assert clock.getDelayedCalls() == []


def test_what_expires_may_move_the_others() -> None:
    clock = Clock()
    deadlines, expired, make = made(clock)
    other = make("other")
    other.set(1.5)
    deadlines.make(lambda: other.set(10)).move(1)
    clock.advance(2)
    assert expired == []
    clock.advance(9.9)
    assert expired == []
    clock.advance(0.2)
    assert expired == ["other"]
    assert clock.getDelayedCalls() == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.one_of(st.integers(1, 9), st.just(math.inf)),
            st.integers(0, 4),
        )
    )
)
def test_it_does_what_a_call_for_each_would_do(
    steps: list[tuple[int, float, int]],
) -> None:
    """A deadline is set, or stopped, then time goes by."""
    clock = Clock()
    _, expired, make = made(clock)
    deadlines = [make(str(number)) for number in range(4)]
    due: dict[str, float] = {}
    expected: list[str] = []
    for number, seconds, passing in steps:
        deadlines[number].set(seconds)
        due[str(number)] = clock.seconds() + seconds
        for _ in range(passing):
            clock.advance(1)
            for name in [name for name, at in due.items() if at <= clock.seconds()]:
                del due[name]
                expected.append(name)
        assert sorted(expired) == sorted(expected)
    pending = [at for at in due.values() if at < math.inf]
    assert bool(clock.getDelayedCalls()) == bool(pending)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 4)), max_size=40
    )
)
def test_one_that_is_made_anew_knows_nothing_of_before(
    steps: list[tuple[int, int, int]],
) -> None:
    """A deadline ends, another one is made and set, then time goes by."""
    clock = Clock()
    deadlines, expired, _ = made(clock)
    places: dict[int, Deadline] = {}
    due: dict[int, tuple[str, int]] = {}
    expected: list[str] = []
    for number, (place, seconds, passing) in enumerate(steps):
        if place in places:
            places.pop(place).end()
        name = str(number)
        places[place] = deadlines.make(partial(expired.append, name))
        places[place].move(clock.seconds() + seconds)
        due[place] = name, int(clock.seconds()) + seconds
        for _ in range(passing):
            clock.advance(1)
            late = [at for at in due if due[at][1] <= clock.seconds()]
            expected += [due.pop(at)[0] for at in late]
        assert sorted(expired) == sorted(expected)
    assert bool(clock.getDelayedCalls()) == bool(due)


def test_one_after_the_other_leaves_the_heap_as_it_is() -> None:
    clock = Clock()
    deadlines, expired, make = made(clock)
    make("stays").set(3600)
    for _ in range(5):
        deadline = deadlines.make(lambda: expired.append("goes"))
        deadline.move(clock.seconds() + 60)
        clock.advance(1)
        deadline.end()
    assert len(deadlines._heap) == 2
    clock.advance(100)
    assert expired == []


def test_no_more_are_kept_than_is_worth_it() -> None:
    clock = Clock()
    deadlines, _, _ = made(clock)
    many = [deadlines.make(print) for _ in range(SPARE + 5)]
    for each in many:
        each.end()
    assert len(deadlines.spare) == SPARE
