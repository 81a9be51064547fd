"""Who a client is, and how it came, when a proxy stands before us (X-Forwarded-*)."""

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Networks: TypeAlias = Collection[IPv4Network | IPv6Network]


def client_address(peer: str, forwarded: str | None, trusted: Networks) -> str:
    """Give the address to log for a connection from ``peer``.

    Each proxy appends whom it heard, so the list is read from its end, as far as those
    who wrote it are trusted; what a client wrote itself is never believed.
    """
    if forwarded is None or not trusted:
        return peer
    address = peer
    claims = forwarded.split(",")
    while claims and _within(address, trusted):
        claim = _plain(claims.pop())
        if claim is None:
            break
        address = claim
    return address


def client_scheme_is_https(peer: str, forwarded: str | None, trusted: Networks) -> bool:
    """Tell whether a proxy that is trusted says that its client came over TLS.

    ``forwarded`` is X-Forwarded-Proto. Where several proxies wrote it the first one
    met the client, so all of them must have said https.
    """
    if forwarded is None or not _within(peer, trusted):
        return False
    return all(each.strip().lower() == "https" for each in forwarded.split(","))


def _within(address: str, networks: Networks) -> bool:
    plain = _plain(address)
    return plain is not None and any(ip_address(plain) in each for each in networks)


def _plain(claim: str) -> str | None:
    """Give an address as people write it, without a port; None for what is none."""
    text = claim.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return str(address.ipv4_mapped or address)
    return str(address)
