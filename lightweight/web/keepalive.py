"""What keeps a silent stream open: hops between us and a client cut it else."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from lightweight.records import Headers
from lightweight.web.exchange import Exchange

SECONDS = 15.0
"""Silence after which a stream gets a sign of life.

Hops cut it after some 100 s, Claude Code warns after 20.
"""

_EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_LONGEST_END = 4


class KeepAlive:
    """Watches one stream from the moment its call is known until its end.

    A provider that is silent for long costs the call its open status: the head with
    status 200 leaves before the first comment, and a later fault becomes an event.
    """

    def __init__(
        self, exchange: Exchange, clock: IReactorTime, headers: Headers, sign: bytes
    ) -> None:
        """``sign`` is what goes out: whole events, or comments.

        ``headers`` go out with status 200 if that is the first thing to go.
        """
        self.held = False
        """Set while the client does not read: it needs no more bytes."""
        self._exchange = exchange
        self._clock = clock
        self._headers = headers
        self._sign = sign
        self._seconds = clock.seconds
        self._tail = _EVENT_ENDS[0]
        self._spoke = 0.0
        """When the silence began."""
        self._next: IDelayedCall | None = None

    def begin(self) -> None:
        """Count silence from now on."""
        self._spoke = self._seconds()
        self._next = self._clock.callLater(SECONDS, self._look)

    def wrote(self, data: bytes) -> None:
        """Learn of bytes that went out: the silence begins anew."""
        # For every event of every stream: the clock's call is not moved but looks.
        self._spoke = self._seconds()
        if len(data) < _LONGEST_END:
            data = self._tail + data
        self._tail = data[-_LONGEST_END:]

    def end(self) -> None:
        """Write nothing more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        left = self._spoke + SECONDS - self._seconds()
        if left > 0:
            self._next = self._clock.callLater(left, self._look)
        else:
            self.begin()
            self._give_sign()

    def _give_sign(self) -> None:
        # Inside an event it would tear that.
        if self.held or not self._tail.endswith(_EVENT_ENDS):
            return
        if not self._exchange.started:
            self._exchange.start(200, self._headers)
        self._exchange.write(self._sign)
