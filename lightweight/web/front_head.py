"""The heads that the express lane reads by itself: whole, plain, of a POST it knows.

Whatever is not beyond doubt is no refusal: it goes to Twisted's parser, whose answer
then holds. So nothing that it or the edge refuses is ever taken here.
"""

import re
import sys
from collections.abc import Container

from msgspec import Struct

from lightweight.records import Headers, Identity
from lightweight.web import edge

_START = b"POST /"
_END = b"\r\n\r\n"
_LINE = re.compile(rb"POST (/[!-~]*) HTTP/1\.1\r\n")
_FIELD = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ -~]*\r\n"
_FIELDS = re.compile(rb"(?:" + _FIELD + rb")+\r\n")
_FIELDS_SO_FAR = re.compile(rb"(?:" + _FIELD + rb")*[ -~]*\r?")
_LENGTH = re.compile(rb"\r\n(?i:content-length): *([0-9]+)")
_MOST_DIGITS = 16
"""Of a length that is read without a second look at the rest of its head."""
_ELSEWHERE = frozenset({"transfer-encoding", "expect", "upgrade"})
_JUDGED = frozenset(name.decode() for name in edge.JUDGED)


class Asking(Struct):
    """A request whose head was read and judged well."""

    path: bytes
    query: str
    headers: Headers
    length: int
    """Of the body, in bytes."""
    head_size: int
    persists: bool
    """The connection may serve another request."""
    arrived: float
    """When its first byte came, by the reactor's clock."""
    method: bytes = b"POST"
    digest: bytes | None = None
    """Of the key that the fields present, as far as the gate knows."""
    identity: Identity | None = None
    """Who asks, as far as the gate knows."""
    fresh: bool = False
    """The body came with the head: since the gate looked no time will have passed."""

    def fields(self) -> Headers:
        """Give the client's header fields."""
        return self.headers


def may_become(came: bytes, paths: Container[bytes]) -> bool:
    """Tell whether bytes without the end of a head may begin one for this lane."""
    if not came.startswith(_START):
        return _START.startswith(came)
    if len(came) > edge.LINE_BYTES:
        return False
    if b"\r\n" not in came:
        return True
    line = _LINE.match(came)
    if line is None or line[1].partition(b"?")[0] not in paths:
        return False
    return _FIELDS_SO_FAR.fullmatch(came, line.end()) is not None


class HeadReader:
    """Reads the heads that come on one connection.

    Clients repeat theirs, but for the length of the body. So the last one is remembered
    with what was read of it, which depends on its bytes alone.
    """

    def __init__(self) -> None:
        self._last: Asking | None = None
        self._before = b""
        """The last head up to the digits of its length."""
        self._after = b""

    def read(
        self, came: bytes, paths: Container[bytes], max_body: int, arrived: float
    ) -> Asking | None:
        """Give the request whose head begins ``came``; None: not whole, or not for us.

        ``max_body`` is in bytes.
        """
        last, before, after = self._last, self._before, self._after
        begins = len(before)
        if last is None or last.path not in paths or came[:begins] != before:
            return self._read_anew(came, paths, max_body, arrived)
        ends = came.find(after, begins, begins + _MOST_DIGITS + len(after))
        digits = came[begins:ends]
        size = ends + len(after)
        if ends < 0 or not digits.isdigit() or size > edge.LINE_BYTES:
            return self._read_anew(came, paths, max_body, arrived)
        length = int(digits)
        if length > max_body:
            return self._read_anew(came, paths, max_body, arrived)
        return Asking(
            path=last.path,
            query=last.query,
            headers={**last.headers, "content-length": digits.decode()},
            length=length,
            head_size=size,
            persists=last.persists,
            arrived=arrived,
            digest=last.digest,
            fresh=len(came) >= size + length,
        )

    def _read_anew(
        self, came: bytes, paths: Container[bytes], max_body: int, arrived: float
    ) -> Asking | None:
        asking = read_head(came, paths, max_body=max_body, arrived=arrived)
        if asking is not None:
            digits = _LENGTH.search(came)
            assert digits is not None  # no other request is for us
            self._last = asking
            self._before = came[: digits.start(1)]
            self._after = came[digits.end(1) : asking.head_size]
        return asking


def read_head(
    came: bytes, paths: Container[bytes], *, max_body: int, arrived: float
) -> Asking | None:
    """Give the request whose head begins ``came``; None: not whole, or not for us.

    ``max_body`` is in bytes.
    """
    line = _LINE.match(came)
    size = came.find(_END) + len(_END)
    if line is None or not len(_END) <= size <= edge.LINE_BYTES:
        return None
    path, _, query = line[1].partition(b"?")
    if path not in paths or not _FIELDS.fullmatch(came, line.end(), size):
        return None
    headers: dict[str, str] = {}
    judged: dict[bytes, list[bytes]] = {}
    lines = came[line.end() : size - len(_END)].decode().split("\r\n")
    for each in lines:
        name, _, value = each.partition(":")
        # Names are few and kept as long as a stream runs: once in memory is enough.
        name, value = sys.intern(name.lower()), value.strip(" ")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if name in _JUDGED:
            judged.setdefault(name.encode(), []).append(value.encode())
    if "content-length" not in headers or not _ELSEWHERE.isdisjoint(headers):
        return None
    head = edge.Head(b"POST", line[1], b"HTTP/1.1", judged)
    if len(lines) > edge.HEAD_FIELDS or edge.judge(head, max_body) is not None:
        return None
    length = edge.body_length(head)
    assert length is not None  # there is no Transfer-Encoding
    return Asking(
        path=path,
        query=query.decode(),
        headers=headers,
        length=length,
        head_size=size,
        persists=edge.persists(head),
        arrived=arrived,
        fresh=len(came) >= size + length,
    )


def is_whole(came: bytes) -> bool:
    """Tell whether ``came`` has the end of a head."""
    return _END in came
