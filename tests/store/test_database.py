import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from twisted.internet.defer import CancelledError, Deferred, gatherResults

import pytest
import pytest_twisted
from sqlalchemy import Connection, select, update

from lightweight.store.database import READERS, WRITERS, Database
from lightweight.store.directory import take_turn
from lightweight.store.migrate import SchemaTooNew
from lightweight.store.problems import StoreUnusable
from lightweight.store.schema import counters


def value(connection: Connection) -> int:
    found: int = connection.execute(select(counters.c.value)).scalar_one()
    return found


def add_one(connection: Connection) -> int:
    take_turn(connection)
    seen = value(connection)
    connection.execute(update(counters).values(value=seen + 1))
    return seen + 1


Another: TypeAlias = Callable[[str], Database]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def another() -> AsyncIterator[Another]:
    """Makes databases and closes what a test leaves open: threads outlive a failure."""
    from twisted.internet import reactor

    made: list[Database] = []

    def make(url: str) -> Database:
        made.append(Database(url, reactor=reactor))  # type: ignore[arg-type]  # the module stands for the reactor
        return made[-1]

    yield make
    for each in made:
        if each._open:
            await each.close()


async def test_run_gives_what_the_work_gives_and_commits(database: Database) -> None:
    assert await database.run(add_one) == 1
    assert await database.read(value) == 1


async def test_work_is_done_outside_the_reactor(database: Database) -> None:
    def name(_connection: Connection) -> str:
        return threading.current_thread().name

    assert "database-writer" in await database.run(name)
    assert "database-reader" in await database.read(name)


async def test_an_exception_comes_back_and_rolls_back(database: Database) -> None:
    def fail(connection: Connection) -> None:
        add_one(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(fail)
    assert await database.read(value) == 0


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(StoreUnusable, match="read-?only"):
        await database.read(add_one)
    assert await database.run(add_one) == 1


async def test_many_writers_here_and_elsewhere_lose_nothing(
    database: Database, store_url: str, another: Another
) -> None:
    other = another(store_url)
    await other.start()
    await gatherResults(
        [Deferred.fromCoroutine(each.run(add_one)) for each in [database, other] * 50],
        consumeErrors=True,
    )
    assert await database.read(value) == 100
    await other.close()


async def test_reads_go_on_while_a_writer_works(database: Database) -> None:
    release = threading.Event()

    def slow(connection: Connection) -> None:
        add_one(connection)
        assert release.wait(20)

    writers = [Deferred.fromCoroutine(database.run(slow)) for _ in range(3)]
    assert await database.read(value) == 0
    release.set()
    await gatherResults(writers)
    assert await database.read(value) == 3


async def test_postgresql_has_several_writers(
    postgres_url: str, another: Another
) -> None:
    database = another(postgres_url)
    await database.start()
    barrier = threading.Barrier(WRITERS)
    # Each waits inside its transaction until all are in theirs.
    await gatherResults(
        [
            Deferred.fromCoroutine(database.run(lambda _: barrier.wait(20)))
            for _ in range(WRITERS)
        ],
        consumeErrors=True,
    )
    await database.close()


async def test_a_read_without_an_answer_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a server that froze; the thread is back when it thaws."""
    monkeypatch.setattr("lightweight.store.database.ANSWER_S", 0.05)
    release = threading.Event()
    try:
        for _ in range(READERS + 1):
            with pytest.raises(StoreUnusable, match=r"within 0\.05 seconds"):
                await database.read(lambda _: release.wait(20))
    finally:
        release.set()
    monkeypatch.undo()
    assert await database.read(value) == 0


async def test_who_cancels_gets_no_answer_but_the_work_is_done_before_close(
    store_url: str, another: Another
) -> None:
    database = another(store_url)
    await database.start()
    entered, release = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        entered.set()
        assert release.wait(20)
        add_one(connection)

    running = Deferred.fromCoroutine(database.run(slow))
    entered.wait(20)
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    closing = Deferred.fromCoroutine(database.close())
    assert not closing.called
    release.set()
    await closing
    again = another(store_url)
    await again.start()
    assert await again.read(value) == 1
    await again.close()


async def test_a_cancelled_close_can_be_repeated(
    store_url: str, another: Another
) -> None:
    database = another(store_url)
    await database.start()
    release = threading.Event()
    running = Deferred.fromCoroutine(database.read(lambda _: release.wait(20)))
    closing = Deferred.fromCoroutine(database.close())
    closing.cancel()
    with pytest.raises(CancelledError):
        await closing
    release.set()
    assert await running
    await database.close()


async def test_nothing_is_begun_before_the_start_or_after_the_end(
    store_url: str, another: Another
) -> None:
    database = another(store_url)
    with pytest.raises(StoreUnusable, match="closed"):
        await database.run(add_one)
    await database.start()
    await database.close()
    with pytest.raises(StoreUnusable, match="closed"):
        await database.read(value)


async def test_closing_what_never_started_is_nothing(
    store_url: str, another: Another
) -> None:
    await another(store_url).close()


async def test_a_database_of_a_newer_version_does_not_start(
    database: Database, store_url: str, another: Another
) -> None:
    await database.run(
        lambda c: (
            c.exec_driver_sql("UPDATE alembic_version SET version_num = '9'") and None
        )
    )
    newer = another(store_url)
    with pytest.raises(SchemaTooNew):
        await newer.start()
    await newer.close()
