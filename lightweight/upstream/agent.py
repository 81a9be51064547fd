"""Our ``IAgent``: sends the headers it is given, four of its own, and nothing else.

A pooled connection that the provider is just closing fails the request: nothing here
tries again. Connections idle for 4 seconds are closed, sooner than servers do (5 s).
"""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol
from twisted.web.client import (
    URI,
    Agent,
    HTTPConnectionPool,
    _HTTP11ClientFactory,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from lightweight import __version__
from lightweight.upstream.body import abandon

USER_AGENT = f"lightweight/{__version__}".encode()

IDLE_SECONDS = 4
PER_HOST = 256
"""Idle connections kept for one provider."""

CLOSE_SECONDS = 1.0
"""How long closing waits for peers to close their side."""

_NOT_TO_BE_GIVEN = (b"cookie", b"host", b"connection", b"content-length")
"""Dropped: treq's cookie jar, and what is the connection's own business."""


class ConnectDeadline(Exception):
    """No connection in time: name, TCP and TLS handshake together."""


class UnwantedEncoding(Exception):
    """The response came compressed although ``identity`` was asked for."""


@implementer(IAgent)
class ProviderAgent:
    """The agent for one provider, with its pool of connections."""

    def __init__(self, reactor: Any, agent: IAgent, pool: HTTPConnectionPool) -> None:
        """Use ``make_agent``."""
        self._reactor = reactor
        self._agent = agent
        self._pool = pool

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> Deferred[IResponse]:
        """Send a request; fail with UnwantedEncoding for a compressed answer.

        Cancelling resets the connection, if there is one, and gives CancelledError.
        """
        clean = Headers() if headers is None else headers.copy()
        for name in _NOT_TO_BE_GIVEN:
            clean.removeHeader(name)
        clean.setRawHeaders(b"Accept-Encoding", [b"identity"])
        clean.setRawHeaders(b"User-Agent", [USER_AGENT])
        asked = self._agent.request(method, uri, clean, bodyProducer)
        return _cancellable(asked.addCallback(_not_encoded))

    async def close(self) -> None:
        """Close idle connections, waiting at most CLOSE_SECONDS for the peers."""
        closed: Deferred[None] = Deferred()
        closing = self._pool.closeCachedConnections()
        closing.addBoth(lambda _: None if closed.called else closed.callback(None))
        closed.addTimeout(CLOSE_SECONDS, self._reactor, lambda *_: None)
        await closed


def make_agent(
    reactor: Any,
    *,
    connect_timeout: float,
    trust_root: Any = None,
    persistent: bool = True,
) -> ProviderAgent:
    """Make an agent; ``connect_timeout`` is in seconds, for everything before HTTP.

    TLS is verified against ``trust_root``, the system's store where it is None.
    Requests fail with ConnectDeadline and whatever Twisted's agent fails with.
    """
    pool = _Pool(reactor, persistent)
    endpoints = _Endpoints(reactor, connect_timeout, trust_root)
    agent = Agent.usingEndpointFactory(reactor, endpoints, pool)
    return ProviderAgent(reactor, agent, pool)


def _cancellable(asked: Deferred[IResponse]) -> Deferred[IResponse]:
    """Let cancelling end in CancelledError, whatever Twisted calls it.

    Cancelled while it connects, Twisted says that it knows no such host.
    """
    cancelled = False

    def cancel(_result: Deferred[IResponse]) -> None:
        nonlocal cancelled
        cancelled = True
        asked.cancel()

    def answered(response: IResponse) -> None:
        if cancelled:
            abandon(response)
        else:
            result.callback(response)

    def failed(failure: Failure) -> None:
        if not cancelled:
            result.errback(failure)

    result: Deferred[IResponse] = Deferred(cancel)
    asked.addCallbacks(answered, failed)
    return result


def _not_encoded(response: IResponse) -> IResponse:
    encodings = response.headers.getRawHeaders("content-encoding", [])
    if all(each.strip().lower() == "identity" for each in encodings):
        return response
    abandon(response)
    raise UnwantedEncoding


@implementer(IHandshakeListener)
class _Connection(HTTP11ClientProtocol):
    """A connection that tells when its TLS handshake is done, or why it failed."""

    _handshaken: Deferred[None] | None = None

    def handshaken(self) -> Deferred[None]:
        """Wait for the handshake, right after connecting; cancelling resets."""
        self._handshaken = Deferred(self._reset)
        return self._handshaken

    def handshakeCompleted(self) -> None:
        """Take TLS's word that the peer is who it should be."""
        waiting, self._handshaken = self._handshaken, None
        if waiting is not None:
            waiting.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail the handshake that is waited for."""
        waiting, self._handshaken = self._handshaken, None
        if waiting is not None:
            waiting.errback(reason)
        super().connectionLost(reason)

    def _reset(self, _waiting: Deferred[None]) -> None:
        self._handshaken = None
        transport: Any = self.transport
        transport.abortConnection()


class _ConnectionFactory(_HTTP11ClientFactory):
    noisy = False

    def buildProtocol(self, _addr: object) -> _Connection:
        return _Connection(self._quiescentCallback)


class _Pool(HTTPConnectionPool):
    _factory = _ConnectionFactory
    cachedConnectionTimeout = IDLE_SECONDS
    maxPersistentPerHost = PER_HOST
    # It would cover GET alone.
    retryAutomatically = False

    def _putConnection(self, key: object, connection: Any) -> None:
        # Aborted on the head while the rest of the body was there already: the parser
        # goes on to its end, and the connection would pass for reusable.
        if not connection.transport.disconnecting:
            super()._putConnection(key, connection)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    def __init__(self, reactor: Any, timeout: float, trust_root: Any) -> None:
        self._reactor = reactor
        self._timeout = timeout
        self._trust_root = trust_root
        self._creators: dict[str, IOpenSSLClientConnectionCreator] = {}

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Give the way to a URI's host, with a deadline."""
        host = uri.host.decode("ascii")
        plain = HostnameEndpoint(self._reactor, host, uri.port, timeout=self._timeout)
        if uri.scheme == b"http":
            return _Endpoint(self._reactor, self._timeout, plain, tls=False)
        endpoint = wrapClientTLS(self._creator(host), plain)
        return _Endpoint(self._reactor, self._timeout, endpoint, tls=True)

    def _creator(self, host: str) -> IOpenSSLClientConnectionCreator:
        # Reading the system's store takes milliseconds: once, not for each request.
        if host not in self._creators:
            self._creators[host] = optionsForClientTLS(host, trustRoot=self._trust_root)
        return self._creators[host]


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Connects within a deadline that covers everything, the TLS handshake too."""

    def __init__(
        self,
        reactor: Any,
        seconds: float,
        endpoint: IStreamClientEndpoint,
        *,
        tls: bool,
    ) -> None:
        self._reactor = reactor
        self._seconds = seconds
        self._endpoint = endpoint
        self._tls = tls

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; fail with ConnectDeadline."""
        connecting = Deferred.fromCoroutine(self._connect(protocolFactory))
        return connecting.addTimeout(self._seconds, self._reactor, _ran_out)

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        protocol = await self._endpoint.connect(factory)
        if self._tls:
            assert isinstance(protocol, _Connection)
            await protocol.handshaken()
        return protocol


def _ran_out(_result: object, _seconds: float) -> Any:
    raise ConnectDeadline
