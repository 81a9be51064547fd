"""`lightweight`: the operator's command.

It works on the configured database and state whether a daemon runs or not. Nothing that
needs Twisted is imported before a command does, so `--help` answers at once.
"""

import os
import secrets
import time
from functools import cached_property
from pathlib import Path

import click

from lightweight import __version__
from lightweight.catalog.load import load_catalog
from lightweight.cli.accounts import accounts
from lightweight.cli.admin_tokens import admin_tokens
from lightweight.cli.check import check
from lightweight.cli.control import drain, reload, status
from lightweight.cli.db import db
from lightweight.cli.doctor import doctor
from lightweight.cli.invites import invites
from lightweight.cli.keys import keys
from lightweight.cli.models import models
from lightweight.cli.options import SECRETS_USED
from lightweight.cli.people import people
from lightweight.cli.reconcile import reconcile
from lightweight.cli.top import top
from lightweight.cli.usage import usage
from lightweight.config.load import ConfigError, Loaded, load
from lightweight.daemon.prepare import open_database
from lightweight.daemon.state import State, new_id, open_state
from lightweight.store.connect import Engine, open_engine


class Opened:
    """What commands work on, opened when a command first asks for it."""

    def __init__(self, context: click.Context, path: Path | None) -> None:
        self.path = path
        self._context = context

    @cached_property
    def config(self) -> Loaded:
        """The configuration; a bad one ends the command with every problem told."""
        try:
            return load(
                self.path,
                os.environ,
                presets=load_catalog().presets,
                secrets_of=SECRETS_USED,
            )
        except ConfigError as problem:
            click.echo(str(problem), err=True)
            self._context.exit(1)

    @cached_property
    def _state(self) -> State:
        return open_state(self.config.config, os.environ, secrets.token_bytes)

    @property
    def state(self) -> Path:
        """The state directory."""
        return self._state.directory

    def engine(self) -> Engine:
        """Open the migrated database; it is closed when the command ends."""
        engine = open_database(self._state)
        self._context.call_on_close(engine.dispose)
        return engine

    def unmigrated(self) -> Engine:
        """Open the database as it is; it is closed when the command ends."""
        engine = open_engine(self._state.database)
        self._context.call_on_close(engine.dispose)
        return engine

    def pepper(self) -> bytes:
        """Give the pepper of stored digests."""
        return self._state.pepper

    def now(self) -> float:
        """Give seconds since the epoch."""
        return time.time()  # noqa: TID251 -- a composition root

    def new_id(self, prefix: str) -> str:
        """Make an id."""
        return new_id(prefix, secrets.token_bytes)

    def random_bytes(self, count: int) -> bytes:
        """Give bytes fit for secrets."""
        return secrets.token_bytes(count)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="lightweight %(version)s")
@click.option(
    "-c",
    "--config",
    envvar="LIGHTWEIGHT_CONFIG",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The configuration file; without one the defaults hold.",
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Run a Lightweight AI gateway: `twistd -n lightweight` starts the daemon."""
    context.obj = Opened(context, config.absolute() if config else None)


main.add_command(check)
main.add_command(doctor)
main.add_command(accounts)
main.add_command(keys)
main.add_command(invites)
main.add_command(people)
main.add_command(admin_tokens)
main.add_command(db)
main.add_command(status)
main.add_command(top)
main.add_command(reload)
main.add_command(drain)
main.add_command(reconcile)
main.add_command(usage)
main.add_command(models)
