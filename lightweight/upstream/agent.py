"""Our ``IAgent``: sends the headers it is given, four of its own, and nothing else.

A pooled connection that the provider is just closing costs one more connection, not the
request: see ``connections``.
"""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from lightweight import __version__
from lightweight.upstream.body import abandon
from lightweight.upstream.connections import Connection, Pool
from lightweight.upstream.names import with_remembered_names

USER_AGENT = f"lightweight/{__version__}".encode()

ATTEMPT_SECONDS = 0.1
"""From one address to the next; a refusal is known no sooner (RFC 8305 section 5)."""

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

    def __init__(self, reactor: Any, agent: IAgent, pool: Pool) -> None:
        """Use ``make_agent``."""
        self._reactor = reactor
        self._agent = agent
        self._pool = pool

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections were opened so far, and how often one was reused."""
        return self._pool.opened, self._pool.reused

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
    pool = Pool(reactor, persistent)
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


@implementer(IAgentEndpointFactory)
class _Endpoints:
    def __init__(self, reactor: Any, timeout: float, trust_root: Any) -> None:
        self._reactor = with_remembered_names(reactor)
        self._timeout = timeout
        self._trust_root = trust_root
        self._creators: dict[str, IOpenSSLClientConnectionCreator] = {}

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Give the way to a URI's host, with a deadline."""
        host = uri.host.decode("ascii")
        plain = HostnameEndpoint(
            self._reactor,
            host,
            uri.port,
            timeout=self._timeout,
            attemptDelay=ATTEMPT_SECONDS,
        )
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
            assert isinstance(protocol, Connection)
            await protocol.handshaken()
        return protocol


def _ran_out(_result: object, _seconds: float) -> Any:
    raise ConnectDeadline
