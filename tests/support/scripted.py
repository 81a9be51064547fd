"""A provider that does what a test tells it: exact bytes, exact moments, exact faults.

Each request takes the next script; a script is a sequence of steps::

    provider.reply(body=b"{}")
    provider.stream([b"data: 1\\n\\n", b"data: [DONE]\\n\\n"], gap=gate)
    provider.script(Send(head(200)), SILENCE)

Nothing here sleeps: a test opens a ``Gate``, or awaits ``request_seen`` and friends.
"""

import json
import select
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredQueue,
    maybeDeferred,
)
from twisted.internet.endpoints import SSL4ServerEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IPushProducer, IReadDescriptor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

import pytest_twisted
from support.steps import (
    SILENCE,
    Abort,
    Close,
    End,
    Flood,
    Gate,
    Headers,
    Send,
    Step,
    StopReading,
    Wait,
    chunk,
    head,
    streamed,
    whole,
)

__all__ = [
    "SILENCE",
    "Abort",
    "Close",
    "End",
    "Flood",
    "Gate",
    "Lost",
    "ScriptedProvider",
    "SeenRequest",
    "Send",
    "Step",
    "StopReading",
    "Wait",
    "chunk",
    "head",
    "scripted_provider",
    "streamed",
    "whole",
]


@dataclass(frozen=True)
class SeenRequest:
    """One request as it came in."""

    head: bytes
    """The exact bytes up to and including the empty line."""
    body: bytes
    connection: int
    """Which connection it came on, counted from 1."""
    method: str = field(init=False)
    path: str = field(init=False)
    header_list: tuple[tuple[str, str], ...] = field(init=False)
    """Names as sent, in order."""

    def __post_init__(self) -> None:
        first, *rest = self.head.decode("latin-1").split("\r\n")
        method, path, _version = first.split(" ")
        pairs = tuple(
            (name, value.strip())
            for name, _, value in (line.partition(":") for line in rest if line)
        )
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "header_list", pairs)

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name."""
        return {name.lower(): value for name, value in self.header_list}

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Lost:
    """A connection that ended."""

    connection: int
    at: float
    """By the reactor's clock."""
    reason: Failure | None
    """None where the peer's leaving was noticed without reading."""


@implementer(IReadDescriptor)
class _Departure:
    """Tells that the peer of a socket left, without reading from it.

    The reactor forgets a socket that it neither reads nor writes; an epoll object of
    its own, asked for hang-ups only, can itself be waited for.
    """

    def __init__(self, reactor: Any, fileno: int, left: Callable[[], None]) -> None:
        self._reactor = reactor
        self._left = left
        self._epoll = select.epoll()
        self._epoll.register(fileno, select.EPOLLRDHUP)
        reactor.addReader(self)

    def fileno(self) -> int:
        return -1 if self._epoll.closed else self._epoll.fileno()

    def doRead(self) -> None:
        if self._epoll.poll(0):
            self._left()

    def connectionLost(self, _reason: Failure) -> None:
        self.stop()

    def logPrefix(self) -> str:
        return "departure"

    def stop(self) -> None:
        if not self._epoll.closed:
            self._reactor.removeReader(self)
            self._epoll.close()


@implementer(IPushProducer)
class _Connection(Protocol):
    """One connection of the provider: reads requests, runs scripts."""

    def __init__(self, provider: "ScriptedProvider", number: int) -> None:
        self.number = number
        self.running: Deferred[None] | None = None
        self._provider = provider
        self._buffer = b""
        self._lost = False
        self._told = False
        self._flowing = Gate()
        self._flowing.open()
        self._departure: _Departure | None = None

    # -- requests ------------------------------------------------------------------

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.registerProducer(self, True)
        if self._provider.reads_nothing:
            self.stop_reading()
        self._provider._made(self)

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        self._next_request()

    def _next_request(self) -> None:
        if self.running is not None:
            return
        head_bytes, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        request = SeenRequest(head_bytes + end, b"", self.number)
        assert "transfer-encoding" not in request.headers, "clients send a length"
        length = int(request.headers.get("content-length", "0"))
        if self._provider.early:
            length = len(rest)
            self.stop_reading()
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        steps = self._provider._take(
            SeenRequest(head_bytes + end, rest[:length], self.number)
        )
        self.running = Deferred.fromCoroutine(self._run(steps))
        self.running.addErrback(lambda failure: failure.trap(CancelledError))
        self.running.addCallback(self._ran)

    def _ran(self, _result: object) -> None:
        self.running = None
        if not self._lost:
            self._next_request()

    # -- scripts -------------------------------------------------------------------

    async def _run(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Send(data):
                    await self._write(data)
                case Flood(data, times):
                    for _ in range(times):
                        await self._write(data)
                case Wait(gate):
                    await gate.passed()
                case StopReading():
                    self.stop_reading()
                case Close():
                    self._close()
                case Abort():
                    self.abort()

    async def _write(self, data: bytes) -> None:
        await self._flowing.passed()
        assert self.transport is not None
        self.transport.write(data)
        self._provider.written += len(data)

    def _close(self) -> None:
        transport: Any = self.transport
        transport.unregisterProducer()
        transport.loseConnection()

    def abort(self) -> None:
        """Reset the connection."""
        if self._departure is not None:
            self._departure.stop()
        transport: Any = self.transport
        transport.unregisterProducer()
        transport.abortConnection()

    # -- back-pressure -------------------------------------------------------------

    def pauseProducing(self) -> None:
        self._flowing = Gate()
        self._provider._stalls.put(self._provider.written)

    def resumeProducing(self) -> None:
        self._flowing.open()

    def stopProducing(self) -> None:
        """The connection's end says it all."""

    # -- the end -------------------------------------------------------------------

    def stop_reading(self) -> None:
        transport: Any = self.transport
        transport.pauseProducing()
        # Under TLS there is another transport beneath.
        handle = getattr(transport, "transport", transport).getHandle()
        self._departure = _Departure(
            self._provider.reactor, handle.fileno(), self._peer_left
        )

    def _peer_left(self) -> None:
        self._tell(None)
        self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True
        if self._departure is not None:
            self._departure.stop()
        self._tell(reason)
        if self.running is not None:
            self.running.cancel()
        self._provider._forget(self)

    def _tell(self, reason: Failure | None) -> None:
        if not self._told:
            self._told = True
            now = self._provider.reactor.seconds()
            self._provider._losses.put(Lost(self.number, now, reason))


class ScriptedProvider:
    """A provider on a free loopback port; plain, or TLS with ``tls`` as its context."""

    def __init__(self, tls: object | None = None) -> None:
        self.requests: list[SeenRequest] = []
        self.connections = 0
        """How many were ever made."""
        self.written = 0
        """Bytes that scripts have handed to the network so far."""
        self.reads_nothing = False
        """Connections made from now on never read a byte."""
        self.early = False
        """Scripts start when a head is there; of the body nothing more is read."""
        self.reactor: Any = None
        self.port = 0
        self._tls = tls
        self._listening: Any = None
        self._open: set[_Connection] = set()
        self._all_gone: Deferred[None] | None = None
        self.forget()

    def forget(self) -> None:
        """Be as one that has seen no request and was told nothing yet."""
        self.requests.clear()
        self.written = 0
        self._scripts: deque[tuple[Step, ...]] = deque()
        self._otherwise: Callable[[SeenRequest], tuple[Step, ...]] | None = None
        self._seen: DeferredQueue[SeenRequest] = DeferredQueue()
        self._losses: DeferredQueue[Lost] = DeferredQueue()
        self._connects: DeferredQueue[int] = DeferredQueue()
        self._stalls: DeferredQueue[int] = DeferredQueue()

    # -- life ----------------------------------------------------------------------

    async def start(self) -> "ScriptedProvider":
        """Listen."""
        from twisted.internet import reactor

        self.reactor = reactor
        endpoint: Any = (
            TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
            if self._tls is None
            else SSL4ServerEndpoint(reactor, 0, self._tls, interface="127.0.0.1")
        )
        self._listening = await endpoint.listen(Factory.forProtocol(self._connection))
        self.port = self._listening.getHost().port
        return self

    async def stop(self) -> None:
        """Stop listening, reset what is open, and wait until it is gone."""
        await self.refuse()
        await self.disconnect()

    async def disconnect(self) -> None:
        """Reset what is open, and wait until it is gone."""
        if self._open:
            self._all_gone = Deferred()
            for connection in list(self._open):
                connection.abort()
            await self._all_gone

    async def refuse(self) -> None:
        """Stop listening: who connects from now on is refused."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await maybeDeferred(listening.stopListening)

    @property
    def base_url(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/v1"

    @property
    def open_connections(self) -> int:
        return len(self._open)

    # -- scripts -------------------------------------------------------------------

    def script(self, *steps: Step) -> None:
        """Let one request be answered by these steps."""
        self._scripts.append(steps)

    def always(self, *steps: Step) -> None:
        """Let every request that no script is left for be answered by these steps."""
        self.choose(lambda _request: steps)

    def choose(self, answer: Callable[[SeenRequest], tuple[Step, ...]]) -> None:
        """Let ``answer`` choose the steps for requests that no script is left for.

        For clients that ask several things at once, in no order.
        """
        self._otherwise = answer

    def reply(
        self, status: int = 200, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        """Answer one request whole."""
        self.script(*whole(status, headers, body))

    def stream(
        self,
        pieces: Iterable[bytes],
        gap: Gate | None = None,
        *,
        headers: Headers | None = None,
        end: End = "clean",
    ) -> None:
        """Answer one request by pieces; each one waits at ``gap`` but the first."""
        self.script(*streamed(pieces, gap, headers=headers, end=end))

    # -- what happens --------------------------------------------------------------

    async def connection_made(self) -> int:
        """Wait for the next connection not waited for yet; give its number."""
        return await self._connects.get()

    async def request_seen(self) -> SeenRequest:
        """Wait for the next whole request not waited for yet."""
        return await self._seen.get()

    async def connection_lost(self) -> Lost:
        """Wait for the next lost connection not waited for yet."""
        return await self._losses.get()

    async def stalled(self) -> int:
        """Wait until a write is held back; give how much was written by then."""
        return await self._stalls.get()

    # -- the connections' side -----------------------------------------------------

    def _connection(self) -> _Connection:
        self.connections += 1
        return _Connection(self, self.connections)

    def _made(self, connection: _Connection) -> None:
        self._open.add(connection)
        self._connects.put(connection.number)

    def _take(self, request: SeenRequest) -> tuple[Step, ...]:
        self.requests.append(request)
        self._seen.put(request)
        if self._scripts:
            return self._scripts.popleft()
        if self._otherwise is not None:
            return self._otherwise(request)
        return whole(500, {}, b"the test has no script for this request")

    def _forget(self, connection: _Connection) -> None:
        self._open.discard(connection)
        if self._all_gone is not None and not self._open:
            gone, self._all_gone = self._all_gone, None
            gone.callback(None)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def scripted_provider() -> AsyncIterator[ScriptedProvider]:
    """A plain provider that is stopped after the test."""
    provider = await ScriptedProvider().start()
    yield provider
    await provider.stop()
