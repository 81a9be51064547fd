import subprocess
import sys
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect

from lightweight.records import Limits
from lightweight.store import connect
from lightweight.store.accounts import find_account
from lightweight.store.api_keys import find_key
from lightweight.store.connect import Engine, open_engine, reading, writing
from lightweight.store.directory import take_turn
from lightweight.store.indexes import PARTIAL
from lightweight.store.migrate import NEWEST as HEAD
from lightweight.store.migrate import SchemaTooNew, revision, upgrade
from lightweight.store.schema import metadata
from lightweight.store.steps import bring

START = """
import sys
from lightweight.store.connect import open_engine
from lightweight.store.migrate import revision, upgrade
engine = open_engine(sys.argv[1])
upgrade(engine)
print(revision(engine))
assert "twisted" not in sys.modules
"""

SECOND_START = """
import sys
from lightweight.store.connect import open_engine
from lightweight.store.migrate import upgrade
upgrade(open_engine(sys.argv[1]))
assert "alembic" not in sys.modules
"""


@pytest.fixture
def empty(store_url: str) -> object:
    opened = open_engine(store_url)
    yield opened
    opened.dispose()


def told(index: Any) -> dict[str, object]:
    """Describe an index; its condition is an object, whose words count."""
    options = index.get("dialect_options", {})
    return {**index, "dialect_options": {k: str(v) for k, v in options.items()}}


def tables(engine: Engine) -> dict[str, object]:
    """Describe every table of ours with all names, whatever order they came in."""
    with reading(engine) as connection:
        seen = inspect(connection)
        return {
            name: (
                {
                    column["name"]: (str(column["type"]), column["nullable"])
                    for column in seen.get_columns(name)
                },
                seen.get_pk_constraint(name),
                seen.get_foreign_keys(name),
                seen.get_unique_constraints(name),
                sorted(map(told, seen.get_indexes(name)), key=str),
            )
            for name in seen.get_table_names()
            if name != "alembic_version"
        }


def test_an_empty_database_is_brought_up(empty: Engine) -> None:
    assert revision(empty) is None
    upgrade(empty)
    assert revision(empty) == HEAD
    upgrade(empty)
    assert revision(empty) == HEAD


def test_the_migrated_schema_is_the_one_in_the_code(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert PARTIAL


def test_its_names_are_too(engine: Engine) -> None:
    """Alembic does not compare names of constraints."""
    migrated = tables(engine)
    with writing(engine) as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert tables(engine) == migrated


def test_a_newer_database_is_refused_and_left_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(SchemaTooNew, match=f"schema 0999 .* newer than {HEAD}"):
        upgrade(engine)
    assert revision(engine) == "0999"


def test_processes_that_start_at_once_from_anywhere(store_url: str) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", START, store_url],
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    assert [start.communicate()[0] for start in starts] == [f"{HEAD}\n"] * 3


def test_what_was_there_before_limits_has_none(empty: Engine) -> None:
    with writing(empty) as connection:
        bring(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO accounts VALUES ('acct_1', 'acme', 'pro', 1.5, false, 1)"
        )
        connection.exec_driver_sql(
            "INSERT INTO keys VALUES ('key_1', 'acct_1', 'ci', 'digest', 'lw', 2, "
            "null, null, '[\"a\"]', 2)"
        )
    upgrade(empty)
    with reading(empty) as connection:
        account, key = find_account(connection, "acme"), find_key(connection, "key_1")
    assert (account.created_at, account.limits) == (1.5, Limits())
    assert (key.models, key.limits) == (frozenset("a"), Limits())


def test_totals_of_all_are_made_of_the_sums_there_are(empty: Engine) -> None:
    with writing(empty) as connection:
        bring(connection, "0004")
        for account, key, model in (("a", "k", "m"), ("a", "l", "m"), ("b", "n", "o")):
            connection.exec_driver_sql(
                f"INSERT INTO day_uses VALUES ('{account}', '2026-11-01', '{key}', "
                f"'{model}', 1, 2, 3, 4, 5, 6, 7, 8, 9)"
            )
    upgrade(empty)
    with reading(empty) as connection:
        totals = connection.exec_driver_sql(
            "SELECT kind, part, succeeded, failed, unpriced FROM day_totals "
            "ORDER BY kind, part"
        ).all()
    assert [tuple(row) for row in totals] == [
        ("account", "a", 2, 4, 18),
        ("account", "b", 1, 2, 9),
        ("key", "k", 1, 2, 9),
        ("key", "l", 1, 2, 9),
        ("key", "n", 1, 2, 9),
        ("model", "m", 2, 4, 18),
        ("model", "o", 1, 2, 9),
    ]


def test_a_migration_that_fails_leaves_nothing(empty: Engine) -> None:
    def fail(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "CREATE TABLE counters" in statement:
            raise ZeroDivisionError

    event.listen(empty, "before_cursor_execute", fail)
    with pytest.raises(ZeroDivisionError):
        upgrade(empty)
    assert tables(empty) == {}
    assert revision(empty) is None
    event.remove(empty, "before_cursor_execute", fail)
    upgrade(empty)
    assert revision(empty) == HEAD


def test_an_up_to_date_database_is_only_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "BUSY_S", 1.0)
    other = open_engine(engine.url)
    with writing(engine) as connection:
        take_turn(connection)
        upgrade(other)
    other.dispose()


def test_an_up_to_date_database_is_not_worth_alembic(engine: Engine) -> None:
    """It is slow to import, and each process of each generation comes by here."""
    url = engine.url.render_as_string(hide_password=False)
    subprocess.run([sys.executable, "-c", SECOND_START, url], check=True)
