"""The bookkeeper's process: it brings what the workers recorded into the database.

There is one for each server, so it warns of models that end, too.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from lightweight.daemon.farewells import Farewells
from lightweight.daemon.link import Link
from lightweight.daemon.messages import Leave
from lightweight.daemon.metering import Books
from lightweight.daemon.pulse import Gauges
from lightweight.daemon.settle import settle
from lightweight.daemon.signals import Signals
from lightweight.observe.counts import Counts
from lightweight.observe.memory import cpu_seconds, resident
from lightweight.observe.tally import Tally
from lightweight.store.database import Database
from lightweight.store.problems import StoreProblem


@dataclass(frozen=True, kw_only=True)
class BookParts:
    """What the service works with; tap.py makes them."""

    reactor: Any
    observer: ILogObserver
    database: Callable[[], Database]
    """Opens the database, which the service closes; raises StoreProblem."""
    books: Callable[[Database], Books]
    link: Link
    farewells: Farewells


class BookkeeperService(Service):
    """Keeps the books until the parent sends it away."""

    log = Logger()
    name = "lightweight-books"

    def __init__(self, parts: BookParts) -> None:
        self._parts = parts
        self._signals = Signals(parts.reactor)
        self._database: Database | None = None
        self._books: Books | None = None
        self._signals.take(signal.SIGHUP, _nothing)
        self._signals.take(signal.SIGUSR2, _nothing)

    def setServiceParent(self, parent: Any) -> None:
        """Join the application, and give it our log observer."""
        super().setServiceParent(parent)
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._parts.observer)

    def startService(self) -> None:
        """Open the database; raises StoreProblem. The work comes with the reactor."""
        super().startService()
        try:
            self._database = self._parts.database()
        except StoreProblem as problem:
            self._parts.link.failed(str(problem))
            raise
        self._books = self._parts.books(self._database)
        self._parts.reactor.callWhenRunning(self._begin)

    def _begin(self) -> None:
        # Sent to a whole group they come here too: the parent says when to go, after
        # the last worker.
        self._signals.take(signal.SIGINT, _nothing)
        self._signals.take(signal.SIGTERM, _nothing)
        self._parts.link.listen(self._parts.reactor)
        Deferred.fromCoroutine(self._run()).addErrback(self._fatal)

    async def _run(self) -> None:
        assert self._database is not None
        assert self._books is not None
        await self._database.start()
        self._books.start(self._fatal)
        self._parts.farewells.start()
        settle()
        await self._parts.link.ready(0, 0, None)

    @property
    def lag(self) -> float | None:
        """Seconds since all that was in the journals was in the ledger."""
        return None if self._books is None else self._books.lag

    def _fatal(self, failure: Failure) -> None:
        if failure.check(StoreProblem) is None:
            self.log.failure("The books cannot be kept.", failure=failure)
        self._parts.link.failed(failure.getErrorMessage())
        self._parts.reactor.stop()

    def leave(self, _how: Leave) -> None:
        """Bring in what there is, and end."""
        if self.running:
            self._parts.reactor.stop()

    def orphaned(self) -> None:
        """Bring in what there is, and end: no worker will come after these."""
        self.leave("stop")

    def stopService(self) -> "Deferred[None]":
        """Import the rest and close; fires when the process may end."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._parts.farewells.stop()
        if self._books is not None and self._database is not None:
            await self._books.stop()
            await self._database.close()
        self._parts.link.end()
        self._signals.restore()


def _nothing() -> None:
    """Do nothing on a signal that would kill the process."""


def gauges_of_books(lag: Callable[[], float | None]) -> Gauges:
    """Give the gauges of a bookkeeper's process: it lives and serves nobody.

    ``lag`` gives how far it is behind, in seconds.
    """
    return Gauges(
        process="books",
        connections=int,
        calls=int,
        streams=int,
        lag=float,
        cpu=cpu_seconds,
        memory=resident,
        tally=Tally(lambda _: None),
        standings=dict,
        counts=Counts(),
        readings=tuple,
        limits_away=bool,
        journal_lag=lag,
    )
