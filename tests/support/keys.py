"""An account and a key of it made in a store, for its suites."""

from typing import Any

from support.people import PEPPER

from lightweight.records import Account, ApiKey
from lightweight.store.connect import Connection
from lightweight.store.directory import create_account, create_key
from lightweight.store.kept import keep_prompts
from lightweight.store.keys import mint

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
