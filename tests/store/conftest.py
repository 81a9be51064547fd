"""A migrated database for the suites of the store.

``engine`` is parametrised by the kinds of database that there are: the suite of verbs
runs unchanged over each.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_twisted

from lightweight.store.connect import Engine, open_engine, sqlite_url
from lightweight.store.database import Database
from lightweight.store.migrate import upgrade


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(sqlite_url(tmp_path))
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    from twisted.internet import reactor

    opened = Database(sqlite_url(tmp_path), reactor=reactor)  # type: ignore[arg-type]  # the module stands for the reactor
    await opened.start()
    yield opened
    await opened.close()
