"""Our HTTP client: a pool for each origin; for treq, an ``IAgent``.

It sends the headers it is given, four of its own, and nothing else.
"""

import functools
import math
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.dial import Dialer
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.names import with_remembered_names
from lightweight.upstream.pool import Pool
from lightweight.upstream.response import Response, Sent
from lightweight.upstream.tls import make_trust
from lightweight.upstream.wire_request import (
    Opening,
    Origin,
    Request,
    lines_of,
    origin_of,
)

_NOT_TO_BE_GIVEN = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"cookie",
        b"host",
        b"transfer-encoding",
        b"user-agent",
    }
)
"""Dropped: treq's cookie jar, and what is the connection's own business."""


@implementer(IAgent)
class ProviderAgent:
    """The client for one provider, with its connections."""

    def __init__(
        self,
        reactor: Any,
        *,
        connect_timeout: float,
        authorities: str | None = None,
        persistent: bool = True,
    ) -> None:
        """``connect_timeout`` is in seconds, for everything before HTTP.

        TLS is verified against ``authorities`` (PEM), the system's where it is None.
        Without ``persistent`` every request has a connection of its own.
        """
        self.deadlines = Deadlines(reactor)
        self._clock = reactor
        self._reactor = with_remembered_names(reactor)
        self._connect_timeout = connect_timeout
        # Reading the system's store takes milliseconds: once, and not for plain HTTP.
        self._trust = functools.cache(lambda: make_trust(authorities))
        self._persistent = persistent
        self._pools: dict[Origin, Pool] = {}

    def pool(self, origin: Origin) -> Pool:
        """Give the connections to an origin."""
        if origin not in self._pools:
            dialer = Dialer(
                self._reactor,
                origin,
                seconds=self._connect_timeout,
                trust=self._trust,
            )
            self._pools[origin] = Pool(
                self._clock, self.deadlines, dialer, persistent=self._persistent
            )
        return self._pools[origin]

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections were opened so far, and how often one was reused."""
        pools = self._pools.values()
        return sum(each.opened for each in pools), sum(each.reused for each in pools)

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> "Deferred[IResponse]":
        """Send a request; fail with one of ``failures.FAILURES``, or ValueError.

        Cancelling resets the connection, if there is one, and gives CancelledError.
        """
        return Deferred.fromCoroutine(
            self._request(method.decode("ascii"), uri, headers, bodyProducer)
        )

    async def close(self) -> None:
        """Close idle connections; answers in flight are left alone."""
        for pool in self._pools.values():
            await pool.close()

    async def _request(
        self,
        method: str,
        uri: bytes,
        headers: Headers | None,
        producer: IBodyProducer | None,
    ) -> IResponse:
        origin, path = origin_of(uri.decode("ascii"))
        lines = lines_of(
            {
                name.decode("ascii"): b", ".join(values).decode("utf-8")
                for name, values in (headers or Headers()).getAllRawHeaders()
                if name.lower() not in _NOT_TO_BE_GIVEN
            }
        )
        body = b"" if producer is None else await _collected(producer)
        length = None if producer is None else len(body)
        request = Request(
            Opening(origin, "").head(method, path or "/", lines, length),
            body,
            method == "HEAD",
        )
        never = math.inf
        incoming = Incoming(
            self.deadlines, name=origin.host, first_byte=never, idle=never, total=never
        )
        await self.pool(origin).ask(request, incoming)
        asked = Sent(method.encode("ascii"), uri, headers or Headers())
        return Response(incoming, asked)


async def _collected(producer: IBodyProducer) -> bytes:
    """Give all that a producer has; cancelling stops it."""
    taken = _Taken()
    producing = producer.startProducing(taken)
    try:
        await producing
    finally:
        producing.cancel()
    return b"".join(taken.pieces)


@implementer(IConsumer)
class _Taken:
    """Takes what a producer writes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.write = self.pieces.append

    def registerProducer(self, _producer: IProducer, _streaming: bool) -> None:  # noqa: FBT001 -- Twisted's
        """Do nothing: it is never too much."""

    def unregisterProducer(self) -> None:
        """Do nothing."""
