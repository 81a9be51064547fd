"""The front of the server: one connection, and who serves it.

POSTs that ask a model are served from here, the express lane: no router, no object for
each field. Everything else goes with its bytes to Twisted's channel and the app's
routes behind it, and so does the rest of that connection's life.
"""

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from lightweight.config.schema import Edge
from lightweight.errors import Fault, Overloaded
from lightweight.records import Identity
from lightweight.web import edge
from lightweight.web.exchange import Flow
from lightweight.web.front_exchange import FrontExchange
from lightweight.web.front_head import Asking, HeadReader, is_whole, may_become
from lightweight.web.site_channel import GatewayChannel
from lightweight.web.site_socket import read_at_once, see_vanished_peers
from lightweight.web.watch import Watch

if TYPE_CHECKING:
    from lightweight.web.site import GatewaySite


@implementer(IPushProducer)
class Front(Protocol):
    """One connection, from its opening to its end."""

    transport: Any

    def __init__(self, site: "GatewaySite") -> None:
        self.site = site
        self.flow: Flow | None = None
        """What the client's speed pauses and resumes."""
        self._watch: Watch
        self._host = ""
        self._behind: GatewayChannel | None = None
        self._came: list[bytes] = []
        self._size = 0
        """Bytes in ``_came``."""
        self._arrived: float | None = None
        """When the line came that begins a request, by the reactor's clock."""
        self._heads = HeadReader()
        self._asking: Asking | None = None
        self._exchange: FrontExchange | None = None
        self._advancing = False
        self._closed = False

    def connectionMade(self) -> None:
        """Be counted as open; be turned away where too many are."""
        site, transport = self.site, self.transport
        site.connections.add(self)
        self._host = str(getattr(transport.getPeer(), "host", "") or "")
        self._watch = Watch(
            site.reactor,
            lambda: site.current().config.edge,
            transport,
            self._out_of_time,
        )
        see_vanished_peers(transport, self._edge.write_stall)
        if ITCPTransport.providedBy(transport):
            # The end of a stream would wait for the client's word that it has the rest.
            transport.setTcpNoDelay(True)
        transport.registerProducer(self, streaming=True)
        room = site.room()
        if room == "cut":
            self.abort()
        elif room == "refuse":
            self._hand_over(
                Overloaded("Too many connections are open. Try again in a moment.")
            )
        elif not site.current().config.express:
            self._hand_over()

    @property
    def _edge(self) -> Edge:
        return self.site.current().config.edge

    @property
    def streams(self) -> int:
        """How many answers are being streamed."""
        if self._behind is not None:
            return self._behind.streams
        return int(self._exchange is not None and self._exchange.streaming)

    # -- a request arrives ---------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._behind is not None:
            self._behind.dataReceived(data)
            return
        if self._closed:
            return
        self._came.append(data)
        self._size += len(data)
        if self._exchange is not None:
            if self._size > edge.AHEAD_BYTES:
                self.abort()
            return
        if self._asking is not None:
            self._watch.body_came(len(data))
        self._advance()
        if self._came and self._exchange is None and not self._closed:
            # What comes in one piece needs no deadline.
            self._watch.bytes_came()

    def _advance(self) -> None:
        """Serve what came, one request after the other."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._came and self._exchange is None and not self._closed:
                asking = self._asking or self._judged()
                if asking is None or self._size < asking.head_size + asking.length:
                    return
                self._begin(asking)
        finally:
            self._advancing = False

    def _judged(self) -> Asking | None:
        """Read the head; hand over what is not for this lane. None: nothing to do."""
        came = b"".join(self._came)
        self._came = [came]
        site, arrived = self.site, self._arrived
        if arrived is None:
            arrived = self._arrived = site.reactor.seconds()
        max_body = site.current().config.edge.max_body
        asking = self._heads.read(came, site.express, max_body, arrived)
        if asking is None:
            if b"\r\n" not in came:
                # A request begins with a whole line.
                self._arrived = None
            if is_whole(came) or not may_become(came, site.express):
                self._hand_over()
            return None
        fault = site.gate(asking, asking.length)
        if fault is not None:
            # Who is refused here is refused there, and closed.
            self._hand_over(told=(fault, asking.identity))
            return None
        if not asking.fresh:
            self._watch.body_begins()
            self._watch.body_came(len(came) - asking.head_size)
            size = asking.head_size + asking.length
            read_at_once(self.transport, min(size, edge.READ_BYTES))
        self._asking = asking
        return asking

    def _begin(self, asking: Asking) -> None:
        came, self._came = self._came, []
        # Its head was read off the first piece: so nothing large is copied twice.
        came[0] = came[0][asking.head_size :]
        body = b"".join(came)
        self._size = len(body) - asking.length
        if self._size:
            self._came.append(body[asking.length :])
            body = body[: asking.length]
        self._arrived = self._asking = None
        self._watch.served()
        exchange = FrontExchange(self, asking, body, self._host)
        self._exchange = exchange
        exchange.serve(self.site.express[asking.path](exchange))

    # -- an answer leaves ----------------------------------------------------------

    def answered(self, *, persists: bool) -> None:
        """Learn that the answer is sent: wait for the next request, or close."""
        self._exchange = None
        if persists:
            self._watch.idle()
            if self._came:
                self._advance()
        else:
            self.close()

    def pauseProducing(self) -> None:
        """Learn that the client takes nothing for now."""
        self._watch.takes_nothing()
        if self.flow is not None:
            self.flow.pause()
        if self._exchange is None:
            # It asks more and takes no answers.
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Learn that the client took everything."""
        self._watch.took_all()
        if self.flow is not None:
            self.flow.resume()
        if not self._closed:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: a call ends when its connection is lost."""

    # -- the end -------------------------------------------------------------------

    def _out_of_time(self, verdict: Fault | None) -> None:
        if verdict is None:
            self.close()
        else:
            self._hand_over(verdict)

    def _hand_over(
        self,
        fault: Fault | None = None,
        *,
        told: tuple[Fault, Identity | None] | None = None,
    ) -> None:
        """Let Twisted's channel serve the connection from here, or refuse it there.

        ``told`` is what the gate said of the request, and who asks it.
        """
        came, self._came, self._asking = b"".join(self._came), [], None
        self.transport.unregisterProducer()
        channel = self._behind = self.site.channel(self._watch, self._arrived)
        channel.told = told
        channel.makeConnection(self.transport)
        if came:
            channel.dataReceived(came)
        if fault is not None:
            channel.refuse(fault)

    def close(self) -> None:
        """Close once what was written has left, or its client stalls."""
        if self._behind is not None:
            self._behind.close()
            return
        self._closed = True
        self._watch.closing()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def abort(self) -> None:
        """Cut the connection at once, with whatever is not sent yet."""
        self._closed = True
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client, and stop its call."""
        self._watch.stop()
        self._closed = True
        if self._behind is not None:
            self._behind.connectionLost(reason)
        elif self._asking is not None:
            FrontExchange(self, self._asking, b"", self._host).left()
        elif self._exchange is not None:
            self._exchange.left()
        self.site.gone(self)
