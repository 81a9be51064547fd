"""HTTP/1.1 answers out of a stream of bytes: strict, bounded, without a socket.

RFC 9112. What two readers might understand differently is refused, since a connection
carries many answers and one wrong boundary mixes up whose they are: folded lines, bare
CR, LF or NUL, a length beside a transfer coding, lengths that differ, chunk sizes in
any form but hexadecimal digits.
"""

import re
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal, Protocol, TypeAlias

HEAD_BYTES = 65536
"""How much may come before a head is whole, informational ones included."""

TRAILER_BYTES = 16384
CHUNK_LINE_BYTES = 1024
"""A chunk's size with its extensions."""

REMEMBERED_LINES = 1024
REMEMBERED_BYTES = 8192
"""Lines that come again are judged once: so many, of heads no larger than this."""

Fields: TypeAlias = Mapping[str, str]
"""Header fields: names in lower case, values as latin-1.

What came more than once is one value with commas between (RFC 9110 section 5.3).
"""

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TEXT = r"[\t\x20-\x7e\x80-\xff]*"
_STATUS = re.compile(rf"HTTP/1\.([01]) ([1-9][0-9]{{2}})(?: ({_TEXT}))?")
_FIELD = re.compile(rf"({_NAME}):({_TEXT})")
_TRAILER = re.compile(f"{_NAME}:{_TEXT}".encode("latin-1"))
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,13})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")

_PLAIN_CHUNK = re.compile(rb"([0-9a-fA-F]{1,13})\r\n")

_SIZES = {form % size: size for size in range(1, 1024) for form in (b"%x", b"%X")}
"""How most servers write the sizes of an event's chunk."""

_INFORMATIONAL = range(100, 200)
_SWITCHING = 101
_WITHOUT_BODY = frozenset({204, 304})

_State: TypeAlias = Literal[
    "head", "length", "size", "chunk", "chunk end", "trailer", "close", "done"
]


class BadResponse(Exception):
    """What came is no answer, or none that can be trusted."""


class HeadTooLarge(BadResponse):
    """The head did not end within HEAD_BYTES."""


class Receiver(Protocol):
    """Who takes an answer apart."""

    def head(self, status: int, reason: str, fields: Fields) -> None:
        """Take the head; informational ones are left out."""

    def body(self, data: bytes) -> None:
        """Take the next bytes of the body, its transfer coding undone."""


class ResponseParser:
    """One answer after the other on one connection; ``expect`` before each."""

    def __init__(self) -> None:
        self.keeps_alive = False
        """Whether the connection may carry another answer after this one."""
        self.done = True
        """Nothing is expected: no answer was asked for, or all of it came."""
        self._receiver: Receiver | None = None
        self._state: _State = "done"
        self._rest = b""
        self._left = 0
        self._seen = 0
        self._to_head = False

    @property
    def open_ended(self) -> bool:
        """Whether only the connection's end can tell the body's."""
        return self._state == "close"

    def expect(self, receiver: Receiver, *, to_head: bool = False) -> None:
        """Await an answer; ``to_head``: to a HEAD request, which has no body."""
        self.done = False
        self._receiver = receiver
        self._state = "head"
        self._rest = b""
        self._seen = 0
        self._to_head = to_head

    def feed(self, data: bytes) -> bytes:
        """Take bytes; give what is left after the answer's end.

        The receiver gets a head and a piece of the body at most. Raises BadResponse;
        what came before was sound, and the parser must not be used again.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        elif self._state == "size" and self._is_one_chunk(data):
            return b""
        at = 0
        while self._state == "head" and 0 <= at < len(data):
            at = self._take_head(data, at)
        if 0 <= at < len(data):
            match self._state:
                case "length":
                    at = self._take_length(data, at)
                case "close":
                    self._give(data[at:])
                    at = len(data)
                case "done":
                    pass
                case _:
                    at = self._take_chunks(data, at)
        self.done = self._state == "done"
        return b"" if at < 0 else data[at:]

    def _give(self, data: bytes) -> None:
        assert self._receiver is not None
        self._receiver.body(data)

    # -- head ----------------------------------------------------------------------

    def _take_head(self, data: bytes, at: int) -> int:
        end = data.find(b"\r\n\r\n", at)
        size = (len(data) if end < 0 else end) - at
        if self._seen + size > HEAD_BYTES:
            raise HeadTooLarge("its head is too large")
        if end < 0:
            if not data.startswith(b"HTTP/1."[: len(data) - at], at):
                raise BadResponse("it can never become a head")
            return self._keep(data, at)
        self._seen += size + 4
        # No line has a CR or LF within that _STATUS or _FIELD took.
        first, *lines = data[at:end].decode("latin-1").split("\r\n")
        minor, status, reason = _status_of(first)
        field_of = _field_of if size <= REMEMBERED_BYTES else _field_of.__wrapped__
        fields = _fields_of(lines, field_of)
        if status in _INFORMATIONAL:
            if status == _SWITCHING:
                raise BadResponse("it switches to a protocol nobody asked for")
            return end + 4
        self._frame(status, fields, minor)
        assert self._receiver is not None
        self._receiver.head(status, reason, fields)
        return end + 4

    def _frame(self, status: int, fields: Fields, minor: str) -> None:
        """Say where the body ends: RFC 9112 section 6.3."""
        coding = fields.get("transfer-encoding")
        length = fields.get("content-length")
        connection = fields.get("connection")
        if connection is None:
            self.keeps_alive = minor == "1"
        else:
            self.keeps_alive = _keeps_alive(connection, minor)
        if coding is not None:
            if length is not None or minor != "1":
                raise BadResponse("its length is told in two ways")
            if coding.lower() != "chunked":
                raise BadResponse("its transfer coding is not chunked")
        if length is not None and not _LENGTH.fullmatch(length):
            raise BadResponse("its Content-Length is no single number")
        if self._to_head or status in _WITHOUT_BODY:
            self._state = "done"
        elif coding is not None:
            self._state = "size"
        elif length is None:
            self.keeps_alive = False
            self._state = "close"
        else:
            self._left = int(length)
            self._state = "length" if self._left else "done"

    # -- body ----------------------------------------------------------------------

    def _take_length(self, data: bytes, at: int) -> int:
        end = at + self._left
        if end <= len(data):
            self._state = "done"
        else:
            end = len(data)
            self._left -= end - at
        self._give(data[at:end])
        return end

    def _take_chunks(self, data: bytes, at: int) -> int:
        """Take as many chunks as there are, and hand their contents on at once."""
        pieces: list[bytes] = []
        try:
            while 0 <= at < len(data) and self._state != "done":
                match self._state:
                    case "size":
                        at = _take_plain(data, at, pieces)
                        if at < len(data):
                            at = self._take_size(data, at)
                    case "chunk":
                        at = self._take_chunk(data, at, pieces)
                    case "chunk end":
                        at = self._take_chunk_end(data, at)
                    case _:
                        at = self._take_trailer(data, at)
            return at
        finally:
            # Also where the next chunk is broken: what came before it was sound.
            if pieces:
                self._give(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _is_one_chunk(self, data: bytes) -> bool:
        """Take a small chunk that is all that came, as mostly in a stream; or do not.

        Give whether it was one. Whatever else comes is judged by the slower way.
        """
        end = data.find(b"\r\n")
        size = _SIZES.get(data[:end])
        if size is None or len(data) != end + size + 4 or not data.endswith(b"\r\n"):
            return False
        assert self._receiver is not None
        self._receiver.body(data[end + 2 : -2])
        return True

    def _take_size(self, data: bytes, at: int) -> int:
        end = _line_end(data, at, CHUNK_LINE_BYTES)
        if end < 0:
            return self._keep(data, at)
        found = _CHUNK.fullmatch(data, at, end)
        if found is None:
            raise BadResponse("a chunk's size is no number")
        self._left = int(found[1], 16)
        self._state = "chunk" if self._left else "trailer"
        self._seen = 0
        return end + 2

    def _take_chunk(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        end = min(len(data), at + self._left)
        pieces.append(data[at:end])
        self._left -= end - at
        if not self._left:
            self._state = "chunk end"
        return end

    def _take_chunk_end(self, data: bytes, at: int) -> int:
        there = data[at : at + 2]
        if not b"\r\n".startswith(there):
            raise BadResponse("a chunk does not end where it should")
        if len(there) == 1:
            return self._keep(data, at)
        self._state = "size"
        return at + 2

    def _take_trailer(self, data: bytes, at: int) -> int:
        end = _line_end(data, at, TRAILER_BYTES)
        if end < 0:
            return self._keep(data, at)
        self._seen += end + 2 - at
        if self._seen > TRAILER_BYTES:
            raise BadResponse("its trailer is too large")
        if end == at:
            self._state = "done"
        elif _TRAILER.fullmatch(data, at, end) is None:
            raise BadResponse("its trailer is malformed")
        return end + 2

    def _keep(self, data: bytes, at: int) -> int:
        self._rest = data[at:]
        return -1


def _take_plain(data: bytes, at: int, pieces: list[bytes]) -> int:
    """Take the chunks that are there whole and without extensions, as most are.

    What is left is judged by the slower way; so is the last chunk, which is empty.
    """
    while (found := _PLAIN_CHUNK.match(data, at)) is not None:
        start = found.end()
        end = start + int(found[1], 16)
        if end == start or not data.startswith(b"\r\n", end):
            break
        pieces.append(data[start:end])
        at = end + 2
    return at


@lru_cache(maxsize=64)
def _status_of(line: str) -> tuple[str, int, str]:
    """Give a status line's minor version, code and reason; raise BadResponse."""
    found = _STATUS.fullmatch(line)
    if found is None:
        raise BadResponse("its head is malformed")
    minor, code, reason = found.groups()
    return minor, int(code), reason or ""


@lru_cache(maxsize=REMEMBERED_LINES)
def _field_of(line: str) -> tuple[str, str]:
    """Give a line's name and value; raise BadResponse."""
    found = _FIELD.fullmatch(line)
    if found is None:
        raise BadResponse("its head is malformed")
    name, value = found.groups()
    # Kept as long as a stream runs: each name is in memory once.
    return sys.intern(name.lower()), value.strip(" \t")


def _fields_of(
    lines: list[str], field_of: Callable[[str], tuple[str, str]]
) -> dict[str, str]:
    fields = dict(map(field_of, lines))
    if len(fields) == len(lines):
        return fields
    fields.clear()
    for name, value in map(field_of, lines):
        before = fields.get(name)
        if before is None:
            fields[name] = value
        # One length told twice is one length (RFC 9112 section 6.3).
        elif name != "content-length" or value != before:
            fields[name] = f"{before}, {value}"
    return fields


@lru_cache(maxsize=64)
def _keeps_alive(connection: str, minor: str) -> bool:
    options = [each.strip(" \t") for each in connection.lower().split(",")]
    return "close" not in options if minor == "1" else "keep-alive" in options


def _line_end(data: bytes, at: int, limit: int) -> int:
    """Give where the line ends, or -1 where it does not yet."""
    end = data.find(b"\r\n", at, at + limit + 2)
    if end < 0 and len(data) - at > limit:
        raise BadResponse("a line of its framing is too long")
    return end
