"""Writing to a socket without waiting for its readiness in the reactor's next turn."""

from typing import Any

from twisted.internet import tcp

_PLAIN = (tcp.Server, tcp.Client)


def send_now(transport: Any, data: bytes) -> bool:
    """Send at once what the kernel takes, where nothing waits; the rest in its turn.

    Give whether all of it has left, as far as the transport tells.
    """
    sent = taken_now(transport, data)
    # Twisted's transports say nothing; ``tls.Secured`` does.
    return sent == len(data) or transport.write(data[sent:]) is True


def taken_now(
    transport: Any, data: bytes | memoryview, more: bytes | memoryview = b""
) -> int:
    """Send at once what the kernel takes of both, and give how many bytes.

    0 where something waits, or of a transport other than Twisted's own of TCP. What
    waits is known to private places alone (twisted.internet.abstract.FileDescriptor).
    """
    if type(transport) not in _PLAIN or (
        transport.dataBuffer
        or transport._tempDataBuffer  # noqa: SLF001 -- no public way
        or transport.TLS
        or transport.disconnecting
        or not transport.connected
    ):
        return 0
    # Twisted's own way there takes no more than 128 KiB, in one piece.
    handle = transport.socket
    try:
        sent: int = handle.sendmsg((data, more)) if more else handle.send(data)
    except OSError:
        # It takes nothing, or is broken: the next write meets it too.
        return 0
    return sent
