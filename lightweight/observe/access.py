"""One line for each HTTP request: who, what, how it ended, how long it took.

Query strings, bodies and credentials never come here.
"""

from msgspec import Struct

from lightweight.records import Outcome


class Visit(Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP request that ended, however it ended."""

    request_id: str
    peer: str
    method: str
    path: str
    status: int
    """The status sent; 499 where the client left before one was."""
    sent: int
    """Bytes of the answer's body."""
    at: float
    """When it ended, in seconds since the epoch."""
    duration_s: float
    traceparent: str | None = None
    """Where the client said it is part of a trace (W3C Trace Context, section 3.2)."""
    account_id: str | None = None
    key_id: str | None = None
    outcome: Outcome | None = None
    """How the model call ended, where the request was one."""

    @property
    def trace_id(self) -> str | None:
        """The id of that trace."""
        return None if self.traceparent is None else self.traceparent.split("-")[1]
