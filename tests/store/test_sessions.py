from threading import Thread

import pytest
from sqlalchemy import select
from support.people import NOW, PEPPER, somebody, trail

from lightweight.store.connect import Connection, Engine, writing
from lightweight.store.people import set_password, set_person
from lightweight.store.schema import people, sessions, sign_in_attempts
from lightweight.store.sessions import (
    IDLE_S,
    LIFE_S,
    PER_ADDRESS,
    PER_NAME,
    SEEN_S,
    WINDOW_S,
    Credential,
    begin_session,
    credential_of,
    end_session,
    keep_session,
    session_of,
    try_sign_in,
)

HOME = "192.0.2.1"


def begin(
    connection: Connection,
    secret: str = "s",
    *,
    name: str = "ann",
    replaces: str | None = None,
    now: float = NOW,
) -> bool:
    checked = credential_of(connection, name)
    assert checked is not None
    return begin_session(
        connection,
        checked,
        secret=secret,
        replaces=replaces,
        address=HOME,
        pepper=PEPPER,
        now=now,
    )


def who(connection: Connection, secret: str = "s", now: float = NOW) -> str | None:
    seen = session_of(connection, secret, pepper=PEPPER, now=now)
    return None if seen is None else seen.person.name


def attempt(
    connection: Connection, name: str = "ann", address: str = HOME, now: float = NOW
) -> float:
    return try_sign_in(connection, name, address, pepper=PEPPER, now=now)


# -- signed in ---------------------------------------------------------------------


def test_a_session_from_beginning_to_end(connection: Connection) -> None:
    ann = somebody(connection)
    assert begin(connection)
    assert who(connection) == "ann"
    assert who(connection, "other") is None
    row = connection.execute(select(sessions)).one()
    assert len(row.digest) == 32
    assert connection.execute(select(people.c.signed_in_at)).scalar() == NOW
    end_session(connection, "s", pepper=PEPPER, now=NOW)
    end_session(connection, "s", pepper=PEPPER, now=NOW)
    assert who(connection) is None
    assert trail(connection) == [
        ("ann (person_ann)", "person.sign_in", ann.id),
        ("ann (person_ann)", "person.sign_out", ann.id),
    ]


def test_a_session_ends_when_nobody_comes_any_more(connection: Connection) -> None:
    somebody(connection)
    begin(connection)
    assert who(connection, now=NOW + IDLE_S - 1) == "ann"
    assert who(connection, now=NOW + IDLE_S) is None


def test_no_session_lives_for_ever(connection: Connection) -> None:
    somebody(connection)
    begin(connection)
    now = NOW
    while now < NOW + LIFE_S:
        assert who(connection, now=now) == "ann"
        keep_session(connection, "s", pepper=PEPPER, now=now)
        now += IDLE_S / 2
    assert who(connection, now=now) is None


def test_a_session_in_use_is_written_now_and_then(connection: Connection) -> None:
    somebody(connection)
    begin(connection)

    def is_stale(now: float) -> bool:
        seen = session_of(connection, "s", pepper=PEPPER, now=now)
        assert seen is not None
        return seen.stale

    assert not is_stale(NOW + SEEN_S)
    assert is_stale(NOW + SEEN_S + 1)
    keep_session(connection, "s", pepper=PEPPER, now=NOW + SEEN_S + 1)
    assert not is_stale(NOW + SEEN_S + 1)


def test_the_session_of_before_ends(connection: Connection) -> None:
    somebody(connection)
    begin(connection, "planted")
    begin(connection, "s", replaces="planted")
    assert who(connection, "planted") is None
    assert who(connection) == "ann"


def test_old_sessions_are_swept_away(connection: Connection) -> None:
    somebody(connection)
    begin(connection, "old")
    begin(connection, "new", now=NOW + IDLE_S)
    assert len(connection.execute(select(sessions)).all()) == 1


@pytest.mark.parametrize("change", ["password", "disabled"])
def test_what_changed_since_the_check_counts(
    connection: Connection, change: str
) -> None:
    ann = somebody(connection)
    somebody(connection, "eve")
    checked = Credential(ann, "hash of ann")
    if change == "password":
        set_password(connection, ann.id, "new", now=NOW, who="cli")
    else:
        set_person(connection, ann.id, disabled=True, now=NOW, who="cli")
    assert not begin_session(
        connection,
        checked,
        secret="s",
        replaces=None,
        address=HOME,
        pepper=PEPPER,
        now=NOW,
    )
    assert who(connection) is None


@pytest.mark.parametrize("name", ["nobody", "", "a\0b", "\ud800"])
def test_nobodys_name_has_no_credential(connection: Connection, name: str) -> None:
    somebody(connection)
    assert credential_of(connection, name) is None
    assert credential_of(connection, " ANN ") is not None


# -- how often ---------------------------------------------------------------------


def test_a_name_can_be_tried_so_often(connection: Connection) -> None:
    addresses = [f"192.0.2.{number}" for number in range(PER_NAME)]
    assert [attempt(connection, address=each) for each in addresses] == [0.0] * PER_NAME
    assert attempt(connection, " ANN ", "198.51.100.1", now=NOW + 60) == WINDOW_S - 60
    assert attempt(connection, "eve", "198.51.100.1") == 0
    assert attempt(connection, now=NOW + WINDOW_S) == 0


def test_an_address_can_try_so_often(connection: Connection) -> None:
    for number in range(PER_ADDRESS):
        assert attempt(connection, f"name {number}") == 0
    assert attempt(connection, "another") == WINDOW_S
    assert attempt(connection, "another", "192.0.2.2") == 0


def test_an_ipv6_address_is_its_network(connection: Connection) -> None:
    for number in range(PER_ADDRESS):
        assert attempt(connection, f"name {number}", f"2001:db8::{number:x}") == 0
    assert attempt(connection, "another", "2001:db8::ffff") > 0
    assert attempt(connection, "another", "2001:db8:0:1::1") == 0


def test_who_signs_in_takes_the_attempts_back(connection: Connection) -> None:
    somebody(connection)
    for number in range(2 * PER_ADDRESS):
        assert attempt(connection) == 0
        assert begin(connection, f"s{number}")


def test_names_are_not_kept_as_they_were_typed(connection: Connection) -> None:
    attempt(connection, "my password by mistake")
    rows = connection.execute(select(sign_in_attempts)).all()
    assert {len(row.digest) for row in rows} == {32}
    attempt(connection, "eve", now=NOW + WINDOW_S)
    assert len(connection.execute(select(sign_in_attempts)).all()) == 2


def test_attempts_at_once_are_counted_one_by_one(engine: Engine) -> None:
    """Who tries many passwords at once must not pass as one who tries once."""
    waits: list[float] = []

    def one() -> None:
        with writing(engine) as connection:
            waits.append(attempt(connection))

    threads = [Thread(target=one) for _ in range(2 * PER_NAME)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0.0) == PER_NAME
    assert len(waits) == 2 * PER_NAME
