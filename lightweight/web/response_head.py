"""The head of an answer as bytes (RFC 9112 section 4), written as Twisted writes it."""

from http import HTTPStatus

from lightweight.records import Headers

PHRASES = {each.value: each.phrase.encode() for each in HTTPStatus}
"""More of them than Twisted knows: 429 is one."""

CLOSE = "Connection: close\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

_SPELT = {"www-authenticate": "WWW-Authenticate", "etag": "ETag", "te": "TE"}


_STATUS_LINES = {
    each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n" for each in HTTPStatus
}
_NAMES: dict[str, str] = {}
"""Each name and what follows it; those that are sent are a bounded set."""


def status_line(status: int) -> str:
    """Give the first line of a head."""
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} Unknown Status\r\n"


def lines_of(fields: Headers) -> str:
    """Give the lines of ``fields``; a line break in a value becomes a space."""
    lines = ""
    for name, value in fields.items():
        if "\n" in value or "\r" in value:
            # Only as bytes are there no other line breaks than these two.
            value = b" ".join(value.encode().splitlines()).decode()  # noqa: PLW2901 -- mended
        lines += f"{_NAMES.get(name) or _named(name)}{value}\r\n"
    return lines


def _named(name: str) -> str:
    spelt = _SPELT.get(name) or "-".join(word.capitalize() for word in name.split("-"))
    _NAMES[name] = named = f"{spelt}: "
    return named
