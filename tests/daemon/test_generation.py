"""A generation: all ready or none, replaced when they crash, gone when sent away."""

import math
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import pytest
from support.processes import running
from support.until import until
from support.vitals import vitals

from lightweight.daemon.generation import (
    KILL_SECONDS,
    START_SECONDS,
    STEADY_SECONDS,
    Generation,
)
from lightweight.daemon.messages import ORDERS, REPORTS, Report, encode
from lightweight.daemon.worker import NotReady, Worker

READY = Report(pid=1, outcome="ready", providers=1, models=2, release="1.2.3")


class Puppet(Worker):
    """A worker without a process."""

    def __init__(self, ended: Callable[[Worker], None], pid: int) -> None:
        super().__init__(ended)
        self.pid = pid
        self.orders: list[str] = []
        self.killed = False

    def order(self, do: str) -> None:
        self.orders.append(do)

    def kill(self) -> None:
        if not self.killed:
            self.killed = True
            self.end()

    def become_ready(self) -> None:
        self.report = READY
        self.ready.callback(READY)

    def fail(self, why: str) -> None:
        self.ready.errback(NotReady(why))
        self.kill()

    def end(self) -> None:
        self.pid = None
        self.killed = True
        if not self.ready.called:
            self.ready.errback(NotReady("ended"))
        self._ended(self)


class World:
    def __init__(self, size: int = 2, hung: float = math.inf) -> None:
        self.clock = Clock()
        self.workers: list[Puppet] = []
        self.generation = Generation(1, size, self.spawn, self.clock, hung)

    def spawn(self, ended: Callable[[Worker], None]) -> Worker:
        self.workers.append(Puppet(ended, len(self.workers) + 1))
        return self.workers[-1]

    def start(self) -> "Deferred[Any]":
        return Deferred.fromCoroutine(self.generation.start())

    async def serving(self) -> None:
        started = self.start()
        for worker in self.workers:
            worker.become_ready()
        await started
        self.generation.serve()


async def test_it_is_ready_when_all_are() -> None:
    world = World()
    started = world.start()
    assert world.generation.release is None
    world.workers[0].become_ready()
    assert not started.called
    world.workers[1].become_ready()

    assert await started == READY
    assert world.clock.getDelayedCalls() == []
    assert world.generation.pids == [1, 2]
    assert world.generation.release == "1.2.3"


async def test_one_that_fails_takes_the_others_along() -> None:
    world = World()
    started = world.start()
    world.workers[0].become_ready()
    world.workers[1].fail("No room.")

    with pytest.raises(NotReady, match="No room"):
        await started
    assert world.workers[0].killed
    assert world.generation.pids == []


async def test_one_that_never_gets_ready_is_given_up() -> None:
    world = World()
    started = world.start()
    world.workers[0].become_ready()
    world.clock.advance(START_SECONDS)

    with pytest.raises(NotReady, match="not ready after 60 s"):
        await started
    assert all(worker.killed for worker in world.workers)


async def test_a_crash_is_mended_at_once_and_then_ever_more_slowly() -> None:
    world = World(size=1)
    await world.serving()
    world.workers[0].end()
    world.clock.advance(0)
    world.workers[1].become_ready()
    assert world.workers[1].orders == ["serve"]

    world.workers[1].end()
    world.clock.advance(0.9)
    assert len(world.workers) == 2
    world.clock.advance(0.1)
    world.workers[2].fail("still broken")
    world.clock.advance(1.9)
    assert len(world.workers) == 3
    world.clock.advance(0.1)
    world.workers[3].become_ready()

    world.clock.advance(STEADY_SECONDS + 1)
    world.workers[3].end()
    world.clock.advance(0)
    assert len(world.workers) == 5


async def test_who_was_sent_away_is_not_replaced() -> None:
    world = World()
    await world.serving()
    world.generation.leave("drain", 600)
    left = Deferred.fromCoroutine(world.generation.left())
    world.workers[0].end()
    assert not left.called
    world.workers[1].end()

    await left
    assert [worker.orders for worker in world.workers] == [["serve", "drain"]] * 2
    assert len(world.workers) == 2
    assert world.clock.getDelayedCalls() == []


async def test_who_does_not_go_is_killed_after_its_own_deadline() -> None:
    world = World()
    await world.serving()
    world.generation.leave("drain", 600)
    world.generation.leave("stop", 60)
    world.clock.advance(60 + KILL_SECONDS - 1)
    assert not world.workers[0].killed

    world.clock.advance(1)

    await world.generation.left()
    assert all(worker.killed for worker in world.workers)


async def test_who_is_silent_for_long_is_killed_and_replaced() -> None:
    world = World(hung=3)
    await world.serving()
    for _ in range(5):
        world.clock.advance(1)
        world.workers[0].childDataReceived(REPORTS, encode(vitals()))

    assert not world.workers[0].killed
    assert world.workers[1].killed
    assert len(world.workers) == 3
    world.generation.kill()


async def test_who_slept_as_long_as_its_parent_does_not_hang() -> None:
    world = World(size=1, hung=3)
    await world.serving()
    world.clock.advance(100)
    assert not world.workers[0].killed
    world.generation.kill()


BEATING = f"""
import os, time
os.write({REPORTS}, {encode(READY)!r})
while True:
    os.write({REPORTS}, {encode(vitals())!r})
    time.sleep(0.2)
"""


async def test_a_process_that_is_stopped_is_replaced() -> None:
    from twisted.internet import reactor

    def spawn(ended: Callable[[Worker], None]) -> Worker:
        worker = Worker(ended)
        words = [sys.executable, "-c", BEATING]
        descriptors: dict[int, int | str] = {
            0: 0,
            1: 1,
            2: "r",
            ORDERS: "w",
            REPORTS: "r",
        }
        reactor.spawnProcess(worker, words[0], words, {}, childFDs=descriptors)
        return worker

    generation = Generation(1, 1, spawn, reactor, hung=2)
    await generation.start()
    generation.serve()
    (stopped,) = generation.pids
    os.kill(stopped, signal.SIGSTOP)
    await until(lambda: generation.pids not in ([], [stopped]))
    await until(lambda: generation.workers[0].vitals is not None)

    assert not running(stopped)
    generation.kill()
    await generation.left()
