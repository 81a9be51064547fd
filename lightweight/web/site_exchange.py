"""An Exchange over Twisted's request: the lane behind Klein."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from lightweight.records import Headers, Identity, Outcome
from lightweight.web.exchange import Flow
from lightweight.web.leaving import not_at_all, outlived
from lightweight.web.site_request import GatewayRequest


@implementer(IPushProducer)
class _Producer:
    """What Twisted pauses when the client's buffers are full."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def pauseProducing(self) -> None:
        self._flow.pause()

    def resumeProducing(self) -> None:
        self._flow.resume()

    def stopProducing(self) -> None:
        """The connection is lost: the cancelled call stops its own source."""


class SiteExchange:
    """One owner of the state "client gone": afterwards Twisted's methods raise."""

    def __init__(self, request: GatewayRequest) -> None:
        self.request = request.record()
        self.started = False
        self.lost = False
        self.identified = False
        self.lingers: Callable[[], float] = not_at_all
        self._handling: Deferred[None] | None = None
        self._twisted = request
        self._over = False
        self._attached = False
        # Made before Klein's own listener, so ``lost`` is set when the cancel comes.
        request.notifyFinish().addErrback(self._left)

    @property
    def identity(self) -> Identity | None:
        """Who asks."""
        return self._twisted.identity

    @identity.setter
    def identity(self, identity: Identity | None) -> None:
        self._twisted.identity = identity

    async def handled(
        self, handler: Coroutine[Any, Any, None], clock: IReactorTime
    ) -> None:
        """Run the handler; cancelling says that the client left."""
        self._handling = Deferred.fromCoroutine(handler)
        # Asked late: the handler may set it.
        await outlived(self._handling, clock, lambda: self.lingers())  # noqa: PLW0108 -- late

    def stop(self) -> None:
        """Cancel the handler."""
        if self._handling is not None:
            self._handling.cancel()

    def hold_line(self) -> Callable[[Outcome | None], None]:
        """Hold the access line back until the Outcome is given to what is returned."""
        return self._twisted.hold_line()

    def failed(self, reason: Failure) -> None:
        """Log a bug of ours with its traceback, and answer without a word of it."""
        self._twisted.processingFailed(reason)

    def start(
        self, status: int, headers: Headers, *, length: int | None = None
    ) -> None:
        """Send the head."""
        if self.lost or self._over:
            return
        self.started = True
        self._twisted.head(status, headers)
        if length is not None:
            self._twisted.setHeader(b"Content-Length", str(length).encode())
        self._twisted.write(b"")

    def write(self, data: bytes) -> None:
        """Send the next bytes of the body."""
        if not self.lost and not self._over:
            self._twisted.write(data)

    def finish(self) -> None:
        """End the answer."""
        self.detach()
        if not self.lost and not self._over:
            self._over = True
            self._twisted.finish()

    def abort(self) -> None:
        """Cut the connection."""
        self.detach()
        if not self.lost and not self._over:
            self._over = True
            self._twisted.cut()

    def attach(self, flow: Flow) -> None:
        """Let the client's speed pause and resume ``flow``."""
        if not self.lost and not self._over:
            self._attached = True
            self._twisted.registerProducer(_Producer(flow), streaming=True)

    def detach(self) -> None:
        """Stop steering the flow."""
        if self._attached and not self.lost:
            self._twisted.unregisterProducer()
        self._attached = False

    def _left(self, _reason: Failure) -> None:
        self.lost = True
