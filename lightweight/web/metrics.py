"""``/metrics``: who may read it.

The figures tell how much is used and which providers there are: not for the public.
"""

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeAlias

from lightweight.config.secret import Secret
from lightweight.errors import AccessDenied
from lightweight.records import Headers

Scrape: TypeAlias = Callable[[str], Awaitable[tuple[str, bytes]]]
"""Takes an ``Accept`` header; gives a content type and all figures in it.

Raises Overloaded where they cannot be had. Cancelling stops asking for them.
"""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Whoever sends one of these speaks for somebody else."""

DENIED = (
    "/metrics answers this machine itself, or whoever sends the configured "
    "metrics_token as 'Authorization: Bearer TOKEN'."
)


def refuse_stranger(peer: str, headers: Headers, token: Secret | None) -> None:
    """Raise AccessDenied unless the request shows ``token`` or comes from loopback.

    ``peer`` is the address at the other end of the connection. A proxy on this machine
    is there for others: what it forwards needs the token.
    """
    if token is not None and _shows(headers, token):
        return
    if not _is_loopback(peer) or any(name in headers for name in _FORWARDED):
        raise AccessDenied(DENIED)


def _shows(headers: Headers, token: Secret) -> bool:
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    known = token.reveal().encode()
    return hmac.compare_digest(shown.strip().encode(), known) and (
        scheme.lower() == "bearer"
    )


def _is_loopback(peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        # A UNIX socket: who is behind it, nobody knows.
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
