"""`lightweight check`: tell whether the daemon would start on a configuration."""

import os

import click

from lightweight.catalog.load import load_catalog
from lightweight.cli.output import Opened


@click.command()
@click.pass_obj
def check(opened: Opened) -> None:
    """Judge the configuration: exit 0 if a daemon would take it, else 1.

    Every problem is told, one line each, with file and line where there is one.
    """
    # The daemon's own check, so that both judge alike; it needs Twisted.
    from twisted.internet import reactor  # noqa: PLC0415, TID251 -- a composition root

    from lightweight.daemon.judge import UNFIT, judged  # noqa: PLC0415 -- as above

    try:
        loaded = judged(opened.path, os.environ, load_catalog(), reactor)
    except UNFIT as problem:
        click.echo(str(problem), err=True)
        raise SystemExit(1) from problem
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{opened.path or 'no configuration file'}: ok")
