"""The verbs on identities: who somebody is at a provider of OpenID Connect.

As in ``directory``. Issuer and subject name a person for ever. An address is looked at
once, to find out whom a new subject is: addresses are given to others in time.
"""

from sqlalchemy import Connection, delete, insert, select

from lightweight.config.schema import Oidc
from lightweight.records import Claims, Person
from lightweight.store.accounts import create_account, find_account
from lightweight.store.audit import note
from lightweight.store.directory import DirectoryProblem, Missing, take_turn
from lightweight.store.invites import invite_for_email, use_invite
from lightweight.store.people import (
    NO_PASSWORD,
    add_person,
    end_sessions,
    find_person,
    person_of,
    sign_in_name,
    signature,
)
from lightweight.store.schema import identities, password_links, people


class Unrecognised(DirectoryProblem):
    """Nobody may come in as this; the text is for who tried."""


def recognise(
    connection: Connection,
    claims: Claims,
    oidc: Oidc,
    *,
    person_id: str,
    new_account_id: str,
    now: float,
) -> Person:
    """Give who signs in, and remember it: somebody known, invited, or of a domain.

    The ids are for a person and an account that are to be made. Raises Unrecognised.
    """
    take_turn(connection)
    person = _linked(connection, claims)
    if person is not None:
        return _enabled(person)
    email = _address(claims)
    person = _named(connection, email)
    if person is not None:
        _take_over(connection, _enabled(person), claims)
    else:
        person = _newcomer(
            connection,
            email,
            oidc,
            person_id=person_id,
            new_account_id=new_account_id,
            now=now,
        )
    connection.execute(
        insert(identities).values(
            issuer=claims.issuer,
            subject=claims.subject,
            person_id=person.id,
            linked_at=now,
        )
    )
    details = {"issuer": claims.issuer, "known_there_as": claims.subject}
    note(connection, now, signature(person), "person.link", person.id, **details)
    return person


def unlink(connection: Connection, name_or_id: str, *, now: float, who: str) -> Person:
    """Forget who somebody is at providers; ends their sessions."""
    take_turn(connection)
    person = find_person(connection, name_or_id)
    connection.execute(delete(identities).where(identities.c.person_id == person.id))
    end_sessions(connection, person.id)
    note(connection, now, who, "person.unlink", person.id)
    return person


def _linked(connection: Connection, claims: Claims) -> Person | None:
    row = connection.execute(
        select(people)
        .join(identities)
        .where(identities.c.issuer == claims.issuer)
        .where(identities.c.subject == claims.subject)
    ).first()
    return None if row is None else person_of(row)


def _named(connection: Connection, email: str) -> Person | None:
    row = connection.execute(select(people).where(people.c.name == email)).first()
    return None if row is None else person_of(row)


def _address(claims: Claims) -> str:
    email = claims.email or ""
    # Other letters may fold to these: somebody else's address must not become ours.
    if not (email.isascii() and email.isprintable()) or email.count("@") != 1:
        raise Unrecognised(
            "You are not known here yet, and your e-mail address is not verified "
            "where you signed in: have it verified there, or ask an operator."
        )
    return sign_in_name(email)


def _enabled(person: Person) -> Person:
    if person.disabled:
        raise Unrecognised("You cannot sign in any more: ask an operator.")
    return person


def _take_over(connection: Connection, person: Person, claims: Claims) -> None:
    """Make somebody's account theirs alone: anyone could have chosen that name."""
    known = select(identities.c.subject).where(
        identities.c.person_id == person.id, identities.c.issuer == claims.issuer
    )
    if connection.execute(known).first() is not None:
        raise Unrecognised(
            "Your e-mail address belonged to somebody else before: ask an operator "
            "to unlink them."
        )
    connection.execute(
        people.update().where(people.c.id == person.id).values(password=NO_PASSWORD)
    )
    connection.execute(
        delete(password_links).where(password_links.c.person_id == person.id)
    )
    end_sessions(connection, person.id)


def _newcomer(
    connection: Connection,
    email: str,
    oidc: Oidc,
    *,
    person_id: str,
    new_account_id: str,
    now: float,
) -> Person:
    invite = invite_for_email(connection, email, now)
    if invite is not None:
        return use_invite(
            connection,
            invite,
            person_id=person_id,
            new_account_id=new_account_id,
            name=email,
            password=NO_PASSWORD,
            now=now,
        )
    if email.partition("@")[2] not in (oidc.auto_domains or ()):
        raise Unrecognised(
            f"Nobody here has the address {email}: ask an operator to invite it."
        )
    account_id = _automatic_account(connection, email, oidc, new_account_id, now)
    person = add_person(
        connection,
        person_id=person_id,
        name=email,
        role="member" if oidc.auto_account else "owner",
        account_id=account_id,
        password=NO_PASSWORD,
        now=now,
    )
    details = {"role": person.role, "account": account_id}
    note(connection, now, signature(person), "person.join", person.id, **details)
    return person


def _automatic_account(
    connection: Connection, email: str, oidc: Oidc, new_account_id: str, now: float
) -> str:
    """Give the id of the account that the configuration gives to a newcomer."""
    if oidc.auto_account is not None:
        try:
            return find_account(connection, oidc.auto_account).id
        except Missing:
            if oidc.auto_tier is None:
                raise Unrecognised(
                    "The account that is meant for you does not exist: ask an operator."
                ) from None
    assert oidc.auto_tier is not None
    made = create_account(
        connection,
        account_id=new_account_id,
        name=oidc.auto_account or email,
        tier=oidc.auto_tier,
        now=now,
        who=f"sign-in by {oidc.issuer}",
    )
    return made.id
