"""The database seen from the reactor: work is done in threads of its own.

SQLite has one writer at a time, so writers get one thread and queue there instead of
waiting for each other's locks; PostgreSQL has several. Readers have threads of their
own and never stand behind a writer.
"""

from collections.abc import Callable
from typing import NoReturn, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from sqlalchemy import URL, Connection

from lightweight.store.connect import is_sqlite, open_engine, reading, writing
from lightweight.store.migrate import upgrade
from lightweight.store.problems import StoreUnusable

T = TypeVar("T")

READERS = 2
WRITERS = 4
"""How many writes run at once on PostgreSQL."""

ANSWER_S = 15.0
"""How long a read may take: a server that froze ends no statement, and tells nobody."""


def _give_up(_cancelled: object, seconds: float) -> NoReturn:
    raise StoreUnusable(f"The database did not answer within {seconds:g} seconds.")


class Database:
    """An engine with the threads that use it, from ``start`` to ``close``."""

    def __init__(
        self, url: str | URL, *, reactor: IReactorFromThreads, threads: int = READERS
    ) -> None:
        """Open ``url``; ``threads`` is how many reads run at once.

        Raises StoreProblem as ``open_engine`` does.
        """
        self._engine = open_engine(url)
        self._reactor = reactor
        self._clock = IReactorTime(reactor)
        writers = 1 if is_sqlite(self._engine) else WRITERS
        self._writers = ThreadPool(0, writers, "database-writer")
        self._readers = ThreadPool(0, threads, "database-reader")
        self._open = False
        self._underway = 0
        self._idle: list[Deferred[None]] = []

    async def start(self) -> None:
        """Start the threads and bring the schema up to date.

        Raises SchemaTooNew and StoreUnusable; the threads run even then, until
        ``close``. Cancelling leaves a migration to end by itself.
        """
        self._writers.start()
        self._readers.start()
        self._open = True
        await self._in_thread(self._writers, lambda: upgrade(self._engine))

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Give what ``work`` gives, in one transaction that may write.

        Raises what ``work`` raises, after rolling back, and StoreUnusable. Cancelling
        gives up the answer: the transaction itself still ends as it would have.
        """

        def transact() -> T:
            with writing(self._engine) as connection:
                return work(connection)

        return await self._in_thread(self._writers, transact)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Give what ``work`` gives, in one transaction that cannot write.

        Waits for no writer. Raises and is cancelled as ``run``; after ANSWER_S seconds
        it is given up, and its thread with it until the database answers.
        """

        def transact() -> T:
            with reading(self._engine) as connection:
                return work(connection)

        answer = self._in_thread(self._readers, transact)
        return await answer.addTimeout(ANSWER_S, self._clock, _give_up)

    async def close(self) -> None:
        """Wait for what is under way, then stop the threads and close the file.

        Nothing new is begun from now on. Cancelling leaves the threads running, until
        the next ``close``. Safe on a database that never started.
        """
        self._open = False
        if self._underway:
            # Stopping a pool blocks until its threads are done: not in the reactor.
            idle: Deferred[None] = Deferred()
            self._idle.append(idle)
            await idle
        for pool in (self._writers, self._readers):
            pool.stop()
        self._engine.dispose()

    def _in_thread(self, pool: ThreadPool, work: Callable[[], T]) -> "Deferred[T]":
        if not self._open:
            raise StoreUnusable("The database is closed: start the daemon again.")
        answer: Deferred[T] = Deferred()

        def ended(_success: object, result: T | Failure) -> None:
            self._reactor.callFromThread(self._ended, answer, result)

        self._underway += 1
        pool.callInThreadWithCallback(ended, work)
        return answer

    def _ended(self, answer: "Deferred[T]", result: T | Failure) -> None:
        self._underway -= 1
        if isinstance(result, Failure):
            answer.errback(result)
        else:
            answer.callback(result)
        if not self._underway:
            waiting, self._idle = self._idle, []
            for idle in waiting:
                idle.callback(None)
