"""The connections to one origin: the one used last serves first."""

import re
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.wire import Connection, StaleConnection
from lightweight.upstream.wire_request import Request

PER_ORIGIN = 256
"""Idle connections kept."""

LONGEST_LIFE_SECONDS = 600.0
"""Age at which a connection serves no more: its host may have moved since."""

CLOSE_SECONDS = 1.0
"""How long closing waits for peers to take the last bytes."""

_IDENTITY = re.compile(r"(?:identity|[ \t,])*", re.IGNORECASE)


class UnwantedEncoding(Exception):
    """The answer came compressed although ``identity`` was asked for."""


class Dialer(Protocol):
    """Makes connections to one origin."""

    def connect(self) -> "Deferred[Connection]":
        """Connect; fail with a reason for people. Cancelling leaves nothing open."""


class Pool:
    """Asks on an idle connection, or on a new one."""

    def __init__(
        self,
        clock: IReactorTime,
        deadlines: Deadlines,
        dialer: Dialer,
        *,
        persistent: bool = True,
    ) -> None:
        """Without ``persistent`` every request has a connection of its own."""
        self._clock = clock
        self._seconds = clock.seconds
        self._dialer = dialer
        self._keeps = persistent
        self._idle: list[Connection] = []
        self._sweep = deadlines.make(self._close_old)
        self.opened = 0
        """Connections that were made, or tried."""
        self.reused = 0
        """Requests that found one idle."""

    async def ask(self, request: Request, incoming: Incoming) -> None:
        """Send a request and wait for the head of its answer.

        An idle connection may be closed by its peer at this moment, which is no fault
        of the provider: with not a byte heard the request goes out once more, on a
        fresh one. Raises what connecting fails with, BadResponse, UnwantedEncoding, or
        how the connection ended. Cancelling resets the connection.
        """
        try:
            connection = self._take() or await self._dial(incoming)
            try:
                await connection.ask(request, incoming)
            except StaleConnection:
                fresh = await self._dial(incoming)
                await fresh.ask(request, incoming)
        except BaseException:
            incoming.abort()
            raise
        encoding = incoming.fields.get("content-encoding")
        if encoding and not _IDENTITY.fullmatch(encoding):
            incoming.abort()
            raise UnwantedEncoding

    async def close(self) -> None:
        """Close idle connections, waiting at most CLOSE_SECONDS for the peers.

        Those in use are closed when their answers are whole.
        """
        self._keeps = False
        idle = [connection for connection in self._idle if connection.usable]
        self._idle.clear()
        self._sweep.stop()
        closing = [connection.close() for connection in idle]
        limit = self._clock.callLater(CLOSE_SECONDS, _reset, idle)
        try:
            for closed in closing:
                await closed
        finally:
            if limit.active():
                limit.cancel()

    async def _dial(self, incoming: Incoming) -> Connection:
        self.opened += 1
        connection = await incoming.waiting(self._dialer.connect())
        connection.freed = self._keep
        connection.serves_until = self._seconds() + LONGEST_LIFE_SECONDS
        return connection

    def _take(self) -> Connection | None:
        """Give the connection used last, if it may still serve."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and self._seconds() < connection.waits_until:
                self.reused += 1
                return connection
            connection.let_go()
        return None

    def _keep(self, connection: Connection) -> None:
        now = self._seconds()
        if not self._keeps or now >= connection.serves_until:
            connection.let_go()
            return
        if len(self._idle) >= PER_ORIGIN:
            self._idle.pop(0).let_go()
        connection.waits_until = now + connection.idle_seconds
        self._idle.append(connection)
        if connection.waits_until < self._sweep.at:
            self._sweep.move(connection.waits_until)

    def _close_old(self) -> None:
        now = self._seconds()
        old = [each for each in self._idle if each.waits_until <= now]
        self._idle = [each for each in self._idle if each.waits_until > now]
        for connection in old:
            connection.let_go()
        if self._idle:
            self._sweep.move(min(each.waits_until for each in self._idle))


def _reset(connections: list[Connection]) -> None:
    for connection in connections:
        connection.abort()
