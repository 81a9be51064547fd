"""`lightweight usage`: what an account used, out of the ledger."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from lightweight.cli.output import Opened, in_json, json_option, table, told_plainly
from lightweight.errors import BadRequest
from lightweight.policy.bill import Bill, summed, summed_by
from lightweight.policy.price import dollars
from lightweight.policy.statement import Group, described, parts, period_of
from lightweight.records import Account, DayUse
from lightweight.store.accounts import find_account
from lightweight.store.connect import reading
from lightweight.store.usage import day_uses_between

COLUMNS = (
    "requests",
    "failed",
    "prompt",
    "cached",
    "completion",
    "reasoning",
    "total",
    "cost_usd",
    "unpriced_requests",
)


@click.command()
@click.option("--account", required=True, help="The account's name or id.")
@click.option("--start", help="The first day, UTC.  [default: this month's]")
@click.option("--end", help="The first day not counted.  [default: next month's]")
@click.option(
    "--group-by",
    type=click.Choice(["model", "day", "key"]),
    help="What each line sums up.  [default: model; JSON: model and day]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
@json_option
@click.pass_obj
def usage(
    opened: Opened,
    account: str,
    start: str | None,
    end: str | None,
    group_by: Group | None,
    form: str,
    *,
    as_json: bool,
) -> None:
    """Show what an account used: tokens, requests and money.

    The JSON has the shape of GET /v1/usage, without what is left of the limits: only
    the running daemon knows that.
    """
    today = datetime.fromtimestamp(opened.now(), UTC).date()
    try:
        first, after = period_of(start, end, today=today)
    except BadRequest as problem:
        raise click.ClickException(problem.message) from problem
    with told_plainly(), reading(opened.engine()) as connection:
        found = find_account(connection, account)
        rows = day_uses_between(connection, found.id, first, after - timedelta(1))
    if as_json or form == "json":
        shown = {**described(rows, first, after), **parts(rows, group_by)}
        click.echo(in_json({"object": "usage", **_whose(found), **shown}))
    elif form == "csv":
        click.echo(_csv(rows, group_by or "model"), nl=False)
    else:
        click.echo(_table(rows, group_by or "model"))


def _whose(account: Account) -> Mapping[str, str]:
    return {"account": account.name, "tier": account.tier}


def _csv(rows: Sequence[DayUse], group: Group) -> str:
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow([group, *COLUMNS])
    lines.writerows(_lines(rows, group))
    return written.getvalue()


def _table(rows: Sequence[DayUse], group: Group) -> str:
    heads = [name.upper() for name in (group, *COLUMNS)]
    return table(heads, [*_lines(rows, group), ["(all)", *_line(summed(rows))]])


def _lines(rows: Sequence[DayUse], group: Group) -> list[list[str]]:
    bills = summed_by(rows, lambda row: _name(row, group))
    return [[name, *_line(bills[name])] for name in sorted(bills)]


def _name(row: DayUse, group: Group) -> str:
    of: dict[Group, Any] = {"model": row.model, "day": row.day, "key": row.key_id}
    return str(of[group])


def _line(bill: Bill) -> list[str]:
    amounts = (
        bill.succeeded,
        bill.failed,
        bill.usage.prompt,
        bill.usage.cached,
        bill.usage.completion,
        bill.usage.reasoning,
        bill.usage.total,
        dollars(bill.micro_usd),
        bill.unpriced,
    )
    return [str(amount) for amount in amounts]
