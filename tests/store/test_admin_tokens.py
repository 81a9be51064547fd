from typing import Any

import pytest
from sqlalchemy import select
from support.people import DAY, NOW, PEPPER, an_account, trail

from lightweight.records import AdminToken
from lightweight.store.admin_tokens import (
    admin_token_of,
    admin_tokens_page,
    create_admin_token,
    find_admin_token,
    revoke_admin_token,
)
from lightweight.store.connect import Connection
from lightweight.store.directory import DirectoryProblem, Missing
from lightweight.store.schema import admin_tokens

SECRET = "lwadmin-" + "x" * 43


def a_token(connection: Connection, **changes: Any) -> AdminToken:
    given: dict[str, Any] = {
        "token_id": "token_1",
        "secret": SECRET,
        "pepper": PEPPER,
        "name": "ci",
        "role": "operator",
        "now": NOW,
        "who": "cli",
    }
    return create_admin_token(connection, **{**given, **changes})


def holder(connection: Connection, now: float = NOW) -> AdminToken | None:
    return admin_token_of(connection, SECRET, pepper=PEPPER, now=now)


def test_a_token_from_beginning_to_end(connection: Connection) -> None:
    made = a_token(connection)
    assert holder(connection) == made
    assert find_admin_token(connection, made.id) == made
    assert made.shown == "lwadmin-…xxxx"
    row = connection.execute(select(admin_tokens)).one()
    assert SECRET not in {value for value in row if isinstance(value, str)}
    assert len(row.digest) == 32
    ended = revoke_admin_token(connection, made.id, now=NOW, who="cli")
    assert revoke_admin_token(connection, made.id, now=NOW + 1, who="cli") == ended
    assert holder(connection) is None
    assert trail(connection) == [
        ("cli", "admin_token.create", made.id),
        ("cli", "admin_token.revoke", made.id),
    ]


def test_a_token_may_expire(connection: Connection) -> None:
    a_token(connection, expires_at=NOW + DAY)
    assert holder(connection, NOW + DAY - 1) is not None
    assert holder(connection, NOW + DAY) is None


def test_a_token_may_be_confined(connection: Connection) -> None:
    acme = an_account(connection)
    made = a_token(connection, role="owner", account="acme")
    assert made.account_id == acme.id
    assert admin_tokens_page(connection) == [made]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"role": "owner"},
        {"account": "acme"},
        {"role": "member", "account": "nobody"},
        {"expires_at": NOW},
    ],
)
def test_no_such_token_is_made(
    connection: Connection, changes: dict[str, object]
) -> None:
    an_account(connection)
    with pytest.raises(DirectoryProblem):
        a_token(connection, **changes)
    assert admin_tokens_page(connection) == []


def test_there_is_no_such_token(connection: Connection) -> None:
    for name in ("token_1", "\ud800"):
        with pytest.raises(Missing):
            find_admin_token(connection, name)
