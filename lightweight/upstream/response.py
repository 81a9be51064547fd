"""An answer as Twisted's ``IResponse``, for treq and whoever else speaks it."""

from typing import Any

from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IClientRequest, IResponse
from zope.interface import implementer

from lightweight.errors import ProviderFault
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.provider import Source


@implementer(IClientRequest)
class Sent:
    """What was asked."""

    def __init__(self, method: bytes, uri: bytes, headers: Headers) -> None:
        self.method = method
        self.absoluteURI = uri
        self.headers = headers


@implementer(IResponse)
class Response:
    """An answer whose head is there; its body flows once it is delivered."""

    version = (b"HTTP", 1, 1)

    def __init__(self, incoming: Incoming, request: IClientRequest) -> None:
        self.source: Source = incoming
        """The body as our own seam has it; it is delivered here or there."""
        self.code = incoming.status
        self.phrase = incoming.reason.encode("latin-1")
        self.headers = Headers()
        for name, value in incoming.fields.items():
            self.headers.addRawHeader(name.encode("ascii"), value.encode("latin-1"))
        lengths = self.headers.getRawHeaders(b"content-length")
        self.length = int(lengths[0]) if lengths else UNKNOWN_LENGTH
        self.request = request
        self.previousResponse: IResponse | None = None

    def deliverBody(self, protocol: IProtocol) -> None:
        """Let the body flow into a protocol, possibly at once.

        Its ``connectionLost`` gets ResponseDone for a whole body, else ResponseFailed.
        Its transport can be paused, resumed and aborted.
        """
        transport: Any = _Body(self.source)
        protocol.makeConnection(transport)
        self.source.deliver(_Delivery(protocol))

    def setPreviousResponse(self, response: IResponse) -> None:
        """Remember the answer that redirected here."""
        self.previousResponse = response


class _Abandoned(Protocol):
    def connectionMade(self) -> None:
        stopped: Any = self.transport
        stopped.abortConnection()


def abandon(response: IResponse) -> None:
    """Reset the connection of an answer of ours whose body nobody wants."""
    response.deliverBody(_Abandoned())


@implementer(IPushProducer)
class _Body:
    """The transport of a protocol that takes a body: nothing can be written."""

    disconnecting = False

    def __init__(self, source: Source) -> None:
        self.pauseProducing = source.pause
        self.resumeProducing = source.resume
        self.stopProducing = source.abort
        self.loseConnection = source.abort
        self.abortConnection = source.abort


class _Delivery:
    def __init__(self, protocol: IProtocol) -> None:
        self.received = protocol.dataReceived
        self._protocol = protocol

    def ended(self, fault: ProviderFault | None) -> None:
        reason = ResponseDone() if fault is None else ResponseFailed([Failure(fault)])
        self._protocol.connectionLost(Failure(reason))
