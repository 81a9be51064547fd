"""The HTTP server's edge: sockets in, one Visit for each request out.

Twisted parses; what it would answer or log by itself is replaced, so that a client
never meets HTML, a ``Server`` header or an answer without ``x-request-id``.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IProtocolNegotiationFactory,
    IReactorTime,
)
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from twisted.web.resource import IResource
from twisted.web.server import Site
from zope.interface import implementer

from lightweight.errors import BadRequest
from lightweight.observe.access import Visit
from lightweight.runtime import Runtime
from lightweight.web.site_request import GatewayRequest, of

DISCARD_SECONDS = 2.0
"""How long a refused client may go on sending, so that it reads the refusal."""

_ID_BYTES = 12


class GatewayChannel(HTTPChannel):
    """Twisted's HTTP/1.1 parser with answers of ours where a request is malformed."""

    site: "GatewaySite"
    _refused = False
    _discarding: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Be counted as open."""
        self.site.connections.add(self)
        super().connectionMade()

    def allHeadersReceived(self) -> None:
        """Tell the request its first line, then go on."""
        self.requests[-1].named(self._command, self._path, self._version)
        self.setTimeout(self.site.current().config.edge.body_timeout)
        super().allHeadersReceived()

    def requestDone(self, request: GatewayRequest) -> None:
        """Wait for the next request, not for ever."""
        super().requestDone(request)
        if self.persistent and not self._handlingRequest:
            self.setTimeout(self.site.current().config.edge.keep_alive)

    def headerReceived(self, line: bytes) -> bool:
        """Take a header line; a length of thousands of digits is malformed."""
        try:
            return bool(super().headerReceived(line))
        except ValueError:
            self._respondToBadRequestAndDisconnect()
            return False

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002 -- Twisted's
        """Answer a request line or header line beyond what is read."""
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:
        # Twisted's own answer has neither body nor header.
        if self._refused:
            return
        if not self.requests:
            self.requests.append(self.requestFactory(self))
        request = self.requests[-1]
        if request.path is None:
            request.named(b"", b"", b"HTTP/1.1")
        request.refuse(BadRequest("The request is not well-formed HTTP/1.1."))

    # -- after a refusal -----------------------------------------------------------

    def discard_rest(self) -> None:
        """Read on without listening: a close now would destroy the answer."""
        self._refused = True
        self.persistent = 0
        self._discarding = self.site.reactor.callLater(
            DISCARD_SECONDS, self.forceAbortClient
        )

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client, unless it was refused."""
        if not self._refused:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Take a line, unless the client was refused by one before."""
        if not self._refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        """Take a piece of a body, unless the client was refused."""
        if not self._refused:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        """Begin to answer, unless that was done already."""
        if not self._refused:
            super().allContentReceived()

    def loseConnection(self) -> None:
        """Close, or let a refused client read its answer first and close itself."""
        if self._discarding is None:
            super().loseConnection()

    def close(self) -> None:
        """Close once what was written has left."""
        super().loseConnection()

    def abort(self) -> None:
        """Cut the connection at once, with whatever is not sent yet."""
        self.transport.abortConnection()  # type: ignore[union-attr]  # all streams can

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client."""
        if self._discarding is not None and self._discarding.active():
            self._discarding.cancel()
        super().connectionLost(reason)
        self.site.gone(self)


@implementer(IProtocolNegotiationFactory)
class GatewaySite(Site):
    """Serves a resource over HTTP/1.1.

    ``current`` gives the runtime in force, ``record`` takes each Visit, ``entropy``
    gives so many random bytes. Set ``draining`` to have every answer close its
    connection.
    """

    noisy = False
    requestFactory = GatewayRequest  # type: ignore[assignment]
    protocol = GatewayChannel  # type: ignore[assignment]  # no wrapper: it is for HTTP/2

    def __init__(
        self,
        resource: IResource,
        reactor: IReactorTime,
        *,
        current: Callable[[], Runtime],
        record: Callable[[Visit], None],
        entropy: Callable[[int], bytes],
    ) -> None:
        super().__init__(
            resource,
            reactor=reactor,
            timeout=current().config.edge.header_timeout,
            parsePOSTFormSubmission=False,
        )
        self.current = current
        self.record = record
        self.draining = False
        self.connections: set[GatewayChannel] = set()
        self._entropy_of = entropy
        self._flushing: Deferred[None] | None = None

    def next_id(self) -> str:
        """Make the id of one request."""
        return f"req_{self._entropy_of(_ID_BYTES).hex()}"

    async def flushed(self) -> None:
        """Close every connection once what was written has left; wait for the last.

        To be called when no call is in flight. Cancelling just stops waiting.
        """
        for channel in list(self.connections):
            channel.close()
        await self.left()

    async def left(self) -> None:
        """Wait until the last connection is closed; cancelling just stops waiting."""
        if self.connections:
            self._flushing = Deferred()
            try:
                await self._flushing
            finally:
                self._flushing = None

    def gone(self, channel: GatewayChannel) -> None:
        """Learn that a connection is closed."""
        self.connections.discard(channel)
        if self._flushing is not None and not self.connections:
            self._flushing.callback(None)

    def log(self, request: Request) -> None:
        """Write no line here: the request reports its own Visit."""
        of(request).answered()

    def startFactory(self) -> None:
        """Open no log file and keep no clock for one."""

    def stopFactory(self) -> None:
        """Close nothing."""

    def acceptableProtocols(self) -> list[bytes]:
        """Speak HTTP/1.1 only: the caps of this edge do not exist on HTTP/2."""
        return [b"http/1.1"]
