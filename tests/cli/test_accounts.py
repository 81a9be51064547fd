from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.opened import OpenedState

from lightweight.cli.accounts import accounts

ACME: dict[str, Any] = {
    "id": "acct_1",
    "name": "acme",
    "tier": "pro",
    "state": "active",
    "created_at": "2026-11-01T00:00:00Z",
    "limits": {
        "rpm": None,
        "tpm": None,
        "concurrency": None,
        "quota_tokens": None,
        "quota_usd": None,
        "prepaid": False,
    },
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
        "limits      -\n"
    )


def test_show_finds_by_name_and_id(opened: OpenedState) -> None:
    opened.said(accounts, "create", "acme", "--tier", "pro")
    assert opened.json(accounts, "show", "acme") == ACME
    assert opened.json(accounts, "show", "acct_1") == ACME
    assert "acct_1" in opened.said(accounts, "show", "acme")


def test_list_shows_all(opened: OpenedState) -> None:
    assert opened.json(accounts, "list") == []
    assert opened.said(accounts, "list") == "ID  NAME  TIER  STATE  CREATED  LIMITS\n"
    opened.said(accounts, "create", "acme", "--tier", "pro")
    opened.said(accounts, "set", "acme", "--disable")
    assert opened.json(accounts, "list") == [{**ACME, "state": "disabled"}]
    assert opened.said(accounts, "list") == (
        "ID      NAME  TIER  STATE     CREATED               LIMITS\n"
        "acct_1  acme  pro   disabled  2026-11-01T00:00:00Z  -\n"
    )


def test_an_account_is_made_with_limits(opened: OpenedState) -> None:
    options = ("--rpm", "100", "--tpm", "5", "--concurrency", "2")
    quotas = ("--quota-tokens", "1000", "--quota-usd", "250.5")
    made = opened.json(accounts, "create", "acme", "--tier", "pro", *options, *quotas)
    assert made["limits"] == {
        "rpm": 100,
        "tpm": 5,
        "concurrency": 2,
        "quota_tokens": 1000,
        "quota_usd": "250.50",
        "prepaid": False,
    }
    assert opened.json(accounts, "show", "acme") == made
    assert opened.said(accounts, "show", "acme").endswith(
        "limits      rpm 100, tpm 5, concurrency 2, quota_tokens 1000, "
        "quota_usd 250.50\n"
    )


def test_set_changes_what_is_given_and_nothing_else(opened: OpenedState) -> None:
    opened.said(accounts, "create", "acme", "--tier", "pro", "--rpm", "5")
    changed = opened.json(accounts, "set", "acme", "--tpm", "9", "--disable")
    assert changed["limits"] == {**ACME["limits"], "rpm": 5, "tpm": 9}
    assert (changed["tier"], changed["state"]) == ("pro", "disabled")
    changed = opened.json(
        accounts, "set", "acct_1", "--rpm", "none", "--tier", "beta", "--enable"
    )
    assert changed["limits"] == {**ACME["limits"], "tpm": 9}
    assert (changed["tier"], changed["state"]) == ("beta", "active")
    assert opened.json(accounts, "show", "acme") == changed


def test_set_refuses_all_or_nothing(opened: OpenedState) -> None:
    opened.said(accounts, "create", "acme", "--tier", "pro")
    assert "Nothing was changed" in opened.refused(accounts, "set", "acme")
    for words in (
        ("--tier", "prp", "--rpm", "5"),
        ("--tier", "beta", "--rpm", "0"),
        ("--tier", "beta", "--quota-usd", "free"),
    ):
        opened.refused(accounts, "set", "acme", *words)
    assert "no account" in opened.refused(accounts, "set", "nobody", "--rpm", "5")
    assert opened.json(accounts, "show", "acme") == ACME


def test_top_ups_are_prepaid_and_do_not_mix(opened: OpenedState) -> None:
    opened.said(accounts, "create", "acme", "--tier", "pro")
    opened.said(accounts, "top-up", "acme", "--usd", "10.10")
    topped = opened.json(accounts, "top-up", "acme", "--usd", "0.2", "--tokens", "7")
    prepaid = {**ACME["limits"], "quota_usd": "10.30", "quota_tokens": 7}
    assert topped["limits"] == {**prepaid, "prepaid": True}
    assert "say how many" in opened.refused(accounts, "top-up", "acme")
    mixed = opened.refused(accounts, "set", "acme", "--quota-usd", "5")
    assert "top-up acct_1" in mixed
    clear = ("--quota-usd", "none", "--quota-tokens", "none")
    assert opened.json(accounts, "set", "acme", *clear) == ACME
    opened.said(accounts, "set", "acme", "--quota-usd", "5")
    assert "for each month" in opened.refused(
        accounts, "top-up", "acme", "--tokens", "1"
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
