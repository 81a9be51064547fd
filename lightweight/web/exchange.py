"""One HTTP exchange with a client, as both lanes see it."""

from typing import Protocol

from lightweight.records import Headers, Request


class Flow(Protocol):
    """What an exchange pauses when its client reads slower than the provider writes."""

    def pause(self) -> None:
        """The client's buffers are full."""

    def resume(self) -> None:
        """The client took what was written."""


class Exchange(Protocol):
    """A request that arrived whole and the answer on its way back.

    When the client leaves, ``lost`` becomes true and every later call is a no-op; the
    lane cancels the handler that serves the exchange.
    """

    request: Request
    started: bool
    """The head was sent: the status is decided."""
    lost: bool

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

    def attach(self, flow: Flow) -> None:
        """Let the client's speed pause and resume ``flow``, until ``detach``."""

    def detach(self) -> None:
        """Stop steering the flow."""
