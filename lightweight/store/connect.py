"""Opening the database, and its two kinds of transaction. No reactor is needed here.

Python's own handling of SQLite transactions is switched off: it begins them late and
never IMMEDIATE, so that two readers who both go on to write fail at once whatever
``busy_timeout`` says. Here a writer takes its lock at BEGIN and waits for it.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.pool import ConnectionPoolEntry

from lightweight.store import postgres
from lightweight.store.problems import StoreProblem, StoreUnusable
from lightweight.store.whereabouts import file_url

__all__ = [
    "Connection",
    "Engine",
    "is_sqlite",
    "open_engine",
    "read_url",
    "reading",
    "shown_url",
    "sqlite_url",
    "writing",
]

BUSY_S = 5.0
"""How long a transaction waits for another's lock, in seconds."""

_READ_ONLY = "lightweight_read_only"

_KINDS = (
    "write sqlite:////path/to/file or postgresql://user@host/name, with a password as "
    "a secret."
)


def sqlite_url(state: Path) -> URL:
    """Give the URL of the database in the state directory."""
    return make_url(file_url(state))


def is_sqlite(engine: Engine) -> bool:
    """Tell whether it is a file, which has one writer at a time."""
    return engine.dialect.name == "sqlite"


def shown_url(engine: Engine) -> str:
    """Give where the database is, for people: without a password."""
    if is_sqlite(engine):
        return str(engine.url)
    return postgres.without_password(engine.url)


def read_url(url: str | URL) -> URL:
    """Give ``url`` in parts where it names a database that can be used here.

    Opens nothing. Raises StoreProblem, in a sentence without a secret.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not even as the cause: its text may hold the password.
        raise StoreProblem(f"The database URL cannot be read: {_KINDS}") from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        postgres.check_url(parsed)
    elif kind != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise StoreProblem(f"This cannot be the database: {_KINDS}")
    return parsed


def open_engine(url: str | URL) -> Engine:
    """Open the database of ``url``; a missing SQLite file is made with mode 0600.

    PostgreSQL is connected to when it is first used. The tables are
    ``migrate.upgrade``'s business. Raises StoreProblem. Whoever opens an engine
    disposes of it.
    """
    parsed = read_url(url)
    if parsed.get_backend_name() == "postgresql":
        return postgres.open_postgres(parsed, BUSY_S)
    _prepare_file(Path(parsed.database or ""))
    engine = create_engine(
        parsed,
        connect_args={"timeout": BUSY_S},
        # Digests of keys belong into no log and no error.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection inside one transaction that is committed at the end.

    On SQLite the write lock is taken at once, after at most BUSY_S seconds. PostgreSQL
    has many writers: who reads what it will change locks that row first, as
    ``directory.take_turn`` does. Any exception rolls back. Raises StoreUnusable.
    """
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one state of the data and cannot change it.

    Takes no write lock and waits for no writer. Raises StoreUnusable.
    """
    with _translated(), engine.connect() as plain:
        options = {_READ_ONLY: True} if is_sqlite(engine) else postgres.READ_ONLY
        connection = plain.execution_options(**options)
        with connection.begin():
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, DataError):
        raise  # a bug of ours, not the database's state
    except DBAPIError as error:
        told = _told(error)
        if told is None:
            raise
        raise StoreUnusable(told) from error
    except NoFreeConnection as error:
        raise StoreUnusable(
            "The database is too slow: every connection to it is in use."
        ) from error


def _told(error: DBAPIError) -> str | None:
    """Say what the database could not do; None for a bug of ours."""
    if not isinstance(error.orig, sqlite3.Error):
        return postgres.describe(error)
    if isinstance(error, InterfaceError | ProgrammingError):
        return None
    return f"The database cannot be used: {error.orig}."


def _prepare_file(path: Path) -> None:
    """Make the file if it is missing and switch it to WAL, one process at a time.

    The switch does not wait for ``busy_timeout``: processes that start together would
    fail with "database is locked" (seen in one start of five). The lock is on the
    directory since closing a descriptor of the file itself drops SQLite's own locks.
    """
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
        finally:
            os.close(directory)
    except OSError as error:
        raise StoreUnusable(
            f"The database {path} cannot be opened: {error.strerror}."
        ) from error
    except sqlite3.Error as error:
        raise StoreUnusable(
            f"The database {path} cannot be opened: {error}."
        ) from error


def _set_up(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # What was acknowledged is there after a loss of power.
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
