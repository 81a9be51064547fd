"""Connecting to an origin: name, TCP and TLS under one deadline."""

from collections.abc import Callable
from ssl import SSLContext
from typing import Any, TypeVar, cast

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
)
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from lightweight.upstream.tls import Secured
from lightweight.upstream.wire import Connection
from lightweight.upstream.wire_request import Origin

_Made = TypeVar("_Made", bound=Protocol)

ATTEMPT_SECONDS = 0.1
"""From one address to the next; a refusal is known no sooner (RFC 8305 section 5)."""


class ConnectDeadline(Exception):
    """No connection in time: name, TCP and TLS handshake together."""


class Dialer:
    """Makes connections to one origin."""

    def __init__(
        self,
        reactor: Any,
        origin: Origin,
        *,
        seconds: float,
        trust: Callable[[], SSLContext],
    ) -> None:
        """``seconds`` is the deadline; ``trust`` gives the context where TLS is spoken.

        The reactor's name resolver is asked for each connection: see ``names``.
        """
        self._reactor = reactor
        self._origin = origin
        self._seconds = seconds
        self._trust = trust
        self._endpoint = _endpoint(reactor, origin.host, origin.port, seconds)

    def connect(self) -> "Deferred[Connection]":
        """Connect; fail with ConnectDeadline, ssl.SSLError or what Twisted says.

        Cancelling leaves nothing open and fails with CancelledError.
        """
        connecting = Deferred.fromCoroutine(self._connect())
        connecting.addTimeout(self._seconds, self._reactor, _ran_out)
        return _cancellable(connecting)

    async def _connect(self) -> Connection:
        if self._origin.tls:
            secured = await self._reach(self._secured)
            await secured.handshaken
            assert isinstance(secured.carried, Connection)
            return secured.carried
        connection = await self._reach(Connection)
        connection.transport.setTcpNoDelay(True)
        return connection

    def _secured(self) -> Secured:
        return Secured(self._trust(), self._origin.host, Connection())

    async def _reach(self, make: Callable[[], _Made]) -> _Made:
        """Connect by TCP, to the host's first address that answers."""
        made: Any = await self._endpoint.connect(_Making(make))
        # Past the endpoint's own protocol, which has nothing more to do.
        made.transport.protocol = made
        return cast("_Made", made)


def _endpoint(
    reactor: Any, host: str, port: int, seconds: float
) -> IStreamClientEndpoint:
    # An address needs nobody who resolves it, which costs as much as a whole call.
    if isIPAddress(host):
        return TCP4ClientEndpoint(reactor, host, port, timeout=seconds)
    if isIPv6Address(host):
        return TCP6ClientEndpoint(reactor, host, port, timeout=seconds)
    return HostnameEndpoint(
        reactor, host, port, timeout=seconds, attemptDelay=ATTEMPT_SECONDS
    )


class _Making(Factory):
    """Makes a protocol for each address that answers."""

    noisy = False

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def buildProtocol(self, _addr: IAddress | None) -> Any:
        return self._make()


def _cancellable(connecting: "Deferred[Connection]") -> "Deferred[Connection]":
    """Let cancelling end in CancelledError, whatever Twisted calls it.

    Cancelled while it connects, Twisted says that it knows no such host.
    """
    cancelled = False

    def cancel(_result: "Deferred[Connection]") -> None:
        nonlocal cancelled
        cancelled = True
        connecting.cancel()

    def connected(connection: Connection) -> None:
        if cancelled:
            connection.abort()
        else:
            result.callback(connection)

    def failed(failure: Failure) -> None:
        if not cancelled:
            result.errback(failure)

    result: Deferred[Connection] = Deferred(cancel)
    connecting.addCallbacks(connected, failed)
    return result


def _ran_out(_result: object, _seconds: float) -> Any:
    raise ConnectDeadline
