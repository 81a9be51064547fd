"""The bookkeeper's service in this process: its order of start and stop."""

import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from support.until import until

from lightweight.daemon.books import BookkeeperService, BookParts, gauges_of_books
from lightweight.daemon.farewells import Farewells
from lightweight.daemon.link import Link
from lightweight.daemon.messages import Order, Report, decode, encode
from lightweight.daemon.metering import Books
from lightweight.store.connect import sqlite_url
from lightweight.store.database import Database
from lightweight.store.problems import StoreProblem

SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


class Recording:
    """The reactor, but for its stop."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        self.real: Any = reactor
        self.stopped = 0

    def stop(self) -> None:
        self.stopped += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class World:
    """A service, its parent's ends of the pipes, and a bookkeeper that waits."""

    def __init__(self, directory: Path) -> None:
        orders, self.orders = os.pipe()
        self.reports, reports = os.pipe()
        self.reactor = Recording()
        self.done: list[str] = []
        self.problem: Exception | None = None
        self.directory = directory
        link = Link(orders, reports)
        self.service = BookkeeperService(
            BookParts(
                reactor=self.reactor,
                observer=lambda _: None,  # type: ignore[arg-type]  # sees nothing here
                database=self.database,
                books=self.books,
                farewells=Farewells(self.reactor.real, time.time, list),
                link=link,
            )
        )
        link.orders_go_to(
            leave=self.service.leave,
            reopen_log=lambda: None,
            orphaned=self.service.orphaned,
            was_ready=lambda: self.done.append("ready"),
            last_word=lambda: self.done.append("last word"),
            dump=lambda: None,
        )

    def database(self) -> Database:
        if self.problem is not None:
            raise self.problem
        return Database(sqlite_url(self.directory), reactor=self.reactor)  # type: ignore[arg-type]  # the real one, nearly

    def books(self, _database: Database) -> Books:
        world = self

        class Kept:
            lag = 2.5

            def start(self, failed: Callable[..., None]) -> None:
                world.done.append("start")

            async def stop(self) -> None:
                world.done.append("stop")

        kept: Any = Kept()
        return kept  # type: ignore[no-any-return]  # what the service uses of it

    def reported(self) -> Report:
        return decode(os.read(self.reports, 65536), Report)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def world(tmp_path: Path) -> AsyncIterator[World]:
    earlier = {number: signal.getsignal(number) for number in SIGNALS}
    made = World(tmp_path)
    yield made
    for number, action in earlier.items():
        signal.signal(number, action)
    os.close(made.orders)
    os.close(made.reports)


async def test_it_is_ready_and_leaves_when_it_is_told(world: World) -> None:
    world.service.startService()
    await until(lambda: "start" in world.done)
    assert world.reported().outcome == "ready"
    os.write(world.orders, encode(Order(do="stop")))
    await until(lambda: world.reactor.stopped == 1)
    assert world.service.lag == 2.5
    await world.service.stopService()
    assert world.done[-2:] == ["stop", "last word"]


async def test_without_a_parent_it_leaves(world: World) -> None:
    world.service.startService()
    await until(lambda: "start" in world.done)
    world.service.orphaned()
    assert world.reactor.stopped == 1
    await world.service.stopService()
    world.service.orphaned()
    assert world.reactor.stopped == 1


async def test_signals_to_the_whole_group_are_the_parents(world: World) -> None:
    world.service.startService()
    await until(lambda: "start" in world.done)
    for number in SIGNALS:
        os.kill(os.getpid(), number)
    os.write(world.orders, encode(Order(do="stop")))
    await until(lambda: world.reactor.stopped == 1)
    await world.service.stopService()
    assert world.reactor.stopped == 1


async def test_a_database_that_cannot_be_opened_is_told(world: World) -> None:
    world.problem = StoreProblem("No such place.")
    with pytest.raises(StoreProblem):
        world.service.startService()
    report = world.reported()
    assert (report.outcome, report.text) == ("failed", "No such place.")
    os.close(os.dup(world.orders))


def test_a_bookkeeper_tells_its_lag() -> None:
    gauges = gauges_of_books(lambda: 2.5)
    assert (gauges.process, gauges.journal_lag()) == ("books", 2.5)
    assert list(gauges.readings()) == []
