"""An exchange of which a copy is kept: for keys whose operator wants that, no others.

The client's request and the bytes it is sent are taken along, as many as are kept.
"""

from collections.abc import Callable

from lightweight.records import Headers, Identity, Kept, Outcome, Request
from lightweight.web.exchange import Exchange, Flow

TAKEN = 68 * 1024
"""Bytes taken along of each side: some more than are kept once secrets are struck."""

_TEXT = ("text/", "application/json", "application/x-ndjson")


class Overheard:
    """Passes everything on, and listens."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._text = True
        self._answer = bytearray()
        self._size = 0

    @property
    def request(self) -> Request:
        """The request."""
        return self._exchange.request

    @property
    def started(self) -> bool:
        """The head was sent: the status is decided."""
        return self._exchange.started

    @property
    def lost(self) -> bool:
        """The client left."""
        return self._exchange.lost

    @property
    def lingers(self) -> Callable[[], float]:
        """Asked when the client left: for how many seconds the handler may go on."""
        return self._exchange.lingers

    @lingers.setter
    def lingers(self, asked: Callable[[], float]) -> None:
        self._exchange.lingers = asked

    def start(
        self, status: int, headers: Headers, *, length: int | None = None
    ) -> None:
        """Send the head."""
        self._text = _is_text(headers)
        self._exchange.start(status, headers, length=length)

    def write(self, data: bytes) -> None:
        """Send the next bytes of the body."""
        self._answer += data[: TAKEN - len(self._answer)]
        self._size += len(data)
        self._exchange.write(data)

    def finish(self) -> None:
        """End the answer."""
        self._exchange.finish()

    def abort(self) -> None:
        """Cut the connection."""
        self._exchange.abort()

    def stop(self) -> None:
        """Cancel the handler that serves the exchange."""
        self._exchange.stop()

    def attach(self, flow: Flow) -> None:
        """Let the client's speed pause and resume ``flow``."""
        self._exchange.attach(flow)

    def detach(self) -> None:
        """Stop steering the flow."""
        self._exchange.detach()

    def kept(self, key_id: str, at: float) -> Kept:
        """Give what was heard; ``at`` is the time of the wall clock."""
        request = self.request
        prompt = request.body[:TAKEN] if _is_text(request.headers) else b""
        return Kept(
            request_id=request.id,
            key_id=key_id,
            at=at,
            prompt=prompt.decode(errors="replace"),
            prompt_bytes=len(request.body),
            answer=self._answer.decode(errors="replace") if self._text else "",
            answer_bytes=self._size,
        )


def listening(
    exchange: Exchange,
    identity: Identity,
    report: Callable[[Outcome | None], None],
    *,
    wall: Callable[[], float],
    keep: Callable[[Kept], None],
) -> tuple[Exchange, Callable[[Outcome | None], None]]:
    """Give the exchange and the report of a call that is to be kept.

    What no provider was asked is not: it is in no log either.
    """
    overheard = Overheard(exchange)

    def told(outcome: Outcome | None) -> None:
        report(outcome)
        if outcome is not None and outcome.ending != "refused":
            keep(overheard.kept(identity.key.id, wall()))

    return overheard, told


def _is_text(headers: Headers) -> bool:
    # Clients forget to say what they send, and it is read as JSON all the same.
    said = headers.get("content-type", "application/json")
    return said.strip().lower().startswith(_TEXT)
