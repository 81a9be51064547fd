"""One HTTP exchange with a client, as both lanes see it."""

from collections.abc import Callable
from typing import Protocol

from twisted.python.failure import Failure

from lightweight.records import Headers, Identity, Outcome, Request


class Flow(Protocol):
    """What an exchange pauses when its client reads slower than the provider writes."""

    def pause(self) -> None:
        """The client's buffers are full."""

    def resume(self) -> None:
        """The client took what was written."""


class Exchange(Protocol):
    """A request that arrived whole and the answer on its way back.

    When the client leaves, ``lost`` becomes true and every later call is a no-op; the
    lane cancels the handler that serves the exchange, as soon as it lingers no more.
    """

    lingers: Callable[[], float]
    """Asked when the client left: for how many seconds the handler may go on."""

    @property
    def request(self) -> Request:
        """The request."""

    @property
    def started(self) -> bool:
        """The head was sent: the status is decided."""

    @property
    def lost(self) -> bool:
        """The client left."""

    def start(
        self, status: int, headers: Headers, *, length: int | None = None
    ) -> None:
        """Send the head; ``length`` in bytes where the body's is known."""

    def write(self, data: bytes) -> None:
        """Send the next bytes of the body."""

    def finish(self) -> None:
        """End the answer."""

    def abort(self) -> None:
        """Cut the connection: what the client got must not pass for whole."""

    def stop(self) -> None:
        """Cancel the handler that serves the exchange, which waits for something."""

    def attach(self, flow: Flow) -> None:
        """Let the client's speed pause and resume ``flow``, until ``detach``."""

    def detach(self) -> None:
        """Stop steering the flow."""


class KeyedExchange(Exchange, Protocol):
    """An exchange that is served for somebody, and told of in the access log."""

    identity: Identity | None
    """Who asks, as far as it is known: the answer's fields and the log name it."""
    identified: bool
    """The identity was found just now and needs no second look."""

    def hold_line(self) -> Callable[[Outcome | None], None]:
        """Hold the access line back until the Outcome is given to what is returned."""

    def failed(self, reason: Failure) -> None:
        """Log a bug of ours with its traceback, and answer without a word of it."""
