"""What a person or systemd starts: the parent of all, or a server in one process.

A part of the composition root that brings nothing that serves, and no database where
that needs nothing: the sooner the parent starts its workers, the sooner they serve.
"""

import atexit
import os
import secrets
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger
from twisted.python.usage import Options

from lightweight.catalog.load import load_catalog
from lightweight.config.load import Loaded
from lightweight.daemon.judge import UNFIT, judged, read_for_parent
from lightweight.daemon.launch import spawner
from lightweight.daemon.listen import open_ports
from lightweight.daemon.notify import Notifier
from lightweight.daemon.parent import ParentParts, ParentService
from lightweight.daemon.settle import loading
from lightweight.daemon.state import State, open_state
from lightweight.ground import Ground, only_told_problems
from lightweight.observe.counts import Counts
from lightweight.policy.book import Book
from lightweight.store.glance import needs_nothing
from lightweight.store.limits.keeper import Keeper
from lightweight.store.whereabouts import FILE


def service_of(
    options: Options, path: Path | None, environ: dict[str, str], reactor: Any
) -> Service:
    """Make what the options ask for; ends the process where the configuration is bad.

    With ``check`` it ends in any case.
    """
    catalog = load_catalog()
    try:
        loaded = judged(path, environ, catalog, reactor)
    except UNFIT as problem:
        sys.exit(str(problem))
    if options["check"]:
        sys.stdout.write(f"{path or 'no configuration file'}: ok\n")
        sys.exit(0)
    sys.excepthook = only_told_problems
    log = Logger(namespace=__name__)
    for warning in loaded.warnings:
        # Kept until twistd begins to log.
        log.warn("{warning}", warning=warning)
    ground = Ground(loaded, path, catalog, environ, reactor, options.parent or {})
    return _single(ground) if options["single"] else _parent(ground)


def _parent(ground: Ground) -> ParentService:
    def reread() -> Loaded:
        return read_for_parent(
            ground.path, ground.environ, ground.catalog, ground.reactor
        )

    def adopted(loaded: Loaded) -> None:
        # It may not understand all of it, but it knows what is secret.
        found = [secret.reveal() for secret in loaded.secrets]
        keys = [preset.env for preset in ground.catalog.presets.values() if preset.env]
        found += [ground.environ[key] for key in keys if key in ground.environ]
        ground.writer.hide(found)

    keeper = Keeper(Book(), ground.reactor, time.time)  # noqa: TID251 -- the composition root
    totals = Counts()
    return ParentService(
        ParentParts(
            reactor=ground.reactor,
            environ=ground.environ,
            observer=ground.observer,
            reopen_log=ground.writer.reopen,
            tell=ground.tell,
            loaded=ground.loaded,
            reread=reread,
            adopted=adopted,
            prepare=partial(_prepare, ground),
            spawner=spawner(
                ground.reactor,
                ground.environ,
                ground.path,
                ground.place,
                connect=lambda: keeper.connect(ground.reactor),
                counted=totals.merge,
            ),
            totals=totals,
            limits=keeper,
            notifier=Notifier(ground.environ),
            fail=_end_with_failure,
        )
    )


def _prepare(ground: Ground, url: str) -> tuple[State, Path | None]:
    config = ground.loaded.config
    if config.database.url is None:
        state = open_state(config, ground.environ, secrets.token_bytes)
        if needs_nothing(state.directory / FILE):
            return state, None
    # First starts, and those of another release: they may take their time.
    with loading():
        from lightweight.stored import first_started  # noqa: PLC0415 -- as it says

    return first_started(ground, url)


def _single(ground: Ground) -> Service:
    # Nobody but a single process serves here.
    with loading():
        from lightweight.assembly import gateway_service  # noqa: PLC0415 -- as it says
        from lightweight.stored import first_started  # noqa: PLC0415 -- as it says

    log = Logger(namespace=__name__)
    return gateway_service(
        ground,
        open_ports=lambda site: open_ports(
            ground.reactor, ground.loaded.config.listen, site
        ),
        prepare=partial(first_started, ground),
        cannot_start=lambda problem: log.critical("{problem}", problem=problem),
        generation=None,
        size=1,
        limits_at=None,
    )


def _end_with_failure() -> None:
    # twistd ends with 0 whenever the reactor was stopped; this runs after its tidying.
    atexit.register(os._exit, 1)
