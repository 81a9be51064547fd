"""A copy of the whole database in one file, while it is in use."""

import os
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from lightweight.store.connect import Engine, is_sqlite, reading, shown_url
from lightweight.store.problems import StoreProblem, StoreUnusable


def back_up(engine: Engine, path: Path) -> None:
    """Copy one state of the database to ``path``, a new file of mode 0600.

    Writers go on meanwhile. Raises StoreProblem; then there is no new file. PostgreSQL
    has a tool of its own, and the problem says how to call it.
    """
    if not is_sqlite(engine):
        command = [
            "pg_dump",
            "--format=custom",
            f"--file={path}",
            f"--dbname={shown_url(engine)}",
        ]
        raise StoreProblem(f"PostgreSQL has a tool for this: {shlex.join(command)}")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as problem:
        raise StoreProblem(
            f"{path} is there already: choose another file, nothing was written."
        ) from problem
    except OSError as problem:
        raise StoreUnusable(
            f"{path} cannot be written: {problem.strerror}."
        ) from problem
    try:
        _copy(engine, path)
    except BaseException:
        path.unlink()
        raise


def _copy(engine: Engine, path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy, reading(engine) as connection:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        try:
            # In one step: what is written meanwhile would else start it over.
            source.backup(copy)
        except sqlite3.Error as problem:
            raise StoreUnusable(
                f"The database cannot be copied: {problem}."
            ) from problem
