"""API keys: made, found, rotated, revoked and limited, on both databases."""

from typing import Any

import pytest
from sqlalchemy import select
from support.keys import SECRET, a_key, acme, change_count, notes
from support.people import PEPPER

from lightweight.records import ApiKey, Limits
from lightweight.store.api_keys import (
    find_key,
    list_keys,
    revoke_key,
    rotate_key,
    set_key_limits,
)
from lightweight.store.connect import Connection
from lightweight.store.directory import DirectoryProblem
from lightweight.store.keys import digest, mint, shown
from lightweight.store.schema import keys, metadata

OTHER = mint(lambda count: b"\x02" * count)
DAY = 86400.0


def rotate(connection: Connection, **changes: Any) -> ApiKey:
    given: dict[str, Any] = {
        "new_key_id": "key_2",
        "secret": OTHER,
        "pepper": PEPPER,
        "grace": 60.0,
        "now": 3000.0,
        "who": "cli",
    }
    return rotate_key(connection, "key_1", **{**given, **changes})


def test_a_key_is_made_found_and_noted(connection: Connection) -> None:
    acme(connection)
    made = a_key(connection, models=frozenset("ba"), expires_at=9000.0)
    assert made == ApiKey(
        id="key_1",
        account_id="acct_1",
        name="ci",
        shown=f"{SECRET[:8]}…{SECRET[-4:]}",
        created_at=2000.0,
        expires_at=9000.0,
        models=frozenset({"a", "b"}),
    )
    assert find_key(connection, "key_1") == made
    assert change_count(connection) == 2
    details = {"account": "acct_1", "name": "ci"}
    assert notes(connection)[1:] == [(2000.0, "cli", "key.create", "key_1", details)]


def test_the_secret_is_nowhere_in_the_database(connection: Connection) -> None:
    acme(connection)
    a_key(connection)
    rotate(connection)
    dump = repr([connection.execute(select(t)).all() for t in metadata.sorted_tables])
    assert repr(digest(PEPPER, SECRET)) in dump
    for secret in (SECRET, OTHER):
        assert shown(secret) in dump
        assert secret[8:-4] not in dump


def test_a_key_without_bounds_has_none(connection: Connection) -> None:
    acme(connection)
    a_key(connection)
    found = find_key(connection, "key_1")
    assert (found.models, found.expires_at, found.revoked_at) == (None, None, None)
    assert connection.execute(
        select(keys.c.models.is_(None)).where(keys.c.id == "key_1")
    ).scalar_one()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": "nobody"}, 'no account "nobody"'),
        ({"models": frozenset()}, "name some"),
        ({"expires_at": 2000.0}, "expired already"),
        ({"name": "a\nb"}, "printable"),
        ({"limits": Limits(concurrency=0)}, "from 1 to 10"),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    connection: Connection, changes: dict[str, Any], message: str
) -> None:
    acme(connection)
    with pytest.raises(DirectoryProblem, match=message):
        a_key(connection, **changes)
    assert list_keys(connection) == []


def test_keys_are_listed_oldest_first_of_one_account_or_all(
    connection: Connection,
) -> None:
    acme(connection)
    acme(connection, account_id="acct_2", name="other")
    a_key(connection, key_id="key_b", now=3.0)
    a_key(connection, key_id="key_a", now=2.0, secret=OTHER, account="other")
    assert [k.id for k in list_keys(connection)] == ["key_a", "key_b"]
    assert [k.id for k in list_keys(connection, "acme")] == ["key_b"]
    assert [k.id for k in list_keys(connection, "acct_2")] == ["key_a"]
    with pytest.raises(DirectoryProblem):
        list_keys(connection, "nobody")


def test_an_unknown_key_is_told(connection: Connection) -> None:
    with pytest.raises(DirectoryProblem, match='no key "key_9": .* keys list'):
        find_key(connection, "key_9")


@pytest.mark.parametrize("given", [SECRET, "\ud800", "", "' OR 1=1 --"])
def test_what_may_be_a_secret_is_not_repeated(
    connection: Connection, given: str
) -> None:
    with pytest.raises(DirectoryProblem) as caught:
        find_key(connection, given)
    assert str(caught.value) == (
        "There is no key of that id: 'lightweight keys list' shows them."
    )


def test_a_rotated_key_has_a_successor_and_a_grace(connection: Connection) -> None:
    acme(connection)
    a_key(connection, models=frozenset("a"), expires_at=2000.0 + DAY)
    new = rotate(connection)
    assert new == ApiKey(
        id="key_2",
        account_id="acct_1",
        name="ci",
        shown=f"{OTHER[:8]}…{OTHER[-4:]}",
        created_at=3000.0,
        expires_at=3000.0 + DAY,
        models=frozenset("a"),
    )
    assert find_key(connection, "key_2") == new
    assert find_key(connection, "key_1").revoked_at == 3060.0
    assert change_count(connection) == 4
    details = {"replaced_by": "key_2", "grace": 60.0}
    assert notes(connection)[2:] == [(3000.0, "cli", "key.rotate", "key_1", details)]


def test_rotating_a_key_for_ever_gives_one_for_ever(connection: Connection) -> None:
    acme(connection)
    a_key(connection)
    assert rotate(connection).expires_at is None


@pytest.mark.parametrize("end", ["rotated", "revoked", "expired"])
def test_a_key_that_ends_is_not_rotated(connection: Connection, end: str) -> None:
    acme(connection)
    a_key(connection, expires_at=3000.0 if end == "expired" else None)
    if end == "rotated":
        rotate(connection)
    if end == "revoked":
        revoke_key(connection, "key_1", now=2500.0, who="cli")
    before = list_keys(connection)
    with pytest.raises(DirectoryProblem, match="keys create"):
        rotate(connection, new_key_id="key_3")
    assert list_keys(connection) == before


def test_a_revoked_key_is_noted_once(connection: Connection) -> None:
    acme(connection)
    a_key(connection)
    dead = revoke_key(connection, "key_1", now=5000.0, who="cli")
    assert dead.revoked_at == 5000.0
    assert find_key(connection, "key_1") == dead
    assert revoke_key(connection, "key_1", now=6000.0, who="cli") == dead
    assert find_key(connection, "key_1") == dead
    assert change_count(connection) == 3
    assert notes(connection)[2:] == [(5000.0, "cli", "key.revoke", "key_1", {})]


def test_revoking_ends_a_grace(connection: Connection) -> None:
    acme(connection)
    a_key(connection)
    rotate(connection)
    revoke_key(connection, "key_1", now=3010.0, who="cli")
    assert find_key(connection, "key_1").revoked_at == 3010.0


def test_a_key_has_limits_and_passes_them_on(connection: Connection) -> None:
    acme(connection)
    a_key(connection, limits=Limits(rpm=5))
    assert notes(connection)[-1][-1] == {"account": "acct_1", "name": "ci", "rpm": 5}
    changes = {"rpm": None, "tpm": 9}
    changed = set_key_limits(connection, "key_1", changes, now=2.0, who="cli")
    assert changed.limits == Limits(tpm=9)
    assert find_key(connection, "key_1") == changed
    assert change_count(connection) == 3
    assert notes(connection)[-1] == (2.0, "cli", "key.limits", "key_1", changes)
    new = rotate(connection)
    assert new.limits == Limits(tpm=9)
    assert find_key(connection, "key_2") == new
