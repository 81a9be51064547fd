"""The verbs on accounts and keys; the CLI and the daemon know no others.

Each takes a connection inside a transaction. One that changes something writes its row,
moves the counter of changes and writes an audit entry, so that the three are committed
together or not at all. Times are seconds since the epoch; ``who`` is who did it, for
the audit log. All raise DirectoryProblem for what cannot be done.

Whoever changes something takes its turn before it looks: two that change one thing at
once would else both start from what it was.
"""

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, TypeAlias

from msgspec import convert
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from lightweight.records import Account, ApiKey, KeyState, Limits
from lightweight.store.audit import note
from lightweight.store.keys import digest, shown
from lightweight.store.pages import Place, page_of
from lightweight.store.problems import StoreProblem
from lightweight.store.rows import row_of_id
from lightweight.store.schema import KEYS_COUNTER, accounts, counters, keys

MAX_NAME = 100
"""Characters in the name of an account or key."""

MAX_LIMIT = 10**15

UNLIMITED = Limits()

LimitChanges: TypeAlias = Mapping[str, int | None]
"""Some numbers of ``Limits`` by their names; None takes a limit away."""


class DirectoryProblem(StoreProblem):
    """It cannot be done to this one."""


class Missing(DirectoryProblem):
    """There is no such thing."""


def take_turn(connection: Connection) -> None:
    """Wait for those who change the directory now; what follows sees their work.

    On SQLite a writing transaction has had its turn since it began.
    """
    connection.execute(
        select(counters.c.value)
        .where(counters.c.name == KEYS_COUNTER)
        .with_for_update()
    )


# -- accounts ----------------------------------------------------------------------


def create_account(
    connection: Connection,
    *,
    account_id: str,
    name: str,
    tier: str,
    now: float,
    who: str,
    limits: Limits = UNLIMITED,
) -> Account:
    """Make an account; its name must be new, since people use it in place of the id."""
    check_name(name)
    if not name:
        raise DirectoryProblem("An account needs a name: give one.")
    _check_limits(limits)
    account = Account(
        id=account_id, name=name, tier=tier, created_at=now, limits=limits
    )
    row = {
        "id": account.id,
        "name": account.name,
        "tier": account.tier,
        "created_at": account.created_at,
        "disabled": account.disabled,
        "limits": _written(limits),
        "changed": _next_change(connection),
    }
    try:
        connection.execute(insert(accounts).values(row))
    except IntegrityError:
        raise DirectoryProblem(
            f'There is an account "{name}" already: choose another name, or see it '
            f"with 'lightweight accounts show {name}'."
        ) from None
    details = {"name": name, "tier": tier, **(_written(limits) or {})}
    note(connection, now, who, "account.create", account.id, **details)
    return account


def list_accounts(connection: Connection) -> list[Account]:
    """Give all accounts by name."""
    rows = connection.execute(select(accounts).order_by(accounts.c.name))
    return [account_of(row) for row in rows]


def account_page(
    connection: Connection,
    *,
    account_id: str | None = None,
    after: Place | None = None,
    most: int = 50,
) -> list[Account]:
    """Give a page of accounts, the newest first; or just the one of that id."""
    only = [] if account_id is None else [accounts.c.id == account_id]
    found = page_of(connection, accounts, *only, after=after, most=most)
    return [account_of(row) for row in found]


def find_account(connection: Connection, name_or_id: str) -> Account:
    """Give the account of a name or an id; an id goes before a name."""
    row = row_of_id(connection, accounts, name_or_id)
    if row is None and name_or_id.isprintable():
        named = select(accounts).where(accounts.c.name == name_or_id)
        row = connection.execute(named).first()
    if row is not None:
        return account_of(row)
    raise Missing(
        f"There is no account \"{name_or_id}\": 'lightweight accounts list' shows them."
    )


def set_disabled(
    connection: Connection, name_or_id: str, *, disabled: bool, now: float, who: str
) -> Account:
    """Let no key of the account work any more, or let them work again."""
    take_turn(connection)
    account = find_account(connection, name_or_id)
    _update_account(connection, account.id, disabled=disabled)
    what = "account.disable" if disabled else "account.enable"
    note(connection, now, who, what, account.id)
    return replace(account, disabled=disabled)


def set_tier(
    connection: Connection, name_or_id: str, tier: str, *, now: float, who: str
) -> Account:
    """Put the account on a tier; that there is one of the name is not checked here."""
    take_turn(connection)
    account = find_account(connection, name_or_id)
    _update_account(connection, account.id, tier=tier)
    note(connection, now, who, "account.tier", account.id, tier=tier)
    return replace(account, tier=tier)


def set_limits(
    connection: Connection,
    name_or_id: str,
    changes: LimitChanges,
    *,
    now: float,
    who: str,
) -> Account:
    """Change some of the account's own limits; a prepaid quota is only taken away."""
    take_turn(connection)
    account = find_account(connection, name_or_id)
    if account.limits.prepaid and any(_quotas(changes)):
        raise DirectoryProblem(
            f'The quota of "{account.name}" is prepaid: add to it with '
            f"'lightweight accounts top-up {account.id}', or clear it "
            f"first with {_clearing(account)}."
        )
    limits = replace(account.limits, **changes)
    limits = replace(limits, prepaid=limits.prepaid and any(_quotas(asdict(limits))))
    limited = _limited(connection, account, limits)
    note(connection, now, who, "account.limits", account.id, **changes)
    return limited


def top_up(
    connection: Connection,
    name_or_id: str,
    *,
    tokens: int = 0,
    micro_usd: int = 0,
    now: float,
    who: str,
) -> Account:
    """Add to the account's prepaid quota, or begin one; it never resets."""
    if min(tokens, micro_usd) < 0 or not tokens + micro_usd:
        raise DirectoryProblem("A top-up adds tokens or dollars: say how many.")
    take_turn(connection)
    account = find_account(connection, name_or_id)
    limits = account.limits
    if not limits.prepaid and any(_quotas(asdict(limits))):
        raise DirectoryProblem(
            f'"{account.name}" has a quota for each month, to which nothing can be '
            f"added: clear it first with {_clearing(account)}."
        )
    topped = replace(
        limits,
        quota_tokens=(limits.quota_tokens or 0) + tokens or None,
        quota_micro_usd=(limits.quota_micro_usd or 0) + micro_usd or None,
        prepaid=True,
    )
    limited = _limited(connection, account, topped)
    added = {"tokens": tokens, "micro_usd": micro_usd}
    note(connection, now, who, "account.top_up", account.id, **added)
    return limited


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
    details = {"account": owner.id, "name": name, **(_written(limits) or {})}
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
    _check_limits(limits)
    update_key(connection, key.id, limits=_written(limits))
    note(connection, now, who, "key.limits", key.id, **changes)
    return replace(key, limits=limits)


def state_of_key(key: ApiKey, now: float) -> KeyState:
    """Say whether a key works; of its account nothing is said."""
    if _is_past(key.revoked_at, now):
        return "revoked"
    if _is_past(key.expires_at, now):
        return "expired"
    return "active" if key.revoked_at is None else "rotated"


# -- limits ------------------------------------------------------------------------


def _limited(connection: Connection, account: Account, limits: Limits) -> Account:
    _check_limits(limits)
    _update_account(connection, account.id, limits=_written(limits))
    return replace(account, limits=limits)


def _quotas(limits: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return limits.get("quota_tokens"), limits.get("quota_micro_usd")


def _clearing(account: Account) -> str:
    return (
        f"'lightweight accounts set {account.id} --quota-tokens none --quota-usd none'"
    )


def _check_limits(limits: Limits) -> None:
    numbers = [value for name, value in asdict(limits).items() if name != "prepaid"]
    if any(not 1 <= number <= MAX_LIMIT for number in numbers if number is not None):
        raise DirectoryProblem(
            "A limit is a whole number from 1 to 10^15, and dollars from a millionth "
            "to 10^9: leave it out for no limit."
        )


def _written(limits: Limits) -> dict[str, Any] | None:
    """Give what a row holds: only what is set, so that new limits need no migration."""
    return {name: value for name, value in asdict(limits).items() if value} or None


# -- rows --------------------------------------------------------------------------


def account_of(row: Row[Any]) -> Account:
    """Make the record of a row of ``accounts``."""
    return Account(
        id=row.id,
        name=row.name,
        tier=row.tier,
        created_at=row.created_at,
        disabled=row.disabled,
        limits=convert(row.limits, Limits) if row.limits else UNLIMITED,
    )


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
        limits=convert(limits, Limits) if limits else UNLIMITED,
        keep_prompts_days=days,
    )


def _insert_key(connection: Connection, key: ApiKey, secret_digest: bytes) -> None:
    check_name(key.name)
    _check_limits(key.limits)
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
            limits=_written(key.limits),
            keep_prompts_days=key.keep_prompts_days,
            changed=_next_change(connection),
        )
    )


def _update_account(connection: Connection, account_id: str, **values: Any) -> None:
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(changed=_next_change(connection), **values)
    )


def update_key(connection: Connection, key_id: str, **values: Any) -> None:
    """Write columns of a key; whoever took its turn may."""
    connection.execute(
        update(keys)
        .where(keys.c.id == key_id)
        .values(changed=_next_change(connection), **values)
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


def check_name(name: str) -> None:
    """Raise DirectoryProblem for what nobody could read or type as a name."""
    if len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise DirectoryProblem(
            f"A name has at most {MAX_NAME} printable characters and no space at its "
            "ends: choose another."
        )


def _is_past(at: float | None, now: float) -> bool:
    return at is not None and at <= now
