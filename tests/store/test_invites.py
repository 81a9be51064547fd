from contextlib import suppress
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from support.people import DAY, NOW, PEPPER, an_account, an_invite, somebody, trail

from lightweight.records import Person
from lightweight.store.accounts import find_account
from lightweight.store.connect import Connection, Engine, writing
from lightweight.store.directory import DirectoryProblem, Missing
from lightweight.store.invites import (
    accept_invite,
    find_invite,
    invite_of_secret,
    invites_page,
    revoke_invite,
)
from lightweight.store.schema import accounts, invites, people
from lightweight.store.tokens import INVITE_S


def accept(connection: Connection, secret: str = "s", **changes: Any) -> Person:
    given: dict[str, Any] = {
        "pepper": PEPPER,
        "person_id": "person_1",
        "new_account_id": "acct_new",
        "name": "Ann",
        "password": "hash",
        "now": NOW,
    }
    return accept_invite(connection, secret, **{**given, **changes})


def test_an_invite_makes_one_person(connection: Connection) -> None:
    acme = an_account(connection)
    made = an_invite(connection, role="owner", account="acme", whom="Ann of Acme")
    assert (made.account_id, made.expires_at) == (acme.id, NOW + INVITE_S)
    assert find_invite(connection, made.id) == made
    person = accept(connection)
    assert (person.name, person.role, person.account_id) == ("ann", "owner", acme.id)
    used = find_invite(connection, made.id)
    assert (used.used_at, used.used_by) == (NOW, person.id)
    with pytest.raises(Missing):
        accept(connection, person_id="person_2", name="eve")
    assert trail(connection)[1:] == [
        ("cli", "invite.create", made.id),
        ("ann (person_1)", "person.join", person.id),
    ]


def test_an_invite_is_kept_as_its_digest(connection: Connection) -> None:
    an_invite(connection, "secret")
    row = connection.execute(select(invites)).one()
    assert len(row.digest) == 32
    assert "secret" not in {value for value in row if isinstance(value, str)}


def test_an_invite_may_make_an_account(connection: Connection) -> None:
    an_invite(connection, role="owner", account_name="new", tier="beta")
    person = accept(connection)
    made = find_account(connection, "new")
    assert (made.id, made.tier) == ("acct_new", "beta")
    assert person.account_id == made.id
    assert ("invite invite_s", "account.create", made.id) in trail(connection)


def test_what_cannot_be_done_leaves_the_invite_unused(connection: Connection) -> None:
    somebody(connection, "ann")
    an_invite(connection)
    with pytest.raises(DirectoryProblem, match="taken"):
        accept(connection)
    assert accept(connection, name="eve").role == "operator"


@pytest.mark.parametrize("now", [NOW + INVITE_S, NOW + 90 * DAY])
def test_an_invite_ends_by_itself(connection: Connection, now: float) -> None:
    an_invite(connection)
    with pytest.raises(Missing):
        accept(connection, now=now)


def test_a_revoked_invite_makes_nobody(connection: Connection) -> None:
    made = an_invite(connection)
    ended = revoke_invite(connection, made.id, now=NOW, who="cli")
    assert ended.revoked_at == NOW
    assert revoke_invite(connection, made.id, now=NOW + 1, who="cli") == ended
    with pytest.raises(Missing):
        invite_of_secret(connection, "s", pepper=PEPPER, now=NOW)
    with pytest.raises(Missing):
        accept(connection)
    assert connection.execute(select(func.count()).select_from(people)).scalar() == 0
    assert [what for _, what, _ in trail(connection)].count("invite.revoke") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "member"},
        {"account": "nobody"},
        {"tier": "pro"},
        {"account_name": "new"},
        {"account_name": "", "tier": "pro"},
        {"account_name": "acme", "tier": "pro"},
        {"account_name": "new", "tier": "pro", "account": "acme"},
        {"life": 0},
        {"life": 91 * DAY},
        {"whom": "a\nb"},
    ],
)
def test_no_such_invite_is_made(
    connection: Connection, changes: dict[str, Any]
) -> None:
    an_account(connection)
    with pytest.raises(DirectoryProblem):
        an_invite(connection, **changes)
    assert connection.execute(select(invites)).all() == []


def test_a_name_that_an_account_got_meanwhile_is_a_conflict(
    connection: Connection,
) -> None:
    an_invite(connection, role="owner", account_name="new", tier="beta")
    an_account(connection, "new")
    with pytest.raises(DirectoryProblem, match="already"), connection.begin_nested():
        accept(connection)
    assert connection.execute(select(accounts)).all()


def test_pages_of_invites(connection: Connection) -> None:
    acme = an_account(connection)
    an_invite(connection, "a", account="acme")
    an_invite(connection, "b", account="acme", role="member", now=NOW + 1)
    an_invite(connection, "c", now=NOW + 2)
    assert [i.id for i in invites_page(connection)] == [
        "invite_c",
        "invite_b",
        "invite_a",
    ]
    ours = invites_page(connection, account_id=acme.id, operators=False)
    assert [i.id for i in ours] == ["invite_b"]
    with pytest.raises(Missing):
        find_invite(connection, "\ud800")


def test_an_invite_taken_at_once_by_many_makes_one(engine: Engine) -> None:
    with writing(engine) as connection:
        an_invite(connection)
    made: list[str] = []
    barrier = Barrier(4)

    def take(number: int) -> None:
        barrier.wait()
        with suppress(Missing), writing(engine) as connection:
            name = accept(connection, person_id=f"person_{number}", name=f"n{number}")
            made.append(name.id)

    threads = [Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
