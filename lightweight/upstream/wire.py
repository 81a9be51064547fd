"""One connection to a provider: a request, its answer, and then perhaps the next."""

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from lightweight.upstream.eager import send_now, taken_now
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.wire_request import Request
from lightweight.upstream.wire_response import BadResponse, Fields, ResponseParser

IDLE_SECONDS = 4.0
"""How long a connection waits for its next request: common servers close after 5."""

LONGEST_IDLE_SECONDS = 60.0
"""The same where the provider says that it waits longer."""

PIECE_BYTES = 131_072
"""Of a larger request body no more than this waits in the transport."""

_MARGIN_SECONDS = 1.0
"""By how much we close an idle connection before its provider would."""

_TIMEOUT = re.compile(r"(?:^|[\s,;])timeout\s*=\s*\"?(\d{1,6})\b", re.IGNORECASE)


class StaleConnection(Exception):
    """A connection that had served before ended without a byte of this answer."""


class Connection(Protocol):
    """Carries one answer at a time; it is the answer's line until all of it came."""

    transport: Any
    """A TCP transport, or ``tls.Secured``."""

    def __init__(self) -> None:
        self.usable = True
        """It may carry another request."""
        self.idle_seconds = IDLE_SECONDS
        """How long it may wait for that."""
        self.waits_until = 0.0
        self.serves_until = 0.0
        """By the pool's clock, which keeps them."""
        self.freed: Callable[[Connection], None] = Connection.let_go
        """Called when an answer is whole and the connection usable."""
        self._parser = ResponseParser()
        self._incoming: Incoming | None = None
        self._upload: _Upload | None = None
        self._served = False
        self._heard = False
        self._closing: Deferred[None] | None = None

    def ask(self, request: Request, incoming: Incoming) -> "Deferred[None]":
        """Send a request; ``incoming`` gets its answer.

        Give what is called when the head came. It fails with StaleConnection,
        BadResponse, or the reason why the connection ended. Cancelling resets it.
        """
        self._incoming = incoming
        self._heard = False
        self._parser.expect(incoming, to_head=request.to_head)
        answered = incoming.sent(self)
        if len(request.body) <= PIECE_BYTES:
            send_now(self.transport, request.head + request.body)
        else:
            self._upload = _Upload(self.transport, request)
        return answered

    def let_go(self) -> None:
        """Close in order; nothing waits for the peer."""
        if self.usable:
            self.usable = False
            self.transport.loseConnection()

    def close(self) -> "Deferred[None]":
        """Close in order; give what is called when it is gone."""
        self._closing = Deferred()
        self.let_go()
        return self._closing

    # -- the answer's line ---------------------------------------------------------

    def pause(self) -> None:
        """Read no more until ``resume``."""
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read again."""
        self.transport.resumeProducing()

    def abort(self) -> None:
        """Reset the connection without waiting for its peer."""
        self.usable = False
        self._incoming = None
        self.transport.abortConnection()

    # -- what Twisted does ---------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes of the answer that is awaited; other ones end the connection."""
        incoming = self._incoming
        if incoming is None:
            if self.usable:
                self.abort()
            return
        self._heard = True
        try:
            rest = self._parser.feed(data)
        except BadResponse as error:
            self.abort()
            incoming.ended(error)
            return
        if not self._parser.done:
            incoming.read()
            return
        self._release(incoming.fields, rest)
        incoming.ended(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whose answer this ends, or breaks."""
        self.usable = False
        closing, self._closing = self._closing, None
        if closing is not None:
            closing.callback(None)
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            return
        error: Any = reason.value
        if self._parser.open_ended and reason.check(ConnectionDone):
            error = None
        elif self._served and not self._heard:
            error = StaleConnection()
        incoming.ended(error)

    # -- inside --------------------------------------------------------------------

    def _release(self, fields: Fields, rest: bytes) -> None:
        """Let the next one have it, where it is sure whose bytes come next."""
        self._incoming = None
        self._served = True
        said = fields.get("keep-alive")
        self.idle_seconds = IDLE_SECONDS if said is None else _patience(said)
        if rest or (self._upload is not None and not self._upload.done):
            self.abort()
        elif not self._parser.keeps_alive or self.idle_seconds <= 0:
            self.let_go()
        else:
            self._upload = None
            self.freed(self)


@implementer(IPullProducer)
class _Upload:
    """A large request body: no more of it waits for the provider than one piece."""

    def __init__(self, transport: Any, request: Request) -> None:
        self.done = False
        self._transport = transport
        head, body = request.head, memoryview(request.body)
        sent = taken_now(transport, head, body)
        if sent < len(head):
            transport.write(head[sent:])
        self._body = body[max(0, sent - len(head)) :]
        transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Send what the provider takes now: what came before has left."""
        left = True
        while left and self._body:
            rest = self._body[taken_now(self._transport, self._body) :]
            piece, self._body = rest[:PIECE_BYTES], rest[PIECE_BYTES:]
            left = not piece or send_now(self._transport, bytes(piece))
        if not self._body:
            self.done = True
            self._transport.unregisterProducer()

    def stopProducing(self) -> None:
        """Let go of the rest: the connection is lost."""
        self._body = memoryview(b"")


def _patience(said: str) -> float:
    """Give how long the provider lets the connection wait, by its Keep-Alive."""
    found = _TIMEOUT.search(said)
    if found is None:
        return IDLE_SECONDS
    return min(int(found[1]) - _MARGIN_SECONDS, LONGEST_IDLE_SECONDS)
