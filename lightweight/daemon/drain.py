"""Letting go of what is in flight: in time by itself, at the deadline by force."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.errors import Overloaded
from lightweight.web.live import Live
from lightweight.web.site import GatewaySite

FLUSH_SECONDS = 2.0
"""How long last bytes may take to leave once every call has ended."""

STOPPING = "The server is shutting down. Send the request again in a moment."


class Drain:
    """Ends the calls and connections of one process; orders may tighten as it goes."""

    log = Logger()

    def __init__(self, site: GatewaySite, live: Live, clock: IReactorTime) -> None:
        self._site = site
        self._live = live
        self._clock = clock
        self._seconds = 0.0
        self._patient = False
        self._over = False
        self._waiting: Deferred[None] | None = None

    def tighten(self, seconds: float) -> None:
        """Close idle connections now and give calls ``seconds`` more; 0 is at once."""
        self._seconds = seconds
        self._patient = False
        if seconds <= 0:
            self._over = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def run(self, seconds: float, *, patient: bool) -> None:
        """Wait for the end of all, for ``seconds`` at most; then end the calls.

        ``patient``: idle connections live until their own timeout, so that no client
        meets a close just as it sends. Not to be cancelled.
        """
        self._site.draining = True
        self._seconds, self._patient = seconds, patient
        if not patient and self._live.count:
            self.log.info(
                "Stopping: {calls} may run for up to {seconds} s; a second signal "
                "ends all now.",
                calls=counted(self._live.count, "call"),
                seconds=seconds,
            )
        while not self._over and not await self._left():
            # An order came meanwhile: wait by the new terms.
            continue
        if self._over and self._live.count:
            self.log.warn(
                "Ended before their time: {calls}.",
                calls=counted(self._live.count, "call"),
            )
            self._live.end_all(Overloaded(STOPPING))
            await self._briefly(Deferred.fromCoroutine(self._live.empty()))
        await self._briefly(Deferred.fromCoroutine(self._site.flushed()))

    async def _left(self) -> bool:
        what = self._site.left() if self._patient else self._live.empty()
        self._waiting = Deferred.fromCoroutine(what)
        deadline = self._clock.callLater(self._seconds, self.tighten, 0)
        try:
            await self._waiting
        except CancelledError:
            return False
        finally:
            self._waiting = None
            if deadline.active():
                deadline.cancel()
        return True

    async def _briefly(self, what: "Deferred[None]") -> None:
        try:
            await what.addTimeout(FLUSH_SECONDS, self._clock)
        except (TookTooLong, CancelledError):
            return
