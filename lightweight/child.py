"""What the parent starts: a worker, or the bookkeeper.

A part of the composition root.
"""

import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.python.usage import Options

from lightweight.catalog.load import load_catalog
from lightweight.daemon.books import BookkeeperService, BookParts, gauges_of_books
from lightweight.daemon.farewells import Farewells
from lightweight.daemon.handover import texts_at
from lightweight.daemon.judge import UNFIT, imagined, judged
from lightweight.daemon.link import Link
from lightweight.daemon.listen import adopt_ports
from lightweight.daemon.messages import LIMITS, Assignment, Misunderstood, decode
from lightweight.daemon.pulse import Gauges, Pulse
from lightweight.daemon.state import open_state
from lightweight.ground import Ground, only_told_problems
from lightweight.meters import Meters
from lightweight.store.database import Database
from lightweight.stored import migrated

if TYPE_CHECKING:
    from lightweight.daemon.service import GatewayService


def service_of(
    options: Options, path: Path | None, environ: dict[str, str], reactor: Any
) -> Service:
    """Make what the parent started this process for.

    Tells the parent why and ends the process where the configuration is bad.
    """
    link = Link()
    try:
        assignment = decode(options["worker"], Assignment)
        catalog = load_catalog()
        texts = texts_at(assignment.configuration)
        loaded = judged(path, environ, catalog, reactor, texts=texts)
    except (Misunderstood, *UNFIT) as problem:
        link.failed(str(problem))
        sys.exit(1)
    sys.excepthook = only_told_problems
    ground = Ground(loaded, path, catalog, environ, reactor, options.parent or {})
    if assignment.task == "keep_books":
        return _bookkeeper(ground, link, assignment)
    return _worker(ground, link, assignment)


def _worker(ground: Ground, link: Link, assignment: Assignment) -> Service:
    # Half of the code is for those who serve: the bookkeeper starts without it.
    from lightweight.assembly import gateway_service  # noqa: PLC0415 -- as it says

    reactor = ground.reactor
    service = gateway_service(
        ground,
        open_ports=lambda site: adopt_ports(reactor, assignment.sockets, site),
        prepare=lambda _url: (migrated(ground), None),
        cannot_start=lambda problem: link.failed(str(problem)),
        generation=assignment.generation,
        size=assignment.size,
        limits_at=LIMITS,
    )
    _attach(link, service, ground, service.gauges, dump=service.dump)
    service.obey(link)
    return service


def _bookkeeper(
    ground: Ground, link: Link, assignment: Assignment
) -> BookkeeperService:
    reactor = ground.reactor
    wall = time.time  # noqa: TID251 -- the composition root
    config = ground.loaded.config
    state = open_state(config, ground.environ, secrets.token_bytes)
    meters = Meters(
        reactor=reactor,
        wall=wall,
        config=config,
        directory=state.directory,
        generation=assignment.generation,
        limits_at=LIMITS,
    )
    offered = imagined(config, ground.environ, ground.catalog).offering.listed()
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
    gauges = gauges_of_books(lambda: service.lag)
    _attach(link, service, ground, gauges, dump=lambda: None)
    return service


def _attach(
    link: Link,
    service: "GatewayService | BookkeeperService",
    ground: Ground,
    gauges: Gauges,
    *,
    dump: Callable[[], None],
) -> None:
    """Have the service do what the parent orders, and the parent told how it fares."""
    pulse = Pulse(ground.reactor, gauges, link.beat)
    link.orders_go_to(
        leave=service.leave,
        reopen_log=ground.writer.reopen,
        orphaned=service.orphaned,
        was_ready=pulse.start,
        last_word=pulse.tell,
        dump=dump,
    )
