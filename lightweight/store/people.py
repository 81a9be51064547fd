"""The verbs on people: who they are, what they may do, their passwords.

As in ``directory``: each takes a connection inside a transaction and writes its row
and its audit entry; all raise DirectoryProblem for what cannot be done. Passwords
arrive as what ``passwords`` made of them.
"""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    Connection,
    Row,
    Select,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from lightweight.records import Person, Role
from lightweight.store.audit import note
from lightweight.store.directory import DirectoryProblem, Missing, check_name, take_turn
from lightweight.store.keys import digest
from lightweight.store.pages import Place, page_of
from lightweight.store.rows import owned
from lightweight.store.schema import password_links, people, sessions

LINK_S = 24 * 3600.0
"""For how long a password link works."""

NO_PASSWORD = ""
"""In place of a password's hash: no password fits it."""


def signature(person: Person) -> str:
    """Give how the audit log names somebody: no name can pass for another's."""
    return f"{person.name} ({person.id})"


def sign_in_name(name: str) -> str:
    """Give the one spelling of what people sign in with."""
    return name.strip().casefold()


def add_person(
    connection: Connection,
    *,
    person_id: str,
    name: str,
    role: Role,
    account_id: str | None,
    password: str,
    now: float,
) -> Person:
    """Write the row of a new person; the audit entry is that of the invite."""
    person = Person(
        id=person_id,
        name=sign_in_name(name),
        role=role,
        account_id=account_id,
        created_at=now,
    )
    check_name(person.name)
    if not person.name:
        raise DirectoryProblem("You need a name to sign in with: choose one.")
    if account_id is None and role != "operator":
        raise DirectoryProblem("Only an operator may belong to no account: name one.")
    taken = select(people.c.id).where(people.c.name == person.name)
    problem = DirectoryProblem("This name is taken: choose another.")
    # Asked first, since PostgreSQL ends a transaction in which an insert failed.
    if connection.execute(taken).first() is not None:
        raise problem
    row = {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "account_id": person.account_id,
        "password": password,
        "created_at": person.created_at,
        "disabled": person.disabled,
    }
    try:
        connection.execute(insert(people).values(row))
    except IntegrityError:
        raise problem from None
    return person


def people_page(
    connection: Connection,
    *,
    account_id: str | None = None,
    operators: bool = True,
    after: Place | None = None,
    most: int | None = 50,
) -> list[Person]:
    """Give a page of people, the newest first: of one account, or all there are.

    ``operators``: also those who are one.
    """
    whose = owned(people, account_id, operators=operators)
    found = page_of(connection, people, *whose, after=after, most=most)
    return [person_of(row) for row in found]


def find_person(connection: Connection, name_or_id: str) -> Person:
    """Give the person of an id or a name."""
    row = connection.execute(_named(name_or_id)).first()
    if row is None:
        raise Missing(
            f'There is no "{name_or_id}" who could sign in: '
            "'lightweight people list' shows who can."
        )
    return person_of(row)


def set_person(
    connection: Connection,
    name_or_id: str,
    *,
    disabled: bool | None = None,
    role: Role | None = None,
    now: float,
    who: str,
) -> Person:
    """Let somebody in no more, or again, or give them another role.

    Ends their sessions. One operator must always be left.
    """
    take_turn(connection)
    old = find_person(connection, name_or_id)
    new = replace(
        old,
        disabled=old.disabled if disabled is None else disabled,
        role=role or old.role,
    )
    if new.role != "operator" and new.account_id is None:
        raise DirectoryProblem(
            "Who belongs to no account can only be an operator: disable them instead."
        )
    if new == old:
        return old
    if _rules(old) and not _rules(new) and _operators(connection) == 1:
        raise DirectoryProblem(
            "This is the last operator who can sign in: invite another one first."
        )
    changes = {"disabled": new.disabled, "role": new.role}
    connection.execute(update(people).where(people.c.id == old.id).values(changes))
    end_sessions(connection, old.id)
    if new.disabled != old.disabled:
        what = "person.disable" if new.disabled else "person.enable"
        note(connection, now, who, what, old.id)
    if new.role != old.role:
        note(connection, now, who, "person.role", old.id, role=new.role)
    return new


def set_password(
    connection: Connection, person_id: str, password: str, *, now: float, who: str
) -> None:
    """Change somebody's password; ends all their sessions and their link."""
    connection.execute(
        update(people).where(people.c.id == person_id).values(password=password)
    )
    connection.execute(
        delete(password_links).where(password_links.c.person_id == person_id)
    )
    end_sessions(connection, person_id)
    note(connection, now, who, "person.password", person_id)


def has_password(connection: Connection, person_id: str) -> bool:
    """Tell whether somebody can sign in by a password at all."""
    query = select(people.c.password).where(people.c.id == person_id)
    return connection.execute(query).scalar() not in {None, NO_PASSWORD}


def end_sessions(connection: Connection, person_id: str) -> None:
    """Have somebody sign in again, everywhere."""
    connection.execute(delete(sessions).where(sessions.c.person_id == person_id))


# -- a forgotten password ----------------------------------------------------------


def make_password_link(
    connection: Connection,
    name_or_id: str,
    *,
    secret: str,
    pepper: bytes,
    now: float,
    who: str,
) -> Person:
    """Let whoever has ``secret`` choose this person's password, once, for LINK_S.

    Ends an earlier link; sessions and password stay until it is used.
    """
    take_turn(connection)
    person = find_person(connection, name_or_id)
    if person.disabled:
        raise DirectoryProblem(
            f'"{person.name}" is disabled and could not sign in: enable them first.'
        )
    connection.execute(
        delete(password_links).where(
            or_(
                password_links.c.person_id == person.id,
                password_links.c.expires_at <= now,
            )
        )
    )
    connection.execute(
        insert(password_links).values(
            person_id=person.id,
            digest=digest(pepper, secret),
            expires_at=now + LINK_S,
        )
    )
    note(connection, now, who, "person.password_link", person.id)
    return person


def person_of_link(
    connection: Connection, secret: str, *, pepper: bytes, now: float
) -> Person:
    """Give whose password a link may choose; using it up is ``use_password_link``."""
    query = (
        select(people)
        .join(password_links)
        .where(password_links.c.digest == digest(pepper, secret))
        .where(password_links.c.expires_at > now)
        .where(people.c.disabled.is_(False))
    )
    row = connection.execute(query).first()
    if row is None:
        raise Missing(
            "This link was used, replaced or has expired: ask for another one."
        )
    return person_of(row)


def use_password_link(
    connection: Connection, secret: str, *, pepper: bytes, password: str, now: float
) -> Person:
    """Set the password that a link allows to set; the link is gone after."""
    take_turn(connection)
    person = person_of_link(connection, secret, pepper=pepper, now=now)
    set_password(connection, person.id, password, now=now, who=signature(person))
    return person


# -- rows --------------------------------------------------------------------------


def person_of(row: Row[Any]) -> Person:
    """Make the record of a row of ``people``."""
    return Person(
        id=row.id,
        name=row.name,
        role=row.role,
        account_id=row.account_id,
        created_at=row.created_at,
        disabled=row.disabled,
        signed_in_at=row.signed_in_at,
    )


def _named(name_or_id: str) -> Select[Any]:
    name = sign_in_name(name_or_id)
    if not name_or_id.isprintable():
        name = name_or_id = ""  # nobody's
    return (
        select(people)
        .where(or_(people.c.id == name_or_id, people.c.name == name))
        # Somebody may be named like another's id.
        .order_by((people.c.id == name_or_id).desc())
    )


def _rules(person: Person) -> bool:
    return person.role == "operator" and not person.disabled


def _operators(connection: Connection) -> int:
    query = (
        select(func.count())
        .select_from(people)
        .where(people.c.role == "operator")
        .where(people.c.disabled.is_(False))
    )
    return int(connection.execute(query).scalar_one())
