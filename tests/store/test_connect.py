import os
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert
from sqlalchemy.exc import IntegrityError

from lightweight.store import connect
from lightweight.store.connect import (
    Engine,
    is_sqlite,
    open_engine,
    reading,
    sqlite_url,
    writing,
)
from lightweight.store.problems import StoreProblem, StoreUnusable

table = Table(
    "numbers",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("value", Integer),
)

LOOK = "SELECT value FROM numbers"

ADD = """
import sys
from lightweight.store.connect import open_engine, writing
engine = open_engine(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with writing(engine) as c:
        seen = c.exec_driver_sql(sys.argv[3]).scalar_one()
        c.exec_driver_sql(f"UPDATE numbers SET value = {seen + 1}")
assert "twisted" not in sys.modules
"""
"""Reads and then writes: what fails at once where BEGIN is not IMMEDIATE."""


@pytest.fixture
def numbers(engine: Engine) -> Engine:
    with writing(engine) as connection:
        table.create(connection)
        connection.execute(insert(table).values(name="n", value=0))
    return engine


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Engine]:
    """On SQLite alone."""
    engine = open_engine(sqlite_url(tmp_path))
    with writing(engine) as connection:
        table.create(connection)
    yield engine
    engine.dispose()


def value(engine: Engine) -> object:
    with reading(engine) as connection:
        return connection.exec_driver_sql(LOOK).scalar_one()


def test_the_file_is_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    engine = open_engine(sqlite_url(tmp_path))
    with writing(engine) as connection:
        table.create(connection)
        files = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
    engine.dispose()
    os.umask(before)
    assert files == dict.fromkeys(
        ["lightweight.db", "lightweight.db-wal", "lightweight.db-shm"], 0o600
    )


def test_every_connection_is_set_up(file: Engine) -> None:
    for transaction in (reading, writing):
        with transaction(file) as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in (
                    "journal_mode",
                    "synchronous",
                    "busy_timeout",
                    "foreign_keys",
                )
            }
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            assert raw.isolation_level is None
        assert found == {
            "journal_mode": "wal",
            "synchronous": 2,
            "busy_timeout": 5000,
            "foreign_keys": 1,
        }


def test_writers_in_processes_and_threads_lose_nothing(numbers: Engine) -> None:
    url = numbers.url.render_as_string(hide_password=False)
    look = LOOK if is_sqlite(numbers) else f"{LOOK} FOR UPDATE"
    arguments = [sys.executable, "-c", ADD, url, "100", look]
    processes = [subprocess.Popen(arguments) for _ in range(2)]

    def add() -> None:
        for _ in range(100):
            with writing(numbers) as connection:
                seen = connection.exec_driver_sql(look).scalar_one()
                connection.exec_driver_sql(f"UPDATE numbers SET value = {seen + 1}")

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    assert value(numbers) == 400


def test_a_writer_has_its_lock_before_its_first_statement(
    file: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "BUSY_S", 0.01)
    other = open_engine(file.url)
    with (
        writing(file),
        pytest.raises(StoreUnusable, match="database is locked"),
        writing(other),
    ):
        raise AssertionError("two writers at once")
    other.dispose()


def test_a_reader_waits_for_no_writer_and_sees_what_was_committed(
    numbers: Engine,
) -> None:
    with writing(numbers) as connection:
        connection.exec_driver_sql("UPDATE numbers SET value = 1")
        assert value(numbers) == 0
    assert value(numbers) == 1


def test_a_reader_cannot_write_and_the_next_writer_can(numbers: Engine) -> None:
    with (
        pytest.raises(StoreUnusable, match="read-?only"),
        reading(numbers) as connection,
    ):
        connection.exec_driver_sql("UPDATE numbers SET value = 1")
    with writing(numbers) as connection:
        connection.exec_driver_sql("UPDATE numbers SET value = 2")
    assert value(numbers) == 2


def test_a_reader_sees_one_state(numbers: Engine) -> None:
    with reading(numbers) as connection:
        assert connection.exec_driver_sql(LOOK).scalar_one() == 0
        with writing(numbers) as writer:
            writer.exec_driver_sql("UPDATE numbers SET value = 1")
        assert connection.exec_driver_sql(LOOK).scalar_one() == 0
    assert value(numbers) == 1


def test_an_exception_rolls_back(numbers: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(numbers) as connection:
        connection.exec_driver_sql("UPDATE numbers SET value = 1")
        raise ZeroDivisionError
    assert value(numbers) == 0


def test_a_broken_rule_stays_itself_and_shows_no_values(numbers: Engine) -> None:
    with pytest.raises(IntegrityError) as caught, writing(numbers) as connection:
        connection.execute(insert(table).values(name="n", value=987654321))
    assert "987654321" not in str(caught.value)


def test_engines_opened_at_once_all_work(tmp_path: Path) -> None:
    """The switch to WAL does not wait for locks by itself."""
    problems: list[Exception] = []
    for round_ in range(40):
        barrier = threading.Barrier(4)
        state = tmp_path / str(round_)
        state.mkdir()

        def start(barrier: threading.Barrier = barrier, state: Path = state) -> None:
            barrier.wait()
            try:
                open_engine(sqlite_url(state)).dispose()
            except StoreProblem as problem:
                problems.append(problem)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []


def test_opening_again_drops_no_lock(file: Engine, tmp_path: Path) -> None:
    """POSIX locks go when any descriptor of the file is closed.

    Without ours, the next process to leave would think itself the last one and delete
    the write-ahead log under our hands.
    """
    open_engine(file.url).dispose()
    leave = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute('SELECT * FROM numbers').fetchall(); c.close()"
    )
    path = tmp_path / "lightweight.db"
    subprocess.run([sys.executable, "-c", leave, str(path)], check=True)
    assert (tmp_path / "lightweight.db-wal").exists()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:canary@host/name",
        "canary",
        "postgresql://u:canary@host:port/name",
    ],
)
def test_other_databases_are_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(
        StoreProblem, match="write sqlite:////path/to/file or post"
    ) as caught:
        open_engine(url)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_no_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="none/lightweight.db.*No such file"):
        open_engine(sqlite_url(tmp_path / "none"))


def test_a_file_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lightweight.db").write_bytes(b"no database at all " * 100)
    with pytest.raises(StoreUnusable, match="file is not a database"):
        open_engine(sqlite_url(tmp_path))


def test_a_path_with_odd_characters_is_that_path(tmp_path: Path) -> None:
    state = tmp_path / "100% ?a=b#c"
    state.mkdir()
    open_engine(sqlite_url(state)).dispose()
    assert (state / "lightweight.db").exists()


def test_a_copy_without_wal_is_switched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lightweight.db") as plain:
        plain.execute("CREATE TABLE numbers (name, value)")
    plain.close()
    engine = open_engine(sqlite_url(tmp_path))
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()
