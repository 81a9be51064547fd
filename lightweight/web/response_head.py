"""The head of an answer as bytes (RFC 9112 section 4), written as Twisted writes it."""

from functools import cache
from http import HTTPStatus

from lightweight.records import Headers

PHRASES = {each.value: each.phrase.encode() for each in HTTPStatus}
"""More of them than Twisted knows: 429 is one."""

CLOSE = "Connection: close\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

_SPELT = {"www-authenticate": "WWW-Authenticate", "etag": "ETag", "te": "TE"}


@cache
def status_line(status: int) -> str:
    """Give the first line of a head."""
    return f"HTTP/1.1 {status} {PHRASES.get(status, b'Unknown Status').decode()}\r\n"


def lines_of(fields: Headers) -> str:
    """Give the lines of ``fields``; a line break in a value becomes a space."""
    lines = ""
    for name, value in fields.items():
        if "\n" in value or "\r" in value:
            # Only as bytes are there no other line breaks than these two.
            value = b" ".join(value.encode().splitlines()).decode()  # noqa: PLW2901 -- mended
        lines += f"{_name(name)}{value}\r\n"
    return lines


@cache
def _name(name: str) -> str:
    """Give the name and what follows it; the names that are sent are a bounded set."""
    spelt = _SPELT.get(name) or "-".join(word.capitalize() for word in name.split("-"))
    return f"{spelt}: "
