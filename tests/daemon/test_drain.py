"""Draining: patient, bounded, and tightened as it goes."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from lightweight.daemon.drain import FLUSH_SECONDS, Drain
from lightweight.errors import Fault
from lightweight.web.live import Live


class StandIn:
    """A site with one idle connection, which ends when it is told to."""

    def __init__(self) -> None:
        self.draining = False
        self.closed = False
        self.gone: Deferred[None] = Deferred()

    async def left(self) -> None:
        await self.gone

    async def flushed(self) -> None:
        self.closed = True


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.live = Live()
        site: Any = StandIn()
        self.site = site
        self.drain = Drain(site, self.live, self.clock)
        self.faults: list[Fault] = []

    def call(self) -> "Deferred[None]":
        """Have a call in flight; fire the Deferred, or end it, to let it end."""
        over: Deferred[None] = Deferred()

        def end(fault: Fault) -> None:
            self.faults.append(fault)
            over.callback(None)

        async def running() -> None:
            with self.live.call(end):
                await over

        Deferred.fromCoroutine(running())
        return over

    def run(self, seconds: float, *, patient: bool) -> "Deferred[None]":
        return Deferred.fromCoroutine(self.drain.run(seconds, patient=patient))


async def test_a_stop_waits_for_calls_and_not_for_idle_connections() -> None:
    world = World()
    over = world.call()
    stopped = world.run(60, patient=False)
    assert world.site.draining
    assert not stopped.called

    over.callback(None)

    await stopped
    assert world.site.closed
    assert world.faults == []


async def test_a_reload_waits_for_idle_connections_too() -> None:
    world = World()
    stopped = world.run(600, patient=True)
    world.clock.advance(599)
    assert not stopped.called
    assert not world.site.closed

    world.site.gone.callback(None)

    await stopped


async def test_at_the_deadline_calls_are_ended_with_a_fault() -> None:
    world = World()
    world.call()
    stopped = world.run(600, patient=True)

    world.clock.advance(600)

    await stopped
    assert [fault.code for fault in world.faults] == ["overloaded"]
    assert world.clock.getDelayedCalls() == []


async def test_a_stop_after_a_reload_takes_the_shorter_limit() -> None:
    world = World()
    world.call()
    stopped = world.run(600, patient=True)
    world.clock.advance(10)
    world.drain.tighten(60)
    world.clock.advance(59)
    assert not stopped.called

    world.clock.advance(1)

    await stopped
    assert len(world.faults) == 1


async def test_now_is_now_even_before_the_drain_began() -> None:
    world = World()
    world.call()
    world.drain.tighten(0)

    await world.run(600, patient=True)

    assert len(world.faults) == 1


async def test_last_bytes_do_not_keep_it_for_ever() -> None:
    world = World()
    never: Deferred[None] = Deferred()

    async def flushed() -> None:
        await never

    world.site.flushed = flushed
    stopped = world.run(5, patient=False)
    world.clock.advance(FLUSH_SECONDS)

    await stopped
