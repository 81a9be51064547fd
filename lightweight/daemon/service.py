"""One serving process, from its start to its last answer, strictly in order.

Start: sockets are bound (so a taken port ends the start), state is prepared, keys are
loaded, local servers are looked for; only then connections are accepted. Stop: no new
connection, running calls may end, the rest is told, then what they used is closed.
"""

import signal
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from lightweight.amounts import counted
from lightweight.daemon.drain import Drain
from lightweight.daemon.dump import dump
from lightweight.daemon.farewells import Farewells
from lightweight.daemon.greeting import name_model
from lightweight.daemon.later import Later
from lightweight.daemon.link import Link
from lightweight.daemon.listen import CannotListen, Opened
from lightweight.daemon.messages import Leave
from lightweight.daemon.metering import Metering
from lightweight.daemon.pulse import Gauges
from lightweight.daemon.self_test import SelfTest
from lightweight.daemon.settle import resettle, settle
from lightweight.daemon.signals import Signals
from lightweight.daemon.state import State
from lightweight.daemon.swap import Swap
from lightweight.store.database import Database
from lightweight.store.keyring import Keyring
from lightweight.store.problems import StoreProblem
from lightweight.upstream.probes import Probes
from lightweight.web.live import Live
from lightweight.web.overload import Overload
from lightweight.web.site import GatewaySite


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the service puts in order; tap.py makes them."""

    reactor: Any
    """A reactor with clock, core and threads: one object, many interfaces."""
    wall: Callable[[], float]
    observer: ILogObserver
    reopen_log: Callable[[], None]
    tell: Callable[[str], None] | None
    """Shows a text to the person at the terminal, if there is one."""
    swap: Swap
    site: GatewaySite
    live: Live
    overload: Overload
    open_ports: Callable[[], Sequence[Opened]]
    """Opens the sockets, or adopts a parent's; raises CannotListen."""
    prepare: Callable[[str], tuple[State, Path | None]]
    """Prepares the state for a server at this URL; gives it, and what the first start
    wrote. Raises StoreProblem."""
    serve: Callable[[Keyring, Database, State], Metering]
    """Puts the web app behind the site, once there are keys and state; gives what its
    calls are measured with. Raises StoreProblem."""
    cannot_start: Callable[[BaseException], None]
    """Is told why there will be no serving."""
    gauges: Gauges
    probes: Probes
    self_test: SelfTest
    farewells: Farewells | None
    """None where another process of the server warns of models that end."""
    later: Later
    """What is made after the start."""


class GatewayService(Service):
    """Serves from ``startService`` until ``stopService``'s Deferred has fired."""

    log = Logger()
    name = "lightweight"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._signals = Signals(parts.reactor)
        self._ports: Sequence[Opened] = ()
        self._database: Database | None = None
        self._keyring: Keyring | None = None
        self._metering: Metering | None = None
        self._ready = False
        self._drain = Drain(parts.site, parts.live, parts.reactor)
        self._parent: Link | None = None
        self._leaving: Leave | None = None
        # Until these are taken each of them would kill the process.
        self._signals.take(signal.SIGHUP, self.reload)
        self._signals.take(signal.SIGUSR1, parts.reopen_log)
        self._signals.take(signal.SIGUSR2, self.dump)

    def obey(self, parent: Link) -> None:
        """Be a worker: serve when told to, reload by leaving to a new generation."""
        self._parent = parent
        self._signals.take(signal.SIGHUP, _nothing)

    @property
    def gauges(self) -> Gauges:
        """Say where the figures about this process come from."""
        return self._parts.gauges

    @property
    def why_not_ready(self) -> str | None:
        """Say why no traffic should come; None when it should."""
        if self._leaving == "drain":
            # The service goes on in another process: this one need not be avoided.
            return None
        if self._leaving is not None:
            return "The server is shutting down."
        return None if self._ready else "The server is starting."

    def ports_of_ours(self) -> Collection[int]:
        """Give the TCP ports we listen on: no provider is to be looked for there."""
        return {port.number for port in self._ports if port.number is not None}

    def setServiceParent(self, parent: Any) -> None:
        """Join the application, and give it our log observer."""
        super().setServiceParent(parent)
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._parts.observer)

    # -- start ---------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """Have the sockets; raises CannotListen."""
        super().privilegedStartService()
        try:
            self._ports = self._parts.open_ports()
        except CannotListen as problem:
            self._parts.cannot_start(problem)
            raise
        for port in self._ports:
            port.hold()

    def startService(self) -> None:
        """Prepare the state; raises StoreProblem. Serving begins with the reactor."""
        super().startService()
        parts = self._parts
        try:
            state, made = parts.prepare(self._ports[0].url)
            self._database = Database(state.database, reactor=parts.reactor)
            self._keyring = Keyring(
                self._database, state.pepper, clock=parts.reactor, wall=parts.wall
            )
            self._metering = parts.serve(self._keyring, self._database, state)
        except StoreProblem as problem:
            parts.cannot_start(problem)
            raise
        parts.reactor.callWhenRunning(self._begin, made)

    def _begin(self, first_run: Path | None) -> None:
        self._signals.take(signal.SIGTERM, self._asked_to_stop)
        # A terminal sends it to the whole group; a worker takes its parent's word.
        interrupt = _nothing if self._parent is not None else self._asked_to_stop
        self._signals.take(signal.SIGINT, interrupt)
        if self._parent is not None:
            self._parent.listen(self._parts.reactor)
        Deferred.fromCoroutine(self._start_serving(first_run)).addErrback(self._fatal)

    async def _start_serving(self, first_run: Path | None) -> None:
        assert self._database is not None
        assert self._keyring is not None
        await self._database.start()
        await self._keyring.start()
        await self._begin_metering()
        await self._parts.swap.look_around()
        self._parts.overload.start()
        self._parts.probes.start()
        if self._parts.farewells is not None:
            self._parts.farewells.start()
        runtime = self._parts.swap.current
        settle()
        if self._parent is not None:
            await self._parent.ready(
                len(runtime.providers), len(runtime.offering.models), self._example()
            )
        for port in self._ports:
            port.accept()
        self._ready = True
        self._parts.later.start()
        if self._parent is None:
            self._tell(first_run)
        self._test()

    async def _begin_metering(self) -> None:
        assert self._metering is not None
        if self._metering.books is not None:
            self._metering.books.start(self._fatal)
        await self._metering.begin()

    def _tell(self, first_run: Path | None) -> None:
        for port in self._ports:
            self.log.info("Listening on {url}", url=port.url)
        if first_run is not None:
            text = name_model(first_run, self._example())
            self.log.info("The first key is in {path}", path=first_run)
            if self._parts.tell is not None:
                self._parts.tell(text)
        runtime = self._parts.swap.current
        self.log.info(
            "Ready: {providers}, {models}.",
            providers=counted(len(runtime.providers), "provider"),
            models=counted(len(runtime.offering.models), "model"),
        )

    def _example(self) -> str | None:
        offered = self._parts.swap.current.offering.listed()
        return offered[0].id if offered else None

    def _fatal(self, failure: Failure) -> None:
        self.log.failure("The server cannot start.", failure=failure)
        assert failure.value is not None
        self._parts.cannot_start(failure.value)
        self._parts.reactor.stop()

    # -- reload --------------------------------------------------------------------

    def reload(self) -> None:
        """Read the configuration again, in the background."""
        Deferred.fromCoroutine(self._parts.swap.reload()).addCallbacks(
            lambda _: self._reloaded(),
            lambda failure: self.log.failure("Reload failed.", failure=failure),
        )

    def _reloaded(self) -> None:
        resettle()
        if self._ready and self._leaving is None:
            self._test()

    def _test(self) -> None:
        assert self._metering is not None
        self._parts.self_test.start(self._metering.limits)

    def dump(self) -> None:
        """Log what is in flight."""
        dump(self._parts.live.in_flight())

    # -- stop ----------------------------------------------------------------------

    def _asked_to_stop(self) -> None:
        self.leave("stop" if self._leaving in {None, "drain"} else "now")

    def leave(self, how: Leave) -> None:
        """Stop, by these terms; when stopping already, tighten the terms."""
        stop = self._parts.swap.current.config.drain.stop
        if self._leaving is None and self.running:
            self._leaving = how
            self._parts.reactor.stop()
        elif how == "now":
            self._drain.tighten(0)
        elif how == "stop" and self._leaving == "drain":
            self._leaving = how
            self._drain.tighten(stop)

    def orphaned(self) -> None:
        """Finish and leave, now that no parent supervises this worker."""
        if self._leaving is None:
            self.log.warn("The parent process is gone: this worker finishes and ends.")
        self.leave("stop")

    def stopService(self) -> "Deferred[None]":
        """Drain and close; fires when the process may end, never later than it should.

        Running calls get ``drain.stop`` seconds, or until a second signal; in a worker
        that others follow they get ``drain.reload``.
        """
        super().stopService()
        self._leaving = self._leaving or "stop"
        return Deferred.fromCoroutine(self._stop(self._leaving))

    async def _stop(self, how: Leave) -> None:
        parts = self._parts
        for port in self._ports:
            await port.close()
        limits = parts.swap.current.config.drain
        seconds = {"drain": limits.reload, "stop": limits.stop, "now": 0.0}[how]
        await self._drain.run(seconds, patient=how == "drain")
        parts.overload.stop()
        parts.probes.stop()
        parts.self_test.stop()
        parts.later.stop()
        if parts.farewells is not None:
            parts.farewells.stop()
        if self._keyring is not None:
            self._keyring.stop()
        for provider in parts.swap.current.providers.values():
            await provider.close()
        if self._metering is not None:
            await self._metering.close()
        if self._database is not None:
            await self._database.close()
        if self._parent is not None:
            self._parent.end()
        self._signals.restore()
        if self._parent is None:
            self.log.info("Stopped.")


def _nothing() -> None:
    """Do nothing on a signal that would kill the process."""
