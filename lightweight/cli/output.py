"""How commands answer: tables for people, JSON for scripts, one sentence of error.

Times are in UTC as RFC 3339 writes them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import click

from lightweight.config.load import Loaded
from lightweight.store.connect import Engine
from lightweight.store.problems import StoreProblem

WHO = "cli"
"""Who did it, in the audit log."""

NOTHING = "-"

Described: TypeAlias = Mapping[str, object]
"""One thing, each fact by its name, as JSON has it."""

Words: TypeAlias = Callable[[Described], Mapping[str, str]]
"""How a Described is said to people: a word or two for each fact."""


class Opened(Protocol):
    """What a command works on: the ``obj`` of click's context."""

    @property
    def path(self) -> Path | None:
        """The configuration file; None where there is none."""

    @property
    def config(self) -> Loaded:
        """The configuration."""

    @property
    def state(self) -> Path:
        """The state directory; raises StoreProblem where it cannot be made."""

    def engine(self) -> Engine:
        """Give the migrated database; raise StoreProblem. It is closed at the end."""

    def unmigrated(self) -> Engine:
        """Give the database as it is; raise StoreProblem. It is closed at the end."""

    def pepper(self) -> bytes:
        """Give the pepper of stored digests; raise StoreProblem."""

    def now(self) -> float:
        """Give seconds since the epoch."""

    def new_id(self, prefix: str) -> str:
        """Make an id: ``new_id("key")`` gives ``key_…``."""

    def random_bytes(self, count: int) -> bytes:
        """Give bytes fit for secrets."""


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Answer in JSON, for scripts."
)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what the store cannot do into one sentence on stderr and exit status 1."""
    try:
        yield
    except StoreProblem as problem:
        raise click.ClickException(str(problem)) from problem


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give aligned columns under their heads, with no space at the ends of lines."""
    lines = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def facts(pairs: Mapping[str, str]) -> str:
    """Give one line for each fact of one thing, aligned."""
    width = max(map(len, pairs))
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs.items())


def in_words(described: Described) -> Mapping[str, str]:
    """Give each fact as one word: a dash for what is not there."""
    return {name: str(value or NOTHING) for name, value in described.items()}


def show_one(described: Described, *, as_json: bool, words: Words = in_words) -> None:
    """Answer with one thing."""
    click.echo(in_json(described) if as_json else facts(words(described)))


def show_once(
    described: Described,
    secret: Mapping[str, str],
    note: str,
    *,
    as_json: bool,
    words: Words = in_words,
) -> None:
    """Answer with what was just made and its ``secret``, by the name it has.

    People are told ``note`` besides: what to do with what is never shown again.
    """
    if as_json:
        click.echo(in_json({"id": described["id"], **secret, **described}))
        return
    said = words(described)
    click.echo(facts({"id": said["id"], **secret, **said}))
    click.echo(f"\n{note}")


def show_list(
    described: Sequence[Described],
    columns: Mapping[str, str],
    *,
    as_json: bool,
    words: Words = in_words,
) -> None:
    """Answer with many things; ``columns``: the fact beneath each head."""
    if as_json:
        click.echo(in_json(described))
        return
    rows = [[said[name] for name in columns.values()] for said in map(words, described)]
    click.echo(table(list(columns), rows))


def in_json(value: object) -> str:
    """Give ``value`` as JSON that people can read too."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def moment(at: float) -> str:
    """Give a time of the wall clock: ``2026-11-01T00:00:00Z``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_or_none(at: float | None) -> str | None:
    """Give ``moment`` for what may not have one."""
    return None if at is None else moment(at)
