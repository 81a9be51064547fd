"""The contract of a dialect, and of one answer's way through the gateway.

A dialect is sans-io: bytes in, values out. It raises ``ClientFault`` for what the
client did wrong and ``ProviderFault`` for what the provider did wrong, and for any
bytes at all nothing else. Dialects do not inherit from each other: shared parts are
functions.

Two dialects meet over ``lightweight.events`` (hub and spoke), never pairwise. Where
both sides speak the same dialect the bytes pass untouched through ``Dialect.passage``.
"""

from collections.abc import Sequence
from typing import Protocol

from lightweight.errors import Fault
from lightweight.events import Event
from lightweight.prompts import Prompt
from lightweight.records import (
    Answer,
    Call,
    DialectName,
    Headers,
    Outgoing,
    Request,
    Target,
    Usage,
)


class Reader(Protocol):
    """A provider's bytes to events, whole or streamed. One for each answer."""

    @property
    def complete(self) -> bool:
        """The answer's end was seen: ``finish`` may be called before the body ends."""

    def feed(self, data: bytes) -> Sequence[Event]:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""

    def finish(self) -> Sequence[Event]:
        """Give the last events; raise ProviderCut if the body is not whole."""


class Writer(Protocol):
    """Events to the client's bytes, whole or streamed. One for each answer."""

    def write(self, event: Event) -> bytes:
        """Give the bytes this event makes; a whole answer gives none before its end."""

    def finish(self) -> bytes:
        """Give the bytes that tell the client the answer is complete."""

    def broken(self, fault: Fault) -> bytes:
        """Give the error event that ends a stream which broke after it began."""


class Passage(Protocol):
    """Provider's bytes in, client's bytes out: one answer's way, whole or streamed.

    ``feed`` never gives the bytes that tell the client the answer is complete: those
    come from ``finish`` alone, so that the call's use is recorded before they leave.
    After a fault or ``finish`` a passage must not be used again, save for ``broken``.
    """

    content_type: str
    """The Content-Type of the client's answer; empty: the provider's own."""

    @property
    def complete(self) -> bool:
        """The answer's end was seen: ``finish`` may be called before the body ends."""

    usage: Usage | None
    """What the provider reported so far."""

    deltas: int
    """Pieces of content seen so far: the count when nothing is reported."""

    size: int
    """Bytes of that content, as the provider's JSON writes them."""

    def feed(self, data: bytes) -> bytes:
        """Give what the client may have already; raise ProviderFault on garbage."""

    def finish(self) -> bytes:
        """Give the rest; raise ProviderFault if the provider's answer is not whole."""

    def broken(self, fault: Fault) -> bytes:
        """Give the error event that ends a stream which broke after it began.

        Nothing where there are no such events: then the connection is cut.
        """


class Dialect(Protocol):
    """One wire format, on the client's side and on the provider's side."""

    name: DialectName
    stream_type: str
    """The Content-Type of a streamed answer."""
    keep_alive: bytes
    """What a silent stream may be sent between two events; empty: nothing."""

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise ClientFault with ``param`` set."""

    def writer(self, call: Call) -> Writer:
        """Make the writer of this call's answer."""

    def render_error(self, fault: Fault) -> Answer:
        """Give the whole answer that tells a client of ``fault`` before a stream began.

        Includes Retry-After and x-should-retry; the request id is the web's business.
        """

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the provider's request for a call of this same dialect, untouched."""

    def read_prompt(self, call: Call) -> Prompt:
        """Give what a call of this dialect asks; raise BadRequest with ``param``."""

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:
        """Give the provider's request for a call of another dialect.

        Raises BadRequest (``unsupported_parameter``) naming what it cannot express.
        """

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:
        """Make the reader of this call's answer from a provider with ``quirks``."""

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way for an answer whose provider speaks this dialect too."""

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx: whose fault it is and what to say.

        ``body`` may be cut short and may be anything, HTML included.
        """
