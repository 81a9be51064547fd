from datetime import date
from pathlib import Path

from lightweight.store.bill import Ledger
from lightweight.store.connect import sqlite_url
from lightweight.store.database import Database


async def test_it_reads_days_without_a_writer(tmp_path: Path) -> None:
    from twisted.internet import reactor

    database = Database(sqlite_url(tmp_path), reactor=reactor)  # type: ignore[arg-type]  # it has threads
    await database.start()
    try:
        days = await Ledger(database).day_uses("a", date(2026, 1, 1), date(2026, 2, 1))
        assert days == []
    finally:
        await database.close()
