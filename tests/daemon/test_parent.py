"""The parent in this process, with workers that are puppets: what it tells systemd.

What real workers and signals do is in tests/live/test_generations.py.
"""

import gc
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

import pytest
import pytest_twisted

from lightweight.config.load import ConfigError, Loaded, Problem
from lightweight.config.schema import Config
from lightweight.daemon.messages import Report, Task
from lightweight.daemon.notify import Notifier
from lightweight.daemon.parent import ParentParts, ParentService
from lightweight.daemon.state import State
from lightweight.daemon.worker import NotReady, Worker
from lightweight.observe.counts import Counts
from lightweight.policy.book import Book
from lightweight.store.limits.keeper import Keeper

LISTEN = ("tcp:0:interface=127.0.0.1",)
SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)


class Puppet(Worker):
    """A worker without a process: ready or not as the world says, gone when told."""

    def __init__(self, ended: Callable[[Worker], None], why_not: str | None) -> None:
        super().__init__(ended)
        self.orders: list[str] = []
        if why_not is None:
            self.report = Report(pid=1, outcome="ready", providers=1, models=2)
            self.ready.callback(self.report)
        else:
            self.ready.errback(NotReady(why_not))

    def order(self, do: str) -> None:
        self.orders.append(do)
        if do in {"drain", "stop", "now"}:
            self._ended(self)

    def kill(self) -> None:
        self._ended(self)


class World:
    """A parent, its systemd, and what its workers and configuration will be."""

    def __init__(self, directory: Path) -> None:
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(f"\0{directory}")
        self.manager.setblocking(False)
        self.directory = directory
        self.why_not: str | None = None
        self.next: Config | ConfigError = Config(listen=LISTEN)
        self.why_no_books: str | None = None
        self.workers: list[Puppet] = []
        self.bookkeepers: list[Puppet] = []
        self.failed = False
        self.may_read = threading.Event()
        self.may_read.set()
        self.reactor = Recording()
        self.totals = Counts()
        state = State(directory=directory, database="", pepper=b"")
        environ = {
            "NOTIFY_SOCKET": f"@{directory}",
            "WATCHDOG_USEC": "60000000",
            "RUNTIME_DIRECTORY": str(directory),
        }
        self.parent = ParentService(
            ParentParts(
                reactor=self.reactor,
                environ=environ,
                observer=lambda _: None,  # type: ignore[arg-type]  # sees nothing here
                reopen_log=lambda: None,
                tell=None,
                loaded=self.reread(),
                reread=self.reread,
                adopted=lambda _: None,
                prepare=lambda _: (state, None),
                spawner=self.spawner,
                totals=self.totals,
                limits=Keeper(Book(), self.reactor.real, time.time),
                notifier=Notifier(environ),
                fail=self.fail,
            )
        )

    def reread(self) -> Loaded:
        assert self.may_read.wait(30), "the reactor turns while this waits"
        if isinstance(self.next, ConfigError):
            raise self.next
        return Loaded(config=self.next, warnings=(), origins={}, files=())

    def spawner(
        self,
        task: Task,
        _number: int,
        _size: int,
        _sockets: Sequence[Any],
        _loaded: Loaded,
    ) -> Any:
        team = self.workers if task == "serve" else self.bookkeepers
        why_not = self.why_not if task == "serve" else self.why_no_books

        def spawn(ended: Callable[[Worker], None]) -> Worker:
            team.append(Puppet(ended, why_not))
            return team[-1]

        return spawn

    def fail(self) -> None:
        self.failed = True

    def told(self) -> list[str]:
        """Give the datagrams that came so far."""
        datagrams = []
        while True:
            try:
                datagrams.append(self.manager.recv(4096).decode())
            except BlockingIOError:
                return datagrams

    async def start(self) -> None:
        self.parent.privilegedStartService()
        self.parent.startService()
        await deferLater(self.reactor.real, 0.01)

    async def reload(self) -> str | None:
        return await self.parent._reloads.ask()


class Recording:
    """The reactor, but for its stop."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        self.real: Any = reactor
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def world(tmp_path: Path) -> AsyncIterator[World]:
    earlier = {number: signal.getsignal(number) for number in SIGNALS}
    made = World(tmp_path)
    yield made
    if made.parent.running:
        await made.parent.stopService()
    made.manager.close()
    for number, action in earlier.items():
        signal.signal(number, action)


async def test_systemd_learns_of_start_reload_and_stop(world: World) -> None:
    await world.start()
    beat, ready = world.told()
    assert beat == "WATCHDOG=1"
    assert ready.splitlines()[0] == "READY=1"
    assert "1 providers, 2 models (generation 1)" in ready

    assert await world.reload() is None
    reloading, again = world.told()
    state, moment, _ = reloading.splitlines()
    assert state == "RELOADING=1"
    assert int(moment.removeprefix("MONOTONIC_USEC=")) > 0
    assert again.splitlines()[0] == "READY=1"
    assert [each.orders for each in world.workers] == [["serve", "drain"], ["serve"]]

    await world.parent.stopService()
    assert world.told() == ["STOPPING=1\nSTATUS=Stopping."]
    assert world.workers[1].orders[-1] == "stop"


async def test_nobody_is_told_ready_before_it_serves(world: World) -> None:
    world.why_not = "No room."
    await world.start()

    assert world.told() == ["WATCHDOG=1", "STATUS=Cannot start: No room."]
    assert (world.failed, world.reactor.stopped) == (True, True)


@pytest.mark.parametrize(
    "wrong", [ConfigError([Problem(file="f", line=1, text="wrong")]), "No room."]
)
async def test_a_refused_reload_is_told_and_changes_nothing(
    world: World, wrong: ConfigError | str
) -> None:
    await world.start()
    world.told()
    if isinstance(wrong, str):
        world.why_not = wrong
    else:
        world.next = wrong

    why = await world.reload()

    assert why is not None
    assert str(wrong) in why
    assert world.told()[-1] == f"READY=1\nSTATUS=Reload refused: {wrong}"
    assert world.workers[0].orders == ["serve"]


async def test_the_watchdog_is_fed_by_the_reactor(world: World) -> None:
    world.parent._parts.notifier.watchdog_seconds = 0.02
    await world.start()
    await deferLater(world.reactor.real, 0.1)

    assert world.told().count("WATCHDOG=1") > 2


async def test_a_reload_of_a_stopping_server_is_refused(world: World) -> None:
    await world.start()
    stopped: Deferred[None] = world.parent.stopService()

    assert await world.reload() == "The server is shutting down."
    await stopped


async def test_what_the_parent_has_is_out_of_the_collectors_sight(
    world: World,
) -> None:
    """A full collection of it would be a pause for every call."""
    gc.unfreeze()
    await world.start()
    await deferLater(world.reactor.real, 0)
    assert gc.get_freeze_count() > 0


async def test_the_limits_answer_while_a_reload_reads(world: World) -> None:
    """They are kept in this process, and every call waits for them."""
    await world.start()
    world.may_read.clear()
    reloaded = Deferred.fromCoroutine(world.reload())
    await deferLater(world.reactor.real, 0.01)
    world.may_read.set()
    assert await reloaded is None
    assert len(world.workers) == 2


async def test_a_server_that_stops_while_it_reads_starts_nobody(world: World) -> None:
    await world.start()
    world.may_read.clear()
    reloaded = Deferred.fromCoroutine(world.reload())
    stopped: Deferred[None] = world.parent.stopService()
    world.may_read.set()
    assert await reloaded == "The server is shutting down."
    await stopped
    assert len(world.workers) == 1


async def test_each_generation_has_a_bookkeeper_that_leaves_last(world: World) -> None:
    await world.start()
    assert [len(world.workers), len(world.bookkeepers)] == [1, 1]
    assert await world.reload() is None
    first, second = world.bookkeepers
    assert first.orders == ["serve", "stop"]
    left: list[str] = []

    def noting(name: str, ended: Callable[[Worker], None]) -> Callable[[Worker], None]:
        def gone(worker: Worker) -> None:
            left.append(name)
            ended(worker)

        return gone

    for name, puppet in (("worker", world.workers[1]), ("books", second)):
        puppet._ended = noting(name, puppet._ended)
    await world.parent.stopService()
    assert left == ["worker", "books"]


async def test_without_books_nobody_serves(world: World) -> None:
    await world.start()
    world.why_no_books = "The schema is newer."
    assert await world.reload() == "The schema is newer."
    assert world.bookkeepers[0].orders == ["serve"]
    # The workers that were ready serve nobody.
    assert world.workers[1].orders == []
    world.why_no_books = None
    assert await world.reload() is None
