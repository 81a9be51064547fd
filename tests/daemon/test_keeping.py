"""Kept prompts come into the database and leave it in time."""

from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.task import Clock

import pytest
import pytest_twisted
from sqlalchemy import func, select
from support.keys import a_kept_key

from lightweight.daemon.keeping import FORGET_S, Keeping
from lightweight.records import Kept
from lightweight.store.connect import sqlite_url
from lightweight.store.database import Database
from lightweight.store.kept import DAY_S, kept_until
from lightweight.store.problems import StoreUnusable
from lightweight.store.schema import kept_prompts
from lightweight.store.spool import waiting, write

NOW = 1_000_000.0


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    from twisted.internet import reactor

    opened = Database(sqlite_url(tmp_path), reactor=reactor)  # type: ignore[arg-type]  # the module stands for the reactor
    await opened.start()
    await opened.run(lambda c: a_kept_key(c, 1))
    yield opened
    await opened.close()


def put(directory: Path, name: str, key_id: str = "key_1") -> None:
    kept = Kept(
        request_id=name,
        key_id=key_id,
        at=NOW,
        prompt="Hi",
        prompt_bytes=2,
        answer="Ho",
        answer_bytes=2,
    )
    write(directory, kept, ())


async def count(database: Database) -> int:
    query = select(func.count()).select_from(kept_prompts)
    found: int = await database.read(lambda c: c.execute(query).scalar_one())
    return found


async def test_they_come_in_once_and_are_forgotten_in_time(
    tmp_path: Path, database: Database
) -> None:
    clock, place = Clock(), tmp_path / "kept"
    keeping = Keeping(database, place, clock=clock, wall=lambda: NOW + clock.seconds())
    await keeping.turn()
    put(place, "req_1")
    put(place, "req_other", "key_none")
    await keeping.turn()
    assert waiting(place, 9) == []
    assert await count(database) == 1
    # Killed before the file was gone, it comes again.
    put(place, "req_1")
    await keeping.turn()
    assert await count(database) == 1
    assert await database.read(lambda c: kept_until(c, "req_1", NOW)) is not None
    clock.advance(DAY_S - FORGET_S)
    await keeping.turn()
    assert await count(database) == 1
    clock.advance(FORGET_S)
    await keeping.turn()
    assert await count(database) == 0


async def test_what_cannot_be_read_is_told(tmp_path: Path, database: Database) -> None:
    place = tmp_path / "kept"
    place.write_text("no directory")
    keeping = Keeping(database, place, clock=Clock(), wall=lambda: NOW)
    with pytest.raises(StoreUnusable, match="cannot be read or cleared"):
        await keeping.turn()
