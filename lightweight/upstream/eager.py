"""Writing to a socket without waiting for its readiness in the reactor's next turn."""

from typing import Any

from twisted.internet import tcp

_PLAIN = (tcp.Server, tcp.Client)


def send_now(transport: Any, data: bytes | memoryview) -> bool:
    """Send at once what the kernel takes, where nothing waits; the rest in its turn.

    Give whether all of it has left. A transport other than Twisted's own of TCP is
    written to, and its ``write`` may tell. What waits is known to private places alone
    (twisted.internet.abstract.FileDescriptor).
    """
    if type(transport) in _PLAIN and not (
        transport.dataBuffer
        or transport._tempDataBuffer  # noqa: SLF001 -- no public way
        or transport.TLS
        or transport.disconnecting
        or not transport.connected
    ):
        try:
            sent = transport.socket.send(data)
        except OSError:
            sent = 0  # the write below waits, or meets it too
        if sent == len(data):
            return True
        data = data[sent:]
    return transport.write(bytes(data)) is True
