"""`lightweight doctor`: look at everything an operator would look at."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lightweight.catalog.load import load_catalog
from lightweight.cli import findings
from lightweight.cli.control import ask, socket_option
from lightweight.cli.findings import Finding
from lightweight.cli.options import SECRETS_USED
from lightweight.cli.output import in_json, json_option, table
from lightweight.config.load import ConfigError, Loaded, load
from lightweight.config.schema import Config, state_directory
from lightweight.store.whereabouts import file_url

if TYPE_CHECKING:
    from lightweight.cli.main import Opened

_MARKS = {"ok": "ok", "warning": "warn", "problem": "FAIL"}


@click.command()
@socket_option
@click.option("--online", is_flag=True, help="Ask Redis and each provider, too.")
@json_option
@click.pass_obj
def doctor(
    opened: "Opened", given: Path | None, *, online: bool, as_json: bool
) -> None:
    """Look at configuration, state, database, limits of the system and the daemon.

    Exits 1 if something is wrong; a warning alone is no failure. Run it as the user
    who runs the daemon. Nothing is changed.
    """
    found = list(_all(opened, given, online=online))
    if as_json:
        told = [
            {"check": each.check, "verdict": each.verdict, "text": each.text}
            for each in found
        ]
        click.echo(in_json(told))
    else:
        rows = [(_MARKS[each.verdict], each.check, each.text) for each in found]
        click.echo(table(("", "CHECK", "FOUND"), rows))
    if any(each.verdict == "problem" for each in found):
        raise SystemExit(1)


def _all(opened: "Opened", given: Path | None, *, online: bool) -> Iterator[Finding]:
    # The daemon's own judgement; it needs Twisted.
    from twisted.internet import reactor  # noqa: PLC0415, TID251 -- a composition root

    from lightweight.daemon.judge import UNFIT, judged  # noqa: PLC0415 -- as above

    whole: Loaded | None = None
    try:
        whole = judged(opened.path, os.environ, load_catalog(), reactor)
        for warning in whole.warnings:
            yield Finding("configuration", "warning", str(warning))
        if not whole.warnings:
            text = f"{opened.path or 'No file, so the defaults'}: good."
            yield Finding("configuration", "ok", text)
    except UNFIT as problem:
        for line in str(problem).splitlines():
            yield Finding("configuration", "problem", line)
    yield from _here(opened, given)
    yield findings.clock(findings.clock_state)
    yield findings.unit(findings.unit_shown)
    if online and whole is not None:
        yield from _reached(whole.config, reactor)


def _here(opened: "Opened", given: Path | None) -> Iterator[Finding]:
    """Look at what the configuration names, as far as it can be read."""
    presets = load_catalog().presets
    try:
        config = load(
            opened.path, os.environ, presets=presets, secrets_of=SECRETS_USED
        ).config
        directory = config.state or state_directory(os.environ)
    except (ConfigError, ValueError):
        return
    user = os.geteuid()
    yield from findings.state(directory, user)
    url = config.database.url
    place = file_url(directory) if url is None else url.reveal()
    yield findings.database(place, user)
    try:
        status = ask(opened, given, "status")
    except click.ClickException:
        status = None
    yield findings.daemon(status)
    yield findings.files(config, findings.file_limit(status and status["pid"]))


def _reached(config: Config, reactor: Any) -> Sequence[Finding]:
    from lightweight.assembly import provider_maker  # noqa: PLC0415 -- needs Twisted
    from lightweight.cli.reached import reached  # noqa: PLC0415 -- as above
    from lightweight.daemon.judge import today  # noqa: PLC0415 -- as above
    from lightweight.runtime import build_runtime  # noqa: PLC0415 -- as above

    runtime = build_runtime(
        config,
        load_catalog(),
        environ=os.environ,
        make_provider=provider_maker(reactor, time.time),  # noqa: TID251 -- a composition root
        today=today(),
    )
    return reached(runtime, reactor)
