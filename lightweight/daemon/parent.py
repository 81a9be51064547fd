"""The parent process: it owns the sockets and the workers, and accepts nothing.

A reload starts a whole new generation of workers on the same sockets; only when every
one of them is ready do they serve and the old ones leave. Whatever goes wrong before
that leaves the old ones serving.
"""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, FirstError
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from lightweight import __version__
from lightweight.config.load import Loaded
from lightweight.daemon import figures
from lightweight.daemon.control import Control
from lightweight.daemon.generation import Generation
from lightweight.daemon.greeting import name_model
from lightweight.daemon.judge import UNFIT
from lightweight.daemon.launch import Spawner
from lightweight.daemon.listen import CannotListen, Opened, open_ports
from lightweight.daemon.messages import Leave, Report, control_path
from lightweight.daemon.notify import MILLION, Notifier, status
from lightweight.daemon.reloads import Reloads
from lightweight.daemon.settle import settle
from lightweight.daemon.signals import Signals
from lightweight.daemon.state import State
from lightweight.daemon.worker import NotReady
from lightweight.observe import metrics
from lightweight.observe.counts import Counts
from lightweight.observe.memory import cpu_seconds
from lightweight.store.limits.keeper import Keeper
from lightweight.store.problems import StoreProblem

BOOKS_SECONDS = 10.0
"""How long the bookkeeper may take to bring the last uses into the database."""


BOOKS_PAUSES = (0.0, 1.0, 2.0)
"""Nobody is served by it, but everybody's usage waits for it."""


class Refused(Exception):
    """A reload that changed nothing; the text says why."""


@dataclass(frozen=True, kw_only=True)
class ParentParts:
    """What the parent works with; tap.py makes them."""

    reactor: Any
    environ: dict[str, str]
    observer: ILogObserver
    reopen_log: Callable[[], None]
    tell: Callable[[str], None] | None
    """Shows a text to the person at the terminal, if there is one."""
    loaded: Loaded
    reread: Callable[[], Loaded]
    """Reads the configuration and judges what is the parent's; raises one of UNFIT.

    For a reload it is called in a thread: some thousand models take a while, and every
    call of every worker waits for the limits that are kept in this one.
    """
    adopted: Callable[[Loaded], None]
    """Is told of each configuration that came in force."""
    prepare: Callable[[str], tuple[State, Path | None]]
    """As in service.Parts."""
    spawner: Spawner
    totals: Counts
    """What was counted since the start, by all processes there ever were."""
    limits: Keeper
    """The limits that the workers ask; closed when the last of them is gone."""
    notifier: Notifier
    fail: Callable[[], None]
    """Makes the process end with status 1 when it ends."""


class ParentService(Service):
    """Keeps a generation of workers serving until ``stopService`` has fired."""

    log = Logger()
    name = "lightweight"

    def __init__(self, parts: ParentParts) -> None:
        self._parts = parts
        self._config = parts.loaded.config
        self._signals = Signals(parts.reactor)
        self._ports: list[Opened] = []
        self._reloads = Reloads(self._reload)
        self._serving: Generation | None = None
        self._generations: list[Generation] = []
        self._books: Generation | None = None
        self._number = 0
        self._leaving: Leave | None = None
        self._state: Path | None = None
        self._control: Control | None = None
        self._beat: IDelayedCall | None = None
        self._last_refusal: str | None = None
        self._example: str | None = None
        # Until these are taken each of them would kill the process.
        self._signals.take(signal.SIGHUP, self.reload)
        self._signals.take(signal.SIGUSR1, self._reopen_logs)
        self._signals.take(signal.SIGUSR2, self._dump)

    def setServiceParent(self, parent: Any) -> None:
        """Join the application, and give it our log observer."""
        super().setServiceParent(parent)
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._parts.observer)

    # -- start ---------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """Bind the sockets; raises CannotListen."""
        super().privilegedStartService()
        try:
            self._ports = self._opened(self._config.listen)
        except CannotListen as problem:
            self.log.critical("{problem}", problem=problem)
            raise

    def _opened(self, descriptions: Sequence[str]) -> list[Opened]:
        """Open and hold sockets: clients wait in the kernel's queue for a worker."""
        ports = [*open_ports(self._parts.reactor, descriptions, Factory())]
        for port in ports:
            port.hold()
        return ports

    def startService(self) -> None:
        """Prepare the state; raises StoreProblem. Workers come with the reactor."""
        super().startService()
        try:
            state, made = self._parts.prepare(self._ports[0].url)
        except StoreProblem as problem:
            self.log.critical("{problem}", problem=problem)
            raise
        self._state = state.directory
        self._parts.reactor.callWhenRunning(self._begin, made)

    def _begin(self, first_run: Path | None) -> None:
        self._signals.take(signal.SIGTERM, self._asked_to_stop)
        self._signals.take(signal.SIGINT, self._asked_to_stop)
        Deferred.fromCoroutine(
            self._reloads.first(lambda: self._start(first_run))
        ).addErrback(self._fatal)

    async def _start(self, first_run: Path | None) -> None:
        self._tick()
        self._open_control()
        # While the workers start: later every call would wait for the collector.
        self._parts.reactor.callLater(0, settle)
        try:
            serving = await self._replace_generation(self._parts.loaded, self._ports)
        except NotReady as problem:
            if self._leaving is None:
                self._parts.notifier(status(f"Cannot start: {problem}"))
                self.log.critical("The server cannot start: {why}", why=problem)
                self._parts.fail()
                self._parts.reactor.stop()
            return
        self._parts.adopted(self._parts.loaded)
        for port in self._ports:
            self.log.info("Listening on {url}", url=port.url)
        if first_run is not None:
            text = name_model(first_run, self._example)
            self.log.info("The first key is in {path}", path=first_run)
            if self._parts.tell is not None:
                self._parts.tell(text)
        self._parts.notifier("READY=1", status(f"Serving: {serving}."))
        self.log.info("Ready: {serving}.", serving=serving)

    def _open_control(self) -> None:
        assert self._state is not None
        path = control_path(self._parts.environ, self._state)
        try:
            self._control = Control(
                self._parts.reactor,
                path,
                {
                    "status": self._status,
                    "top": self._top,
                    "metrics": self._metrics,
                    "reload": self._told,
                    "drain": self._drained,
                },
            )
        except OSError as problem:
            self.log.warn(
                "No control socket at {path} ({why}): `lightweight status` will not "
                "find this server.",
                path=path,
                why=problem.strerror,
            )

    def _fatal(self, failure: Failure) -> None:
        self.log.failure("The server cannot go on.", failure=failure)
        self._parts.fail()
        if self._leaving is None:
            self._parts.reactor.stop()

    def _tick(self) -> None:
        """Tell systemd's watchdog that the reactor turns: sd_notify(3)."""
        seconds = self._parts.notifier.watchdog_seconds
        if seconds is not None:
            self._parts.notifier("WATCHDOG=1")
            self._beat = self._parts.reactor.callLater(seconds / 2, self._tick)

    # -- generations ---------------------------------------------------------------

    async def _replace_generation(self, loaded: Loaded, ports: Sequence[Opened]) -> str:
        """Have a new generation serve on ``ports``, then send the old one away.

        Give what it serves, in words. Raises NotReady, having changed nothing.
        """
        self._number += 1
        number = self._number
        workers = loaded.config.workers
        size = os.cpu_count() or 1 if workers == "auto" else workers
        sockets = [(port.description, port.descriptor) for port in ports]
        reactor, spawner = self._parts.reactor, self._parts.spawner
        spawn = spawner("serve", number, size, sockets, loaded)
        new = Generation(number, size, spawn, reactor)
        books = Generation(
            number,
            1,
            spawner("keep_books", number, size, (), loaded),
            reactor,
            pauses=BOOKS_PAUSES,
        )
        self._generations.append(new)
        try:
            report = await _started(new, books)
        except NotReady:
            self._generations.remove(new)
            raise
        if self._leaving is not None:
            books.kill()
            raise NotReady("The server is shutting down.")
        books.serve()
        before, self._books = self._books, books
        if before is not None:
            before.leave("stop", BOOKS_SECONDS)
        self._example = report.example
        old, self._serving = self._serving, new
        new.serve()
        if old is not None:
            old.leave("drain", self._config.drain.reload)
            Deferred.fromCoroutine(old.left()).addCallback(self._forget, old)
        return (
            f"{report.providers} providers, {report.models} models "
            f"(generation {number})"
        )

    def _forget(self, _result: None, old: Generation) -> None:
        self._generations.remove(old)
        self.log.info("Generation {number} has left.", number=old.number)

    # -- reload --------------------------------------------------------------------

    def reload(self) -> None:
        """Start a new generation, in the background."""
        Deferred.fromCoroutine(self._reloads.ask()).addErrback(
            lambda failure: self.log.failure("Reload failed.", failure=failure)
        )

    async def _reload(self) -> str | None:
        if self._leaving is not None:
            return "The server is shutting down."
        notify = self._parts.notifier
        now = int(self._parts.reactor.seconds() * MILLION)
        notify("RELOADING=1", f"MONOTONIC_USEC={now}", status("Reloading."))
        try:
            serving = await self._reload_once()
        except Refused as problem:
            if self._leaving is None:
                self._parts.totals.add(metrics.RELOADS, ("refused",))
                self._last_refusal = str(problem)
                notify("READY=1", status(f"Reload refused: {problem}"))
                self.log.error(
                    "Reload refused, the old configuration stays in force:\n{problem}",
                    problem=problem,
                )
            return str(problem)
        self._last_refusal = None
        self._parts.totals.add(metrics.RELOADS, ("done",))
        notify("READY=1", status(f"Serving: {serving}."))
        self.log.info("Reloaded: {serving}.", serving=serving)
        return None

    async def _reload_once(self) -> str:
        reactor = self._parts.reactor
        try:
            loaded: Loaded = await deferToThreadPool(
                reactor, reactor.getThreadPool(), self._parts.reread
            )
        except UNFIT as problem:
            raise Refused(str(problem)) from problem
        if self._leaving is not None:
            raise Refused("The server is shutting down.")
        config = loaded.config
        if config.state != self._config.state:
            raise Refused(
                "'state' has changed: restart to apply it, or set it back to reload."
            )
        held = {port.description: port for port in self._ports}
        added: list[Opened] = []
        try:
            added = self._opened([d for d in config.listen if d not in held])
            known = held | {port.description: port for port in added}
            ports = [known[description] for description in config.listen]
            serving = await self._replace_generation(loaded, ports)
        except (CannotListen, NotReady) as problem:
            for port in added:
                await port.close()
            raise Refused(str(problem)) from problem
        for port in added:
            self.log.info("Listening on {url}", url=port.url)
        self._ports, self._config = ports, config
        self._parts.adopted(loaded)
        for warning in loaded.warnings:
            self.log.warn("{warning}", warning=warning)
        for port in held.values():
            if port not in ports:
                await port.close()
        return serving

    def _reopen_logs(self) -> None:
        self._parts.reopen_log()
        for generation in self._generations:
            generation.order("reopen")

    def _dump(self) -> None:
        """Have the workers log what is in flight."""
        for generation in self._generations:
            generation.order("dump")

    # -- control -------------------------------------------------------------------

    async def _status(self) -> dict[str, object]:
        return {
            "state": "stopping" if self._leaving else "serving",
            "pid": os.getpid(),
            "release": __version__,
            "generation": self._serving.number if self._serving else None,
            "generations": [
                {
                    "number": each.number,
                    "state": each.state,
                    "release": each.release,
                    "workers": each.pids,
                }
                for each in self._generations
            ],
            "listen": [port.url for port in self._ports],
            "providers": figures.of_providers(self._serving),
            "self_test": figures.of_self_test(self._serving),
            "last_refusal": self._last_refusal,
        }

    async def _top(self) -> dict[str, object]:
        return {
            **await self._status(),
            "generations": figures.of_generations(self._generations),
            "in_all": figures.in_all(self._generations),
        }

    async def _metrics(self) -> dict[str, object]:
        totals = self._parts.totals
        totals.read(metrics.CPU_SECONDS, ("parent",), cpu_seconds())
        now = figures.gauges(
            self._serving.number if self._serving else None,
            figures.fares(self._generations),
            figures.fares([self._books] if self._books else []),
        )
        return {"series": [*totals.series(), *now, figures.of_parent()]}

    async def _told(self) -> dict[str, object]:
        why = await self._reloads.ask()
        return {
            "reloaded": why is None,
            "why": why,
            "generation": self._serving.number if self._serving else None,
        }

    async def _drained(self) -> dict[str, object]:
        self._parts.reactor.callLater(0, self._stop_once)
        return {"state": "stopping"}

    # -- stop ----------------------------------------------------------------------

    def _stop_once(self) -> None:
        if self._leaving is None:
            self._asked_to_stop()

    def _asked_to_stop(self) -> None:
        if self._leaving is None:
            self._leaving = "stop"
            self._parts.reactor.stop()
        else:
            self._leaving = "now"
            for generation in self._generations:
                generation.leave("now", 0)

    def stopService(self) -> "Deferred[None]":
        """Send every worker away; fires when the last one is gone.

        Running calls get ``drain.stop`` seconds, or until a second signal.
        """
        super().stopService()
        self._leaving = self._leaving or "stop"
        return Deferred.fromCoroutine(self._stop(self._leaving))

    async def _stop(self, how: Leave) -> None:
        self._parts.notifier("STOPPING=1", status("Stopping."))
        if self._beat is not None and self._beat.active():
            self._beat.cancel()
        for port in self._ports:
            await port.close()
        for generation in self._generations:
            if generation.state == "starting":
                generation.kill()
            else:
                generation.leave(how, self._config.drain.stop)
        for generation in list(self._generations):
            await generation.left()
        if self._books is not None:
            # Last of all, so that it sees what the workers wrote to the end.
            self._books.leave("stop", BOOKS_SECONDS)
            await self._books.left()
        self._parts.limits.close()
        if self._control is not None:
            await self._control.close()
        self._signals.restore()
        self.log.info("Stopped.")


async def _started(workers: Generation, books: Generation) -> Report:
    """Start both at once and give the workers' report.

    Raises NotReady when a process of either cannot do its work; then none is left.
    """
    starting = [Deferred.fromCoroutine(each.start()) for each in (workers, books)]
    try:
        (_, report), _ = await DeferredList(
            starting, fireOnOneErrback=True, consumeErrors=True
        )
    except FirstError as first:
        for each in (workers, books):
            each.kill()
            await each.left()
        raise NotReady(first.subFailure.getErrorMessage()) from None
    assert isinstance(report, Report)
    return report
