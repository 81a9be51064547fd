"""A gateway in memory with a real database, for what people and their programs use."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted
from support.gateway import Gateway
from support.offices import Desk

from lightweight.store.database import Database


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    from twisted.internet import reactor

    database = Database(f"sqlite:///{tmp_path / 'lightweight.db'}", reactor=reactor)  # type: ignore[arg-type]  # the module stands for the reactor
    await database.start()
    yield Desk(Gateway(database=database))
    await database.close()
