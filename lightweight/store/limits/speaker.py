"""What is said to a Redis server: by txredisapi, or ready made and past its machinery.

txredisapi builds a command word by word and takes three Deferreds for its reply, which
costs more than all else that a limit costs. What is said for each request comes whole,
and its reply goes straight to whoever waits. The connection and its greeting are
txredisapi's.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITCPTransport
from twisted.python.failure import Failure
from txredisapi import ConnectionError as ConnectionLost
from txredisapi import InvalidResponse, RedisProtocol

from lightweight.config.redis import RedisPlace
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.replies import Replies, Reply
from lightweight.store.limits.turn import put_off_by

Gone: TypeAlias = "Callable[[Speaker, str], None]"
"""Is told which connection was lost and why."""

Send: TypeAlias = Callable[[Any, bytes], object]
"""Writes bytes to a transport, in this turn of the reactor or in the next."""


class Hearer(Protocol):
    """Who waits for the reply to one command."""

    def hear(self, reply: Reply | ConnectionLost) -> None:
        """Learn it, or that there will be none."""


def in_its_turn(transport: Any, data: bytes) -> None:
    """Write as Twisted does."""
    transport.write(data)


class Speaker(RedisProtocol):  # type: ignore[misc]  # txredisapi has no types
    """One connection to a server."""

    def __init__(
        self,
        who: RedisPlace | None,
        gone: Gone,
        *,
        reactor: Any,
        send: Send = in_its_turn,
    ) -> None:
        """``who`` has user, password and database; None for none of them."""
        super().__init__(
            charset=None,
            convertNumbers=False,
            username=who.user if who else None,
            password=who.password if who else None,
            dbid=who.database or None if who else None,
        )
        self.greeted: Deferred[None] = Deferred()
        """Fires when commands may be sent; fails with LimitsUnavailable."""
        self._gone = gone
        self._put_off = put_off_by(reactor)
        self._send_now = send
        self._replies = Replies()
        self._hearing: deque[Hearer] = deque()
        """Who waits for a reply, in the order of the replies."""
        self._unsent: list[bytes] = []
        self.whenConnected().addCallback(lambda _: self.greeted.callback(None))

    def connectionMade(self) -> None:
        """Greet the server."""
        if ITCPTransport.providedBy(self.transport):
            # What one turn says does not wait for the last one's to arrive.
            self.transport.setTcpNoDelay(True)
        super().connectionMade()

    def say(self, command: bytes, hearer: Hearer) -> None:
        """Send a whole command; ``hearer`` learns its reply, or that there is none.

        No command of txredisapi's may be under way: replies have no names.
        """
        self._hearing.append(hearer)
        if not self._unsent:
            self._put_off(self._send)
        self._unsent.append(command)

    def _send(self) -> None:
        # One write for all that one turn of the reactor had to say.
        unsent, self._unsent = self._unsent, []
        if unsent:
            self._send_now(self.transport, b"".join(unsent))

    def dataReceived(self, data: bytes) -> None:
        """Pass each reply on to who waits for it."""
        try:
            replies = self._replies.feed(data)
        except InvalidResponse as problem:
            self.factory.connectionError(str(problem))
            self.transport.abortConnection()
            return
        hearing = self._hearing
        for reply in replies:
            if hearing:
                hearing.popleft().hear(reply)
            else:
                self.replyReceived(reply)

    def connectionLost(self, why: Failure) -> None:
        """Tell that nothing can be sent, then fail all that wait for an answer."""
        reason = self.factory.refusal or why.getErrorMessage().rstrip(".")
        self._unsent.clear()
        self._gone(self, reason)
        while self._hearing:
            self._hearing.popleft().hear(ConnectionLost(reason))
        super().connectionLost(why)
        if not self.greeted.called:
            self.greeted.errback(LimitsUnavailable(reason))
