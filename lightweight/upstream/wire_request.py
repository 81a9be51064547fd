"""HTTP/1.1 requests as bytes, and nothing in them that was not meant.

A head is a few precomputed parts and what changes from call to call. Whatever could
end a line early is refused, so no value can smuggle in a header or a second request.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from lightweight import __version__

USER_AGENT = f"lightweight/{__version__}"

_ASKED = re.compile(r"[A-Z]{1,32} /[!-~]*")
_NAMES = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]*")
_VALUES = re.compile(r"[^\r\n\0]*")
_PORTS = {"http": 80, "https": 443}
_NOTHING: Mapping[str, str] = {}


class Origin(NamedTuple):
    """Where requests go (RFC 6454): connections are shared by those of one origin."""

    tls: bool
    host: str
    """A name in ASCII, or an address without brackets."""
    port: int


class Request(Struct, frozen=True):
    """A request as it goes out."""

    head: bytes
    body: bytes = b""
    to_head: bool = False
    """Its method is HEAD: the answer has no body."""


def origin_of(url: str) -> tuple[Origin, str]:
    """Take an absolute http(s) URL apart: its origin, and its path with the query.

    Raises ValueError where it is no such URL, in ASCII.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or not host.isascii():
        raise ValueError("A provider's URL begins with http:// or https:// and a host.")
    origin = Origin(parts.scheme == "https", host, parts.port or _PORTS[parts.scheme])
    return origin, parts._replace(scheme="", netloc="").geturl()


def lines_of(fields: Mapping[str, str]) -> str:
    """Give a head's lines, one for each; raise ValueError for what could be another."""
    names, values = "".join(fields), "".join(fields.values())
    if "" in fields or not (_NAMES.fullmatch(names) and _VALUES.fullmatch(values)):
        raise ValueError("A header for a provider has characters that no header may.")
    return "".join([f"{name}: {value}\r\n" for name, value in fields.items()])


class Opening:
    """What all requests to one origin with the same credential begin with."""

    def __init__(
        self, origin: Origin, prefix: str, fields: Mapping[str, str] = _NOTHING
    ) -> None:
        """``prefix`` goes before every path; ``fields`` into every head.

        Raises ValueError for what cannot stand there.
        """
        shown = f"[{origin.host}]" if ":" in origin.host else origin.host
        if origin.port != _PORTS["https" if origin.tls else "http"]:
            shown = f"{shown}:{origin.port}"
        own = {
            "Host": shown,
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",
        }
        given = {name.title(): value for name, value in fields.items()}
        self._prefix = prefix
        self._lines = lines_of(own | given)

    def begun(self, method: str, path: str, lines: str = "") -> str:
        """Give a head without its end; ``lines`` are ``lines_of``.

        Raises ValueError where the method or the path could be read as more.
        """
        return f"{_asked(method, self._prefix, path)}{self._lines}{lines}"

    def head(
        self, method: str, path: str, lines: str = "", length: int | None = None
    ) -> bytes:
        """Give a whole head, as ``begun``; ``length`` is the body's."""
        end = "\r\n" if length is None else f"Content-Length: {length}\r\n\r\n"
        return f"{self.begun(method, path, lines)}{end}".encode()


@lru_cache(maxsize=256)
def _asked(method: str, prefix: str, path: str) -> str:
    asked = f"{method} {prefix}{path}"
    if not _ASKED.fullmatch(asked):
        raise ValueError("A path for a provider has characters that no path may.")
    return f"{asked} HTTP/1.1\r\n"
