"""One connection: Twisted's HTTP/1.1 parser under the edge's caps and deadlines."""

from typing import TYPE_CHECKING

from twisted.web.http import HTTPChannel

from lightweight.errors import Fault
from lightweight.records import Identity
from lightweight.web import edge
from lightweight.web.site_request import GatewayRequest
from lightweight.web.site_socket import end_of_answers, trailers
from lightweight.web.watch import Watch

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
        self.watch: Watch
        """Set before the connection is made, by whoever held it."""
        self.begun_at: float | None = None
        """When the bytes came that were handed over with the connection."""
        self.told: tuple[Fault, Identity | None] | None = None
        """What the gate said of the request that they begin with, and who asks it."""

    @property
    def streams(self) -> int:
        """How many answers are being streamed to those who have a key."""
        return sum(
            request.streaming and request.identity is not None
            for request in self.requests
        )

    def arrival(self) -> float:
        """Give when the request came whose first line is being read."""
        begun_at, self.begun_at = self.begun_at, None
        return self.site.reactor.seconds() if begun_at is None else begun_at

    # -- a request arrives ---------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client, unless it was refused."""
        if self.watch.refused:
            self.watch.discard(len(data))
            return
        self.watch.bytes_came()
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a head, unless the client was refused by one before."""
        if self.watch.refused:
            return
        in_fields = self._in_fields()
        fault = edge.judge_field(line) if in_fields and line else None
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self.refuse(edge.head_too_large(in_fields=in_fields))
        elif fault is not None:
            self.refuse(fault)
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
            {
                name.lower(): values
                for name, values in request.requestHeaders.getAllRawHeaders()
            },
        )
        fault = edge.judge(head, self.site.current().config.edge.max_body)
        if fault is None:
            self._frame(head)
            fault = self._at_the_gate(request)
        if fault is not None:
            self.refuse(fault)
            return
        self.watch.body_begins()
        super().allHeadersReceived()

    def _at_the_gate(self, request: GatewayRequest) -> Fault | None:
        # It is asked once for each request: what it refuses is counted.
        if self.told is None:
            return self.site.gate(request, self.length)
        (fault, request.identity), self.told = self.told, None
        return fault

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
            self.watch.body_came(len(data))
        super().rawDataReceived(data)
        # Twisted would stop reading, and its leaving would not be seen.
        if self._handlingRequest and sum(map(len, self._dataBuffer)) > edge.AHEAD_BYTES:
            self.abort()

    def allContentReceived(self) -> None:
        """Begin to answer, unless that was done already or a trailer is none."""
        for line in trailers(self._transferDecoder):
            fault = edge.judge_field(line)
            if fault is not None:
                self.refuse(fault)
        if not self.watch.refused:
            self.watch.served()
            super().allContentReceived()

    def requestDone(self, request: GatewayRequest) -> None:
        """Wait for the next request, not for ever."""
        if self.persistent:
            self.watch.idle()
        super().requestDone(request)

    # -- time ----------------------------------------------------------------------

    def out_of_time(self, verdict: Fault | None) -> None:
        """Refuse a client that owes something; close one that asked nothing."""
        if verdict is None:
            self.close()
        else:
            self.refuse(verdict)

    def pauseProducing(self) -> None:
        """Learn that the client takes nothing for now."""
        super().pauseProducing()
        self.watch.takes_nothing()

    def resumeProducing(self) -> None:
        """Learn that the client took everything."""
        super().resumeProducing()
        self.watch.took_all()

    # -- the end -------------------------------------------------------------------

    def refuse(self, fault: Fault) -> None:
        """Answer a request that did not arrive whole, and close after it; once."""
        if self.watch.refused:
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
        self.persistent = 0
        self.watch.refuse()

    def loseConnection(self) -> None:
        """Close, or let a refused client read its answer first and close itself."""
        if self.watch.refused:
            end_of_answers(self.transport)
        else:
            self.close()

    def close(self) -> None:
        """Close once what was written has left, or its client stalls."""
        self.watch.closing()
        super().loseConnection()

    def abort(self) -> None:
        """Cut the connection at once, with whatever is not sent yet."""
        self.transport.abortConnection()  # type: ignore[union-attr]  # all streams can
