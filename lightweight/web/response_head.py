"""The head of an answer as bytes (RFC 9112 section 4), written as Twisted writes it."""

from http import HTTPStatus

from lightweight.records import Headers

PHRASES = {each.value: each.phrase.encode() for each in HTTPStatus}
"""More of them than Twisted knows: 429 is one."""

CLOSE = "Connection: close\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

_SPELT = {"www-authenticate": "WWW-Authenticate", "etag": "ETag", "te": "TE"}


STATUS_LINES = {
    status: f"HTTP/1.1 {status} {PHRASES.get(status, b'Unknown Status').decode()}\r\n"
    for status in range(100, 1000)
}
"""The first line of a head, by its status."""

_NAMES: dict[str, str] = {}
"""Each name and what follows it; those that are sent are a bounded set."""


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
