"""Accounts, tiers, and who asks."""

from lightweight.records import Account
from lightweight.store.accounts import (
    account_page,
    create_account,
    find_account,
    set_disabled,
    set_limits,
    set_tier,
    top_up,
)
from lightweight.store.connect import Connection
from lightweight.web.admin import drafts, shapes, shown
from lightweight.web.admin.actor import account_for
from lightweight.web.admin.reading import (
    limit_changes,
    limits_of,
    made_at,
    micro_usd,
    page,
    page_size,
    place_after,
)
from lightweight.web.admin.table import Case, Table
from lightweight.web.admin.tiers import require_tier

TABLE = Table()


@TABLE.route("GET", "/me")
async def show_me(case: Case) -> shapes.Me:
    """Say who asks, and which account is theirs."""
    actor = case.actor
    account = None
    if actor.account_id is not None:
        account_id = actor.account_id
        account = await case.office.database.read(lambda c: find_account(c, account_id))
    return shapes.Me(
        role=actor.role,
        account=None if account is None else shown.account(account),
        person=None if actor.person is None else shown.person(actor.person),
    )


@TABLE.route("GET", "/accounts")
async def list_accounts(
    case: Case, *, query: drafts.PageQuery
) -> shapes.Page[shapes.Account]:
    """List accounts: all of them, or just your own."""
    most, after = page_size(query), place_after(query)
    found = await case.office.database.read(
        lambda c: account_page(
            c, account_id=case.actor.scope, after=after, most=most + 1
        )
    )
    return page(found, most, shown.account, made_at)


@TABLE.route("POST", "/accounts", least="operator", status=201)
async def create_an_account(
    case: Case, *, asked: drafts.AccountDraft
) -> shapes.Account:
    """Make an account."""
    require_tier(case, asked.tier)
    office = case.office
    limits = limits_of(asked.limits)
    made = await office.database.run(
        lambda c: create_account(
            c,
            account_id=office.new_id("acct"),
            name=asked.name,
            tier=asked.tier,
            limits=limits,
            now=office.wall(),
            who=case.actor.who,
        )
    )
    return shown.account(made)


@TABLE.route("GET", "/accounts/{id}")
async def show_account(case: Case) -> shapes.Account:
    """Show an account, by its id or name."""
    found = await case.office.database.read(
        lambda c: account_for(case.actor, c, case.id)
    )
    return shown.account(found)


@TABLE.route("PATCH", "/accounts/{id}", least="operator")
async def change_account(case: Case, *, asked: drafts.AccountChanges) -> shapes.Account:
    """Change an account's tier or own limits, or whether its keys work."""
    if asked.tier is not None:
        require_tier(case, asked.tier)
    changes = limit_changes(asked.limits)
    tier, disabled = asked.tier, asked.disabled
    who, now = case.actor.who, case.office.wall()

    def work(connection: Connection) -> Account:
        found = account_for(case.actor, connection, case.id)
        if tier is not None:
            set_tier(connection, found.id, tier, now=now, who=who)
        if changes:
            set_limits(connection, found.id, changes, now=now, who=who)
        if disabled is not None:
            set_disabled(connection, found.id, disabled=disabled, now=now, who=who)
        return find_account(connection, found.id)

    return shown.account(await case.office.database.run(work))


@TABLE.route("POST", "/accounts/{id}/top-up", least="operator")
async def top_up_account(case: Case, *, asked: drafts.TopUp) -> shapes.Account:
    """Add to an account's prepaid quota, or begin one; it never resets."""
    added = 0 if asked.usd is None else micro_usd("usd", asked.usd)

    def work(connection: Connection) -> Account:
        return top_up(
            connection,
            account_for(case.actor, connection, case.id).id,
            tokens=asked.tokens,
            micro_usd=added,
            now=case.office.wall(),
            who=case.actor.who,
        )

    return shown.account(await case.office.database.run(work))
