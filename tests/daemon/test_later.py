"""Pieces that are made after the start, one in each turn."""

from itertools import count

from twisted.internet.task import Clock

from lightweight.daemon.later import PAUSE_S, Later


def test_they_are_made_one_by_one_and_once() -> None:
    clock, made = Clock(), list[str]()
    later = Later(clock)
    first = later.once(lambda: made.append("first"))
    later.once(lambda: made.append("second"))
    later.start()
    assert made == []

    clock.advance(PAUSE_S)
    assert made == ["first"]
    first()
    clock.pump([PAUSE_S] * 5)

    assert made == ["first", "second"]
    assert clock.getDelayedCalls() == []


def test_who_asks_first_does_not_wait() -> None:
    clock, numbers = Clock(), count(1)
    later = Later(clock)
    piece = later.once(lambda: next(numbers))

    assert (piece(), piece()) == (1, 1)
    later.start()
    clock.pump([PAUSE_S] * 3)
    assert (piece(), next(numbers)) == (1, 2)


def test_who_leaves_makes_nothing_more() -> None:
    clock, made = Clock(), list[str]()
    later = Later(clock)
    later.once(lambda: made.append("piece"))
    later.stop()
    later.start()
    later.stop()
    later.stop()

    clock.pump([PAUSE_S] * 3)
    assert made == []
    assert clock.getDelayedCalls() == []
