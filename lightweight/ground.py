"""What parent, worker, bookkeeper and single process stand on alike.

A part of the composition root that knows no room of those who serve: parent and
bookkeeper start without them.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.catalog.load import Catalog
from lightweight.config.load import Loaded
from lightweight.config.redis import parse_redis_url
from lightweight.daemon.greeting import greeting
from lightweight.daemon.judge import imagined, judged
from lightweight.daemon.state import (
    State,
    make_first_key,
    open_database,
    open_state,
)
from lightweight.observe.logs import LogObserver
from lightweight.observe.place import STDOUT, behind_journal, log_format, log_place
from lightweight.observe.writer import LogWriter
from lightweight.runtime import Runtime


def secrets_of(runtime: Runtime) -> Sequence[str]:
    """Give every secret that must never reach a log."""
    config = runtime.config
    held = [
        config.metrics_token,
        config.keys.pepper,
        config.redis.url,
        config.database.url,
        None if config.oidc is None else config.oidc.client_secret,
        *(plan.credential for plan in runtime.plans.values()),
        *(spare for plan in runtime.plans.values() for spare in plan.spares),
    ]
    found = [secret.reveal() for secret in held if secret is not None]
    if config.redis.url is not None:
        password = parse_redis_url(config.redis.url.reveal()).password
        found += [password] if password else []
    return found


class Ground:
    """What parent, worker and single process stand on alike."""

    def __init__(
        self,
        loaded: Loaded,
        path: Path | None,
        catalog: Catalog,
        environ: dict[str, str],
        reactor: Any,
        where: Mapping[str, object],
    ) -> None:
        """``where`` are twistd's own options: they say where the log goes."""
        self.loaded = loaded
        self.path = path
        self.catalog = catalog
        self.environ = environ
        self.reactor = reactor
        self.place = log_place(where)
        self.journal = behind_journal(self.place, environ)
        self.form = log_format(loaded.config.log_format, self.place)
        self.writer = LogWriter(self.place, reactor, _lines_lost)
        self.observer = LogObserver(self.writer, self.form, journal=self.journal)
        foreground = self.place == STDOUT and not self.journal
        self.tell = self._show if foreground else None

    def _show(self, text: str) -> None:
        self.writer.write(f"\n{text}")

    def reread(self) -> Loaded:
        """Read and judge the configuration again."""
        return judged(self.path, self.environ, self.catalog, self.reactor)

    def adopted(self, runtime: Runtime) -> None:
        """Keep the secrets of what is in force out of the log."""
        self.writer.hide(secrets_of(runtime))

    def prepare(self, url: str) -> tuple[State, Path | None]:
        """Make the state ready for a server at ``url``, and the first key in it."""
        config = self.loaded.config
        state = open_state(config, self.environ, secrets.token_bytes)
        offered = imagined(config, self.environ, self.catalog).offering.listed()
        base_url = f"{config.public_url or url}/v1"
        made = make_first_key(
            state,
            lambda made: greeting(
                made,
                base_url=base_url,
                model=offered[0].id if offered else None,
            ),
            now=time.time(),  # noqa: TID251 -- the composition root
            random_bytes=secrets.token_bytes,
        )
        return state, made

    def prepared(self, _url: str) -> tuple[State, None]:
        """Give the state that a parent made, migrated to this process's code."""
        state = open_state(self.loaded.config, self.environ, secrets.token_bytes)
        open_database(state).dispose()
        return state, None


def _lines_lost(count: int) -> None:
    Logger(namespace=__name__).warn(
        "Lost {lines}: whoever reads the log did not take them.",
        lines=counted(count, "log line"),
    )
