"""What Twisted's transports can do beyond their interface, each in one place.

Every function is harmless on one that lacks what it asks for. One over TLS
passes what it lacks itself on to the one below it.
"""

import socket
from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import ISSLTransport, ITCPTransport, ITransport

KEEPALIVE_IDLE = 60
KEEPALIVE_INTERVAL = 15
KEEPALIVE_PROBES = 4


def see_vanished_peers(transport: ITransport | None, seconds: float) -> None:
    """Have the kernel find out within about ``seconds`` that a peer is gone.

    A client that vanishes without a FIN is seen through TCP only (tcp(7)).
    """
    handle = getattr(transport, "socket", None)
    if transport is None or handle is None:
        return
    if not isinstance(transport.getHost(), IPv4Address | IPv6Address):
        return
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(seconds * 1000))),
    ):
        handle.setsockopt(level, option, value)


def read_at_once(transport: Any, size: int) -> None:
    """Have ``size`` bytes or more read at a time, as far as they are there.

    Nothing is kept for that: a read shrinks to what came. Over TLS it does nothing.
    """
    if getattr(transport, "bufferSize", size) < size:
        transport.bufferSize = size


def trailers(decoder: Any) -> Sequence[bytes]:
    """Give the lines after the last chunk of a body, which Twisted keeps unread."""
    return getattr(decoder, "_trailerHeaders", ())


def end_of_answers(transport: ITransport | None) -> None:
    """Tell the peer that nothing more comes, and go on reading, where that exists.

    Over TLS it does not: there a peer learns it from ``Connection: close``.
    """
    if ITCPTransport.providedBy(transport) and not ISSLTransport.providedBy(transport):
        ending: Any = transport
        # A registered producer would be resumed in place of the shutdown.
        ending.unregisterProducer()
        # It may have been stopped for a client that reads slowly.
        ending.resumeProducing()
        ending.loseWriteConnection()


def unsent(transport: Any) -> int | None:
    """Give how many bytes wait in this process; None where nobody can tell.

    Twisted keeps them in private places (twisted.internet.abstract.FileDescriptor).
    """
    try:
        begun = len(transport.dataBuffer) - transport.offset
        waiting = begun + transport._tempDataLen  # noqa: SLF001 -- no public way
    except AttributeError:
        return None
    return int(waiting)
