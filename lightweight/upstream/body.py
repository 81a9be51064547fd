"""A provider's body on its way out of Twisted: pausable, abortable, under clocks."""

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import TransportProxyProducer
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss, _MalformedChunkedDataError
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from lightweight.errors import (
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
)
from lightweight.upstream.provider import Sink, Source


def real_transport(transport: object) -> object | None:
    """Give the transport behind the proxy that a response body gets.

    The proxy can only ``loseConnection``, which over TLS waits for the peer for ever
    (Twisted #8227). None once the response is whole: then the connection serves others.
    """
    if isinstance(transport, TransportProxyProducer):
        behind: object | None = transport._producer  # noqa: SLF001 -- there is no other way to it
        return behind
    return transport


def abort_transport(transport: object | None) -> None:
    """Reset a connection without waiting for its peer; a no-op for None.

    Transports without ``abortConnection`` (those in memory) are closed in order.
    """
    # Losing it first marks it as ``disconnecting``: no pool may take it back.
    for how in ("loseConnection", "abortConnection"):
        stop = getattr(transport, how, None)
        if stop is not None:
            stop()


class _Abandoned(Protocol):
    def connectionMade(self) -> None:
        abort_transport(real_transport(self.transport))


def abandon(response: IResponse) -> None:
    """Reset the connection of a response whose body nobody wants."""
    response.deliverBody(_Abandoned())


class Body(Protocol):
    """The body of one response, as the ``Source`` of our seam.

    ``idle`` seconds may pass between two pieces while it is not paused; at ``deadline``
    (reactor time) it is over in any case. After ``pause`` nothing is delivered, the
    end neither: what was on its way is held (at most one read of the socket).
    """

    def __init__(
        self,
        response: IResponse,
        clock: IReactorTime,
        *,
        name: str,
        idle: float,
        deadline: float,
    ) -> None:
        """``name`` is the provider's, for the text of faults."""
        self._response = response
        self._clock = clock
        self._name = name
        self._idle_seconds = idle
        self._deadline = deadline
        self._sink: Sink | None = None
        self._held: deque[bytes] = deque()
        self._end: tuple[ProviderFault | None] | None = None
        self._asked = False
        self._paused = False
        self._flushing = False
        self._over = False
        self._behind: object | None = None
        self._idle: IDelayedCall | None = None
        self._total: IDelayedCall | None = None

    # -- what the sink's owner does ------------------------------------------------

    def deliver(self, sink: Sink) -> None:
        """Begin to flow into ``sink``, possibly at once."""
        if self._over:
            return
        self._sink = sink
        left = max(0.0, self._deadline - self._clock.seconds())
        self._total = self._clock.callLater(left, self._total_ran_out)
        self._watch_idle()
        self._ask()
        # Asking for the body resumes the transport.
        if self._paused:
            self._steer("pauseProducing")

    def pause(self) -> None:
        """Deliver nothing until ``resume``."""
        if self._paused or self._over:
            return
        self._paused = True
        _stop(self._idle)
        self._steer("pauseProducing")

    def resume(self) -> None:
        """Deliver again, what was held first and possibly at once."""
        if not self._paused or self._over:
            return
        self._paused = False
        self._watch_idle()
        self._flush()
        if not self._paused and not self._over:
            self._steer("resumeProducing")

    def abort(self) -> None:
        """Reset the connection if the response is not whole; the sink hears no more."""
        if self._over:
            return
        self._finish()
        if self._asked:
            abort_transport(real_transport(self.transport))
        else:
            self._ask()

    # -- what Twisted does ---------------------------------------------------------

    def connectionMade(self) -> None:
        """Take the transport; an abort may have come first."""
        self._behind = real_transport(self.transport)
        if self._over:
            abort_transport(self._behind)

    def dataReceived(self, data: bytes) -> None:
        """Take a piece of the body, its transfer coding undone."""
        if self._over:
            return
        if self._idle is not None and self._idle.active():
            self._idle.reset(self._idle_seconds)
        self._held.append(data)
        self._flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take the end; where no framing tells, the dialect knows if it is whole."""
        if self._over:
            return
        fault: ProviderFault | None = None
        if reason.check(ResponseDone, PotentialDataLoss) is None:
            fault = _broken(self._name, reason)
            # Twisted closed it in order, which a peer can drag out.
            abort_transport(self._behind)
        self._behind = None
        self._end = (fault,)
        _stop(self._idle)
        _stop(self._total)
        self._flush()

    # -- inside --------------------------------------------------------------------

    def _ask(self) -> None:
        self._asked = True
        self._response.deliverBody(self)

    def _flush(self) -> None:
        if self._flushing:
            return
        self._flushing = True
        try:
            while self._held and self._may_deliver():
                assert self._sink is not None
                self._sink.received(self._held.popleft())
        finally:
            self._flushing = False
        if self._end is not None and not self._held and self._may_deliver():
            self._tell(*self._end)

    def _may_deliver(self) -> bool:
        return not self._paused and not self._over

    def _tell(self, fault: ProviderFault | None) -> None:
        sink = self._sink
        self._finish()
        if sink is not None:
            sink.ended(fault)

    def _finish(self) -> None:
        self._over = True
        self._sink = None
        self._held.clear()
        _stop(self._idle)
        _stop(self._total)

    def _steer(self, how: str) -> None:
        if self.transport is not None:
            getattr(self.transport, how)()

    def _watch_idle(self) -> None:
        if self._end is None and not self._paused:
            self._idle = self._clock.callLater(self._idle_seconds, self._idle_ran_out)

    def _idle_ran_out(self) -> None:
        self._ran_out(f"Provider {self._name!r} fell silent in the middle of an answer")

    def _total_ran_out(self) -> None:
        self._ran_out(f"Provider {self._name!r} did not finish its answer in time")

    def _ran_out(self, text: str) -> None:
        abort_transport(real_transport(self.transport))
        self._tell(ProviderTimeout(f"{text}."))


def _stop(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()


def _broken(name: str, reason: Failure) -> ProviderFault:
    error = reason.value
    reasons = error.reasons if isinstance(error, ResponseFailed) else ()
    if any(each.check(_MalformedChunkedDataError) for each in reasons):
        return ProviderGarbage(f"Provider {name!r} broke HTTP's framing of the answer.")
    return ProviderCut(f"Provider {name!r} broke off its answer before the end.")


@implementer(IBodyProducer)
class BytesProducer:
    """A request's body, already whole in memory: written in one go.

    Twisted holds back a response until its request is written. Handing over all bytes
    at once lets a provider refuse a large request before it has read it.
    """

    def __init__(self, body: bytes, started: Callable[[], None] | None = None) -> None:
        """``started`` is called when a connection is there and the request goes out."""
        self.length = len(body)
        self._body = body
        self._started = started

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write it all."""
        if self._started is not None:
            self._started()
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: it is all written."""

    def resumeProducing(self) -> None:
        """Do nothing: it is all written."""

    def stopProducing(self) -> None:
        """Do nothing: it is all written."""


class _Collector:
    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self._left = limit
        self._pieces: list[bytes] = []
        self.done: Deferred[None] = Deferred()

    def received(self, data: bytes) -> None:
        self._pieces.append(data[: self._left])
        self._left -= len(self._pieces[-1])
        if self._left == 0:
            self._source.abort()
            self.ended(None)

    def ended(self, _fault: ProviderFault | None) -> None:
        if not self.done.called:
            self.done.callback(None)

    def collected(self) -> bytes:
        return b"".join(self._pieces)


async def read_start(source: Source, limit: int) -> bytes:
    """Give a body's first ``limit`` bytes, or what came of it before it broke.

    Its time is bounded by the source's own clocks. Cancelling aborts the source.
    """
    collector = _Collector(source, limit)
    try:
        source.deliver(collector)
        await collector.done
    finally:
        source.abort()
    return collector.collected()
