"""The HTTP server: connections in, one Visit for each request out.

Twisted parses; what it would answer or log by itself is replaced, so that a client
never meets HTML, a ``Server`` header or an answer without ``x-request-id``.
"""

from collections.abc import Callable
from typing import TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolNegotiationFactory, IReactorTime
from twisted.web.http import Request
from twisted.web.resource import IResource
from twisted.web.server import Site
from zope.interface import implementer

from lightweight.errors import Fault
from lightweight.observe.access import Visit
from lightweight.records import Headers, Identity
from lightweight.runtime import Runtime
from lightweight.web import edge
from lightweight.web.site_channel import GatewayChannel
from lightweight.web.site_request import GatewayRequest, of

_ID_BYTES = 12

Gate: TypeAlias = Callable[[GatewayRequest, int | None], Fault | None]
"""Says why a request is refused before its body is read; None where it is not.

Takes the request, whose head is whole, and its body's length in bytes; None: chunked.
"""

Standing: TypeAlias = Callable[[Identity], Headers]
"""Gives header fields that every answer to someone carries."""


def open_gate(_request: GatewayRequest, _length: int | None) -> None:
    """Refuse nothing."""


def nothing_standing(_identity: Identity) -> Headers:
    """Give no header fields."""
    return {}


@implementer(IProtocolNegotiationFactory)
class GatewaySite(Site):
    """Serves a resource over HTTP/1.1.

    ``current`` gives the runtime in force, ``record`` takes each Visit, ``entropy``
    gives so many random bytes, ``descriptors`` is how many files the process may have
    open. Set ``draining`` to have every answer close its connection, ``gate`` to have
    requests refused before their bodies are read, ``standing`` for header fields of
    every answer to a known key.
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
        descriptors: int,
    ) -> None:
        super().__init__(
            resource,
            reactor=reactor,
            timeout=None,
            parsePOSTFormSubmission=False,
        )
        self.current = current
        self.record = record
        self.gate: Gate = open_gate
        self.standing: Standing = nothing_standing
        self.draining = False
        self.connections: set[GatewayChannel] = set()
        self._descriptors = descriptors
        self._entropy_of = entropy
        self._flushing: Deferred[None] | None = None

    def next_id(self) -> str:
        """Make the id of one request."""
        return f"req_{self._entropy_of(_ID_BYTES).hex()}"

    def room(self) -> edge.Room:
        """Say what to do with the connection that was opened last."""
        cap = edge.connection_cap(self.current().config.edge, self._descriptors)
        return edge.room(len(self.connections), cap)

    @property
    def streams(self) -> int:
        """How many answers are being streamed to those who have a key."""
        return sum(
            request.streaming and request.identity is not None
            for channel in self.connections
            for request in channel.requests
        )

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
