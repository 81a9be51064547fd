"""What a client may do to a connection: its caps and deadlines, without a socket.

Every lane asks here, so that none is laxer than another. Times are seconds of a
monotonic clock and always arguments.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from lightweight.config.schema import Edge
from lightweight.errors import (
    BadRequest,
    ExpectationFailed,
    Fault,
    HeadTooLarge,
    RequestTimedOut,
    TargetTooLong,
    TooLarge,
    Unimplemented,
)

HEAD_BYTES = 64 * 1024
"""The longest head that is read: request line and fields together."""

LINE_BYTES = 16 * 1024
"""The longest line of a head that is read."""

HEAD_FIELDS = 200
"""The most header fields that are read."""

READ_BYTES = 512 * 1024
"""The most that is read of a large body at a time."""

AHEAD_BYTES = 16 * 1024
"""The most a client may send of its next requests while one is served."""

DISCARD_SECONDS = 2.0
"""How long a refused client may go on sending, so that it reads the refusal."""

DISCARD_BYTES = 64 * 1024 * 1024
"""How much a refused client may go on sending."""

BODY_RATE = 1024
"""Bytes per second below which a body is too slow."""

BODY_GRACE = 10.0
"""Seconds before the rate of a body counts."""

STALL_LOOKS = 4
"""How often a stalled client is looked at within its time."""

SPARE_DESCRIPTORS = 64
"""What the process itself keeps open: log, database, listening sockets."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[!-~]+")
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]{0,255})(?::[0-9]{0,5})?"
)
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*")
_HTTP_1_1 = b"HTTP/1.1"
_VERSIONS = (b"HTTP/1.0", _HTTP_1_1)
_CHUNKED = b"chunked"
_CONTINUE = b"100-continue"
_LONGEST_LENGTH = 20


JUDGED = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"expect", b"connection"}
)
"""The fields that a judgement looks at; no other can change it."""


class Head(Struct, frozen=True):
    """The head of a request as it came."""

    method: bytes
    target: bytes
    version: bytes
    fields: Mapping[bytes, Sequence[bytes]]
    """Every value of a field, in order, by its lower-case name."""

    def values(self, name: bytes) -> Sequence[bytes]:
        """Give every value of a field; none where it was not sent."""
        return self.fields.get(name, ())

    def listed(self, name: bytes) -> list[bytes]:
        """Give the lower-case members of a field that is a list (RFC 9110, 5.6.1)."""
        members = b",".join(self.values(name)).split(b",")
        return [word.strip(b" \t").lower() for word in members if word.strip(b" \t")]


# -- judgement of a head -----------------------------------------------------------


def judge(head: Head, max_body: int) -> Fault | None:
    """Say why a request must be refused for its head alone; None where it need not.

    ``max_body`` is in bytes. RFC 9112 sections 3, 5 and 6, at their strictest: what two
    servers could read differently is refused.
    """
    return (
        _judge_line(head)
        or _judge_host(head)
        or _judge_framing(head, max_body)
        or _judge_expectation(head)
    )


def _judge_line(head: Head) -> Fault | None:
    if not _TOKEN.fullmatch(head.method) or head.version not in _VERSIONS:
        return malformed()
    if head.method != head.method.upper():
        return Unimplemented("HTTP methods are case-sensitive: write GET or POST.")
    path = head.target.partition(b"?")[0]
    if not path.startswith(b"/") or not _TARGET.fullmatch(head.target):
        return BadRequest("The request target must be a path that begins with '/'.")
    if b"%" not in path:
        return None
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return BadRequest("The path is not UTF-8.")
    return None


def _judge_host(head: Head) -> Fault | None:
    hosts = head.values(b"host")
    if not hosts and head.version != _HTTP_1_1:
        return None
    if len(hosts) != 1:
        return BadRequest("Send exactly one Host header field.")
    if not _HOST.fullmatch(hosts[0]):
        return BadRequest("The Host header field is not a host and port.")
    return None


def _judge_framing(head: Head, max_body: int) -> Fault | None:
    codings = head.values(b"transfer-encoding")
    lengths = head.values(b"content-length")
    if codings:
        if head.version != _HTTP_1_1 or lengths:
            return BadRequest(
                "Transfer-Encoding needs HTTP/1.1 and excludes Content-Length."
            )
        return _judge_codings(head, codings)
    if len(lengths) > 1:
        return BadRequest("Send Content-Length once.")
    for length in lengths:
        if not length.isdigit() or len(length) > _LONGEST_LENGTH:
            return BadRequest("Content-Length is not a number of bytes.")
        if int(length) > max_body:
            return body_too_large(max_body)
    return None


def _judge_codings(head: Head, codings: Sequence[bytes]) -> Fault | None:
    if len(codings) == 1 and codings[0].lower() == _CHUNKED:
        return None
    *inner, last = head.listed(b"transfer-encoding") or [b""]
    if last == _CHUNKED and inner and _CHUNKED not in inner:
        return Unimplemented("The only Transfer-Encoding this server has is 'chunked'.")
    # Without it as the last coding nobody knows where the body ends (RFC 9112, 6.3).
    return BadRequest("Transfer-Encoding must be 'chunked'.")


def _judge_expectation(head: Head) -> Fault | None:
    if head.version != _HTTP_1_1:
        return None
    if any(value.lower() != _CONTINUE for value in head.values(b"expect")):
        return ExpectationFailed("The only Expect this server has is '100-continue'.")
    return None


def judge_field(line: bytes) -> Fault | None:
    """Say why a line that must be a header field is none (RFC 9112, 5; RFC 9110, 5.5).

    Also a trailer's: other parsers may end a line where a control character is.
    """
    if line.startswith((b" ", b"\t")):
        return BadRequest("A header field must be on one line.")
    return None if _FIELD.fullmatch(line) else malformed()


def body_length(head: Head) -> int | None:
    """Give the length of the body of a head that was judged well; None if chunked."""
    if head.values(b"transfer-encoding"):
        return None
    lengths = head.values(b"content-length")
    return int(lengths[0]) if lengths else 0


def persists(head: Head) -> bool:
    """Tell whether the connection may serve another request (RFC 9112, 9.3)."""
    return head.version == _HTTP_1_1 and b"close" not in head.listed(b"connection")


# -- what is wrong -----------------------------------------------------------------


def malformed() -> Fault:
    """Refuse what is no HTTP."""
    return BadRequest("The request is not well-formed HTTP/1.1.")


def body_too_large(max_body: int) -> Fault:
    """Refuse a body beyond ``max_body`` bytes."""
    return TooLarge(f"The request's body is larger than {max_body} bytes.")


def head_too_large(*, in_fields: bool) -> Fault:
    """Refuse a head beyond the caps; ``in_fields``: its request line was well."""
    if not in_fields:
        return TargetTooLong(f"The request line is longer than {LINE_BYTES} bytes.")
    return HeadTooLarge(
        f"The head is larger than {HEAD_BYTES} bytes or {HEAD_FIELDS} header fields, "
        f"or one of them is longer than {LINE_BYTES} bytes."
    )


# -- how many ----------------------------------------------------------------------

Room: TypeAlias = Literal["serve", "refuse", "cut"]
"""``refuse``: with a word of why. ``cut``: without, since even that needs a socket."""


def connection_cap(edge: Edge, descriptors: int) -> int:
    """Give how many connections are served at a time.

    ``descriptors`` is the process's limit of open files: each call needs two, one to
    its client and one to a provider.
    """
    return max(1, min(edge.max_connections, (descriptors - SPARE_DESCRIPTORS) // 2))


def room(open_connections: int, cap: int) -> Room:
    """Say what to do with a connection, which is counted in ``open_connections``."""
    if open_connections <= cap:
        return "serve"
    return "refuse" if open_connections <= cap + cap // 10 + 8 else "cut"


# -- how long ----------------------------------------------------------------------


class Patience:
    """How long a client may still take over what it sends.

    Deadlines are absolute: a byte now and then does not move them. Only a body's bytes
    buy time, at ``BODY_RATE``, and never beyond ``body_timeout``.
    """

    def __init__(self, edge: Edge, now: float) -> None:
        """Begin with a connection that was just opened."""
        self.due: float | None = now + edge.header_timeout
        """When it is out of time; None while it owes us nothing."""
        self._phase: Literal["opened", "head", "body", "served", "idle"] = "opened"
        self._edge = edge
        self._began = now
        self._received = 0

    def bytes_came(self, edge: Edge, now: float) -> None:
        """Learn of bytes: the first ones of a head start its time."""
        if self._phase == "opened":
            self._phase = "head"
        elif self._phase == "idle":
            self._phase = "head"
            self.due = now + edge.header_timeout

    def body_begins(self, edge: Edge, now: float) -> None:
        """Learn that the head is whole."""
        self._phase = "body"
        self._edge, self._began, self._received = edge, now, 0
        self.body_came(0)

    def body_came(self, size: int) -> None:
        """Learn of so many more bytes of the body."""
        self._received += size
        allowed = min(self._edge.body_timeout, BODY_GRACE + self._received / BODY_RATE)
        self.due = self._began + allowed

    def served(self) -> None:
        """Learn that the request is whole: now we owe."""
        self._phase = "served"
        self.due = None

    def idle(self, edge: Edge, now: float) -> float:
        """Learn that the answer is sent; give when it is out of time."""
        self._phase = "idle"
        self.due = due = now + edge.keep_alive
        return due

    def verdict(self) -> Fault | None:
        """Say what a client out of time is told; None: nothing, since it asked nothing.

        Without a request a refusal could be taken for the answer to the next one.
        """
        if self._phase == "head":
            return RequestTimedOut("The request's head did not arrive in time.")
        if self._phase == "body":
            return RequestTimedOut("The request's body did not arrive in time.")
        return None


class Stall:
    """Watches a client that does not take what is sent to it."""

    def __init__(self, limit: float, now: float, unsent: int | None) -> None:
        """``limit`` in seconds; ``unsent`` bytes wait, None where nobody can tell."""
        self._limit = limit
        self._moved_at = now
        self._unsent = unsent

    @property
    def every(self) -> float:
        """How many seconds from one look to the next."""
        return self._limit / STALL_LOOKS

    def over(self, now: float, unsent: int | None) -> bool:
        """Look at it again: tell whether it took nothing for the whole limit."""
        if unsent != self._unsent:
            self._moved_at = now
            self._unsent = unsent
        return now - self._moved_at >= self._limit
