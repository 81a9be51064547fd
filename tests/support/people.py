"""People and invites made in a store, for its suites."""

from typing import Any

from sqlalchemy import select

from lightweight.records import Account, Invite, Person, Role
from lightweight.store.accounts import create_account
from lightweight.store.connect import Connection
from lightweight.store.invites import create_invite
from lightweight.store.people import add_person
from lightweight.store.schema import audit

PEPPER = b"p" * 64
NOW = 1000.0
DAY = 86400.0


def an_account(connection: Connection, name: str = "acme") -> Account:
    """Make an account whose id tells its name."""
    return create_account(
        connection, account_id=f"acct_{name}", name=name, tier="pro", now=NOW, who="cli"
    )


def somebody(
    connection: Connection,
    name: str = "ann",
    *,
    role: Role = "operator",
    account_id: str | None = None,
    now: float = NOW,
) -> Person:
    """Make somebody whose id tells their name."""
    return add_person(
        connection,
        person_id=f"person_{name}",
        name=name,
        role=role,
        account_id=account_id,
        password=f"hash of {name}",
        now=now,
    )


def an_invite(connection: Connection, secret: str = "s", **changes: Any) -> Invite:
    """Make an invite for an operator of no account."""
    given: dict[str, Any] = {
        "invite_id": f"invite_{secret}",
        "secret": secret,
        "pepper": PEPPER,
        "role": "operator",
        "now": NOW,
        "who": "cli",
    }
    return create_invite(connection, **{**given, **changes})


def trail(connection: Connection) -> list[tuple[str, str, str]]:
    """Give who did what to whom, in order."""
    rows = connection.execute(
        select(audit.c.who, audit.c.what, audit.c.subject).order_by(audit.c.id)
    )
    return [(row.who, row.what, row.subject) for row in rows]
