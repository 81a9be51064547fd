"""`lightweight accounts`: make accounts, see them, change what they may use."""

from collections.abc import Mapping

import click
from msgspec.structs import replace

from lightweight.cli.limits import (
    chosen_limits,
    limit_options,
    limits_described,
    limits_in_words,
    micro_usd,
    number,
)
from lightweight.cli.options import check_tier
from lightweight.cli.output import (
    WHO,
    Described,
    Opened,
    json_option,
    moment,
    show_list,
    show_one,
    told_plainly,
)
from lightweight.records import Account, Limits
from lightweight.store.accounts import (
    create_account,
    find_account,
    list_accounts,
    set_disabled,
    set_limits,
    set_tier,
    top_up,
)
from lightweight.store.connect import Connection, reading, writing
from lightweight.store.directory import LimitChanges

COLUMNS = {
    "ID": "id",
    "NAME": "name",
    "TIER": "tier",
    "STATE": "state",
    "CREATED": "created_at",
    "LIMITS": "limits",
}


@click.group()
def accounts() -> None:
    """Who may use this gateway, and by which limits."""


@accounts.command()
@click.argument("name")
@click.option("--tier", required=True, help="The tier whose limits hold.")
@limit_options
@json_option
@click.pass_obj
def create(
    opened: Opened, /, name: str, tier: str, *, as_json: bool, **limits: str | None
) -> None:
    """Make the account NAME; a limit given here goes before its tier's."""
    check_tier(tier, opened.config.config.tiers)
    chosen = replace(Limits(), **chosen_limits(limits))
    with told_plainly(), writing(opened.engine()) as connection:
        account = create_account(
            connection,
            account_id=opened.new_id("acct"),
            name=name,
            tier=tier,
            now=opened.now(),
            who=WHO,
            limits=chosen,
        )
    _show(account, as_json=as_json)


@accounts.command("set")
@click.argument("account")
@click.option("--tier", help="The tier whose limits hold.")
@limit_options
@click.option(
    "--disable/--enable",
    "disabled",
    default=None,
    help="Let none of its keys work, or let them work again.",
)
@json_option
@click.pass_obj
def set_(
    opened: Opened,
    /,
    account: str,
    tier: str | None,
    *,
    disabled: bool | None,
    as_json: bool,
    **limits: str | None,
) -> None:
    """Change an ACCOUNT, by its name or id; "none" clears a limit of its own."""
    if tier is not None:
        check_tier(tier, opened.config.config.tiers)
    changes = chosen_limits(limits)
    if tier is None and disabled is None and not changes:
        raise click.ClickException(
            "Nothing was changed: say what, as 'lightweight accounts set --help' shows."
        )
    with told_plainly(), writing(opened.engine()) as connection:
        changed = _changed(
            connection, account, tier, changes, disabled=disabled, now=opened.now()
        )
    _show(changed, as_json=as_json)


@accounts.command("top-up")
@click.argument("account")
@click.option("--tokens", metavar="N", help="Tokens to add.")
@click.option("--usd", metavar="N", help="US dollars to add.")
@json_option
@click.pass_obj
def top_up_(
    opened: Opened, account: str, tokens: str | None, usd: str | None, *, as_json: bool
) -> None:
    """Add to the prepaid quota of an ACCOUNT, by its name or id; it never resets."""
    with told_plainly(), writing(opened.engine()) as connection:
        topped = top_up(
            connection,
            account,
            tokens=0 if tokens is None else number("--tokens", tokens),
            micro_usd=0 if usd is None else micro_usd("--usd", usd),
            now=opened.now(),
            who=WHO,
        )
    _show(topped, as_json=as_json)


@accounts.command("list")
@json_option
@click.pass_obj
def list_(opened: Opened, *, as_json: bool) -> None:
    """Show all accounts."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = list_accounts(connection)
    described = [_described(account) for account in found]
    show_list(described, COLUMNS, as_json=as_json, words=_in_words)


@accounts.command()
@click.argument("account")
@json_option
@click.pass_obj
def show(opened: Opened, account: str, *, as_json: bool) -> None:
    """Show one ACCOUNT, by its name or id."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = find_account(connection, account)
    _show(found, as_json=as_json)


def _changed(
    connection: Connection,
    name_or_id: str,
    tier: str | None,
    changes: LimitChanges,
    *,
    disabled: bool | None,
    now: float,
) -> Account:
    if tier is not None:
        set_tier(connection, name_or_id, tier, now=now, who=WHO)
    if changes:
        set_limits(connection, name_or_id, changes, now=now, who=WHO)
    if disabled is not None:
        set_disabled(connection, name_or_id, disabled=disabled, now=now, who=WHO)
    return find_account(connection, name_or_id)


def _show(account: Account, *, as_json: bool) -> None:
    show_one(_described(account), as_json=as_json, words=_in_words)


def _described(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "tier": account.tier,
        "state": "disabled" if account.disabled else "active",
        "created_at": moment(account.created_at),
        "limits": limits_described(account.limits),
    }


def _in_words(described: Described) -> Mapping[str, str]:
    return {
        name: limits_in_words(value) if isinstance(value, Mapping) else str(value)
        for name, value in described.items()
    }
