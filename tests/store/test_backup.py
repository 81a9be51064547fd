import shlex
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url
from support.postgres import PASSWORD

from lightweight.store.accounts import create_account, list_accounts
from lightweight.store.backup import back_up
from lightweight.store.connect import Engine, open_engine, reading, sqlite_url, writing
from lightweight.store.migrate import upgrade
from lightweight.store.problems import StoreProblem, StoreUnusable


@pytest.fixture
def file(tmp_path: Path) -> object:
    """A SQLite database with one account."""
    engine = open_engine(sqlite_url(tmp_path))
    upgrade(engine)
    with writing(engine) as connection:
        make(connection, "acme")
    yield engine
    engine.dispose()


def make(connection: object, name: str) -> None:
    create_account(
        connection,  # type: ignore[arg-type]  # a connection is what writing gives
        account_id=name,
        name=name,
        tier="pro",
        now=1.0,
        who="t",
    )


def names(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [account.name for account in list_accounts(connection)]


def test_a_copy_is_whole_and_ours_alone(file: Engine, tmp_path: Path) -> None:
    """What is being written meanwhile is not in it, and does not disturb it."""
    path = tmp_path / "copy.db"
    with writing(file) as connection:
        make(connection, "later")
        back_up(file, path)
    assert path.stat().st_mode & 0o777 == 0o600
    copy = open_engine(f"sqlite:///{path}")
    assert names(copy) == ["acme"]
    assert names(file) == ["acme", "later"]
    copy.dispose()


def test_nothing_is_overwritten(file: Engine, tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    path.write_text("precious")
    with pytest.raises(StoreProblem, match=r"copy\.db is there already"):
        back_up(file, path)
    assert path.read_text() == "precious"


def test_no_directory_is_one_sentence(file: Engine, tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="cannot be written: No such file"):
        back_up(file, tmp_path / "none" / "copy.db")


def test_a_copy_that_fails_leaves_no_file(file: Engine, tmp_path: Path) -> None:
    database = tmp_path / "lightweight.db"
    file.dispose()
    database.write_bytes(b"x" * 8192)
    with pytest.raises(StoreUnusable, match="not a database"):
        back_up(file, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_on_postgresql_it_is_said_what_to_run(
    postgres_url: str, tmp_path: Path
) -> None:
    """And what is said works."""
    path = tmp_path / "a copy.dump"
    engine = open_engine(make_url(postgres_url).set(password=PASSWORD))
    upgrade(engine)
    with pytest.raises(StoreProblem) as caught:
        back_up(engine, path)
    engine.dispose()
    told, command = str(caught.value).split(": ", 1)
    assert told == "PostgreSQL has a tool for this"
    assert PASSWORD not in command
    subprocess.run(shlex.split(command), check=True)
    listed = subprocess.check_output(["pg_restore", "--list", path], text=True)
    assert " TABLE public accounts " in listed
