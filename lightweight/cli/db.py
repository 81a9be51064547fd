"""`lightweight db`: migrate the database, copy it, see what is in it."""

from pathlib import Path

import click

from lightweight.cli.output import (
    NOTHING,
    Opened,
    facts,
    in_json,
    json_option,
    told_plainly,
)
from lightweight.store.accounts import list_accounts
from lightweight.store.api_keys import list_keys
from lightweight.store.backup import back_up
from lightweight.store.connect import is_sqlite, reading, shown_url
from lightweight.store.migrate import NEWEST, revision, upgrade


@click.group()
def db() -> None:
    """The database behind accounts, keys and usage."""


@db.command("upgrade")
@json_option
@click.pass_obj
def upgrade_(opened: Opened, *, as_json: bool) -> None:
    """Bring the schema to this version's, as every start does by itself."""
    with told_plainly():
        engine = opened.unmigrated()
        before = revision(engine)
        upgrade(engine)
        after = revision(engine)
    if as_json:
        click.echo(in_json({"from": before, "to": after}))
    elif before == after:
        click.echo(f"The schema is {after} already.")
    else:
        click.echo(f"The schema went from {before or 'nothing'} to {after}.")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(opened: Opened, file: Path) -> None:
    """Copy the database to the new FILE while it is in use."""
    with told_plainly():
        back_up(opened.unmigrated(), file)
    click.echo(
        f"Wrote {file}. Keep a copy of the pepper too, in another place: without it no "
        "key works."
    )


@db.command()
@json_option
@click.pass_obj
def status(opened: Opened, *, as_json: bool) -> None:
    """Show where the database is, its schema, and how much is in it."""
    with told_plainly():
        engine = opened.unmigrated()
        schema = revision(engine)
        described: dict[str, object] = {
            "kind": "SQLite" if is_sqlite(engine) else "PostgreSQL",
            "url": shown_url(engine),
            "schema": schema,
            "newest_schema": NEWEST,
            "accounts": None,
            "keys": None,
        }
        # An older schema is not what this version's queries are about.
        if schema == NEWEST:
            with reading(engine) as connection:
                described["accounts"] = len(list_accounts(connection))
                described["keys"] = len(list_keys(connection))
    if as_json:
        click.echo(in_json(described))
        return
    words = {n: NOTHING if v is None else str(v) for n, v in described.items()}
    click.echo(facts(words))
