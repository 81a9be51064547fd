"""The head of an answer as bytes (RFC 9112 section 4), written as Twisted writes it."""

from functools import cache
from http import HTTPStatus

from lightweight.records import Headers

PHRASES = {each.value: each.phrase.encode() for each in HTTPStatus}
"""More of them than Twisted knows: 429 is one."""

_SPELT = {"www-authenticate": b"WWW-Authenticate", "etag": b"ETag", "te": b"TE"}


def head_bytes(status: int, fields: Headers) -> bytes:
    """Give the status line and ``fields``; a line break in a value becomes a space."""
    lines = [_status_line(status)]
    for name, value in fields.items():
        said = value.encode()
        if b"\r" in said or b"\n" in said:
            said = b" ".join(said.splitlines())
        lines.append(_name(name) + said)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


@cache
def _status_line(status: int) -> bytes:
    return b"HTTP/1.1 %d %b" % (status, PHRASES.get(status, b"Unknown Status"))


@cache
def _name(name: str) -> bytes:
    """Give the name and what follows it; the names that are sent are a bounded set."""
    spelt = _SPELT.get(name) or b"-".join(
        word.capitalize() for word in name.encode().split(b"-")
    )
    return spelt + b": "
