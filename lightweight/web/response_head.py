"""The head of an answer as bytes (RFC 9112 section 4), written as Twisted writes it."""

from functools import cache
from http import HTTPStatus

from lightweight.records import Headers

PHRASES = {each.value: each.phrase.encode() for each in HTTPStatus}
"""More of them than Twisted knows: 429 is one."""

_SPELT = {"www-authenticate": "WWW-Authenticate", "etag": "ETag", "te": "TE"}


def head_bytes(status: int, fields: Headers) -> bytes:
    """Give the status line and ``fields``; a line break in a value becomes a space."""
    lines = [_status_line(status)]
    lines += [_name(name) + value for name, value in fields.items()]
    lines.append("\r\n")
    head = "\r\n".join(lines)
    if head.count("\r") > len(lines) or head.count("\n") > len(lines):
        on_one_line = {name: _unbroken(value) for name, value in fields.items()}
        return head_bytes(status, on_one_line)
    return head.encode()


def _unbroken(value: str) -> str:
    # Only as bytes are there no other line breaks than these two.
    return b" ".join(value.encode().splitlines()).decode()


@cache
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {PHRASES.get(status, b'Unknown Status').decode()}"


@cache
def _name(name: str) -> str:
    """Give the name and what follows it; the names that are sent are a bounded set."""
    spelt = _SPELT.get(name) or "-".join(word.capitalize() for word in name.split("-"))
    return f"{spelt}: "
