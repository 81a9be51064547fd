"""What measures every call of a process: limits, journal, and in one process the books.

Opened with the state, used from the first call on, closed when the last one ended.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from lightweight.daemon.bookkeeper import Bookkeeper
from lightweight.store.journal import Journal
from lightweight.store.limits.limiter import Limiter
from lightweight.store.problems import StoreProblem

log = Logger()


class Books:
    """A bookkeeper at work in this process, from ``start`` to ``stop``."""

    def __init__(
        self,
        bookkeeper: Bookkeeper,
        *,
        begin: Callable[[], Awaitable[None]],
        end: Callable[[], Awaitable[None]],
    ) -> None:
        """``begin`` and ``end`` open and close the ways by which it tells of uses."""
        self._bookkeeper = bookkeeper
        self._begin = begin
        self._end = end
        self._running: Deferred[None] | None = None

    @property
    def lag(self) -> float:
        """Seconds since all that was in the journals was in the ledger."""
        return self._bookkeeper.lag

    def start(self, failed: Callable[[Failure], None]) -> None:
        """Begin; ``failed`` is told of what nobody foresaw."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(_unless_cancelled, failed)

    async def _run(self) -> None:
        await self._begin()
        await self._bookkeeper.run()

    async def stop(self) -> None:
        """Bring in the last uses. Cancelling leaves them to the next start."""
        if self._running is not None:
            self._running.cancel()
            try:
                await self._bookkeeper.catch_up()
            except StoreProblem as problem:
                log.warn(
                    "The last uses stay in the journals until the next start. {why}",
                    why=problem,
                )
        await self._end()


def _unless_cancelled(failure: Failure, failed: Callable[[Failure], None]) -> None:
    if failure.check(CancelledError) is None:
        failed(failure)


@dataclass(frozen=True, kw_only=True)
class Metering:
    """What a serving process measures with; assembly.py makes it."""

    limits: Limiter
    journal: Journal
    why_degraded: Callable[[], str | None]
    """Says in a sentence which promise does not hold for the moment, if one."""
    local_decisions: Callable[[], int]
    """Gives how many asks were answered while the shared limits were away."""
    begin: Callable[[], Awaitable[None]]
    """Looks for shared limits, a second at most, and returns however that ended."""
    books: Books | None
    """Of a process that keeps them itself."""

    async def close(self) -> None:
        """Let the limits hear the end of the last call, then the disk and the ledger.

        Cancelling leaves the rest to the next start.
        """
        await self.limits.close()
        self.journal.close()
        if self.books is not None:
            await self.books.stop()
