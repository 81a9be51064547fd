from collections.abc import Iterator
from pathlib import Path

import pytest
from support.opened import OpenedState
from support.postgres import PASSWORD

from lightweight.cli.accounts import accounts
from lightweight.cli.db import db
from lightweight.store.migrate import NEWEST


@pytest.fixture
def opened(tmp_path: Path, store_url: str) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path, store_url)
    yield state
    state.close()


def test_upgrade_says_from_where_to_where(opened: OpenedState) -> None:
    head = NEWEST
    said = opened.said(db, "upgrade")
    assert said == f"The schema went from nothing to {head}.\n"
    assert opened.said(db, "upgrade") == f"The schema is {head} already.\n"
    assert opened.json(db, "upgrade") == {"from": head, "to": head}


def test_status_shows_what_is_there(opened: OpenedState) -> None:
    empty = opened.json(db, "status")
    assert (empty["schema"], empty["accounts"], empty["keys"]) == (None, None, None)
    opened.said(accounts, "create", "acme", "--tier", "pro")
    full = opened.json(db, "status")
    assert (full["schema"], full["accounts"], full["keys"]) == (NEWEST, 1, 0)
    said = opened.said(db, "status")
    assert f"newest_schema  {NEWEST}\n" in said
    assert f"url            {full['url']}\n" in said


def test_status_shows_no_password(tmp_path: Path, postgres_url: str) -> None:
    url = postgres_url.replace("@", f":{PASSWORD}@") + f"&password={PASSWORD}"
    opened = OpenedState(tmp_path, url)
    told = opened.json(db, "status")
    opened.close()
    assert told["kind"] == "PostgreSQL"
    assert told["url"].startswith("postgresql://lightweight@/test_")
    assert PASSWORD not in str(told)


def test_backup_writes_a_file_once(tmp_path: Path) -> None:
    opened = OpenedState(tmp_path)
    opened.said(accounts, "create", "acme", "--tier", "pro")
    path = tmp_path / "copy.db"
    assert "pepper" in opened.said(db, "backup", str(path))
    copied = OpenedState(tmp_path, f"sqlite:///{path}")
    assert copied.json(accounts, "show", "acme") == opened.json(
        accounts, "show", "acme"
    )
    assert "there already" in opened.refused(db, "backup", str(path))
    opened.close()
    copied.close()


def test_backup_on_postgresql_says_the_command(
    tmp_path: Path, postgres_url: str
) -> None:
    opened = OpenedState(tmp_path, postgres_url)
    refused = opened.refused(db, "backup", "copy.dump")
    opened.close()
    assert "pg_dump --format=custom --file=copy.dump" in refused
