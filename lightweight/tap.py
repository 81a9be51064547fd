"""``twistd lightweight``: options, and the one place that knows every room."""

import atexit
import os
import resource
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger
from twisted.python import usage
from twisted.web.resource import Resource

from lightweight import __version__
from lightweight.catalog.load import Catalog, load_catalog
from lightweight.config.load import Loaded
from lightweight.daemon.greeting import greeting
from lightweight.daemon.handover import texts_at
from lightweight.daemon.judge import (
    CONFIG_VARIABLE,
    UNFIT,
    config_path,
    imagined,
    judged,
    read_for_parent,
    today,
)
from lightweight.daemon.launch import spawner
from lightweight.daemon.link import Link
from lightweight.daemon.listen import CannotListen, Opened, adopt_ports, open_ports
from lightweight.daemon.messages import Assignment, Misunderstood, decode
from lightweight.daemon.notify import Notifier
from lightweight.daemon.parent import ParentParts, ParentService
from lightweight.daemon.pulse import Gauges, Pulse
from lightweight.daemon.service import GatewayService, Parts
from lightweight.daemon.state import (
    State,
    make_first_key,
    open_database,
    open_state,
)
from lightweight.daemon.swap import Swap
from lightweight.observe.logs import AccessLog, LogObserver
from lightweight.observe.memory import cpu_seconds, memory_limit, resident
from lightweight.observe.place import STDOUT, behind_journal, log_format, log_place
from lightweight.observe.tally import Tally
from lightweight.observe.writer import LogWriter
from lightweight.policy.pace import Ask, Settlement, Verdict
from lightweight.records import DayUse, Dispatch, Headers, Use
from lightweight.runtime import ProviderPlan, Runtime, build_runtime
from lightweight.store.keyring import Keyring
from lightweight.store.problems import StoreProblem
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.discover import discover
from lightweight.upstream.http import HttpProvider, credential_headers
from lightweight.upstream.probes import Probed, Probes
from lightweight.upstream.provider import Provider
from lightweight.web.app import App
from lightweight.web.gate import Gate
from lightweight.web.live import Live
from lightweight.web.overload import Overload
from lightweight.web.rates import Rates
from lightweight.web.serve import Desk
from lightweight.web.site import GatewaySite

MEMORY_SHARE = 0.9
"""The part of the memory at which no new call is taken: beyond it the kernel kills.

The workers of a generation share it. While an old generation leaves there are twice as
many of them: then each one's mark is no guarantee.
"""

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


def secrets_of(runtime: Runtime) -> Sequence[str]:
    """Give every secret that must never reach a log."""
    config = runtime.config
    held = [
        config.metrics_token,
        config.keys.pepper,
        config.redis.url,
        config.database.url,
        *(plan.credential for plan in runtime.plans.values()),
        *(spare for plan in runtime.plans.values() for spare in plan.spares),
    ]
    return [secret.reveal() for secret in held if secret is not None]


def credentials_of(plan: ProviderPlan) -> Sequence[Headers]:
    """Give the headers of each credential of a provider; at least one, maybe empty."""
    return [
        credential_headers(plan.kind, None if key is None else key.reveal())
        for key in (plan.credential, *plan.spares)
    ]


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
    ground = Ground(loaded, path, catalog, environ, reactor, options)
    return _single(ground) if options["single"] else _parent(ground)


def _quiet_about_told_problems(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, TOLD):
        sys.__excepthook__(kind, problem, trace)


def descriptors() -> int:
    """Raise the limit of open files as far as it goes, and give it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize


class Ground:
    """What parent, worker and single process stand on alike."""

    def __init__(
        self,
        loaded: Loaded,
        path: Path | None,
        catalog: Catalog,
        environ: dict[str, str],
        reactor: Any,
        options: Options,
    ) -> None:
        self.loaded = loaded
        self.path = path
        self.catalog = catalog
        self.environ = environ
        self.reactor = reactor
        self.place = log_place(options.parent or {})
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
            spawner=spawner(ground.reactor, ground.environ, ground.path, ground.place),
            notifier=Notifier(ground.environ),
            fail=_end_with_failure,
        )
    )


def _worker(
    options: Options, path: Path | None, environ: dict[str, str], reactor: Any
) -> GatewayService:
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
    ground = Ground(loaded, path, catalog, environ, reactor, options)
    service = _service(
        ground,
        open_ports=lambda site: adopt_ports(reactor, assignment.sockets, site),
        prepare=ground.prepared,
        cannot_start=lambda problem: link.failed(str(problem)),
        generation=assignment.generation,
        size=assignment.size,
    )
    link.orders_go_to(
        leave=service.leave,
        reopen_log=ground.writer.reopen,
        orphaned=service.orphaned,
        was_ready=Pulse(reactor, service.gauges, link.beat).start,
    )
    service.obey(link)
    return service


def _single(ground: Ground) -> GatewayService:
    log = Logger(namespace=__name__)
    return _service(
        ground,
        open_ports=lambda site: open_ports(
            ground.reactor, ground.loaded.config.listen, site
        ),
        prepare=ground.prepare,
        cannot_start=lambda problem: log.critical("{problem}", problem=problem),
        generation=None,
        size=1,
    )


def _service(
    ground: Ground,
    *,
    open_ports: Callable[[GatewaySite], Sequence[Opened]],
    prepare: Callable[[str], tuple[State, Path | None]],
    cannot_start: Callable[[BaseException], None],
    generation: int | None,
    size: int,
) -> GatewayService:
    reactor, environ, catalog = ground.reactor, ground.environ, ground.catalog
    live = Live()
    wall = time.time  # noqa: TID251 -- the composition root
    make_provider = _provider_maker(reactor, wall)

    swap = Swap(
        ground.loaded,
        reread=ground.reread,
        build=lambda config, found, previous: build_runtime(
            config,
            catalog,
            environ=environ,
            make_provider=make_provider,
            today=today(),
            found=found,
            previous=previous,
        ),
        discover=lambda: discover(reactor, skip_ports=service.ports_of_ours()),
        adopted=ground.adopted,
    )
    tally = Tally(
        AccessLog(
            ground.writer,
            ground.form,
            wall=wall,
            journal=ground.journal,
            generation=generation,
        )
    )
    site = GatewaySite(
        Resource(),
        reactor,
        current=lambda: swap.current,
        record=tally,
        entropy=secrets.token_bytes,
        descriptors=descriptors(),
    )

    mark = int(memory_limit() * MEMORY_SHARE) // size
    overload = Overload(reactor, memory=resident, mark=mark)

    def serve(keyring: Keyring) -> None:
        rates = Rates(_NoLimits(), reactor, tiers=lambda: swap.current.tiers)
        books = _NoBooks()
        site.standing = rates.headers
        site.gate = Gate(
            keyring, lambda: overload.why() or books.why_full, rates.refusal
        )
        site.resource = App(
            current=lambda: swap.current,
            keyring=keyring,
            desk=Desk(clock=reactor, wall=wall, live=live, rates=rates, journal=books),
            ledger=books,
            checks={
                "serving": lambda: service.why_not_ready,
                "load": overload.why,
                "journal": lambda: books.why_full,
            },
        ).get_resource()

    service = GatewayService(
        Parts(
            reactor=reactor,
            wall=wall,
            observer=ground.observer,
            reopen_log=ground.writer.reopen,
            tell=ground.tell,
            swap=swap,
            site=site,
            live=live,
            overload=overload,
            open_ports=lambda: open_ports(site),
            prepare=prepare,
            serve=serve,
            cannot_start=cannot_start,
            gauges=_gauges(site, live, overload, tally, swap),
            probes=Probes(reactor, lambda: _probed(swap.current)),
        )
    )
    return service


def _gauges(
    site: GatewaySite, live: Live, overload: Overload, tally: Tally, swap: Swap
) -> Gauges:
    return Gauges(
        connections=lambda: len(site.connections),
        calls=lambda: live.count,
        streams=lambda: site.streams,
        lag=overload.worst_lag,
        cpu=cpu_seconds,
        memory=resident,
        tally=tally,
        standings=lambda: swap.current.standings,
    )


def _probed(runtime: Runtime) -> Iterator[Probed]:
    for name, plan in runtime.plans.items():
        provider = runtime.providers[name]
        # The demo is always well.
        if plan.probe is not None and isinstance(provider, HttpProvider):
            yield Probed(
                name=name,
                every=plan.probe,
                breaker=runtime.standings[name].breaker,
                ask=provider.probe,
            )


def _provider_maker(
    reactor: Any, wall: Callable[[], float]
) -> Callable[[ProviderPlan], Provider]:
    instance = secrets.token_hex(8)

    def make_provider(plan: ProviderPlan) -> Provider:
        if plan.base_url is None:
            return DemoProvider(plan.name, reactor, wall=wall)
        credential, *spares = credentials_of(plan)
        return HttpProvider(
            reactor,
            name=plan.name,
            base_url=plan.base_url,
            credential=credential,
            spares=spares,
            timeouts=plan.timeouts,
            instance=instance,
            wall=wall,
        )

    return make_provider


def _lines_lost(count: int) -> None:
    Logger(namespace=__name__).warn(
        "{count} log lines were lost: whoever reads the log did not take them.",
        count=count,
    )


def _end_with_failure() -> None:
    # twistd ends with 0 whenever the reactor was stopped; this runs after its tidying.
    atexit.register(os._exit, 1)


class _NoLimits:
    """Stands where the limits of accounts are asked: nobody is refused yet."""

    async def admit(self, ask: Ask) -> Verdict:  # noqa: ARG002 -- the Protocol's
        return Verdict()

    async def look(self, ask: Ask) -> Verdict:  # noqa: ARG002 -- the Protocol's
        return Verdict()

    def settle(self, settlement: Settlement) -> None:
        pass

    async def close(self) -> None:
        pass


class _NoBooks:
    """Stands where uses are written down and read again: nothing is kept yet."""

    why_full: str | None = None

    def start(self, dispatch: Dispatch) -> None:
        pass

    def finish(self, use: Use) -> None:
        pass

    async def day_uses(
        self,
        account_id: str,  # noqa: ARG002 -- the Protocol's
        first: date,  # noqa: ARG002 -- the Protocol's
        last: date,  # noqa: ARG002 -- the Protocol's
    ) -> Sequence[DayUse]:
        return ()
