"""An answer as Twisted's IResponse: its body in a protocol, steered and ended."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IClientRequest, IResponse
from zope.interface.verify import verifyObject

from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.response import Response, Sent, abandon
from lightweight.upstream.wire_response import BadResponse, Fields

NO_FIELDS: Fields = {}


class Line:
    """A line that keeps what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def abort(self) -> None:
        self.asked.append("abort")


class Taker(Protocol):
    """Keeps a body."""

    transport: Any

    def __init__(self) -> None:
        self.data = b""
        self.reason: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


def answered(fields: Fields = NO_FIELDS) -> tuple[Incoming, Line, Response]:
    never = float("inf")
    incoming = Incoming(
        Deadlines(Clock()), name="x", first_byte=never, idle=never, total=never
    )
    line = Line()
    waiting: Deferred[None] = incoming.sent(line)
    incoming.head(200, "Fine", fields)
    incoming.read()
    assert waiting.called
    line.asked.clear()
    return incoming, line, Response(incoming, Sent(b"GET", b"http://a/", Headers()))


def test_it_is_what_twisted_says_it_is() -> None:
    _, _, response = answered({"a": "b, \u00fc", "content-length": "3"})
    verifyObject(IResponse, response)
    verifyObject(IClientRequest, response.request)
    assert (response.code, response.phrase, response.length) == (200, b"Fine", 3)
    assert response.headers.getRawHeaders(b"a") == [b"b, \xfc"]
    assert answered()[2].length == UNKNOWN_LENGTH
    other = answered()[2]
    response.setPreviousResponse(other)
    assert response.previousResponse is other


def test_a_whole_body() -> None:
    incoming, _, response = answered()
    taker = Taker()
    response.deliverBody(taker)
    incoming.body(b"abc")
    incoming.read()
    assert (taker.data, taker.reason) == (b"abc", None)
    incoming.ended(None)
    assert taker.reason is not None
    assert taker.reason.check(ResponseDone)


def test_a_body_that_breaks() -> None:
    incoming, _, response = answered()
    taker = Taker()
    response.deliverBody(taker)
    incoming.ended(BadResponse())
    assert taker.reason is not None
    assert taker.reason.check(ResponseFailed)


def test_its_protocol_steers_it() -> None:
    _, line, response = answered()
    taker = Taker()
    response.deliverBody(taker)
    taker.transport.pauseProducing()
    taker.transport.resumeProducing()
    taker.transport.abortConnection()
    assert line.asked == ["resume", "pause", "resume", "abort"]
    assert taker.reason is None


def test_one_that_nobody_wants_is_reset() -> None:
    _, line, response = answered()
    abandon(response)
    assert line.asked == ["abort"]
