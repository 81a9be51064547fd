"""An account and a key of it made in a store, and what was noted of them."""

from typing import Any

from sqlalchemy import select
from support.people import PEPPER

from lightweight.records import Account, ApiKey
from lightweight.store.accounts import create_account
from lightweight.store.api_keys import create_key
from lightweight.store.connect import Connection
from lightweight.store.kept import keep_prompts
from lightweight.store.keys import mint
from lightweight.store.schema import audit, counters

SECRET = mint(lambda count: b"\x01" * count)
"""The secret of ``a_key``."""


def acme(connection: Connection, **changes: Any) -> Account:
    """Make the account acct_1."""
    given: dict[str, Any] = {
        "account_id": "acct_1",
        "name": "acme",
        "tier": "pro",
        "now": 1000.0,
        "who": "cli",
    }
    return create_account(connection, **{**given, **changes})


def a_key(connection: Connection, **changes: Any) -> ApiKey:
    """Make the key key_1 of ``acme``."""
    given: dict[str, Any] = {
        "key_id": "key_1",
        "account": "acct_1",
        "name": "ci",
        "secret": SECRET,
        "pepper": PEPPER,
        "now": 2000.0,
        "who": "cli",
    }
    return create_key(connection, **{**given, **changes})


def a_kept_key(connection: Connection, days: int | None) -> ApiKey:
    """Make both, and keep the prompts of the key for so many days."""
    acme(connection)
    made = a_key(connection)
    return keep_prompts(connection, made.id, days, now=made.created_at, who="boss")


def notes(connection: Connection) -> list[tuple[float, str, str, str, Any]]:
    """Give when, who, what, to whom and the details, in order."""
    columns = (audit.c.at, audit.c.who, audit.c.what, audit.c.subject, audit.c.details)
    rows = connection.execute(select(*columns).order_by(audit.c.id))
    return [tuple(row) for row in rows]


def change_count(connection: Connection) -> int:
    """Give how many changes the counter saw."""
    found: int = connection.execute(select(counters.c.value)).scalar_one()
    return found
