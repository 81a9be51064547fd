"""`lightweight reconcile`: tell whether the bill adds up."""

import time
from collections.abc import Iterator

import click
from msgspec import to_builtins

from lightweight.amounts import counted
from lightweight.cli.output import Opened, in_json, json_option, told_plainly
from lightweight.store.connect import reading
from lightweight.store.reconcile import Findings
from lightweight.store.reconcile import reconcile as compare
from lightweight.store.segments import JOURNAL

TRIES = 3
PAUSE_S = 0.4
"""Seconds between two: a running daemon imports meanwhile what only waits."""


@click.command()
@json_option
@click.pass_obj
def reconcile(opened: Opened, *, as_json: bool) -> None:
    """Compare the journals with the ledger, and the sums by day with its rows.

    Prints a line for each thing that does not agree and ends with status 1, or "ok".
    """
    findings = _findings(opened)
    if as_json:
        click.echo(in_json(to_builtins(findings)))
    else:
        click.echo("\n".join(_lines(findings)) or "ok")
    if not findings.agree:
        raise SystemExit(1)


def _findings(opened: Opened) -> Findings:
    for tried in range(TRIES):
        if tried:
            time.sleep(PAUSE_S)
        with told_plainly(), reading(opened.engine()) as connection:
            findings = compare(connection, opened.state / JOURNAL)
        if not findings.waiting:
            break
    return findings


def _lines(findings: Findings) -> Iterator[str]:
    if findings.waiting:
        yield (
            f"Not imported yet: {counted(findings.waiting, 'record')} of the journals. "
            "The daemon does it when it runs."
        )
    if findings.broken:
        yield f"Of the journals {counted(findings.broken, 'line')} cannot be read."
    for use in findings.missing:
        yield f"{use}: in a journal as imported, and not in the ledger."
    for sums in findings.differences:
        yield (
            f"{sums.day} {sums.account_id} {sums.key_id} {sums.model}: {sums.what} is "
            f"{sums.rolled_up} in the sums and {sums.rows} in the rows."
        )
