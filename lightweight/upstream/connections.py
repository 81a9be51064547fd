"""Connections to a provider, and the pool in which they wait between two requests."""

import re
from collections.abc import Callable, Hashable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IHandshakeListener, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import (
    HEADER,
    STATUS,
    HTTP11ClientProtocol,
    Request,
    RequestTransmissionFailed,
    ResponseNeverReceived,
)
from twisted.web.client import HTTPConnectionPool, _HTTP11ClientFactory
from twisted.web.http_headers import Headers as WireHeaders
from twisted.web.iweb import IResponse
from zope.interface import implementer

from lightweight.upstream.body import abort_transport

IDLE_SECONDS = 4.0
"""How long a connection waits in the pool: common servers close theirs after 5."""

LONGEST_IDLE_SECONDS = 60.0
"""The same where the provider says that it waits longer."""

PER_HOST = 256
"""Idle connections kept for one provider."""

HEAD_BYTES = 65536
"""How much may come before an answer's head is whole, informational ones included."""

_MARGIN_SECONDS = 1.0
"""By how much we close an idle connection before its provider would."""

_STALE = (ResponseNeverReceived, RequestTransmissionFailed)
_TIMEOUT = re.compile(rb"(?:^|[\s,;])timeout\s*=\s*\"?(\d{1,6})\b", re.IGNORECASE)


class HeadTooLarge(Exception):
    """An answer's head did not end within HEAD_BYTES."""


@implementer(IHandshakeListener)
class Connection(HTTP11ClientProtocol):
    """A connection that knows when its handshake is done and what it has heard."""

    heard = False
    """A byte came since the last request went out."""

    spoiled = False
    """The peer said more than it was asked: what follows cannot be trusted."""

    idle_seconds = IDLE_SECONDS
    """How long this connection may wait in the pool."""

    _before_head = 0
    _handshaken: Deferred[None] | None = None

    # -- TLS -----------------------------------------------------------------------

    def handshaken(self) -> Deferred[None]:
        """Wait for the handshake, right after connecting; cancelling resets."""
        self._handshaken = Deferred(self._reset)
        return self._handshaken

    def handshakeCompleted(self) -> None:
        """Take TLS's word that the peer is who it should be."""
        waiting, self._handshaken = self._handshaken, None
        if waiting is not None:
            waiting.callback(None)

    def _reset(self, _waiting: Deferred[None]) -> None:
        self._handshaken = None
        transport: Any = self.transport
        transport.abortConnection()

    # -- HTTP ----------------------------------------------------------------------

    def request(self, request: Request) -> Deferred[IResponse]:
        """Send a request on this connection."""
        self.heard = False
        self._before_head = 0
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes, as long as somebody waits for them and a head has an end."""
        self.heard = True
        if self._parser is None:
            self.spoiled = True
            abort_transport(self.transport)
            return
        super().dataReceived(data)
        if self._parser is None or self._parser.state not in (STATUS, HEADER):
            return
        self._before_head += len(data)
        if self._before_head > HEAD_BYTES:
            self._giveUp(Failure(HeadTooLarge()))
            abort_transport(self.transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail the handshake that is waited for."""
        waiting, self._handshaken = self._handshaken, None
        if waiting is not None:
            waiting.errback(reason)
        super().connectionLost(reason)

    def _finishResponse(self, rest: bytes) -> None:
        self.spoiled = self.spoiled or bool(rest)
        self._learn_patience()
        super()._finishResponse(rest)

    def _learn_patience(self) -> None:
        if self._parser is None:
            return
        said: WireHeaders = self._parser.connHeaders
        found = _TIMEOUT.search(b",".join(said.getRawHeaders(b"keep-alive", [])))
        if found is not None:
            told = int(found[1]) - _MARGIN_SECONDS
            self.idle_seconds = min(told, LONGEST_IDLE_SECONDS)


class _ConnectionFactory(_HTTP11ClientFactory):
    noisy = False

    def buildProtocol(self, _addr: object) -> Connection:
        return Connection(self._quiescentCallback)


class Pool(HTTPConnectionPool):
    """Idle connections: the one used last serves first, the others may grow old."""

    _factory = _ConnectionFactory
    maxPersistentPerHost = PER_HOST
    # It would cover GET alone, and what was heard would not count.
    retryAutomatically = False

    opened = 0
    """Connections that were made, or tried."""
    reused = 0
    """Requests that found one idle."""

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Any:
        """Give an idle connection, or connect."""
        idle = self._connections.get(key, [])
        while idle:
            connection = idle.pop()
            self._timeouts.pop(connection).cancel()
            if connection.state == "QUIESCENT" and _fit(connection):
                self.reused += 1
                return succeed(
                    _Reused(connection, lambda: self._newConnection(key, endpoint))
                )
        return self._newConnection(key, endpoint)

    def _newConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Any:
        self.opened += 1
        return super()._newConnection(key, endpoint)

    def _putConnection(self, key: Hashable, connection: Connection) -> None:
        # Aborted on the head while the rest of the body was there already: the parser
        # goes on to its end, and the connection would pass for reusable.
        if not _fit(connection) or connection.idle_seconds <= 0:
            abort_transport(connection.transport)
            return
        seconds: Any = connection.idle_seconds
        self.cachedConnectionTimeout = seconds
        super()._putConnection(key, connection)


def _fit(connection: Connection) -> bool:
    transport: Any = connection.transport
    return not (connection.spoiled or transport.disconnecting)


class _Reused:
    """An idle connection on its next request.

    Its peer may be closing it at this moment, which is no fault of the provider: with
    not a byte heard the request goes out once more, on a fresh connection.
    """

    def __init__(
        self,
        connection: Connection,
        fresh: Callable[[], Deferred[HTTP11ClientProtocol]],
    ) -> None:
        self._connection = connection
        self._fresh = fresh

    def request(self, request: Request) -> Deferred[IResponse]:
        asked = self._connection.request(request)
        return asked.addErrback(self._once_more, request)

    def _once_more(self, failure: Failure, request: Request) -> Any:
        if self._connection.heard or not _is_stale(failure):
            return failure
        return self._fresh().addCallback(lambda fresh: fresh.request(request))


def _is_stale(failure: Failure) -> bool:
    error = failure.value
    if not isinstance(error, _STALE):
        return False
    return not any(each.check(CancelledError) for each in error.reasons)
