"""The verbs on API keys; the command line and the daemon know no others.

What holds for all verbs is in ``directory``, what a key looks like in ``keys``.
"""

from collections.abc import Sequence
from sys import intern
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select, update

from lightweight.records import ApiKey, KeyState, Limits
from lightweight.store.accounts import find_account
from lightweight.store.audit import note
from lightweight.store.directory import (
    UNLIMITED,
    DirectoryProblem,
    LimitChanges,
    Missing,
    check_limits,
    check_name,
    next_change,
    read_limits,
    take_turn,
    written_limits,
)
from lightweight.store.keys import digest, shown
from lightweight.store.pages import Place, page_of
from lightweight.store.rows import row_of_id
from lightweight.store.schema import keys


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
    limits: Limits = UNLIMITED,
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
        limits=limits,
    )
    _insert_key(connection, key, digest(pepper, secret))
    details = {"account": owner.id, "name": name, **(written_limits(limits) or {})}
    note(connection, now, who, "key.create", key.id, **details)
    return key


def list_keys(connection: Connection, account: str | None = None) -> list[ApiKey]:
    """Give the keys of an account (name or id), or of all, the oldest first."""
    query = select(keys).order_by(keys.c.created_at, keys.c.id)
    if account is not None:
        owner = find_account(connection, account)
        query = query.where(keys.c.account_id == owner.id)
    return [key_of(row) for row in connection.execute(query)]


def key_page(
    connection: Connection,
    *,
    account_id: str | None = None,
    after: Place | None = None,
    most: int = 50,
) -> list[ApiKey]:
    """Give a page of keys, the newest first: of one account, or of all."""
    only = [] if account_id is None else [keys.c.account_id == account_id]
    found = page_of(connection, keys, *only, after=after, most=most)
    return [key_of(row) for row in found]


def find_key(connection: Connection, key_id: str) -> ApiKey:
    """Give the key of an id."""
    row = row_of_id(connection, keys, key_id)
    if row is None:
        # Somebody may have given the secret instead: it must not be repeated.
        named = f' "{key_id}"' if key_id.startswith("key_") else " of that id"
        raise Missing(f"There is no key{named}: 'lightweight keys list' shows them.")
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

    The new key has the same account, name, models and limits, and where the old one
    expires the same length of life, counted from now. A key that is dead, or dying of
    an earlier rotation, is refused.
    """
    take_turn(connection)
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
    update_key(connection, old.id, revoked_at=now + grace)
    note(connection, now, who, "key.rotate", old.id, replaced_by=new.id, grace=grace)
    return new


def revoke_key(connection: Connection, key_id: str, *, now: float, who: str) -> ApiKey:
    """End a key now, a rotation's grace included; one that is dead stays as it is."""
    take_turn(connection)
    key = find_key(connection, key_id)
    if _is_past(key.revoked_at, now):
        return key
    update_key(connection, key.id, revoked_at=now)
    note(connection, now, who, "key.revoke", key.id)
    return replace(key, revoked_at=now)


def set_key_limits(
    connection: Connection,
    key_id: str,
    changes: LimitChanges,
    *,
    now: float,
    who: str,
) -> ApiKey:
    """Change some of a key's own limits."""
    take_turn(connection)
    key = find_key(connection, key_id)
    limits = replace(key.limits, **changes)
    check_limits(limits)
    update_key(connection, key.id, limits=written_limits(limits))
    note(connection, now, who, "key.limits", key.id, **changes)
    return replace(key, limits=limits)


def state_of_key(key: ApiKey, now: float) -> KeyState:
    """Say whether a key works; of its account nothing is said."""
    if _is_past(key.revoked_at, now):
        return "revoked"
    if _is_past(key.expires_at, now):
        return "expired"
    return "active" if key.revoked_at is None else "rotated"


def _is_past(at: float | None, now: float) -> bool:
    return at is not None and at <= now


# -- rows --------------------------------------------------------------------------


def key_of(row: Sequence[Any]) -> ApiKey:
    """Make the record of a row of ``keys``, all of its columns in their order."""
    # A start reads 100,000 of them: asking for each by its name takes three times as
    # long.
    id_, owner, name, _, short, created, expires, revoked, models, _, limits, days = row
    return ApiKey(
        id=id_,
        # All keys are in memory, and many have these in common.
        account_id=intern(owner),
        name=intern(name),
        shown=short,
        created_at=created,
        expires_at=expires,
        revoked_at=revoked,
        models=None if models is None else frozenset(models),
        limits=read_limits(limits),
        keep_prompts_days=days,
    )


def _insert_key(connection: Connection, key: ApiKey, secret_digest: bytes) -> None:
    check_name(key.name)
    check_limits(key.limits)
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
            limits=written_limits(key.limits),
            keep_prompts_days=key.keep_prompts_days,
            changed=next_change(connection),
        )
    )


def update_key(connection: Connection, key_id: str, **values: Any) -> None:
    """Write columns of a key; whoever took its turn may."""
    connection.execute(
        update(keys)
        .where(keys.c.id == key_id)
        .values(changed=next_change(connection), **values)
    )
