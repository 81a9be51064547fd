"""The verbs on accounts and keys; the CLI and the daemon know no others.

Each takes a connection inside a transaction. One that changes something writes its row,
moves the counter of changes and writes an audit entry, so that the three are committed
together or not at all. Times are seconds since the epoch; ``who`` is who did it, for
the audit log. All raise DirectoryProblem for what cannot be done.
"""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from lightweight.records import Account, ApiKey
from lightweight.store.keys import digest, shown
from lightweight.store.problems import StoreProblem
from lightweight.store.schema import KEYS_COUNTER, accounts, audit, counters, keys

MAX_NAME = 100
"""Characters in the name of an account or key."""


class DirectoryProblem(StoreProblem):
    """No such account or key, or it cannot be done to this one."""


# -- accounts ----------------------------------------------------------------------


def create_account(
    connection: Connection,
    *,
    account_id: str,
    name: str,
    tier: str,
    now: float,
    who: str,
) -> Account:
    """Make an account; its name must be new, since people use it in place of the id."""
    _check_name(name)
    if not name:
        raise DirectoryProblem("An account needs a name: give one.")
    account = Account(id=account_id, name=name, tier=tier, created_at=now)
    row = {
        "id": account.id,
        "name": account.name,
        "tier": account.tier,
        "created_at": account.created_at,
        "disabled": account.disabled,
        "changed": _next_change(connection),
    }
    try:
        connection.execute(insert(accounts).values(row))
    except IntegrityError:
        raise DirectoryProblem(
            f'There is an account "{name}" already: choose another name, or see it '
            f"with 'lightweight accounts show {name}'."
        ) from None
    _note(connection, now, who, "account.create", account.id, name=name, tier=tier)
    return account


def list_accounts(connection: Connection) -> list[Account]:
    """Give all accounts by name."""
    rows = connection.execute(select(accounts).order_by(accounts.c.name))
    return [account_of(row) for row in rows]


def find_account(connection: Connection, name_or_id: str) -> Account:
    """Give the account of a name or an id; an id goes before a name."""
    for column in (accounts.c.id, accounts.c.name):
        query = select(accounts).where(column == name_or_id)
        row = _first(connection, query, given=name_or_id)
        if row is not None:
            return account_of(row)
    raise DirectoryProblem(
        f"There is no account \"{name_or_id}\": 'lightweight accounts list' shows them."
    )


def set_disabled(
    connection: Connection, name_or_id: str, *, disabled: bool, now: float, who: str
) -> Account:
    """Let no key of the account work any more, or let them work again."""
    account = find_account(connection, name_or_id)
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account.id)
        .values(disabled=disabled, changed=_next_change(connection))
    )
    what = "account.disable" if disabled else "account.enable"
    _note(connection, now, who, what, account.id)
    return replace(account, disabled=disabled)


# -- keys --------------------------------------------------------------------------


def create_key(
    connection: Connection,
    *,
    key_id: str,
    account: str,
    name: str,
    secret: str,
    pepper: bytes,
    now: float,
    who: str,
    models: frozenset[str] | None = None,
    expires_at: float | None = None,
) -> ApiKey:
    """Make a key of ``account`` (name or id) out of a freshly minted ``secret``."""
    owner = find_account(connection, account)
    if _is_past(expires_at, now):
        raise DirectoryProblem("The key would have expired already: let it live.")
    if models is not None and not models:
        raise DirectoryProblem("A key that may use no model is of no use: name some.")
    key = ApiKey(
        id=key_id,
        account_id=owner.id,
        name=name,
        shown=shown(secret),
        created_at=now,
        expires_at=expires_at,
        models=models,
    )
    _insert_key(connection, key, digest(pepper, secret))
    _note(connection, now, who, "key.create", key.id, account=owner.id, name=name)
    return key


def list_keys(connection: Connection, account: str | None = None) -> list[ApiKey]:
    """Give the keys of an account (name or id), or of all, the oldest first."""
    query = select(keys).order_by(keys.c.created_at, keys.c.id)
    if account is not None:
        owner = find_account(connection, account)
        query = query.where(keys.c.account_id == owner.id)
    return [key_of(row) for row in connection.execute(query)]


def find_key(connection: Connection, key_id: str) -> ApiKey:
    """Give the key of an id."""
    row = _first(connection, select(keys).where(keys.c.id == key_id), given=key_id)
    if row is None:
        # Somebody may have given the secret instead: it must not be repeated.
        named = f' "{key_id}"' if key_id.startswith("key_") else " of that id"
        raise DirectoryProblem(
            f"There is no key{named}: 'lightweight keys list' shows them."
        )
    return key_of(row)


def rotate_key(
    connection: Connection,
    key_id: str,
    *,
    new_key_id: str,
    secret: str,
    pepper: bytes,
    grace: float,
    now: float,
    who: str,
) -> ApiKey:
    """Make a key like this one, which itself dies after ``grace`` seconds.

    The new key has the same account, name and models, and where the old one expires
    the same length of life, counted from now. A key that is dead, or dying of an
    earlier rotation, is refused.
    """
    old = find_key(connection, key_id)
    if old.revoked_at is not None or _is_past(old.expires_at, now):
        raise DirectoryProblem(
            f"The key {old.id} is revoked, rotated or expired already: make a new one "
            "with 'lightweight keys create'."
        )
    new = replace(
        old,
        id=new_key_id,
        shown=shown(secret),
        created_at=now,
        expires_at=old.expires_at and now + (old.expires_at - old.created_at),
    )
    _insert_key(connection, new, digest(pepper, secret))
    _set_revoked_at(connection, old.id, now + grace)
    _note(connection, now, who, "key.rotate", old.id, replaced_by=new.id, grace=grace)
    return new


def revoke_key(connection: Connection, key_id: str, *, now: float, who: str) -> ApiKey:
    """End a key now, a rotation's grace included; one that is dead stays as it is."""
    key = find_key(connection, key_id)
    if _is_past(key.revoked_at, now):
        return key
    _set_revoked_at(connection, key.id, now)
    _note(connection, now, who, "key.revoke", key.id)
    return replace(key, revoked_at=now)


# -- rows --------------------------------------------------------------------------


def account_of(row: Row[Any]) -> Account:
    """Make the record of a row of ``accounts``."""
    return Account(
        id=row.id,
        name=row.name,
        tier=row.tier,
        created_at=row.created_at,
        disabled=row.disabled,
    )


def key_of(row: Row[Any]) -> ApiKey:
    """Make the record of a row of ``keys``."""
    return ApiKey(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        shown=row.shown,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        models=None if row.models is None else frozenset(row.models),
    )


def _first(
    connection: Connection, query: Select[Any], *, given: str
) -> Row[Any] | None:
    # What is not printable is nobody's name, and a lone surrogate cannot even be asked.
    return connection.execute(query).first() if given.isprintable() else None


def _insert_key(connection: Connection, key: ApiKey, secret_digest: bytes) -> None:
    _check_name(key.name)
    connection.execute(
        insert(keys).values(
            id=key.id,
            account_id=key.account_id,
            name=key.name,
            digest=secret_digest,
            shown=key.shown,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            models=None if key.models is None else sorted(key.models),
            changed=_next_change(connection),
        )
    )


def _set_revoked_at(connection: Connection, key_id: str, at: float) -> None:
    connection.execute(
        update(keys)
        .where(keys.c.id == key_id)
        .values(revoked_at=at, changed=_next_change(connection))
    )


def _next_change(connection: Connection) -> int:
    """Move the counter; its row stays locked until the commit.

    So numbers become visible in their order, and who saw one missed none below it.
    """
    value: int = connection.execute(
        update(counters)
        .where(counters.c.name == KEYS_COUNTER)
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    ).scalar_one()
    return value


def _note(
    connection: Connection,
    at: float,
    who: str,
    what: str,
    subject: str,
    **details: str | float,
) -> None:
    connection.execute(
        insert(audit).values(
            at=at, who=who, what=what, subject=subject, details=details
        )
    )


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise DirectoryProblem(
            f"A name has at most {MAX_NAME} printable characters and no space at its "
            "ends: choose another."
        )


def _is_past(at: float | None, now: float) -> bool:
    return at is not None and at <= now
