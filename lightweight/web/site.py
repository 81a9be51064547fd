"""The HTTP server: connections in, one Visit for each request out.

Twisted parses; what it would answer or log by itself is replaced, so that a client
never meets HTML, a ``Server`` header or an answer without ``x-request-id``.
"""

from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IProtocolNegotiationFactory,
    IReactorTime,
)
from twisted.web.http import Request, datetimeToString
from twisted.web.resource import IResource
from twisted.web.server import Site
from zope.interface import implementer

from lightweight.errors import Fault, InvalidKey
from lightweight.observe.access import Visit
from lightweight.records import Headers, Identity
from lightweight.runtime import Runtime
from lightweight.web import edge
from lightweight.web.cors import cors_headers
from lightweight.web.front import Front
from lightweight.web.front_exchange import FrontExchange
from lightweight.web.gate import Arriving
from lightweight.web.response_head import lines_of
from lightweight.web.shapes import id_headers
from lightweight.web.site_channel import GatewayChannel
from lightweight.web.site_request import GatewayRequest, of
from lightweight.web.watch import Watch

_ID_BYTES = 12
_IDS_AT_ONCE = 64
_ID = "<id>"
_STRANGERS = InvalidKey.status
_DATE_SECONDS = 0.25
"""For how long a Date is good: it is in whole seconds."""

Gate: TypeAlias = Callable[[Arriving, int | None], Fault | None]
"""Says why a request is refused before its body is read; None where it is not.

Takes the request, whose head is whole, and its body's length in bytes; None: chunked.
"""

Standing: TypeAlias = Callable[[Identity], Headers]
"""Gives header fields that every answer to someone carries."""


Express: TypeAlias = Callable[[FrontExchange], Coroutine[Any, Any, None]]
"""Answers a POST, or raises the Fault that is to be told.

Cancelling says that the client left.
"""


def open_gate(_request: Arriving, _length: int | None) -> None:
    """Refuse nothing."""


def _shared_fields(
    date: str, path: str, origin: str | None, allowed: tuple[str, ...]
) -> Headers:
    return {"date": date, **cors_headers(path, origin, allowed)}


@lru_cache(maxsize=256)
def _shared_lines(
    date: str, path: str, origin: str | None, allowed: tuple[str, ...]
) -> tuple[str, str]:
    """Give what all answers of a second to one page's calls of a path have alike.

    These are the first and the last lines of what every answer carries; the last ones
    have ``_ID`` in place of the request's id.
    """
    first = lines_of(_shared_fields(date, path, origin, allowed))
    return first, lines_of(id_headers(path, _ID))


def nothing_standing(_identity: Identity) -> Headers:
    """Give no header fields."""
    return {}


@implementer(IProtocolNegotiationFactory)
class GatewaySite(Site):
    """Serves a resource over HTTP/1.1.

    ``current`` gives the runtime in force, ``record`` takes each Visit, ``wall`` gives
    seconds since the epoch, ``entropy`` so many random bytes, ``descriptors`` is how
    many files the process may have open. Set ``draining`` to have every answer close
    its connection, ``gate`` to have requests refused before their bodies are read,
    ``standing`` for header fields of every answer to a known key, ``express`` for the
    paths whose POSTs need no router.
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
        wall: Callable[[], float],
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
        self.wall = wall
        self.gate: Gate = open_gate
        self.standing: Standing = nothing_standing
        self.draining = False
        self.connections: set[Front] = set()
        self.express: Mapping[bytes, Express] = {}
        self._descriptors = descriptors
        self._dated = -_DATE_SECONDS
        self._said_date = ""
        self._entropy_of = entropy
        self._ids: list[str] = []
        self._flushing: Deferred[None] | None = None

    def next_id(self) -> str:
        """Make the id of one request."""
        if not self._ids:
            # One call of the kernel gives the randomness of many.
            drawn = self._entropy_of(_ID_BYTES * _IDS_AT_ONCE).hex(" ", -_ID_BYTES)
            self._ids = f"req_{drawn}".replace(" ", " req_").split(" ")[::-1]
        return self._ids.pop()

    def room(self) -> edge.Room:
        """Say what to do with the connection that was opened last."""
        cap = edge.connection_cap(self.current().config.edge, self._descriptors)
        return edge.room(len(self.connections), cap)

    @property
    def streams(self) -> int:
        """How many answers are being streamed to those who have a key."""
        return sum(front.streams for front in self.connections)

    async def flushed(self) -> None:
        """Close every connection once what was written has left; wait for the last.

        To be called when no call is in flight. Cancelling just stops waiting.
        """
        for front in list(self.connections):
            front.close()
        await self.left()

    async def left(self) -> None:
        """Wait until the last connection is closed; cancelling just stops waiting."""
        if self.connections:
            self._flushing = Deferred()
            try:
                await self._flushing
            finally:
                self._flushing = None

    def gone(self, front: Front) -> None:
        """Learn that a connection is closed."""
        self.connections.discard(front)
        if self._flushing is not None and not self.connections:
            self._flushing.callback(None)

    # -- what both lanes ask -------------------------------------------------------

    def fields_of_all(
        self, path: str, origin: str | None, identity: Identity | None, request_id: str
    ) -> Headers:
        """Give the header fields that every answer carries, whatever else it says."""
        allowed = self.current().config.cors_origins
        return {
            **_shared_fields(self._date(), path, origin, allowed),
            **({} if identity is None else self.standing(identity)),
            **id_headers(path, request_id),
        }

    def lines_of_all(
        self, path: str, origin: str | None, identity: Identity | None, request_id: str
    ) -> str:
        """Give the same as they stand in a head."""
        allowed = self.current().config.cors_origins
        first, last = _shared_lines(self._date(), path, origin, allowed)
        standing = None if identity is None else self.standing(identity)
        if standing:
            first += lines_of(standing)
        return first + last.replace(_ID, request_id)

    def _date(self) -> str:
        now = self.reactor.seconds()
        if not self._dated <= now < self._dated + _DATE_SECONDS:
            self._dated, self._said_date = now, datetimeToString().decode()
        return self._said_date

    def closes_after(self, status: int) -> bool:
        """Tell whether a connection closes after an answer of this status.

        A stranger refused before its body is closed, so every stranger must be: else
        the answer would tell a key of a wrong form from an unknown one.
        """
        return self.draining or status == _STRANGERS

    # -- Twisted's factory ---------------------------------------------------------

    def buildProtocol(  # type: ignore[override]  # Twisted's speaks of its channel
        self,
        addr: IAddress | None,  # noqa: ARG002 -- Twisted's
    ) -> Front:
        """Put a front before every connection."""
        return Front(self)

    def channel(self, watch: Watch, begun_at: float | None) -> GatewayChannel:
        """Make Twisted's channel for a connection that was opened already.

        ``begun_at``: when the bytes came that it will be given first.
        """
        channel: GatewayChannel = super().buildProtocol(None)
        channel.watch = watch
        watch.out_of_time = channel.out_of_time
        channel.begun_at = begun_at
        return channel

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
