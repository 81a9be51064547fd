from collections.abc import Iterator
from pathlib import Path

import pytest
from support.opened import NOW, OpenedState

from lightweight.cli.accounts import accounts
from lightweight.cli.admin_tokens import admin_tokens
from lightweight.store.admin_tokens import admin_token_of
from lightweight.store.connect import reading


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path)
    state.said(accounts, "create", "acme", "--tier", "pro")
    yield state
    state.close()


def test_a_token_works_until_it_is_revoked(opened: OpenedState) -> None:
    made = opened.json(admin_tokens, "create", "ci")
    with reading(opened.engine()) as connection:
        found = admin_token_of(
            connection, made["token"], pepper=opened.pepper(), now=NOW
        )
    assert found is not None
    assert (found.id, found.role, found.name) == (made["id"], "operator", "ci")
    assert "state       revoked" in opened.said(admin_tokens, "revoke", made["id"])
    [listed] = opened.json(admin_tokens, "list")
    assert (listed["state"], listed["shown"]) == ("revoked", made["shown"])
    assert made["token"] not in opened.said(admin_tokens, "list")


def test_a_token_in_words(opened: OpenedState) -> None:
    said = opened.said(
        admin_tokens, "create", "ci", "--role", "owner", "--account", "acme",
        "--expires", "1d",
    )  # fmt: skip
    assert "\ntoken       lwadmin-" in said
    assert "account_id  acct_1\nstate       active\n" in said
    assert "shown only now" in said
    opened.time += 86_400
    assert opened.json(admin_tokens, "list")[0]["state"] == "expired"


def test_what_cannot_be_done_is_one_sentence(opened: OpenedState) -> None:
    assert "name the account" in opened.refused(
        admin_tokens, "create", "ci", "--role", "member"
    )
    assert "admin-token list" in opened.refused(admin_tokens, "revoke", "token_9")
