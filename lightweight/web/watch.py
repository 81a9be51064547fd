"""One connection's time under a reactor: what the edge's Patience and Stall decide.

Whoever serves the connection tells of what happens, and is told when the client is out
of time; a client that takes nothing for too long is cut from here.
"""

from collections.abc import Callable
from math import inf
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from lightweight.config.schema import Edge
from lightweight.errors import Fault
from lightweight.web import edge
from lightweight.web.site_socket import unsent


class Watch:
    """Watches one client from the opening of its connection until ``stop``."""

    def __init__(
        self,
        reactor: IReactorTime,
        current: Callable[[], Edge],
        transport: Any,
        out_of_time: Callable[[Fault | None], None],
    ) -> None:
        """``current`` gives the caps in force.

        ``out_of_time`` is called when the client owes something for too long, with what
        it is told; None: nothing, since it asked nothing. Whoever takes the connection
        over sets it anew.
        """
        self.out_of_time = out_of_time
        self._reactor = reactor
        self._current = current
        self._transport = transport
        self._patience = edge.Patience(current(), reactor.seconds())
        self.served = self._patience.served
        """Learn that the request is whole: now we owe."""
        self._in_time: IDelayedCall | None = None
        self._looks_at = inf
        """When ``_in_time`` is due."""
        self._stall: edge.Stall | None = None
        self._next_look: IDelayedCall | None = None
        self._closing = False
        self._discarded = 0
        self._discarding: IDelayedCall | None = None
        self._plan()

    # -- what it has to send -------------------------------------------------------

    def bytes_came(self) -> None:
        """Learn of bytes: the first ones of a head start its time."""
        self._patience.bytes_came(self._current(), self._reactor.seconds())
        self._plan()

    def body_begins(self) -> None:
        """Learn that the head is whole."""
        self._patience.body_begins(self._current(), self._reactor.seconds())
        self._plan()

    def body_came(self, size: int) -> None:
        """Learn of so many more bytes of the body."""
        self._patience.body_came(size)

    def idle(self) -> None:
        """Learn that the answer is sent and the next request may come."""
        due = self._patience.idle(self._current(), self._reactor.seconds())
        if due < self._looks_at:
            self._plan()

    def _plan(self) -> None:
        """Look again when the client is out of time; a look too early does no harm."""
        due = self._patience.due
        if due is None or due >= self._looks_at or self.refused:
            return
        self._looks_at = due
        left = max(0.0, due - self._reactor.seconds())
        if self._in_time is None or not self._in_time.active():
            self._in_time = self._reactor.callLater(left, self._look)
        else:
            self._in_time.reset(left)

    def _look(self) -> None:
        self._looks_at = inf
        due = self._patience.due
        if due is None or due > self._reactor.seconds():
            self._plan()
        elif not self.refused:
            self.out_of_time(self._patience.verdict())

    # -- what it has to take -------------------------------------------------------

    def takes_nothing(self) -> None:
        """Learn that its buffers are full: from now on it must take something."""
        if self._stall is None:
            self._stall = edge.Stall(
                self._current().write_stall,
                self._reactor.seconds(),
                unsent(self._transport),
            )
        if self._next_look is None or not self._next_look.active():
            self._next_look = self._reactor.callLater(
                self._stall.every, self._look_at_stall
            )

    def took_all(self) -> None:
        """Learn that nothing waits for it any more."""
        if not self._closing:
            self._stall = None

    def closing(self) -> None:
        """Learn that the connection closes as soon as the client took the rest."""
        self._closing = True
        self.takes_nothing()

    def _look_at_stall(self) -> None:
        if self._stall is None:
            return
        if self._stall.over(self._reactor.seconds(), unsent(self._transport)):
            self._transport.abortConnection()
        else:
            self.takes_nothing()

    # -- the end -------------------------------------------------------------------

    @property
    def refused(self) -> bool:
        """Whether it was refused: nobody listens to what it sends."""
        return self._discarding is not None

    def refuse(self) -> None:
        """Let it send on for a while: a close now would destroy the answer."""
        self._discarding = self._reactor.callLater(
            edge.DISCARD_SECONDS, self._transport.abortConnection
        )

    def discard(self, size: int) -> None:
        """Learn of so many bytes that nobody listens to."""
        self._discarded += size
        if self._discarded > edge.DISCARD_BYTES:
            self._transport.abortConnection()

    def stop(self) -> None:
        """Watch no more: the connection is closed."""
        for call in (self._in_time, self._next_look, self._discarding):
            if call is not None and call.active():
                call.cancel()
