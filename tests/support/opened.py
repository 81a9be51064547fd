"""What a command of the CLI works on, on a real database in a directory of its own."""

import json
import os
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result

from lightweight.config.load import Loaded, load
from lightweight.store.connect import Engine, open_engine, sqlite_url
from lightweight.store.migrate import upgrade
from lightweight.store.pepper import read_or_make_pepper

NOW = 1_793_491_200.0
"""2026-11-01T00:00:00Z."""


class OpenedState:
    """A state directory, opened as the CLI's ``Opened``; ids count from 1."""

    def __init__(self, state: Path, url: str | None = None) -> None:
        """``url`` is the database's; None: SQLite in ``state``."""
        self.state = state
        self.url = url or sqlite_url(state)
        self.path: Path | None = None
        self.time = NOW
        self.config: Loaded = load(None, {})
        self.random_bytes = os.urandom
        self._engine: Engine | None = None
        self._ids = 0

    def engine(self) -> Engine:
        upgrade(self.unmigrated())
        return self.unmigrated()

    def unmigrated(self) -> Engine:
        if self._engine is None:
            self._engine = open_engine(self.url)
        return self._engine

    def pepper(self) -> bytes:
        return read_or_make_pepper(self.state, os.urandom)

    def now(self) -> float:
        return self.time

    def new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}_{self._ids}"

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def invoke(self, group: click.Group, *arguments: str) -> Result:
        """Run a command; an exception that is no answer of click's comes through."""
        return CliRunner().invoke(
            group, arguments, obj=self, catch_exceptions=False, prog_name="cli"
        )

    def said(self, group: click.Group, *arguments: str) -> str:
        """Run a command that must succeed and give what it printed."""
        result = self.invoke(group, *arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def json(self, group: click.Group, *arguments: str) -> Any:
        """Run a command that must succeed with ``--json`` and give its answer."""
        return json.loads(self.said(group, *arguments, "--json"))

    def refused(self, group: click.Group, *arguments: str) -> str:
        """Run a command that must fail with status 1 and give its one sentence."""
        result = self.invoke(group, *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr
