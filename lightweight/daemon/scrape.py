"""Where a serving process gets the figures of the whole server from.

A worker asks its parent at the control socket: the parent has them all. A process that
serves alone has them itself.
"""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from lightweight.daemon.figures import gauges as now
from lightweight.daemon.messages import (
    Misunderstood,
    Request,
    Scraped,
    Summed,
    Vitals,
    decode,
    encode,
)
from lightweight.daemon.pulse import Gauges, Pulse
from lightweight.errors import Overloaded
from lightweight.observe.counts import Series

SECONDS = 5.0
"""How long the parent may take to answer."""

MOMENT = 0.5
"""The same for a page that somebody waits for."""

UNTOLD = (OSError, ConnectError, ConnectionClosed, TookTooLong, Misunderstood)
"""What happens where the parent does not tell."""

AWAY = "The parent process did not give its figures. Scrape again in a moment."

Source: TypeAlias = Callable[[], Awaitable[Sequence[Series]]]
"""Gives the figures of the whole server. Raises Overloaded."""


class Scrape:
    """The answer to a scrape, made in a thread: it may be long."""

    def __init__(self, reactor: Any, source: Source) -> None:
        self._reactor = reactor
        self._source = source

    async def __call__(self, accept: str) -> tuple[str, bytes]:
        """Give the content type that suits an ``Accept`` header, and the body.

        Raises Overloaded where the figures cannot be had. Cancelling stops asking.
        """
        told = await self._source()
        pool = self._reactor.getThreadPool()
        return await deferToThreadPool(self._reactor, pool, _exposed, told, accept)


def _exposed(told: Sequence[Series], accept: str) -> tuple[str, bytes]:
    # Imported in the thread too: most workers are never scraped.
    from lightweight.observe.exposition import exposition  # noqa: PLC0415 -- as it says

    return exposition(told, accept)


class Alone:
    """The figures of a process that serves without a parent."""

    def __init__(self, clock: IReactorTime, gauges: Gauges) -> None:
        self._gauges = gauges
        self._pulse = Pulse(clock, gauges, self._hear)
        self._vitals: Vitals

    async def series(self) -> Sequence[Series]:
        """Give the figures as of now."""
        self._pulse.tell()
        counted = self._gauges.counts.series()
        return [*counted, *now(None, [("serving", self._vitals)], [])]

    def _hear(self, vitals: Vitals, _take: object) -> None:
        self._vitals = vitals


async def ask_parent(reactor: Any, control: Path) -> Sequence[Series]:
    """Give the figures that the parent has, asked at its socket.

    Raises Overloaded where it does not tell in time. Cancelling hangs up.
    """
    try:
        line = await _answer(reactor, control, Request(do="metrics"), SECONDS)
        return decode(line, Scraped).series
    except UNTOLD:
        raise Overloaded(AWAY) from None


async def ask_sums(reactor: Any, control: Path) -> Mapping[str, float]:
    """Give the sums over all workers, by their names in the parent's figures.

    Raises Overloaded where it does not tell in a moment. Cancelling hangs up.
    """
    try:
        line = await _answer(reactor, control, Request(do="top"), MOMENT)
        return decode(line, Summed).in_all
    except UNTOLD:
        raise Overloaded(AWAY) from None


async def _answer(reactor: Any, control: Path, asked: Request, seconds: float) -> bytes:
    directory = os.open(control.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        # A path may be longer than the 108 bytes of unix(7).
        place = f"/proc/self/fd/{directory}/{control.name}"
        endpoint = UNIXClientEndpoint(reactor, place, timeout=seconds)
        question = await connectProtocol(endpoint, _Question(asked))
    finally:
        os.close(directory)
    try:
        line: bytes = await question.answer.addTimeout(seconds, reactor)
        return line
    finally:
        question.hang_up()


class _Question(Protocol):
    def __init__(self, asked: Request) -> None:
        self._asked = asked
        self.answer: Deferred[bytes] = Deferred()
        self._said = bytearray()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(encode(self._asked))

    def dataReceived(self, data: bytes) -> None:
        self._said += data
        if data.endswith(b"\n") and not self.answer.called:
            self.answer.callback(bytes(self._said))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.answer.called:
            self.answer.errback(reason)

    def hang_up(self) -> None:
        transport: Any = self.transport
        transport.loseConnection()
