"""The verbs on accounts; the command line and the daemon know no others.

What holds for all verbs is in ``directory``.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from lightweight.records import Account, Limits
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
from lightweight.store.pages import Place, page_of
from lightweight.store.rows import row_of_id
from lightweight.store.schema import accounts


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
    check_limits(limits)
    account = Account(
        id=account_id, name=name, tier=tier, created_at=now, limits=limits
    )
    row = {
        "id": account.id,
        "name": account.name,
        "tier": account.tier,
        "created_at": account.created_at,
        "disabled": account.disabled,
        "limits": written_limits(limits),
        "changed": next_change(connection),
    }
    try:
        connection.execute(insert(accounts).values(row))
    except IntegrityError:
        raise DirectoryProblem(
            f'There is an account "{name}" already: choose another name, or see it '
            f"with 'lightweight accounts show {name}'."
        ) from None
    details = {"name": name, "tier": tier, **(written_limits(limits) or {})}
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
    _update(connection, account.id, disabled=disabled)
    what = "account.disable" if disabled else "account.enable"
    note(connection, now, who, what, account.id)
    return replace(account, disabled=disabled)


def set_tier(
    connection: Connection, name_or_id: str, tier: str, *, now: float, who: str
) -> Account:
    """Put the account on a tier; that there is one of the name is not checked here."""
    take_turn(connection)
    account = find_account(connection, name_or_id)
    _update(connection, account.id, tier=tier)
    note(connection, now, who, "account.tier", account.id, tier=tier)
    return replace(account, tier=tier)


# -- limits ------------------------------------------------------------------------


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


def _limited(connection: Connection, account: Account, limits: Limits) -> Account:
    check_limits(limits)
    _update(connection, account.id, limits=written_limits(limits))
    return replace(account, limits=limits)


def _quotas(limits: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return limits.get("quota_tokens"), limits.get("quota_micro_usd")


def _clearing(account: Account) -> str:
    return (
        f"'lightweight accounts set {account.id} --quota-tokens none --quota-usd none'"
    )


# -- rows --------------------------------------------------------------------------


def account_of(row: Row[Any]) -> Account:
    """Make the record of a row of ``accounts``."""
    return Account(
        id=row.id,
        name=row.name,
        tier=row.tier,
        created_at=row.created_at,
        disabled=row.disabled,
        limits=read_limits(row.limits),
    )


def _update(connection: Connection, account_id: str, **values: Any) -> None:
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(changed=next_change(connection), **values)
    )
