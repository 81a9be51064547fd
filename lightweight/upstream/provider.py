"""The contract of a provider: a request goes out, a status and a flow of bytes return.

Two homes: ``http.HttpProvider`` (the network) and ``demo.DemoProvider`` (built in). The
web's relay sees only these Protocols.
"""

from typing import Protocol

from lightweight.errors import ProviderFault
from lightweight.records import Headers, Outgoing


class Sink(Protocol):
    """Who receives a provider's body."""

    def received(self, data: bytes) -> None:
        """Take the next bytes. Never called after ``ended`` nor after ``abort``."""

    def ended(self, fault: ProviderFault | None) -> None:
        """Take the end, exactly once: None for a clean one, else what went wrong."""


class Source(Protocol):
    """A provider's body: flows after ``deliver``, can be paused, can be stopped."""

    def deliver(self, sink: Sink) -> None:
        """Begin to flow into ``sink``, possibly at once, within this call."""

    def pause(self) -> None:
        """Flow no more until ``resume``: the provider feels the back-pressure."""

    def resume(self) -> None:
        """Flow again."""

    def abort(self) -> None:
        """Stop the provider now, also one that does not read; the sink hears no more.

        Safe to call at any time and more than once; a no-op after the end.
        """


class Reply(Protocol):
    """The head of a provider's answer and the body behind it."""

    status: int
    headers: Headers
    body: Source


class Provider(Protocol):
    """One configured provider."""

    name: str

    async def send(self, outgoing: Outgoing, request_id: str) -> Reply:
        """Send a request and give its reply once the head arrived.

        Raises ProviderUnreachable, ProviderTimeout or ProviderGarbage. Cancelling stops
        the provider at once and raises ``CancelledError``. Whoever gets a reply must
        deliver or abort its body.
        """

    async def close(self) -> None:
        """Close idle connections; replies in flight are left alone."""
