"""Accounts: what each may use, and what was paid for.

Operators see and change all of them; everybody else reads their own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import get_args
from urllib.parse import urlencode

from lightweight.errors import BadRequest
from lightweight.policy.admission import Tier, limits_of_account, tier_of
from lightweight.records import Account, Answer
from lightweight.store.accounts import account_page, set_limits, set_tier, top_up
from lightweight.store.audit import AuditEntry, audit_log
from lightweight.store.connect import Connection
from lightweight.store.pages import Place
from lightweight.web.admin.actor import account_for, require_role
from lightweight.web.dashboard.asked import Asked, said_of, said_place
from lightweight.web.dashboard.keys import micro_usd, number
from lightweight.web.dashboard.overview import quotas_left
from lightweight.web.dashboard.views import (
    AccountsView,
    AccountView,
    LimitName,
    LimitRow,
    TopUp,
)

PAGE = 100
TOP_UPS = 50
"""The latest, which the page shows."""

FIELDS: tuple[LimitName, ...] = get_args(LimitName)
QUOTAS = ("quota_tokens", "quota_micro_usd")

_SAID = {
    "rpm": "requests a minute",
    "tpm": "tokens a minute",
    "concurrency": "calls at the same time",
    "quota_tokens": "tokens",
}


async def show_accounts(asked: Asked) -> Answer:
    """List all accounts to an operator; show anybody else their own."""
    own = asked.actor.scope
    if own is not None:
        return await show_account(asked, own)
    require_role(asked.actor, "operator")
    after = said_place(asked.query("after"))
    found = await asked.read(lambda c: account_page(c, after=after, most=PAGE + 1))
    shown = found[:PAGE]
    older = ""
    if len(found) > PAGE:
        older = urlencode({"after": said_of(account_place(shown[-1]))})
    return asked.page("accounts", AccountsView(accounts=shown, older=older))


async def show_account(asked: Asked, account_id: str) -> Answer:
    """Show an account by its id or name. Raises NotFound where it is not theirs."""
    operator = asked.actor.role == "operator"
    tiers = asked.backstage.office.current().tiers

    def work(connection: Connection) -> tuple[Account, Sequence[AuditEntry]]:
        account = account_for(asked.actor, connection, account_id)
        added = audit_log(
            connection, subject=account.id, what="account.top_up", most=TOP_UPS
        )
        return account, added

    account, added = await asked.read(work)
    view = AccountView(
        account=account,
        tiers=list(tiers) if operator else (),
        configured=account.tier in tiers,
        limits=_rows(account, tier_of(account.tier, tiers), tiers),
        quotas=await quotas_left(asked, account),
        top_ups=[_top_up(each, named=operator) for each in added],
    )
    return asked.page("accounts", view, template="account")


async def show_again(asked: Asked) -> Answer:
    """Show the account whose form could not be carried out."""
    # /dashboard/accounts/ID/…
    return await show_account(asked, asked.request.path.split("/")[3])


def account_place(account: Account) -> Place:
    """Give the place of an account in the list of all."""
    return Place(account.created_at, account.id)


def _rows(
    account: Account, tier: Tier, tiers: Mapping[str, Tier]
) -> Sequence[LimitRow]:
    counts = limits_of_account(account, tiers)
    return [
        LimitRow(
            name=field,
            tier=getattr(tier.limits, field),
            own=getattr(account.limits, field),
            counts=getattr(counts, field),
        )
        for field in FIELDS
    ]


def _top_up(entry: AuditEntry, *, named: bool) -> TopUp:
    return TopUp(
        at=entry.at,
        # Who runs the server is not the members' to know.
        who=entry.who if named else "",
        tokens=int(entry.details.get("tokens") or 0),
        micro_usd=int(entry.details.get("micro_usd") or 0),
    )


# -- changes -----------------------------------------------------------------------


async def change_tier(asked: Asked, account_id: str) -> Answer:
    """Put an account on another tier."""
    tier = asked.field("tier")
    if tier not in asked.backstage.office.current().tiers:
        raise BadRequest("There is no such tier: choose one of the list.")

    def work(connection: Connection, account: Account) -> Account:
        return set_tier(
            connection, account.id, tier, now=asked.now, who=asked.actor.who
        )

    account = await _changed(asked, account_id, work)
    said = f"{account.name} is on the tier {tier} within two seconds."
    return await show_account(asked.done(said), account.id)


async def change_limits(asked: Asked, account_id: str) -> Answer:
    """Set the limits that the form has; an empty field takes one away."""
    said = {field: _amount(field, asked) for field in FIELDS if field in asked.form}

    def work(connection: Connection, account: Account) -> Account:
        changes: dict[str, int | None] = {
            field: amount
            for field, amount in said.items()
            if amount != getattr(account.limits, field)
        }
        if not changes:
            raise BadRequest("Nothing was changed: these are its limits already.")
        return set_limits(
            connection, account.id, changes, now=asked.now, who=asked.actor.who
        )

    account = await _changed(asked, account_id, work)
    done = asked.done(f"The limits of {account.name} count within two seconds.")
    return await show_account(done, account.id)


async def add_quota(asked: Asked, account_id: str) -> Answer:
    """Add to an account's prepaid quota."""
    tokens = number(asked.field("tokens"), "tokens") or 0
    money = asked.field("usd")

    def work(connection: Connection, account: Account) -> Account:
        return top_up(
            connection,
            account.id,
            tokens=tokens,
            micro_usd=micro_usd(money) if money else 0,
            now=asked.now,
            who=asked.actor.who,
        )

    account = await _changed(asked, account_id, work)
    done = asked.done(f"Added to the prepaid quota of {account.name}.")
    return await show_account(done, account.id)


async def clear_quota(asked: Asked, account_id: str) -> Answer:
    """Take an account's own quotas away: its tier's count again."""

    def work(connection: Connection, account: Account) -> Account:
        nothing = dict.fromkeys(QUOTAS, None)
        return set_limits(
            connection, account.id, nothing, now=asked.now, who=asked.actor.who
        )

    account = await _changed(asked, account_id, work)
    done = asked.done(f"{account.name} has no quota of its own any more.")
    return await show_account(done, account.id)


async def _changed(
    asked: Asked, account_id: str, work: Callable[[Connection, Account], Account]
) -> Account:
    """Do ``work`` to an account, as an operator. Cancelling does not undo it."""

    def change(connection: Connection) -> Account:
        # What is not theirs is not there; what is, is not theirs to change.
        account = account_for(asked.actor, connection, account_id)
        require_role(asked.actor, "operator")
        return work(connection, account)

    return await asked.change(change)


def _amount(field: str, asked: Asked) -> int | None:
    said = asked.field(field)
    if field == "quota_micro_usd":
        return micro_usd(said) if said else None
    return number(said, _SAID[field])
