from collections.abc import Iterator
from pathlib import Path

import pytest
from support.opened import NOW, OpenedState

from lightweight.cli.accounts import accounts
from lightweight.cli.invites import invites
from lightweight.store.connect import reading
from lightweight.store.invites import invite_of_secret


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path)
    state.said(accounts, "create", "acme", "--tier", "pro")
    yield state
    state.close()


def test_the_link_of_an_invite_works(opened: OpenedState) -> None:
    made = opened.json(invites, "create", "--account", "acme", "--note", "Ann")
    address, _, secret = made["url"].partition("?invite=")
    assert address == "http://localhost:8080/dashboard/join"
    with reading(opened.engine()) as connection:
        found = invite_of_secret(connection, secret, pepper=opened.pepper(), now=NOW)
    assert (found.id, found.role, found.account_id) == (made["id"], "owner", "acct_1")
    assert (found.note, found.expires_at) == ("Ann", NOW + 7 * 86400)


def test_an_invite_in_words(opened: OpenedState) -> None:
    said = opened.said(
        invites, "create", "--new-account", "new", "--tier", "beta", "--expires", "2d"
    )
    assert "\nurl         http://localhost:8080/dashboard/join?invite=" in said
    assert "account     new\ntier        beta\nstate       open\n" in said
    assert "expires_at  2026-11-03T00:00:00Z\n" in said
    assert "works once" in said


def test_an_operator_may_have_no_account(opened: OpenedState) -> None:
    made = opened.json(invites, "create", "--role", "operator")
    assert (made["role"], made["account"]) == ("operator", None)


def test_list_and_revoke(opened: OpenedState) -> None:
    made = opened.json(invites, "create", "--account", "acme")
    assert "state       revoked" in opened.said(invites, "revoke", made["id"])
    [listed] = opened.json(invites, "list")
    assert (listed["id"], listed["state"]) == (made["id"], "revoked")
    assert "url" not in listed
    assert opened.said(invites, "list").splitlines()[0].split()[:3] == [
        "ID",
        "ROLE",
        "ACCOUNT",
    ]


def test_an_invite_that_is_too_old(opened: OpenedState) -> None:
    opened.said(invites, "create", "--account", "acme", "--expires", "1h")
    opened.time += 3600
    assert opened.json(invites, "list")[0]["state"] == "expired"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name one"),
        (("--account", "nobody"), "nobody"),
        (("--new-account", "new"), "name and tier"),
        (("--new-account", "new", "--tier", "gold"), "no tier"),
        (("--account", "acme", "--expires", "soon"), "--expires"),
        (("--account", "acme", "--expires", "91d"), "90 days"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    opened: OpenedState, words: tuple[str, ...], told: str
) -> None:
    assert told in opened.refused(invites, "create", *words)
