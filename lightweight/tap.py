"""``twistd lightweight``: options, and the one place that knows every room."""

import os
import resource
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.application.service import Service
from twisted.python import usage
from twisted.web.resource import Resource

from lightweight import __version__
from lightweight.catalog.load import Catalog, load_catalog
from lightweight.config.load import Loaded
from lightweight.config.schema import Config
from lightweight.daemon.judge import (
    CONFIG_VARIABLE,
    UNFIT,
    config_path,
    judged,
    today,
)
from lightweight.daemon.listen import CannotListen
from lightweight.daemon.reload import Reloader
from lightweight.daemon.service import GatewayService, Parts
from lightweight.daemon.state import open_state
from lightweight.dialects.dialect import Passage
from lightweight.observe.logs import AccessLog, LogFormat, LogObserver
from lightweight.observe.memory import memory_limit, resident
from lightweight.observe.writer import LogWriter
from lightweight.records import Call, Headers
from lightweight.runtime import ProviderPlan, Runtime, build_runtime
from lightweight.store.keyring import Keyring
from lightweight.store.problems import StoreProblem
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.discover import discover
from lightweight.upstream.http import HttpProvider, credential_headers
from lightweight.upstream.provider import Provider
from lightweight.web.app import App
from lightweight.web.gate import Gate
from lightweight.web.live import Live
from lightweight.web.overload import Overload
from lightweight.web.serve import Desk
from lightweight.web.site import GatewaySite

STDOUT = 1
MEMORY_SHARE = 0.9
"""The part of the memory at which no new call is taken: beyond it the kernel kills."""

TOLD = (CannotListen, StoreProblem)
"""Problems of a start that the log has told in one sentence: no traceback helps."""


class Options(usage.Options):
    """The command line after ``twistd lightweight``."""

    synopsis = "[-c FILE] [--check]"
    longdesc = (
        "An OpenAI-compatible AI gateway. Without a configuration file it uses the "
        "provider keys in its environment, local servers on loopback, or a built-in "
        "demo model."
    )
    optParameters = [  # noqa: RUF012 -- Twisted's way to declare options
        ["config", "c", None, f"Configuration file [default: ${CONFIG_VARIABLE}]"]
    ]
    optFlags = [  # noqa: RUF012 -- Twisted's way to declare options
        ["check", None, "Check the configuration and exit: 0 if it is good, else 1"]
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


def log_place(twistd: Mapping[str, Any]) -> Path | int:
    """Say where twistd's own options want the log: a file, or standard output."""
    if twistd.get("syslog"):
        raise usage.UsageError(
            "--syslog is not supported: run under systemd, or give --logfile."
        )
    named = twistd.get("logfile")
    if named and named != "-":
        return Path(named).absolute()
    if named or twistd.get("nodaemon", True):
        return STDOUT
    return Path("twistd.log").absolute()


def behind_journal(place: Path | int, environ: Mapping[str, str]) -> bool:
    """Tell whether journald reads the log (systemd.exec(5), $JOURNAL_STREAM)."""
    if isinstance(place, Path) or "JOURNAL_STREAM" not in environ:
        return False
    status = os.fstat(place)
    return environ["JOURNAL_STREAM"] == f"{status.st_dev}:{status.st_ino}"


def log_format(config: Config, place: Path | int) -> LogFormat:
    """Choose text for a person at a terminal and JSON for everything else."""
    if config.log_format != "auto":
        return config.log_format
    return "text" if isinstance(place, int) and os.isatty(place) else "json"


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
    catalog = load_catalog()
    try:
        loaded = judged(path, environ, catalog, reactor)
    except UNFIT as problem:
        sys.exit(str(problem))
    if options["check"]:
        sys.stdout.write(f"{path or 'no configuration file'}: ok\n")
        sys.exit(0)
    sys.excepthook = _quiet_about_told_problems
    return _put_together(loaded, path, catalog, environ, reactor, options)


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


def _put_together(
    loaded: Loaded,
    path: Path | None,
    catalog: Catalog,
    environ: Mapping[str, str],
    reactor: Any,
    options: Options,
) -> GatewayService:
    twistd: Mapping[str, Any] = options.parent or {}
    place = log_place(twistd)
    journal = behind_journal(place, environ)
    form = log_format(loaded.config, place)
    writer = LogWriter(place)
    live = Live()
    wall = time.time  # noqa: TID251 -- the composition root
    make_provider = _provider_maker(reactor, wall)

    reloader = Reloader(
        loaded,
        reread=lambda: judged(path, environ, catalog, reactor),
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
        adopted=lambda runtime: writer.hide(secrets_of(runtime)),
    )
    site = GatewaySite(
        Resource(),
        reactor,
        current=lambda: reloader.current,
        record=AccessLog(writer, form, wall=wall, journal=journal),
        entropy=secrets.token_bytes,
        descriptors=descriptors(),
    )

    overload = Overload(
        reactor, memory=resident, mark=int(memory_limit() * MEMORY_SHARE)
    )

    def serve(keyring: Keyring) -> None:
        site.gate = Gate(keyring, overload.why)
        site.resource = App(
            current=lambda: reloader.current,
            keyring=keyring,
            desk=Desk(clock=reactor, live=live, before_end=_nothing_to_record),
            checks={"serving": lambda: service.why_not_ready, "load": overload.why},
        ).get_resource()

    foreground = place == STDOUT and not journal
    service = GatewayService(
        Parts(
            reactor=reactor,
            wall=wall,
            random_bytes=secrets.token_bytes,
            observer=LogObserver(writer, form, journal=journal),
            reopen_log=writer.reopen,
            tell=_tell if foreground else None,
            reloader=reloader,
            site=site,
            live=live,
            overload=overload,
            open_state=lambda: open_state(loaded.config, environ, secrets.token_bytes),
            serve=serve,
        )
    )
    return service


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
        )

    return make_provider


def _nothing_to_record(call: Call, passage: Passage) -> None:
    """Stand where a usage record is written before a client learns of its end."""


def _tell(text: str) -> None:
    os.write(STDOUT, f"\n{text}\n".encode())
