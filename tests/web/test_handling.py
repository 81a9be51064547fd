"""A handler is run from wait to wait, cancelled, and its end told once."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from lightweight.errors import BadRequest
from lightweight.web.handling import Handling


class World:
    """A handler that waits twice, and what came of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.waits: list[Deferred[str]] = [Deferred(), Deferred()]
        self.heard: list[object] = []
        self.ends: list[object] = []

    async def handler(self) -> None:
        for wait in self.waits:
            try:
                self.heard.append(await wait)
            except ValueError as error:
                self.heard.append(str(error))

    def run(self, handler: Coroutine[Any, Any, None] | None = None) -> Handling:
        handling = Handling(handler or self.handler(), self.ends.append)
        handling.run()
        return handling


def test_it_goes_on_with_what_it_waited_for() -> None:
    world = World()
    world.run()
    first, second = world.waits
    first.callback("one")
    assert (world.heard, world.ends) == (["one"], [])
    second.errback(ValueError("two"))
    assert (world.heard, world.ends) == (["one", "two"], [None])


def test_what_is_there_already_is_not_waited_for() -> None:
    world = World()
    for wait in world.waits:
        wait.callback("now")
    world.run()
    assert (world.heard, world.ends) == (["now", "now"], [None])


def test_cancelling_cancels_what_it_waits_for() -> None:
    world = World()
    handling = world.run()
    world.waits[0].callback("one")
    handling.cancel()
    (told,) = world.ends
    assert isinstance(told, CancelledError)
    assert world.heard == ["one"]
    handling.cancel()
    assert len(world.ends) == 1


def test_cancelling_it_while_it_runs_does_nothing() -> None:
    world = World()
    told: list[Handling] = []

    async def handler() -> None:
        world.heard.append(await world.waits[0])
        told[0].cancel()
        world.heard.append(await world.waits[1])

    told.append(world.run(handler()))
    world.waits[0].callback("one")
    world.waits[1].callback("two")
    assert (world.heard, world.ends) == (["one", "two"], [None])


def test_who_leaves_may_leave_it_some_time() -> None:
    world = World()
    handling = world.run()
    handling.leave(world.clock, 5.0)
    world.clock.advance(4)
    assert world.ends == []
    world.clock.advance(1)
    (told,) = world.ends
    assert isinstance(told, CancelledError)


def test_one_that_ends_in_time_is_not_cancelled() -> None:
    world = World()
    handling = world.run()
    handling.leave(world.clock, 5.0)
    for wait in world.waits:
        wait.callback("soon")
    assert world.ends == [None]
    assert world.clock.getDelayedCalls() == []


def test_what_it_raises_is_told() -> None:
    world = World()

    async def faulty() -> None:
        raise BadRequest("No.")

    async def buggy() -> None:
        raise KeyError("bug")

    world.run(faulty())
    world.run(buggy())
    fault, bug = world.ends
    assert isinstance(fault, BadRequest)
    assert isinstance(bug, KeyError)
