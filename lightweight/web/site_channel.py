"""One connection: Twisted's HTTP/1.1 parser under the edge's caps and deadlines."""

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from lightweight.config.schema import Edge
from lightweight.errors import Fault, Overloaded
from lightweight.web import edge
from lightweight.web.site_request import GatewayRequest
from lightweight.web.site_socket import end_of_answers, see_vanished_peers, unsent

if TYPE_CHECKING:
    from lightweight.web.site import GatewaySite


class GatewayChannel(HTTPChannel):
    """Twisted parses; what may come and for how long is the edge's decision.

    Twisted's own timeout is off: it begins anew with every byte.
    """

    site: "GatewaySite"
    MAX_LENGTH = edge.LINE_BYTES
    totalHeadersSize = edge.HEAD_BYTES
    maxHeaders = edge.HEAD_FIELDS

    def __init__(self) -> None:
        super().__init__()
        self._patience: edge.Patience
        self._in_time: IDelayedCall | None = None
        self._stall: edge.Stall | None = None
        self._next_look: IDelayedCall | None = None
        self._refused = False
        self._closing = False
        self._discarded = 0
        self._discarding: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Be counted as open; be turned away where too many are."""
        self.site.connections.add(self)
        self._patience = edge.Patience(self._edge, self._now())
        super().connectionMade()
        see_vanished_peers(self.transport, self._edge.write_stall)
        room = self.site.room()
        if room == "cut":
            self.abort()
        elif room == "refuse":
            self.refuse(
                Overloaded("Too many connections are open. Try again in a moment.")
            )
        else:
            self._wait()

    @property
    def _edge(self) -> Edge:
        return self.site.current().config.edge

    def _now(self) -> float:
        return self.site.reactor.seconds()

    # -- a request arrives ---------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client, unless it was refused."""
        if self._refused:
            self._discarded += len(data)
            if self._discarded > edge.DISCARD_BYTES:
                self.abort()
            return
        self._patience.bytes_came(self._edge, self._now())
        self._wait()
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a head, unless the client was refused by one before."""
        if self._refused:
            return
        in_fields = self._in_fields()
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self.refuse(edge.head_too_large(in_fields=in_fields))
        elif in_fields and line[:1] in (b" ", b"\t"):
            self.refuse(edge.folded())
        else:
            super().lineReceived(line)

    def _in_fields(self) -> bool:
        return hasattr(self, "_command")

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002 -- Twisted's
        """Answer a request line or header line beyond what is read."""
        self.refuse(edge.head_too_large(in_fields=self._in_fields()))

    def headerReceived(self, line: bytes) -> bool:
        """Take a header field, unless there were too many."""
        if self._receivedHeaderCount >= self.maxHeaders:
            self.refuse(edge.head_too_large(in_fields=True))
            return False
        return bool(super().headerReceived(line))

    def _maybeChooseTransferDecoder(self, header: bytes, data: bytes) -> bool:  # noqa: ARG002 -- Twisted's
        # What a length means is decided when the head is whole and judged.
        return True

    def allHeadersReceived(self) -> None:
        """Judge the head; go on to the body if there is nothing against it."""
        request = self.requests[-1]
        request.named(self._command, self._path, self._version)
        head = edge.Head(
            self._command,
            self._path,
            self._version,
            [
                (name.lower(), value)
                for name, values in request.requestHeaders.getAllRawHeaders()
                for value in values
            ],
        )
        fault = edge.judge(head, self._edge.max_body)
        if fault is None:
            self._frame(head)
            fault = self.site.gate(request, self.length)
        if fault is not None:
            self.refuse(fault)
            return
        self._patience.body_begins(self._edge, self._now())
        self._wait()
        super().allHeadersReceived()

    def _frame(self, head: edge.Head) -> None:
        choose = super()._maybeChooseTransferDecoder
        length = edge.body_length(head)
        if length is None:
            choose(b"Transfer-Encoding", b"chunked")
        elif length:
            choose(b"Content-Length", b"%d" % length)
        self._head = head

    def checkPersistence(self, request: GatewayRequest, version: bytes) -> bool:  # noqa: ARG002 -- Twisted's
        """Tell whether the connection may serve another request."""
        lasting = edge.persists(self._head)
        if not lasting:
            request.setHeader(b"Connection", b"close")
        return lasting

    def rawDataReceived(self, data: bytes) -> None:
        """Take a piece of a body, or of the requests after the one that is served."""
        if not self._handlingRequest:
            self._patience.body_came(len(data))
        super().rawDataReceived(data)
        # Twisted would stop reading, and its leaving would not be seen.
        if self._handlingRequest and sum(map(len, self._dataBuffer)) > edge.AHEAD_BYTES:
            self.abort()

    def allContentReceived(self) -> None:
        """Begin to answer, unless that was done already."""
        if not self._refused:
            self._patience.served()
            super().allContentReceived()

    def requestDone(self, request: GatewayRequest) -> None:
        """Wait for the next request, not for ever."""
        if self.persistent:
            self._patience.idle(self._edge, self._now())
        super().requestDone(request)
        self._wait()

    # -- time ----------------------------------------------------------------------

    def _wait(self) -> None:
        """Look again when the client is out of time; a look too early does no harm."""
        due = self._patience.due
        if due is None or self._refused:
            return
        if self._in_time is None or not self._in_time.active():
            left = max(0.0, due - self._now())
            self._in_time = self.site.reactor.callLater(left, self._look)
        elif self._in_time.getTime() > due:
            self._in_time.reset(max(0.0, due - self._now()))

    def _look(self) -> None:
        due = self._patience.due
        if due is None or due > self._now():
            self._wait()
            return
        verdict = self._patience.verdict()
        if verdict is None:
            self.close()
        else:
            self.refuse(verdict)

    def pauseProducing(self) -> None:
        """Learn that the client takes nothing for now."""
        super().pauseProducing()
        self._watch_stall()

    def resumeProducing(self) -> None:
        """Learn that the client took everything."""
        super().resumeProducing()
        if not self._closing:
            self._stall = None

    def _watch_stall(self) -> None:
        if self._stall is None:
            self._stall = edge.Stall(
                self._edge.write_stall, self._now(), unsent(self.transport)
            )
        if self._next_look is None or not self._next_look.active():
            self._next_look = self.site.reactor.callLater(
                self._stall.every, self._look_at_stall
            )

    def _look_at_stall(self) -> None:
        if self._stall is None:
            return
        if self._stall.over(self._now(), unsent(self.transport)):
            self.abort()
        else:
            self._watch_stall()

    # -- the end -------------------------------------------------------------------

    def refuse(self, fault: Fault) -> None:
        """Answer a request that did not arrive whole, and close after it; once."""
        if self._refused:
            return
        if not self.requests:
            self.requests.append(self.requestFactory(self))
        request = self.requests[-1]
        if request.path is None and self._in_fields():
            request.named(self._command, self._path, self._version)
        elif request.path is None:
            request.named(b"", b"", b"HTTP/1.1")
        request.refuse(fault)

    def _respondToBadRequestAndDisconnect(self) -> None:
        # Twisted's own answer has neither body nor header.
        self.refuse(edge.malformed())

    def discard_rest(self) -> None:
        """Read on without listening: a close now would destroy the answer."""
        self._refused = True
        self.persistent = 0
        self._discarding = self.site.reactor.callLater(edge.DISCARD_SECONDS, self.abort)

    def loseConnection(self) -> None:
        """Close, or let a refused client read its answer first and close itself."""
        if self._refused:
            end_of_answers(self.transport)
        else:
            self.close()

    def close(self) -> None:
        """Close once what was written has left, or its client stalls."""
        self._closing = True
        self._watch_stall()
        super().loseConnection()

    def abort(self) -> None:
        """Cut the connection at once, with whatever is not sent yet."""
        self.transport.abortConnection()  # type: ignore[union-attr]  # all streams can

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client."""
        for call in (self._in_time, self._next_look, self._discarding):
            if call is not None and call.active():
                call.cancel()
        super().connectionLost(reason)
        self.site.gone(self)
