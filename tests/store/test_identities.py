"""Who comes in by a provider: linked once by an address, known by the subject."""

from typing import Any

import pytest
from sqlalchemy import select
from support.people import DAY, NOW, PEPPER, an_account, an_invite, somebody, trail

from lightweight.config.schema import Oidc
from lightweight.config.secret import Secret
from lightweight.records import Claims, Person
from lightweight.store.accounts import find_account
from lightweight.store.connect import Connection
from lightweight.store.directory import DirectoryProblem
from lightweight.store.identities import Unrecognised, recognise, unlink
from lightweight.store.invites import find_invite, revoke_invite
from lightweight.store.people import (
    find_person,
    has_password,
    make_password_link,
    set_person,
)
from lightweight.store.schema import identities, password_links, sessions
from lightweight.store.sessions import Credential, begin_session

OIDC = Oidc(issuer="https://id", client_id="c", client_secret=Secret("s"))


def come(
    connection: Connection,
    subject: str = "1",
    email: str | None = "ann@acme.org",
    **config: Any,
) -> Person:
    oidc = Oidc(issuer="https://id", client_id="c", client_secret=Secret("s"), **config)
    return recognise(
        connection,
        Claims(issuer="https://id", subject=subject, email=email),
        oidc,
        person_id=f"person_{subject}",
        new_account_id="acct_new",
        now=NOW,
    )


def test_an_address_counts_once_the_subject_for_ever(connection: Connection) -> None:
    ann = somebody(connection, "ann@acme.org")
    assert come(connection, "1", "ANN@acme.org") == ann
    assert come(connection, "1", None) == ann
    assert come(connection, "1", "other@acme.org") == ann
    assert trail(connection) == [
        ("ann@acme.org (person_ann@acme.org)", "person.link", ann.id)
    ]
    # The address was given to somebody else since.
    with pytest.raises(Unrecognised, match="ask an operator to unlink"):
        come(connection, "2")
    unlink(connection, "ann@acme.org", now=NOW, who="cli")
    assert come(connection, "2") == ann
    with pytest.raises(Unrecognised):
        come(connection, "1")


def test_a_link_ends_what_whoever_chose_the_name_could_use(
    connection: Connection,
) -> None:
    ann = somebody(connection, "ann@acme.org")
    make_password_link(
        connection, ann.id, secret="l", pepper=PEPPER, now=NOW, who="cli"
    )
    begin_session(
        connection,
        Credential(ann, "hash of ann@acme.org"),
        secret="s",
        replaces=None,
        address="192.0.2.1",
        pepper=PEPPER,
        now=NOW,
    )
    come(connection)
    assert not has_password(connection, ann.id)
    assert connection.execute(select(sessions)).all() == []
    assert connection.execute(select(password_links)).all() == []


@pytest.mark.parametrize(
    "email",
    [None, "", "ann", "ann@@acme.org", "an\u212a@acme.org", "a\nb@acme.org", "@ @"],
)
def test_without_a_plain_address_nobody_new_is_known(
    connection: Connection, email: str | None
) -> None:
    somebody(connection, "ank@acme.org")
    with pytest.raises(Unrecognised, match="not verified"):
        come(connection, email=email)
    assert connection.execute(select(identities)).all() == []


def test_the_disabled_stay_out(connection: Connection) -> None:
    somebody(connection, "zoe")
    somebody(connection, "ann@acme.org")
    set_person(connection, "ann@acme.org", disabled=True, now=NOW, who="cli")
    with pytest.raises(Unrecognised, match="any more"):
        come(connection)
    set_person(connection, "ann@acme.org", disabled=False, now=NOW, who="cli")
    come(connection)
    set_person(connection, "ann@acme.org", disabled=True, now=NOW, who="cli")
    with pytest.raises(Unrecognised, match="any more"):
        come(connection)


def test_the_newest_open_invite_of_the_address_is_used(connection: Connection) -> None:
    an_account(connection, "acme")
    member = {"role": "member", "account": "acme"}
    an_invite(connection, "old", whom="ann@acme.org", **member)
    an_invite(connection, "new", whom="Ann@ACME.org", **member, now=NOW + 1)
    an_invite(connection, "gone", whom="ann@acme.org", now=NOW + 2)
    an_invite(connection, "past", whom="ann@acme.org", now=NOW - 8 * DAY)
    an_invite(connection, "else", whom="ann", now=NOW + 3)
    revoke_invite(connection, "invite_gone", now=NOW, who="cli")
    ann = come(connection)
    assert (ann.name, ann.role) == ("ann@acme.org", "member")
    assert find_invite(connection, "invite_new").used_by == ann.id
    assert find_invite(connection, "invite_old").used_by is None
    assert not has_password(connection, ann.id)


def test_an_invite_may_make_an_account(connection: Connection) -> None:
    given = {"role": "owner", "account_name": "new", "tier": "beta"}
    an_invite(connection, whom="ann@acme.org", **given)
    assert come(connection).account_id == find_account(connection, "new").id


def test_a_domain_gives_accounts_of_ones_own(connection: Connection) -> None:
    auto: dict[str, Any] = {"auto_domains": ("acme.org",), "auto_tier": "pro"}
    ann = come(connection, **auto)
    made = find_account(connection, "ann@acme.org")
    assert (ann.role, ann.account_id, made.tier) == ("owner", made.id, "pro")
    for email in ("eve@evil.org", "eve@xacme.org", "eve@acme.org.evil.org"):
        with pytest.raises(Unrecognised, match="Nobody here"):
            come(connection, "2", email, **auto)


def test_or_a_place_in_one_there_is(connection: Connection) -> None:
    auto: dict[str, Any] = {"auto_domains": ("acme.org",), "auto_account": "staff"}
    with pytest.raises(Unrecognised, match="does not exist"):
        come(connection, **auto)
    ann = come(connection, **auto, auto_tier="beta")
    assert (ann.role, find_account(connection, "staff").tier) == ("member", "beta")
    bob = come(connection, "2", "bob@acme.org", **auto)
    assert bob.account_id == ann.account_id


def test_a_name_that_an_account_has_already_is_told(connection: Connection) -> None:
    an_account(connection, "ann@acme.org")
    auto: dict[str, Any] = {"auto_domains": ("acme.org",), "auto_tier": "pro"}
    with pytest.raises(DirectoryProblem, match="already"), connection.begin_nested():
        come(connection, **auto)


def test_the_same_subject_elsewhere_is_somebody_else(connection: Connection) -> None:
    somebody(connection, "ann@acme.org")
    come(connection)
    theirs = Claims(issuer="https://other", subject="1", email=None)
    with pytest.raises(Unrecognised):
        recognise(connection, theirs, OIDC, person_id="p", new_account_id="a", now=NOW)
    assert find_person(connection, "ann@acme.org").id == "person_ann@acme.org"
