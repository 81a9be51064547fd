"""`lightweight accounts`: make accounts and see them."""

import click

from lightweight.cli.output import (
    WHO,
    Opened,
    facts,
    in_json,
    json_option,
    moment,
    table,
    told_plainly,
)
from lightweight.records import Account
from lightweight.store.connect import reading, writing
from lightweight.store.directory import create_account, find_account, list_accounts


@click.group()
def accounts() -> None:
    """Who may use this gateway, and by which limits."""


@accounts.command()
@click.argument("name")
@click.option("--tier", required=True, help="The tier whose limits hold.")
@json_option
@click.pass_obj
def create(opened: Opened, name: str, tier: str, *, as_json: bool) -> None:
    """Make the account NAME."""
    tiers = opened.config.config.tiers
    if tier not in tiers:
        raise click.ClickException(
            f'There is no tier "{tier}": the configuration has '
            f"{', '.join(sorted(tiers))}."
        )
    with told_plainly(), writing(opened.engine()) as connection:
        account = create_account(
            connection,
            account_id=opened.new_id("acct"),
            name=name,
            tier=tier,
            now=opened.now(),
            who=WHO,
        )
    _show(account, as_json=as_json)


@accounts.command("list")
@json_option
@click.pass_obj
def list_(opened: Opened, *, as_json: bool) -> None:
    """Show all accounts."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = list_accounts(connection)
    described = [_described(account) for account in found]
    if as_json:
        click.echo(in_json(described))
        return
    heads = ["ID", "NAME", "TIER", "STATE", "CREATED"]
    rows = [[str(value) for value in each.values()] for each in described]
    click.echo(table(heads, rows))


@accounts.command()
@click.argument("account")
@json_option
@click.pass_obj
def show(opened: Opened, account: str, *, as_json: bool) -> None:
    """Show one ACCOUNT, by its name or id."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = find_account(connection, account)
    _show(found, as_json=as_json)


def _show(account: Account, *, as_json: bool) -> None:
    described = _described(account)
    click.echo(in_json(described) if as_json else facts(described))


def _described(account: Account) -> dict[str, str]:
    return {
        "id": account.id,
        "name": account.name,
        "tier": account.tier,
        "state": "disabled" if account.disabled else "active",
        "created_at": moment(account.created_at),
    }
