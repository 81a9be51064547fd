from collections.abc import Iterator
from pathlib import Path

import pytest
from support.opened import OpenedState

from lightweight.cli.accounts import accounts
from lightweight.store.connect import writing
from lightweight.store.directory import set_disabled

ACME = {
    "id": "acct_1",
    "name": "acme",
    "tier": "pro",
    "state": "active",
    "created_at": "2026-11-01T00:00:00Z",
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path)
    yield state
    state.close()


def test_create_answers_in_json_and_in_words(opened: OpenedState) -> None:
    assert opened.json(accounts, "create", "acme", "--tier", "pro") == ACME
    assert opened.said(accounts, "create", "other", "--tier", "beta") == (
        "id          acct_2\n"
        "name        other\n"
        "tier        beta\n"
        "state       active\n"
        "created_at  2026-11-01T00:00:00Z\n"
    )


def test_show_finds_by_name_and_id(opened: OpenedState) -> None:
    opened.said(accounts, "create", "acme", "--tier", "pro")
    assert opened.json(accounts, "show", "acme") == ACME
    assert opened.json(accounts, "show", "acct_1") == ACME
    assert "acct_1" in opened.said(accounts, "show", "acme")


def test_list_shows_all(opened: OpenedState) -> None:
    assert opened.json(accounts, "list") == []
    assert opened.said(accounts, "list") == "ID  NAME  TIER  STATE  CREATED\n"
    opened.said(accounts, "create", "acme", "--tier", "pro")
    with writing(opened.engine()) as connection:
        set_disabled(connection, "acme", disabled=True, now=1.0, who="t")
    assert opened.json(accounts, "list") == [{**ACME, "state": "disabled"}]
    assert opened.said(accounts, "list") == (
        "ID      NAME  TIER  STATE     CREATED\n"
        "acct_1  acme  pro   disabled  2026-11-01T00:00:00Z\n"
    )


def test_a_tier_that_is_not_configured_is_refused(opened: OpenedState) -> None:
    assert opened.refused(accounts, "create", "acme", "--tier", "prp") == (
        'Error: There is no tier "prp": the configuration has beta, enterprise, pro.\n'
    )
    assert opened.json(accounts, "list") == []


def test_problems_are_one_sentence(opened: OpenedState) -> None:
    opened.said(accounts, "create", "acme", "--tier", "pro")
    assert "already" in opened.refused(accounts, "create", "acme", "--tier", "pro")
    assert "no account" in opened.refused(accounts, "show", "nobody")


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    opened = OpenedState(tmp_path / "none")
    assert "No such file" in opened.refused(accounts, "list")


def test_a_forgotten_tier_is_a_mistake_of_use(opened: OpenedState) -> None:
    result = opened.invoke(accounts, "create", "acme")
    assert result.exit_code == 2
    assert "--tier" in result.stderr
