"""Visits are recorded some at a time: in order, soon, and none is lost."""

from twisted.internet.task import Clock

import pytest
from support.visit import visit

from lightweight.observe.access import Visit
from lightweight.observe.together import MOST, SOON_SECONDS, Together


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.recorded: list[str] = []
        self.ends = 0
        self.together = Together(self.record, self.clock, self.end)

    def record(self, seen: Visit) -> None:
        if seen.request_id == "bad":
            raise ValueError("it cannot")
        self.recorded.append(seen.request_id)

    def end(self) -> None:
        self.ends += 1

    def sees(self, *names: str) -> None:
        for name in names:
            self.together.keep(visit(request_id=name))


def test_they_wait_for_each_other_and_not_long() -> None:
    world = World()
    world.sees("a", "b")
    world.clock.advance(SOON_SECONDS / 2)
    world.sees("c")
    assert (world.recorded, world.ends) == ([], 0)
    world.clock.advance(SOON_SECONDS / 2)
    assert (world.recorded, world.ends) == (["a", "b", "c"], 1)
    world.sees("d")
    world.clock.advance(SOON_SECONDS)
    assert world.recorded[3:] == ["d"]
    assert world.clock.getDelayedCalls() == []


def test_the_end_does_not_wait() -> None:
    world = World()
    world.sees("a")
    world.together.flush()
    assert (world.recorded, world.ends) == (["a"], 1)


def test_too_many_do_not_wait() -> None:
    world = World()
    world.sees(*map(str, range(MOST - 1)))
    assert world.recorded == []
    world.sees("last")
    assert len(world.recorded) == MOST


def test_one_that_cannot_be_recorded_takes_no_other_along() -> None:
    world = World()
    world.sees("a", "bad", "b")
    with pytest.raises(ValueError, match="it cannot"):
        world.together.flush()
    world.sees("c")
    world.clock.advance(SOON_SECONDS)
    assert world.recorded == ["a", "b", "c"]
