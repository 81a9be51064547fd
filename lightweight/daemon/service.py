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
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from lightweight.daemon.greeting import greeting
from lightweight.daemon.listen import CannotListen, Opened, open_ports
from lightweight.daemon.reload import Reloader
from lightweight.daemon.signals import Signals
from lightweight.daemon.state import State, make_first_key
from lightweight.errors import Overloaded
from lightweight.store.database import Database
from lightweight.store.keyring import Keyring
from lightweight.store.problems import StoreProblem
from lightweight.web.live import Live
from lightweight.web.overload import Overload
from lightweight.web.site import GatewaySite

FLUSH_SECONDS = 2.0
"""How long last bytes may take to leave once every call has ended."""

STOPPING = "The server is shutting down. Send the request again in a moment."


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the service puts in order; tap.py makes them."""

    reactor: Any
    """A reactor with clock, core and threads: one object, many interfaces."""
    wall: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    observer: ILogObserver
    reopen_log: Callable[[], None]
    tell: Callable[[str], None] | None
    """Shows a text to the person at the terminal, if there is one."""
    reloader: Reloader
    site: GatewaySite
    live: Live
    overload: Overload
    open_state: Callable[[], State]
    serve: Callable[[Keyring], None]
    """Put the web app behind the site, once there is a keyring."""


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
        self._ready = False
        self._hurry: Callable[[], None] | None = None
        # Until these are taken either signal would kill the process.
        self._signals.take(signal.SIGHUP, self.reload)
        self._signals.take(signal.SIGUSR1, parts.reopen_log)

    @property
    def why_not_ready(self) -> str | None:
        """Say why no traffic should come; None when it should."""
        if self._parts.site.draining:
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
        """Bind the sockets; raises CannotListen."""
        super().privilegedStartService()
        listen = self._parts.reloader.current.config.listen
        try:
            self._ports = open_ports(self._parts.reactor, listen, self._parts.site)
        except CannotListen as problem:
            self.log.critical("{problem}", problem=problem)
            raise
        for port in self._ports:
            port.hold()

    def startService(self) -> None:
        """Prepare the state; raises StoreProblem. Serving begins with the reactor."""
        super().startService()
        try:
            self._prepare()
        except StoreProblem as problem:
            self.log.critical("{problem}", problem=problem)
            raise

    def _prepare(self) -> None:
        parts = self._parts
        state = parts.open_state()
        made = make_first_key(
            state,
            lambda made: greeting(
                made, base_url=self._base_url(), model=self._example_model()
            ),
            now=parts.wall(),
            random_bytes=parts.random_bytes,
        )
        self._database = Database(state.database, reactor=parts.reactor)
        self._keyring = Keyring(
            self._database, state.pepper, clock=parts.reactor, wall=parts.wall
        )
        parts.serve(self._keyring)
        parts.reactor.callWhenRunning(self._begin, made)

    def _base_url(self) -> str:
        public = self._parts.reloader.current.config.public_url
        return f"{public or self._ports[0].url}/v1"

    def _example_model(self) -> str | None:
        offered = self._parts.reloader.current.offering.listed()
        return offered[0].id if offered else None

    def _begin(self, first_run: Path | None) -> None:
        self._signals.take(signal.SIGTERM, self._asked_to_stop)
        self._signals.take(signal.SIGINT, self._asked_to_stop)
        Deferred.fromCoroutine(self._start_serving(first_run)).addErrback(self._fatal)

    async def _start_serving(self, first_run: Path | None) -> None:
        assert self._database is not None
        assert self._keyring is not None
        await self._database.start()
        await self._keyring.start()
        await self._parts.reloader.look_around()
        self._parts.overload.start()
        for port in self._ports:
            self.log.info("Listening on {url}", url=port.url)
            port.accept()
        self._ready = True
        if first_run is not None:
            self.log.info("The first key is in {path}", path=first_run)
            if self._parts.tell is not None:
                self._parts.tell(first_run.read_text())
        runtime = self._parts.reloader.current
        self.log.info(
            "Ready: {providers} providers, {models} models.",
            providers=len(runtime.providers),
            models=len(runtime.offering.models),
        )

    def _fatal(self, failure: Failure) -> None:
        self.log.failure("The server cannot start.", failure=failure)
        self._parts.reactor.stop()

    # -- reload --------------------------------------------------------------------

    def reload(self) -> None:
        """Read the configuration again, in the background."""
        Deferred.fromCoroutine(self._parts.reloader.reload()).addErrback(
            lambda failure: self.log.failure("Reload failed.", failure=failure)
        )

    # -- stop ----------------------------------------------------------------------

    def _asked_to_stop(self) -> None:
        if self._hurry is not None:
            self._hurry()
        elif self.running:
            self._parts.reactor.stop()

    def stopService(self) -> "Deferred[None]":
        """Drain and close; fires when the process may end, never later than it should.

        Running calls get ``drain.stop`` seconds, or until a second signal.
        """
        super().stopService()
        self._parts.site.draining = True
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        parts = self._parts
        for port in self._ports:
            await port.close()
        if parts.live.count:
            await self._drain(parts.reloader.current.config.drain.stop)
        await self._within(FLUSH_SECONDS, Deferred.fromCoroutine(parts.site.flushed()))
        parts.overload.stop()
        if self._keyring is not None:
            self._keyring.stop()
        for provider in parts.reloader.current.providers.values():
            await provider.close()
        if self._database is not None:
            await self._database.close()
        self._signals.restore()
        self.log.info("Stopped.")

    async def _drain(self, seconds: float) -> None:
        live = self._parts.live
        self.log.info(
            "Stopping: {calls} calls may run for up to {seconds} s; a second signal "
            "ends them now.",
            calls=live.count,
            seconds=seconds,
        )
        empty = Deferred.fromCoroutine(live.empty())
        self._hurry = empty.cancel
        if not await self._within(seconds, empty):
            self.log.warn(
                "{calls} calls are ended before their time.", calls=live.count
            )
            live.end_all(Overloaded(STOPPING))
            await self._within(FLUSH_SECONDS, Deferred.fromCoroutine(live.empty()))
        self._hurry = None

    async def _within(self, seconds: float, what: "Deferred[None]") -> bool:
        """Wait for ``what``, but not longer; tell whether it came in time."""
        try:
            await what.addTimeout(seconds, self._parts.reactor)
        except (TookTooLong, CancelledError):
            return False
        return True
