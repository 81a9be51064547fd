import pytest
from sqlalchemy import select
from support.people import DAY, NOW, PEPPER, an_account, somebody, trail

from lightweight.store.connect import Connection
from lightweight.store.directory import DirectoryProblem, Missing
from lightweight.store.pages import Place
from lightweight.store.people import (
    LINK_S,
    NO_PASSWORD,
    find_person,
    has_password,
    make_password_link,
    people_page,
    person_of_link,
    set_password,
    set_person,
    signature,
    use_password_link,
)
from lightweight.store.schema import password_links, people, sessions
from lightweight.store.sessions import Credential, begin_session


def sign_in(connection: Connection, name: str, secret: str) -> None:
    person = find_person(connection, name)
    begun = begin_session(
        connection,
        Credential(person, f"hash of {name}"),
        secret=secret,
        replaces=None,
        address="192.0.2.1",
        pepper=PEPPER,
        now=NOW,
    )
    assert begun


def open_sessions(connection: Connection) -> int:
    return len(connection.execute(select(sessions)).all())


# -- who there is ------------------------------------------------------------------


def test_a_name_has_one_spelling(connection: Connection) -> None:
    made = somebody(connection, " Ann@Example.ORG ")
    assert made.name == "ann@example.org"
    assert find_person(connection, "ANN@example.org") == made
    assert find_person(connection, made.id) == made


def test_a_name_is_taken_once(connection: Connection) -> None:
    somebody(connection, "ann")
    with pytest.raises(DirectoryProblem, match="taken"):
        somebody(connection, "Ann")
    assert (
        len(people_page(connection)) == 1
    )  # the transaction goes on, also PostgreSQL's


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\ud800", "x" * 101])
def test_nobody_has_such_a_name(connection: Connection, name: str) -> None:
    with pytest.raises(DirectoryProblem):
        somebody(connection, name)
    with pytest.raises(Missing):
        find_person(connection, name)


def test_only_operators_may_belong_to_no_account(connection: Connection) -> None:
    with pytest.raises(DirectoryProblem, match="Only an operator"):
        somebody(connection, role="member")


def test_an_id_goes_before_a_name(connection: Connection) -> None:
    ann = somebody(connection, "ann")
    somebody(connection, ann.id)
    assert find_person(connection, ann.id) == ann


def test_pages_are_the_newest_first_and_of_one_account(connection: Connection) -> None:
    acme = an_account(connection)
    for number in range(4):
        somebody(
            connection,
            f"p{number}",
            role="member",
            account_id=acme.id,
            now=NOW + number // 2,
        )
    ann = somebody(connection, "ann", account_id=acme.id)
    somebody(connection, "eve")
    first = people_page(connection, account_id=acme.id, most=3)
    assert [each.name for each in first] == ["p3", "p2", "p1"]
    place = Place(first[-1].created_at, first[-1].id)
    rest = people_page(connection, account_id=acme.id, after=place, most=3)
    assert [each.name for each in rest] == ["p0", "ann"]
    members = people_page(connection, account_id=acme.id, operators=False)
    assert ann not in members
    assert len(members) == 4


# -- changes -----------------------------------------------------------------------


def test_who_is_disabled_is_signed_out(connection: Connection) -> None:
    somebody(connection, "ann")
    somebody(connection, "eve")
    sign_in(connection, "ann", "of ann")
    sign_in(connection, "eve", "of eve")
    disabled = set_person(connection, "eve", disabled=True, now=NOW, who="cli")
    assert disabled.disabled
    assert find_person(connection, "eve") == disabled
    assert open_sessions(connection) == 1
    assert trail(connection)[-1] == ("cli", "person.disable", "person_eve")
    assert not set_person(
        connection, "eve", disabled=False, now=NOW, who="cli"
    ).disabled
    assert trail(connection)[-1] == ("cli", "person.enable", "person_eve")


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "member"}])
def test_one_operator_is_always_left(
    connection: Connection, change: dict[str, object]
) -> None:
    acme = an_account(connection)
    somebody(connection, "ann", account_id=acme.id)
    somebody(connection, "eve", account_id=acme.id)
    set_person(connection, "eve", now=NOW, who="cli", **change)  # type: ignore[arg-type]  # as parametrized
    with pytest.raises(DirectoryProblem, match="last operator"):
        set_person(connection, "ann", now=NOW, who="cli", **change)  # type: ignore[arg-type]  # as parametrized


def test_a_role_needs_an_account_that_it_is_of(connection: Connection) -> None:
    somebody(connection, "ann")
    somebody(connection, "eve")
    with pytest.raises(DirectoryProblem, match="no account"):
        set_person(connection, "ann", role="owner", now=NOW, who="cli")


def test_no_change_is_not_noted(connection: Connection) -> None:
    somebody(connection, "ann")
    sign_in(connection, "ann", "of ann")
    before = trail(connection)
    set_person(connection, "ann", disabled=False, now=NOW, who="cli")
    assert trail(connection) == before
    assert open_sessions(connection) == 1


def test_a_new_password_ends_sessions_and_links(connection: Connection) -> None:
    ann = somebody(connection, "ann")
    sign_in(connection, "ann", "of ann")
    make_link(connection, "l")
    set_password(connection, ann.id, "new", now=NOW, who=signature(ann))
    assert open_sessions(connection) == 0
    assert connection.execute(select(password_links)).all() == []
    assert connection.execute(select(people.c.password)).scalar_one() == "new"
    assert trail(connection)[-1] == ("ann (person_ann)", "person.password", ann.id)


def test_whoever_has_no_hash_has_no_password(connection: Connection) -> None:
    ann = somebody(connection, "ann")
    assert has_password(connection, ann.id)
    set_password(connection, ann.id, NO_PASSWORD, now=NOW, who="cli")
    assert not has_password(connection, ann.id)
    assert not has_password(connection, "person_none")


# -- a forgotten password ----------------------------------------------------------


def make_link(connection: Connection, secret: str, name: str = "ann") -> None:
    make_password_link(
        connection, name, secret=secret, pepper=PEPPER, now=NOW, who="cli"
    )


def use_link(connection: Connection, secret: str, now: float = NOW) -> None:
    use_password_link(connection, secret, pepper=PEPPER, password="new", now=now)


def test_a_link_works_once(connection: Connection) -> None:
    ann = somebody(connection, "ann")
    make_link(connection, "l")
    seen = person_of_link(connection, "l", pepper=PEPPER, now=NOW)
    assert seen == ann
    use_link(connection, "l")
    with pytest.raises(Missing):
        use_link(connection, "l")
    assert trail(connection) == [
        ("cli", "person.password_link", ann.id),
        ("ann (person_ann)", "person.password", ann.id),
    ]


def test_a_link_is_kept_as_its_digest(connection: Connection) -> None:
    somebody(connection, "ann")
    make_link(connection, "l")
    row = connection.execute(select(password_links)).one()
    assert len(row.digest) == 32
    assert row.digest != b"l"


def test_a_link_ends_by_itself_and_by_another(connection: Connection) -> None:
    somebody(connection, "ann")
    make_link(connection, "old")
    make_link(connection, "new")
    for secret, now in (("old", NOW), ("new", NOW + LINK_S), ("", NOW)):
        with pytest.raises(Missing):
            use_link(connection, secret, now)
    use_link(connection, "new", NOW + LINK_S - 1)


def test_who_is_disabled_gets_no_link_in(connection: Connection) -> None:
    somebody(connection, "ann")
    somebody(connection, "eve")
    make_link(connection, "l", "eve")
    set_person(connection, "eve", disabled=True, now=NOW + DAY, who="cli")
    with pytest.raises(Missing):
        use_link(connection, "l")
    with pytest.raises(DirectoryProblem, match="disabled"):
        make_link(connection, "m", "eve")
