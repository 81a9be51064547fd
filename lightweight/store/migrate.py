"""Bringing a database to the schema of this code, and never past it."""

from sqlalchemy import func, inspect, select

from lightweight.store.connect import (
    Connection,
    Engine,
    is_sqlite,
    reading,
    writing,
)
from lightweight.store.glance import NEWEST
from lightweight.store.problems import StoreProblem

__all__ = ["NEWEST", "SchemaTooNew", "revision", "upgrade"]

TURN_S = 60
"""How long a migration waits on PostgreSQL for other machines, in seconds."""

_TABLE = "alembic_version"
"""Where Alembic keeps the revision."""

_LOCK = 0x6C77_6D69_6772  # "lwmigr": the same number on every machine


class SchemaTooNew(StoreProblem):
    """The database was migrated by a newer Lightweight than this one."""


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables, in one transaction: all of it or nothing.

    Processes and machines that start at once take turns and the next finds the work
    done. A database that is up to date is only read. Raises SchemaTooNew and
    StoreUnusable.
    """
    with reading(engine) as connection:
        if _revision(connection) == NEWEST:
            return
    # Alembic is slow to import: see there.
    from lightweight.store.steps import bring, known  # noqa: PLC0415 -- as it says

    with writing(engine) as connection:
        if not is_sqlite(engine):
            _take_turn(connection)
        theirs = _revision(connection)
        if theirs is not None and theirs not in known():
            raise SchemaTooNew(
                f"The database has schema {theirs} and this Lightweight knows none "
                f"newer than {NEWEST}: install the version that wrote it, or restore a "
                "backup."
            )
        bring(connection, NEWEST)


def revision(engine: Engine) -> str | None:
    """Give the revision the database has, None for an empty one.

    Raises StoreUnusable.
    """
    with reading(engine) as connection:
        return _revision(connection)


def _take_turn(connection: Connection) -> None:
    """Keep other machines out until the commit, and let the work take its time."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TURN_S * 1000}")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_TABLE):
        return None
    found = connection.exec_driver_sql(f"SELECT version_num FROM {_TABLE}")  # noqa: S608 -- a name of ours
    revision: str | None = found.scalar_one_or_none()
    return revision
