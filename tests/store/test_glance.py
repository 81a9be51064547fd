"""A look at the database file: whether anything is to be done before the workers."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lightweight.store.accounts import create_account
from lightweight.store.connect import open_engine, sqlite_url, writing
from lightweight.store.glance import needs_nothing
from lightweight.store.migrate import upgrade
from lightweight.store.whereabouts import FILE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A migrated database with an account."""
    engine = open_engine(sqlite_url(tmp_path))
    upgrade(engine)
    with writing(engine) as connection:
        create_account(
            connection, account_id="a", name="acme", tier="pro", now=1.0, who="cli"
        )
    engine.dispose()
    return tmp_path / FILE


def done(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_database_in_use_needs_nothing(file: Path) -> None:
    assert needs_nothing(file)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
    ],
)
def test_one_without_account_or_of_another_schema_needs_work(
    file: Path, statement: str
) -> None:
    done(file, statement)

    assert not needs_nothing(file)


def test_what_is_no_database_is_for_who_opens_it(tmp_path: Path) -> None:
    assert not needs_nothing(tmp_path / FILE)
    assert not (tmp_path / FILE).exists()
    (tmp_path / FILE).write_text("no database at all" * 1000)
    assert not needs_nothing(tmp_path / FILE)


def test_a_locked_one_is_not_waited_for(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert not needs_nothing(file)
