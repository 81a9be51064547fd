"""A migrated database of each kind, for the suites of the store."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_twisted

from lightweight.store.connect import Connection, Engine, open_engine, writing
from lightweight.store.database import Database
from lightweight.store.migrate import upgrade


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    opened = open_engine(store_url)
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write, for the whole test."""
    with writing(engine) as opened:
        yield opened


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def database(store_url: str) -> AsyncIterator[Database]:
    from twisted.internet import reactor

    opened = Database(store_url, reactor=reactor)  # type: ignore[arg-type]  # the module stands for the reactor
    await opened.start()
    yield opened
    await opened.close()
