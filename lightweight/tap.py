"""``twistd lightweight``: options, and the one place that knows every room."""

import atexit
import os
import secrets
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger
from twisted.python import usage

from lightweight import __version__
from lightweight.catalog.load import load_catalog
from lightweight.config.load import Loaded
from lightweight.daemon.books import BookkeeperService, BookParts, gauges_of_books
from lightweight.daemon.farewells import Farewells
from lightweight.daemon.handover import texts_at
from lightweight.daemon.judge import (
    CONFIG_VARIABLE,
    UNFIT,
    config_path,
    imagined,
    judged,
    read_for_parent,
)
from lightweight.daemon.launch import spawner
from lightweight.daemon.link import Link
from lightweight.daemon.listen import CannotListen, adopt_ports, open_ports
from lightweight.daemon.messages import LIMITS, Assignment, Misunderstood, decode
from lightweight.daemon.notify import Notifier
from lightweight.daemon.parent import ParentParts, ParentService
from lightweight.daemon.pulse import Pulse
from lightweight.daemon.state import open_state
from lightweight.ground import Ground
from lightweight.meters import Meters, make_keeper
from lightweight.observe.counts import Counts
from lightweight.store.database import Database
from lightweight.store.problems import StoreProblem

TOLD = (CannotListen, StoreProblem)
"""Problems of a start that the log has told in one sentence: no traceback helps."""


class Options(usage.Options):
    """The command line after ``twistd lightweight``."""

    synopsis = "[-c FILE] [--check] [--single]"
    longdesc = (
        "An OpenAI-compatible AI gateway. Without a configuration file it uses the "
        "provider keys in its environment, local servers on loopback, or a built-in "
        "demo model."
    )
    optParameters = [  # noqa: RUF012 -- Twisted's way to declare options
        ["config", "c", None, f"Configuration file [default: ${CONFIG_VARIABLE}]"],
        ["worker", None, None, "What the parent process starts its workers with"],
    ]
    optFlags = [  # noqa: RUF012 -- Twisted's way to declare options
        ["check", None, "Check the configuration and exit: 0 if it is good, else 1"],
        ["single", None, "Serve in this one process, without workers"],
    ]

    def opt_version(self) -> None:
        """Show the version of Lightweight and exit."""
        sys.stdout.write(f"lightweight {__version__}\n")
        sys.exit(0)


def makeService(options: Options, reactor: Any = None) -> Service:
    """Read the configuration and put the parts together; nothing is opened yet.

    Ends the process with one line for each problem where the configuration is wrong.
    """
    if reactor is None:
        from twisted.internet import reactor  # noqa: PLC0415, TID251 -- the composition root
    # Before anything is scheduled: timers must not follow the wall clock's jumps.
    reactor.seconds = time.monotonic
    environ = dict(os.environ)
    path = config_path(options["config"], environ)
    if options["worker"] is not None:
        return _worker(options, path, environ, reactor)
    catalog = load_catalog()
    try:
        loaded = judged(path, environ, catalog, reactor)
    except UNFIT as problem:
        sys.exit(str(problem))
    if options["check"]:
        sys.stdout.write(f"{path or 'no configuration file'}: ok\n")
        sys.exit(0)
    sys.excepthook = _quiet_about_told_problems
    log = Logger(namespace=__name__)
    for warning in loaded.warnings:
        # Kept until twistd begins to log.
        log.warn("{warning}", warning=warning)
    ground = Ground(loaded, path, catalog, environ, reactor, options.parent or {})
    return _single(ground) if options["single"] else _parent(ground)


def _quiet_about_told_problems(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, TOLD):
        sys.__excepthook__(kind, problem, trace)


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

    keeper = make_keeper(ground.reactor)
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
            prepare=ground.prepare,
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


def _worker(
    options: Options, path: Path | None, environ: dict[str, str], reactor: Any
) -> Service:
    """Be what the parent started this process for."""
    link = Link()
    try:
        assignment = decode(options["worker"], Assignment)
        catalog = load_catalog()
        texts = texts_at(assignment.configuration)
        loaded = judged(path, environ, catalog, reactor, texts=texts)
    except (Misunderstood, *UNFIT) as problem:
        link.failed(str(problem))
        sys.exit(1)
    sys.excepthook = _quiet_about_told_problems
    ground = Ground(loaded, path, catalog, environ, reactor, options.parent or {})
    if assignment.task == "keep_books":
        return _bookkeeper(ground, link, assignment)
    # Half of the code is for those who serve: parent and bookkeeper start without it.
    from lightweight.assembly import gateway_service  # noqa: PLC0415 -- as it says

    service = gateway_service(
        ground,
        open_ports=lambda site: adopt_ports(reactor, assignment.sockets, site),
        prepare=ground.prepared,
        cannot_start=lambda problem: link.failed(str(problem)),
        generation=assignment.generation,
        size=assignment.size,
        limits_at=LIMITS,
    )
    pulse = Pulse(reactor, service.gauges, link.beat)
    link.orders_go_to(
        leave=service.leave,
        reopen_log=ground.writer.reopen,
        orphaned=service.orphaned,
        was_ready=pulse.start,
        last_word=pulse.tell,
        dump=service.dump,
    )
    service.obey(link)
    return service


def _bookkeeper(
    ground: Ground, link: Link, assignment: Assignment
) -> BookkeeperService:
    reactor = ground.reactor
    wall = time.time  # noqa: TID251 -- the composition root
    state = open_state(ground.loaded.config, ground.environ, secrets.token_bytes)
    meters = Meters(
        reactor=reactor,
        wall=wall,
        config=ground.loaded.config,
        directory=state.directory,
        generation=assignment.generation,
        limits_at=LIMITS,
    )
    offering = imagined(ground.loaded.config, ground.environ, ground.catalog).offering
    offered = offering.listed()
    service = BookkeeperService(
        BookParts(
            reactor=reactor,
            observer=ground.observer,
            database=lambda: Database(state.database, reactor=reactor),
            books=meters.of_bookkeeper,
            link=link,
            farewells=Farewells(reactor, wall, lambda: offered),
        )
    )
    pulse = Pulse(reactor, gauges_of_books(lambda: service.lag), link.beat)
    link.orders_go_to(
        leave=service.leave,
        reopen_log=ground.writer.reopen,
        orphaned=service.orphaned,
        was_ready=pulse.start,
        last_word=pulse.tell,
        dump=lambda: None,
    )
    return service


def _single(ground: Ground) -> Service:
    from lightweight.assembly import gateway_service  # noqa: PLC0415 -- as in _worker

    log = Logger(namespace=__name__)
    return gateway_service(
        ground,
        open_ports=lambda site: open_ports(
            ground.reactor, ground.loaded.config.listen, site
        ),
        prepare=ground.prepare,
        cannot_start=lambda problem: log.critical("{problem}", problem=problem),
        generation=None,
        size=1,
        limits_at=None,
    )


def _end_with_failure() -> None:
    # twistd ends with 0 whenever the reactor was stopped; this runs after its tidying.
    atexit.register(os._exit, 1)
