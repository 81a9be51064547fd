"""The verbs on sessions: signing in, staying signed in, and how often may be tried.

A session is kept as the digest of its secret. It ends IDLE_S after it was last seen and
LIFE_S after it began, whatever is done with it.
"""

from collections.abc import Collection
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, case, delete, insert, or_, select, update

from lightweight.records import Person
from lightweight.store.audit import note
from lightweight.store.directory import take_turn
from lightweight.store.keys import digest
from lightweight.store.people import person_of, sign_in_name, signature
from lightweight.store.schema import people, sessions, sign_in_attempts

IDLE_S = 24 * 3600.0
LIFE_S = 14 * 86400.0

SEEN_S = 300.0
"""How old ``seen_at`` may be before it is written again."""

WINDOW_S = 15 * 60.0
"""In which attempts to sign in are counted; the first one opens it."""

PER_NAME = 10
PER_ADDRESS = 30
"""Attempts that may fail in a window. An IPv6 address counts as its /64 network."""


class Seen(Struct, frozen=True):
    """A session that holds, and whose it is."""

    person: Person
    stale: bool
    """``seen_at`` should be written again: call ``keep_session``."""


class Credential(Struct, frozen=True):
    """What somebody's password is checked against."""

    person: Person
    password: str


# -- trying ------------------------------------------------------------------------


def wait_to_sign_in(
    connection: Connection,
    name: str | None,
    address: str,
    *,
    pepper: bytes,
    now: float,
) -> float:
    """Give for how many seconds nobody may try; 0 where somebody may.

    Without a ``name``, which a provider is yet to tell, the address alone counts.
    """
    subjects = _subjects(name, address, pepper)
    counted = _counted(connection, subjects, now)
    waits: list[float] = [
        counted[subject].since + WINDOW_S - now
        for subject, most in subjects.items()
        if subject in counted and counted[subject].tries >= most
    ]
    return max(1.0, *waits) if waits else 0.0


def try_sign_in(
    connection: Connection,
    name: str | None,
    address: str,
    *,
    pepper: bytes,
    now: float,
) -> float:
    """Count an attempt before the password is looked at.

    Gives what ``wait_to_sign_in`` does, in turn. ``begin_session`` takes the attempt
    back.
    """
    # Counted in turn: who tries a hundred at once must not pass as one.
    take_turn(connection)
    wait = wait_to_sign_in(connection, name, address, pepper=pepper, now=now)
    if wait:
        return wait
    connection.execute(
        delete(sign_in_attempts).where(sign_in_attempts.c.since <= now - WINDOW_S)
    )
    subjects = _subjects(name, address, pepper)
    counted = _counted(connection, subjects, now)
    for subject in subjects:
        if subject in counted:
            connection.execute(
                update(sign_in_attempts)
                .where(sign_in_attempts.c.digest == subject)
                .values(tries=sign_in_attempts.c.tries + 1)
            )
        else:
            connection.execute(
                insert(sign_in_attempts).values(digest=subject, since=now, tries=1)
            )
    return 0.0


def credential_of(connection: Connection, name: str) -> Credential | None:
    """Give whom a name belongs to; None where nobody of it may sign in."""
    asked = sign_in_name(name)
    if not asked.isprintable():
        return None
    row = connection.execute(
        select(people).where(people.c.name == asked).where(people.c.disabled.is_(False))
    ).first()
    return None if row is None else Credential(person_of(row), row.password)


# -- signed in ---------------------------------------------------------------------


def begin_session(
    connection: Connection,
    checked: Credential,
    *,
    secret: str,
    replaces: str | None,
    address: str,
    pepper: bytes,
    now: float,
    by: str | None = None,
) -> bool:
    """Let in whoever gave the right password, or just joined; clear their attempts.

    ``by`` is the issuer that told who they are, for the audit log; None: we know.

    Ends the session that the same browser had before: its secret may have been planted.

    Tell whether it was done: not where the password was changed meanwhile, or the
    person disabled.
    """
    take_turn(connection)
    person = checked.person
    now_holds = credential_of(connection, person.name)
    if now_holds is None or now_holds.password != checked.password:
        return False
    connection.execute(
        delete(sessions).where(
            or_(
                sessions.c.seen_at <= now - IDLE_S,
                sessions.c.created_at <= now - LIFE_S,
                sessions.c.digest == digest(pepper, replaces or ""),
            )
        )
    )
    connection.execute(
        insert(sessions).values(
            digest=digest(pepper, secret),
            person_id=person.id,
            created_at=now,
            seen_at=now,
        )
    )
    connection.execute(
        update(people).where(people.c.id == person.id).values(signed_in_at=now)
    )
    by_name, by_address = _by_name(person.name, pepper), _by_address(address, pepper)
    _take_back(connection, by_name, by_address)
    who, how = signature(person), {"address": address}
    if by is not None:
        how["by"] = by
    note(connection, now, who, "person.sign_in", person.id, **how)
    return True


def session_of(
    connection: Connection, secret: str, *, pepper: bytes, now: float
) -> Seen | None:
    """Give who is signed in by ``secret``; None where nobody is, or no longer."""
    query = (
        select(people, sessions.c.seen_at)
        .join(sessions)
        .where(sessions.c.digest == digest(pepper, secret))
        .where(sessions.c.seen_at > now - IDLE_S)
        .where(sessions.c.created_at > now - LIFE_S)
        .where(people.c.disabled.is_(False))
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Seen(person_of(row), stale=row.seen_at < now - SEEN_S)


def keep_session(
    connection: Connection, secret: str, *, pepper: bytes, now: float
) -> None:
    """Remember that a session is in use."""
    connection.execute(
        update(sessions)
        .where(sessions.c.digest == digest(pepper, secret))
        .values(seen_at=now)
    )


def end_session(
    connection: Connection, secret: str, *, pepper: bytes, now: float
) -> None:
    """Sign out; no matter if nobody was signed in."""
    seen = session_of(connection, secret, pepper=pepper, now=now)
    connection.execute(
        delete(sessions).where(sessions.c.digest == digest(pepper, secret))
    )
    if seen is not None:
        person = seen.person
        note(connection, now, signature(person), "person.sign_out", person.id)


def _counted(
    connection: Connection, subjects: Collection[bytes], now: float
) -> dict[bytes, Row[Any]]:
    query = (
        select(sign_in_attempts)
        .where(sign_in_attempts.c.digest.in_(subjects))
        .where(sign_in_attempts.c.since > now - WINDOW_S)
    )
    return {row.digest: row for row in connection.execute(query)}


def _subjects(name: str | None, address: str, pepper: bytes) -> dict[bytes, int]:
    """Give whose attempts are counted, and how many of each may fail."""
    subjects = {_by_address(address, pepper): PER_ADDRESS}
    if name is not None:
        subjects[_by_name(name, pepper)] = PER_NAME
    return subjects


def _by_name(name: str, pepper: bytes) -> bytes:
    return digest(pepper, f"name {sign_in_name(name)}")


def _by_address(address: str, pepper: bytes) -> bytes:
    return digest(pepper, f"address {_network(address)}")


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        # One household or server has all of it.
        return str(IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def _take_back(connection: Connection, by_name: bytes, by_address: bytes) -> None:
    connection.execute(
        delete(sign_in_attempts).where(sign_in_attempts.c.digest == by_name)
    )
    tries = sign_in_attempts.c.tries
    connection.execute(
        update(sign_in_attempts)
        .where(sign_in_attempts.c.digest == by_address)
        .values(tries=case((tries > 0, tries - 1), else_=0))
    )
